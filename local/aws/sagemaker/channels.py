"""Input channels: the objects under a channel's S3 prefix become files in its folder.

S3Prefix and FullyReplicated, File mode: every object whose key begins with the prefix, at its
path below the prefix ("S3DataSource", SageMaker API reference).
"""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from local.aws.sagemaker.errors import SageMakerError, invalid
from local.aws.sagemaker.s3_access import JobS3, reason, split


def check_not_empty(s3: JobS3, request: dict[str, Any]) -> None:
    """Raise SageMakerError where a channel has no object.

    CreateTrainingJob itself looks, with the job's role, and refuses
    (aws/amazon-sagemaker-examples issue 2489 quotes the message).
    """
    for channel in request.get("InputDataConfig", []):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        said = ""
        try:
            if s3.keys(uri):
                continue
        except ClientError as error:
            said = f" Error message from S3: {reason(error)}"
        bucket, _ = split(uri)
        raise invalid(
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please '
            "ensure that the bucket exists in the selected region, that objects exist under "
            f'that S3 prefix, and that the role "{request["RoleArn"]}" has "s3:ListBucket" '
            f'permissions on bucket "{bucket}".{said}'
        )


def download(s3: JobS3, uri: str, folder: Path, stopped: Callable[[], bool]) -> None:
    """Write the objects under `uri` into `folder`; cease where `stopped` says so.

    Raises SageMakerError for a key that would leave the folder or two that cannot both be
    files, and botocore's ClientError where S3 refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bucket, prefix = split(uri)
    for key in s3.keys(uri):
        if stopped():
            return
        path = PurePosixPath(relative(prefix, key))
        if path.is_absolute() or ".." in path.parts:
            raise SageMakerError("ClientError", f"Data download failed:unsafe key {key}")
        try:
            s3.download(bucket, key, folder / path)
        except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
            raise SageMakerError(
                "ClientError", f"Data download failed:{key} is both a file and a folder"
            ) from error


def relative(prefix: str, key: str) -> str:
    """Return the path of the object `key` inside the folder that a `prefix` becomes."""
    if key == prefix:
        return key.rpartition("/")[2]
    folder = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    if key.startswith(folder):
        return key.removeprefix(folder)
    return key.removeprefix(prefix.rpartition("/")[0]).lstrip("/")
