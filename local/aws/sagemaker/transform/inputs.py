"""Which objects a transform job reads, and where the answer to each is written.

S3Prefix: every object whose key begins with the prefix. ManifestFile: a JSON list of
{"prefix": ...} and then paths below it (TransformS3DataSource, SageMaker API reference).
"""

import json
from dataclasses import dataclass
from typing import Any

from local.aws.sagemaker.channels import relative
from local.aws.sagemaker.errors import SageMakerError
from local.aws.sagemaker.s3_access import JobS3, split


@dataclass(frozen=True)
class Source:
    """One input object. Its answer lies below the output as it lies below the prefix: at `path`."""

    bucket: str
    key: str
    path: str


def sources(s3: JobS3, source: dict[str, Any]) -> list[Source]:
    """Return the objects of an S3DataSource, in order.

    Raises SageMakerError where there are none or the manifest is none, botocore's ClientError
    where S3 refuses.
    """
    uri = source["S3Uri"]
    if source["S3DataType"] == "ManifestFile":
        return _of_manifest(uri, s3.read(uri))
    bucket, prefix = split(uri)
    found = [Source(bucket, key, relative(prefix, key)) for key in s3.keys(uri)]
    if not found:
        raise SageMakerError("ClientError", f"No S3 objects found under S3 URL {uri}")
    return found


def _of_manifest(uri: str, content: bytes) -> list[Source]:
    try:
        head, *paths = json.loads(content)
        prefix = head["prefix"]
        if not (paths and prefix.startswith("s3://") and all(isinstance(p, str) for p in paths)):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        told = f'{uri} is no manifest: [{{"prefix": "s3://..."}}, "path", ...]'
        raise SageMakerError("ClientError", told) from error
    bucket, start = split(prefix)
    return [Source(bucket, start + path, path.lstrip("/")) for path in paths]
