"""The function looks at every model, whatever becomes of one of them."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from boringml.adapters import declarations
from boringml.errors import BoringError
from boringml.monitoring.quality import Holdout
from boringml.steps import Retryable

ROOT = Path(__file__).parents[3]
CONTEXT = SimpleNamespace(aws_request_id="i-1")


@pytest.fixture
def app() -> ModuleType:
    path = ROOT / "functions/monitoring/measure_quality/app.py"
    spec = importlib.util.spec_from_file_location("measure_quality_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Measurer:
    """Notes the models that were looked at; `fails` raise."""

    def __init__(self, **fails: str) -> None:
        self.seen: list[str] = []
        self.told: list[Any] = []
        self.fails = fails

    def publish(self, name: str, detail: Any) -> None:
        self.told.append((name, detail))

    def measure(self, declaration: Any, contract: Any, now: Any, request_id: str) -> list[Any]:
        self.seen.append(declaration["name"])
        if code := self.fails.get(declaration["name"]):
            raise BoringError(code, "No.", 503)
        return []


def test_all_models_are_looked_at_or_the_one_that_is_named(app: ModuleType) -> None:
    app._measurer = lambda: measurer
    measurer = Measurer()
    assert app.handler({"detail-type": "Scheduled Event"}, CONTEXT) == {"reports": []}
    assert measurer.seen == declarations.models()
    measurer = Measurer()
    event = json.loads((ROOT / "events/monitoring/measure_quality.json").read_text())
    app.handler(event, CONTEXT)
    assert measurer.seen == ["credit"]


def test_a_schedule_asks_for_each_model_in_an_invocation_of_its_own(app: ModuleType) -> None:
    measurer = Measurer()
    app._measurer = lambda: measurer
    assert app.handler({"each": True}, CONTEXT) == {"reports": []}
    assert measurer.seen == []
    assert [detail["models"] for _, detail in measurer.told] == [
        [model] for model in declarations.models()
    ]


def test_a_model_that_fails_keeps_no_other_from_being_looked_at(app: ModuleType) -> None:
    measurer = Measurer(churn="event_refused")
    app._measurer = lambda: measurer
    with pytest.raises(Retryable, match="event_refused"):
        app.handler({}, CONTEXT)
    assert measurer.seen == declarations.models()
    measurer = Measurer(churn="event_refused", credit="event_refused")
    with pytest.raises(ExceptionGroup):
        app.handler({}, CONTEXT)


def test_a_model_that_declares_no_quality_is_passed_over(app: ModuleType) -> None:
    measurer = Measurer(churn="quality_not_measured")
    app._measurer = lambda: measurer
    assert app.handler({}, CONTEXT) == {"reports": []}


def test_a_holdout_that_cannot_be_proved_is_none_and_is_said(
    app: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> bytes:
        raise BoringError("object_missing", f"{name} is not there.", 404)

    version = SimpleNamespace(package_uri="s3://p/x/", package_digest="sha256:0")
    registry = SimpleNamespace(version=lambda model, number: version)
    packages = SimpleNamespace(folder=lambda uri: missing)
    app._packages = lambda: (registry, packages)
    assert app._holdout("credit", 3) is None
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["code"], line["version"]) == ("WARN", "object_missing", 3)


def test_a_holdout_is_what_the_evaluation_says() -> None:
    evaluation = {"holdout_rows": 1000, "positive_share": 0.05, "metrics": {"roc_auc": 0.74}}
    assert Holdout.of(evaluation) == Holdout({"roc_auc": 0.74}, 50, 950)
