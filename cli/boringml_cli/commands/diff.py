"""`boringml diff MODEL V1 V2`."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from boringml.package.reader import Package
from boringml.registry.comparison import VersionFacts, compare
from boringml_cli import wording
from boringml_cli.arguments import Model
from boringml_cli.session import Session, session_of


def diff(
    context: typer.Context,
    model: Model,
    before: Annotated[int, typer.Argument(min=1, metavar="V1", help="A version.")],
    after: Annotated[int, typer.Argument(min=1, metavar="V2", help="Another one.")],
) -> None:
    """What makes two versions differ: data, parameters, metrics, contract, libraries, cost.

    Read from their packages, each proved by its digest.
    """
    session = session_of(context)
    session.known(model)
    compared = compare(_facts(session, model, before), _facts(session, model, after))
    session.output.show(compared, _table(compared), *_broken(compared, before, after))


def _facts(session: Session, model: str, number: int) -> VersionFacts:
    version = session.registry.version(model, number)
    package = Package(session.packages.folder(version.package_uri), version.package_digest)
    return VersionFacts.of(version, package)


def _table(compared: dict[str, Any]) -> Table:
    version = compared["version"]
    table = Table(
        "fact", f"version {version['before']}", f"version {version['after']}", "difference",
        title=f"Versions of {compared['model']}",
    )  # fmt: skip
    for name, change in _changes(compared):
        same = change["before"] == change["after"]
        difference = "same" if same else _difference(change)
        table.add_row(
            name,
            escape(_value(change["before"])),
            escape(_value(change["after"])),
            difference,
            style="dim" if same else None,
        )
    return table


def _changes(value: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each fact with its path."""
    if "before" in value and "after" in value:
        yield path, value
        return
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _changes(item, f"{path}.{name}" if path else name)


def _broken(compared: dict[str, Any], before: int, after: int) -> Iterator[str]:
    for key, live, candidate in (("breaks", before, after), ("breaks_back", after, before)):
        breaks = compared["contract"][key]
        told = f"version {candidate} for clients of version {live}"
        if not breaks:
            yield f"The contract of {told}: compatible."
        else:
            yield f"The contract of {told} breaks:"
            yield from (f"  {line}" for line in breaks)


def _difference(change: dict[str, Any]) -> str:
    return f"{change['difference']:+.6g}" if "difference" in change else "changed"


def _value(value: Any) -> str:
    if value is None:
        return wording.NOTHING
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
