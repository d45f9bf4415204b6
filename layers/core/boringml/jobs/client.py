"""Who posted a job, and who is told of it."""

import re
from typing import Final

_SESSION: Final = re.compile(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([\w+=,.@-]+)/[\w+=,.@-]+")


def client_of(user_arn: str) -> str:
    """Return the client that a signed request is of: a user, or a role whatever its session.

    Two processes with one role are one client: what one posted, the other may ask for. API Gateway
    tells `userArn` with the session's name ("$context Variables", API Gateway Developer Guide),
    and without the path of a role that has one.
    """
    found = _SESSION.fullmatch(user_arn)
    if found is None:
        return user_arn
    partition, account, role = found.groups()
    return f"arn:{partition}:iam::{account}:role/{role}"
