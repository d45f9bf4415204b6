"""Functions, roles and archives for the tests of the local AWS."""

import io
import json
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.server import LocalAWS

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive of files, by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def unique(prefix: str) -> str:
    """Return a name that no other test uses: the local AWS is shared by all."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


MakeFunction = Callable[..., str]


@pytest.fixture(scope="session")
def role(local_aws: LocalAWS) -> str:
    """The ARN of a role without any permission."""
    iam = local_aws.client("iam")
    created = iam.create_role(
        RoleName=unique("nothing"), AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    return str(created["Role"]["Arn"])


@pytest.fixture
def make_function(local_aws: LocalAWS, role: str) -> MakeFunction:
    """Make a function from the source of its app.py; options go to CreateFunction."""
    client = local_aws.client("lambda")

    def make(source: str, files: Mapping[str, str] = MappingProxyType({}), **options: Any) -> str:
        name = unique("function")
        client.create_function(
            FunctionName=name,
            Handler="app.handler",
            Code={"ZipFile": zipped({"app.py": source, **files})},
            **{"Role": role, "Runtime": "python3.12", "Timeout": 5, **options},
        )
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
        )
        return name

    return make


@pytest.fixture
def invoke(local_aws: LocalAWS) -> Callable[..., Any]:
    """Invoke a function and return the decoded payload, with the error object where it failed."""
    client = local_aws.client("lambda")

    def call(name: str, event: Any = None, **options: Any) -> Any:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **options)
        return json.loads(answer["Payload"].read())

    return call


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


def request(
    method: str,
    url: str,
    body: str | bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    *,
    signed_by: tuple[str, str] | None = None,
) -> Answer:
    """Send an HTTP request; `signed_by` is the key id and secret that sign it for API Gateway."""
    data = body.encode() if isinstance(body, str) else body
    prepared = AWSRequest(method=method, url=url, data=data, headers=dict(headers))
    if signed_by is not None:
        SigV4Auth(Credentials(*signed_by), "execute-api", "us-east-1").add_auth(prepared)
    raw = urllib.request.Request(url, data=data, headers=dict(prepared.headers), method=method)
    try:
        with urllib.request.urlopen(raw, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read().decode())


def deploy_template(
    local_aws: LocalAWS, name: str, template: Mapping[str, Any], *, update: bool = False
) -> dict[str, str]:
    """Create or update a stack from a template, wait for it, and return its outputs."""
    client = local_aws.client("cloudformation")
    operation = client.update_stack if update else client.create_stack
    operation(
        StackName=name,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    waiter = client.get_waiter("stack_update_complete" if update else "stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Return the first true result of `condition`; fail the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result
