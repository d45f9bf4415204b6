"""What a state machine kept of a chunk that failed, whichever way Step Functions wrote it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from boringml.batch.failures import failures_of
from tests.unit.batch.tables import RUN

KEPT = {
    "run": {},
    "chunk": {"number": 4},
    "failure": {
        "Error": "Refused",
        "Cause": json.dumps({"errorType": "Refused", "errorMessage": "rows_differ: 3, not 4"}),
    },
}


class Store:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def names(self, folder: str) -> Iterator[str]:
        yield f"{folder}4.json"

    def read(self, key: str) -> bytes:
        return self.content


@pytest.mark.parametrize("written", [KEPT, json.dumps(KEPT)], ids=["once", "twice"])
def test_a_failed_chunk_is_told_by_its_code(written: Any) -> None:
    found = failures_of(RUN, Store(json.dumps(written).encode()))
    assert found == {4: {"code": "rows_differ", "message": "3, not 4"}}
