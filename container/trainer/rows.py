"""Rows as a pipeline takes them, in an order that no file can influence."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from boringml.contract.features import Features
from boringml.training.split import data_digest, is_held_out, row_key


@dataclass(frozen=True)
class Rows:
    """N rows: `frame` as train.py sees it, `labels` 1 for the positive class, and their keys."""

    frame: pd.DataFrame
    labels: NDArray[np.int64]
    keys: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def positive_share(self) -> float:
        return float(self.labels.mean())

    @property
    def digest(self) -> str:
        """sha256 of the rows and labels: equal for the same rows in any format and order."""
        return data_digest(self.keys, self.labels.tolist())

    def split(self, share: float) -> tuple["Rows", "Rows"]:
        """Return (rows to learn from, rows held out), each in the order of the keys."""
        held_out = np.array([is_held_out(key, share) for key in self.keys], dtype=bool)
        return self._take(~held_out), self._take(held_out)

    def _take(self, chosen: NDArray[np.bool_]) -> "Rows":
        return Rows(
            self.frame[chosen].reset_index(drop=True),
            self.labels[chosen],
            tuple(key for key, here in zip(self.keys, chosen, strict=True) if here),
        )


def rows_of(table: pa.Table, features: Features, target: str, positive: str) -> Rows:
    """Return the rows of a checked table, sorted by key and label.

    A missing number is NaN, a missing text "". Sorting makes a training independent of how its
    rows were spread over files, and is a shuffle that needs no seed.
    """
    frame = frame_of(table, features)
    labels = np.array([label == positive for label in table.column(target).to_pylist()], np.int64)
    keys = _keys(frame, features)
    order = sorted(range(len(keys)), key=lambda i: (keys[i], labels[i]))
    return Rows(
        frame.iloc[order].reset_index(drop=True), labels[order], tuple(keys[i] for i in order)
    )


def frame_of(table: pa.Table, features: Features) -> pd.DataFrame:
    """Return float64 columns, then str columns (dtype object), in the order of the contract."""
    columns: dict[str, pd.Series] = {}
    for name in features.numeric:
        values = table.column(name).to_numpy().astype(np.float64)
        columns[name] = pd.Series(values + 0.0)  # -0.0 and 0.0 are one number
    for name in (*features.categorical, *features.text):
        texts = [text or "" for text in table.column(name).to_pylist()]
        columns[name] = pd.Series(texts, dtype=object)
    return pd.DataFrame(columns)


def _keys(frame: pd.DataFrame, features: Features) -> list[bytes]:
    # By name, so that a contract whose properties change places keeps its holdout.
    numbers = frame[sorted(features.numeric)].to_numpy().tolist()
    texts = frame[sorted((*features.categorical, *features.text))].to_numpy(dtype=object).tolist()
    return [row_key(number, text) for number, text in zip(numbers, texts, strict=True)]
