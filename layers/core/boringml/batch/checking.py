"""Rows held to the contract: columns whole by vectorised kernels, JSON lines one by one.

A column that is good as a whole is found so by a look at its least and greatest value, or at its
few distinct words; only another one is looked at row by row.

Both say of each bad row the first rule that it breaks, in the contract's order of fields, with the
codes of an online refusal. Two things differ, since columns are no JSON: an empty value of a field
that must be there is `missing_field`, and 3.0 in a column is a whole number.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from boringml.batch.categories import MISSING
from boringml.contract.contract import Contract
from boringml.contract.violations import violations
from boringml.serving.decoder import record_type

# What counts as a number in text: JSON's, with the signs, points and words that CSV writers add.
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+|nan|inf|infinity)(e[-+]?\d+)?\s*$"
# A byte that is no UTF-8 was replaced by this when the text was read.
_NO_TEXT = "�"


@dataclass(frozen=True)
class Rejection:
    """A row that is not scored: its number in the file (from 1), why, and the row as JSON."""

    row_number: int
    code: str
    field: str
    message: str
    row: str


@dataclass(frozen=True)
class Accepted:
    """Rows to score, in order: `numeric` is float64 (n, fields), `places` int64 (n, fields).

    A place is that of a category in the contract's list: boringml.batch.categories.Texts has the
    texts. What is missing is NaN or MISSING. `keys` is an Arrow array of text.
    """

    keys: Any
    row_numbers: Any
    numeric: Any
    places: Any

    def __len__(self) -> int:
        return len(self.row_numbers)


class _Fault(msgspec.Struct, frozen=True):
    """The first rule that a row breaks."""

    code: str
    field: str
    message: str


@dataclass
class _Faults:
    """The first broken rule of each row."""

    found: dict[int, tuple[str, str, str]]
    bad: Any

    def add(self, mask: Any, code: str, field: str, message: str) -> None:
        new = mask & ~self.bad
        if new.any():
            self.bad |= new
            for index in np.flatnonzero(new):
                self.found[int(index)] = (code, field, message)


class RowChecker:
    """Checks the rows of one contract, whose rows are named by the column `key`."""

    def __init__(self, contract: Contract, key: str) -> None:
        self._contract = contract
        self._key = key
        self._features = contract.features
        self._rules = contract.schema["properties"]
        self._required = frozenset(contract.schema["required"])
        self._record = record_type(contract)
        # The columns that a reader may leave dictionaries.
        self.texts = list(contract.features.categorical)
        self._places_of = {
            name: {text: place for place, text in enumerate(texts)}
            for name, texts in self._features.categories.items()
        }
        # The column of each field in the array of its kind.
        self._place = {
            name: place
            for names in (self._features.numeric, self._features.categorical)
            for place, name in enumerate(names)
        }

    def columns(self, batch: Any, row_numbers: Any) -> tuple[Accepted, list[Rejection]]:
        """Return the rows of a record batch whose columns are the contract's and the key.

        Text in a numeric column is read as a number.
        """
        rows = batch.num_rows
        faults = _Faults({}, np.zeros(rows, bool))
        features = self._features
        keys = batch.column(self._key).cast(pa.string())
        self._check_keys(keys, faults)
        numeric = np.empty((rows, len(features.numeric)), np.float64)
        categorical = np.empty((rows, len(features.categorical)), np.int64)
        known = frozenset(batch.schema.names)
        for name in self._rules:
            column = batch.column(name) if name in known else pa.nulls(rows)
            if name in features.bounds:
                # Whole numbers become float64 here, at once in their place.
                numeric[:, self._place[name]] = self._numbers(name, column, faults)
            else:
                categorical[:, self._place[name]] = self._places(name, column, faults)
        if not faults.found:
            return Accepted(keys, row_numbers, numeric, categorical), []
        indices = sorted(faults.found)
        shown = batch.take(pa.array(indices)).to_pylist()
        rejected = [
            Rejection(int(row_numbers[index]), *faults.found[index], _json(row))
            for index, row in zip(indices, shown, strict=True)
        ]
        good = np.flatnonzero(~faults.bad)
        kept = keys.take(pa.array(good))
        return Accepted(kept, row_numbers[good], numeric[good], categorical[good]), rejected

    def lines(self, lines: Sequence[bytes], row_numbers: Any) -> tuple[Accepted, list[Rejection]]:
        """Return the rows of JSON lines, each a record of the contract and its key."""
        keys: list[str] = []
        numbers: list[int] = []
        values: list[tuple[Any, ...]] = []
        rejected: list[Rejection] = []
        for line, number in zip(lines, row_numbers, strict=True):
            found = self._line(line)
            if isinstance(found, _Fault):
                text = line.decode(errors="replace")
                row = text if found.code != "malformed_json" else json.dumps(text)
                fault = found.code, found.field, found.message
                rejected.append(Rejection(int(number), *fault, row))
            else:
                keys.append(found[0])
                numbers.append(int(number))
                values.append(found[1])
        width = len(self._features.numeric)
        numeric = np.empty((len(values), width), np.float64)
        categorical = np.empty((len(values), len(self._features.categorical)), np.int64)
        places = [self._places_of[name] for name in self._features.categorical]
        for index, row_values in enumerate(values):
            numeric[index] = [math.nan if v is None else v for v in row_values[:width]]
            categorical[index] = [
                place.get("" if v is None else v, MISSING)
                for place, v in zip(places, row_values[width:], strict=True)
            ]
        named = pa.array(keys, pa.string())
        return Accepted(named, np.array(numbers, np.int64), numeric, categorical), rejected

    def _line(self, line: bytes) -> "tuple[str, tuple[Any, ...]] | _Fault":
        """Return the key and the values of a line, or what is wrong with it."""
        try:
            record = orjson.loads(line)
        except ValueError:
            return _Fault("malformed_json", "$", "The line is no JSON.")
        if not isinstance(record, dict):
            return _Fault("wrong_type", "$", "A line is a JSON object.")
        key = record.pop(self._key, None)
        if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
            return _Fault("missing_key", f"$.{self._key}", "The key is text or a whole number.")
        try:
            values = astuple(msgspec.convert(record, self._record))
            if all(not isinstance(value, float) or math.isfinite(value) for value in values):
                return str(key), values
        except msgspec.ValidationError:
            pass  # `violations` says it in words of ours
        found = violations(record, self._contract.schema)
        if not found:
            return _Fault("wrong_type", "$", "The record does not meet the contract.")
        return _Fault(found[0].code, found[0].field, found[0].message)

    def _check_keys(self, keys: Any, faults: _Faults) -> None:
        where = f"$.{self._key}"
        if keys.null_count or not _all(pc.not_equal(keys, "")):
            empty = pc.or_kleene(pc.is_null(keys), pc.equal(pc.fill_null(keys, ""), ""))
            faults.add(_mask(empty), "missing_key", where, "The key is empty.")
        if _all(pc.string_is_ascii(keys)):
            return
        keys.validate(full=True)  # else what is no UTF-8 would get into the scores
        strange = pc.match_substring(pc.fill_null(keys, ""), _NO_TEXT)
        faults.add(_mask(strange), "malformed_text", where, "The key is no UTF-8.")

    def _missing(self, name: str, column: Any, faults: _Faults) -> None:
        if column.null_count and name in self._required and not self._rules[name].get("nullable"):
            empty = _mask(pc.is_null(column))
            faults.add(empty, "missing_field", f"$.{name}", "This field is required.")

    def _numbers(self, name: str, column: Any, faults: _Faults) -> Any:
        where = f"$.{name}"
        low, high = self._features.bounds[name]
        if pa.types.is_integer(column.type) and not column.null_count:
            integers = column.to_numpy()
            if _all_within(integers, low, high):
                return integers
        if pa.types.is_string(column.type):
            try:
                column = column.cast(pa.float64())
            except pa.ArrowInvalid:
                number = pc.match_substring_regex(column, _NUMBER, ignore_case=True)
                bad = _mask(pc.invert(pc.fill_null(number, True)))
                faults.add(bad, "wrong_type", where, "This field is a number.")
                known = pc.if_else(number, pc.utf8_trim_whitespace(column), None)
                column = known.cast(pa.float64())
        else:
            column = column.cast(pa.float64(), safe=False)
        values = column.to_numpy(zero_copy_only=False)
        whole = name in self._features.integers
        if _all_within(values, low, high) and not (whole and (values != np.floor(values)).any()):
            return values
        self._missing(name, column, faults)
        present = _mask(pc.is_valid(column))
        finite = np.isfinite(values)
        faults.add(present & ~finite, "not_finite", where, "This field is a finite number.")
        known = present & finite
        if whole:
            broken = known & (values != np.floor(values))
            faults.add(broken, "wrong_type", where, "This field is a whole number.")
        outside = np.zeros(len(values), bool)
        if low is not None:
            outside |= values < low
        if high is not None:
            outside |= values > high
        faults.add(known & outside, "out_of_bounds", where, _bounds(low, high))
        return values

    def _places(self, name: str, column: Any, faults: _Faults) -> Any:
        """Return of each row the place of its text among the contract's."""
        self._missing(name, column, faults)
        encoded = pa.types.is_dictionary(column.type)
        if encoded and len(column.dictionary) > len(column):
            column, encoded = column.dictionary_decode(), False  # it is that of many more rows
        if not encoded:
            column = column.cast(pa.string()).dictionary_encode()
        words = column.dictionary.cast(pa.string()).to_pylist()
        indices = column.indices
        if indices.null_count:
            # The place for what is missing comes last.
            indices = pc.fill_null(indices.cast(pa.int64()), len(words))
        indices = indices.to_numpy(zero_copy_only=False)
        known = self._places_of[name]
        if not known.keys() >= set(words):
            good = np.array([*(word in known for word in words), True], bool)
            message = f"One of: {', '.join(self._features.categories[name])}."
            faults.add(~good[indices], "unknown_category", f"$.{name}", message)
        places = [known.get(word, MISSING) for word in words]
        return np.array([*places, known.get("", MISSING)], np.int64)[indices]


