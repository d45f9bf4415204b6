"""Each way in which a contract breaks clients of another one.

A contract document is contract.json, parsed. What clients send today must still be accepted, and
what they read must stay as they know it: docs/adr/0009-contract-compatibility.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
Rule: TypeAlias = Mapping[str, Any]

# JSON Schema: a whole number is a number, so a client that sends one is still understood.
_WIDER = {("integer", "number")}


def incompatibilities(live: Document, candidate: Document) -> list[str]:
    """Return each way in which `candidate` breaks clients of `live`, as "<path>: <words>".

    [] where it breaks none: then a client needs no change, whatever the version numbers say.
    """
    return [
        *_of_identity(live, candidate),
        *_of_request(live["request"], candidate["request"]),
        *_of_limits(live["limits"], candidate["limits"]),
        *_of_response(live["response"], candidate["response"]),
        *_of_errors(live["errors"], candidate["errors"]),
    ]


def _of_identity(live: Document, candidate: Document) -> Iterator[str]:
    if live["model"] != candidate["model"]:
        yield f"model: {live['model']} became {candidate['model']}, which has another route"
    for name in ("positive", "negative"):
        if live["decision"][name] != candidate["decision"][name]:
            yield (
                f"decision.{name}: {live['decision'][name]!r} became "
                f"{candidate['decision'][name]!r}"
            )


def _of_request(live: Rule, candidate: Rule) -> Iterator[str]:
    fields, others = live["properties"], candidate["properties"]
    for name, rule in fields.items():
        path = f"request.properties.{name}"
        if name not in others:
            yield f"{path}: removed, so clients that send it are refused"
            continue
        if name in candidate["required"] and name not in live["required"]:
            yield f"{path}: became required, so clients that leave it out are refused"
        yield from _of_field(path, rule, others[name])
    for name in others:
        if name not in fields and name in candidate["required"]:
            yield f"request.properties.{name}: new and required, so today's clients are refused"


def _of_field(path: str, live: Rule, candidate: Rule) -> Iterator[str]:
    if live.get("nullable", False) and not candidate.get("nullable", False):
        yield f"{path}.nullable: null is no longer accepted"
    kinds = (live["type"], candidate["type"])
    if kinds[0] != kinds[1] and kinds not in _WIDER:
        yield f"{path}.type: {kinds[0]} became {kinds[1]}"
        return
    if "enum" in candidate:
        if "enum" not in live:
            yield f"{path}.enum: only some texts are accepted now"
        elif lost := _lost(live["enum"], candidate["enum"]):
            yield f"{path}.enum: {lost} no longer accepted"
    elif kinds[0] == "string":
        yield from _tighter_text(path, live, candidate)
    yield from _tighter(path, live, candidate)


def _tighter_text(path: str, live: Rule, candidate: Rule) -> Iterator[str]:
    (short, long), (low, high) = _lengths(live), _lengths(candidate)
    if short < low:
        yield f"{path}.minLength: rose from {short} to {low}"
    if long > high:
        yield f"{path}.maxLength: fell from {long} to {high}"


def _lengths(rule: Rule) -> tuple[int, int]:
    """Return the least and the most characters that a text or a category has."""
    if "enum" not in rule:
        return rule["minLength"], rule["maxLength"]
    lengths = [len(word) for word in rule["enum"]]
    return min(lengths), max(lengths)


def _tighter(path: str, live: Rule, candidate: Rule) -> Iterator[str]:
    low, high = candidate.get("minimum"), candidate.get("maximum")
    if low is not None and (live.get("minimum") is None or live["minimum"] < low):
        yield f"{path}.minimum: rose from {live.get('minimum', 'none')} to {low}"
    if high is not None and (live.get("maximum") is None or live["maximum"] > high):
        yield f"{path}.maximum: fell from {live.get('maximum', 'none')} to {high}"


def _wider(path: str, live: Rule, candidate: Rule) -> Iterator[str]:
    low, high = live.get("minimum"), live.get("maximum")
    if low is not None and (candidate.get("minimum") is None or candidate["minimum"] < low):
        yield f"{path}.minimum: fell from {low} to {candidate.get('minimum', 'none')}"
    if high is not None and (candidate.get("maximum") is None or candidate["maximum"] > high):
        yield f"{path}.maximum: rose from {high} to {candidate.get('maximum', 'none')}"


def _of_limits(live: Rule, candidate: Rule) -> Iterator[str]:
    for name in ("max_records", "max_body_bytes"):
        if candidate[name] < live[name]:
            yield f"limits.{name}: fell from {live[name]} to {candidate[name]}"


def _of_response(live: Rule, candidate: Rule) -> Iterator[str]:
    for name, rule in live["properties"].items():
        path, other = f"response.properties.{name}", candidate["properties"].get(name)
        if other is None:
            yield f"{path}: removed, and clients read it"
            continue
        if name in live["required"] and name not in candidate["required"]:
            yield f"{path}: became optional, and clients read it"
        if other.get("nullable", False) and not rule.get("nullable", False):
            yield f"{path}.nullable: may be null now"
        if rule["type"] != other["type"]:
            yield f"{path}.type: {rule['type']} became {other['type']}"
            continue
        if "enum" in rule:
            if "enum" not in other:
                yield f"{path}.enum: any text may be answered now"
            elif new := _lost(other["enum"], rule["enum"]):
                yield f"{path}.enum: {new} new to clients"
        yield from _wider(path, rule, other)


def _of_errors(live: list[Rule], candidate: list[Rule]) -> Iterator[str]:
    statuses = {error["code"]: error["status"] for error in candidate}
    for error in live:
        code, status = error["code"], error["status"]
        if code not in statuses:
            yield f"errors.{code}: removed, and clients branch on it"
        elif statuses[code] != status:
            yield f"errors.{code}: status {status} became {statuses[code]}"


def _lost(of: list[str], among: list[str]) -> str:
    gone = [word for word in of if word not in among]
    return f"{', '.join(map(repr, gone))} {'is' if len(gone) == 1 else 'are'}" if gone else ""
