"""Functions, roles and archives for the tests of the local AWS."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from local.server import LocalAWS

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "apigateway.amazonaws.com"]},
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
        client.get_waiter("function_active_v2").wait(FunctionName=name)
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
