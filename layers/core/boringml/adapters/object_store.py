"""Objects in S3."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from boringml.adapters.object_version import ObjectVersion
from boringml.errors import BoringError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectRequestTypeDef

# DeleteObjects takes 1,000 keys.
_MOST_DELETED = 1000


@dataclass(frozen=True)
class StoredObject:
    """An object's key, size in bytes and time of its last change."""

    key: str
    size: int
    modified: datetime


class ObjectStore:
    """Reads and writes objects of one bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def read(self, key: str) -> bytes:
        """Return an object's bytes. Raises BoringError `object_missing`."""
        return self.open(key).read()

    def folder(self, uri: str) -> Callable[[str], bytes]:
        """Return a function from a name to the content of that file below `uri`, of this bucket.

        Raises BoringError `key_unsafe` where `uri` is of another bucket.
        """
        prefix = f"s3://{self.bucket}/"
        if not uri.startswith(prefix):
            raise BoringError("key_unsafe", f"{uri} does not lie in {prefix}.", 422)
        return lambda name: self.read(uri.removeprefix(prefix) + name)

    def open(self, key: str) -> IO[bytes]:
        """Return an object as a stream. Raises BoringError `object_missing`."""
        try:
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"]  # type: ignore[return-value]
        except ClientError as error:
            raise self._missing(key, error) from error

    def download(self, key: str, path: Path, max_bytes: int) -> None:
        """Write an object to `path`. Raises BoringError `object_missing` or `data_too_large`."""
        try:
            size = self._client.head_object(Bucket=self.bucket, Key=key)["ContentLength"]
        except ClientError as error:
            raise self._missing(key, error) from error
        if size > max_bytes:
            raise BoringError(
                "data_too_large",
                f"s3://{self.bucket}/{key} has {size} bytes, and the contract allows {max_bytes}.",
                422,
            )
        self._client.download_file(self.bucket, key, str(path))

    def write(self, key: str, content: bytes) -> None:
        """Store an object, with a checksum that S3 verifies."""
        self._client.put_object(
            Bucket=self.bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256"
        )

    def write_page(self, key: str, page: str) -> None:
        """Store HTML that a browser shows as it is, and asks for anew each time."""
        self._client.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=page.encode(),
            ChecksumAlgorithm="SHA256",
            ContentType="text/html; charset=utf-8",
            CacheControl="no-store",
        )

    def url(self, key: str, seconds: int) -> str:
        """Return a URL that anybody may read an object by, for so many seconds."""
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=seconds
        )

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects under a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        for page in pages:
            for item in page.get("Contents", []):
                yield StoredObject(item["Key"], item["Size"], item["LastModified"])

    def pinned(self, key: str, version_id: str | None = None) -> tuple[str, str, int]:
        """Return version id, ETag and size in bytes of an object as it is now, or of one version.

        Raises BoringError `object_missing`.
        """
        asked: HeadObjectRequestTypeDef = {"Bucket": self.bucket, "Key": key}
        if version_id is not None:
            asked["VersionId"] = version_id
        try:
            found = self._client.head_object(**asked)
        except ClientError as error:
            raise self._missing(key, error) from error
        return found.get("VersionId", "null"), found["ETag"].strip('"'), found["ContentLength"]

    def version(self, key: str, version_id: str) -> ObjectVersion:
        """Return one version of an object, to be read in ranges."""
        return ObjectVersion(self._client, self.bucket, key, version_id)

    def clear(self, prefix: str) -> None:
        """Delete the objects under a prefix that ends in a slash.

        Raises BoringError `key_unsafe` or, where one stays, `delete_failed` (503).
        """
        if not prefix.endswith("/"):
            raise BoringError("key_unsafe", f"{prefix!r} must end in a slash: it is a folder.", 422)
        self.delete([item.key for item in self.list(prefix)])

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; one that is not there is no error. Raises `delete_failed` (503)."""
        for start in range(0, len(keys), _MOST_DELETED):
            answer = self._client.delete_objects(
                Bucket=self.bucket,
                Delete={"Objects": [{"Key": key} for key in keys[start : start + _MOST_DELETED]]},
            )
            if answer.get("Errors"):
                first = answer["Errors"][0]
                told = f"{first.get('Key')} was not deleted: {first.get('Message')}."
                raise BoringError("delete_failed", told, 503)

    def _missing(self, key: str, error: ClientError) -> BoringError:
        code = error.response["Error"]["Code"]
        if code not in ("NoSuchKey", "404", "NotFound"):
            raise error
        return BoringError("object_missing", f"s3://{self.bucket}/{key} is not there.", 404)
