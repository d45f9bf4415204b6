"""`boringml shadow MODEL`."""

import json
from collections.abc import Iterator
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from boringml.errors import BoringError
from boringml_cli import wording
from boringml_cli.arguments import Model
from boringml_cli.session import session_of

REPORT = "/shadow.json"
# Of a long list: a report may have dozens of segments.
SHOWN = 12


def shadow(context: typer.Context, model: Model) -> None:
    """The last comparison of a candidate with live, on live's own requests."""
    session = session_of(context)
    found = session.packages.list(f"releases/{session.known(model)}/")
    reports = [item for item in found if item.key.endswith(REPORT)]
    if not reports:
        raise BoringError(
            "shadow_not_found", f"No release of {model} has been in shadow yet.", status=404
        )
    last = max(reports, key=lambda item: item.modified)
    report = json.loads(session.packages.read(last.key))
    uri = f"s3://{session.packages.bucket}/{last.key}"
    facts = Table("fact", "value", title=f"Shadow of {model}, {wording.moment(last.modified)}")
    for name, value in _facts(report):
        facts.add_row(escape(name), escape(value))
    document = {"model": model, "report_uri": uri, "report": report}
    session.output.show(document, facts, *_lists(report), uri)


def _facts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each fact of a report with its path, but for lists of things."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _facts(item, f"{path}.{name}" if path else str(name))
    elif not _is_of_things(value):
        yield path, _text(value)


def _lists(value: Any, path: str = "") -> Iterator[Table]:
    """Yield a table of each list of things, such as segments, the first of them."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _lists(item, f"{path}.{name}" if path else str(name))
    elif _is_of_things(value):
        hidden = len(value) - SHOWN
        caption = f"{hidden} more: --json has all" if hidden > 0 else None
        table = Table(*map(escape, value[0]), title=path, caption=caption)
        for thing in value[:SHOWN]:
            table.add_row(*(escape(_text(item)) for item in thing.values()))
        yield table


def _is_of_things(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _text(value: Any) -> str:
    if value is None:
        return wording.NOTHING
    if isinstance(value, list):
        return "\n".join(map(_text, value)) or wording.NOTHING
    return f"{value:.6g}" if isinstance(value, float) else str(value)
