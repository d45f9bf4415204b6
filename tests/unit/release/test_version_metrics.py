"""What CloudWatch is asked of a version, and what its answers come to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from boringml.adapters.version_metrics import VersionMetrics
from boringml.errors import BoringError
from boringml.release.canary import Tally
from tests.unit.release.test_shadow_adapters import stubbed

BEGIN = datetime(2026, 11, 24, 12, tzinfo=UTC)
END = BEGIN + timedelta(minutes=5)
MINUTES = [BEGIN + timedelta(minutes=n) for n in range(5)]
OURS = {"model": "credit", "model_version": "2", "function_version": "11"}
THEIRS = {"FunctionName": "predict", "Resource": "predict:live", "ExecutedVersion": "11"}
OUTCOME = {"model": "credit", "model_version": "2", "outcome": "LoanAccepted"}


@pytest.fixture
def cloudwatch() -> Iterator[tuple[VersionMetrics, Stubber]]:
    client, stubber = stubbed("cloudwatch")
    yield VersionMetrics(client, "BoringML/a-stack", "predict", "credit", 60), stubber
    stubber.assert_no_pending_responses()


def result(name: str, *values: float, status: str = "Complete", at: int = 0) -> dict[str, Any]:
    stamps = MINUTES[at : at + len(values)]
    return {"Id": name, "Timestamps": stamps, "Values": list(values), "StatusCode": status}


def query(name: str, namespace: str, metric: str, stat: str, dimensions: Any) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    asked = {"Namespace": namespace, "MetricName": metric, "Dimensions": named}
    return {"Id": name, "MetricStat": {"Metric": asked, "Period": 60, "Stat": stat}}


QUERIES = [
    query("answered", "BoringML/a-stack", "latency_ms", "SampleCount", OURS),
    query("slow", "BoringML/a-stack", "latency_ms", "TC(80.500:)", OURS),
    query("failures", "BoringML/a-stack", "failures", "Sum", OURS),
    query("errors", "AWS/Lambda", "Errors", "Sum", THEIRS),
    query("outcomes", "BoringML/a-stack", "outcomes", "Sum", OUTCOME),
    query("bad_outcomes", "BoringML/a-stack", "bad_outcomes", "Sum", OUTCOME),
]
RESULTS = [
    result("answered", 100, 50),
    result("slow", 7),
    result("failures", 3, 0),
    result("errors", 2, 1),
    result("outcomes", 30),
    result("bad_outcomes", 12),
]


def answer(stubber: Stubber, *results: dict[str, Any], token: str | None = None) -> None:
    response: dict[str, Any] = {"MetricDataResults": list(results)}
    stubber.add_response("get_metric_data", response if token is None else {
        **response, "NextToken": token,
    })  # fmt: skip


def tally(metrics: VersionMetrics, outcome: str | None = "LoanAccepted") -> Tally:
    return metrics.tally("11", 2, BEGIN, END, 80.5, outcome)


def test_a_tally_is_of_one_version_and_one_window(cloudwatch: Any) -> None:
    metrics, stubber = cloudwatch
    expected = {
        "MetricDataQueries": QUERIES,
        "StartTime": BEGIN,
        "EndTime": END,
        "ScanBy": "TimestampAscending",
    }
    stubber.add_response("get_metric_data", {"MetricDataResults": RESULTS}, expected)
    # What Lambda failed is a request, and a failure.
    assert tally(metrics) == Tally(153, 6, 7, outcomes=30, bad_outcomes=12)


def test_without_a_kpi_no_outcomes_are_asked_for(cloudwatch: Any) -> None:
    metrics, stubber = cloudwatch
    answer(stubber, *RESULTS[:4])
    assert tally(metrics, None) == Tally(153, 6, 7)


def test_all_pages_count_and_the_last_status_of_each_query(cloudwatch: Any) -> None:
    metrics, stubber = cloudwatch
    first = [{**one, "StatusCode": "PartialData"} for one in RESULTS[:4]]
    answer(stubber, *first, token="more")
    rest = [result("answered", 9, at=2), result("slow", 1, at=2), result("failures", 1, at=2)]
    answer(stubber, *rest, result("errors"))
    assert tally(metrics, None) == Tally(162, 7, 8)


@pytest.mark.parametrize("which", range(6), ids=[one["Id"] for one in RESULTS])
@pytest.mark.parametrize("status", ["InternalError", "PartialData"])
def test_what_was_not_told_is_no_zero(cloudwatch: Any, which: int, status: str) -> None:
    metrics, stubber = cloudwatch
    untold = {**result(RESULTS[which]["Id"]), "StatusCode": status}
    answer(stubber, *RESULTS[:which], untold, *RESULTS[which + 1 :])
    with pytest.raises(BoringError) as refused:
        tally(metrics)
    assert (refused.value.code, refused.value.status) == ("metrics_incomplete", 503)


def test_a_query_without_an_answer_is_no_zero(cloudwatch: Any) -> None:
    metrics, stubber = cloudwatch
    answer(stubber, *RESULTS[:5])
    with pytest.raises(BoringError, match="bad_outcomes is missing"):
        tally(metrics)


def test_what_may_not_be_read_is_not_asked_for_again(cloudwatch: Any) -> None:
    metrics, stubber = cloudwatch
    answer(stubber, *RESULTS[:3], result("errors", status="Forbidden"), *RESULTS[4:])
    with pytest.raises(BoringError) as refused:
        tally(metrics)
    assert (refused.value.code, refused.value.status) == ("metrics_forbidden", 403)


@pytest.mark.parametrize(("which", "name"), [(2, "failures"), (5, "bad_outcomes")])
def test_a_minute_of_which_half_is_told_is_waited_for(
    cloudwatch: Any, which: int, name: str
) -> None:
    metrics, stubber = cloudwatch
    answer(stubber, *RESULTS[:which], result(name), *RESULTS[which + 1 :])
    with pytest.raises(BoringError, match=f"and {name} are told of different minutes"):
        tally(metrics)


def test_a_version_without_requests_has_nothing(cloudwatch: Any) -> None:
    metrics, stubber = cloudwatch
    answer(stubber, *(result(one["Id"]) for one in RESULTS))
    assert tally(metrics) == Tally(0, 0, 0)


def p95(cloudwatch: Any, values: dict[str, Any], counts: dict[str, Any]) -> float | None:
    metrics, stubber = cloudwatch
    expected = {
        "MetricDataQueries": [
            query("p95", "BoringML/a-stack", "latency_ms", "p95", OURS),
            query("count", "BoringML/a-stack", "latency_ms", "SampleCount", OURS),
        ],
        "StartTime": BEGIN,
        "EndTime": END,
        "ScanBy": "TimestampAscending",
    }
    stubber.add_response("get_metric_data", {"MetricDataResults": [values, counts]}, expected)
    found: float | None = metrics.p95_ms("11", 2, BEGIN, END)
    return found


def test_the_p95_of_each_minute_weighs_as_much_as_its_requests(cloudwatch: Any) -> None:
    assert p95(cloudwatch, result("p95", 40, 80), result("count", 300, 100)) == 50


def test_a_minute_that_only_one_series_has_does_not_count(cloudwatch: Any) -> None:
    assert p95(cloudwatch, result("p95", 40), result("count", 300, 100)) == 40


def test_without_requests_there_is_no_p95(cloudwatch: Any) -> None:
    assert p95(cloudwatch, result("p95"), result("count")) is None
