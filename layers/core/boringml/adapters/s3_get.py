"""GET of S3 objects with the standard library alone.

The online path starts with it, and importing boto3 would be the longest part of that start:
docs/adr/0002-signed-s3-get-without-boto3.md.
"""

import time
from collections.abc import Callable, Mapping
from types import TracebackType

from boringml.adapters.function_credentials import credentials_of
from boringml.adapters.http_get import BrokenAnswerError, HttpGet
from boringml.adapters.s3_signature import Credentials, encoded_path, signed_headers
from boringml.errors import BoringError

_ATTEMPTS = 3
# Three attempts and their pauses stay below the 10 s that Lambda gives to a start ("Understanding
# the Lambda execution environment lifecycle", Init phase).
_TIMEOUT_SECONDS = 3

Connect = Callable[[str, str], HttpGet]


class _PassingError(Exception):
    """A failure that another attempt may not meet."""


def _connect(scheme: str, host: str) -> HttpGet:
    return HttpGet(scheme, host, _TIMEOUT_SECONDS)


class S3Get:
    """Reads objects over one connection, which `with` closes.

    `endpoint` is the URL of a service of one's own, or empty for AWS's. AWS is asked by host name,
    so a bucket's name may hold no dots.
    """

    def __init__(
        self,
        credentials: Credentials,
        region: str,
        endpoint: str = "",
        connect: Connect = _connect,
    ) -> None:
        self._credentials = credentials
        self._region = region
        self._endpoint = endpoint.rstrip("/")
        self._connect = connect
        self._open: dict[tuple[str, str], HttpGet] = {}

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "S3Get":
        """Return the one that a function's environment describes.

        Raises BoringError `credentials_missing`.
        """
        endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL", "")
        return cls(credentials_of(environ), environ["AWS_REGION"], endpoint)

    def __enter__(self) -> "S3Get":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def folder(self, uri: str, max_bytes: int) -> Callable[[str], bytes]:
        """Return a function from a name to the content of that file below `uri` (s3://...).

        Raises BoringError `settings_invalid` for what is no such URI; the function raises what
        `fetch` does.
        """
        scheme, _, place = uri.partition("://")
        bucket, _, prefix = place.partition("/")
        if scheme != "s3" or not bucket:
            raise BoringError(
                "settings_invalid", f"{uri!r} is no place in S3: s3://bucket/prefix/."
            )
        folder = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
        return lambda name: self.fetch(bucket, folder + name, max_bytes)

    def fetch(self, bucket: str, key: str, max_bytes: int) -> bytes:
        """Return an object's bytes.

        Raises BoringError `package_missing` (it is not there), `package_unreadable` (S3 does not
        answer, or refuses) or `package_incomplete` (it is larger than `max_bytes`).
        """
        scheme, host, path = self.place(bucket, key)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                status, content = self._get(scheme, host, path, max_bytes)
                break
            except (OSError, BrokenAnswerError, _PassingError) as error:
                # What is left of a broken answer must not be read as the next one.
                self._close()
                if attempt == _ATTEMPTS:
                    raise _refusal("package_unreadable", bucket, key, repr(error)) from error
            time.sleep(0.1 * 2**attempt)
        if status == 404:
            raise _refusal("package_missing", bucket, key, "it is not there")
        if status == 403:
            # S3 tells who may not list a bucket nothing else of an object that is not there.
            told = "S3 answers 403: it is not there, or this function's role may not read it"
            raise _refusal("package_unreadable", bucket, key, told)
        if status != 200:
            raise _refusal("package_unreadable", bucket, key, f"S3 answers {status}")
        if len(content) > max_bytes:
            told = f"it is larger than {max_bytes} bytes"
            raise _refusal("package_incomplete", bucket, key, told)
        return content

    def place(self, bucket: str, key: str) -> tuple[str, str, str]:
        """Return scheme, host and encoded path: by host on AWS, by path at one's own endpoint."""
        path = "/" + encoded_path(key)
        if self._endpoint:
            scheme, _, place = self._endpoint.partition("://")
            host, slash, below = place.partition("/")
            return scheme, host, f"{slash}{below}/{bucket}{path}"
        suffix = "amazonaws.com.cn" if self._region.startswith("cn-") else "amazonaws.com"
        return "https", f"{bucket}.s3.{self._region}.{suffix}", path

    def _get(self, scheme: str, host: str, path: str, max_bytes: int) -> tuple[int, bytes]:
        connection = self._open.get((scheme, host)) or self._connect(scheme, host)
        self._open[scheme, host] = connection
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = signed_headers(self._credentials, self._region, host, path, now)
        del headers["host"]  # the connection sends it itself
        status, content = connection.get(path, headers, max_bytes)
        if status >= 500:
            raise _PassingError(f"S3 answers {status}")
        return status, content

    def _close(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()


def _refusal(code: str, bucket: str, key: str, told: str) -> BoringError:
    return BoringError(code, f"s3://{bucket}/{key} cannot be loaded: {told}.")
