"""A release's world without AWS: the registry in moto, all else in plain Python."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from boringml.adapters.registry_table import RegistryTable
from boringml.adapters.serving_function import Routing
from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.manifest import canonical, measure, package_digest
from boringml.registry.records import NewVersion
from tests.unit.registry.conftest import clock, dynamodb, pauses, registry  # noqa: F401
from tests.unit.registry.samples import package

CONTRACT = {
    "model": "credit",
    "version": "1.0.0",
    "request": {
        "type": "object",
        "additionalProperties": False,
        "required": ["income"],
        "properties": {"income": {"type": "number", "minimum": 0, "maximum": 10}},
    },
    "response": {
        "type": "object",
        "additionalProperties": False,
        "required": ["prediction", "probability"],
        "properties": {
            "prediction": {"type": "string", "enum": ["bad", "good"]},
            "probability": {"type": "number", "minimum": 0, "maximum": 1},
        },
    },
    "decision": {"target": "Class", "positive": "bad", "negative": "good", "threshold": 0.1},
    "limits": {"max_records": 100, "max_body_bytes": 65536},
    "errors": [],
}


@dataclass
class Function:
    """A serving function whose alias changes its revision with each write, as Lambda's does."""

    name: str = "credit-predict"
    aliases: dict[str, Routing] = field(
        default_factory=lambda: {n: Routing("1", {}, "r0") for n in ("live", "candidate")}
    )
    versions: dict[str, Any] = field(default_factory=lambda: {"$LATEST": "code", "1": "code"})
    writes: int = 0

    def routing(self, name: str) -> Routing:
        return self.aliases[name]

    def send(self, name: str, to: Routing) -> bool:
        if to.revision != self.aliases[name].revision:
            return False
        self.writes += 1
        self.aliases[name] = replace(to, revision=f"r{self.writes}")
        return True

    def point(self, name: str, version: str) -> str:
        before = self.aliases[name]
        assert self.send(name, Routing(version, {}, before.revision))
        return before.function_version

    def require(self, version: str | None) -> None:
        self.code(version or "none")

    def publish(self, environment: Mapping[str, str], description: str) -> str:
        version = str(len(self.versions))
        self.versions[version] = self.versions["$LATEST"]
        return version

    def code(self, qualifier: str) -> Any:
        if qualifier not in self.versions:
            raise BoringError("function_version_gone", "No.", 410)
        return self.versions[qualifier]


class Events(list[tuple[str, dict[str, Any]]]):
    """What was published."""

    def publish(self, name: str, detail: dict[str, Any]) -> None:
        self.append((name, detail))


@dataclass
class Executions:
    """Executions that run, and those that somebody stopped."""

    active: set[str] = field(default_factory=set)
    stopped: list[str] = field(default_factory=list)

    def running(self, execution: str) -> bool:
        return execution in self.active

    def stop(self, execution: str, error: str, cause: str) -> None:
        self.stopped.append(execution)
        self.active.discard(execution)


class Packages:
    """Packages by their URI."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def folder(self, uri: str) -> Any:
        def read(name: str) -> bytes:
            if uri + name not in self.files:
                raise BoringError("object_missing", f"There is no {uri}{name}.", 404)
            return self.files[uri + name]

        return read

    def add(self, number: int, contract: Mapping[str, Any]) -> NewVersion:
        """Store a package of credit with this contract and return what registers it."""
        content = dict.fromkeys(layout.FILES, b"x")
        content[layout.CARD] = str(number).encode()
        content[layout.CONTRACT] = json.dumps(contract).encode()
        manifest = {
            "format": 1,
            "model": "credit",
            "runtime": "onnx",
            "contract_version": contract["version"],
            **dict.fromkeys(("libraries", "python", "git_commit", "data", "seed", "parameters")),
            "files": {name: measure(data) for name, data in content.items()},
        }
        candidate = package(number)
        for name, data in {**content, layout.MANIFEST: canonical(manifest)}.items():
            self.files[candidate.package_uri + name] = data
        return replace(candidate, package_digest=package_digest(manifest))


@dataclass
class World:
    """All that a release touches."""

    registry: RegistryTable
    function: Function = field(default_factory=Function)
    events: Events = field(default_factory=Events)
    executions: Executions = field(default_factory=Executions)
    packages: Packages = field(default_factory=Packages)

    def version(self, contract: Mapping[str, Any] = CONTRACT) -> int:
        """Register one more version and return its number."""
        number = len(self.registry.versions("credit")) + 1
        candidate = self.packages.add(number, contract)
        return self.registry.register_version(candidate, by="t", why="x").number


@pytest.fixture
def world(registry: RegistryTable) -> World:  # noqa: F811
    return World(registry)
