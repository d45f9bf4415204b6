"""Files in, scores out: by both engines, with bad rows, bad files, and files that come twice."""

import json
from typing import Any

import pytest

from local.datasets import churn
from tests.e2e.batch.conftest import Batch

pytestmark = pytest.mark.local_aws


def customers(rows: slice = slice(None)) -> Any:
    return churn(rows).drop(columns="churn")


def parquet(frame: Any, group: int = 2000) -> bytes:
    return frame.to_parquet(index=False, row_group_size=group)


def test_a_file_of_all_customers_is_scored_and_seen_whole(batch: Batch) -> None:
    summary = batch.summary(batch.send("customers.parquet", parquet(customers())))
    assert (summary["rows_in"], summary["scored"], summary["rejected_rows"]) == (7043, 7043, 0)
    table = batch.table(summary["scored_uri"])
    assert table is not None
    assert sorted(table.column("key").to_pylist()) == sorted(customers()["customer_id"])
    (row,) = batch.query(
        "SELECT count(*), count(DISTINCT key), max(model_version) FROM scores "
        f"WHERE model = 'churn' AND run = '{summary['run']}'"
    )
    assert row == ["7043", "7043", "1"]
