from typing import Any

import pytest

from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from tests.unit.registry.samples import package


def register(registry: RegistryTable, number: int, **changes: Any) -> int:
    return registry.register_version(package(number, **changes), by="train", why="new data").number


def test_versions_are_numbered_from_one_without_gaps(registry: RegistryTable) -> None:
    assert [register(registry, n) for n in range(5)] == [1, 2, 3, 4, 5]
    assert [v.number for v in registry.versions("credit")] == [1, 2, 3, 4, 5]


def test_each_model_counts_for_itself(registry: RegistryTable) -> None:
    register(registry, 1)
    assert register(registry, 1, model="churn") == 1
    assert registry.models() == ["churn", "credit"]


def test_a_version_is_returned_as_it_was_registered(registry: RegistryTable, clock: Any) -> None:
    given = package(7)
    version = registry.register_version(given, by="arn:aws:states:::run-7", why="new data")
    assert version == registry.version("credit", 1) == registry.versions("credit")[0]
    assert {name: getattr(version, name) for name in given.__dict__} == given.__dict__
    assert isinstance(version.metrics["holdout_rows"], int)
    assert (version.registered_at, version.registered_by) == (clock.now, "arn:aws:states:::run-7")


def test_registering_a_package_again_changes_nothing(registry: RegistryTable, clock: Any) -> None:
    first = registry.register_version(package(1), by="train", why="new data")
    register(registry, 2)
    clock.move(hours=1)
    again = registry.register_version(package(1, job_name="other"), by="sweep", why="again")
    assert again == first
    assert len(registry.versions("credit")) == len(registry.history("credit")) == 2


def test_a_registration_is_in_the_history(registry: RegistryTable, clock: Any) -> None:
    register(registry, 1)
    (event,) = registry.history("credit")
    assert event.sequence == 1
    assert (event.kind, event.alias) == ("version_registered", None)
    assert (event.from_version, event.to_version) == (None, 1)
    assert (event.by, event.why, event.at) == ("train", "new data", clock.now)


def test_a_cost_too_small_to_store_is_nothing(registry: RegistryTable) -> None:
    version = registry.register_version(package(1, cost_usd=1e-311), by="t", why="w")
    assert version.cost_usd == registry.version("credit", 1).cost_usd == 0


def test_an_unknown_version_is_not_found(registry: RegistryTable) -> None:
    with pytest.raises(BoringError, match="credit has no version 1") as refusal:
        registry.version("credit", 1)
    assert (refusal.value.code, refusal.value.status) == ("version_not_found", 404)


def test_a_version_that_is_there_is_never_written_over(
    registry: RegistryTable, dynamodb: Any, pauses: list[float]
) -> None:
    register(registry, 1)
    before = registry.version("credit", 1)
    # Counters restored from an old backup would give the number 1 once more.
    dynamodb.delete_item(
        TableName="registry", Key={"pk": {"S": "MODEL#credit"}, "sk": {"S": "META"}}
    )
    with pytest.raises(BoringError) as refusal:
        register(registry, 2)
    assert refusal.value.code == "registry_busy"
    assert registry.versions("credit") == [before]
    assert len(registry.history("credit")) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("package_uri", "s3://packages/packages/credit/job-1"),
        ("package_uri", "packages/credit/job-1/"),
        ("package_digest", "sha256:12"),
        ("data_digest", ""),
        ("runtime", "torch"),
        ("contract_version", ""),
        ("git_commit", ""),
        ("job_name", ""),
        ("image", ""),
        ("cost_usd", -0.1),
        ("cost_usd", float("nan")),
        ("metrics", {"roc_auc": float("nan")}),
        ("metrics", {"roc_auc": object()}),
    ],
)
def test_a_candidate_that_lacks_its_facts_is_refused(
    registry: RegistryTable, field: str, value: Any
) -> None:
    with pytest.raises(BoringError) as refusal:
        register(registry, 1, **{field: value})
    assert refusal.value.code == "candidate_invalid"
    assert refusal.value.details == {"field": field}
    assert registry.models() == []


@pytest.mark.parametrize("name", ["", "Credit", "1credit", "credit#1", "a" * 33, "credit/../x"])
def test_a_model_has_a_name_that_is_safe_everywhere(registry: RegistryTable, name: str) -> None:
    with pytest.raises(BoringError) as refusal:
        register(registry, 1, model=name)
    assert refusal.value.code == "model_name_invalid"


@pytest.mark.parametrize("audit", [{"by": " ", "why": "x"}, {"by": "x", "why": ""}])
def test_nothing_is_registered_without_who_and_why(
    registry: RegistryTable, audit: dict[str, str]
) -> None:
    with pytest.raises(BoringError) as refusal:
        registry.register_version(package(1), **audit)
    assert refusal.value.code == "audit_missing"
    assert registry.versions("credit") == []
