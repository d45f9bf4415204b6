"""Every model and blueprint of the repository against its schema, and against each other."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, Draft202012Validator, ValidationError

from boringml.contract.features import features_of
from boringml.contract.violations import violations
from container.trainer.job import PLATFORM

REPOSITORY = Path(__file__).resolve().parents[3]
MODELS = sorted(path.parent for path in (REPOSITORY / "models").glob("*/model.yaml"))
BLUEPRINTS = sorted((REPOSITORY / "blueprints").glob("*.yaml"))
# More than this, with the platform's own hyperparameters, SageMaker refuses.
HYPERPARAMETERS = 100

every_model = pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
every_blueprint = pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)


def schema(path: str) -> Draft202012Validator:
    document = json.loads((REPOSITORY / path).read_text())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def contract_of(folder: Path) -> Any:
    return json.loads((folder / "contract.json").read_text())


def declaration_of(folder: Path) -> Any:
    return yaml.safe_load((folder / "model.yaml").read_text())


def test_there_is_a_model_and_a_blueprint() -> None:
    assert MODELS
    assert BLUEPRINTS


@every_model
def test_a_model_has_the_files_that_a_data_scientist_edits(folder: Path) -> None:
    assert {"model.yaml", "contract.json", "train.py", "README.md"} <= {
        path.name for path in folder.iterdir()
    }


@every_model
def test_a_contract_meets_its_schema(folder: Path) -> None:
    schema("models/schemas/contract.schema.json").validate(contract_of(folder))


@every_model
def test_a_model_declaration_meets_its_schema_and_names_what_exists(folder: Path) -> None:
    declaration = declaration_of(folder)
    schema("models/schemas/model.schema.json").validate(declaration)
    assert declaration["name"] == folder.name == contract_of(folder)["model"]
    assert declaration["blueprint"] in {path.stem for path in BLUEPRINTS}
    assert len(declaration["training"]["parameters"]) + len(PLATFORM) <= HYPERPARAMETERS


@every_blueprint
def test_a_blueprint_meets_its_schema_and_bears_its_own_name(path: Path) -> None:
    blueprint = yaml.safe_load(path.read_text())
    schema("blueprints/blueprint.schema.json").validate(blueprint)
    assert blueprint["name"] == path.stem
    if blueprint["spot"]:
        assert blueprint["max_wait_seconds"] >= blueprint["max_runtime_seconds"]


@every_model
def test_the_request_is_a_draft_4_schema_whose_required_fields_exist(folder: Path) -> None:
    request = contract_of(folder)["request"]
    Draft4Validator.check_schema(request)
    assert set(request["required"]) <= set(request["properties"])


@every_model
def test_every_example_meets_the_request(folder: Path) -> None:
    contract = contract_of(folder)
    for example in contract["examples"]:
        assert violations(example["record"], contract["request"]) == []
    names = [example["name"] for example in contract["examples"]]
    assert len(set(names)) == len(names)


def test_a_text_meets_the_schema() -> None:
    contract = contract_of(REPOSITORY / "models" / "credit")
    contract["request"]["properties"]["term"] = {**TEXT, "nullable": True}
    schema("models/schemas/contract.schema.json").validate(contract)


@every_model
def test_the_contract_names_features_and_labels_that_exist(folder: Path) -> None:
    contract = contract_of(folder)
    known = set(features_of(contract).names)
    assert set(contract["key_features"]) <= known
    assert set(contract["sensitive"]) <= known
    nullable = {n for n, p in contract["request"]["properties"].items() if p.get("nullable")}
    assert set(contract["data"]["max_null_fraction"]) <= nullable
    keys = set(contract["data"].get("keys", ()))
    assert not keys & (known | {contract["decision"]["target"]})
    decision = contract["decision"]
    labels = {decision["positive"], decision["negative"]}
    assert len(labels) == 2
    assert set(contract["response"]["properties"]["prediction"]["enum"]) == labels
    assert decision["target"] not in known


@every_model
def test_what_is_watched_for_drift_is_a_feature(folder: Path) -> None:
    drift = declaration_of(folder).get("monitoring", {}).get("drift", {})
    assert set(drift.get("features", ())) <= set(features_of(contract_of(folder)).names)


@every_model
def test_every_bad_request_breaks_the_request_schema_with_a_declared_code(folder: Path) -> None:
    contract = contract_of(folder)
    declared = {error["code"]: error["status"] for error in contract["errors"]}
    for bad in contract["bad_requests"]:
        assert declared[bad["code"]] == bad["status"], bad["name"]
        if bad["code"] in SCHEMA_CODES:
            records = json.loads(bad["body"])
            records = records if isinstance(records, list) else [records]
            assert any(violations(record, contract["request"]) for record in records), bad["name"]


@every_model
def test_every_kind_of_bad_body_has_a_bad_request(folder: Path) -> None:
    contract = contract_of(folder)
    features = features_of(contract)
    due = BODY_CODES | {
        code for kind, codes in KIND_CODES.items() if getattr(features, kind) for code in codes
    }
    assert {bad["code"] for bad in contract["bad_requests"]} >= due
    assert {error["code"] for error in contract["errors"]} >= due


@every_model
def test_a_full_list_of_examples_fits_the_body_limit(folder: Path) -> None:
    contract = contract_of(folder)
    limits = contract["limits"]
    longest = max(len(json.dumps(example["record"])) for example in contract["examples"])
    # One more, so that a list that is one too long is told so, and not that it is too large.
    assert (longest + 2) * (limits["max_records"] + 1) <= limits["max_body_bytes"]


SCHEMA_CODES = {
    "wrong_type",
    "unknown_field",
    "missing_field",
    "unknown_category",
    "out_of_bounds",
    "text_too_short",
    "text_too_long",
}
# By the kinds of features that a contract has.
KIND_CODES = {
    "numeric": {"out_of_bounds", "not_finite"},
    "categorical": {"unknown_category"},
    "text": {"text_too_short", "text_too_long"},
}
BODY_CODES = {
    "malformed_json",
    "wrong_type",
    "unknown_field",
    "missing_field",
    "list_empty",
    "list_too_long",
    "body_too_large",
    "unsupported_content_type",
}

TEXT = {"type": "string", "minLength": 1, "maxLength": 9, "description": "Words."}
BROKEN: dict[str, tuple[str, str, Any]] = {
    "an exclusive bound": ("contract", "request.properties.int_rate.exclusiveMinimum", True),
    "a feature without bounds": ("contract", "request.properties.int_rate", {"type": "number"}),
    "a string without words or bounds": ("contract", "request.properties.term", {"type": "string"}),
    "a text that may be empty": ("contract", "request.properties.term", {**TEXT, "minLength": 0}),
    "a text without end": ("contract", "request.properties.term", {**TEXT, "maxLength": 10**6}),
    "a single worker": ("model", "serving.max_concurrency", 1),
    "an unknown runtime": ("model", "serving.runtime", "torch"),
    "open records": ("contract", "request.additionalProperties", True),
    "a threshold of one": ("contract", "decision.threshold", 1),
    "an unknown key": ("contract", "limit", {}),
    "no owner": ("model", "owner", ""),
    "a reserved parameter": ("model", "training.parameters.seed", 1),
    "a list as parameter": ("model", "training.parameters.depths", [1, 2]),
    "drift without a limit": ("model", "monitoring.drift.psi", 0),
    "a drift that nobody knows": ("model", "monitoring.drift.ks", 0.1),
    "gates left out": ("model", "gates", {}),
    "an unknown engine": ("batch model", "batch.engine", "spark"),
    "a batch model that does not say how": ("model", "patterns", ["batch"]),
    "a canary of batches": ("batch model", "release.canary", {}),
    "batches that are timed": ("batch model", "release.shadow.max_latency_ratio", 2),
    "a served model without a canary": ("model", "release", {"shadow": {}}),
    "a key with a space": ("contract", "data.keys", ["customer id"]),
    "spot without time to wait": ("blueprint", "spot", True),
    "two machines": ("blueprint", "instance_count", 2),
    "no cost centre": ("blueprint", "mandatory_tags", ["owner"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_schemas_refuse(name: str) -> None:
    kind, path, value = BROKEN[name]
    credit = REPOSITORY / "models" / "credit"
    document, validator = {
        "contract": (contract_of(credit), schema("models/schemas/contract.schema.json")),
        "model": (declaration_of(credit), schema("models/schemas/model.schema.json")),
        "batch model": (
            declaration_of(REPOSITORY / "models" / "churn"),
            schema("models/schemas/model.schema.json"),
        ),
        "blueprint": (
            yaml.safe_load((REPOSITORY / "blueprints" / "small-cpu.yaml").read_text()),
            schema("blueprints/blueprint.schema.json"),
        ),
    }[kind]
    validator.validate(document)
    *parents, last = path.split(".")
    inner = document
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    with pytest.raises(ValidationError):
        validator.validate(document)
