"""Aliases, reservations and metrics of functions."""

import concurrent.futures
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config

from local.server import LocalAWS
from tests.integration.local.conftest import MakeFunction, deploy_template, unique

Invoke = Callable[..., Any]
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})
VERSION = """
def handler(event, context):
    return [context.function_version, context.invoked_function_arn.rsplit(":", 1)[-1]]
"""
SLEEP = "import time\ndef handler(event, context): time.sleep(event or 0)\n"


def two_versions(local_aws: LocalAWS, name: str) -> None:
    """Publish versions 1 and 2 of a function."""
    client = local_aws.client("lambda")
    for text in ("one", "two"):
        client.update_function_configuration(FunctionName=name, Description=text)
        client.publish_version(FunctionName=name)


def test_an_alias_sends_its_weight_to_the_second_version(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke
) -> None:
    client = local_aws.client("lambda")
    name = make_function(VERSION)
    two_versions(local_aws, name)
    client.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    seen = Counter(tuple(invoke(name, Qualifier="live")) for _ in range(60))
    assert set(seen) == {("1", "live"), ("2", "live")}
    assert all(10 < count < 50 for count in seen.values())
    assert client.get_function_configuration(FunctionName=name, Qualifier="live")["Version"] == "1"
    client.update_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    assert {tuple(invoke(name, Qualifier="live")) for _ in range(10)} == {("2", "live")}


def test_the_answer_names_the_version_that_an_alias_chose(
    local_aws: LocalAWS, make_function: MakeFunction
) -> None:
    client = local_aws.client("lambda")
    name = make_function(VERSION)
    two_versions(local_aws, name)
    client.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}},
    )
    assert client.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] == "2"


def test_versions_and_aliases_share_the_reservation_of_their_function(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke
) -> None:
    client = local_aws.client("lambda", config=ONE_ATTEMPT)
    name = make_function(SLEEP)
    version = client.publish_version(FunctionName=name)["Version"]
    invoke(name, Qualifier=version)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)

    def call(_index: int) -> str:
        try:
            client.invoke(FunctionName=name, Qualifier=version, Payload=b"0.5")
        except client.exceptions.TooManyRequestsException:
            return "throttled"
        return "served"

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        outcomes = Counter(pool.map(call, range(3)))
    assert outcomes == {"served": 1, "throttled": 2}


def test_a_template_reserves_concurrency_and_gives_it_back(local_aws: LocalAWS, role: str) -> None:
    client = local_aws.client("lambda")
    stack = unique("reserved")

    def template(**properties: Any) -> dict[str, Any]:
        base = {
            "Role": role,
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Code": {"ZipFile": SLEEP},
        }
        function = {"Type": "AWS::Lambda::Function", "Properties": {**base, **properties}}
        return {
            "Resources": {"Function": function},
            "Outputs": {"Name": {"Value": {"Ref": "Function"}}},
        }

    name = deploy_template(local_aws, stack, template(ReservedConcurrentExecutions=7))["Name"]
    reserved = client.get_function_concurrency(FunctionName=name)
    assert reserved["ReservedConcurrentExecutions"] == 7
    deploy_template(local_aws, stack, template(Description="none reserved"), update=True)
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=name)


def test_every_invocation_is_counted_by_function_alias_and_version(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke
) -> None:
    client = local_aws.client("lambda")
    name = make_function("def handler(event, context): raise ValueError(event)\n")
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    invoke(name)
    invoke(name, Qualifier="live")
    resource = {"FunctionName": name, "Resource": f"{name}:live"}
    for dimensions, expected in (
        ({"FunctionName": name}, 2),
        ({"FunctionName": name, "Resource": name}, 1),
        (resource, 1),
        ({**resource, "ExecutedVersion": "1"}, 1),
    ):
        for metric in ("Invocations", "Errors"):
            assert total(local_aws, metric, dimensions) == expected, (metric, dimensions)


def total(local_aws: LocalAWS, metric: str, dimensions: dict[str, str]) -> float:
    """Return the sum of a Lambda metric over the last minutes."""
    now = datetime.now(UTC)
    points = local_aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Statistics=["Sum"],
        Period=3600,
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(hours=1),
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_a_throttled_request_is_no_invocation(
    local_aws: LocalAWS, make_function: MakeFunction
) -> None:
    client = local_aws.client("lambda", config=ONE_ATTEMPT)
    name = make_function(SLEEP)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)
    assert total(local_aws, "Throttles", {"FunctionName": name}) >= 1
    assert total(local_aws, "Invocations", {"FunctionName": name}) == 0