def schema_problems(columns: dict[str, Any], contract: Contract, key: str) -> Iterator[str]:
    """Yield what makes a file's columns not the contract's; types are None for text formats."""
    wanted = {key, *contract.features.names}
    for name in sorted(wanted - columns.keys()):
        if name == key or name in contract.schema["required"]:
            yield f"{name!r} is missing"
    for name in sorted(columns.keys() - wanted):
        yield f"{name!r} is unknown"
    for name, kind in columns.items():
        if kind is not None and name in contract.features.bounds and not _is_number(kind):
            yield f"{name!r} is {kind}, no number"
        elif kind is not None and name in contract.features.categories and not _is_text(kind):
            yield f"{name!r} is {kind}, no text"
        elif kind is not None and name == key and not (_is_text(kind) or pa.types.is_integer(kind)):
            yield f"the key {name!r} is {kind}, neither text nor a whole number"


def _is_number(kind: Any) -> bool:
    types = pa.types
    known = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return bool(known or types.is_null(kind))


def _is_text(kind: Any) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    known = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(known or pa.types.is_null(kind))


def _all(array: Any) -> bool:
    """Return whether all are true; an empty array is, and null is not."""
    return bool(pc.all(array, skip_nulls=False, min_count=0).as_py())


def _all_within(values: Any, low: float | None, high: float | None) -> bool:
    """Return whether all are finite and within the bounds: NaN is less than nothing."""
    if not len(values):
        return True
    least, greatest = values.min(), values.max()
    above = least >= low if low is not None else least > -math.inf
    below = greatest <= high if high is not None else greatest < math.inf
    return bool(above and below)


def _mask(array: Any) -> Any:
    return np.asarray(array.to_numpy(zero_copy_only=False), bool)


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, default=str, ensure_ascii=False)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return f"At most {high}."
    return f"At least {low}." if high is None else f"Between {low} and {high}."
