"""The gates that a package must pass before it is registered."""

from collections.abc import Mapping
from typing import Any

from boringml.errors import BoringError
from boringml.package.layout import RUNTIME_ONNX, RUNTIME_SKLEARN

# Of the metrics that a model may be held to, the others are losses.
_MORE_IS_BETTER = frozenset({"roc_auc"})


def judge(
    evaluation: Mapping[str, Any],
    gates: Mapping[str, Any],
    runtime: str,
    serving_runtime: str = RUNTIME_ONNX,
) -> list[str]:
    """Return, in words, each gate that was passed.

    `runtime` is the package's; `serving_runtime` is that of the function which is to serve it. One
    that has scikit-learn serves model.joblib itself, which needs no faithful export.

    Raises BoringError `parity_failed` or `quality_gate_failed`, whose message tells every gate
    that was missed. Metrics that are not there are a failure, never a pass.
    """
    passed, missed = _parity(evaluation["parity"], gates["parity"], runtime, serving_runtime)
    if missed:
        raise BoringError("parity_failed", "; ".join(missed), 422)
    metrics = evaluation["metrics"]
    for name, low in (("roc_auc", True), ("log_loss", False)):
        bound = gates[f"{name}_min" if low else f"{name}_max"]
        value = metrics.get(name)
        good = value is not None and (value >= bound if low else value <= bound)
        told = f"{name} {_number(value)} against {'at least' if low else 'at most'} {bound}"
        (passed if good else missed).append(told)
    _compare_with_live(evaluation, gates["not_worse_than_live"], passed, missed)
    if missed:
        raise BoringError("quality_gate_failed", "; ".join(missed), 422)
    return passed


def _parity(
    found: Mapping[str, Any], gate: Mapping[str, Any], runtime: str, serving_runtime: str
) -> tuple[list[str], list[str]]:
    difference, flipped = found.get("max_difference"), found.get("flipped_labels")
    # There is nothing to compare where no ONNX model was made.
    compared = (
        "not compared"
        if difference is None and flipped is None
        else f"largest difference {_number(difference)}, flipped labels {flipped}"
    )
    told = f"parity: {compared}, runtime {runtime}"
    if serving_runtime == RUNTIME_SKLEARN:
        return [f"{told}: model.joblib itself serves"], []
    good = (
        runtime == RUNTIME_ONNX
        and difference is not None
        and difference <= gate["max_difference"]
        and flipped is not None
        and flipped <= gate["flipped_labels"]
    )
    return ([told], []) if good else ([], [f"{told}: the export is not faithful"])


def _compare_with_live(
    evaluation: Mapping[str, Any], gate: Mapping[str, Any], passed: list[str], missed: list[str]
) -> None:
    live = evaluation.get("live")
    name = gate["metric"]
    if live is None:
        passed.append("no live version to compare with")
        return
    if not live.get("metrics"):
        # A new major contract: the old model cannot read the new rows. The absolute gates hold.
        passed.append(f"live is not comparable: {live.get('reason')}")
        return
    new, old = evaluation["metrics"].get(name), live["metrics"].get(name)
    if new is None or old is None:
        missed.append(f"{name} {new} against live {old}: it was not measured for both")
        return
    told = f"{name} {new:.4f} against live {old:.4f}, tolerance {gate['tolerance']}"
    loss = old - new if name in _MORE_IS_BETTER else new - old
    (passed if loss <= gate["tolerance"] else missed).append(told)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
