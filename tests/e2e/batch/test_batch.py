"""Files in, scores out: by both engines, with bad rows, bad files, and files that come twice."""

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.datasets import churn, credit
from tests.e2e.batch.conftest import Batch
from tests.integration.local.machines import Events

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


def answers(batch: Batch, summary: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    table = batch.table(summary["scored_uri"])
    assert table is not None
    found = {
        row["key"]: (row["row_number"], row["prediction"], row["probability"], row["model_version"])
        for row in table.to_pylist()
    }
    assert len(found) == table.num_rows
    return found


def refused(batch: Batch, summary: dict[str, Any]) -> list[tuple[Any, ...]]:
    table = batch.table(summary["rejected_uri"])
    rows = table.to_pylist() if table is not None else []
    return sorted((row["row_number"], row["code"], row["field"], row["row"]) for row in rows)


def assert_equal(batch: Batch, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Both runs hold the same rows and labels, and probabilities within 1e-6."""
    first, second = answers(batch, one), answers(batch, other)
    assert first.keys() == second.keys()
    for key, (number, label, probability, version) in first.items():
        assert second[key][:2] == (number, label)
        assert abs(second[key][2] - probability) <= 1e-6
        assert second[key][3] == version
    assert refused(batch, one) == refused(batch, other)


def spoiled(rows: int = 2000) -> tuple[bytes, dict[str, int]]:
    """Return customers as CSV with 3 % of bad rows, of eight kinds, and how many of each code."""
    lines = customers(slice(rows)).to_csv(index=False).splitlines()
    names = lines[0].split(",")
    kinds = [
        ("tenure", "-1", "out_of_bounds"),
        ("contract", "Three year", "unknown_category"),
        ("monthly_charges", "ten", "wrong_type"),
        ("tenure", "1.5", "wrong_type"),
        ("monthly_charges", "inf", "not_finite"),
        ("payment_method", "", "missing_field"),
        ("customer_id", "", "missing_key"),
        (None, "", "malformed_row"),
    ]
    counts: dict[str, int] = {}
    for place in range(rows * 3 // 100):
        name, value, code = kinds[place % len(kinds)]
        number = 1 + place * 33
        cells = lines[number].split(",")
        if name is None:
            cells = cells[:5]
        else:
            cells[names.index(name)] = value
        lines[number] = ",".join(cells)
        counts[code] = counts.get(code, 0) + 1
    return ("\n".join(lines) + "\n").encode(), counts


def test_both_engines_answer_alike_on_all_customers(batch: Batch) -> None:
    batch.put("batch/churn/data/all.parquet", parquet(customers()))
    by_map, by_transform = (
        batch.summary(batch.start(key="batch/churn/data/all.parquet", engine=engine))
        for engine in ("map", "transform")
    )
    assert (by_transform["engine"], by_transform["scored"]) == ("transform", 7043)
    assert_equal(batch, by_map, by_transform)


def test_each_bad_row_is_told_with_its_reason_by_both_engines(batch: Batch) -> None:
    content, counts = spoiled()
    batch.put("batch/churn/data/spoiled.csv", content)
    by_map, by_transform = (
        batch.summary(batch.start(key="batch/churn/data/spoiled.csv", engine=engine))
        for engine in ("map", "transform")
    )
    assert by_map["rejected"] == by_transform["rejected"] == counts
    assert by_map["rows_in"] == 2000 == by_map["scored"] + by_map["rejected_rows"]
    assert_equal(batch, by_map, by_transform)
    told = batch.query(
        f"SELECT code, count(*) FROM rejected WHERE run = '{by_map['run']}' GROUP BY code"
    )
    assert {code: int(count) for code, count in told} == counts


def test_the_same_input_twice_is_scored_once_and_answered_twice(batch: Batch) -> None:
    content = parquet(customers(slice(1000)))
    first = batch.summary(batch.send("twice.parquet", content))
    batch.put("batch/churn/data/x.parquet", content)
    one = batch.summary(batch.start(key="batch/churn/incoming/twice.parquet"))
    two = batch.summary(batch.start(key="batch/churn/incoming/twice.parquet"))
    assert first == one == two


def test_two_executions_of_one_input_at_a_time_are_one_run(batch: Batch) -> None:
    batch.put("batch/churn/data/race.parquet", parquet(customers()))
    both = [batch.start(key="batch/churn/data/race.parquet") for _ in range(2)]
    for execution in both:
        batch.stack.ended(execution)
    runs = {key.split("/")[3] for key in batch.keys("scored/churn/") if "race" in key}
    (count,) = batch.query(
        "SELECT count(DISTINCT run), count(*) FROM scores WHERE source LIKE '%race%'"
    )
    assert count == ["1", "7043"], runs


def test_a_manifest_is_one_run_over_its_files_in_any_format(batch: Batch) -> None:
    frame = customers(slice(3000))
    lines = frame[2000:].astype(object).where(frame[2000:].notna(), None).to_dict("records")
    for name, content in {
        "1.parquet": parquet(frame[:1000]),
        "2.csv": frame[1000:2000].to_csv(index=False).encode(),
        "3.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in lines),
    }.items():
        batch.put(f"batch/churn/parts/{name}", content)
    manifest = json.dumps({"prefix": "batch/churn/parts/"}).encode()
    summary = batch.summary(batch.send("month.manifest.json", manifest))
    assert (summary["files"], summary["rows_in"], summary["scored"]) == (3, 3000, 3000)
    assert sorted(answers(batch, summary)) == sorted(frame["customer_id"])


BAD_FILES = {
    "truncated.parquet": ("data_unreadable", lambda: parquet(customers())[:-100]),
    "columns.csv": ("wrong_columns", lambda: b"customer_id,tenure\nC1,3\n"),
    "empty.csv": ("data_empty", lambda: b""),
    "credit.csv": ("wrong_columns", lambda: credit(slice(50)).to_csv(index=False).encode()),
    "notes.txt": ("data_format_unknown", lambda: b"hello"),
    "all-bad.csv": (
        "too_many_rejected",
        lambda: customers(slice(500)).assign(tenure=-1).to_csv(index=False).encode(),
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_ends_in_a_named_failure_and_leaves_nothing(batch: Batch, name: str) -> None:
    code, content = BAD_FILES[name]
    before = (batch.keys("scored/"), batch.keys("rejected/"))
    events = Events(batch.stack.local_aws, {"source": ["boringml"], "detail-type": ["BatchFailed"]})
    assert code in batch.failure(batch.send(f"bad/{name}", content()))
    (told, *_) = events.until_one_is("model", "churn")
    assert told["detail"]["reason"]["code"] == code
    assert (batch.keys("scored/"), batch.keys("rejected/")) == before


# The states of either engine, and the function that works in each: None where it is no function.
MAP_STATES = {
    "OpenBatch": "OpenBatchFunction",
    "PlanChunks": "PlanChunksFunction",
    "ScoreChunks": "ScoreChunkFunction",
    "CommitBatch": "CommitBatchFunction",
    "PublishBatch": "PublishBatchFunction",
}
TRANSFORM_STATES = {
    "PrepareChunks": "PrepareChunkFunction",
    "PlanTransform": "PlanTransformFunction",
    "CreateModel": None,
    "TransformRows": None,
    "DeleteModel": None,
    "JoinChunks": "JoinChunkFunction",
}


@pytest.mark.parametrize("state", MAP_STATES)
def test_a_batch_killed_in_any_state_loses_and_doubles_no_row(batch: Batch, state: str) -> None:
    killed_and_run_again(batch, "map", state, MAP_STATES[state])


@pytest.mark.proof
@pytest.mark.parametrize("state", TRANSFORM_STATES)
def test_a_transform_killed_in_any_state_loses_and_doubles_no_row(batch: Batch, state: str) -> None:
    killed_and_run_again(batch, "transform", state, TRANSFORM_STATES[state])


def killed_and_run_again(batch: Batch, engine: str, state: str, function: str | None) -> None:
    """Kill a batch in a state, run it again, and count its rows."""
    key = f"batch/churn/data/killed-{engine}-{state}.parquet"
    batch.put(key, parquet(customers()))
    for attempt in range(10):
        occasion = f"try-{attempt}"
        given = {"key": key, "occasion": occasion, "engine": engine}
        # A state that is over in a blink is caught at the latest as it is kept from its work.
        with nullcontext() if attempt < 3 else kept_from_work(batch, state, function):
            caught = killed(batch, batch.start(**given), state)
        if caught:
            break
    else:
        raise AssertionError(f"never caught in {state}")
    print(f"caught in {state} at attempt {attempt}")
    summary = batch.summary(batch.start(**given))
    assert (summary["rows_in"], summary["scored"]) == (7043, 7043)
    (seen,) = batch.query(
        "SELECT count(*), count(DISTINCT key), count(DISTINCT run) FROM scores "
        f"WHERE run LIKE '{summary['run'].partition('-')[0]}-%'"
    )
    assert seen == ["7043", "7043", "1"]


def kept_from_work(batch: Batch, state: str, function: str | None) -> AbstractContextManager[None]:
    if function:
        return batch.stack.throttled([function])
    if state == "DeleteModel":  # tried again whatever the error
        return batch.stack.denied("BatchStateMachineRole", ["sagemaker:DeleteModel"])
    return nullcontext()


def killed(batch: Batch, execution: str, state: str) -> bool:
    """Stop an execution as it is in a state; tell whether it was in time."""
    while batch.states.describe_execution(executionArn=execution)["status"] == "RUNNING":
        if state in batch.entered(execution):
            try:
                batch.states.stop_execution(executionArn=execution)
            except ClientError:
                return False  # it ended a moment ago
    found = batch.states.describe_execution(executionArn=execution)["status"]
    return str(found) == "ABORTED" and batch.entered(execution)[-1] == state


def test_the_rows_of_a_batch_are_looked_at_for_drift(batch: Batch) -> None:
    customers = churn().drop(columns="churn")
    customers["tenure"] = customers["tenure"] + 12
    summary = batch.summary(batch.send("drifted.parquet", customers.to_parquet(index=False)))
    answer = batch.stack.local_aws.client("lambda").invoke(
        FunctionName=batch.stack.outputs["MeasureDriftFunction"],
        Payload=json.dumps({"models": ["churn"]}).encode(),
    )
    found = json.loads(answer["Payload"].read())["churn"]
    assert found["status"] == "raised"
    assert f"7,043 rows of batch {summary['run']}" in found["says"]
    # A year more for everybody: some are beyond the longest of the baseline.
    assert "tenure (values above" in found["says"]
    assert "mean up by 0.49 deviations" in found["says"]
    assert "monthly_charges" not in found["says"]
