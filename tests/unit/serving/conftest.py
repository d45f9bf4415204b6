"""A predictor over the tiny model, and the lines that it writes."""

import json
from typing import Any

import pytest

from boringml.serving.model import Model, load_model
from boringml.serving.predict import Predictor
from tests.unit.serving import tiny


class Log:
    """Collects what a predictor writes."""

    def __init__(self) -> None:
        self.content = ""
        self.writes = 0

    def write(self, content: str) -> None:
        self.content += content
        self.writes += 1

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.content.splitlines()]


@pytest.fixture(scope="session")
def model() -> Model:
    files, digest = tiny.package()
    return load_model(files.__getitem__, "credit", digest, 3)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def predictor(model: Model, log: Log) -> Predictor:
    return Predictor("credit", model, "7", log.write)
