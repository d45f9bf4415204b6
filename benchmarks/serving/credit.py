"""The model under test, credit: trained by the container's own code on the real loans."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from boringml.package import layout
from boringml.package.manifest import package_digest
from boringml.serving.model import Model, load_model
from local.datasets import credit_records, write_credit

ROOT = Path(__file__).resolve().parents[2]
NAME, VERSION = "credit", 3
OUTPUTS = [layout.PROBABILITIES_OUTPUT]


def train(home: Path) -> Path:
    """Train credit on all loans below `home`, if that has not been done; return the package."""
    package = home / "model"
    if (package / layout.MANIFEST).exists():
        return package
    config = home / "input" / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "hyperparameters.json").write_text(json.dumps({"model": NAME}))
    write_credit(home / "input" / "data" / "train" / "loans.csv")
    environment = {"PATH": os.environ["PATH"], "ML_ROOT": str(home)}
    subprocess.run(
        [sys.executable, ROOT / "container" / "train"],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return package


def digest_of(package: Path) -> str:
    """Return the digest that names a package."""
    return package_digest(json.loads((package / layout.MANIFEST).read_text()))


def model_of(package: Path) -> Model:
    """Return the served model of a package on disk."""
    return load_model(lambda name: (package / name).read_bytes(), NAME, digest_of(package), VERSION)


def function_settings(package: Path) -> dict[str, str]:
    """Return the variables of a function that serves a package out of a bucket of `store`."""
    return {
        "MODEL_NAME": NAME,
        "MODEL_VERSION": str(VERSION),
        "MODEL_PACKAGE": "s3://b/p/",
        "MODEL_DIGEST": digest_of(package),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_REGION": "eu-west-1",
    }


def records(count: int) -> list[dict[str, Any]]:
    """Return the first loans as requests."""
    return credit_records(slice(0, count))


def event(body: Any) -> dict[str, Any]:
    """Return API Gateway's event of a request with this body."""
    sample = json.loads((ROOT / "events" / "serving" / "predict_one.json").read_text())
    return {**sample, "body": json.dumps(body)}


def tensors(model: Model, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what `session.run` is given for these requests."""
    features = model.contract.features
    return {
        layout.NUMERIC_INPUT: np.array(
            [[row[name] for name in features.numeric] for row in rows], np.float64
        ),
        layout.CATEGORICAL_INPUT: np.array(
            [[row[name] for name in features.categorical] for row in rows], object
        ),
    }
