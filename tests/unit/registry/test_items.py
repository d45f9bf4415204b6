from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from boringml.adapters.dynamodb_table import _plain, _wire
from boringml.registry import items
from boringml.registry.records import HistoryEvent, ModelState, ModelVersion, RunClaim
from tests.unit.registry.samples import package

moments = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
words = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers(1, 999_999)
floats = st.floats(allow_nan=False, allow_infinity=False)
documents = st.dictionaries(words, st.recursive(floats | st.integers() | words, st.lists))
money = st.floats(0, 1e6).map(lambda usd: round(usd, 9))


def through_the_wire(item: dict[str, Any]) -> dict[str, Any]:
    return _plain(_wire(item))


@given(numbers, moments, documents, money)
def test_a_version_survives_the_table(
    number: int, at: datetime, metrics: dict[str, Any], cost: float
) -> None:
    version = ModelVersion(
        **package(1, metrics=metrics, cost_usd=cost).__dict__,
        number=number,
        registered_at=at,
        registered_by="train",
    )
    assert items.version_of(through_the_wire(items.version_item(version))) == version


@given(numbers, moments, st.none() | numbers, st.none() | numbers, words)
def test_an_event_survives_the_table(
    sequence: int, at: datetime, before: int | None, to: int | None, why: str
) -> None:
    event = HistoryEvent(
        model="credit",
        sequence=sequence,
        at=at,
        kind="alias_moved",
        alias="live",
        from_version=before,
        to_version=to,
        by="someone",
        why=why,
    )
    assert items.event_of(through_the_wire(items.event_item(event))) == event
    alias = through_the_wire(items.alias_item(event))
    assert items.event_of(alias) == event
    assert items.target_of(alias) == to


@given(moments, documents | words | st.none(), st.none() | numbers)
def test_a_claim_survives_the_table(at: datetime, reason: Any, version: int | None) -> None:
    claim = RunClaim(
        model="credit",
        trigger_id="t",
        execution_arn="arn",
        claimed_at=at,
        status="failed",
        finished_at=at + timedelta(seconds=1),
        reason=reason,
        version=version,
    )
    assert items.run_of(through_the_wire(items.run_item(claim))) == claim


def test_a_new_model_has_counted_nothing() -> None:
    assert items.state_of(None) == ModelState(last_version=0, last_event=0, last_at=None)


@given(st.lists(numbers), st.lists(moments))
def test_the_order_of_keys_and_times_as_text_is_their_order(
    values: list[int], times: list[datetime]
) -> None:
    for key in (items.version_key, items.event_key):
        assert sorted(values) == sorted(values, key=lambda n: key("credit", n)["sk"])
    assert sorted(times) == sorted(times, key=items.to_text)


def test_a_time_of_any_zone_is_stored_as_utc() -> None:
    at = datetime(2026, 11, 24, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    assert items.to_text(at) == "2026-11-24T12:30:00.000000Z"
    assert items.from_text("2026-11-24T12:30:00.000000Z") == at


def test_the_keys_are_those_that_the_documentation_tells() -> None:
    model = {"pk": "MODEL#credit"}
    assert items.state_key("credit") == model | {"sk": "META"}
    assert items.version_key("credit", 7) == model | {"sk": "VERSION#000007"}
    assert items.alias_key("credit", "live") == model | {"sk": "ALIAS#live"}
    assert items.event_key("credit", 7) == model | {"sk": "EVENT#000000007"}
    assert items.package_key("credit", "sha256:ab") == model | {"sk": "PACKAGE#sha256:ab"}
    assert items.run_key("credit", "s3:x") == model | {"sk": "RUN#s3:x"}
    assert items.directory_key("credit") == {"pk": "MODELS", "sk": "credit"}
