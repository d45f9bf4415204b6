"""Training jobs on the local AWS that end before they are done."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.integration.local.training_world import (
    ENDLESS,
    TrainingWorld,
    job_environment,
    local_aws_with,
    until,
    world,
)

pytestmark = pytest.mark.local_aws
__all__ = ["world"]

SAVE_ON_TERM = """
import signal
def save(*_):
    (ROOT / "model/saved").write_text("saved")
    print("asked to stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
"""
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def test_a_stopped_job_gets_sigterm_and_keeps_its_model(world: TrainingWorld) -> None:
    name = world.create_running(SAVE_ON_TERM)
    world.sagemaker.stop_training_job(TrainingJobName=name)
    assert world.describe(name)["TrainingJobStatus"] in {"Stopping", "Stopped"}
    job = world.ended(name)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]][-3:] == [
        "Stopping",
        "Uploading",
        "Stopped",
    ]
    assert world.log(name) == ["asked to stop"]
    assert world.get(job["ModelArtifacts"]["S3ModelArtifacts"])


def test_a_job_that_ignores_sigterm_is_killed_after_the_grace(world: TrainingWorld) -> None:
    name = world.create_running(DEAF)
    before = time.monotonic()
    world.sagemaker.stop_training_job(TrainingJobName=name)
    assert world.ended(name)["TrainingJobStatus"] == "Stopped"
    assert time.monotonic() - before >= 1  # LOCAL_JOB_STOP_GRACE_SECONDS of this local AWS


def test_a_job_beyond_its_runtime_is_stopped_not_failed(world: TrainingWorld) -> None:
    job = world.run(ENDLESS, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert job["TrainingTimeInSeconds"] == 1


def test_a_spot_job_beyond_its_wait_is_stopped(world: TrainingWorld) -> None:
    stopping = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    job = world.run(ENDLESS, StoppingCondition=stopping, EnableManagedSpotTraining=True)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def test_a_job_that_has_ended_cannot_be_stopped(world: TrainingWorld) -> None:
    name = world.run()["TrainingJobName"]
    with pytest.raises(world.sagemaker.exceptions.ClientError, match="in status Completed"):
        world.sagemaker.stop_training_job(TrainingJobName=name)


def test_children_of_the_entry_point_end_with_it(world: TrainingWorld) -> None:
    job = world.run(
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)"
    )
    child = int(world.log(job["TrainingJobName"])[0])
    until(lambda: not is_running(child))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_does_not_outlive_its_server_and_is_not_stuck_after_it(
    tmp_path: Path, end: signal.Signals
) -> None:
    with local_aws_with(tmp_path / "home", **job_environment(tmp_path)) as aws:
        first = TrainingWorld(aws)
        done = first.run()["TrainingJobName"]
        name = first.create_running("print(os.getpid(), flush=True)\n")
        process = int(until(lambda: first.log(name))[0])
        server = aws.pid()
        assert server is not None
        os.kill(server, end)
        until(lambda: aws.pid() is None)
        aws.start()
        job = first.ended(name)
        assert job["TrainingJobStatus"] == "Failed"
        assert job["FailureReason"].startswith("InternalServerError")
        assert not is_running(process)
        assert first.describe(done)["TrainingJobStatus"] == "Completed"
        with pytest.raises(first.sagemaker.exceptions.ResourceInUse):
            first.create(TrainingJobName=done)


def is_running(process: int) -> bool:
    """Return whether a process lives; a zombie that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
