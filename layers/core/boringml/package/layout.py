"""Names inside a model package, and of the tensors inside model.onnx."""

from typing import Final

ONNX_MODEL: Final = "model.onnx"
JOBLIB_MODEL: Final = "model.joblib"
CONTRACT: Final = "contract.json"
BASELINE: Final = "baseline.json"
EVALUATION: Final = "evaluation.json"
GOLDEN: Final = "golden.json"
CARD: Final = "card.md"
MANIFEST: Final = "manifest.json"

# model.onnx is listed here although a model of the sklearn runtime may have no export at all:
# `required_files` is what to ask.
FILES: Final = (ONNX_MODEL, JOBLIB_MODEL, CONTRACT, BASELINE, EVALUATION, GOLDEN, CARD)

RUNTIME_ONNX: Final = "onnx"
RUNTIME_SKLEARN: Final = "sklearn"
RUNTIMES: Final = (RUNTIME_ONNX, RUNTIME_SKLEARN)

# model.onnx: inputs `numeric` double [N, k], `categorical` string [N, m] and `text` string [N, t],
# each in the order of the contract's properties; output `probabilities` float [N, 2]. A model
# without features of one kind has no such input.
NUMERIC_INPUT: Final = "numeric"
CATEGORICAL_INPUT: Final = "categorical"
TEXT_INPUT: Final = "text"
PROBABILITIES_OUTPUT: Final = "probabilities"
# Labels are trained as 0 = decision.negative, 1 = decision.positive, so P(positive) is column 1
# of every model's probabilities, whatever the two labels are called.
POSITIVE_INDEX: Final = 1


def required_files(runtime: str) -> tuple[str, ...]:
    """Return the files that a package of this runtime must hold, beside its manifest."""
    return FILES if runtime == RUNTIME_ONNX else tuple(f for f in FILES if f != ONNX_MODEL)
