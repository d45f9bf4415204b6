"""From a body to an answer: JSON lines as a batch sends them, JSON as the online API takes it."""

from collections.abc import Iterable
from typing import Any

import orjson

from boringml.errors import BoringError
from boringml.serving.decoder import Record
from container.server.servable import Servable

JSON = "application/json"
JSON_LINES = "application/jsonlines"


def answer_lines(model: Servable, body: bytes) -> bytes:
    """Return one {"prediction", "probability"} a line, for one record a line, in order.

    Raises BoringError with the contract's codes and the number of the bad `line`, from 1, or
    `list_empty` where there is no line at all. Nothing is predicted then.
    """
    lines = body.split(b"\n")
    if not lines[-1].strip():
        lines.pop()  # what ends a line begins no further one
    if not lines:
        raise BoringError("list_empty", "The body has no records.", field="$")
    records = [_record(model, line, number) for number, line in enumerate(lines, 1)]
    return b"".join(orjson.dumps(one) + b"\n" for one in _predictions(model, records))


def answer_json(model: Servable, body: bytes) -> dict[str, Any]:
    """Return the answer to one record, or to a list of them, as the online API gives it.

    Raises BoringError with the contract's codes.
    """
    decoded = model.decoder.decode(body)
    about = {"model": model.contract.model, "model_version": model.version}
    if isinstance(decoded, list):
        return {"predictions": list(_predictions(model, decoded)), **about}
    (one,) = _predictions(model, [decoded])
    return {**one, **about}


def _record(model: Servable, line: bytes, number: int) -> Record:
    try:
        decoded = [] if line.lstrip()[:1] == b"[" else model.decoder.decode(line)
    except BoringError as error:
        error.details["line"] = number
        raise
    if isinstance(decoded, list):
        raise BoringError("wrong_type", "A line is one record, no list.", field="$", line=number)
    return decoded


def _predictions(model: Servable, records: list[Record]) -> Iterable[dict[str, Any]]:
    most = model.contract.max_records
    for start in range(0, len(records), most):
        for probability in model.predict(records[start : start + most]):
            yield {"prediction": model.label(probability), "probability": probability}
