"""`boringml`: global options, commands, and what happens when one fails."""

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from boringml_cli.commands.approve import approve
from boringml_cli.commands.at import at
from boringml_cli.commands.callbacks import app as callbacks
from boringml_cli.commands.cost import cost
from boringml_cli.commands.diff import diff
from boringml_cli.commands.history import history
from boringml_cli.commands.jobs import jobs
from boringml_cli.commands.memory import memory
from boringml_cli.commands.page import page
from boringml_cli.commands.release import release
from boringml_cli.commands.rollback import rollback
from boringml_cli.commands.shadow import shadow
from boringml_cli.commands.status import status
from boringml_cli.commands.trace import trace
from boringml_cli.failures import failure_of
from boringml_cli.output import Output
from boringml_cli.session import Session, session_of

_EXITS = (
    "Exit codes: 0 done. 1 refused or failed. 2 wrong usage. 3 no stack, no credentials or no "
    "answer of AWS. 4 still running, or waits for an approval. Global options may stand anywhere."
)


class Commands(TyperGroup):
    """The commands, with global options at any place and no stack trace to a user."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the global options first, where the parser wants them."""
        first: list[str] = []
        rest: list[str] = []
        words = iter(args)
        for word in words:
            if word == "--":
                rest += [word, *words]
            elif word == "--json" or word.startswith("--stack="):
                first.append(word)
            elif word == "--stack":
                first += [word, *[value for value in [next(words, None)] if value is not None]]
            else:
                rest.append(word)
        return super().parse_args(ctx, first + rest)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what it raises becomes a line on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except (TyperException, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            failure = failure_of(error)
            if failure.code == "internal_error" and os.environ.get("BORINGML_DEBUG"):
                raise
            session_of(ctx).output.fail(failure)
            raise typer.Exit(failure.exit_code) from error


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, epilog=_EXITS)


@app.callback()
def main(
    context: typer.Context,
    stack: Annotated[
        str | None,
        typer.Option(envvar="BORINGML_STACK", help="The stack's name, such as boringml-dev."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout, for scripts.")
    ] = False,
) -> None:
    """Models of a boring-ml stack: what is live, what was, and what goes live next.

    Works with the credentials and the Region of your shell, on AWS and on the local AWS
    (source .local/env). Everything else is found by the stack's outputs.
    """
    context.obj = Session(stack, Output(as_json))


for command in (
    status, history, at, release, approve, rollback, diff, shadow, trace, page, cost, memory,
):  # fmt: skip
    app.command()(command)
app.add_typer(callbacks, name="callbacks")
app.add_typer(jobs, name="jobs")
