"""Data against the contract, in every format that training reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from boringml.contract.features import features_of
from boringml.errors import BoringError
from boringml.training.data_check import checked_table
from boringml.training.data_files import load
from container.trainer.rows import Rows, rows_of
from local.datasets import Format, write

CONTRACT: dict[str, Any] = {
    "request": {
        "properties": {
            "colour": {"type": "string", "enum": ["red", "green"]},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
            "rate": {"type": "number", "minimum": 0, "maximum": 1},
        }
    },
    "decision": {"target": "Class", "positive": "bad", "negative": "good", "threshold": 0.5},
    "data": {
        "max_bytes": 100_000,
        "min_rows": 4,
        "max_null_fraction": {"rate": 0.3},
        "min_positive_share": 0.1,
        "max_positive_share": 0.6,
    },
}
FEATURES = features_of(CONTRACT)
NOTES: dict[str, Any] = {
    **CONTRACT,
    "request": {
        "properties": {
            "note": {"type": "string", "minLength": 2, "maxLength": 5000},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
        }
    },
    "data": {**CONTRACT["data"], "max_null_fraction": {"note": 0.25}},
}
TEXTS = [
    'She said "good", twice,\nand\n\nleft.',
    "\r\nwindows\r",
    "naïve café \U0001f600 美味しい",
    "  spaces stay  ",
    "2026-01-01",
    "17",
    "null",
    "x" * 5000,
]
FORMATS: list[Format] = ["csv", "parquet", "jsonl"]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rate": [0.1, 0.2, 1 / 3, 0.30000000000000004, 0.0],
            "age": [20, 30, 40, 50, 60],
            "colour": ["red", "green", "red", "green", "red"],
            "Class": ["good", "bad", "good", "good", "bad"],
        }
    )


def check(folder: Path) -> Rows:
    files = load(folder, FEATURES, CONTRACT["data"]["max_bytes"])
    return rows_of(checked_table(files, CONTRACT, FEATURES), FEATURES, "Class", "bad")


def refusal(folder: Path) -> BoringError:
    with pytest.raises(BoringError) as caught:
        check(folder)
    return caught.value


def test_features_come_numeric_first_each_in_the_order_of_the_contract() -> None:
    assert FEATURES.names == ("age", "rate", "colour")
    assert (FEATURES.numeric_columns, FEATURES.categorical_columns) == ([0, 1], [2])
    assert FEATURES.integers == {"age"}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_rows_are_the_same_to_the_bit_in_every_format(
    tmp_path: Path, kind: Format
) -> None:
    (tmp_path / "one").mkdir()
    write(frame(), tmp_path / "one" / "a.csv", "csv")
    (tmp_path / "two").mkdir()
    write(frame().sample(frac=1, random_state=1), tmp_path / "two" / f"b.{kind}", kind)
    one, two = check(tmp_path / "one"), check(tmp_path / "two")
    pd.testing.assert_frame_equal(one.frame, two.frame, check_exact=True)
    assert one.keys == two.keys
    assert one.digest == two.digest
    assert np.array_equal(one.labels, two.labels)


def test_rows_spread_over_files_and_folders_are_one_set(tmp_path: Path) -> None:
    write(frame(), tmp_path / "whole.csv", "csv")
    whole = check(tmp_path)
    (tmp_path / "whole.csv").unlink()
    (tmp_path / "day=2").mkdir()
    write(frame()[:2], tmp_path / "day=2" / "a.parquet", "parquet")
    write(frame()[2:], tmp_path / "b.jsonl", "jsonl")
    (tmp_path / "_SUCCESS").touch()
    assert check(tmp_path).digest == whole.digest


def test_a_row_in_the_holdout_stays_there_when_rows_are_added(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    many = pd.DataFrame(
        {
            "rate": rng.random(400),
            "age": rng.integers(0, 120, 400),
            "colour": rng.choice(["red", "green"], 400),
            "Class": rng.choice(["good", "bad"], 400),
        }
    )
    write(many[:200], tmp_path / "a.csv", "csv")
    learned, held_out = check(tmp_path).split(0.2)
    write(many[200:], tmp_path / "b.csv", "csv")
    learned_later, held_out_later = check(tmp_path).split(0.2)
    assert set(held_out.keys) <= set(held_out_later.keys)
    assert not set(held_out_later.keys) & set(learned.keys)
    assert len(learned_later) + len(held_out_later) == 400


def test_missing_values_that_the_contract_allows_become_nan(tmp_path: Path) -> None:
    data = frame()
    data.loc[0, "rate"] = None
    write(data, tmp_path / "a.csv", "csv")
    assert int(check(tmp_path).frame["rate"].isna().sum()) == 1


CHANGES: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "a column left out": (lambda f: f.drop(columns="age"), "missing_column"),
    "no label": (lambda f: f.drop(columns="Class"), "missing_column"),
    "a column too many": (lambda f: f.assign(rownames=1), "unknown_column"),
    "text for a number": (lambda f: f.assign(age=["old"] * 5), "wrong_type"),
    "a fraction for a whole number": (lambda f: f.assign(age=f["age"] + 0.5), "wrong_type"),
    "truth for a number": (lambda f: f.assign(rate=[True] * 5), "wrong_type"),
    "too many gaps": (lambda f: f.assign(rate=[None, None, 0.1, 0.2, 0.3]), "null_values"),
    "a gap where none may be": (lambda f: f.assign(colour=[None, *f["colour"][1:]]), "null_values"),
    "a row without label": (lambda f: f.assign(Class=[None, *f["Class"][1:]]), "null_values"),
    "too small": (lambda f: f.assign(age=f["age"] - 21), "out_of_bounds"),
    "too large": (lambda f: f.assign(rate=f["rate"] * 10), "out_of_bounds"),
    "an unknown category": (lambda f: f.assign(colour="blue"), "unknown_category"),
    "an unknown label": (lambda f: f.assign(Class=["ok", *f["Class"][1:]]), "unknown_category"),
    "too few rows": (lambda f: f[:3], "too_few_rows"),
    "one class": (lambda f: f.assign(Class="good"), "one_class"),
    "too many positives": (lambda f: f.assign(Class=["bad"] * 4 + ["good"]), "label_balance"),
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", CHANGES)
def test_bad_data_are_refused_by_name_in_every_format(
    tmp_path: Path, name: str, kind: Format
) -> None:
    change, code = CHANGES[name]
    write(change(frame()), tmp_path / f"a.{kind}", kind)
    assert refusal(tmp_path).code == code


@pytest.mark.parametrize("value", ["NaN", "inf", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, value: str) -> None:
    write(frame().astype({"rate": object}).assign(rate=value), tmp_path / "a.csv", "csv")
    assert refusal(tmp_path).code == "not_finite"


def test_text_is_a_number_only_where_the_format_knows_no_types(tmp_path: Path) -> None:
    write(frame().assign(age=frame()["age"].astype(str)), tmp_path / "a.parquet", "parquet")
    error = refusal(tmp_path)
    assert (error.code, error.details["fields"]) == ("wrong_type", ["age"])


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    write(frame().assign(age=-1, colour="blue"), tmp_path / "a.csv", "csv")
    error = refusal(tmp_path)
    assert error.details["fields"] == ["age", "colour"]
    assert "age in a.csv has -1.0, minimum 0" in error.message
    assert "colour in a.csv has 'blue'" in error.message


def test_a_bad_file_is_named_beside_a_good_one(tmp_path: Path) -> None:
    write(frame(), tmp_path / "good.csv", "csv")
    write(frame().drop(columns="age"), tmp_path / "bad.csv", "csv")
    error = refusal(tmp_path)
    assert error.code == "missing_column"
    assert "bad.csv has no 'age'" in error.message


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "data_unreadable"),
        ("a.csv", b"age,rate,colour,Class\n1,2\n", "data_unreadable"),
        ("a.csv", b"\xff\xfe\x00", "data_unreadable"),
        ("a.parquet", b"PAR1 this is not one PAR1", "data_unreadable"),
        ("a.jsonl", b'{"age": ', "data_unreadable"),
        ("a.csv", b"age,rate,colour,Class\n", "too_few_rows"),
        ("a.csv", b"age,age,rate,colour,Class\n1,1,0,red,bad\n", "unknown_column"),
        ("a.xlsx", b"PK", "data_format_unknown"),
        ("_SUCCESS", b"", "data_missing"),
        ("a.csv", b"x" * 100_001, "data_too_large"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path).code == code


def test_a_channel_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "train").code == "data_missing"


def test_json_lines_may_write_whole_numbers_without_a_point(tmp_path: Path) -> None:
    lines = [json.dumps({**row, "rate": 1}) for row in frame().to_dict("records")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert check(tmp_path).frame["rate"].tolist() == [1.0] * 5


def test_text_that_looks_like_a_date_stays_text(tmp_path: Path) -> None:
    line = json.dumps({"age": 1, "rate": 0.5, "colour": "2026-01-01", "Class": "bad"})
    (tmp_path / "a.jsonl").write_text(line)
    error = refusal(tmp_path)
    assert error.code == "unknown_category"
    assert "'2026-01-01'" in error.message


# --- texts ------------------------------------------------------------------------------------


def notes(texts: list[str | None]) -> pd.DataFrame:
    labels = ["good", "bad"] * len(texts)
    return pd.DataFrame({"age": 1, "note": texts, "Class": labels[: len(texts)]})


def check_notes(folder: Path) -> Rows:
    features = features_of(NOTES)
    files = load(folder, features, NOTES["data"]["max_bytes"])
    return rows_of(checked_table(files, NOTES, features), features, "Class", "bad")


def test_texts_come_last_in_a_frame() -> None:
    both = {**CONTRACT["request"]["properties"], **NOTES["request"]["properties"]}
    features = features_of({"request": {"properties": dict(sorted(both.items(), reverse=True))}})
    assert features.names == ("rate", "age", "colour", "note")
    assert (features.text_columns, features.lengths) == ([3], {"note": (2, 5000)})


@pytest.mark.parametrize("kind", FORMATS)
def test_texts_stay_as_they_are_in_every_format(tmp_path: Path, kind: Format) -> None:
    write(notes(TEXTS), tmp_path / f"a.{kind}", kind)
    assert sorted(check_notes(tmp_path).frame["note"]) == sorted(TEXTS)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_texts_may_be_larger_than_what_is_read_at_once(
    tmp_path: Path, kind: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{number}\n" + 'long, "quoted" ' * 300 for number in range(600)]
    path = tmp_path / f"a.{kind}"
    write(notes(texts), path, kind)
    monkeypatch.setitem(NOTES["data"], "max_bytes", 10**8)
    if kind != "parquet":
        assert path.stat().st_size > 2**21
    assert sorted(check_notes(tmp_path).frame["note"]) == sorted(texts)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_text_is_a_missing_one(tmp_path: Path, kind: Format) -> None:
    write(notes([None, "ab", "cd", "ef"]), tmp_path / f"a.{kind}", kind)
    assert sorted(check_notes(tmp_path).frame["note"]) == ["", "ab", "cd", "ef"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["secret" * 1000, "ab", "cd", "ef"], "text_too_long"),
        (["s", "ab", "cd", "ef"], "text_too_short"),
        ([None, None, "cd", "ef"], "null_values"),
    ],
)
def test_bad_texts_are_refused_by_name_and_never_repeated(
    tmp_path: Path, texts: list[str | None], code: str, kind: Format
) -> None:
    write(notes(texts), tmp_path / f"a.{kind}", kind)
    with pytest.raises(BoringError) as caught:
        check_notes(tmp_path)
    assert (caught.value.code, caught.value.details["fields"]) == (code, ["note"])
    assert "secret" not in caught.value.message


def test_a_number_is_no_text_where_the_format_knows_types(tmp_path: Path) -> None:
    write(notes(["ab", "cd", "ef", "gh"]).assign(note=5), tmp_path / "a.parquet", "parquet")
    with pytest.raises(BoringError, match="wrong_type"):
        check_notes(tmp_path)


def test_equal_texts_stay_on_one_side_whatever_their_label(tmp_path: Path) -> None:
    texts = [f"text {number % 50}" for number in range(400)]
    write(notes(texts), tmp_path / "a.csv", "csv")
    learned, held_out = check_notes(tmp_path).split(0.3)
    assert len(held_out)
    assert not set(learned.frame["note"]) & set(held_out.frame["note"])
