"""The ledger of the proof: it adds up, or it says what does not."""

from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from benchmarks.monitoring.lake_loss import Served, bodies, lines_ledger


def raw() -> list[dict[str, Any]]:
    def line(request_id: str, record: int, **more: Any) -> dict[str, Any]:
        told = {
            "timestamp": "2026-11-24T12:30:00.250Z",
            "request_id": request_id,
            "record": record,
            "model_version": "1",
            "function_version": "3",
            "cold_start": False,
            "trace_id": None,
        }
        return {**told, **more}

    said = {"prediction": "good", "features": {"a": 1}}
    return [
        line("one", 0, code=None, latency_ms=1.5, latency_bucket="<=2", probability=0.1, **said),
        line("list", 0, code=None, latency_ms=2.5, latency_bucket="<=5", probability=0.2, **said),
        line("list", 1, probability=0.3, **said),
        line("no", 0, code="malformed_json", latency_ms=0.1, latency_bucket="<=1"),
        line("other", 0, code=None, probability=0.5, **said),
    ]


def stored() -> list[dict[str, Any]]:
    rows = deepcopy(raw())
    for row in rows:
        row["at"] = datetime.fromisoformat(row.pop("timestamp")).replace(tzinfo=None)
        row["features"] = None if "features" not in row else '{"a":1}'
    return rows


def served() -> Served:
    found = Served()
    found.add("one", {"probability": 0.1})
    found.add("list", {"predictions": [{"probability": 0.2}, {"probability": 0.3}]})
    found.add("no", {"error": {"code": "malformed_json"}})
    return found


def broken(raw: list[dict[str, Any]], stored: list[dict[str, Any]]) -> list[str]:
    """Return what does not add up."""
    return [what.strip() for what, _, holds in lines_ledger(served(), raw, stored) if not holds]


def test_what_is_whole_adds_up() -> None:
    ledger = {what.strip(): much for what, much, _ in lines_ledger(served(), raw(), stored())}
    assert broken(raw(), stored()) == []
    assert (ledger["predictions served"], ledger["lines in the lake"]) == (3, 4)


def test_a_row_that_is_lost_is_told() -> None:
    assert broken(raw(), stored()[1:]) == [
        "lines in the lake",
        "equal to the raw line in every column",
    ]


def test_a_line_that_is_lost_is_told() -> None:
    assert "lines in the raw log" in broken(raw()[1:], stored())


@pytest.mark.parametrize("change", [{"probability": 0.25}, {"features": "{}"}, {"code": "x"}])
def test_a_row_that_is_changed_is_told(change: dict[str, Any]) -> None:
    rows = stored()
    rows[1] |= change
    assert broken(raw(), rows) == ["equal to the raw line in every column"]


def test_a_line_that_says_other_than_the_answer_is_told() -> None:
    lines = raw()
    lines[2]["probability"] = 0.9
    assert "of a record each, as clients were answered" in broken(lines, stored())


def test_a_row_that_came_twice_is_counted() -> None:
    ledger = {
        what.strip(): much
        for what, much, _ in lines_ledger(served(), raw(), [*stored(), stored()[0]])
    }
    assert ledger["more than once"] == 1
    assert broken(raw(), [*stored(), stored()[0]]) == []


def test_as_many_records_are_asked_for_as_wanted() -> None:
    asked = list(bodies(500, [{"term": "36"}, {"term": "60"}], seed=7))
    sizes = [len(body) if isinstance(body, list) else 1 for body in asked]
    good = [s for s, body in zip(sizes, asked, strict=True) if body and "never" not in str(body)]
    assert sum(good) == 500
    assert max(good) > 1
    assert len(asked) > len(good)
