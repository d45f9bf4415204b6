"""The deployed application with reviews live, and what tests of its jobs do with it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks.jobs.killer import Killer
from local.datasets import write_reviews
from local.endpoints import Command
from local.following import executions, started_after
from local.jobs import JobClient, local_job_client
from local.receiver import Behaviour, Receiver
from local.server import LocalAWS
from tests.e2e.conftest import Stack


@dataclass(frozen=True)
class JobsStack:
    """A stack with version 1 of reviews live."""

    stack: Stack

    @property
    def aws(self) -> LocalAWS:
        return self.stack.local_aws

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.stack.outputs

    @property
    def client(self) -> JobClient:
        return local_job_client(self.outputs["ApiUrl"])

    def sweep(self) -> dict[str, int]:
        """Run the sweeper now, as its schedule does."""
        answer = self.aws.client("lambda").invoke(FunctionName=self.outputs["SweepJobsFunction"])
        assert "FunctionError" not in answer
        return dict(json.loads(answer["Payload"].read()))

    def send(self, body: str) -> None:
        """Put a message on the queue of jobs past the API, as nobody should."""
        sqs = self.aws.client("sqs")
        sqs.send_message(QueueUrl=self.outputs["ReviewsJobQueue"], MessageBody=body)

    def count(self, queue: str) -> int:
        """Return how many messages a queue holds, visible or not."""
        found = self.aws.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[queue], AttributeNames=["All"]
        )["Attributes"]
        return int(found["ApproximateNumberOfMessages"]) + int(
            found["ApproximateNumberOfMessagesNotVisible"]
        )

    @property
    def command(self) -> Command:
        """The operator's command line."""
        return Command(self.aws, "e2e-one")

    @property
    def killer(self) -> Killer:
        """What finds the worker processes."""
        return Killer(self.outputs["ReviewsFunction"], every_seconds=0, seed=0)

    @contextmanager
    def receiver(self, behaviour: Behaviour | None = None) -> Iterator[tuple[str, Receiver]]:
        """Listen for callbacks; give the name that it is registered by, and the receiver."""
        with Receiver([], behaviour) as listening:
            name, secret = self.command.register(listening.url)
            listening.secrets.append(secret)
            yield name, listening

    def told(self, receiver: Receiver, job_id: str) -> dict[str, Any]:
        """Wait until the end of a job is told and taken; return the callback's body."""
        message_id = f"msg_{job_id}"
        self.stack.until(
            lambda: receiver.record.delivered[message_id] > 0, f"{message_id} comes", 180
        )
        return dict(receiver.record.bodies[message_id])


@pytest.fixture(scope="session")
def jobs(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> JobsStack:
    """Reviews, trained on the real texts and released, all by an upload."""
    data = write_reviews(tmp_path_factory.mktemp("data") / "reviews.csv", slice(4000))
    machine = stack.outputs["TrainStateMachine"]
    states = stack.local_aws.client("stepfunctions")
    known = executions(states, machine)
    bucket = stack.outputs["LakeBucket"]
    stack.local_aws.client("s3").upload_file(str(data), bucket, f"data/reviews/{data.name}")
    trained = stack.output(started_after(states, machine, known))
    assert trained == {"model": "reviews", "version": 1}
    stack.until(lambda: stack.registry.alias("reviews", "live") == 1, "reviews is live")
    function = stack.local_aws.client("lambda")
    name = stack.outputs["ReviewsFunction"]
    stack.until(
        lambda: (
            function.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
            != function.list_versions_by_function(FunctionName=name)["Versions"][1]["Version"]
        ),
        "alias live follows",
    )
    return JobsStack(stack)
