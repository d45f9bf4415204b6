"""A package in memory: proved, then used."""

import json
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.package import layout
from boringml.serving.decoder import Record
from boringml.serving.model import Model, load_model
from tests.unit.serving import tiny


def predict(model: Model, *rates: float) -> list[float]:
    records = model.decoder.decode(
        json.dumps([{**tiny.RECORD, "int_rate": rate} for rate in rates]).encode()
    )
    assert isinstance(records, list)
    return model.predict(records)


def refusal(name: str, files: dict[str, bytes], digest: str) -> BoringError:
    with pytest.raises(BoringError) as caught:
        load_model(files.__getitem__, name, digest, 3)
    return caught.value


@pytest.mark.parametrize("name", [layout.ONNX_MODEL, layout.CONTRACT])
def test_one_changed_byte_keeps_a_model_from_loading(name: str) -> None:
    files, digest = tiny.package()
    files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])
    refused = refusal("credit", files, digest)
    assert (refused.code, refused.details["file"]) == ("digest_mismatch", name)


def test_another_package_than_the_released_one_is_refused() -> None:
    files, _ = tiny.package()
    assert refusal("credit", files, "sha256:" + "0" * 64).code == "digest_mismatch"


def test_a_package_without_a_registered_digest_is_refused() -> None:
    files, _ = tiny.package()
    assert refusal("credit", files, "").code == "digest_mismatch"


def test_nothing_is_used_before_it_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    files, digest = tiny.package()
    files[layout.ONNX_MODEL] += b" "

    def never(*_: Any) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr("onnxruntime.InferenceSession", never)
    assert refusal("credit", files, digest).code == "digest_mismatch"


def test_a_package_of_another_model_is_refused() -> None:
    assert refusal("credit", *tiny.package(model="churn")).code == "package_wrong_model"


def test_a_package_of_another_runtime_is_refused() -> None:
    refused = refusal("credit", *tiny.package(runtime=layout.RUNTIME_SKLEARN))
    assert refused.code == "runtime_not_supported"


def test_a_model_that_does_not_fit_its_contract_does_not_load() -> None:
    files, digest = tiny.package(onnx=tiny.onnx_model(width=3))
    with pytest.raises(Exception, match="numeric"):
        load_model(files.__getitem__, "credit", digest, 3)


def test_the_threshold_itself_is_positive(model: Model) -> None:
    # 4 / 40 is exactly the contract's 0.1.
    assert [model.label(p) for p in predict(model, 3.99, 4)] == ["good", "bad"]


def test_the_used_again_buffers_keep_nothing_of_the_record_before(model: Model) -> None:
    alone = [predict(model, rate)[0] for rate in (5, 9, 5)]
    assert alone == predict(model, 5, 9, 5) == [5 / 40, 9 / 40, 5 / 40]


def test_the_longest_list_is_predicted(model: Model) -> None:
    rates = [float(rate) / 4 for rate in range(model.contract.max_records)]
    assert predict(model, *rates) == [rate / 40 for rate in rates]


@pytest.mark.parametrize(("raw", "expected"), [(-1e-7, 0.0), (1 + 1e-7, 1.0), (0.25, 0.25)])
def test_rounding_beyond_0_and_1_is_taken_off(
    model: Model, monkeypatch: pytest.MonkeyPatch, raw: float, expected: float
) -> None:
    monkeypatch.setattr(model, "_run", lambda *_: [np.array([[1 - raw, raw]])])
    assert predict(model, 1) == [expected]


@pytest.mark.parametrize("raw", [float("nan"), float("inf"), -0.1, 1.1])
def test_what_is_no_probability_is_never_answered(
    model: Model, monkeypatch: pytest.MonkeyPatch, raw: float
) -> None:
    monkeypatch.setattr(model, "_run", lambda *_: [np.array([[0.0, raw]])])
    with pytest.raises(ValueError, match="no probability"):
        predict(model, 1)


