from pathlib import Path

import pandas as pd
import pytest

from boringml.adapters import declarations
from boringml.contract.violations import violations
from local.datasets import (
    Format,
    churn,
    churn_records,
    credit,
    write_churn_customers,
    write_credit,
)


def test_the_set_is_the_one_that_the_documents_describe() -> None:
    loans = credit()
    assert loans.shape == (9857, 23)
    assert loans["Class"].value_counts().to_dict() == {"good": 9340, "bad": 517}
    assert not loans.isna().any().any()
    assert not loans.duplicated().any()


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_a_slice_is_written_whole_in_every_format(tmp_path: Path, kind: Format) -> None:
    path = write_credit(tmp_path / "new" / f"loans.{kind}", slice(10, 30), kind)
    read = {
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
        "jsonl": lambda p: pd.read_json(p, lines=True),
    }[kind](path)
    assert read.to_dict("records") == credit(slice(10, 30)).to_dict("records")


def test_the_customers_have_a_key_of_their_own_that_stays() -> None:
    customers = churn()
    assert customers.shape == (7043, 21)
    assert customers["churn"].value_counts().to_dict() == {"No": 5174, "Yes": 1869}
    assert customers["customer_id"].is_unique
    assert churn(slice(10, 12))["customer_id"].tolist() == ["C00011", "C00012"]
    missing = customers.isna().sum()
    assert missing[missing > 0].to_dict() == {"total_charges": 11}


def test_every_customer_is_a_request_that_the_contract_takes() -> None:
    schema = declarations.contract("churn")["request"]
    records = churn_records()
    assert [violations(record, schema) for record in records] == [[]] * 7043


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_a_batch_of_customers_has_the_key_and_no_label(tmp_path: Path, kind: Format) -> None:
    path = write_churn_customers(tmp_path / f"customers.{kind}", slice(480, 490), kind)
    read = {
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
        "jsonl": lambda p: pd.read_json(p, lines=True),
    }[kind](path)
    assert set(read.columns) == set(churn().columns) - {"churn"}
    assert read["total_charges"].isna().sum() == 1
