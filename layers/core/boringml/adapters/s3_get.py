"""GET of one S3 object with the standard library alone.

The online path starts with it: importing boto3 costs 400 ms (docs/adr/0002), this 15 ms.
Signature Version 4 as in the S3 API reference, "Authenticating requests (AWS Signature V4)";
a test holds it to botocore's own signature.
"""

import hashlib
import hmac
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from boringml.errors import BoringError

_EMPTY = hashlib.sha256(b"").hexdigest()
_ATTEMPTS = 3
_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class S3Get:
    """Credentials, Region and endpoint of this process; `endpoint` is empty for AWS's own."""

    access_key: str
    secret_key: str
    session_token: str
    region: str
    endpoint: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "S3Get":
        """Return the one that a Lambda function's environment describes."""
        return cls(
            environ["AWS_ACCESS_KEY_ID"],
            environ["AWS_SECRET_ACCESS_KEY"],
            environ.get("AWS_SESSION_TOKEN", ""),
            environ["AWS_REGION"],
            environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL", ""),
        )

    def fetch(self, bucket: str, key: str, max_bytes: int) -> bytes:
        """Return an object's bytes.

        Raises BoringError `package_missing` (it is not there), `package_unreadable` (S3 does not
        answer, or refuses) or `package_incomplete` (it is larger than `max_bytes`).
        """
        url = self.url(bucket, key)
        for attempt in range(1, _ATTEMPTS + 1):
            headers = self.headers(url, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
            # The scheme is https, or the operator's own endpoint.
            request = urllib.request.Request(url, headers=headers)  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                    content: bytes = answer.read(max_bytes + 1)
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    raise _refusal("package_missing", bucket, key, "it is not there") from error
                if error.code < 500 or attempt == _ATTEMPTS:
                    told = f"S3 answers {error.code}"
                    raise _refusal("package_unreadable", bucket, key, told) from error
            except OSError as error:
                if attempt == _ATTEMPTS:
                    raise _refusal("package_unreadable", bucket, key, str(error)) from error
            else:
                if len(content) > max_bytes:
                    told = f"it is larger than {max_bytes} bytes"
                    raise _refusal("package_incomplete", bucket, key, told)
                return content
            time.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")

    def url(self, bucket: str, key: str) -> str:
        """Return the object's URL: by host on AWS, by path at an endpoint of one's own."""
        path = quote(key, safe="/-_.~")
        if self.endpoint:
            return f"{self.endpoint.rstrip('/')}/{bucket}/{path}"
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://{bucket}.s3.{self.region}.{suffix}/{path}"

    def headers(self, url: str, now: str) -> dict[str, str]:
        """Return the headers of a signed GET at `now` (YYYYMMDDTHHMMSSZ)."""
        parts = urlsplit(url)
        signed = {"host": parts.netloc, "x-amz-content-sha256": _EMPTY, "x-amz-date": now}
        if self.session_token:
            signed["x-amz-security-token"] = self.session_token
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        canonical = f"GET\n{parts.path}\n\n{lines}\n{names}\n{_EMPTY}"
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={self.access_key}/{scope}"
        authorization = f"{credential}, SignedHeaders={names}, Signature={signature}"
        return {**signed, "Authorization": f"AWS4-HMAC-SHA256 {authorization}"}


def _refusal(code: str, bucket: str, key: str, told: str) -> BoringError:
    return BoringError(code, f"s3://{bucket}/{key} cannot be loaded: {told}.", 502)
