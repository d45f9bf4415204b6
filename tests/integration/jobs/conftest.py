"""The worker's own adapters over a table, a bucket and queues in moto."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from boringml.adapters.callback_queue import CallbackQueue
from boringml.adapters.jobs_table import JobsTable, Limits
from boringml.adapters.once import Once
from boringml.jobs.run_job import METRICS, Policy, Worker
from boringml.serving.model import Model
from boringml.serving.prediction_log import PredictionLog
from tests.contract.template.test_wiring import ROOT, Loader
from tests.unit.jobs.samples import POSTED_MS
from tests.unit.serving import tiny

MODEL = Model(tiny.CONTRACT, tiny.onnx_model(), 3)
LIMITS = Limits(closes_after=3900, keep=1000)


class Context:
    """Lambda's context of an invocation that has a minute."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass
class World:
    """What a test prepares and looks at. `now` is in seconds since 1970."""

    dynamodb: Any
    sqs: Any
    queue_url: str
    now: float = POSTED_MS / 1000 + 1
    stored: dict[str, bytes] = field(default_factory=dict)

    @property
    def jobs(self) -> JobsTable:
        return JobsTable(self.dynamodb, "jobs", LIMITS)

    @property
    def callbacks(self) -> CallbackQueue:
        return CallbackQueue(self.sqs, self.queue_url)

    def worker(self, model: Any = MODEL) -> Worker:
        """Return the worker of a new process."""
        once = Once(self.dynamodb, "jobs", 86_400)
        once.start(Context())
        return Worker(
            name="credit",
            model=model,
            jobs=self.jobs,
            once=once,
            store=self.stored.__setitem__,
            callbacks=self.callbacks,
            knows=lambda _client, _name: True,
            log=PredictionLog({"model": "credit"}, further=METRICS),
            write=lambda _line: None,
            policy=Policy(3600, 3, 30, 60),
            clock=lambda: self.now,
        )

    def told(self) -> list[dict[str, Any]]:
        """Return what waits in the queue of callbacks."""
        found = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in (
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_LAMBDA_FUNCTION_NAME", "run-job"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        template = yaml.load((ROOT / "template.yaml").read_text(), Loader)
        wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        properties = template["Resources"]["JobsTable"]["Properties"]
        dynamodb.create_table(TableName="jobs", **{name: properties[name] for name in wanted})
        yield World(dynamodb, sqs, sqs.create_queue(QueueName="callbacks")["QueueUrl"])
