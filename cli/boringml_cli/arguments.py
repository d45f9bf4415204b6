"""Arguments and options that several commands share."""

from datetime import datetime
from typing import Annotated, TypeAlias

import typer

Model: TypeAlias = Annotated[str, typer.Argument(help="A model, such as credit.")]
Why: TypeAlias = Annotated[str, typer.Option(help="The reason, for the history.")]
Wait: TypeAlias = Annotated[
    bool, typer.Option("--wait", help="Follow it to its end, and fail where it fails.")
]
Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option(
        min=0, help="With --wait: stop following after so many seconds, with exit code 4."
    ),
]


def moment(text: str) -> datetime:
    """Return the time in RFC 3339, or with a space and without seconds: 2026-11-24 12:00Z.

    Raises typer.BadParameter: a time without a zone means another moment to each reader.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-11-24T12:00:00Z") from error
    if at.utcoffset() is None:
        raise typer.BadParameter(f"{text!r} has no time zone: for UTC, {text}Z")
    return at
