"""The application itself, deployed by the SAM CLI to a local AWS of this test run."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.serving_function import ServingFunction
from boringml.registry.records import Route
from boringml.release.road import publish_version
from boringml.release.traffic import Mover, send
from local.application import Application
from local.datasets import credit_records, write_credit
from local.following import ExecutionFailedError, executions, follow, started_after
from local.predictions import PredictionClient, local_client
from local.server import LocalAWS
from local.traffic import Traffic


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the test that makes each alarm of the stack ring come last: others look at alarms."""
    items.sort(key=lambda item: item.path.match("e2e/monitoring/test_alarms.py"))


@dataclass(frozen=True)
class Stack:
    """A deployed stack, and what a test does with it."""

    local_aws: LocalAWS
    outputs: dict[str, str]

    @property
    def api(self) -> PredictionClient:
        return local_client(self.outputs["ApiUrl"])

    @property
    def registry(self) -> RegistryTable:
        return RegistryTable(self.local_aws.client("dynamodb"), self.outputs["RegistryTable"])

    @property
    def function(self) -> ServingFunction:
        return ServingFunction(self.local_aws.client("lambda"), self.outputs["CreditFunction"])

    def resource(self, logical_id: str) -> str:
        """Return the physical id of a resource of the stack."""
        detail = self.local_aws.client("cloudformation").describe_stack_resource(
            StackName="e2e-one", LogicalResourceId=logical_id
        )["StackResourceDetail"]
        return str(detail["PhysicalResourceId"])

    def traffic(self) -> Traffic:
        """Return a stream of real requests and outcomes, to be entered."""
        events = self.local_aws.client("events")
        return Traffic(self.api, "credit", credit_records(), events, stack="e2e-one")

    def put_live(self, version: int, step: str = "promote") -> str:
        """Make a version live in one move, as a release would; return its function version."""
        self.registry.take_lock("credit", holder="test", kind="release", version=version)
        published = publish_version(self.registry, self.function, "credit", version, "test")
        send(
            self.registry,
            self.function,
            "credit",
            Route(version=version, function_version=published["function_version"]),
            mover=Mover("test", "test"),
            why="a test",
            details={"step": step},
        )
        self.registry.free_lock("credit", holder="test")
        return str(published["function_version"])

    @contextmanager
    def throttled(self, functions: list[str]) -> Iterator[None]:
        """Let functions of the stack take no invocation, for a while."""
        client = self.local_aws.client("lambda")
        names = [self.resource(function) for function in functions]
        for name in names:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            for name in names:
                client.delete_function_concurrency(FunctionName=name)

    @contextmanager
    def denied(self, role: str, actions: list[str]) -> Iterator[None]:
        """Let a role of the stack do something no longer, for a while."""
        client = self.local_aws.client("iam")
        statement = {"Effect": "Deny", "Action": actions, "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        given = {"RoleName": self.resource(role), "PolicyName": "Denied"}
        client.put_role_policy(**given, PolicyDocument=json.dumps(policy))
        try:
            yield
        finally:
            client.delete_role_policy(**given)

    def agrees(self) -> bool:
        """Return whether Lambda's alias live is as the registry says."""
        route, now = self.registry.route("credit"), self.function.routing("live")
        canary = route.canary
        weights = {canary.function_version: canary.weight} if canary else {}
        return (now.function_version, dict(now.weights)) == (route.function_version, weights)

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"never: {what}"
            time.sleep(0.1)

    def entered(self, execution: str) -> list[str]:
        """Return the states that an execution entered."""
        pages = self.local_aws.client("stepfunctions").get_paginator("get_execution_history")
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages.paginate(executionArn=execution, PaginationConfig={"PageSize": 1000})
            for event in page["events"]
            if event["type"].endswith("StateEntered")
        ]

    def upload(self, file: Path) -> str:
        """Upload training data and return the train execution that it started."""
        states = self.local_aws.client("stepfunctions")
        known = executions(states, self.outputs["TrainStateMachine"])
        bucket = self.outputs["LakeBucket"]
        self.local_aws.client("s3").upload_file(str(file), bucket, f"data/credit/{file.name}")
        return started_after(states, self.outputs["TrainStateMachine"], known)

    def start(self, machine: str, name: str, text: str) -> str:
        """Start an execution and return its ARN."""
        answer = self.local_aws.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[machine], name=name, input=text
        )
        return str(answer["executionArn"])

    def output(self, execution: str) -> dict[str, Any]:
        """Return the output of an execution, once it has succeeded."""
        return follow(self.local_aws.client("stepfunctions"), execution, lambda _line: None)

    def failure(self, execution: str) -> str:
        """Return why an execution failed."""
        with pytest.raises(ExecutionFailedError) as failed:
            self.output(execution)
        return str(failed.value)

    def ended(self, execution: str) -> None:
        """Wait for the end of an execution, whichever it is."""
        try:
            self.output(execution)
        except ExecutionFailedError:
            return

    def await_live(self, version: int, seconds: float = 60) -> None:
        """Wait until a version is live in the registry."""
        deadline = time.monotonic() + seconds
        while self.registry.alias("credit", "live") != version:
            assert time.monotonic() < deadline, f"version {version} is not live"
            time.sleep(0.2)


Deploy = Callable[..., Stack]


@pytest.fixture(scope="session")
def deploy(local_aws: LocalAWS, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    application = Application()
    logs = tmp_path_factory.mktemp("sam")
    application.build(logs / "build.log")

    def named(name: str, **parameters: str) -> Stack:
        log = logs / f"{name}.log"
        return Stack(local_aws, application.deploy(local_aws, name, log, parameters))

    return named


@pytest.fixture(scope="session")
def stack(deploy: Deploy) -> Stack:
    return deploy("e2e-one")


@pytest.fixture(scope="session")
def live(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack with version 1 of credit live, from the first 6,000 loans."""
    data = write_credit(tmp_path_factory.mktemp("data") / "first.csv", slice(6000))
    assert stack.output(stack.upload(data)) == {"model": "credit", "version": 1}
    stack.await_live(1)
    return stack
