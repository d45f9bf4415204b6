"""The folder that stands for /opt/ml, as SageMaker lays it out for a container.

Source: "How Amazon SageMaker Provides Training Information" and "SageMaker training storage
paths", SageMaker Developer Guide.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from local.aws.sagemaker.request_rules import ML_ROOT
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.store import Job

_HOST = "algo-1"
_GROUP = "homogeneousCluster"


class JobFolder:
    """Where one job lives: `root` is its /opt/ml; `home` and `tmp` lie outside it.

    `alive` is the file that the running entry point locks.
    """

    def __init__(self, settings: JobSettings, job: Job) -> None:
        self.base = settings.directory / job.account / job.region / job.KIND / job.name
        self.alive = settings.locks / f"{job.account}-{job.region}-{job.KIND}-{job.name}"
        self.root = self.base / "ml"
        self.home = self.base / "home"
        self.tmp = self.base / "tmp"

    def create(self) -> None:
        """Make the folders that every container has."""
        self.remove()
        for folder in (self.home, self.tmp, self.model):
            folder.mkdir(parents=True)
        self.alive.parent.mkdir(parents=True, exist_ok=True)

    def create_for_training(self, record: dict[str, Any]) -> None:
        """Make the folders and the configuration files of a training job's `record`."""
        self.create()
        for folder in (self.output_data, self.config):
            folder.mkdir(parents=True)
        self._write("hyperparameters", record.get("HyperParameters", {}))
        self._write("inputdataconfig", _input_data(record.get("InputDataConfig", [])))
        self._write("resourceconfig", _resources(record["ResourceConfig"]))

    def remove(self) -> None:
        """Delete everything, as the instance's volume goes with the instance."""
        shutil.rmtree(self.base, ignore_errors=True)
        self.alive.unlink(missing_ok=True)

    @property
    def config(self) -> Path:
        """input/config."""
        return self.root / "input" / "config"

    @property
    def model(self) -> Path:
        """model: becomes model.tar.gz."""
        return self.root / "model"

    @property
    def output_data(self) -> Path:
        """output/data: becomes output.tar.gz."""
        return self.root / "output" / "data"

    def channel(self, name: str) -> Path:
        """input/data/<channel>."""
        return self.root / "input" / "data" / name

    def inside(self, container_path: str) -> Path:
        """Return where a path below /opt/ml lies."""
        return self.root / container_path.removeprefix(ML_ROOT)

    def failure(self) -> str:
        """Return what the algorithm wrote to output/failure, or nothing."""
        file = self.root / "output" / "failure"
        return file.read_text(errors="replace").strip() if file.is_file() else ""

    def _write(self, name: str, value: Any) -> None:
        (self.config / f"{name}.json").write_text(json.dumps(value))


def _input_data(channels: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        channel["ChannelName"]: {
            **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        for channel in channels
    }


def _resources(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "current_host": _HOST,
        "current_instance_type": config["InstanceType"],
        "current_group_name": _GROUP,
        "hosts": [_HOST],
        "instance_groups": [
            {
                "instance_group_name": _GROUP,
                "instance_type": config["InstanceType"],
                "hosts": [_HOST],
            }
        ],
        "network_interface_name": "lo",
    }
