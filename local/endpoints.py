"""Callback endpoints, registered as an operator does: by `boringml callbacks add`."""

import json
import os
import subprocess
import uuid
from dataclasses import dataclass
from typing import Any

from local.paths import DEV_BIN
from local.server import LocalAWS


@dataclass(frozen=True)
class Command:
    """The command line of a stack on the local AWS."""

    local_aws: LocalAWS
    stack_name: str

    def run(self, *words: str) -> Any:
        """Return the document that `boringml --json <words>` prints.

        Where it fails: {"exit": its status, "code", "message", ...} of the error that it tells.
        """
        done = subprocess.run(
            [DEV_BIN / "boringml", "--stack", self.stack_name, "--json", *words],
            env={**os.environ, **self.local_aws.environ()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return {"exit": done.returncode, **json.loads(done.stderr)["error"]}
        return json.loads(done.stdout)

    def register(self, url: str) -> tuple[str, str]:
        """Register a receiver for whoever signs with the root key; return its name and secret."""
        client = self.local_aws.client("sts").get_caller_identity()["Arn"]
        name = f"receiver-{uuid.uuid4().hex[:8]}"
        return name, str(self.run("callbacks", "add", client, name, url)["secret"])
