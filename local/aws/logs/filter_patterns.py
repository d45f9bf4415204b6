"""JSON filter patterns.

A pattern in braces compares fields of a log event that is JSON: `{ ($.a = "b*") && ($.c >= 1) }`,
with IS NULL, IS TRUE, IS FALSE and NOT EXISTS ("Filter pattern syntax", CloudWatch Logs User
Guide). A field that is absent meets no comparison.
MiniStack 1.5.33 takes such a pattern for words in a subscription, so that it never matches, and
lets FilterLogEvents return every event.
Seams: cloudwatch_logs._subscription_pattern_matches, _compile_filter_pattern.
"""

import fnmatch
import functools
import json
import operator
import re
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch_logs

from local.aws.seams import seam

Matches = Callable[[Any], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<op>&&|\|\||!=|<=|>=|[=<>(){}])'
    r"|(?P<word>[^\s=<>!&|(){}\"]+))"
)
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]")
_ORDER = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
_NAMED = {"NULL": None, "TRUE": True, "FALSE": False}
_ABSENT = object()


class PatternError(ValueError):
    """A pattern that is none, or that this module does not know."""


def install() -> None:
    """Match events by the fields of JSON patterns."""
    plain = seam(cloudwatch_logs, "_subscription_pattern_matches")
    compile_plain = seam(cloudwatch_logs, "_compile_filter_pattern")

    def matches_subscription(pattern: str, message: str) -> bool:
        if is_json(pattern):
            return compiled(pattern)(parsed(message))
        return bool(plain(pattern, message))

    def compile_any(raw: str) -> Callable[[str], bool]:
        if not is_json(raw):
            found: Callable[[str], bool] = compile_plain(raw)
            return found
        matches = compiled(raw)
        return lambda message: matches(parsed(message))

    cloudwatch_logs._subscription_pattern_matches = matches_subscription
    cloudwatch_logs._compile_filter_pattern = compile_any


def is_json(pattern: str | None) -> bool:
    """Return whether a pattern is one of fields."""
    return (pattern or "").lstrip().startswith("{")


def parsed(message: str) -> Any:
    """Return the JSON object in an event behind a runtime's prefix, or None."""
    start = message.find("{")
    if start < 0:
        return None
    try:
        found = json.loads(message[start:])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@functools.lru_cache(maxsize=256)
def compiled(pattern: str) -> Matches:
    """Return what tells whether an object matches. Raises PatternError."""
    tokens = _tokens(pattern)
    parser = _Parser(tokens)
    parser.take("{")
    found = parser.any_of()
    parser.take("}")
    if parser.rest():
        raise PatternError(f"{pattern!r} goes on after its end")
    return lambda document: document is not None and found(document)


def _tokens(pattern: str) -> list[str]:
    found, position, text = [], 0, pattern.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise PatternError(f"{pattern!r} is no filter pattern at {text[position:]!r}")
        found.append(match[0].strip())
        position = match.end()
    return found


class _Parser:
    """Recursive descent: what is joined by || of what is joined by &&."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def rest(self) -> list[str]:
        return self._tokens

    def next(self) -> str:
        if not self._tokens:
            raise PatternError("a filter pattern ends too early")
        return self._tokens.pop(0)

    def take(self, wanted: str) -> None:
        if (found := self.next()) != wanted:
            raise PatternError(f"a filter pattern has {found!r} where {wanted!r} belongs")

    def any_of(self) -> Matches:
        parts = self._joined("||", self.all_of)
        return lambda document: any(part(document) for part in parts)

    def all_of(self) -> Matches:
        parts = self._joined("&&", self.one)
        return lambda document: all(part(document) for part in parts)

    def one(self) -> Matches:
        if self._tokens[:1] == ["("]:
            self.take("(")
            found = self.any_of()
            self.take(")")
            return found
        steps = _steps(self.next())
        test = self._test()
        return lambda document: test(_at(document, steps))

    def _test(self) -> Matches:
        sign = self.next()
        if sign == "NOT":
            self.take("EXISTS")
            return lambda value: value is _ABSENT
        if sign == "IS":
            name = self.next()
            if name not in _NAMED:
                raise PatternError(f"IS {name} is no filter")
            return lambda value: value is _NAMED[name]
        value = self.next()
        if sign in _ORDER:
            return _ordered(sign, value)
        if sign not in ("=", "!="):
            raise PatternError(f"{sign!r} is no comparison")
        equal = _equal(value)
        if sign == "=":
            return equal
        return lambda given: given is not _ABSENT and not equal(given)

    def _joined(self, sign: str, part: Callable[[], Matches]) -> list[Matches]:
        parts = [part()]
        while self._tokens[:1] == [sign]:
            self.take(sign)
            parts.append(part())
        return parts


def _steps(selector: str) -> list[str | int]:
    steps = _STEP.findall(selector)
    if not selector.startswith("$") or "$" + "".join(
        f".{name}" if name else f"[{index}]" for name, index in steps
    ) != (selector):
        raise PatternError(f"{selector!r} is no selector")
    return [name or int(index) for name, index in steps]


def _at(document: Any, steps: list[str | int]) -> Any:
    for step in steps:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return document


def _ordered(sign: str, text: str) -> Matches:
    try:
        bound = float(text)
    except ValueError:
        raise PatternError(f"{text!r} is no number to compare with") from None
    compare = _ORDER[sign]
    return lambda value: _is_number(value) and bool(compare(value, bound))


def _equal(text: str) -> Matches:
    if text == "*":
        # Alone it is any value, a number too: { $.latency = * }.
        return lambda value: value is not _ABSENT
    if text.startswith('"'):
        wanted = json.loads(text)
    else:
        try:
            number = float(text)
        except ValueError:
            wanted = text
        else:
            return lambda value: _is_number(value) and value == number
    # Only the asterisk is a wildcard.
    glob = wanted.replace("[", "[[]").replace("?", "[?]")
    return lambda value: isinstance(value, str) and fnmatch.fnmatchcase(value, glob)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
