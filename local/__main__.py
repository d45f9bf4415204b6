"""The local AWS, from a terminal: `python -m local up|down|clean|status|demo|...`."""

import argparse
import importlib
import sys

from local.application import DeploymentError
from local.paths import DEFAULT_HOME
from local.server import LocalAWS, LocalAWSError
from local.up import STACK_NAME, up


def down() -> None:
    """Stop the local AWS; its state stays."""
    stopped = LocalAWS(DEFAULT_HOME).stop(_say)
    print("local AWS  " + ("stopped, its state is kept" if stopped else "does not run"))


def _say(doing: str) -> None:
    print(f"local AWS  {doing}", flush=True)


def clean() -> None:
    """Stop the local AWS and forget its state."""
    LocalAWS(DEFAULT_HOME).forget(_say)
    print("local AWS  stopped, its state is gone")


def status() -> None:
    """Say whether the local AWS runs, where, and what stacks stand on it."""
    local_aws = LocalAWS(DEFAULT_HOME)
    pid = local_aws.pid()
    if pid is None:
        print("local AWS  does not run: make up")
        raise SystemExit(1)
    print(f"local AWS  runs on {local_aws.endpoint_url}, process {pid}, log {local_aws.log}")
    for stack in local_aws.client("cloudformation").describe_stacks()["Stacks"]:
        print(f"stack      {stack['StackName']} {stack['StackStatus']}")


def demo() -> None:
    """Take a model from raw data to live predictions."""
    importlib.import_module("local.demo").main()


def parity() -> None:
    """Compare the live version over HTTP with its pipeline."""
    importlib.import_module("local.checks").parity()


def bad_requests() -> None:
    """Show what each bad request gets."""
    importlib.import_module("local.checks").bad_requests()


def files() -> None:
    """Write real loans to try things with."""
    importlib.import_module("local.hands_on").files()


def traffic() -> None:
    """Send a stream of real requests."""
    importlib.import_module("local.hands_on").traffic()


COMMANDS = {
    "up": up,
    "down": down,
    "clean": clean,
    "status": status,
    "demo": demo,
    "parity": parity,
    "bad-requests": bad_requests,
    "files": files,
    "traffic": traffic,
}


def main() -> None:
    """Run one command; a failure is one message on stderr and status 1."""
    parser = argparse.ArgumentParser(prog="python -m local", description=f"Stack: {STACK_NAME}")
    parser.add_argument("command", choices=COMMANDS)
    try:
        COMMANDS[parser.parse_args().command]()
    except (LocalAWSError, DeploymentError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
