"""A local AWS whose container image runs the code that a test gives it, and what jobs need."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest

import local.server
from local.server import LocalAWS
from local.settings import JOB_IMAGE, server_environment

Found = TypeVar("Found")
DEADLINE_SECONDS = 20
ENDED = {"Completed", "Failed", "Stopped"}
# The stand-in for container/train: a hyperparameter is the program.
TRAIN = """
import json, os, pathlib, sys, time
ROOT = pathlib.Path(os.environ["ML_ROOT"])
PARAMETERS = json.loads((ROOT / "input/config/hyperparameters.json").read_text())
exec(PARAMETERS.get("code", ""))
"""
# The stand-in for container/serve: it says what it is asked, and BEHAVIOUR tells it how to fail.
SERVE = """
import json, os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BEHAVIOUR = os.environ.get("BEHAVIOUR", "")
lock, open_now = threading.Lock(), 0
if BEHAVIOUR == "ends at once":
    print("no model")
    sys.exit(3)
print(json.dumps({"environment": dict(os.environ)}), flush=True)

class Handler(BaseHTTPRequestHandler):
    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/execution-parameters" and "PARAMETERS" in os.environ:
            return self.say(200, os.environ["PARAMETERS"].encode())
        known = self.path == "/ping" and BEHAVIOUR != "never ready"
        self.say(200 if known else 404, b"")

    def do_POST(self):
        global open_now
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            open_now += 1
            told = {"bytes": len(body), "lines": body.count(b"\\n"), "open": open_now}
            told |= {"type": self.headers["Content-Type"], "accept": self.headers["Accept"]}
            print(json.dumps(told), flush=True)
        if BEHAVIOUR == "dies":
            os._exit(7)
        if BEHAVIOUR == "hangs":
            time.sleep(3600)
        time.sleep(float(os.environ.get("SLOW", "0")))
        with lock:
            open_now -= 1
        if b"fails" in body:
            return self.say(500, b"oh dear")
        if b"bad" in body:
            return self.say(422, b'{"error": {"code": "wrong_type"}}')
        self.say(200, body.upper().rstrip(b"\\n") if BEHAVIOUR == "no ends" else body.upper())

    def log_message(self, *_):
        pass

port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
ENDLESS = "while True: time.sleep(0.01)\n"
SAY_READY = "(ROOT / 'checkpoints/ready').touch()\n"
_numbers = count(1)


