"""Credentials of a role, for calls that AWS services make on someone's behalf.

With AUTH=true MiniStack holds a request with them to the role's policies, boundary and the
resource's policy, as it would one from outside; without it everything is allowed to anyone.
"""

import hashlib

from ministack import app
from ministack.services import sts


def credentials(account: str, role_arn: str, session: str) -> dict[str, str]:
    """Return boto3's credential arguments for a session of `role_arn`.

    The same role and session give the same key, which MiniStack knows from this call on.
    """
    if not app.AUTH:
        return {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    role = role_arn.rsplit("/", 1)[-1]
    digest = hashlib.sha256(f"{account}:{role_arn}:{session}".encode()).hexdigest()
    secret = hashlib.sha256(f"secret:{digest}".encode()).hexdigest()
    token = hashlib.sha256(f"token:{digest}".encode()).hexdigest()
    key = f"ASIA{digest[:16].upper()}"
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
            "UserId": f"{role}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {
        "aws_access_key_id": key,
        "aws_secret_access_key": secret,
        "aws_session_token": token,
    }
