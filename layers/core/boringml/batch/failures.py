"""The chunks that failed for good, as the state machine kept them apart."""

import json
from collections.abc import Iterator
from typing import Protocol

from boringml.batch.run import BatchRun
from boringml.steps import reason_of


class Store(Protocol):
    """What a run wrote."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the keys below a folder."""

    def read(self, key: str) -> bytes:
        """Return an object."""


def failures_of(run: BatchRun, store: Store) -> dict[int, dict[str, str]]:
    """Return {"code", "message"} of each chunk that failed for good."""
    found = {}
    for key in store.names(f"{run.work}failed/"):
        document = json.loads(store.read(key))
        if isinstance(document, str):
            # Step Functions may write a body that is a text as JSON once more.
            document = json.loads(document)
        failure = document["failure"]
        found[int(document["chunk"]["number"])] = reason_of(failure["Error"], failure["Cause"])
    return found
