"""Files and words of what people try after the demo."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from boringml.adapters import declarations
from boringml.contract.contract import Contract
from boringml.serving.decoder import Decoder
from local.hands_on import follow, said, write_files
from local.predictions import PredictionClient
from local.traffic import Sent, Traffic

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def sent(status: int, version: int | None) -> Sent:
    return Sent(NOW, NOW, status, version, 1.0, 0)


def test_the_request_on_disk_is_one_that_the_contract_takes(tmp_path: Path) -> None:
    loans, loan = write_files(tmp_path / "new")
    decoder = Decoder(Contract.of(declarations.contract("credit")))
    assert decoder.decode(loan.read_bytes())
    header = loans.read_text().partition("\n")[0].split(",")
    assert set(json.loads(loan.read_text())) <= set(header)


def test_answers_are_told_by_version_and_failures_by_status() -> None:
    found = said([sent(200, 2), sent(200, 3), sent(200, 2), sent(503, None)])
    assert found.split("  ")[-1] == "version 2: 2, version 3: 1, status 503: 1"
    assert said([]).strip() == "0 requests"


def test_what_ends_the_stream_is_raised_after_what_came_back() -> None:
    ended = Traffic(PredictionClient("", None, ""), "credit", [], None, stack="a")  # type: ignore[arg-type]
    ended.sent.append(sent(200, 2))
    ended.errors.append(OSError("the local AWS is gone"))
    shown: list[str] = []
    with pytest.raises(OSError, match="gone"):
        follow(ended, shown.append, 0.0)
    assert len(shown) == 1
