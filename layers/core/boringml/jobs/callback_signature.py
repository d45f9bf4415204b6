"""Signatures of callbacks, by Standard Webhooks 1.0.0 (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from boringml.errors import BoringError

PREFIX = "whsec_"
# The specification asks for 24 to 64 bytes.
SECRET_BYTES = 32
# How long a secret that was replaced goes on signing beside the new one.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True)
class SigningSecrets:
    """The secret that signs, and the one before it with the moment when it ends."""

    current: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)
    previous_until: datetime | None = None

    def valid_at(self, now: datetime) -> list[str]:
        """Return the secrets that sign at a moment, the current one first."""
        until = self.previous_until
        if self.previous is None or until is None or now >= until:
            return [self.current]
        return [self.current, self.previous]

    def rotated(self, secret: str, now: datetime, overlap: timedelta = OVERLAP) -> "SigningSecrets":
        """Return what is stored once `secret` is the current one."""
        return SigningSecrets(secret, self.current, now + overlap)

    def text(self) -> str:
        """Return what Secrets Manager stores."""
        until = self.previous_until.isoformat() if self.previous_until else None
        stored = {"current": self.current, "previous": self.previous, "previous_until": until}
        return json.dumps(stored)


def parse(text: str) -> SigningSecrets:
    """Return the secrets that were stored. Raises BoringError `callback_secret_unreadable`."""
    try:
        stored = json.loads(text)
        until = stored["previous_until"]
        found = SigningSecrets(
            stored["current"], stored["previous"], datetime.fromisoformat(until) if until else None
        )
        for secret in (found.current, found.previous):
            if secret is not None:
                _key(secret)
    except (ValueError, TypeError, KeyError, AttributeError):
        # Without its cause: that might quote the secret.
        told = "A callback's secret is not as `boringml callbacks` stores it: rotate it."
        raise BoringError("callback_secret_unreadable", told) from None
    return found


def new_secret() -> str:
    """Return a new signing secret, in the form that verifiers take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(
    message_id: str, body: bytes, now: datetime, signed_by: SigningSecrets
) -> Mapping[str, str]:
    """Return the three headers of a callback; `now` is the attempt's own time.

    `webhook-signature` has one signature for each secret that is valid, separated by spaces.
    """
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_sign(key, signed) for key in signed_by.valid_at(now)),
    }


def _sign(secret: str, signed: bytes) -> str:
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
