"""`boringml jobs`: a job as it is stored, and dead messages back to their queue."""

from typing import Any

import boto3
import pytest

from boringml_cli import session
from tests.unit.cli import conftest
from tests.unit.cli.conftest import World
from tests.unit.jobs.samples import CLIENT, JOB_ID, POSTED_MS
from tests.unit.registry.samples import package


@pytest.fixture
def outputs(shell: pytest.MonkeyPatch, world: World) -> None:
    known = {
        **conftest.OUTPUTS,
        "JobsTable": "jobs",
        "CreditJobDeadQueue": "https://sqs.us-east-1.amazonaws.com/123456789012/dead",
    }
    shell.setattr(session.Session, "found", lambda _self, name: known[name])
    boto3.client("dynamodb").create_table(
        TableName="jobs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )


@pytest.mark.usefixtures("outputs")
def test_a_job_is_shown_whoever_posted_it(world: World) -> None:
    item: dict[str, Any] = {
        "pk": {"S": f"JOB#{JOB_ID}"},
        "job_id": {"S": JOB_ID},
        "model": {"S": "credit"},
        "client": {"S": CLIENT},
        "status": {"S": "failed"},
        "posted_ms": {"N": str(POSTED_MS)},
        "outcome": {"S": '{"error": {"code": "worker_lost", "message": "lost"}}'},
        "callback": {"S": "orders"},
        "expires_at": {"N": "1"},
    }
    boto3.client("dynamodb").put_item(TableName="jobs", Item=item)
    assert world.json("jobs", "show", JOB_ID) == {
        "job_id": JOB_ID,
        "model": "credit",
        "status": "failed",
        "posted_at": "2026-01-01T10:00:00.000Z",
        "error": {"code": "worker_lost", "message": "lost"},
        "client": CLIENT,
        "callback": "orders",
        "is_told": False,
    }

    assert '{"code": "worker_lost", "message": "lost"}' in world.run("jobs", "show", JOB_ID).stdout


@pytest.mark.usefixtures("outputs")
def test_a_job_that_nobody_wrote_of_is_refused(world: World) -> None:
    assert world.refusal("jobs", "show", JOB_ID)["code"] == "job_not_found"


@pytest.mark.usefixtures("outputs")
def test_a_redrive_of_an_unknown_model_is_refused(world: World) -> None:
    assert world.refusal("jobs", "redrive", "credit")["code"] == "model_not_found"


def test_a_redrive_of_a_model_without_jobs_is_refused(world: World) -> None:
    world.registry.register_version(package(1), by="train", why="its gates passed")
    error = world.refusal("jobs", "redrive", "credit")
    assert error["code"] == "queue_not_found"
    assert error["message"].startswith("credit has no jobs in boringml-test:")
