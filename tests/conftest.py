"""What every kind of test shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from local.server import LocalAWS

# A busy machine fails no test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

UNIT = Path(__file__).parent / "unit"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests open no socket."""
    for item in items:
        if UNIT in item.path.parents:
            item.add_marker("disable_socket")


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAWS]:
    """A local AWS of this test run alone: empty, on a free port, gone at the end.

    `.client("dynamodb")` makes a boto3 client, `.environ()` the variables for a subprocess,
    `.endpoint_url` the URL. It is shared by all tests, so give what you make a name of its own.
    """
    with LocalAWS(tmp_path_factory.mktemp("local-aws")) as running:
        yield running
