"""What a job leaves: model.tar.gz and output.tar.gz under <S3OutputPath>/<job>/output/."""

import tarfile
from pathlib import Path
from typing import Any

from local.aws.sagemaker.layout import JobFolder
from local.aws.sagemaker.s3_access import JobS3


def upload_model(s3: JobS3, folder: JobFolder, record: dict[str, Any]) -> str:
    """Pack model/ and upload it; return its S3 URI. May raise botocore's ClientError."""
    return _upload(s3, folder, record, folder.model, "model.tar.gz")


def upload_output(s3: JobS3, folder: JobFolder, record: dict[str, Any]) -> None:
    """Pack output/data and upload it, where it holds a file."""
    if any(path.is_file() for path in folder.output_data.rglob("*")):
        _upload(s3, folder, record, folder.output_data, "output.tar.gz")


def _upload(s3: JobS3, folder: JobFolder, record: dict[str, Any], content: Path, name: str) -> str:
    archive = folder.base / name
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(content.iterdir()):
            tar.add(path, arcname=path.name)
    output = record["OutputDataConfig"]
    uri = f"{output['S3OutputPath'].rstrip('/')}/{record['TrainingJobName']}/output/{name}"
    s3.upload(archive, uri, output.get("KmsKeyId") or None)
    return uri
