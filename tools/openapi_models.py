"""Schemas and examples of one model's requests and answers, from its contract."""

import re
from typing import Any

from tools.openapi_errors import EXAMPLE_ID

ACCEPTED = {
    "type": "object",
    "description": "The body of a 202.",
    "additionalProperties": False,
    "required": ["request_id"],
    "properties": {
        "request_id": {"type": "string", "description": "Finds this request in the logs."}
    },
}


def pascal(name: str) -> str:
    """Return a model's name as API Gateway takes names of schemas: letters and digits."""
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", name))


def reference(name: str) -> dict[str, str]:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of one model's requests and answers, by name."""
    prefix, limit = pascal(contract["model"]), contract["limits"]["max_records"]
    record = {**contract["request"], "description": f"One record for model {contract['model']}."}
    prediction = contract["response"]
    identity = {
        "model": {"type": "string", "description": "The model that answered."},
        "model_version": {"type": "integer", "description": "Its version in the registry."},
        "request_id": {"type": "string", "description": "Finds this request in the logs."},
    }
    one = {
        **prediction,
        "description": "The answer to one record.",
        "required": [*prediction["required"], *identity],
        "properties": {**prediction["properties"], **identity},
    }
    many = {
        "type": "object",
        "description": "The answer to a list, in its order.",
        "additionalProperties": False,
        "required": ["predictions", *identity],
        "properties": {
            "predictions": {"type": "array", "items": reference(f"{prefix}Prediction")},
            **identity,
        },
    }
    records = {
        "type": "array",
        "description": f"A list of 1 to {limit} records.",
        "minItems": 1,
        "maxItems": limit,
        "items": reference(f"{prefix}Record"),
    }
    answered = {key: value for key, value in prediction.items() if key != "additionalProperties"}
    comparison = {
        "type": "object",
        "description": "What another endpoint was asked and answered.",
        "additionalProperties": False,
        "required": ["request", "response", "latency_ms"],
        "properties": {
            "request": reference(f"{prefix}Request"),
            "response": {
                "description": "One answer for one record, a list for a list; more is not read.",
                "oneOf": [
                    answered,
                    {
                        "type": "object",
                        "required": ["predictions"],
                        "properties": {"predictions": {"type": "array", "items": answered}},
                    },
                ],
            },
            "latency_ms": {
                "type": "number",
                "minimum": 0,
                "maximum": 3600000,
                "description": "How long the other endpoint took, in milliseconds.",
            },
        },
    }
    return {
        f"{prefix}Comparison": comparison,
        f"{prefix}Record": record,
        f"{prefix}Records": records,
        f"{prefix}Request": {
            "description": "One record, or a list of records.",
            "oneOf": [reference(f"{prefix}Record"), reference(f"{prefix}Records")],
        },
        f"{prefix}Prediction": prediction,
        f"{prefix}Answer": one,
        f"{prefix}Answers": many,
        f"{prefix}Response": {
            "description": "One prediction for one record, a list for a list.",
            "oneOf": [reference(f"{prefix}Answer"), reference(f"{prefix}Answers")],
        },
    }


def request_examples(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the contract's worked examples, and a list of two, by name."""
    records = [example["record"] for example in contract["examples"]]
    named = {
        f"Request{number}": {"summary": example["name"], "value": example["record"]}
        for number, example in enumerate(contract["examples"], 1)
    }
    return {**named, "RequestList": {"summary": "a list of records", "value": records[:2]}}


def response_examples(contract: dict[str, Any]) -> dict[str, Any]:
    """Return an answer to one record and to a list, by name; the numbers are made up."""
    decision = contract["decision"]
    low, high = round(decision["threshold"] / 2, 4), round((decision["threshold"] + 1) / 2, 4)
    good = {"prediction": decision["negative"], "probability": low}
    bad = {"prediction": decision["positive"], "probability": high}
    who = {"model": contract["model"], "model_version": 3, "request_id": EXAMPLE_ID}
    return {
        "Answer": {"summary": "to one record", "value": {**good, **who}},
        "AnswerList": {"summary": "to a list", "value": {"predictions": [good, bad], **who}},
    }


def comparison_examples(contract: dict[str, Any]) -> dict[str, Any]:
    """Return what another endpoint was asked and answered, by name; the numbers are made up."""
    decision, record = contract["decision"], contract["examples"][0]["record"]
    probability = round(decision["threshold"] / 2, 4)
    answered = {"prediction": decision["negative"], "probability": probability}
    value = {"request": record, "response": answered, "latency_ms": 41.5}
    return {"Comparison": {"summary": "of one record", "value": value}}


def example_references(prefix: str, examples: dict[str, Any]) -> dict[str, Any]:
    """Return references to examples of the document."""
    return {name: {"$ref": f"#/components/examples/{prefix}{name}"} for name in examples}
