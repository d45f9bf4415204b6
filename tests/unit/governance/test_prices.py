"""prices.json is of its form, and old prices are known as such."""

import json
from datetime import date
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from boringml.errors import BoringError
from boringml.governance.prices import Price, Prices

FOLDER = files("boringml.governance")
DOCUMENT = json.loads((FOLDER / "prices.json").read_text())
SCHEMA = json.loads((FOLDER / "prices.schema.json").read_text())


def prices_of(document: Any) -> list[dict[str, Any]]:
    if "as_of" in document:
        return [document]
    return [price for value in document.values() for price in prices_of(value)]


def test_the_file_is_of_its_form() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(DOCUMENT, SCHEMA)


@pytest.mark.parametrize("missing", ["usd", "as_of", "source"])
def test_a_price_without_its_amount_date_or_source_is_refused(missing: str) -> None:
    changed = json.loads(json.dumps(DOCUMENT))
    del changed["regions"]["us-east-1"]["services"]["log_gb"][missing]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed, SCHEMA)


def test_all_that_the_form_names_has_a_price_in_the_first_region() -> None:
    named = SCHEMA["properties"]["regions"]["additionalProperties"]["properties"]["services"]
    assert DOCUMENT["regions"]["us-east-1"]["services"].keys() == named["properties"].keys()
    assert DOCUMENT["regions"]["us-east-1"]["lambda"]["gb_second"].keys() == {"x86_64", "arm64"}


def test_each_date_is_one_and_has_been() -> None:
    for price in prices_of(DOCUMENT["regions"]):
        assert date(2023, 1, 1) <= date.fromisoformat(price["as_of"]) <= date(2026, 11, 30)


def test_the_price_of_a_transform_says_that_it_is_the_price_of_training() -> None:
    region = DOCUMENT["regions"]["us-east-1"]
    for instance, price in region["transform_hour"].items():
        assert price["usd"] == region["training_hour"][instance]["usd"]
        assert "no list of Batch Transform prices was found" in price["source"]


def test_a_price_is_old_after_a_year() -> None:
    price = Price(1.0, "2025-11-26", "a bill")
    assert not price.is_old(date(2026, 11, 26))
    assert price.is_old(date(2026, 11, 27))


def test_a_price_of_a_service_is_not_guessed() -> None:
    assert Prices.load().service("us-east-1", "api_million_requests").usd == 3.5
    with pytest.raises(BoringError, match="no price api_million_requests in eu-west-1") as refused:
        Prices.load().service("eu-west-1", "api_million_requests")
    assert refused.value.code == "price_unknown"
