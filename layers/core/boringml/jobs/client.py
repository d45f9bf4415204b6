"""Who posted a job."""

import re
from typing import Final

# arn:aws:sts::123456789012:assumed-role/Role/session; the caller chooses the session's name.
_ASSUMED: Final = re.compile(r"(arn:[^:]*:sts::\d*:assumed-role/[^/]+)/.+")


def client_of(user_arn: str) -> str:
    """Return the client that a signed request is of: a user, or a role whatever its session.

    Two processes with one role are one client: what one posted, the other may ask for.
    """
    found = _ASSUMED.fullmatch(user_arn)
    return found[1] if found else user_arn
