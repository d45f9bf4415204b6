"""The stand-in for a container image: which command and environment an image URI means here."""

import os

from local.aws.sagemaker.errors import SageMakerError
from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.settings import JobSettings


def command(settings: JobSettings, image: str, verb: str) -> list[str]:
    """Return what `docker run <image> <verb>` runs; verb is train or serve.

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


def environment(
    settings: JobSettings, folder: JobFolder, given: dict[str, str], **platform: str
) -> dict[str, str]:
    """Return the whole environment of the container: nothing of the server's passes through.

    `given` is the request's, `platform` what SageMaker sets; ML_ROOT tells the entry points where
    /opt/ml is. There are no AWS credentials: a job gets its data from the platform.
    """
    return {
        "PATH": os.pathsep.join([str(settings.python.parent), "/usr/local/bin:/usr/bin:/bin"]),
        "LANG": "C.UTF-8",
        "HOME": str(folder.home),
        "TMPDIR": str(folder.tmp),
        **given,
        "PYTHONPATH": settings.python_path,
        **platform,
        "ML_ROOT": str(folder.root),
    }
