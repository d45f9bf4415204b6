"""What the repository asks of a state machine's shape; each rule yields its findings as text.

A machine is a parsed definition in Amazon States Language. Rules look at one level; `machines`
gives the levels: the machine itself, and those inside Map and Parallel states.
"""

from collections.abc import Callable, Iterator
from typing import Any

Machine = dict[str, Any]
Rule = Callable[[Machine], Iterator[str]]
EVERY_ERROR = {"States.ALL", "States.TaskFailed"}
ENDS = ("Succeed", "Fail")


def machines(machine: Machine) -> Iterator[Machine]:
    """Yield the machine and every one nested in it."""
    yield machine
    for state in machine["States"].values():
        processor = [state["ItemProcessor"]] if "ItemProcessor" in state else []
        for inner in [*processor, *state.get("Branches", [])]:
            yield from machines(inner)


def tasks(machine: Machine) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and body of each Task of one level."""
    for name, state in machine["States"].items():
        if state.get("Type") == "Task":
            yield name, state


def targets(state: dict[str, Any]) -> set[str]:
    """Return the names of the states that may follow a state."""
    rules = [state, *state.get("Choices", []), *state.get("Catch", [])]
    found = {rule["Next"] for rule in rules if "Next" in rule}
    return found | ({state["Default"]} if "Default" in state else set())


def reached(machine: Machine, start: set[str]) -> set[str]:
    """Return the states that can be entered from these, which are counted in."""
    states, seen, todo = machine["States"], set[str](), list(start)
    while todo:
        name = todo.pop()
        if name in states and name not in seen:
            seen.add(name)
            todo.extend(targets(states[name]))
    return seen


def language(machine: Machine) -> Iterator[str]:
    """The machine speaks JSONata, and no state falls back to JSONPath."""
    if machine.get("QueryLanguage") != "JSONata":
        yield "QueryLanguage is not JSONata"
    for level in machines(machine):
        for name, state in level["States"].items():
            if state.get("QueryLanguage", "JSONata") != "JSONata":
                yield f"{name}: QueryLanguage is not JSONata"


def time_limits(machine: Machine) -> Iterator[str]:
    """Every Task ends: without TimeoutSeconds a lost one holds its execution for a year."""
    for name, state in tasks(machine):
        if "TimeoutSeconds" not in state:
            yield f"{name}: no TimeoutSeconds"


def retries(machine: Machine) -> Iterator[str]:
    """Every Task is tried again on named errors, by Retry or by a Catch that leads back to it.

    A training job's name cannot be used twice: there the plan is retried, not the Task.
    """
    for name, state in tasks(machine):
        for retrier in state.get("Retry", []):
            if EVERY_ERROR & set(retrier["ErrorEquals"]):
                yield f"{name}: Retry on any error: name the errors that pass by themselves"
        loops = any(
            not EVERY_ERROR & set(catcher["ErrorEquals"])
            and name in reached(machine, {catcher["Next"]})
            for catcher in state.get("Catch", [])
        )
        if not state.get("Retry") and not loops:
            yield f"{name}: no Retry"


def catches(machine: Machine) -> Iterator[str]:
    """Every Task says where each failure goes."""
    for name, state in tasks(machine):
        if not any("States.ALL" in catcher["ErrorEquals"] for catcher in state.get("Catch", [])):
            yield f"{name}: no Catch of States.ALL"


def next_states(machine: Machine) -> Iterator[str]:
    """Every state that is named exists."""
    states = machine["States"]
    if machine["StartAt"] not in states:
        yield f"StartAt: no state {machine['StartAt']}"
    for name, state in states.items():
        for target in sorted(targets(state) - states.keys()):
            yield f"{name}: no state {target}"


def reachable(machine: Machine) -> Iterator[str]:
    """Every state can be entered."""
    for name in sorted(machine["States"].keys() - reached(machine, {machine["StartAt"]})):
        yield f"{name}: cannot be reached"


def ends(machine: Machine) -> Iterator[str]:
    """Every path can come to a Succeed or Fail, and nothing else ends the machine."""
    states = machine["States"]
    final = {name for name, state in states.items() if state.get("Type") in ENDS}
    for name, state in states.items():
        if state.get("End"):
            yield f"{name}: End: go to a Succeed or Fail"
        elif not final & reached(machine, {name}):
            yield f"{name}: leads to no Succeed or Fail"


# Of the outermost machine, and of every level. What is nested ends in its Map or Parallel state.
WHOLE: tuple[Rule, ...] = (language, ends)
LEVEL: tuple[Rule, ...] = (time_limits, retries, catches, next_states, reachable)


def broken(machine: Machine) -> list[str]:
    """Return all findings of one definition."""
    found = [finding for rule in WHOLE for finding in rule(machine)]
    return found + [text for level in machines(machine) for rule in LEVEL for text in rule(level)]
