"""`make up`: the local AWS, started, with the application deployed to it."""

import json
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from local import natives, shell
from local.application import Application
from local.paths import DEFAULT_HOME
from local.server import LocalAWS
from local.telling import Say, still

STACK_NAME = "boringml-local"


@dataclass(frozen=True)
class Deployed:
    """A stack on a running local AWS: its outputs by name, with local URLs."""

    local_aws: LocalAWS
    stack_name: str
    outputs: Mapping[str, str]
    changed: bool


class Steps:
    """Says each step in one line, with the seconds it took."""

    def __init__(self, say: Say = print) -> None:
        self._say = say
        self._begin = time.monotonic()

    def under_way(self, what: str) -> AbstractContextManager[None]:
        """Return what says every few seconds that a step still works."""
        return still(what, self._say)

    def done(self, step: str, what: str) -> None:
        """Say that a step is over and what came of it; the next one begins."""
        seconds = time.monotonic() - self._begin
        self._say(f"{step:<10} {what} ({seconds:.1f} s)")
        self._begin = time.monotonic()


def up(
    home: Path = DEFAULT_HOME, application: Application | None = None, say: Say = print
) -> Deployed:
    """Start the local AWS of `home` and deploy the application, where either is needed.

    Writes `home`/env. Raises LocalAWSError or DeploymentError, whose message ends with the log.
    """
    application = application or Application()
    steps = Steps(say)
    natives.prepare(home)
    local_aws = LocalAWS(home)
    started = local_aws.start()
    steps.done("local AWS", f"{'started' if started else 'runs'} on {local_aws.endpoint_url}")
    deployed = deploy(local_aws, application, STACK_NAME, steps)
    file = shell.write(home, local_aws.environ(), STACK_NAME, deployed.outputs)
    say(f"{'ready':<10} source {_short(file)}")
    return deployed


def deploy(
    local_aws: LocalAWS, application: Application, stack_name: str, steps: Steps | None = None
) -> Deployed:
    """Build and deploy the application as `stack_name`, unless it stands there unchanged."""
    steps = steps or Steps(lambda _line: None)
    record = Record(local_aws.home / "deployed.json")
    fingerprint = application.fingerprint(application.parameters())
    known = record.outputs(stack_name, fingerprint)
    if known is not None and _stands(local_aws, stack_name):
        steps.done("deploy", f"nothing changed in {stack_name}")
        return Deployed(local_aws, stack_name, known, changed=False)
    record.forget(stack_name)
    with steps.under_way("building"):
        application.build(local_aws.home / "sam-build.log")
    steps.done("build", "functions and layers")
    with steps.under_way("deploying"):
        outputs = application.deploy(local_aws, stack_name, local_aws.home / "sam-deploy.log")
    record.remember(stack_name, fingerprint, outputs)
    steps.done("deploy", f"stack {stack_name}")
    return Deployed(local_aws, stack_name, outputs, changed=True)


class Record:
    """What was deployed last, in a file of the local AWS's home."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            found: dict[str, dict[str, object]] = json.loads(self._file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return found

    def _write(self, content: Mapping[str, object]) -> None:
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps(content, indent=1) + "\n")
        temporary.replace(self._file)

    def outputs(self, stack_name: str, fingerprint: str) -> dict[str, str] | None:
        """Return the outputs of a stack that was deployed from this very fingerprint, or None."""
        stack = self._read().get(stack_name, {})
        outputs = stack.get("outputs")
        if stack.get("fingerprint") != fingerprint or not isinstance(outputs, dict):
            return None
        return outputs

    def remember(self, stack_name: str, fingerprint: str, outputs: Mapping[str, str]) -> None:
        """Record a deployment that succeeded."""
        stack = {"fingerprint": fingerprint, "outputs": dict(outputs)}
        self._write({**self._read(), stack_name: stack})

    def forget(self, stack_name: str) -> None:
        """Drop a stack: what is being deployed may fail half-way."""
        self._write({name: item for name, item in self._read().items() if name != stack_name})


def _stands(local_aws: LocalAWS, stack_name: str) -> bool:
    """Return whether the stack is there and complete: the state may be gone, or a crash be late."""
    client = local_aws.client("cloudformation")
    pages = client.get_paginator("list_stacks").paginate()
    complete = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return any(
        stack["StackName"] == stack_name and stack["StackStatus"] in complete
        for page in pages
        for stack in page["StackSummaries"]
    )


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
