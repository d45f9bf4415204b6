"""Distributed Map, partitioned tables and ranges of versions on the local AWS, by their effects."""

import json
import time
from typing import Any

import pytest

from tests.integration.local.machines import Machines, catching, only, task
from tests.integration.local.training_world import TrainingWorld, allow, unique, until, world

pytestmark = pytest.mark.local_aws
__all__ = ["world"]


@pytest.fixture
def machines(world: TrainingWorld) -> Machines:
    """The maker of state machines."""
    return Machines(world)


@pytest.fixture
def bucket(world: TrainingWorld) -> str:
    """A bucket of the test's own, with versions."""
    name, s3 = unique("bucket"), world.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def mapped(inner: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a Distributed Map of one state."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Inner",
        "States": {"Inner": inner},
    }
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **members}


def passing(output: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Output": output, "End": True}


FAILS_ON_THREE = {
    "Type": "Pass",
    "Output": "{% $states.input = 3 ? $error('three') : $states.input %}",
    "End": True,
}


def test_expressions_read_select_and_put_out(machines: Machines, bucket: str) -> None:
    items = [{"n": 1}, {"n": 2}, {"n": 3}]
    machines.world.client("s3").put_object(
        Bucket=bucket, Key="list.json", Body=json.dumps(items).encode()
    )
    state = mapped(
        passing("{% $states.input.sum %}"),
        ItemReader={
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Arguments": {"Bucket": bucket, "Key": "{% $states.input.key %}"},
        },
        ItemSelector={"sum": "{% $states.context.Map.Item.Value.n + $states.input.more %}"},
        MaxConcurrency="{% $states.input.at_once %}",
        Output="{% $sum($states.result) %}",
    )
    given = {"key": "list.json", "more": 10, "at_once": 2}
    assert machines.output(only(state), value=given) == 36


def test_a_child_sees_none_of_its_parents_variables(machines: Machines) -> None:
    state = mapped(passing("{% $exists($mine) %}"), Items=[1, 2], Output="{% $states.result %}")
    first = {"Type": "Pass", "Assign": {"mine": 1}, "Next": "Only"}
    definition = {"StartAt": "First", "States": {"First": first, "Only": state}}
    assert machines.output(definition) == [False, False]


@pytest.mark.parametrize(("tolerated", "ends"), [(10, "FAILED"), (50, "SUCCEEDED")])
def test_tolerated_failures_are_computed(machines: Machines, tolerated: int, ends: str) -> None:
    state = mapped(
        FAILS_ON_THREE,
        Items=[1, 2, 3, 4],
        ToleratedFailurePercentage="{% $states.input.share %}",
        Output={},
    )
    found = machines.run(only(state), value={"share": tolerated})
    assert found["status"] == ends
    if ends == "FAILED":
        assert found["error"] == "States.ExceedToleratedFailureThreshold"


def test_the_role_must_be_allowed_to_start_its_own_machine(machines: Machines) -> None:
    found = machines.run(only(mapped(passing(1), Items=[1])), allow("logs:*"))
    assert (found["status"], "states:StartExecution" in found["cause"]) == ("FAILED", True)


@pytest.mark.parametrize("field", ["ItemBatcher", "ResultWriter"])
def test_what_is_not_emulated_fails_loudly(machines: Machines, field: str) -> None:
    found = machines.run(only(mapped(passing(1), Items=[1], **{field: {}})))
    assert (found["status"], field in found["cause"]) == ("FAILED", True)


def test_a_result_beyond_the_limit_fails(machines: Machines) -> None:
    state = mapped(passing("x" * 100_000), Items=[1, 2, 3], Catch=catching("States.ALL"))
    found = machines.run(only(state))
    assert found.get("error", "States.DataLimitExceeded") == "States.DataLimitExceeded"
    assert "DataLimitExceeded" in str(found.get("output", found.get("error")))


def test_no_child_starts_after_its_parent_was_stopped(machines: Machines) -> None:
    slow = (
        "import time\nseen = []\ndef handler(event, context):\n    time.sleep(0.4)\n    return 1\n"
    )
    function = machines.function(slow)
    inner = task("lambda:invoke", {"FunctionName": function, "Payload": {}})
    state = mapped(inner, Items=list(range(20)), MaxConcurrency=1, Output={})
    execution = machines.start(machines.create(only(state)))

    def children() -> list[Any]:
        runs = machines.states.list_map_runs(executionArn=execution)["mapRuns"]
        if not runs:
            return []
        arn = runs[0]["mapRunArn"]
        return list(machines.states.list_executions(mapRunArn=arn)["executions"])

    until(children)
    machines.states.stop_execution(executionArn=execution)
    until(lambda: all(child["status"] != "RUNNING" for child in children()))
    invoked = {child["executionArn"] for child in children() if child["status"] == "SUCCEEDED"}
    assert len(invoked) < 5


def test_a_range_of_a_version_is_that_range(world: TrainingWorld, bucket: str) -> None:
    s3 = world.client("s3")
    old = s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"other")
    found = s3.get_object(Bucket=bucket, Key="a", VersionId=old, Range="bytes=7-20")
    assert (found["Body"].read(), found["ContentRange"]) == (b"789", "bytes 7-9/10")
    with pytest.raises(s3.exceptions.ClientError, match="InvalidRange"):
        s3.get_object(Bucket=bucket, Key="a", VersionId=old, Range="bytes=10-")


def test_a_query_sees_the_registered_partitions_and_nothing_else(
    world: TrainingWorld, bucket: str
) -> None:
    s3, glue, athena = (world.client(name) for name in ("s3", "glue", "athena"))
    database = unique("database").replace("-", "_")
    storage = {
        "Location": f"s3://{bucket}/t/",
        "Columns": [{"Name": "n", "Type": "bigint"}],
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
            "Parameters": {"classification": "json"},
        },
    }
    glue.create_database(DatabaseInput={"Name": database})
    keys = [{"Name": "day", "Type": "string"}]
    table = {"Name": "t", "PartitionKeys": keys, "StorageDescriptor": storage}
    glue.create_table(
        DatabaseName=database, TableInput={**table, "Parameters": {"classification": "json"}}
    )
    for folder in ("one", "two"):
        s3.put_object(Bucket=bucket, Key=f"t/{folder}/a.json", Body=b'{"n": 1}\n')

    def rows() -> list[list[str]]:
        started = athena.start_query_execution(
            QueryString="SELECT n, day FROM t",
            QueryExecutionContext={"Database": database},
            ResultConfiguration={"OutputLocation": f"s3://{bucket}/out/"},
        )["QueryExecutionId"]
        while True:
            state = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            if state["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.05)
        assert state["State"] == "SUCCEEDED", state
        found = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"][1:]
        return [[cell["VarCharValue"] for cell in row["Data"]] for row in found]

    assert rows() == []
    glue.create_partition(
        DatabaseName=database,
        TableName="t",
        PartitionInput={
            "Values": ["monday"],
            "StorageDescriptor": {**storage, "Location": f"s3://{bucket}/t/two/"},
        },
    )
    assert rows() == [["1", "monday"]]
