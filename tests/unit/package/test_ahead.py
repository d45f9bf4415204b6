"""Files that are fetched while something else is done."""

from threading import Event

import pytest

from boringml.errors import BoringError
from boringml.package.ahead import ahead


class Folder:
    """Gives each file its own name as content, unless told to fail; keeps what was asked for."""

    def __init__(self, **failures: Exception) -> None:
        self.asked: list[str] = []
        self._failures = failures

    def fetch(self, name: str) -> bytes:
        self.asked.append(name)
        if name in self._failures:
            raise self._failures[name]
        return name.encode()


def test_named_files_are_fetched_once_whatever_the_order_that_they_are_asked_for() -> None:
    folder = Folder()
    fetch = ahead(folder.fetch, ["a", "b"])
    assert [fetch("b"), fetch("a")] == [b"b", b"a"]
    assert folder.asked == ["a", "b"]


def test_a_file_is_fetched_before_anybody_asks_for_it() -> None:
    begun = Event()

    def fetch(_name: str) -> bytes:
        begun.set()
        return b""

    ahead(fetch, ["a"])
    assert begun.wait(10)


def test_another_file_or_the_same_again_is_fetched_there_and_then() -> None:
    folder = Folder()
    fetch = ahead(folder.fetch, ["a"])
    assert [fetch("c"), fetch("a"), fetch("a")] == [b"c", b"a", b"a"]
    assert sorted(folder.asked) == ["a", "a", "c"]


def test_a_failure_is_raised_where_its_file_is_asked_for_and_not_tried_again() -> None:
    folder = Folder(b=BoringError("package_missing", "it is not there"))
    fetch = ahead(folder.fetch, ["a", "b", "c"])
    assert fetch("a") == b"a"
    with pytest.raises(BoringError, match="not there"):
        fetch("b")
    assert folder.asked == ["a", "b"]
    assert fetch("c") == b"c", "what comes after a failure is fetched when it is asked for"
