"""model.onnx with the categories of rows as numbers in place of their texts.

A batch knows each category by its place in the contract's list. Text costs a model that only
one-hots it a fifth of its time: made, copied, hashed, freed, per row and field. So where a graph
does no more with `categorical` than take one column and one-hot it, that is rewritten to look for
the places; the answers are the same to the last bit. Any other graph is left alone.

Of ONNX's messages only the fields that are looked at are declared here (onnx.proto, IR version 10);
protobuf keeps and writes back those it does not know, so nothing else of the model changes.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from boringml.batch.categories import MISSING
from boringml.package.layout import CATEGORICAL_INPUT

_INT64 = 7  # TensorProto.DataType
_INTS, _GRAPHS = 7, (5, 10)  # AttributeProto.AttributeType
_MESSAGES = {
    "Model": {"graph": (7, "Graph")},
    "Graph": {
        "node": (1, "Node*"),
        "initializer": (5, "Tensor*"),
        "input": (11, "Value*"),
        "value_info": (13, "Value*"),
    },
    "Node": {
        "input": (1, "string*"),
        "output": (2, "string*"),
        "op_type": (4, "string"),
        "attribute": (5, "Attribute*"),
    },
    "Attribute": {
        "name": (1, "string"),
        "i": (3, "int64"),
        "ints": (8, "int64*"),
        "strings": (9, "bytes*"),
        "type": (20, "int32"),
    },
    "Tensor": {
        "dims": (1, "int64*"),
        "data_type": (2, "int32"),
        "int64_data": (7, "int64*"),
        "name": (8, "string"),
        "raw_data": (9, "bytes"),
    },
    "Value": {"name": (1, "string"), "type": (2, "Type")},
    "Type": {"tensor_type": (1, "TensorType")},
    "TensorType": {"elem_type": (1, "int32")},
}


def coded(onnx: bytes, categories: Sequence[Sequence[str]]) -> bytes | None:
    """Return the model with `categorical` as int64 places; None where it is not made so.

    `categories` has the contract's list of each categorical field, in the order of the columns.
    """
    model = _message("Model")()
    model.ParseFromString(onnx)
    graph = model.graph
    columns = _columns(graph)
    if columns is None:
        return None
    for encoder, column in columns:
        places = {text.encode(): place for place, text in enumerate(categories[column])}
        _count(encoder, places)
    for value in graph.input:
        if value.name == CATEGORICAL_INPUT:
            value.type.tensor_type.elem_type = _INT64
    # Types of what is between nodes are there to be read, and those of texts are wrong now.
    del graph.value_info[:]
    return bytes(model.SerializeToString())


def _columns(graph: Any) -> list[tuple[Any, int]] | None:
    """Return each encoder with the number of its column, if texts go nowhere else."""
    found = []
    if any(attribute.type in _GRAPHS for node in graph.node for attribute in node.attribute):
        return None  # a graph within may use any name of this one
    users = _users(graph)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for gather in users.get(CATEGORICAL_INPUT, []):
        column = _column(gather, constants)
        next_ = users.get(gather.output[0], [])
        if column is None or len(next_) != 1 or _strings(next_[0]) is None:
            return None
        found.append((next_[0], column))
    return found or None


def _users(graph: Any) -> dict[str, list[Any]]:
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    return users


def _column(node: Any, constants: dict[str, Any]) -> int | None:
    """Return the one column that a Gather takes of a matrix."""
    axis = [attribute.i for attribute in node.attribute if attribute.name == "axis"]
    if node.op_type != "Gather" or axis != [1] or node.input[1] not in constants:
        return None
    tensor = constants[node.input[1]]
    raw = np.frombuffer(tensor.raw_data, "<i8").tolist() if tensor.data_type == _INT64 else []
    indices = list(tensor.int64_data) or raw
    return indices[0] if len(indices) == 1 else None


def _strings(node: Any) -> Any:
    """Return the attribute of a OneHotEncoder that lists its texts."""
    if node.op_type != "OneHotEncoder":
        return None
    found = [attribute for attribute in node.attribute if attribute.name == "cats_strings"]
    return found[0] if found else None


def _count(encoder: Any, places: dict[bytes, int]) -> None:
    """Make an encoder look for places. A text that no row can have gets one that none has."""
    attribute = _strings(encoder)
    texts = list(attribute.strings)
    attribute.name, attribute.type = "cats_int64s", _INTS
    attribute.ints.extend(
        places.get(text, MISSING if text == b"" else MISSING - 1 - number)
        for number, text in enumerate(texts)
    )
    del attribute.strings[:]


@cache
def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"boringml.onnx.{name}"))


@cache
def _pool() -> Any:
    field = descriptor_pb2.FieldDescriptorProto
    scalars = {
        "string": field.TYPE_STRING,
        "bytes": field.TYPE_BYTES,
        "int32": field.TYPE_INT32,
        "int64": field.TYPE_INT64,
    }
    file = descriptor_pb2.FileDescriptorProto(
        name="boringml/onnx.proto", package="boringml.onnx", syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            added = message.field.add(name=field_name, number=number)
            added.label = field.LABEL_REPEATED if kind.endswith("*") else field.LABEL_OPTIONAL
            plain = kind.rstrip("*")
            added.type = scalars.get(plain, field.TYPE_MESSAGE)
            if plain not in scalars:
                added.type_name = f".boringml.onnx.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool
