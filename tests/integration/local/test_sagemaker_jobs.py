"""Training jobs on the local AWS: what runs, what it sees, and what it leaves."""

import io
import json
import tarfile
from typing import Any

import pytest

from tests.integration.local.training_world import TrainingWorld, unique, world

pytestmark = pytest.mark.local_aws
__all__ = ["world"]

# Tells the log all that a container can see of where it is.
LOOK_AROUND = """
files = sorted(str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file())
config = {p.stem: json.loads(p.read_text()) for p in (ROOT / "input/config").iterdir()}
print(json.dumps({"files": files, "environment": dict(os.environ), "config": config}))
"""


def archive(world: TrainingWorld, uri: str) -> dict[str, bytes]:
    """Return the files of a tar.gz in S3."""
    with tarfile.open(fileobj=io.BytesIO(world.get(uri))) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        return {member.name: tar.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def test_a_job_completes_with_its_model_in_s3(world: TrainingWorld) -> None:
    job = world.run(
        "(ROOT / 'model/deep').mkdir()\n"
        "(ROOT / 'model/model.onnx').write_text('weights')\n"
        "(ROOT / 'model/deep/card.md').write_text('card')"
    )
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    name = job["TrainingJobName"]
    uri = f"s3://{world.bucket}/output/{name}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == uri
    assert archive(world, uri) == {"model.onnx": b"weights", "deep/card.md": b"card"}
    assert world.keys(f"output/{name}/") == [f"output/{name}/output/model.tar.gz"]


def test_output_data_is_kept_beside_the_model(world: TrainingWorld) -> None:
    job = world.run("(ROOT / 'output/data/plot.svg').write_text('svg')")
    uri = f"s3://{world.bucket}/output/{job['TrainingJobName']}/output/output.tar.gz"
    assert archive(world, uri) == {"plot.svg": b"svg"}


def test_the_container_sees_the_layout_of_sagemaker(world: TrainingWorld) -> None:
    world.put("layout/a.csv", "1")
    world.put("layout/2026/b.csv", "2")
    world.put("layout-of-others/c.csv", "3")
    world.put("layout/folder/", "")
    channels = [
        channel("train", f"s3://{world.bucket}/layout/", ContentType="text/csv"),
        channel("live", f"s3://{world.bucket}/layout/a.csv"),
    ]
    seen = look_around(world, InputDataConfig=channels)
    assert [name for name in seen["files"] if name.startswith("input/data")] == [
        "input/data/live/a.csv",
        "input/data/train/2026/b.csv",
        "input/data/train/a.csv",
    ]
    config = seen["config"]
    assert config["hyperparameters"] == {"code": LOOK_AROUND}
    assert config["inputdataconfig"]["train"] == {
        "ContentType": "text/csv",
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    assert config["resourceconfig"]["current_host"] == "algo-1"
    assert config["resourceconfig"]["current_instance_type"] == "ml.m5.large"


def test_a_prefix_without_a_slash_takes_every_key_that_begins_with_it(
    world: TrainingWorld,
) -> None:
    world.put("loose/day-1.csv", "1")
    world.put("loose/day-2/b.csv", "2")
    seen = look_around(world, InputDataConfig=[channel("train", f"s3://{world.bucket}/loose/day")])
    files = [name for name in seen["files"] if name.startswith("input/data")]
    assert files == ["input/data/train/day-1.csv", "input/data/train/day-2/b.csv"]


def test_the_environment_is_the_containers_own(world: TrainingWorld) -> None:
    seen = look_around(world, Environment={"GIT_COMMIT": "abc"})
    environment = seen["environment"]
    assert set(environment) == {
        "GIT_COMMIT",
        "HOME",
        "LANG",
        "ML_ROOT",
        "PATH",
        "PYTHONPATH",
        "TMPDIR",
        "TRAINING_JOB_ARN",
        "TRAINING_JOB_NAME",
    }
    assert environment["GIT_COMMIT"] == "abc"
    assert environment["TRAINING_JOB_ARN"].endswith(
        f":training-job/{environment['TRAINING_JOB_NAME']}"
    )


def test_the_status_of_a_job_is_told_step_by_step(world: TrainingWorld) -> None:
    job = world.run()
    steps = job["SecondaryStatusTransitions"]
    assert [step["Status"] for step in steps] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    moments = [moment for step in steps for moment in (step["StartTime"], step["EndTime"])]
    assert moments == sorted(moments)
    assert job["TrainingStartTime"] == steps[1]["StartTime"]
    assert job["TrainingEndTime"] == steps[-1]["StartTime"]
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] == 1


def test_a_failed_job_says_why(world: TrainingWorld) -> None:
    job = world.run("(ROOT / 'output/failure').write_text('no label ' + 'x' * 2000)\nsys.exit(3)")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: no label xxx")
    assert len(job["FailureReason"]) == 1024
    assert not world.keys(f"output/{job['TrainingJobName']}/")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("sys.exit(3)", "AlgorithmError: , exit code: 3"),
        ("os.kill(os.getpid(), 9)", "AlgorithmError: , exit code: 137"),
    ],
)
def test_the_exit_code_is_part_of_the_failure(world: TrainingWorld, code: str, reason: str) -> None:
    assert world.run(code)["FailureReason"] == reason


def test_an_unknown_image_cannot_be_pulled(world: TrainingWorld) -> None:
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/other:1"
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    job = world.run(AlgorithmSpecification=algorithm)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Cannot pull algorithm container.")


def test_what_a_job_prints_is_its_log(world: TrainingWorld) -> None:
    job = world.run("print('one')\nprint()\nprint('two', file=sys.stderr)")
    assert sorted(world.log(job["TrainingJobName"])) == ["one", "two"]


def test_metrics_are_the_last_that_the_log_shows(world: TrainingWorld) -> None:
    definitions = [
        {"Name": "roc_auc", "Regex": "roc_auc=([0-9.]+)"},
        {"Name": "log_loss", "Regex": "log_loss=(\\S+)"},
    ]
    algorithm = world.request()["AlgorithmSpecification"]
    job = world.run(
        "print('roc_auc=0.5 log_loss=nothing')\nprint('roc_auc=0.75')",
        AlgorithmSpecification={**algorithm, "MetricDefinitions": definitions},
    )
    final = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert final == {"roc_auc": 0.75}


def test_a_checkpoint_comes_back_to_the_next_job(world: TrainingWorld) -> None:
    place = unique("checkpoints")
    config = {"S3Uri": f"s3://{world.bucket}/{place}"}
    first = world.run(
        "(ROOT / 'checkpoints/deep').mkdir()\n(ROOT / 'checkpoints/deep/epoch').write_text('7')",
        CheckpointConfig=config,
    )
    assert first["TrainingJobStatus"] == "Completed", first.get("FailureReason")
    assert world.keys(place) == [f"{place}/deep/epoch"]
    second = world.run(
        "print((ROOT / 'checkpoints/deep/epoch').read_text())", CheckpointConfig=config
    )
    assert world.log(second["TrainingJobName"]) == ["7"]


def test_a_running_jobs_checkpoints_are_in_s3_already(world: TrainingWorld) -> None:
    name = world.create_running()  # returns once the checkpoint of the job is seen in S3
    assert world.describe(name)["TrainingJobStatus"] == "InProgress"
    world.sagemaker.stop_training_job(TrainingJobName=name)
    world.ended(name)


def channel(name: str, uri: str, **members: Any) -> dict[str, Any]:
    """Return a channel of all objects under `uri`."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **members}


def look_around(world: TrainingWorld, **members: Any) -> dict[str, Any]:
    """Return what a container sees."""
    job = world.run(LOOK_AROUND, **members)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    seen: dict[str, Any] = json.loads(world.log(job["TrainingJobName"])[0])
    return seen
