"""Sixteen writers at once, against transactions that are atomic."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import Any, TypeVar

import pytest
from botocore.config import Config

from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from boringml.registry.records import HistoryEvent
from local.server import LocalAWS
from tests.unit.registry.samples import TABLE, package

pytestmark = pytest.mark.local_aws

WRITERS = 16
Done = TypeVar("Done")
_tables = count(1)


@pytest.fixture(scope="module")
def clients(local_aws: LocalAWS) -> list[Any]:
    """One client for each writer. They do not retry, so that the registry has to."""
    once = Config(max_pool_connections=1, retries={"total_max_attempts": 1})
    return [local_aws.client("dynamodb", config=once) for _ in range(WRITERS)]


@pytest.fixture
def registries(clients: list[Any]) -> Iterator[list[RegistryTable]]:
    """One registry for each writer, all over one new table."""
    name = f"registry-{next(_tables)}"
    clients[0].create_table(TableName=name, **TABLE)
    yield [RegistryTable(client, name) for client in clients]
    clients[0].delete_table(TableName=name)


def together(
    registries: list[RegistryTable], work: Callable[[int, RegistryTable], Done]
) -> list[Done]:
    """Return what each writer's work returned; all start at the same moment."""
    start = Barrier(len(registries))

    def run(writer: int) -> Done:
        start.wait()
        return work(writer, registries[writer])

    with ThreadPoolExecutor(len(registries)) as pool:
        return list(pool.map(run, range(len(registries))))


def assert_whole(history: list[HistoryEvent], length: int) -> None:
    """No event is missing, none is there twice, and time only grows."""
    assert [event.sequence for event in history] == list(range(1, length + 1))
    times = [event.at for event in history]
    assert times == sorted(set(times))


def test_a_hundred_versions_of_sixteen_writers_have_no_gap(
    registries: list[RegistryTable],
) -> None:
    def register_one(writer: int, registry: RegistryTable, n: int) -> int:
        while True:
            try:
                by = f"writer-{writer}"
                return registry.register_version(package(n), by=by, why="a race").number
            except BoringError as error:
                # Who has lost too many races is told to ask again, on a slow machine at most.
                if error.code != "registry_busy":
                    raise

    def register(writer: int, registry: RegistryTable) -> list[int]:
        return [register_one(writer, registry, n) for n in range(writer, 100, WRITERS)]

    numbers = [n for mine in together(registries, register) for n in mine]
    assert sorted(numbers) == list(range(1, 101))
    registry = registries[0]
    versions = registry.versions("credit")
    assert [version.number for version in versions] == list(range(1, 101))
    assert {version.package_digest for version in versions} == {
        package(n).package_digest for n in range(100)
    }
    history = registry.history("credit")
    assert_whole(history, 100)
    told = {event.to_version: event.by for event in history}
    assert told == {version.number: version.registered_by for version in versions}


def test_a_package_that_sixteen_writers_register_is_one_version(
    registries: list[RegistryTable],
) -> None:
    found = together(
        registries, lambda writer, r: r.register_version(package(1), by=str(writer), why="a race")
    )
    assert all(version == found[0] for version in found)
    assert [version.number for version in registries[0].versions("credit")] == [1]
    assert_whole(registries[0].history("credit"), 1)


def test_an_alias_that_sixteen_writers_move_has_one_winner_a_step(
    registries: list[RegistryTable],
) -> None:
    steps, registry = 12, registries[0]
    for n in range(WRITERS + 1):
        registry.register_version(package(n), by="setup", why="a race")
    barrier = Barrier(WRITERS)

    def move(writer: int, mine: RegistryTable) -> list[Any]:
        outcomes: list[Any] = []
        for _ in range(steps):
            expected = mine.alias("credit", "live")
            barrier.wait()
            to = writer + 1 if expected != writer + 1 else WRITERS + 1
            try:
                event = mine.move_alias(
                    "credit", "live", to=to, expected=expected, by=f"writer-{writer}", why="a race"
                )
            except BoringError as refusal:
                outcomes.append((refusal.code, refusal.details["current"] != expected))
            else:
                outcomes.append(event)
            barrier.wait()
        return outcomes

    outcomes = together(registries, move)
    won = []
    for step in zip(*outcomes, strict=True):
        events = [outcome for outcome in step if isinstance(outcome, HistoryEvent)]
        assert len(events) == 1
        assert Counter(o for o in step if o not in events) == {("alias_moved", True): WRITERS - 1}
        won += events
    history = registry.history("credit")
    assert_whole(history, WRITERS + 1 + steps)
    assert history[WRITERS + 1 :] == won
    assert [event.from_version for event in won] == [None, *(e.to_version for e in won[:-1])]
    assert registry.alias("credit", "live") == won[-1].to_version
    assert all(registry.live_at("credit", event.at) == event.to_version for event in won)


def test_registrations_and_moves_share_one_history(registries: list[RegistryTable]) -> None:
    registries[0].register_version(package(0), by="setup", why="a race")

    def work(writer: int, registry: RegistryTable) -> None:
        if writer % 2:
            registry.register_version(package(writer), by=str(writer), why="a race")
            return
        for alias in ("live", "candidate"):
            try:
                registry.move_alias(
                    "credit", alias, to=1, expected=None, by=str(writer), why="a race"
                )
            except BoringError as refusal:
                assert refusal.code == "alias_moved"  # noqa: PT017 - the loser's part

    together(registries, work)
    history = registries[0].history("credit")
    assert_whole(history, 1 + WRITERS // 2 + 2)
    assert sorted(e.alias for e in history if e.alias) == ["candidate", "live"]
    assert len(registries[0].versions("credit")) == 1 + WRITERS // 2


def test_one_of_sixteen_executions_gets_the_run(registries: list[RegistryTable]) -> None:
    def claim(writer: int, registry: RegistryTable) -> str:
        try:
            registry.claim_run("credit", "s3:data/credit/a.csv:1", execution_arn=f"run-{writer}")
        except BoringError as refusal:
            return f"held by {refusal.details['holder']}"
        return f"run-{writer}"

    answers = together(registries, claim)
    (holder,) = [answer for answer in answers if not answer.startswith("held by")]
    assert Counter(answers) == {holder: 1, f"held by {holder}": WRITERS - 1}
    assert registries[0].models() == ["credit"]


def test_a_history_longer_than_a_megabyte_is_read_to_its_end(
    registries: list[RegistryTable],
) -> None:
    registry = registries[0]
    for n in range(2):
        registry.register_version(package(n), by="setup", why="x" * 200_000)
    for to, expected in ((1, None), (2, 1), (1, 2), (2, 1)):
        registry.move_alias(
            "credit", "live", to=to, expected=expected, by="setup", why="x" * 200_000
        )
    assert_whole(registry.history("credit"), 6)
    assert [event.sequence for event in registry.history("credit", limit=5)] == [2, 3, 4, 5, 6]
