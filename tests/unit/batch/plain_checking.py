"""The plain definition of what columns are: every rule asked of every row, texts as texts.

Tests hold the fast path to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from boringml.batch.checking import Rejection
from boringml.contract.contract import Contract

# What counts as a number in text: JSON's, with the signs, points and words that CSV writers add.
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+|nan|inf|infinity)(e[-+]?\d+)?\s*$"
# A byte that is no UTF-8 was replaced by this when the text was read.
_NO_TEXT = "�"


@dataclass(frozen=True)
class Accepted:
    """Rows to score, in order: `numeric` is float64 (n, fields), `categorical` object (n, fields).

    What is missing is NaN or "", as models are trained to take it.
    """

    keys: Sequence[str]
    row_numbers: Any
    numeric: Any
    categorical: Any

    def __len__(self) -> int:
        return len(self.row_numbers)


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


class PlainChecker:
    """Checks the rows of one contract, whose rows are named by the column `key`."""

    def __init__(self, contract: Contract, key: str) -> None:
        self._key = key
        self._features = contract.features
        self._rules = contract.schema["properties"]
        self._required = frozenset(contract.schema["required"])
        self._allowed = {
            name: pa.array(values, pa.string())
            for name, values in self._features.categories.items()
        }

    def columns(self, batch: Any, row_numbers: Any) -> tuple[Accepted, list[Rejection]]:
        """Return the rows of a record batch whose columns are the contract's and the key.

        Text in a numeric column is read as a number.
        """
        rows = batch.num_rows
        faults = _Faults({}, np.zeros(rows, bool))
        names = self._features
        keys = batch.column(self._key).cast(pa.string())
        self._check_keys(keys, faults)
        numeric = np.empty((rows, len(names.numeric)), np.float64)
        categorical = np.empty((rows, len(names.categorical)), object)
        for name in self._rules:
            known = name in batch.schema.names
            column = batch.column(name) if known else pa.nulls(rows)
            if name in names.bounds:
                numeric[:, names.numeric.index(name)] = self._numbers(name, column, faults)
            else:
                categorical[:, names.categorical.index(name)] = self._texts(name, column, faults)
        rejected = [
            Rejection(int(row_numbers[index]), *fault, _shown(batch, index))
            for index, fault in sorted(faults.found.items())
        ]
        if not rejected:
            return Accepted(keys.to_pylist(), row_numbers, numeric, categorical), []
        good = np.flatnonzero(~faults.bad)
        kept = keys.take(pa.array(good)).to_pylist()
        accepted = Accepted(kept, row_numbers[good], numeric[good], categorical[good])
        return accepted, rejected

    def _check_keys(self, keys: Any, faults: _Faults) -> None:
        where = f"$.{self._key}"
        empty = pc.or_kleene(pc.is_null(keys), pc.equal(pc.fill_null(keys, ""), ""))
        faults.add(_mask(empty), "missing_key", where, "The key is empty.")
        strange = pc.match_substring(pc.fill_null(keys, ""), _NO_TEXT)
        faults.add(_mask(strange), "malformed_text", where, "The key is no UTF-8.")

    def _missing(self, name: str, column: Any, faults: _Faults) -> None:
        if column.null_count and name in self._required and not self._rules[name].get("nullable"):
            empty = _mask(pc.is_null(column))
            faults.add(empty, "missing_field", f"$.{name}", "This field is required.")

    def _numbers(self, name: str, column: Any, faults: _Faults) -> Any:
        where = f"$.{name}"
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
        self._missing(name, column, faults)
        present = _mask(pc.is_valid(column))
        values = column.to_numpy(zero_copy_only=False)
        finite = np.isfinite(values)
        faults.add(present & ~finite, "not_finite", where, "This field is a finite number.")
        known = present & finite
        if name in self._features.integers:
            broken = known & (values != np.floor(values))
            faults.add(broken, "wrong_type", where, "This field is a whole number.")
        low, high = self._features.bounds[name]
        outside = np.zeros(len(values), bool)
        if low is not None:
            outside |= values < low
        if high is not None:
            outside |= values > high
        faults.add(known & outside, "out_of_bounds", where, _bounds(low, high))
        return values

    def _texts(self, name: str, column: Any, faults: _Faults) -> Any:
        self._missing(name, column, faults)
        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        words = column.dictionary.cast(pa.string())
        # The place for what is missing comes last: its index is -1.
        texts = np.array([*words.to_pylist(), ""], object)
        known = np.append(_mask(pc.is_in(words, self._allowed[name])), True)
        indices = pc.fill_null(column.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        message = f"One of: {', '.join(self._features.categories[name])}."
        faults.add(~known[indices], "unknown_category", f"$.{name}", message)
        return texts[indices]


def _mask(array: Any) -> Any:
    return np.asarray(array.to_numpy(zero_copy_only=False), bool)


def _shown(batch: Any, index: int) -> str:
    row = batch.slice(index, 1).to_pylist()[0]
    return json.dumps(row, default=str, ensure_ascii=False)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return f"At most {high}."
    return f"At least {low}." if high is None else f"Between {low} and {high}."
