"""Export a fitted pipeline to ONNX: the same bytes for the same pipeline."""

import numpy as np
import onnx
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, NotImplemented
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from skl2onnx.sklapi import CastTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from boringml.contract.features import Features
from boringml.errors import BoringError
from boringml.package import layout
from container.trainer import imputing
from container.trainer.score import OnnxScorer, Scorer

OPSET = 18

imputing.register()

# These cast their input to float32 themselves, while the converter would compare doubles.
_FLOAT32_INSIDE = (
    DecisionTreeClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)

# What skl2onnx and ONNX Runtime raise for a pipeline that they cannot express.
_CANNOT = (
    MissingConverter,
    MissingShapeCalculator,
    RuntimeError,
    NotImplementedError,
    TypeError,
    ValueError,
    Fail,
    InvalidGraph,
    NotImplemented,
    onnx.checker.ValidationError,
)


def export(pipeline: Pipeline, features: Features, name: str) -> tuple[bytes, Scorer]:
    """Return the content of model.onnx and a scorer that runs it.

    Inputs and outputs are those of boringml.package.layout. Raises BoringError `export_failed`.
    """
    try:
        content = _to_onnx(pipeline, features, name)
        return content, OnnxScorer(content, features)
    except _CANNOT as error:
        reason = " ".join(str(error).split())[:300]
        raise BoringError("export_failed", f"The pipeline has no ONNX form: {reason}") from error


def _to_onnx(pipeline: Pipeline, features: Features, name: str) -> bytes:
    types = [
        (layout.NUMERIC_INPUT, DoubleTensorType([None, len(features.numeric)])),
        (layout.CATEGORICAL_INPUT, StringTensorType([None, len(features.categorical)])),
        (layout.TEXT_INPUT, StringTensorType([None, len(features.text)])),
    ]
    proto = to_onnx(
        _with_cast(pipeline),
        initial_types=[(name, kind) for name, kind in types if kind.shape[1]],
        options={"zipmap": False},
        target_opset=OPSET,
    )
    # The converter numbers graphs and writes its own name here; the model's name says more.
    proto.graph.name = name
    proto.doc_string = ""
    # The converter lists these in the order of a set, which differs from process to process.
    opsets = sorted((opset.domain, opset.version) for opset in proto.opset_import)
    del proto.opset_import[:]
    proto.opset_import.extend(onnx.helper.make_opsetid(*opset) for opset in opsets)
    onnx.checker.check_model(proto)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _with_cast(pipeline: Pipeline) -> Pipeline:
    """The same pipeline with the cast that the last step makes by itself written as a step.

    It is added here and not in train.py, so that model.joblib needs scikit-learn alone.
    """
    *before, (name, last) = pipeline.steps
    if not isinstance(last, _FLOAT32_INSIDE):
        return pipeline
    return Pipeline([*before, ("cast", CastTransformer(dtype=np.float32)), (name, last)])
