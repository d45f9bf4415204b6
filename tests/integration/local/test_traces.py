"""The trace of a chain of invocations."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.server import LocalAWS
from tests.integration.local.conftest import TRUST, MakeFunction, unique

ROOT = "1-67891233-abcdef012345678912345678"
CHAIN = """
import json, os, boto3
def handler(event, context):
    own = os.environ["_X_AMZN_TRACE_ID"]
    if event["left"] == 0: return [own]
    answer = boto3.client("lambda").invoke(
        FunctionName=context.function_name, Payload=json.dumps({"left": event["left"] - 1}))
    return [own, *json.loads(answer["Payload"].read())]
"""


def chained(local_aws: LocalAWS, make_function: MakeFunction) -> str:
    """Make a function that may invoke itself."""
    iam, name = local_aws.client("iam"), unique("chain")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=policy)
    return make_function(CHAIN, Role=f"arn:aws:iam::000000000000:role/{name}", Timeout=60)


def test_a_chain_of_invocations_is_one_trace(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Callable[..., Any]
) -> None:
    traces = invoke(chained(local_aws, make_function), {"left": 1})
    assert len(traces) == 2
    assert len({trace.split(";")[0] for trace in traces}) == 1
    assert traces[0].startswith("Root=1-")
    assert [trace.rsplit(":", 1)[-1] for trace in traces] == ["1", "2"]


def test_a_chain_of_invocations_that_does_not_end_is_stopped(
    local_aws: LocalAWS, make_function: MakeFunction
) -> None:
    client = local_aws.client("lambda")
    name = make_function("def handler(event, context): pass\n")

    def invoke_after(invocations: int) -> None:
        trace = f"Root={ROOT};Lineage=00000000:{invocations}"

        def add_trace(params: dict[str, Any], **_rest: Any) -> None:
            params["headers"]["X-Amzn-Trace-Id"] = trace

        client.meta.events.register_first("before-call", add_trace, unique_id="trace")
        client.invoke(FunctionName=name)
        client.meta.events.unregister("before-call", unique_id="trace")

    invoke_after(15)
    with pytest.raises(client.exceptions.RecursiveInvocationException):
        invoke_after(16)
