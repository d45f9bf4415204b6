"""The environment of the local AWS, and of those who talk to it."""

import os
from pathlib import Path

from local.paths import CONTAINER_PYTHON, FUNCTIONS_PYTHON, ROOT

REGION = "us-east-1"
ACCOUNT = "000000000000"
# The one image that local training jobs can "pull": container/, run as a process.
JOB_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/boringml-local@sha256:{'0' * 64}"
# The local AWS starts from little: AWS_PROFILE, proxies or a function's variables of the caller's
# shell must not leak into it, nor from it into functions and jobs.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "USER")


def client_environment(endpoint: str) -> dict[str, str]:
    """Return the variables with which an AWS SDK or CLI talks to the local AWS at `endpoint`."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # StartSyncExecution and others would call "sync-localhost".
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


def server_environment(home: Path, port: int, natives: Path | None = None) -> dict[str, str]:
    """Return the whole environment of the server that keeps its state under `home`.

    `natives` is a folder of the host's own libraries (see local/natives.py), where it needs one.
    """
    environ = {name: os.environ[name] for name in INHERITED if name in os.environ}
    if natives is not None:
        environ["LOCAL_NATIVE_PACKAGES"] = str(natives)
    return environ | {
        "GATEWAY_PORT": str(port),
        # Loopback only: MiniStack's own default is every interface, and more ports besides.
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "TMPDIR": str(home / "tmp"),
        "SFN_WAIT_SCALE": "0.1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        # What lies in ~/.aws is no part of the local account.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "LOCAL_AWS_PID_FILE": str(home / "pid"),
        "LOCAL_FUNCTIONS_PYTHON": str(FUNCTIONS_PYTHON),
        "LOCAL_JOB_IMAGE": JOB_IMAGE,
        "LOCAL_JOB_COMMAND_DIR": str(ROOT / "container"),
        "LOCAL_JOB_PYTHON": str(CONTAINER_PYTHON),
        "LOCAL_JOB_PYTHONPATH": os.pathsep.join(
            str(ROOT / folder) for folder in ("container", "layers/core")
        ),
        "LOCAL_JOB_DIR": str(home / "tmp" / "jobs"),
    }
