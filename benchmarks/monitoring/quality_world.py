"""A world for looks at quality: a real model, real rows that it never saw, labels a week late.

Rows are drawn with replacement from those that training did not get, so a day may have any number
of predictions. In the broken world a share of rows reach the model with some features of another
row, as after a join gone wrong; the share is the one that costs the AUC 5 points.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from boringml.adapters import declarations
from boringml.contract.features import features_of
from boringml.monitoring.quality import Holdout
from boringml.monitoring.quality_metrics import roc_auc
from boringml.package import layout
from container.trainer.score import OnnxScorer
from local.datasets import churn, credit, write

ROOT = Path(__file__).resolve().parents[2]
FALL = 0.05
# How many rows of a share are drawn to find it: the error of an AUC is then below 0.001.
_PROBE = 400_000
_SETS: dict[str, tuple[Callable[[slice], pd.DataFrame], int, tuple[str, ...]]] = {
    # The rows that training gets, and the features that come from another row in the broken world.
    "churn": (churn, 4000, ("tenure", "contract", "total_charges", "internet_service")),
    "credit": (credit, 6000, ("int_rate", "sub_grade", "term")),
}


@dataclass(frozen=True)
class Pool:
    """Rows that training never saw, each with its label and two scores: as it is, and broken."""

    model: str
    labels: Any
    scores: Any
    broken: Any
    holdout: Holdout
    holdout_rows: int
    share: float
    features: tuple[str, ...]

    def auc(self, share: float = 0.0) -> float:
        """Return the AUC of the model, of a stream in which so large a share is broken."""
        random = np.random.default_rng(1)
        rows = random.integers(0, len(self.labels), _PROBE)
        scores = np.where(random.random(_PROBE) < share, self.broken[rows], self.scores[rows])
        return roc_auc(self.labels[rows], scores).value

    def draw(self, random: np.random.Generator, broken: Any) -> tuple[Any, Any]:
        """Return labels and scores of rows; `broken` says of each whether its day is broken."""
        rows = random.integers(0, len(self.labels), len(broken))
        spoilt = broken & (random.random(len(broken)) < self.share)
        return self.labels[rows], np.where(spoilt, self.broken[rows], self.scores[rows])

    def drawn_holdout(self, random: np.random.Generator) -> Holdout:
        """Return the holdout that another training would have had: as many rows, by chance."""
        labels, scores = self.draw(random, np.zeros(self.holdout_rows, bool))
        positives = int(labels.sum())
        value = roc_auc(labels, scores).value
        return Holdout({"roc_auc": value}, positives, len(labels) - positives)


def pool_of(model: str, folder: Path) -> Pool:
    """Return the pool of a model, trained below a new folder by the container's own code."""
    read, trained, features = _SETS[model]
    package = _train(model, read(slice(trained)), folder)
    contract = declarations.contract(model)
    frame = read(slice(trained, None)).reset_index(drop=True)
    score = OnnxScorer((package / layout.ONNX_MODEL).read_bytes(), features_of(contract))
    others = np.random.default_rng(2).permutation(len(frame))
    spoilt = frame.copy()
    for name in features:
        spoilt[name] = frame[name].to_numpy()[others]
    decision = contract["decision"]
    evaluation = json.loads((package / layout.EVALUATION).read_text())
    pool = Pool(
        model=model,
        labels=(frame[decision["target"]] == decision["positive"]).to_numpy().astype(np.int8),
        scores=score(frame),
        broken=score(spoilt),
        holdout=Holdout.of(evaluation),
        holdout_rows=int(evaluation["holdout_rows"]),
        share=0.0,
        features=features,
    )
    return Pool(**{**vars(pool), "share": _share(pool)})


def _share(pool: Pool) -> float:
    """Return the share of broken rows that costs FALL, by bisection."""
    low, high, good = 0.0, 1.0, pool.auc()
    if pool.auc(1.0) > good - FALL:
        raise RuntimeError(f"{pool.features} of {pool.model} are worth less than {FALL}")
    for _ in range(20):
        middle = (low + high) / 2
        if pool.auc(middle) > good - FALL:
            low = middle
        else:
            high = middle
    return high


def _train(model: str, frame: pd.DataFrame, home: Path) -> Path:
    config, data = home / "input" / "config", home / "input" / "data" / "train"
    config.mkdir(parents=True)
    data.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"model": model}))
    write(frame, data / "rows.csv", "csv")
    environment = {"PATH": os.environ["PATH"], "ML_ROOT": str(home)}
    command: Sequence[Any] = [sys.executable, ROOT / "container" / "train"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return home / "model"
