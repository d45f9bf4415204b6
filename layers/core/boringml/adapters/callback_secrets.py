"""Signing secrets of callback endpoints, in Secrets Manager."""

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from boringml.errors import BoringError
from boringml.jobs.callback_signature import SigningSecrets, parse
from boringml.jobs.client import client_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

# A rotation is known to every deliverer after so long; until then the old secret signs alone.
CACHE_SECONDS = 60.0
_MOST_CACHED = 1000


class CallbackSecrets:
    """Reads and writes secrets. What was read is kept for CACHE_SECONDS, in memory alone."""

    def __init__(
        self, client: "SecretsManagerClient", now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._now = now
        self._cached: dict[str, tuple[float, SigningSecrets]] = {}

    def get(self, arn: str) -> SigningSecrets:
        """Return the secrets of an endpoint.

        Raises BoringError `callback_secret_missing` or `callback_secret_unreadable`.
        """
        read_at, found = self._cached.get(arn, (0.0, None))
        if found is not None and self._now() - read_at < CACHE_SECONDS:
            return found
        found = parse(self._read(arn))
        if len(self._cached) >= _MOST_CACHED:
            self._cached.clear()
        self._cached[arn] = (self._now(), found)
        return found

    def create(self, prefix: str, client_id: str, name: str, secrets: SigningSecrets) -> str:
        """Return the ARN of a new secret below `prefix`. Raises BoringError `callback_exists`.

        A name of Secrets Manager has no colons, so the client is in it as a digest.
        """
        digest = hashlib.sha256(client_of(client_id).encode()).hexdigest()[:16]
        try:
            made = self._client.create_secret(
                Name=f"{prefix}{digest}/{name}",
                Description=f"Signs callbacks of {client_of(client_id)} to {name}",
                SecretString=secrets.text(),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
            told = f"There is a secret for {name!r} of this client already: choose another name."
            raise BoringError("callback_exists", told, 409) from error
        return made["ARN"]

    def put(self, arn: str, secrets: SigningSecrets) -> None:
        """Store what signs from now on."""
        self._client.put_secret_value(SecretId=arn, SecretString=secrets.text())
        self._cached.pop(arn, None)

    def delete(self, arn: str) -> None:
        """Delete a secret that no endpoint uses, at once."""
        self._client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)

    def _read(self, arn: str) -> str:
        try:
            return self._client.get_secret_value(SecretId=arn)["SecretString"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in ("ResourceNotFoundException", "InvalidRequestException"):
                raise
            told = f"The secret {arn} is gone: register the endpoint under another name."
            raise BoringError("callback_secret_missing", told) from error
