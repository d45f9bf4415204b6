"""`boringml at MODEL TIME`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from boringml.registry.history import served_at
from boringml_cli import wording
from boringml_cli.arguments import Model, moment
from boringml_cli.session import Session, session_of


def at(
    context: typer.Context,
    model: Model,
    time: Annotated[
        datetime,
        typer.Argument(
            parser=moment, metavar="TIME", help="RFC 3339, or as in '2026-11-24 12:00Z'."
        ),
    ],
) -> None:
    """What answered a model's requests at a moment that is past, with the shares of a canary."""
    if time > datetime.now(UTC):
        raise typer.BadParameter("what is to come is in no history", param_hint="TIME")
    session = session_of(context)
    served = served_at(session.registry.history(session.known(model)), time)
    shares = _rows(session, model, served.shares)
    moving = None if served.moving_to is None else _rows(session, model, served.moving_to)
    document = {"model": model, "at": time, "served": shares, "moving_to": moving}
    title = f"{model} at {wording.moment(time)}"
    pictures: list[Any] = [_table(title, shares)]
    if moving is not None:
        pictures.append(_table("Decided, and Lambda was being told: either may have", moving))
    session.output.show(document, *pictures)


def _rows(session: Session, model: str, shares: Mapping[int, float]) -> list[dict[str, Any]]:
    rows = []
    for number, share in shares.items():
        version = session.registry.version(model, number)
        rows.append(
            {"version": number, "share": share, "package_digest": version.package_digest}
            | {"package_uri": version.package_uri}
        )
    return rows


def _table(title: str, rows: list[dict[str, Any]]) -> Table | str:
    if not rows:
        return f"{title}: no version was released."
    table = Table("version", "share", "package", title=title)
    for row in rows:
        table.add_row(str(row["version"]), wording.share(row["share"]), row["package_digest"])
    return table
