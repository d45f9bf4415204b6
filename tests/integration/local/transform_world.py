"""Models and transform jobs of the local AWS, for the tests of them."""

import io
import json
import tarfile
from typing import Any

import pytest

from local.settings import JOB_IMAGE
from tests.integration.local.training_world import (
    DEADLINE_SECONDS,
    ENDED,
    TrainingWorld,
    unique,
    until,
    world,
)

__all__ = ["transforms", "world"]


class TransformWorld:
    """A model of the stand-in image, and jobs with it, of at most `patience` seconds."""

    def __init__(self, world: TrainingWorld, patience: float = DEADLINE_SECONDS) -> None:
        self.world = world
        self._patience = patience
        self.sagemaker = world.sagemaker
        self.place = unique("transform")
        self.model = self.create_model({"notes.txt": b"a model"})

    def create_model(self, files: dict[str, bytes], **environment: str) -> str:
        """Create a model whose model.tar.gz holds these files; return its name."""
        name = unique("model")
        self.world.put(f"models/{name}/model.tar.gz", archive(files))
        self.sagemaker.create_model(**self.model_request(name, Environment=environment))
        return name

    def model_request(self, name: str, **container: Any) -> dict[str, Any]:
        """Return a good CreateModel request."""
        uri = f"s3://{self.world.bucket}/models/{name}/model.tar.gz"
        primary = {"Image": JOB_IMAGE, "ModelDataUrl": uri, **container}
        role = self.world.job_role
        return {"ModelName": name, "PrimaryContainer": primary, "ExecutionRoleArn": role}

    def put(self, path: str, body: str | bytes) -> None:
        """Put an input object."""
        self.world.put(f"{self.place}/in/{path}", body)

    def request(self, environment: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
        """Return a good CreateTransformJob request over what was put; lines, many at a time.

        `TransformInput` and `TransformOutput` are laid over the usual ones.
        """
        bucket = self.world.bucket
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{self.place}/in/"}
        given = {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/plain",
            "SplitType": "Line",
        }
        output = {"S3OutputPath": f"s3://{bucket}/{self.place}/out", "AssembleWith": "Line"}
        request = {
            "TransformJobName": unique("transform-job"),
            "ModelName": self.model,
            "Environment": environment or {},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **members,
            "TransformInput": {**given, **members.get("TransformInput", {})},
            "TransformOutput": {**output, **members.get("TransformOutput", {})},
        }
        for part in (request, request["TransformInput"], request["TransformOutput"]):
            for key in [key for key, value in part.items() if value is None]:
                del part[key]
        return request

    def create(self, environment: dict[str, str] | None = None, **members: Any) -> str:
        """Create a transform job; return its name."""
        request = self.request(environment, **members)
        self.sagemaker.create_transform_job(**request)
        return str(request["TransformJobName"])

    def describe(self, name: str) -> dict[str, Any]:
        """Return DescribeTransformJob's answer."""
        answer: dict[str, Any] = self.sagemaker.describe_transform_job(TransformJobName=name)
        return answer

    def ended(self, name: str) -> dict[str, Any]:
        """Wait for the end of a job; return its description."""

        def look() -> dict[str, Any] | None:
            job = self.describe(name)
            return job if job["TransformJobStatus"] in ENDED else None

        return until(look, self._patience)

    def run(self, environment: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
        """Create a job and wait for its end; return its description."""
        return self.ended(self.create(environment, **members))

    def outputs(self) -> dict[str, bytes]:
        """Return what lies below the output, by path."""
        prefix = f"{self.place}/out/"
        return {
            key.removeprefix(prefix): self.world.get(f"s3://{self.world.bucket}/{key}")
            for key in self.world.keys(prefix)
        }

    def log(self, name: str, suffix: str = "") -> list[str]:
        """Return the lines of a job's log, or of its data log with the suffix "/data-log"."""
        logs, where = self.world.client("logs"), {"logGroupName": "/aws/sagemaker/TransformJobs"}
        try:
            streams = logs.describe_log_streams(**where, logStreamNamePrefix=f"{name}/algo-1-")
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [
            event["message"]
            for stream in streams["logStreams"]
            if stream["logStreamName"].endswith("/data-log") == bool(suffix)
            for event in logs.get_log_events(**where, logStreamName=stream["logStreamName"])[
                "events"
            ]
        ]

    def asked(self, name: str) -> list[dict[str, Any]]:
        """Return what the container of a job says of each request that it got."""
        told = [json.loads(line) for line in self.log(name) if line.startswith("{")]
        return [line for line in told if "bytes" in line]

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment that the container of a job saw."""
        (first,) = [json.loads(line) for line in self.log(name)[:1]]
        found: dict[str, str] = first["environment"]
        return found


def archive(files: dict[str, bytes]) -> bytes:
    """Return a model.tar.gz with these files at its root."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return content.getvalue()


@pytest.fixture
def transforms(world: TrainingWorld) -> TransformWorld:
    """A place of its own for each test's inputs and outputs."""
    return TransformWorld(world)
