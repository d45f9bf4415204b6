"""What every peer shares: the package, the order of its columns, and the type of a request."""

import json
import os
from pathlib import Path
from typing import Any

PACKAGE = Path(os.environ["PACKAGE"])
CONTRACT = json.loads((PACKAGE / "contract.json").read_text())
_RULES = CONTRACT["request"]["properties"]
_KINDS = {"integer": int, "number": float, "string": str}
NUMERIC = [name for name, rule in _RULES.items() if rule["type"] != "string"]
CATEGORICAL = [name for name, rule in _RULES.items() if rule["type"] == "string"]
# A frame has the numeric columns first, as in training.
COLUMNS = [*NUMERIC, *CATEGORICAL]


def pipeline() -> Any:
    """Return the scikit-learn pipeline of the package."""
    import joblib

    return joblib.load(PACKAGE / "model.joblib")


def record_type() -> Any:
    """Return pydantic's model of one request, with the bounds of the contract."""
    from pydantic import Field, create_model

    fields: dict[str, Any] = {
        name: (_KINDS[rule["type"]], Field(ge=rule.get("minimum"), le=rule.get("maximum")))
        if rule["type"] != "string"
        else (str, ...)
        for name, rule in _RULES.items()
    }
    return create_model("Record", **fields)


def told(probability: float) -> dict[str, Any]:
    """Return the answer to one request."""
    label = "bad" if probability >= CONTRACT["decision"]["threshold"] else "good"
    return {"prediction": label, "probability": float(probability)}
