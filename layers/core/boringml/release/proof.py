"""What a model without a function shows before batches may ask it: its golden answers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from boringml.errors import BoringError
from boringml.serving.decoder import Record
from boringml.serving.served_model import ServedModel


def golden_answers(model: ServedModel, golden: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return {"examples", "largest_difference"} of a model that answers as its package promises.

    Raises BoringError `proof_failed` (422), telling which examples came out otherwise; a package
    without golden examples is refused, since nothing was shown.
    """
    problems, largest = [], 0.0
    for case in golden:
        difference, problem = _shown(model, case)
        largest = max(largest, difference)
        problems += problem
    if not golden:
        problems.append("the package has no golden examples")
    if problems:
        raise BoringError("proof_failed", "; ".join(problems)[:900], 422)
    return {"examples": len(golden), "largest_difference": largest}


def _shown(model: ServedModel, case: Mapping[str, Any]) -> tuple[float, list[str]]:
    """Return how far the probability is from the promised one, and what is wrong with it."""
    try:
        record = model.decoder.decode(json.dumps(case["record"]).encode())
        (probability,) = model.predict([record] if isinstance(record, Record) else record)
    except (BoringError, ValueError) as error:
        return 1.0, [f"{case['name']}: {error}"]
    difference = abs(probability - case["probability"])
    label = model.label(probability)
    if label == case["prediction"] and difference <= case["tolerance"]:
        return difference, []
    told = f"{case['name']}: {label} {probability:.6f} instead of {case['prediction']}"
    return difference, [f"{told} {case['probability']:.6f}"]
