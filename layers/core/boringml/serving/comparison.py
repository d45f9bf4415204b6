"""What another endpoint was asked and answered, beside what live answers to the same.

A line of it in the log is read back by `pairs_of`, for `boringml.release.divergence.summarise`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from boringml.contract.contract import Contract
from boringml.contract.violations import violations
from boringml.errors import BoringError
from boringml.metric_line import COUNT, metric_line
from boringml.release.divergence import Answer, Pair
from boringml.serving.refusals import body_too_large

KIND = "migration_comparison"
# A metric of a line has at most 100 values: "Specification: Embedded metric format", CloudWatch.
MAX_RECORDS = 100
_UNITS = {
    **dict.fromkeys(("comparisons", "comparison_failures", "disagreements"), COUNT),
    **dict.fromkeys(("given_latency_ms", "our_latency_ms"), "Milliseconds"),
}
_PARTS = ("request", "response", "latency_ms")
_LATENCY = {
    "properties": {"latency_ms": {"type": "number", "minimum": 0, "maximum": 3_600_000}},
    "required": ["latency_ms"],
}


@dataclass(frozen=True)
class Given:
    """One request of another endpoint: its records, as a list or one, and what it answered."""

    records: tuple[Mapping[str, Any], ...]
    answers: tuple[Answer, ...]
    is_list: bool

    @property
    def request(self) -> Any:
        """The request as it was sent."""
        return list(self.records) if self.is_list else self.records[0]


def most_bytes(contract: Contract) -> int:
    """Return the most bytes of a body: a request at its own bound, and an answer of its length."""
    return 2 * contract.max_body_bytes


def given_of(body: bytes, contract: Contract, response: Mapping[str, Any]) -> Given:
    """Return what a body {"request", "response", "latency_ms"} says.

    `request` is one record or a list of them, held to the contract; `response` is
    {"prediction", "probability"}, held to the contract's `response` schema, or
    {"predictions": [...]} for a list; it may have more, which is not read. Raises BoringError with
    the contract's own codes, and the place in the body as `field`.
    """
    if len(body) > most_bytes(contract):
        raise body_too_large(most_bytes(contract))
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BoringError("malformed_json", "The body is not one JSON value in UTF-8.") from error
    if not isinstance(value, dict):
        raise BoringError("wrong_type", "The body is a JSON object.", field="$")
    for name in value:
        if name not in _PARTS:
            told = f"A comparison has {', '.join(_PARTS)}, and nothing else."
            raise BoringError("unknown_field", told, field="$")
    for name in _PARTS:
        if name not in value:
            raise BoringError("missing_field", "This field is required.", field=f"$.{name}")
    _hold({"latency_ms": value["latency_ms"]}, _LATENCY)
    request = value["request"]
    records = request if isinstance(request, list) else [request]
    if not records:
        raise BoringError("list_empty", "The list has no records.", field="$.request")
    most = min(contract.max_records, MAX_RECORDS)
    if len(records) > most:
        told = f"A list has at most {most} records."
        raise BoringError("list_too_long", told, field="$.request")
    is_list = isinstance(request, list)
    for index, record in enumerate(records):
        _hold(record, contract.schema, f"$.request[{index}]" if is_list else "$.request")
    answers = tuple(
        Answer(float(value["latency_ms"]), shown["prediction"], float(shown["probability"]))
        for shown in _shown(value["response"], response, len(records) if is_list else None)
    )
    return Given(tuple(records), answers, is_list)


def pairs(
    given: Given, ours: tuple[Answer, ...], contract: Contract, request_id: str
) -> list[Pair]:
    """Return each record's two answers, the given one as `live`, ours as `candidate`."""
    known = contract.segment_features
    return [
        Pair(f"{request_id}/{index}", before, after, {n: record.get(n) for n in known})
        for index, (record, before, after) in enumerate(
            zip(given.records, given.answers, ours, strict=True)
        )
    ]


def line_of(found: list[Pair], fields: Mapping[str, Any], namespace: str) -> str:
    """Return the log line of one compared request, which is also its metrics (EMF).

    `fields` has the dimension `model`. A list's latencies are those of its one request.
    """
    both = [pair for pair in found if pair.candidate.failure is None]
    metrics: dict[str, Any] = {
        "comparisons": len(found),
        "comparison_failures": int(len(both) < len(found)),
        "given_latency_ms": found[0].live.latency_ms,
        "our_latency_ms": found[0].candidate.latency_ms,
    }
    if both:
        metrics["disagreements"] = sum(pair.differs for pair in both)
        metrics["probability_shift"] = [pair.shift for pair in both]
    return metric_line(
        namespace,
        {"kind": KIND, **fields, "pairs": [asdict(pair) for pair in found]},
        metrics,
        level="INFO" if both else "ERROR",
        units=_UNITS,
    )


def pairs_of(line: Mapping[str, Any]) -> list[Pair]:
    """Return the pairs of a parsed log line; [] of any other line."""
    if line.get("kind") != KIND:
        return []
    return [Pair.of(pair) for pair in line["pairs"]]


def _shown(
    response: Any, schema: Mapping[str, Any], count: int | None
) -> Iterator[Mapping[str, Any]]:
    """Yield the one answer, or the `count` answers of a list, each held to the schema."""
    if not isinstance(response, dict):
        raise BoringError("wrong_type", "An answer is a JSON object.", field="$.response")
    if count is None:
        shown, paths = [response], ["$.response"]
    else:
        listed = response.get("predictions")
        if not isinstance(listed, list) or len(listed) != count:
            told = f"The answer to a list has its {count} predictions."
            raise BoringError("wrong_type", told, field="$.response.predictions")
        shown = listed
        paths = [f"$.response.predictions[{index}]" for index in range(count)]
    for answer, path in zip(shown, paths, strict=True):
        if isinstance(answer, dict):
            # Another endpoint's answer may say more.
            answer = {name: answer[name] for name in schema["properties"] if name in answer}
        _hold(answer, schema, path)
        yield answer


def _hold(value: Any, schema: Mapping[str, Any], path: str = "$") -> None:
    """Raise the first violation of a schema, if any."""
    for found in violations(value, schema, path):
        raise BoringError(found.code, found.message, field=found.field)
