"""`boringml history MODEL`."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from boringml.registry.records import HistoryEvent
from boringml_cli import wording
from boringml_cli.arguments import Model
from boringml_cli.session import session_of


def history(
    context: typer.Context,
    model: Model,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many events.")] = 30,
) -> None:
    """Everything that happened to a model: who did what, when and why; the newest last."""
    session = session_of(context)
    events = session.registry.history(session.known(model), limit=limit)
    document = {"model": model, "events": [asdict(event) for event in events]}
    session.output.show(document, _table(model, events))


def _table(model: str, events: list[HistoryEvent]) -> Table:
    table = Table("#", "when", "what", "who", "why", title=f"History of {model}")
    for event in events:
        table.add_row(
            str(event.sequence),
            wording.moment(event.at),
            wording.event(event),
            escape(wording.who(event.by)),
            escape(event.why),
        )
    return table
