"""The stand-in for a container image: which command and environment an image URI means here."""

import os
from typing import Any

from local.aws.sagemaker.errors import SageMakerError
from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.settings import JobSettings


def command(settings: JobSettings, image: str, verb: str) -> list[str]:
    """Return what `docker run <image> <verb>` runs; verb is train.

    Raises SageMakerError with SageMaker's words where the image is not the known one
    (aws/sagemaker-python-sdk issue 1968 quotes them).
    """
    if not settings.image or image != settings.image:
        raise SageMakerError(
            "ClientError",
            "Cannot pull algorithm container. Either the image does not exist or its "
            "permissions are incorrect.",
        )
    return [str(settings.python), str(settings.command_dir / verb)]


def environment(settings: JobSettings, folder: JobFolder, record: dict[str, Any]) -> dict[str, str]:
    """Return the whole environment of the container: nothing of the server's passes through.

    SageMaker sets TRAINING_JOB_NAME and TRAINING_JOB_ARN; ML_ROOT tells the entry points where
    /opt/ml is. There are no AWS credentials: a job gets its data through its channels.
    """
    return {
        "PATH": os.pathsep.join([str(settings.python.parent), "/usr/local/bin:/usr/bin:/bin"]),
        "LANG": "C.UTF-8",
        "HOME": str(folder.home),
        "TMPDIR": str(folder.tmp),
        **record.get("Environment", {}),
        "PYTHONPATH": settings.python_path,
        "TRAINING_JOB_NAME": record["TrainingJobName"],
        "TRAINING_JOB_ARN": record["TrainingJobArn"],
        "ML_ROOT": str(folder.root),
    }
