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
    table = Table("fact", "value", title=f"Shadow of {model}, {wording.moment(last.modified)}")
    for name, value in _flat(report):
        table.add_row(escape(name), escape(value))
    session.output.show({"model": model, "report_uri": uri, "report": report}, table, uri)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each fact of a report with its path."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, item in enumerate(value):
            yield from _flat(item, f"{path}[{number}]")
    elif isinstance(value, list):
        yield path, ", ".join(map(str, value)) or wording.NOTHING
    else:
        yield path, f"{value:.6g}" if isinstance(value, float) else str(value)
