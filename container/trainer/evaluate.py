"""How good a model is on rows it has not learned from, and how faithful its export."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    brier_score_loss,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from container.trainer.score import Scores


def metrics(labels: NDArray[np.int64], scores: Scores, threshold: float) -> dict[str, float]:
    """Return roc_auc, log_loss, brier, and precision and recall of `score >= threshold`.

    Precision is 0 when no row is predicted positive.
    """
    predicted = scores >= threshold
    return {
        "roc_auc": float(roc_auc_score(labels, scores)),
        "log_loss": float(log_loss(labels, scores, labels=[0, 1])),
        "brier": float(brier_score_loss(labels, scores)),
        "precision": float(precision_score(labels, predicted, zero_division=0.0)),
        "recall": float(recall_score(labels, predicted)),
        "threshold": threshold,
    }


def parity(
    reference: Scores, exported: Scores, threshold: float, max_difference: float
) -> dict[str, Any]:
    """Compare model.onnx with model.joblib on real rows.

    Returns rows, the largest difference, the labels that differ, and the rows that are off by more
    than `max_difference`. Real rows, since their values sit on the thresholds of the trees, where
    rounding shows; random ones hide it.
    """
    differences = np.abs(reference - exported)
    return {
        "rows": len(reference),
        "max_difference": float(differences.max(initial=0.0)),
        "flipped_labels": int(((reference >= threshold) != (exported >= threshold)).sum()),
        "rows_off": int((differences > max_difference).sum()),
    }


def is_faithful(found: dict[str, Any], gate: dict[str, Any]) -> bool:
    """Return whether a parity meets the model's gate: largest difference and flipped labels."""
    return bool(
        found["max_difference"] <= gate["max_difference"]
        and found["flipped_labels"] <= gate["flipped_labels"]
    )
