"""SimpleImputer in ONNX over doubles, which the converter's own form does not have.

skl2onnx writes the operator Imputer (ai.onnx.ml), whose values are float32 and of which ONNX
Runtime has no kernel for doubles. Where(IsNaN(x), value, x) has one, and changes no other number.
"""

from typing import Any

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxIsNaN, OnnxWhere
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.impute import SimpleImputer


def register() -> None:
    """Make every export of this process use this form."""
    update_registered_converter(SimpleImputer, "BoringmlSimpleImputer", _shape, _convert)


def _shape(operator: Any) -> None:
    imputer = operator.raw_operator
    (given,) = operator.inputs
    values = imputer.statistics_
    if not isinstance(given.type, DoubleTensorType) or not np.isnan(imputer.missing_values):
        raise NotImplementedError("a SimpleImputer of anything but numbers where they are NaN")
    if imputer.indicator_ is not None or np.isnan(values.astype(np.float64)).any():
        raise NotImplementedError("a SimpleImputer that adds or drops columns")
    operator.outputs[0].type = DoubleTensorType([None, len(values)])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    values = operator.raw_operator.statistics_.astype(np.float64).reshape(1, -1)
    given, opset = operator.inputs[0], container.target_opset
    missing = OnnxIsNaN(given, op_version=opset)
    filled = OnnxWhere(missing, values, given, op_version=opset, output_names=operator.outputs[:1])
    filled.add_to(scope, container)
