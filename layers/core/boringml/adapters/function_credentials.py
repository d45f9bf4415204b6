"""Credentials of a Lambda function's role, with the standard library alone."""

import json
from collections.abc import Mapping

from boringml.adapters.http_get import BrokenAnswerError, HttpGet
from boringml.adapters.s3_signature import Credentials
from boringml.errors import BoringError

_TIMEOUT_SECONDS = 2
_MAX_BYTES = 65536
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def credentials_of(environ: Mapping[str, str]) -> Credentials:
    """Return the credentials that the function's environment holds or points to.

    With SnapStart a function has no keys in its environment, since they would expire inside the
    snapshot, but the address of a provider of containers' credentials ("Activating and managing
    Lambda SnapStart", Lambda Developer Guide).
    Raises BoringError `credentials_missing`.
    """
    if "AWS_ACCESS_KEY_ID" in environ:
        return Credentials(
            environ["AWS_ACCESS_KEY_ID"],
            environ.get("AWS_SECRET_ACCESS_KEY", ""),
            environ.get("AWS_SESSION_TOKEN", ""),
        )
    uri = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    scheme, _, place = uri.partition("://")
    host, _, path = place.partition("/")
    # The token goes to this machine alone, whatever the variable says.
    if scheme != "http" or (host.rpartition(":")[0] or host) not in _LOOPBACK:
        told = "Neither AWS_ACCESS_KEY_ID nor a local AWS_CONTAINER_CREDENTIALS_FULL_URI is set."
        raise BoringError("credentials_missing", told)
    connection = _connect(host)
    try:
        headers = {"Authorization": environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")}
        _status, answer = connection.get(f"/{path}", headers, _MAX_BYTES)
        given = json.loads(answer)
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["Token"])
    except (OSError, BrokenAnswerError, ValueError, KeyError) as error:
        told = f"The provider of credentials gives none: {error!r}."
        raise BoringError("credentials_missing", told) from error
    finally:
        connection.close()


def _connect(host: str) -> HttpGet:
    return HttpGet("http", host, _TIMEOUT_SECONDS)
