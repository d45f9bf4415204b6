"""`up`, `down` and what lies between, with a small application and the real SAM CLI."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local import up as commands
from local.application import Application, DeploymentError
from local.paths import ROOT
from local.server import LocalAWS
from tests.integration.local.conftest import request, until

SOURCE = Path(__file__).parent / "fixture_app"


class World:
    """One home of a local AWS and one copy of the fixture application."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.folder = folder / "application"
        shutil.copytree(SOURCE, self.folder)
        self.lines: list[str] = []
        self.deployed = self.up()

    def up(self) -> commands.Deployed:
        """Run `up`; `lines` holds what it said."""
        self.lines = []
        self.deployed = commands.up(self.home, Application(self.folder), self.lines.append)
        return self.deployed

    def echo(self) -> dict[str, str]:
        """Return what the API answers."""
        answer = request("GET", f"{self.deployed.outputs['ApiUrl']}/echo")
        assert answer.status == 200, answer.body
        content: dict[str, str] = answer.json()
        return content

    def shell(self, command: str) -> str:
        """Return the output of a command in a bare shell that sourced the environment file."""
        # An application's own PATH, HOME and profile must not matter.
        bare = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "AWS_PROFILE": "elsewhere",
            "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
        }
        done = subprocess.run(
            ["bash", "-c", f"set -e; source {self.home}/env; {command}"],
            env=bare,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The fixture application, up."""
    made = World(tmp_path_factory.mktemp("up"))
    yield made
    LocalAWS(made.home).forget()


def test_up_deploys_the_application_to_where_it_can_be_called(world: World) -> None:
    seen = world.echo()
    assert seen["greeting"] == "good morning", "a parameter of samconfig.toml"
    assert seen["word"] == "from the layer"
    assert seen["image"].endswith(f"boringml-local@sha256:{'0' * 64}")
    assert seen["version"] == "1", "through the alias"
    client = world.deployed.local_aws.client("lambda")
    nested = client.invoke(FunctionName=world.deployed.outputs["NestedFunctionName"])
    assert json.loads(nested["Payload"].read()) == "from the layer"


def test_the_environment_file_makes_the_tools_talk_to_it(world: World) -> None:
    listed = json.loads(world.shell("aws lambda list-functions --output json"))
    names = [item["FunctionName"] for item in listed["Functions"]]
    assert world.deployed.outputs["FunctionName"] in names
    resources = json.loads(
        world.shell('sam list resources --stack-name "$BORINGML_STACK" --output json')
    )
    assert "EchoFunction" in [item["LogicalResourceId"] for item in resources]
    assert world.shell('echo "$BORINGML_API_URL"').strip() == world.deployed.outputs["ApiUrl"]
    assert Path(world.shell("command -v aws").strip()).parent == world.home / "bin"


def test_nothing_listens_beyond_loopback(world: World) -> None:
    world.echo()
    server = psutil.Process(world.deployed.local_aws.pid())
    addresses = {
        connection.laddr.ip
        for process in (server, *server.children(recursive=True))
        for connection in process.net_connections(kind="inet")
        if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE) and connection.laddr
    }
    assert addresses == {"127.0.0.1"}


def test_up_again_changes_nothing_and_says_so_at_once(world: World) -> None:
    world.up()
    start = time.monotonic()
    again = world.up()
    assert time.monotonic() - start < 2
    assert not again.changed
    assert any("nothing changed in boringml-local" in line for line in world.lines)


def test_up_after_an_edit_deploys_what_changed_at_the_same_url(world: World) -> None:
    client = world.deployed.local_aws.client("lambda")
    before = world.deployed.outputs
    untouched = client.get_function(FunctionName=before["NestedFunctionName"])["Configuration"]
    app = world.folder / "functions" / "echo" / "app.py"
    app.write_text(app.read_text().replace('"word": WORD', '"word": WORD + "!"'))
    after = world.up()
    assert after.changed
    assert after.outputs == before
    answer = client.invoke(FunctionName=before["FunctionName"])
    assert "from the layer!" in answer["Payload"].read().decode()
    assert world.echo()["word"] == "from the layer", "the alias stays on its version"
    found = client.get_function(FunctionName=before["NestedFunctionName"])["Configuration"]
    assert found["LastModified"] == untouched["LastModified"]


def test_state_survives_down_and_up(world: World) -> None:
    outputs = world.deployed.outputs
    s3, dynamodb = (world.deployed.local_aws.client(name) for name in ("s3", "dynamodb"))
    s3.put_object(Bucket=outputs["BucketName"], Key="data/one", Body=b"kept")
    dynamodb.put_item(TableName=outputs["TableName"], Item={"pk": {"S": "kept"}})
    assert world.deployed.local_aws.stop()
    assert world.deployed.local_aws.pid() is None

    again = world.up()
    assert not again.changed
    assert again.outputs == outputs
    assert world.echo()["greeting"] == "good morning"
    clients = {name: again.local_aws.client(name) for name in ("s3", "dynamodb", "lambda")}
    body = clients["s3"].get_object(Bucket=outputs["BucketName"], Key="data/one")["Body"]
    assert body.read() == b"kept"
    key = {"pk": {"S": "kept"}}
    assert "Item" in clients["dynamodb"].get_item(TableName=outputs["TableName"], Key=key)
    alias = clients["lambda"].get_alias(FunctionName=outputs["FunctionName"], Name="live")
    assert alias["FunctionVersion"] == "1"


def test_a_killed_process_is_started_again_with_its_state(world: World) -> None:
    table = world.deployed.outputs["TableName"]
    dynamodb = world.deployed.local_aws.client("dynamodb")
    world.deployed.local_aws.client("logs").create_log_group(logGroupName="kept")
    world.deployed.local_aws.client("cloudwatch").put_metric_alarm(
        AlarmName="kept",
        Namespace="Test",
        MetricName="failures",
        Period=60,
        EvaluationPeriods=1,
        Statistic="Sum",
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "before the crash"}})
    state = world.home / "state" / "dynamodb.json"
    until(lambda: "before the crash" in state.read_text())
    for service in ("cloudwatch", "cloudwatch_logs"):
        file = world.home / "state" / f"{service}.json"
        until(lambda file=file: file.exists() and "kept" in file.read_text())
    pid = world.deployed.local_aws.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    again = world.up()
    assert again.local_aws.pid() != pid
    assert not again.changed
    key = {"pk": {"S": "before the crash"}}
    found = again.local_aws.client("dynamodb").get_item(TableName=table, Key=key)
    assert "Item" in found
    logs, cloudwatch = (again.local_aws.client(name) for name in ("logs", "cloudwatch"))
    assert logs.describe_log_groups(logGroupNamePrefix="kept")["logGroups"]
    assert cloudwatch.describe_alarms(AlarmNames=["kept"])["MetricAlarms"]
    assert world.echo()["greeting"] == "good morning"


def test_a_second_stack_stands_beside_the_first(world: World) -> None:
    application = Application(world.folder)
    second = commands.deploy(world.deployed.local_aws, application, "second")
    assert second.outputs["ApiUrl"] != world.deployed.outputs["ApiUrl"]
    assert second.outputs["TableName"] != world.deployed.outputs["TableName"]
    answer = request("GET", f"{second.outputs['ApiUrl']}/echo")
    assert answer.json()["word"] == "from the layer!"
    assert world.echo()["word"] == "from the layer"


def test_a_template_that_cannot_be_deployed_says_why(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(SOURCE, folder)
    template = folder / "template.yaml"
    template.write_text(template.read_text().replace("AWS::S3::Bucket", "AWS::S3::Bukket"))
    with pytest.raises(DeploymentError, match="AWS::S3::Bukket"):
        commands.deploy(world.deployed.local_aws, Application(folder), "broken")


def test_the_command_line_says_that_nothing_runs(tmp_path: Path) -> None:
    assert LocalAWS(tmp_path).pid() is None
    assert not LocalAWS(tmp_path).stop()
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-m", "local", "nonsense"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "invalid choice" in done.stderr
