"""A job's own access to S3: through the local AWS, with the permissions of its role.

AWS assumes the job's RoleArn for every read and write of data. With AUTH=true the session below
is held to the role's policies and to bucket policies by MiniStack itself, as a request from
outside would be; without it the account's own key is used, and everything is allowed.
"""

from pathlib import Path

from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.sagemaker.store import Job
from local.aws.step_functions.role_session import client, credentials

_NOT_FOUND = 404


def split(uri: str) -> tuple[str, str]:
    """Return the bucket and the key, or prefix, of an s3:// URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


class JobS3:
    """The few S3 calls that SageMaker makes for a job; each may raise botocore's ClientError."""

    def __init__(self, account: str, region: str, role_arn: str) -> None:
        rights = credentials(account, role_arn, "SageMaker")
        self._client = client("s3", region, rights, Config(retries={"total_max_attempts": 2}))

    @classmethod
    def of(cls, job: Job) -> "JobS3":
        """Return the access that `job` has."""
        return cls(job.account, job.region, job.record["RoleArn"])

    def keys(self, uri: str) -> list[str]:
        """Return the keys of the objects under the prefix `uri`, without folder markers."""
        bucket, prefix = split(uri)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = (item["Key"] for page in pages for item in page.get("Contents", []))
        return [key for key in keys if not key.endswith("/")]

    def exists(self, uri: str) -> bool:
        """Return whether there is an object at `uri`."""
        bucket, key = split(uri)
        try:
            self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == _NOT_FOUND:
                return False
            raise
        return True

    def read(self, uri: str) -> bytes:
        """Return the content of the object at `uri`."""
        bucket, key = split(uri)
        content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def download(self, bucket: str, key: str, to: Path) -> None:
        """Write the object to the file `to`."""
        to.parent.mkdir(parents=True, exist_ok=True)
        self._client.download_file(bucket, key, str(to))

    def upload(self, file: Path, uri: str, kms_key: str | None = None) -> None:
        """Write the file to the object at `uri`, encrypted with `kms_key` where one is given."""
        bucket, key = split(uri)
        extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        # Not upload_file, which hides S3's ClientError in one of its own.
        with file.open("rb") as content:
            self._client.upload_fileobj(content, bucket, key, ExtraArgs=extra)


def reason(error: ClientError) -> str:
    """Return what S3 said, in one line."""
    return f"{error.response['Error'].get('Code')}: {error.response['Error'].get('Message')}"
