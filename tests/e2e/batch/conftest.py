"""A stack with a live version of churn, and what a test of batch does with it."""

import json
import time
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from local.batch_demo import table_below
from local.datasets import write_churn
from local.following import executions, follow, started_after
from tests.e2e.conftest import Stack


@dataclass(frozen=True)
class Batch:
    """Batches of one stack."""

    stack: Stack

    @property
    def lake(self) -> str:
        return self.stack.outputs["LakeBucket"]

    @property
    def s3(self) -> Any:
        return self.stack.local_aws.client("s3")

    @property
    def states(self) -> Any:
        return self.stack.local_aws.client("stepfunctions")

    @property
    def machine(self) -> str:
        return self.stack.outputs["BatchStateMachine"]

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.lake, Key=key, Body=content)

    def send(self, name: str, content: bytes) -> str:
        """Put a file under incoming/; return the execution that it started."""
        known = executions(self.states, self.machine)
        self.put(f"batch/churn/incoming/{name}", content)
        return started_after(self.states, self.machine, known)

    def start(self, **given: Any) -> str:
        """Start a batch as a person does."""
        answer = self.states.start_execution(
            stateMachineArn=self.machine, input=json.dumps({"model": "churn", **given})
        )
        return str(answer["executionArn"])

    def summary(self, execution: str) -> dict[str, Any]:
        """Return the output of an execution, once it has succeeded."""
        return follow(self.states, execution, lambda _line: None)

    def failure(self, execution: str) -> str:
        return self.stack.failure(execution)

    def entered(self, execution: str) -> list[str]:
        """Return the states that an execution entered, of its own level."""
        history = self.states.get_execution_history(executionArn=execution, maxResults=1000)
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in history["events"]
            if event["type"].endswith("StateEntered")
        ]

    def keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.lake, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def table(self, uri: str) -> pa.Table | None:
        """Return the parts below a folder; None where there is none."""
        return table_below(self.s3, uri)

    def query(self, sql: str) -> list[list[str]]:
        """Return the rows of an Athena query, without its header."""
        athena = self.stack.local_aws.client("athena")
        started = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.stack.outputs["LakeDatabase"]},
            ResultConfiguration={"OutputLocation": f"s3://{self.lake}/athena/"},
        )["QueryExecutionId"]
        deadline = time.monotonic() + 60
        while True:
            found = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            if found["State"] not in ("QUEUED", "RUNNING"):
                break
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert found["State"] == "SUCCEEDED", found
        rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"][1:]
        return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in rows]


@pytest.fixture(scope="session")
def batch(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """A stack with version 1 of churn live, by its training data alone."""
    file = write_churn(tmp_path_factory.mktemp("churn") / "customers.csv")
    states = stack.local_aws.client("stepfunctions")
    known = executions(states, stack.outputs["TrainStateMachine"])
    key = f"data/churn/{file.name}"
    stack.local_aws.client("s3").upload_file(str(file), stack.outputs["LakeBucket"], key)
    trained = started_after(states, stack.outputs["TrainStateMachine"], known)
    assert stack.output(trained) == {"model": "churn", "version": 1}
    stack.until(lambda: stack.registry.alias("churn", "live") == 1, "version 1 is live", 180)
    return Batch(stack)
