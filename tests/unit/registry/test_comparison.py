"""What is said of two versions, and that both directions of a contract are looked at."""

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from boringml.package.reader import Package
from boringml.registry.comparison import VersionFacts, compare
from boringml.registry.records import ModelVersion
from tests.unit.registry.samples import package
from tests.unit.serving import tiny

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def facts(number: int, **described: Any) -> VersionFacts:
    """Return the facts of a version, read from its package."""
    members = {"parameters": {"depth": number}, "metrics": {"roc_auc": 0.7}, "rows": 1000}
    files, digest = tiny.described(**{**members, **described})
    new = package(number, package_digest=digest)
    version = ModelVersion(**vars(new), number=number, registered_at=AT, registered_by="training")
    return VersionFacts.of(version, Package(files.__getitem__, digest))


def with_contract(version: VersionFacts, **limits: int) -> VersionFacts:
    contract = copy.deepcopy(dict(version.contract))
    contract["limits"].update(limits)
    return replace(version, contract=contract)


def test_a_version_differs_from_itself_in_nothing() -> None:
    one = facts(1)

    def changes(value: Any) -> list[Any]:
        if isinstance(value, dict) and {"before", "after"} <= set(value):
            return [value] if value["before"] != value["after"] else []
        inner = value.values() if isinstance(value, dict) else []
        return [change for item in inner for change in changes(item)]

    assert changes(compare(one, one)) == []


def test_numbers_have_a_difference_and_texts_have_none() -> None:
    found = compare(facts(1), facts(2, metrics={"roc_auc": 0.75}, rows=3000))
    assert found["data"]["rows"] == {"before": 1000, "after": 3000, "difference": 2000}
    assert found["metrics"]["roc_auc"]["difference"] == pytest.approx(0.05)
    assert set(found["data"]["digest"]) == {"before", "after"}


def test_what_only_one_of_them_has_is_told() -> None:
    found = compare(facts(1), facts(2, parameters={"depth": 2, "rate": 0.1}))
    assert found["parameters"]["rate"] == {"before": None, "after": 0.1}
    assert found["training"]["seconds"] == {"before": None, "after": None}


def test_a_contract_is_compared_both_ways() -> None:
    found = compare(facts(1), with_contract(facts(2), max_records=200))
    assert found["contract"]["breaks"] == []
    assert found["contract"]["breaks_back"] == ["limits.max_records: fell from 200 to 100"]