def unique(prefix: str) -> str:
    """Return a name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


def until(look: Callable[[], Found | None], seconds: float = DEADLINE_SECONDS) -> Found:
    """Return what `look` finds as soon as it finds something; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def allow(action: str | list[str], resource: str = "*", **condition: Any) -> dict[str, Any]:
    """Return a policy statement."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


class TrainingWorld:
    """The local AWS with a bucket of data, a job's role, and a state machine's."""

    def __init__(self, aws: LocalAWS) -> None:
        self.aws = aws
        self._clients: dict[tuple[str, bool], Any] = {}
        self.functions: dict[str, str] = {}
        self.bucket = unique("training")
        self.client("s3").create_bucket(Bucket=self.bucket)
        self.put("data/train/part.csv", "a,b\n1,2\n")
        self.job_role = self.role("sagemaker", allow("s3:*"))

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client with the root key, made once (and once with options)."""
        key = (service, bool(options))
        if key not in self._clients:
            self._clients[key] = self.aws.client(service, **options)
        return self._clients[key]

    @property
    def sagemaker(self) -> Any:
        """SageMaker's client."""
        return self.client("sagemaker")

    def role(self, service: str, *statements: dict[str, Any]) -> str:
        """Make a role that `service` may assume; return its ARN."""
        name = unique("role")
        trust = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": f"{service}.amazonaws.com"},
            },
        }
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
        return str(arn["Role"]["Arn"])

    def put(self, key: str, body: str | bytes) -> None:
        """Put an object into the bucket."""
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, uri: str) -> bytes:
        """Return the object at an s3:// URI."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix of the bucket."""
        found = self.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def request(self, code: str = "", **members: Any) -> dict[str, Any]:
        """Return a good CreateTrainingJob request whose container runs `code`."""
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/data/train"}
        request = {
            "TrainingJobName": unique("job"),
            "RoleArn": self.job_role,
            "AlgorithmSpecification": {"TrainingImage": JOB_IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": {"code": code},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/output"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 5,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        return {key: value for key, value in {**request, **members}.items() if value is not None}

    def create(self, code: str = "", **members: Any) -> str:
        """Create a training job; return its name."""
        request = self.request(code, **members)
        self.sagemaker.create_training_job(**request)
        return str(request["TrainingJobName"])

    def describe(self, name: str) -> dict[str, Any]:
        """Return DescribeTrainingJob's answer."""
        answer: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
        return answer

    def ended(self, name: str) -> dict[str, Any]:
        """Wait for the end of a job; return its description."""

        def look() -> dict[str, Any] | None:
            job = self.describe(name)
            return job if job["TrainingJobStatus"] in ENDED else None

        return until(look)

    def run(self, code: str = "", **members: Any) -> dict[str, Any]:
        """Create a job and wait for its end; return its description."""
        return self.ended(self.create(code, **members))

    def log(self, name: str) -> list[str]:
        """Return the lines that a job has logged so far."""
        where = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
        logs = self.client("logs")
        try:
            streams = logs.describe_log_streams(**where, logStreamNamePrefix=f"{name}/algo-1-")
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [
            event["message"]
            for stream in streams["logStreams"]
            for event in logs.get_log_events(**where, logStreamName=stream["logStreamName"])[
                "events"
            ]
        ]

    def client_of_user(self, *statements: dict[str, Any]) -> Callable[[str], Any]:
        """Return what makes boto3 clients of a new IAM user with this policy."""
        iam, user = self.client("iam"), unique("user")
        iam.create_user(UserName=user)
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return lambda service: self.aws.client(
            service,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    def create_running(self, code: str = "", **members: Any) -> str:
        """Create a job that runs until it is told to stop, after `code`.

        Returns its name once the code has run: a checkpoint in S3 says so.
        """
        place = unique("ready")
        config = {"S3Uri": f"s3://{self.bucket}/{place}"}
        name = self.create(code + SAY_READY + ENDLESS, CheckpointConfig=config, **members)
        until(lambda: self.keys(f"{place}/ready"))
        return name


@contextmanager
def local_aws_with(home: Path, **environment: str) -> Iterator[LocalAWS]:
    """Run a local AWS of its own, with these variables on top of the usual ones."""

    def with_more(*arguments: Any) -> dict[str, str]:
        return server_environment(*arguments) | environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local.server, "server_environment", with_more)
        with LocalAWS(home) as running:
            yield running


def job_environment(folder: Path) -> dict[str, str]:
    """Return the variables of a local AWS whose image runs TRAIN, written below `folder`."""
    commands = folder / "commands"
    commands.mkdir(parents=True)
    (commands / "train").write_text(TRAIN)
    (commands / "serve").write_text(SERVE)
    return {
        "LOCAL_JOB_COMMAND_DIR": str(commands),
        "LOCAL_JOB_PARALLEL": "2",
        "LOCAL_JOB_STOP_GRACE_SECONDS": "1",
        "LOCAL_JOB_PING_SECONDS": "4",
    }


_SHARED = pytest.StashKey[TrainingWorld]()


@pytest.fixture
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> TrainingWorld:
    """One local AWS for all tests of jobs and state machines; names keep them apart.

    Modules import this fixture, so its scope cannot make it one: it is kept with the test run.
    """
    config = request.config
    if _SHARED not in config.stash:
        folder = tmp_path_factory.mktemp("training-world")
        running = ExitStack()
        config.add_cleanup(running.close)
        aws = running.enter_context(local_aws_with(folder / "home", **job_environment(folder)))
        config.stash[_SHARED] = TrainingWorld(aws)
    return config.stash[_SHARED]
