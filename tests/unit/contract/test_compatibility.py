"""What may follow the live contract on its route, and what its version has to be."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boringml.contract.compatibility import check_release
from boringml.errors import BoringError
from tests.unit.contract.mutations import BREAKING, COMPATIBLE, CREDIT, changed

slow = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ADDITIONS = sorted(set(COMPATIBLE) - {"nothing"})
VERSIONS = ["1.0.0", "1.0.1", "1.1.0", "2.0.0"]


def refusal(live: dict[str, Any], candidate: dict[str, Any]) -> BoringError | None:
    try:
        check_release(live, candidate)
    except BoringError as error:
        return error
    return None


def code(live: dict[str, Any], candidate: dict[str, Any]) -> str | None:
    refused = refusal(live, candidate)
    return refused.code if refused else None


def called(version: str, document: dict[str, Any] = CREDIT) -> dict[str, Any]:
    return {**document, "version": version}


def reworded() -> dict[str, Any]:
    document = copy.deepcopy(CREDIT)
    document["request"]["properties"]["term"]["description"] = "In other words."
    document["errors"][0]["when"] = "In other words."
    return document


def test_the_same_contract_may_go_live_again() -> None:
    assert code(CREDIT, copy.deepcopy(CREDIT)) is None


@pytest.mark.parametrize("name", BREAKING)
@pytest.mark.parametrize("version", VERSIONS)
@slow
@given(data=st.data())
def test_what_breaks_clients_is_refused_whatever_it_is_called(
    name: str, version: str, data: Any
) -> None:
    candidate, path = changed(CREDIT, BREAKING[name], data.draw)
    refused = refusal(CREDIT, called(version, candidate))
    assert refused is not None
    assert (refused.code, refused.status) == ("contract_incompatible", 422)
    assert path in [told.split(":")[0] for told in refused.details["breaks"]]
    assert all(told in refused.message for told in refused.details["breaks"])
    assert "credit-v2" in refused.message


@pytest.mark.parametrize("version", ["0.9.0", "2.0.0", "2.1.3"])
def test_another_major_version_is_no_version_of_this_model(version: str) -> None:
    refused = refusal(CREDIT, called(version))
    assert refused is not None
    assert (refused.code, refused.details["breaks"]) == ("contract_incompatible", [])
    assert "credit-v2" in refused.message


def test_the_next_generation_is_named_after_the_first() -> None:
    live = called("2.0.0", {**CREDIT, "model": "credit-v2"})
    refused = refusal(live, called("3.0.0", live))
    assert refused is not None
    assert "such as credit-v3." in refused.message


@pytest.mark.parametrize("name", ADDITIONS)
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.9.0", "contract_incompatible"),
        ("1.0.0", "contract_version_unchanged"),
        ("1.0.1", "contract_version_too_low"),
        ("1.1.0", None),
        ("1.2.7", None),
    ],
)
def test_a_compatible_addition_needs_a_minor_version(
    name: str, version: str, expected: str | None
) -> None:
    @slow
    @given(st.data())
    def holds(data: Any) -> None:
        candidate, _ = changed(CREDIT, COMPATIBLE[name], data.draw)
        if candidate != CREDIT:
            assert code(CREDIT, called(version, candidate)) == expected

    holds()


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.0.0", "contract_version_unchanged"), ("1.0.1", None), ("1.1.0", None)],
)
def test_other_words_need_a_patch_version(version: str, expected: str | None) -> None:
    assert code(CREDIT, called(version, reworded())) == expected


def test_a_field_called_description_is_a_promise() -> None:
    rule = {"type": "number", "minimum": 0, "maximum": 1, "description": "Of the loan."}
    candidate = copy.deepcopy(called("1.0.1"))
    candidate["request"]["properties"]["description"] = rule
    assert code(CREDIT, candidate) == "contract_version_too_low"


def test_a_version_never_goes_back() -> None:
    assert code(called("1.2.0"), called("1.1.9")) == "contract_version_too_low"
    assert code(called("1.9.0"), called("1.10.0")) is None
