"""Predictions over HTTP against model.joblib, on the whole holdout."""

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from boringml.adapters import declarations
from boringml.adapters.object_store import ObjectStore
from boringml.contract.features import features_of
from boringml.package import layout
from boringml.package.reader import Package
from boringml.training.data_check import checked_table
from boringml.training.data_files import load
from container.trainer.rows import rows_of
from local.datasets import write_credit
from local.predictions import PredictionClient


@dataclass(frozen=True)
class Parity:
    """How far the API is from model.joblib over `rows` held-out rows."""

    model_version: int
    rows: int
    max_difference: float
    flipped_labels: int


def credit_parity(client: PredictionClient, s3: Any, package_uri: str, digest: str) -> Parity:
    """Send every held-out loan to the API, in lists, and compare with the package's pipeline."""
    contract = declarations.contract("credit")
    features = features_of(contract)
    decision = contract["decision"]
    with tempfile.TemporaryDirectory() as folder:
        write_credit(Path(folder) / "all.csv")
        files = load(Path(folder), features, contract["data"]["max_bytes"])
        table = checked_table(files, contract, features)
    rows = rows_of(table, features, decision["target"], decision["positive"])
    _, holdout = rows.split(declarations.declaration("credit")["training"]["holdout"])
    expected = _pipeline(s3, package_uri, digest).predict_proba(holdout.frame)[
        :, layout.POSITIVE_INDEX
    ]
    records = [
        {k: int(v) if k in features.integers else v for k, v in row.items()}
        for row in holdout.frame.to_dict("records")
    ]
    got, labels, version = [], [], 0
    most = contract["limits"]["max_records"]
    for start in range(0, len(records), most):
        answer = client.predict("credit", records[start : start + most])
        if answer.status != 200:
            raise RuntimeError(f"the API answers {answer.status}: {answer.body}")
        version = answer.body["model_version"]
        got += [item["probability"] for item in answer.body["predictions"]]
        labels += [item["prediction"] for item in answer.body["predictions"]]
    wanted = np.where(expected >= decision["threshold"], decision["positive"], decision["negative"])
    return Parity(
        version,
        len(records),
        float(np.abs(np.array(got) - expected).max()),
        int((np.array(labels) != wanted).sum()),
    )


def _pipeline(s3: Any, package_uri: str, digest: str) -> Any:
    store = ObjectStore(s3, package_uri.split("/")[2])
    # joblib is pickle: nothing is loaded that is not what was registered.
    return joblib.load(
        io.BytesIO(Package(store.folder(package_uri), digest).read(layout.JOBLIB_MODEL))
    )
