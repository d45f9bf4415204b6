"""`boringml history MODEL`."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from boringml.registry.records import HistoryEvent
from boringml_cli import wording
from boringml_cli.arguments import Model
from boringml_cli.session import Session, session_of


def history(
    context: typer.Context,
    model: Model,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many events.")] = 30,
) -> None:
    """Everything that happened to a model: who did what, when and why; the newest last."""
    session = session_of(context)
    events = session.registry.history(session.known(model), limit=limit)
    # No sequence has a gap: the first one that is shown tells how many are not.
    earlier = events[0].sequence - 1 if events else 0
    document = {"model": model, "earlier": earlier, "events": [asdict(event) for event in events]}
    session.output.show(document, _table(session, model, events, earlier))


def _table(session: Session, model: str, events: list[HistoryEvent], earlier: int) -> Table:
    caption = f"{earlier} earlier: --limit {earlier + len(events)} shows all" if earlier else None
    title = f"History of {model}"
    table = Table("#", "when", "what", "who", "why", title=title, caption=caption)
    for event in events:
        table.add_row(
            str(event.sequence),
            wording.moment(event.at),
            wording.event(event, in_rollback=session.is_rollback(event.by)),
            escape(wording.who(event.by)),
            escape(event.why),
        )
    return table
