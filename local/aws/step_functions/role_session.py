"""Credentials of a role, for calls that AWS services make on someone's behalf.

With AUTH=true MiniStack holds a request with them to the role's policies, boundary and the
resource's policy, as it would one from outside; without it everything is allowed to anyone.
"""

import hashlib
import os
import threading
from functools import lru_cache
from typing import Any

import botocore.session
from boto3.session import Session
from botocore.config import Config
from ministack import app
from ministack.services import sts

# boto3's sessions are not for several threads at once, its clients are.
_one_at_a_time = threading.Lock()
# What the user of this machine has set up for AWS is not for the local one.
_NO_FILES: dict[str, Any] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


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


def client(service: str, region: str, rights: dict[str, str], config: Config) -> Any:
    """Return a boto3 client of this local AWS that has these rights (see `credentials`).

    Raises botocore's UnknownServiceError where it knows no such service.
    """
    with _one_at_a_time:
        return _session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}",
            region_name=region,
            config=Config(proxies={}, s3={"addressing_style": "path"}).merge(config),
            **rights,
        )


@lru_cache(maxsize=1)
def _session() -> Session:
    """The one session: it keeps the models of services, which are slow to read."""
    return Session(botocore_session=botocore.session.Session(_NO_FILES))
