"""What a command prints: tables for people, or one JSON document for scripts."""

import json
import sys
from datetime import datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape

from boringml_cli.failures import Failure

# Where nobody sets a width, as in a pipe or a log, lines are not broken at 80.
_PIPE_WIDTH = 160


class Output:
    """Results go to stdout, failures to stderr. With `as_json`, stdout has one document or none."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def show(self, document: Any, *pictures: RenderableType) -> None:
        """Print a result: `document` for scripts, `pictures` for people.

        Text goes out as it is: a link that is broken into lines is no link.
        """
        if self._as_json:
            sys.stdout.write(_json(document))
            return
        for picture in pictures:
            if isinstance(picture, str):
                sys.stdout.write(f"{picture}\n")
            else:
                _console(sys.stdout).print(picture)

    def say(self, line: str) -> None:
        """Print a line while a command works; scripts hear of it in the document."""
        if not self._as_json:
            _console(sys.stdout).print(escape(line), highlight=False, soft_wrap=True)

    def fail(self, failure: Failure) -> None:
        """Print why a command did not succeed."""
        if self._as_json:
            sys.stderr.write(_json(failure.document()))
        else:
            line = f"[bold red]{failure.code}[/]: {escape(failure.message)}"
            _console(sys.stderr).print(line, highlight=False, soft_wrap=True)


def _console(stream: Any) -> Console:
    # An ARN has words between colons, and rich has pictures for some of those.
    console = Console(file=stream, emoji=False)
    return console if console.is_terminal else Console(file=stream, width=_PIPE_WIDTH, emoji=False)


def _json(document: Any) -> str:
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)
    return text + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is nothing that JSON has")
