"""Layers with machine code, on a host that cannot load it."""

import json
from pathlib import Path

import pytest

from local.server import LocalAWS
from tests.integration.local.conftest import TRUST, zipped

LAYER = {
    "python/fast/__init__.py": "FROM = 'the layer'",
    "python/fast/core.cpython-313-aarch64-linux-gnu.so": b"\x7fELF",
    "python/fast.libs/libfast.so.1": b"\x7fELF",
    "python/plain/__init__.py": "FROM = 'the layer'",
}
SOURCE = """
import fast, plain
def handler(event, context): return [fast.FROM, plain.FROM]
"""


def answer(local_aws: LocalAWS) -> list[str]:
    """Return where a function found a package with machine code, and one without."""
    client, iam = local_aws.client("lambda"), local_aws.client("iam")
    role = iam.create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(TRUST))
    layer = client.publish_layer_version(LayerName="fast", Content={"ZipFile": zipped(LAYER)})
    client.create_function(
        FunctionName="any",
        Handler="app.handler",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Layers=[layer["LayerVersionArn"]],
        Code={"ZipFile": zipped({"app.py": SOURCE})},
    )
    client.get_waiter("function_active_v2").wait(
        FunctionName="any", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    payload = client.invoke(FunctionName="any")["Payload"].read()
    found: list[str] = json.loads(payload)
    return found


@pytest.mark.parametrize(
    ("own_libraries", "expected"),
    [(True, ["the host", "the layer"]), (False, ["the layer", "the layer"])],
)
def test_packages_with_machine_code_come_from_the_host_where_it_says_so(
    tmp_path: Path, own_libraries: bool, expected: list[str]
) -> None:
    natives = tmp_path / "natives"
    (natives / "fast").mkdir(parents=True)
    (natives / "fast" / "__init__.py").write_text("FROM = 'the host'")
    home = tmp_path / "home"
    with LocalAWS(home, natives=natives if own_libraries else None) as local_aws:
        assert answer(local_aws) == expected
