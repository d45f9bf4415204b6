"""Whether a contract may follow the live one on the same route, and what it must be called.

Clients must need no change, and the version must say what changed (Semantic Versioning 2.0.0,
points 6 to 8): docs/adr/0009-contract-compatibility.md.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from boringml.contract.incompatibilities import Document, incompatibilities
from boringml.errors import BoringError

Numbers: TypeAlias = tuple[int, int, int]

# Sections that are promises to clients. The others instruct training, monitoring and readers.
_PROMISES = ("model", "request", "response", "decision", "limits", "errors")
# Words for people inside the promises.
_PROSE = frozenset({"description", "when"})
# What tells generations of a model apart: credit, credit-v2.
_GENERATION = re.compile(r"-v[0-9]+$")


def check_release(live: Document, candidate: Document) -> None:
    """Return where a model of `candidate` may go live after one of `live`.

    Raises BoringError (422) `contract_incompatible` with `breaks`, where clients would break or
    the major version differs; `contract_version_unchanged` where the contract changed and its
    version did not; `contract_version_too_low` where the version does not say how much changed:
    a changed promise needs a new minor version, any other change a new patch version.
    """
    model, breaks = live["model"], incompatibilities(live, candidate)
    before, after = _numbers(live), _numbers(candidate)
    if breaks or before[0] != after[0]:
        raise _incompatible(live, candidate, breaks)
    if live == candidate:
        return
    if before == after:
        raise BoringError(
            "contract_version_unchanged",
            f"The contract of {model} changed and is still called {live['version']}: "
            f"call it {_least(live, candidate)} or higher.",
            422,
        )
    if after < (least := _least_numbers(live, candidate)):
        raise BoringError(
            "contract_version_too_low",
            f"The contract of {model} went from {live['version']} to {candidate['version']}, and "
            f"its changes need {_text(least)} or higher. To go back to an earlier one, roll back.",
            422,
        )


def _incompatible(live: Document, candidate: Document, breaks: list[str]) -> BoringError:
    before, after = _numbers(live), _numbers(candidate)
    name = f"{_GENERATION.sub('', live['model'])}-v{max(before[0] + 1, after[0])}"
    why = (
        f"it breaks clients: {'; '.join(breaks)}"
        if breaks
        else f"its major version is {after[0]}, and live's is {before[0]}"
    )
    return BoringError(
        "contract_incompatible",
        f"Contract {candidate['version']} of {live['model']} cannot follow {live['version']} on "
        f"the same route, since {why}. Keep what clients rely on, or serve the new major version "
        f"under its own route, as a model of its own, such as {name}.",
        422,
        breaks=breaks,
    )


def _least_numbers(live: Document, candidate: Document) -> Numbers:
    """Return the lowest version that says what changed between two compatible contracts."""
    major, minor, patch = _numbers(live)
    changed = any(_promise(live[part]) != _promise(candidate[part]) for part in _PROMISES)
    return (major, minor + 1, 0) if changed else (major, minor, patch + 1)


def _least(live: Document, candidate: Document) -> str:
    return _text(_least_numbers(live, candidate))


def _promise(value: Any, inside_properties: bool = False) -> Any:
    """Return a section without its prose. A field may itself be called "description"."""
    if isinstance(value, list):
        return [_promise(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _promise(item, name == "properties" and not inside_properties)
        for name, item in value.items()
        if inside_properties or name not in _PROSE
    }


def _numbers(document: Document) -> Numbers:
    major, minor, patch = (int(number) for number in document["version"].split("."))
    return major, minor, patch


def _text(numbers: Numbers) -> str:
    return ".".join(map(str, numbers))
