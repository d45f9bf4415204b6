import pytest

from boringml.errors import BoringError
from boringml.release.road import abandon_candidate, promote_version


class Registry:
    def __init__(self, refuses=False):
        self.aliases, self.moves, self.refuses = {"live": 1, "candidate": 2}, 0, refuses

    def alias(self, model, name):
        return self.aliases.get(name)

    def move_alias(self, model, name, *, to, expected, by, why):
        if self.refuses:
            raise BoringError("alias_moved", "No.", 409)
        self.aliases[name] = to
        self.moves += 1


class Function:
    def __init__(self):
        self.aliases = {"live": "10", "candidate": "11"}

    def alias(self, name):
        return self.aliases[name]

    def point(self, name, version):
        before, self.aliases[name] = self.aliases[name], version
        return before


class Events(list):
    def publish(self, name, detail):
        self.append(name)


def promote(registry, function, events):
    return promote_version(registry, function, events, "credit", 2, "me", "11", "good")


def test_promotion_moves_both_and_a_repeat_moves_nothing():
    registry, function, events = Registry(), Function(), Events()
    promote(registry, function, events)
    moves = registry.moves
    promote(registry, function, events)
    assert (registry.aliases, registry.moves) == ({"live": 2, "candidate": None}, moves)
    assert function.aliases["live"] == "11"


def test_a_refusal_of_the_registry_puts_the_function_back():
    registry, function, events = Registry(refuses=True), Function(), Events()
    with pytest.raises(BoringError):
        promote(registry, function, events)
    assert function.aliases["live"] == "10"
    assert events == []


def test_abandoning_leaves_live_however_often():
    registry, function, events = Registry(), Function(), Events()
    reason = {"code": "smoke_failed", "message": "wrong"}
    for _ in range(2):
        abandon_candidate(registry, function, events, "credit", 2, "me", reason)
    assert function.aliases == {"live": "10", "candidate": "10"}
    assert (registry.aliases, registry.moves) == ({"live": 1, "candidate": None}, 1)
