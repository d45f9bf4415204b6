"""What to try things with after the demo: real loans as files, and a stream of real requests."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from local.checks import running
from local.datasets import credit_records, write_credit
from local.paths import DEFAULT_HOME
from local.predictions import local_client
from local.telling import Say
from local.traffic import Sent, Traffic
from local.up import STACK_NAME

MODEL = "credit"
_SECONDS = 5


def files() -> None:
    """Write all loans, to train on, and one, to ask about."""
    for path in write_files(DEFAULT_HOME):
        print(path)


def write_files(folder: Path) -> tuple[Path, Path]:
    """Write loans.csv, of all loans, and loan.json, the body of a request; return both."""
    folder.mkdir(parents=True, exist_ok=True)
    loans = write_credit(folder / "loans.csv")
    (record,) = credit_records(slice(1))
    loan = folder / "loan.json"
    loan.write_text(json.dumps(record, indent=1) + "\n")
    return loans, loan


def traffic() -> None:
    """Send real requests until somebody presses Ctrl-C, and say what comes back."""
    local_aws, outputs = running()
    stream = Traffic(
        local_client(outputs["ApiUrl"]),
        MODEL,
        credit_records(),
        local_aws.client("events"),
        stack=STACK_NAME,
    )
    print(f"requests to {MODEL}, until Ctrl-C", flush=True)
    try:
        with stream:
            follow(stream, lambda line: print(line, flush=True))
    except KeyboardInterrupt:
        print(said(stream.sent))


def follow(stream: Traffic, show: Say, seconds: float = _SECONDS) -> None:
    """Show what came back in each while. Raises what ended the stream."""
    seen = 0
    while True:
        time.sleep(seconds)
        sent = stream.sent[seen:]
        seen += len(sent)
        show(said(sent))
        if stream.errors:
            raise stream.errors[0]


def said(sent: Sequence[Sent]) -> str:
    """Return how many requests were answered, by which version, and how many were not."""
    versions = Counter(item.version for item in sent if item.status == 200)
    told = [f"version {version}: {count}" for version, count in sorted(versions.items(), key=str)]
    failed = Counter(item.status for item in sent if item.status != 200)
    told += [f"status {status}: {count}" for status, count in sorted(failed.items())]
    return f"{len(sent):5} requests  {', '.join(told)}"
