"""A stack in moto, and the command that looks at it."""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from boringml.adapters.registry_table import RegistryTable
from boringml_cli import session, watching
from boringml_cli.main import app
from tests.unit.cli.states import States
from tests.unit.registry.conftest import Clock
from tests.unit.registry.samples import TABLE

STACK, BUCKET, LAKE = "boringml-test", "packages", "lake"
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine"
OUTPUTS = {
    "RegistryTable": "registry",
    "PackagesBucket": BUCKET,
    "LakeBucket": LAKE,
    "ReleaseStateMachine": f"{ARN}:release",
    "RollbackStateMachine": f"{ARN}:rollback",
}
VARIABLES = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "BORINGML_STACK", "BORINGML_DEBUG")


@dataclass
class World:
    """What a test prepares, and the command itself."""

    registry: RegistryTable
    clock: Clock
    states: States = field(default_factory=States)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["--stack", STACK, *words])

    def json(self, *words: str) -> Any:
        """Return the one document of a command that succeeds."""
        result = self.run(*words, "--json")
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    def refusal(self, *words: str, code: int = 1) -> Mapping[str, Any]:
        """Return what stderr says of a command that does not succeed."""
        result = self.run(*words, "--json")
        assert (result.exit_code, result.stdout) == (code, "")
        error: Mapping[str, Any] = json.loads(result.stderr)["error"]
        return error


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A shell with credentials and nothing else."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return monkeypatch


@pytest.fixture
def world(shell: pytest.MonkeyPatch) -> Iterator[World]:
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(TableName="registry", **TABLE)
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        boto3.client("s3").create_bucket(Bucket=LAKE)
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()},
        }
        boto3.client("cloudformation").create_stack(
            StackName=STACK, TemplateBody=json.dumps(template)
        )
        clock = Clock()
        made = World(RegistryTable(dynamodb, "registry", clock, lambda _seconds: None), clock)
        real = session.Session.client

        def client(self: session.Session, service: str) -> Any:
            return made.states if service == "stepfunctions" else real(self, service)

        shell.setattr(session.Session, "client", client)
        at_once = functools.partial(watching.Watcher, pause=lambda _seconds: None)
        shell.setattr(session, "Watcher", at_once)
        yield made
