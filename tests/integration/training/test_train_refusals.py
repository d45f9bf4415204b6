"""What `container/train` refuses: exit code 1, `code: message` in output/failure, no package."""

import subprocess
from collections.abc import Callable

import pytest

from local.datasets import credit, write
from tests.integration.training.ml_root import TIMEOUT, MlRoot

ROWS = slice(0, 1000)


def bad_column(job: MlRoot) -> None:
    write(credit(ROWS).rename(columns={"int_rate": "rate"}), job.train / "a.csv", "csv")


def wrong_type(job: MlRoot) -> None:
    write(credit(ROWS).assign(annual_inc="a lot"), job.train / "a.csv", "csv")


def nulls(job: MlRoot) -> None:
    rows = credit(ROWS).astype({"annual_inc": "float64"})
    rows.loc[5:9, "annual_inc"] = None
    write(rows, job.train / "a.parquet", "parquet")


def one_class(job: MlRoot) -> None:
    write(credit(ROWS).assign(Class="good"), job.train / "a.csv", "csv")


def empty_file(job: MlRoot) -> None:
    (job.train / "a.csv").touch()


def corrupt_parquet(job: MlRoot) -> None:
    path = job.train / "a.parquet"
    write(credit(ROWS), path, "parquet")
    content = bytearray(path.read_bytes())
    # The footer, which is the last thing in the file, tells where the columns are.
    content[-200:-100] = bytes(100)
    path.write_bytes(content)


def no_data(job: MlRoot) -> None:
    job.train.rmdir()


def unknown_model(job: MlRoot) -> None:
    text = '{"model": "nobody"}'
    (job.root / "input" / "config" / "hyperparameters.json").write_text(text)


CASES: dict[str, tuple[Callable[[MlRoot], None], str, str]] = {
    "bad column": (bad_column, "missing_column", "a.csv has no 'int_rate'"),
    "wrong type": (wrong_type, "wrong_type", "annual_inc in a.csv"),
    "nulls": (nulls, "null_values", "annual_inc in a.parquet has 5 empty of 1000"),
    "one class": (one_class, "one_class", "same label"),
    "empty file": (empty_file, "data_unreadable", "a.csv is empty"),
    "corrupt Parquet": (corrupt_parquet, "data_unreadable", "a.parquet cannot be read"),
    "no data": (no_data, "data_missing", "'train'"),
    "unknown model": (unknown_model, "model_unknown", "is one of ['churn', 'credit', 'reviews']."),
}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[MlRoot, int, str]]:
    """Every case's job, exit code and output. All run at once: what takes time is their start."""
    running: dict[str, tuple[MlRoot, subprocess.Popen[str]]] = {}
    for name, (prepare, _, _) in CASES.items():
        job = MlRoot(tmp_path_factory.mktemp("job"))
        prepare(job)
        running[name] = (job, job.start())
    return {name: (job, *_ended(process)) for name, (job, process) in running.items()}


def _ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = process.communicate(timeout=TIMEOUT)
    return process.returncode, output


@pytest.mark.parametrize("name", CASES)
def test_a_job_that_cannot_be_done_says_why_and_leaves_no_package(
    refusals: dict[str, tuple[MlRoot, int, str]], name: str
) -> None:
    job, exit_code, output = refusals[name]
    _, code, words = CASES[name]
    assert exit_code == 1
    assert job.failure.startswith(f"{code}: ")
    assert words in job.failure
    assert code in output
    assert "Traceback" not in output
    assert not job.model.exists()


def test_a_failure_fits_what_sagemaker_keeps(
    refusals: dict[str, tuple[MlRoot, int, str]],
) -> None:
    assert all(0 < len(job.failure) <= 1024 for job, _, _ in refusals.values())
