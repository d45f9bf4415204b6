"""Versions that are bad on purpose, each in a way that another step of a release must catch.

Each is a package of its own, with a manifest that is true: its model.onnx is that of a good version
with one fault built into the graph. Nothing but its behaviour gives it away.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from boringml.adapters.registry_table import RegistryTable
from boringml.contract.features import features_of
from boringml.package import layout
from boringml.package.manifest import canonical, measure, package_digest
from boringml.registry.records import ModelVersion, NewVersion

# About one loan in eight has a larger income. It is a sensitive field: it never reaches the log, so
# a shadow cannot see what depends on it. The contract's examples are below it, so smoke cannot.
THROWS_ABOVE_INCOME: Final = 120_000.0
# How many times its budget the version that is slow takes, on whatever processor.
TIMES_ITS_BUDGET: Final = 3
_MEASURED_ORDER: Final = 1024
_GOOD_OUTPUT = "good_probabilities"


@dataclass(frozen=True)
class Fault:
    """A way to be bad: what is done to the graph and to the golden requests, and who catches it.

    `code` and `words` are what the refusal has to say: that it was caught for what is bad about it.
    `reads` is the numeric field that `nodes` gets the column of, where it needs one.
    """

    name: str
    says: str
    caught_by: str
    code: str
    words: str
    nodes: Callable[[int], list[Any]]
    constants: tuple[Any, ...]
    golden: Callable[[dict[str, Any]], dict[str, Any]] = dict
    reads: str | None = None


def _slow(_column: int) -> list[Any]:
    output = layout.PROBABILITIES_OUTPUT
    return [
        # Of the input, so that nothing of it can be computed once and for all.
        helper.make_node("ReduceSum", [_GOOD_OUTPUT], ["sum"], keepdims=0),
        helper.make_node("Expand", ["sum", "square"], ["matrix"]),
        helper.make_node("MatMul", ["matrix", "matrix"], ["product"]),
        helper.make_node("ReduceMin", ["product"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "zero"], ["nothing"]),
        helper.make_node("Add", [_GOOD_OUTPUT, "nothing"], [output]),
    ]


def _wrong(_column: int) -> list[Any]:
    return [
        helper.make_node("Gather", [_GOOD_OUTPUT, "swapped"], [layout.PROBABILITIES_OUTPUT], axis=1)
    ]


def _throws(column: int) -> list[Any]:
    return [
        helper.make_node("Gather", [layout.NUMERIC_INPUT, f"column_{column}"], ["income"], axis=1),
        helper.make_node("Greater", ["income", "limit"], ["rich"]),
        helper.make_node("Cast", ["rich"], ["row"], to=TensorProto.INT64),
        # There is row 0 alone: an index of 1 is an error at run time.
        helper.make_node("Gather", ["table", "row"], ["nothing"], axis=0),
        helper.make_node("Add", [_GOOD_OUTPUT, "nothing"], [layout.PROBABILITIES_OUTPUT]),
    ]


def _swapped_golden(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "probability": 1 - case["probability"]}


def slow(budget_ms: float) -> Fault:
    """Return the fault of an answer that takes TIMES_ITS_BUDGET of a core of this machine."""
    order = order_that_takes(budget_ms * TIMES_ITS_BUDGET, _measured_ms())
    return Fault(
        "slow",
        "answers right, but too late",
        "smoke",
        "smoke_failed",
        "p95 of",
        _slow,
        _matrices(order),
    )


def order_that_takes(milliseconds: float, measured_ms: float) -> int:
    """Return the order of two matrices whose product takes so long.

    `measured_ms` is what that of _MEASURED_ORDER takes; the work grows with the third power.
    """
    return round(_MEASURED_ORDER * (milliseconds / measured_ms) ** (1 / 3))


def _matrices(order: int) -> tuple[Any, ...]:
    return (
        helper.make_tensor("square", TensorProto.INT64, [2], [order, order]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
    )


def _measured_ms() -> float:
    """Return the least processor time of several products, so that other work does not count."""
    probabilities = helper.make_tensor_value_info(_GOOD_OUTPUT, TensorProto.FLOAT, [1, 2])
    slowed = helper.make_tensor_value_info(layout.PROBABILITIES_OUTPUT, TensorProto.FLOAT, [1, 2])
    graph = helper.make_graph(
        _slow(0), "slow", [probabilities], [slowed], list(_matrices(_MEASURED_ORDER))
    )
    # A release of ONNX may write a newer form than the runtime reads.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    # As in serving/model.py; and the time of this thread is then the time of all of it.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    times = []
    for _ in range(5):
        begin = time.thread_time()
        session.run(None, {_GOOD_OUTPUT: np.array([[0.4, 0.6]], dtype=np.float32)})
        times.append((time.thread_time() - begin) * 1000)
    return min(times)


WRONG = Fault(
    "wrong",
    "answers in time, with the probability of the other label",
    "shadow",
    "shadow_failed",
    "labels differ",
    _wrong,
    (helper.make_tensor("swapped", TensorProto.INT64, [2], [1, 0]),),
    _swapped_golden,
)
THROWS = Fault(
    "throws",
    f"fails where annual_inc is above {THROWS_ABOVE_INCOME:,.0f}",
    "canary",
    "canary_harm",
    "failures:",
    _throws,
    (
        helper.make_tensor("limit", TensorProto.DOUBLE, [1], [THROWS_ABOVE_INCOME]),
        helper.make_tensor("table", TensorProto.FLOAT, [1], [0.0]),
    ),
    reads="annual_inc",
)


def faults(budget_ms: float) -> tuple[Fault, ...]:
    """Return each fault, for a model whose p95 may take `budget_ms`."""
    return (slow(budget_ms), WRONG, THROWS)


def register_bad_version(s3: Any, registry: RegistryTable, good: ModelVersion, fault: Fault) -> int:
    """Register a copy of the version `good` with a fault; return its number."""
    bucket, _, prefix = good.package_uri.removeprefix("s3://").partition("/")
    folder = f"packages/{good.model}/{fault.name}-{good.number}/"
    files = {
        item["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=item["Key"])[
            "Body"
        ].read()
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    }
    contract = json.loads(files[layout.CONTRACT])
    files[layout.ONNX_MODEL] = with_fault(files[layout.ONNX_MODEL], contract, fault)
    golden = [fault.golden(case) for case in json.loads(files[layout.GOLDEN])]
    files[layout.GOLDEN] = json.dumps(_labelled(golden, contract)).encode()
    manifest = json.loads(files.pop(layout.MANIFEST))
    manifest["files"] = {name: measure(content) for name, content in files.items()}
    for name, content in {**files, layout.MANIFEST: canonical(manifest)}.items():
        s3.put_object(Bucket=bucket, Key=folder + name, Body=content)
    facts = {name: getattr(good, name) for name in NewVersion.__dataclass_fields__}
    facts |= {
        "package_uri": f"s3://{bucket}/{folder}",
        "package_digest": package_digest(manifest),
    }
    why = f"bad on purpose: {fault.says}"
    return registry.register_version(NewVersion(**facts), by="demo", why=why).number


def with_fault(content: bytes, contract: dict[str, Any], fault: Fault) -> bytes:
    """Return a model.onnx with a fault behind its probabilities."""
    model = onnx.load_from_string(content)
    for node in model.graph.node:
        for index, name in enumerate(node.output):
            if name == layout.PROBABILITIES_OUTPUT:
                node.output[index] = _GOOD_OUTPUT
    column = features_of(contract).numeric.index(fault.reads) if fault.reads else 0
    index = helper.make_tensor(f"column_{column}", TensorProto.INT64, [1], [column])
    model.graph.initializer.extend([*fault.constants, index])
    model.graph.node.extend(fault.nodes(column))
    return model.SerializeToString()


def _labelled(golden: list[dict[str, Any]], contract: dict[str, Any]) -> list[dict[str, Any]]:
    decision = contract["decision"]
    return [
        {
            **case,
            "prediction": decision[
                "positive" if case["probability"] >= decision["threshold"] else "negative"
            ],
        }
        for case in golden
    ]
