"""Changes of a contract document that keep clients, and changes that break them."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

REPOSITORY = Path(__file__).resolve().parents[3]
CREDIT: dict[str, Any] = json.loads((REPOSITORY / "models/credit/contract.json").read_text())

Document = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
# Changes a document in place; returns the path that a break is told with.
Mutation = Callable[[Document, Draw], str]


def _pick(document: Document, draw: Draw, *kinds: str) -> tuple[str, dict[str, Any]]:
    fields = document["request"]["properties"]
    name = draw(st.sampled_from([n for n, rule in fields.items() if rule["type"] in kinds]))
    return name, fields[name]


def _free_name(document: Document) -> str:
    return f"added_{len(document['request']['properties'])}"


def _nothing(document: Document, draw: Draw) -> str:
    return ""


def _add_optional_field(document: Document, draw: Draw) -> str:
    rule = {"type": "number", "minimum": 0, "maximum": 1, "description": "New."}
    document["request"]["properties"][_free_name(document)] = rule
    return ""


def _make_optional(document: Document, draw: Draw) -> str:
    required = document["request"]["required"]
    required.remove(draw(st.sampled_from(required)))
    return ""


def _integer_to_number(document: Document, draw: Draw) -> str:
    _, rule = _pick(document, draw, "integer", "number")
    rule["type"] = "number"
    return ""


def _grow_enum(document: Document, draw: Draw) -> str:
    _, rule = _pick(document, draw, "string")
    rule["enum"].append(f"word_{len(rule['enum'])}")
    return ""


def _widen_bounds(document: Document, draw: Draw) -> str:
    _, rule = _pick(document, draw, "integer", "number")
    rule["minimum"] -= draw(st.integers(0, 9))
    rule["maximum"] += draw(st.integers(0, 9))
    return ""


def _accept_null(document: Document, draw: Draw) -> str:
    _, rule = _pick(document, draw, "integer", "number", "string")
    rule["nullable"] = True
    return ""


def _raise_limits(document: Document, draw: Draw) -> str:
    name = draw(st.sampled_from(["max_records", "max_body_bytes"]))
    document["limits"][name] += draw(st.integers(0, 1000))
    return ""


def _answer_more(document: Document, draw: Draw) -> str:
    properties = document["response"]["properties"]
    properties[f"more_{len(properties)}"] = {"type": "number", "description": "New."}
    return ""


def _answer_narrower(document: Document, draw: Draw) -> str:
    rule = document["response"]["properties"]["probability"]
    rule["minimum"], rule["maximum"] = rule["minimum"] + 0.01, rule["maximum"] - 0.01
    return ""


def _add_error(document: Document, draw: Draw) -> str:
    code = f"error_{'x' * len(document['errors'])}"
    document["errors"].append({"code": code, "status": 422, "when": "New."})
    return ""


def _move_threshold(document: Document, draw: Draw) -> str:
    document["decision"]["threshold"] = draw(st.floats(0.01, 0.99))
    return ""


COMPATIBLE: dict[str, Mutation] = {
    "nothing": _nothing,
    "an optional field is added": _add_optional_field,
    "a field becomes optional": _make_optional,
    "an integer becomes a number": _integer_to_number,
    "a category is added": _grow_enum,
    "bounds are widened": _widen_bounds,
    "null is accepted": _accept_null,
    "limits are raised": _raise_limits,
    "the answer has one more property": _answer_more,
    "the answer keeps to narrower bounds": _answer_narrower,
    "an error code is added": _add_error,
    "the threshold is moved": _move_threshold,
}


def _remove_field(document: Document, draw: Draw) -> str:
    request = document["request"]
    name = draw(st.sampled_from(list(request["properties"])))
    del request["properties"][name]
    request["required"] = [n for n in request["required"] if n != name]
    return f"request.properties.{name}"


def _rename_field(document: Document, draw: Draw) -> str:
    request = document["request"]
    name = draw(st.sampled_from(list(request["properties"])))
    # Named before the old one is gone: names count the fields.
    free = _free_name(document)
    request["properties"][free] = request["properties"].pop(name)
    return f"request.properties.{name}"


def _add_required_field(document: Document, draw: Draw) -> str:
    name = _free_name(document)
    _add_optional_field(document, draw)
    document["request"]["required"].append(name)
    return f"request.properties.{name}"


def _narrow_type(document: Document, draw: Draw) -> str:
    name, rule = _pick(document, draw, "number")
    rule["type"] = "integer"
    return f"request.properties.{name}.type"


def _change_type(document: Document, draw: Draw) -> str:
    name, rule = _pick(document, draw, "integer", "number")
    rule["type"], rule["enum"] = "string", ["low", "high"]
    return f"request.properties.{name}.type"


def _shrink_enum(document: Document, draw: Draw) -> str:
    name, rule = _pick(document, draw, "string")
    rule["enum"].remove(draw(st.sampled_from(rule["enum"])))
    return f"request.properties.{name}.enum"


def _raise_minimum(document: Document, draw: Draw) -> str:
    name, rule = _pick(document, draw, "integer", "number")
    rule["minimum"] += draw(st.floats(0.001, 5))
    return f"request.properties.{name}.minimum"


def _lower_maximum(document: Document, draw: Draw) -> str:
    name, rule = _pick(document, draw, "integer", "number")
    rule["maximum"] -= draw(st.floats(0.001, 5))
    return f"request.properties.{name}.maximum"


def _lower_limit(document: Document, draw: Draw) -> str:
    name = draw(st.sampled_from(["max_records", "max_body_bytes"]))
    document["limits"][name] -= draw(st.integers(1, 50))
    return f"limits.{name}"


def _answer_less(document: Document, draw: Draw) -> str:
    response = document["response"]
    name = draw(st.sampled_from(["prediction", "probability"]))
    del response["properties"][name]
    response["required"].remove(name)
    return f"response.properties.{name}"


def _answer_perhaps(document: Document, draw: Draw) -> str:
    name = draw(st.sampled_from(["prediction", "probability"]))
    document["response"]["required"].remove(name)
    return f"response.properties.{name}"


def _answer_null(document: Document, draw: Draw) -> str:
    name = draw(st.sampled_from(["prediction", "probability"]))
    document["response"]["properties"][name]["nullable"] = True
    return f"response.properties.{name}.nullable"


def _answer_another_type(document: Document, draw: Draw) -> str:
    document["response"]["properties"]["probability"]["type"] = "integer"
    return "response.properties.probability.type"


def _answer_new_word(document: Document, draw: Draw) -> str:
    document["response"]["properties"]["prediction"]["enum"].append("unsure")
    return "response.properties.prediction.enum"


def _answer_any_word(document: Document, draw: Draw) -> str:
    del document["response"]["properties"]["prediction"]["enum"]
    return "response.properties.prediction.enum"


def _answer_wider(document: Document, draw: Draw) -> str:
    document["response"]["properties"]["probability"]["maximum"] = 100
    return "response.properties.probability.maximum"


def _swap_labels(document: Document, draw: Draw) -> str:
    decision = document["decision"]
    decision["positive"], decision["negative"] = decision["negative"], decision["positive"]
    return "decision.positive"


def _rename_label(document: Document, draw: Draw) -> str:
    name = draw(st.sampled_from(["positive", "negative"]))
    document["decision"][name] = "other"
    return f"decision.{name}"


def _change_status(document: Document, draw: Draw) -> str:
    error = draw(st.sampled_from(document["errors"]))
    error["status"] += 1
    return f"errors.{error['code']}"


def _remove_error(document: Document, draw: Draw) -> str:
    error = draw(st.sampled_from(document["errors"]))
    document["errors"].remove(error)
    return f"errors.{error['code']}"


def _rename_model(document: Document, draw: Draw) -> str:
    document["model"] = "other"
    return "model"


BREAKING: dict[str, Mutation] = {
    "a field is removed": _remove_field,
    "a field is renamed": _rename_field,
    "a required field is added": _add_required_field,
    "a number must be whole": _narrow_type,
    "a type changes": _change_type,
    "a category is removed": _shrink_enum,
    "a minimum rises": _raise_minimum,
    "a maximum falls": _lower_maximum,
    "a limit falls": _lower_limit,
    "a property is not answered": _answer_less,
    "a property is answered sometimes": _answer_perhaps,
    "a property may be null": _answer_null,
    "a property has another type": _answer_another_type,
    "a property has a new word": _answer_new_word,
    "a property has any word": _answer_any_word,
    "a property has wider bounds": _answer_wider,
    "labels are swapped": _swap_labels,
    "a label is renamed": _rename_label,
    "an error has another status": _change_status,
    "an error code is removed": _remove_error,
    "the model has another name": _rename_model,
}


def changed(document: Document, mutation: Mutation, draw: Draw) -> tuple[Document, str]:
    """Return a changed copy, and the path that a break is told with."""
    copied = copy.deepcopy(document)
    path = mutation(copied, draw)
    return copied, path


@st.composite
def chains(draw: Draw) -> list[Document]:
    """A contract, and what compatible changes make of it one after the other."""
    documents = [CREDIT]
    for name in draw(st.lists(st.sampled_from(sorted(COMPATIBLE)), max_size=6)):
        documents.append(changed(documents[-1], COMPATIBLE[name], draw)[0])
    return documents
