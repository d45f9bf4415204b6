"""Labels: what the API says, what model.yaml declares, and what the code takes, are the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from boringml.adapters import declarations
from boringml.errors import STATUSES, BoringError
from boringml.monitoring.labels import LabelRules
from boringml.monitoring.quality_settings import QualitySettings
from tools.openapi import labelled_contracts
from tools.openapi_labels import ERRORS, label_examples

ROOT = Path(__file__).parents[3]
DOCUMENT = yaml.safe_load((ROOT / "api" / "openapi.yaml").read_text())
MODELS = {contract["model"]: by_key for contract, by_key in labelled_contracts()}


@pytest.mark.parametrize("model", MODELS)
def test_the_examples_fit_the_schema_and_are_labels(model: str) -> None:
    contract = declarations.contract(model)
    operation = DOCUMENT["paths"][f"/models/{model}/labels"]["post"]
    media = operation["requestBody"]["content"]["application/json"]
    rules = LabelRules.of(declarations.declaration(model), contract)
    for example in label_examples(contract, MODELS[model]).values():
        value = example["value"]
        jsonschema.Draft4Validator({**DOCUMENT, **media["schema"]}).validate(value)
        for label in value if isinstance(value, list) else [value]:
            at = datetime.fromisoformat(label["at"])
            assert rules.label_of(label, at + timedelta(days=1)).at == at


def test_a_model_without_a_quality_section_takes_no_labels_and_all_here_have_one() -> None:
    assert set(MODELS) == set(declarations.models())
    for model in MODELS:
        settings = QualitySettings.of(declarations.declaration(model))
        # A window and the one before it, of labels that come a week late, lie within the horizon.
        assert settings.horizon_days >= 2 * settings.window_days + 7


def test_each_refusal_of_a_row_is_documented_with_its_status() -> None:
    rules = LabelRules("bad", "good", requests=True, keys=False, horizon=timedelta(days=30))
    now = datetime(2026, 1, 31, tzinfo=UTC)
    good: dict[str, Any] = {"request_id": "a", "at": now.isoformat(), "label": "bad"}
    changes: list[dict[str, Any]] = [
        {"label": None}, {"label": "x"}, {"note": 1}, {"key": "k"}, {"at": "x"},
        {"at": "2027-01-01T00:00:00Z"}, {"at": "2020-01-01T00:00:00Z"}, {"record": -1},
        {"key": "k", "request_id": None},
    ]  # fmt: skip
    documented = {error["code"]: error["status"] for error in ERRORS}
    for change in changes:
        with pytest.raises(BoringError) as refusal:
            rules.label_of({**good, **change}, now)
        assert documented[refusal.value.code] == STATUSES[refusal.value.code]
        assert refusal.value.status == STATUSES[refusal.value.code]
