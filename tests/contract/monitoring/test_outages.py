"""An outage rings at little traffic, and one bad request of a quiet night does not.

The alarms' own expressions, as the templates have them, over requests that are made up.
"""

import itertools
import re
from typing import Any

import pytest
import yaml

from tests.contract.template.test_wiring import ROOT, Loader

HOUR = 60
Request = tuple[float, bool]  # its minute, and whether it failed


def value_of(expression: str, values: dict[str, float | None]) -> float | None:
    """Return what metric math comes to; a metric without data leaves it without, but for FILL."""
    known = {"IF": lambda held, yes, no: yes if held else no}
    known["FILL"] = lambda value, other: other if value is None else value
    try:
        return float(eval(expression, {**known, **values}))
    except TypeError:
        return None


def of(pattern: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the alarm of a pattern, and its parameters' defaults."""
    template = yaml.load((ROOT / f"patterns/{pattern}.yaml").read_text(), Loader)
    defaults = {name: one.get("Default") for name, one in template["Parameters"].items()}
    return template["Resources"]["OutageAlarm"]["Properties"], defaults


def measured(pattern: str, requests: list[Request], lost: bool) -> dict[str, float | None]:
    """Return the metrics of requests; of failures that were lost no line was written."""
    failed = float(sum(bad for _, bad in requests))
    if pattern == "online":
        share = failed / len(requests) if requests else None
        return {"failures": failed if requests else None, "share": share}
    lines = [bad for _, bad in requests if not (bad and lost)]
    return {
        "answered": float(sum(lines)) if lines else None,
        "attempts": float(len(lines)) if lines else None,
        "errors": (failed if lost else 0.0) if requests else None,
    }


def minute_of_the_alarm(pattern: str, requests: list[Request], *, lost: bool) -> int | None:
    """Return the first minute in which the alarm rings; it looks at the last period each minute."""
    alarm, defaults = of(pattern)
    (watched,) = [q for q in alarm["Metrics"] if q.get("ReturnData")]
    assert {q["MetricStat"]["Period"] for q in alarm["Metrics"] if "MetricStat" in q} == {
        "OutageSeconds"
    }
    period, threshold = defaults["OutageSeconds"] / 60, defaults[alarm["Threshold"]]
    assert alarm["EvaluationPeriods"] == 1
    for minute in range(12 * HOUR):
        seen = [one for one in requests if minute - period < one[0] <= minute]
        value = value_of(watched["Expression"], measured(pattern, seen, lost))
        if value is not None and value >= threshold:
            return minute
    return None


def attempts(pattern: str, minute: float) -> list[float]:
    """Return when a request that fails is tried: a job five times, with pauses between."""
    if pattern == "online":
        return [minute]
    return [minute + after for after in itertools.accumulate((0, 0.5, 1, 2, 4))]


def night(pattern: str, every: int, fails: set[int]) -> list[Request]:
    """Return 12 hours of a request each `every` minutes; those of the places in `fails` fail."""
    found: list[Request] = []
    for place, minute in enumerate(range(0, 12 * HOUR, every)):
        bad = place in fails
        found += [(m, bad) for m in (attempts(pattern, minute) if bad else [minute])]
    return found


@pytest.mark.parametrize("lost", [False, True], ids=["answered with 5xx", "crashed"])
@pytest.mark.parametrize("every", [15, 5, 1])
@pytest.mark.parametrize("pattern", ["online", "async"])
def test_a_whole_outage_rings_within_an_hour(pattern: str, every: int, lost: bool) -> None:
    begin = 6 * HOUR
    failing = {place for place in range(12 * HOUR // every) if place * every >= begin}
    minute = minute_of_the_alarm(pattern, night(pattern, every, failing), lost=lost)
    assert minute is not None
    assert begin <= minute <= begin + HOUR


@pytest.mark.parametrize("lost", [False, True], ids=["answered with 5xx", "crashed"])
@pytest.mark.parametrize("every", [60, 15, 1])
@pytest.mark.parametrize("pattern", ["online", "async"])
def test_one_bad_request_of_a_quiet_night_does_not(pattern: str, every: int, lost: bool) -> None:
    requests = night(pattern, every, {6 * HOUR // every})
    assert minute_of_the_alarm(pattern, requests, lost=lost) is None


@pytest.mark.parametrize("pattern", ["online", "async"])
def test_nor_do_failures_that_are_fewer_than_half(pattern: str) -> None:
    """Those are for the alarm of a minute, which asks for more of them."""
    requests = [(minute, minute % 3 == 0) for minute in range(12 * HOUR)]
    assert minute_of_the_alarm(pattern, requests, lost=False) is None


def test_it_counts_what_the_api_answers_so_that_throttles_count_too() -> None:
    alarm, _ = of("online")
    stats = [q["MetricStat"] for q in alarm["Metrics"] if "MetricStat" in q]
    assert {stat["Stat"] for stat in stats} == {"Sum", "Average"}
    for stat in stats:
        assert (stat["Metric"]["Namespace"], stat["Metric"]["MetricName"]) == (
            "AWS/ApiGateway",
            "5XXError",
        )
        dimensions = {one["Name"]: one["Value"] for one in stat["Metric"]["Dimensions"]}
        assert dimensions == {
            "ApiName": "ApiName",
            "Stage": "v1",
            "Method": "POST",
            "Resource": "/models/${ModelName}/predictions",
        }


def test_an_hour_is_an_hour_where_it_is_deployed() -> None:
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader)
    environments = template["Mappings"]["Environments"]
    assert {environments[name]["OutageSeconds"] for name in ("dev", "prod")} == {"3600"}
    asked = ["Environments", "Environment", "OutageSeconds"]
    instances = [
        resource["Properties"]["Parameters"]
        for resource in template["Resources"].values()
        if re.search(
            r"patterns/(online|async)", str(resource.get("Properties", {}).get("Location"))
        )
    ]
    assert [given["OutageSeconds"] for given in instances] == [asked] * len(instances)
    (api,) = [given["ApiName"] for given in instances if "ApiName" in given]
    assert api == template["Resources"]["Api"]["Properties"]["Name"]
