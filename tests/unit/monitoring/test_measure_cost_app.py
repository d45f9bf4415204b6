"""The function looks at what every model costs, whatever becomes of one of them."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.steps import Refused

ROOT = Path(__file__).parents[3]
CONTEXT = SimpleNamespace(aws_request_id="i-1")
SERVED = {
    "credit": {"function": "f-credit", "log_group": "l", "route": "/c"},
    "reviews": {"function": "f-reviews", "log_group": "l", "route": "/r", "queue": "q"},
}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = ROOT / "functions/monitoring/measure_cost/app.py"
    spec = importlib.util.spec_from_file_location("measure_cost_app", path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    environment = dict.fromkeys(module.Settings.__dataclass_fields__, "x")
    environment |= {"served_models": json.dumps(SERVED), "log_retention_days": "3"}
    for name, value in environment.items():
        monkeypatch.setenv(name.upper(), value)
    module.boto3 = SimpleNamespace(client=lambda _name: None)
    module.UsageMetrics = lambda *_: SimpleNamespace(hours=lambda *_: {}, table_hours=lambda *_: {})
    module.BilledThings = lambda *_: SimpleNamespace(fixed=lambda *_: None)
    module.ServingFunction = lambda *_: SimpleNamespace(size=lambda _alias: (512, "arm64"))
    module.looked = []
    monkeypatch.setattr(
        module,
        "measure_cost",
        lambda model, *_, **__: module.looked.append(model) or SimpleNamespace(status="fine"),
    )
    return module


def test_all_models_are_looked_at(app: ModuleType) -> None:
    told = app.handler({}, CONTEXT)
    assert told["looks"] == dict.fromkeys(["churn", "credit", "reviews"], "fine")


def test_a_function_that_is_gone_keeps_no_other_from_being_looked_at(app: ModuleType) -> None:
    def size(function: str) -> Any:
        if function == "f-credit":
            raise BoringError("function_missing", "It is gone.", 404)
        return SimpleNamespace(size=lambda _alias: (512, "arm64"))

    app.ServingFunction = lambda _client, function: size(function)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match=r"1 of 3 looks: credit: .*It is gone"):
        app.handler({}, CONTEXT)
    assert app.looked == ["churn", "reviews"]


def test_without_the_table_that_jobs_share_models_without_jobs_are_looked_at(
    app: ModuleType,
) -> None:
    def refuse(*_: Any) -> Any:
        raise BoringError("metrics_forbidden", "CloudWatch may not tell.", 403)

    app.UsageMetrics = lambda *_: SimpleNamespace(  # type: ignore[attr-defined]
        hours=lambda *_: {}, table_hours=refuse
    )
    with pytest.raises(Refused, match="1 of 3 looks: reviews"):
        app.handler({}, CONTEXT)
    assert app.looked == ["churn", "credit"]