def test_a_model_gets_the_features_in_the_order_of_the_contract(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def run(_outputs: Any, inputs: dict[str, Any], _options: Any) -> list[Any]:
        given.update({name: tensor.copy() for name, tensor in inputs.items()})
        return [np.array([[0.5, 0.5]])]

    monkeypatch.setattr(model, "_run", run)
    predict(model, 7)
    record, features = {**tiny.RECORD, "int_rate": 7}, tiny.CONTRACT.features
    assert given["numeric"].dtype == np.float64
    assert given["numeric"].tolist() == [[float(record[n]) for n in features.numeric]]
    assert given["categorical"].tolist() == [[record[n] for n in features.categorical]]


@pytest.mark.parametrize("how", ["null", "absent"])
def test_null_and_absent_are_nan_and_empty_text(how: str) -> None:
    document = json.loads(json.dumps(tiny.DOCUMENT))
    record = dict(tiny.RECORD)
    for name in ("annual_inc", "term"):
        if how == "null":
            document["request"]["properties"][name]["nullable"] = True
            record[name] = None
        else:
            document["request"]["required"].remove(name)
            del record[name]
    model = Model(Contract.of(document), tiny.onnx_model(), 1)
    decoded = model.decoder.decode(json.dumps(record).encode())
    assert isinstance(decoded, Record)
    model.predict([decoded])
    features = model.contract.features
    numbers = dict(zip(features.numeric, model._numeric[0].tolist(), strict=True))
    texts = dict(zip(features.categorical, model._strings[0].tolist(), strict=True))
    assert {name for name, value in numbers.items() if np.isnan(value)} == {"annual_inc"}
    assert {name for name, value in texts.items() if value == ""} == {"term"}


@pytest.mark.parametrize("kind", ["number", "string"])
def test_a_model_may_have_features_of_one_kind(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(json.dumps(tiny.DOCUMENT))
    properties = document["request"]["properties"]
    kept = {
        name: rule
        for name, rule in properties.items()
        if (rule["type"] == "string") == (kind == "string")
    }
    document["request"] |= {"properties": kept, "required": list(kept)}
    model = Model(Contract.of(document), tiny.onnx_model(), 1)
    given: list[str] = []

    def run(_outputs: Any, inputs: dict[str, Any], _options: Any) -> list[Any]:
        given.extend(inputs)
        return [np.array([[0.5, 0.5]])]

    monkeypatch.setattr(model, "_run", run)
    record = {name: value for name, value in tiny.RECORD.items() if name in kept}
    decoded = model.decoder.decode(json.dumps(record).encode())
    assert isinstance(decoded, Record)
    assert model.predict([decoded]) == [0.5]
    assert given == [layout.CATEGORICAL_INPUT if kind == "string" else layout.NUMERIC_INPUT]


def test_texts_have_a_tensor_of_their_own() -> None:
    rule = {"type": "string", "minLength": 1, "maxLength": 9}
    document = json.loads(json.dumps(tiny.DOCUMENT))
    category = {"type": "string", "enum": ["no", "yes"]}
    properties = {"first": rule, "kind": category, "second": rule}
    document["request"] |= {"properties": properties, "required": list(properties)}
    model = Model(Contract.of(document), equal_texts(), 1)
    bodies = [("a", "no", "a"), ("a", "yes", "b"), ("é\n", "no", "é\n")]
    records = model.decoder.decode(
        json.dumps([dict(zip(properties, body, strict=True)) for body in bodies]).encode()
    )
    assert isinstance(records, list)
    assert model.predict(records) == [1.0, 0.0, 1.0]
    assert [model.predict([record]) for record in records] == [[1.0], [0.0], [1.0]]


def equal_texts() -> bytes:
    """Return a graph that is sure of two texts that are equal, and needs a category beside them."""
    tensor = helper.make_tensor_value_info
    columns = [helper.make_node("Split", [layout.TEXT_INPUT], ["a", "b"], axis=1, num_outputs=2)]
    nodes = [
        *columns,
        helper.make_node("Equal", ["a", "b"], ["same"]),
        helper.make_node("Cast", ["same"], ["positive"], to=TensorProto.FLOAT),
        helper.make_node("Equal", [layout.CATEGORICAL_INPUT, "yes"], ["is_yes"]),
        helper.make_node("Cast", ["is_yes"], ["other"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["other", "positive"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "equal",
        [
            tensor(layout.CATEGORICAL_INPUT, TensorProto.STRING, [None, 1]),
            tensor(layout.TEXT_INPUT, TensorProto.STRING, [None, 2]),
        ],
        [tensor(layout.PROBABILITIES_OUTPUT, TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor("yes", TensorProto.STRING, [1], [b"yes"])],
    )
    opset = [helper.make_opsetid("", 19)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return content
