"""A model that takes places of categories answers what it answers to their texts, to the bit."""

import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from boringml.batch.categories import MISSING, Texts
from boringml.batch.coded_graph import coded
from boringml.batch.column_model import ColumnModel, load_column_model
from boringml.contract.contract import Contract
from boringml.package import layout
from boringml.serving.model import open_session
from container.trainer.export import export
from tests.unit.serving import tiny

ROOT = Path(__file__).parents[3]
MODELS = ("churn", "credit")


def contract(model: str) -> Contract:
    return Contract.of(json.loads((ROOT / f"models/{model}/contract.json").read_text()))


def drawn(model: str, rows: int, seed: int, missing: bool = False) -> tuple[Any, Any]:
    """Return rows within the contract, categories as places."""
    features, draw = contract(model).features, np.random.default_rng(seed)
    numeric = np.empty((rows, len(features.numeric)))
    for column, name in enumerate(features.numeric):
        low, high = features.bounds[name]
        numeric[:, column] = draw.uniform(low or 0, min(high or 1e4, 1e4), rows)
    least = MISSING if missing else 0
    sizes = [len(features.categories[name]) for name in features.categorical]
    return numeric, np.stack([draw.integers(least, size, rows) for size in sizes], axis=1)


@cache
def exported(model: str) -> bytes:
    """Return the export of a model's own pipeline, small, and fitted to rows of any kind."""
    found = contract(model)
    numeric, places = drawn(model, 400, seed=1)
    texts = Texts(found.features).of(places)
    frame = pd.DataFrame(
        {
            **dict(zip(found.features.numeric, numeric.T, strict=True)),
            **dict(zip(found.features.categorical, texts.T, strict=True)),
        }
    )
    build = runpy.run_path(str(ROOT / "models" / model / "train.py"))["build_pipeline"]
    pipeline = build(found.features, {"n_estimators": 10, "max_depth": 3}, 1)
    answer = (numeric[:, 0] / numeric[:, 0].max() + (places.sum(axis=1) % 3) / 3) > 0.7
    pipeline.fit(frame.to_numpy(object), np.where(answer, 1, 0))
    return export(pipeline, found.features, model)[0]


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), rows=st.integers(1, 300))
def test_places_and_texts_have_the_same_answers_to_the_bit(
    model: str, seed: int, rows: int
) -> None:
    found = contract(model)
    plain = open_session(exported(model))  # one thread: the order of sums is that of the threads
    fast = ColumnModel(found, exported(model), 1)
    assert fast.takes_places
    numeric, places = drawn(model, rows, seed, missing=True)
    given_ = {"numeric": numeric, "categorical": Texts(found.features).of(places)}
    (expected,) = plain.run([layout.PROBABILITIES_OUTPUT], given_)
    answers = fast.predict_columns(numeric, places)
    assert answers.tolist() == expected[:, 1].astype(np.float64).tolist()
    assert len(set(answers.tolist())) > 1 or rows < 5


@pytest.mark.parametrize("model", MODELS)
def test_nothing_of_a_model_changes_but_how_categories_come(model: str) -> None:
    categories = list(contract(model).features.categories.values())
    rewritten = coded(exported(model), categories)
    assert rewritten is not None
    before, after = onnx.load_from_string(exported(model)), onnx.load_from_string(rewritten)
    onnx.checker.check_model(after)
    changed = [
        (old.op_type, {one.name for one in old.attribute} ^ {one.name for one in new.attribute})
        for old, new in zip(before.graph.node, after.graph.node, strict=True)
        if old != new
    ]
    assert changed == [("OneHotEncoder", {"cats_strings", "cats_int64s"})] * len(categories)
    assert before.graph.initializer == after.graph.initializer
    assert before.graph.output == after.graph.output


def graph(*nodes: Any, columns: int = 2, **constants: Any) -> bytes:
    tensor = helper.make_tensor_value_info
    found = helper.make_graph(
        list(nodes),
        "graph",
        [tensor(layout.CATEGORICAL_INPUT, TensorProto.STRING, [None, columns])],
        [tensor("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    content: bytes = helper.make_model(
        found, opset_imports=opsets, ir_version=9
    ).SerializeToString()
    return content


def gather(index: str, output: str, axis: int = 1) -> Any:
    return helper.make_node("Gather", ["categorical", index], [output], axis=axis)


def one_hot(of: str, output: str = "out", texts: tuple[str, ...] = ("a", "b")) -> Any:
    return helper.make_node(
        "OneHotEncoder", [of], [output], domain="ai.onnx.ml", cats_strings=list(texts), zeros=1
    )


CATEGORIES = (("a", "b"), ("c", "d"))


def test_texts_are_found_by_their_place_in_the_contract_and_not_in_the_encoder() -> None:
    content = graph(gather("first", "x"), one_hot("x", texts=("b", "old", "a", "")), first=[0])
    rewritten = coded(content, CATEGORIES)
    assert rewritten is not None
    run = onnxruntime.InferenceSession(rewritten).run
    (found,) = run(["out"], {"categorical": np.array([[1, 0], [0, 0], [MISSING, 0]])})
    assert found.reshape(3, 4).tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


REFUSED = {
    "texts go elsewhere, too": graph(
        gather("first", "x"), one_hot("x"),
        helper.make_node("Identity", ["x"], ["also"]), first=[0],
    ),
    "another node reads the input": graph(
        gather("first", "x"), one_hot("x"),
        helper.make_node("Identity", ["categorical"], ["also"]), first=[0],
    ),
    "two columns at once": graph(gather("both", "x"), one_hot("x"), both=[0, 1]),
    "rows in place of columns": graph(gather("first", "x", axis=0), one_hot("x"), first=[0]),
    "an index that is computed": graph(gather("unknown", "x"), one_hot("x")),
    "another encoder": graph(
        gather("first", "x"),
        helper.make_node(
            "LabelEncoder", ["x"], ["out"], domain="ai.onnx.ml",
            classes_strings=["a", "b"], default_int64=-1,
        ),
        first=[0],
    ),
    "a graph within the graph": graph(
        gather("first", "x"), one_hot("x"),
        helper.make_node("If", ["c"], ["also"], then_branch=helper.make_graph([], "g", [], [])),
        first=[0],
    ),
    "no categories": tiny.onnx_model(),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_a_graph_that_does_more_with_texts_is_left_alone(why: str) -> None:
    assert coded(REFUSED[why], CATEGORIES) is None


def test_a_model_that_is_left_alone_is_given_texts() -> None:
    model = ColumnModel(tiny.CONTRACT, tiny.onnx_model(), 3)
    assert not model.takes_places
    numeric, places = drawn("credit", 5, seed=1)
    numeric[:, tiny.CONTRACT.features.numeric.index("int_rate")] = [0, 10, 20, 30, 40]
    assert model.predict_columns(numeric, places).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_package_is_proved_and_its_model_asked_once_before_rows_come() -> None:
    files, digest = tiny.package()
    assert load_column_model(files.__getitem__, "credit", digest, 3).version == 3
    files, digest = tiny.package(onnx=tiny.onnx_model(width=2))
    with pytest.raises(Exception, match="numeric"):
        load_column_model(files.__getitem__, "credit", digest, 3)
