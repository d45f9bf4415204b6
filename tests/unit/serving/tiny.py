"""A package whose model is one line of arithmetic, and the events that ask it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from boringml.contract.contract import Contract
from boringml.package import layout
from boringml.package.manifest import build_manifest, canonical, measure, package_digest

REPOSITORY = Path(__file__).resolve().parents[3]
DOCUMENT: dict[str, Any] = json.loads((REPOSITORY / "models/credit/contract.json").read_text())
CONTRACT = Contract.of(DOCUMENT)
RECORDS: dict[str, dict[str, Any]] = {e["name"]: e["record"] for e in DOCUMENT["examples"]}
RECORD = RECORDS["a typical loan"]


def probability(record: Mapping[str, Any]) -> float:
    """What the tiny model answers: the share of the contract's highest rate."""
    return float(record["int_rate"]) / 40


def onnx_model(width: int | None = None) -> bytes:
    """Return a graph with the tensors of every package, or with fewer numbers than it has."""
    features = CONTRACT.features
    width = len(features.numeric) if width is None else width
    column = features.numeric.index("int_rate")
    constants = {"column": np.array([column]), "one": np.array(1.0), "most": np.array(40.0)}
    nodes = [
        helper.make_node("Gather", ["numeric", "column"], ["rate"], axis=1),
        helper.make_node("Div", ["rate", "most"], ["positive"]),
        helper.make_node("Sub", ["one", "positive"], ["negative"]),
        helper.make_node("Concat", ["negative", "positive"], ["probabilities"], axis=1),
    ]
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            tensor(layout.NUMERIC_INPUT, TensorProto.DOUBLE, [None, width]),
            tensor(layout.CATEGORICAL_INPUT, TensorProto.STRING, [None, len(features.categorical)]),
        ],
        [tensor(layout.PROBABILITIES_OUTPUT, TensorProto.DOUBLE, [None, 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return content


def package(
    model: str = "credit", runtime: str = layout.RUNTIME_ONNX, onnx: bytes | None = None
) -> tuple[dict[str, bytes], str]:
    """Return the files of a package by name, and its digest."""
    files = dict.fromkeys(layout.FILES, b"not used by serving")
    files[layout.ONNX_MODEL] = onnx_model() if onnx is None else onnx
    files[layout.CONTRACT] = json.dumps(DOCUMENT).encode()
    manifest = build_manifest(
        model=model,
        runtime=runtime,
        contract_version=CONTRACT.version,
        files={name: measure(content) for name, content in files.items()},
        libraries={},
        python="3.11",
        git_commit="0" * 40,
        data={},
        seed=1,
        parameters={},
    )
    return {**files, layout.MANIFEST: canonical(manifest)}, package_digest(manifest)


def described(
    *, parameters: dict[str, Any], metrics: dict[str, float], rows: int
) -> tuple[dict[str, bytes], str]:
    """Return the files of a package that tells its training, and its digest."""
    files, _ = package()
    del files[layout.MANIFEST]
    files[layout.EVALUATION] = json.dumps({"metrics": metrics, "holdout_rows": rows // 5}).encode()
    manifest = build_manifest(
        model="credit",
        runtime=layout.RUNTIME_ONNX,
        contract_version=CONTRACT.version,
        files={name: measure(content) for name, content in files.items()},
        libraries={"numpy": "2.4.6"},
        python="3.11.7",
        git_commit="0" * 40,
        data={"digest": f"sha256:{rows:064x}", "rows": rows},
        seed=1,
        parameters=parameters,
    )
    return {**files, layout.MANIFEST: canonical(manifest)}, package_digest(manifest)


def sample(name: str) -> dict[str, Any]:
    """Return an event of events/serving."""
    event: dict[str, Any] = json.loads((REPOSITORY / f"events/serving/{name}.json").read_text())
    return event


def event(body: str, content_type: str | None = "application/json") -> dict[str, Any]:
    """Return an event with this body, and no Content-Type where that is None."""
    made = sample("predict_one")
    made["headers"].pop("Content-Type")
    if content_type is not None:
        made["headers"]["content-type"] = content_type
    return {**made, "body": body}


def bad_body(case: Mapping[str, Any]) -> str:
    """Return the body of one of the contract's bad requests; long ones are told by a rule."""
    if "generate" not in case:
        return str(case["body"])
    count = case["generate"]["count"]
    makers: dict[str, Callable[[], str]] = {
        "repeat": lambda: json.dumps([RECORD] * count),
        "padding": lambda: json.dumps(RECORD).ljust(count),
    }
    return makers[case["generate"]["kind"]]()
