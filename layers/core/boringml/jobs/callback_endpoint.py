"""Endpoints that a client registered: where its callbacks go."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from boringml.errors import BoringError

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")

# Why an endpoint does not get callbacks.
BY_PERSON: Final = "disabled by hand"
GONE: Final = "it answered 410 Gone"


@dataclass(frozen=True)
class Endpoint:
    """A URL under a name of its client, and where the secrets lie that sign what goes there."""

    client: str
    name: str
    url: str
    secret_arn: str
    enabled: bool
    created_at: datetime
    # Why it is disabled, and since when.
    reason: str | None = None
    disabled_at: datetime | None = None


def check_name(name: str) -> None:
    """Raise BoringError `callback_name_invalid` unless an endpoint may have that name."""
    if not NAME.fullmatch(name):
        raise BoringError(
            "callback_name_invalid",
            f"{name!r}: an endpoint's name has a-z, 0-9 and -, begins with a letter, at most 64.",
            422,
        )


def not_found(client: str, name: str) -> BoringError:
    """Return the refusal of a name that the client did not register."""
    told = f"{client} has no callback endpoint {name!r}: boringml callbacks list shows them."
    return BoringError("callback_not_found", told, 404)
