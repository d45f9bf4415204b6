"""One version of an object in S3: it never changes while it is read."""

import io
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from boringml.errors import BoringError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# Fetched at least, since readers of Parquet ask for one column after another.
_READ_AHEAD = 8 * 1024 * 1024


class ObjectVersion:
    """Reads byte ranges of one version of an object; `size` in bytes."""

    def __init__(self, client: "S3Client", bucket: str, key: str, version_id: str) -> None:
        self._client = client
        self._at = {"Bucket": bucket, "Key": key, "VersionId": version_id}
        self._size: int | None = None

    @property
    def size(self) -> int:
        """Bytes. Raises BoringError `object_missing`."""
        if self._size is None:
            try:
                self._size = self._client.head_object(**self._at)["ContentLength"]  # type: ignore[arg-type]
            except ClientError as error:
                raise self._missing(error) from error
        return self._size

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes `start` to `end`, the last not included. Raises `object_missing`."""
        if end <= start:
            return b""
        try:
            answer = self._client.get_object(**self._at, Range=f"bytes={start}-{end - 1}")  # type: ignore[arg-type]
        except ClientError as error:
            raise self._missing(error) from error
        return answer["Body"].read()

    def open(self) -> IO[bytes]:
        """Return the object as a file that can seek, which fetches what is read of it."""
        return _RangeFile(self)  # type: ignore[return-value]

    def _missing(self, error: ClientError) -> BoringError:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchVersion", "404", "NotFound"):
            raise error
        told = f"s3://{self._at['Bucket']}/{self._at['Key']} is not there in that version any more."
        return BoringError("object_missing", told, 404)


class _RangeFile(io.RawIOBase):
    """Keeps the last range: what follows is most often asked for next."""

    def __init__(self, source: ObjectVersion) -> None:
        self._source = source
        self._position = 0
        self._start, self._held = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}
        self._position = base[whence] + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        end = self._source.size
        if size is not None and size >= 0:
            end = min(self._position + size, end)
        begin = self._position
        if begin >= end:
            return b""
        if not self._start <= begin <= end <= self._start + len(self._held):
            ahead = min(max(end, begin + _READ_AHEAD), self._source.size)
            self._start, self._held = begin, self._source.read(begin, ahead)
        self._position = end
        return self._held[begin - self._start : end - self._start]
