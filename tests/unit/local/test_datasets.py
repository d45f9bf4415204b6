from pathlib import Path

import pandas as pd
import pytest

from local.datasets import Format, credit, write_credit


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
