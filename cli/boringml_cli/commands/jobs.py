"""`boringml jobs show ID` and `boringml jobs redrive MODEL`."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from boringml.adapters.job_queue import JobQueue
from boringml.adapters.jobs_table import JobsTable, Limits
from boringml.errors import BoringError
from boringml.jobs.job import Job, document
from boringml_cli import wording
from boringml_cli.arguments import Model
from boringml_cli.session import session_of

jobs = typer.Typer(help="Asynchronous jobs.", no_args_is_help=True)


@jobs.command()
def show(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(help="As the 202 of its POST said.")],
) -> None:
    """A job as it is stored, whoever posted it; one that nobody wrote of is not there."""
    session = session_of(context)
    # Nothing is written here, so no limit of a write counts.
    table = JobsTable(session.client("dynamodb"), session.found("JobsTable"), Limits(0, 0))
    job = table.get(job_id)
    if job is None:
        told = f"Nothing is written of {job_id}: it waits for a worker, or has expired."
        raise BoringError("job_not_found", told)
    shown = {**document(job), "client": job.client, **_further(job)}
    picture = Table("", "", title=f"Job {escape(job_id)}", show_header=False)
    for name, value in shown.items():
        picture.add_row(name, escape(wording.text(value)))
    session.output.show(shown, picture)


@jobs.command()
def redrive(context: typer.Context, model: Model) -> None:
    """Move a model's dead messages back to its queue, each with all its attempts again.

    Jobs that are final stay as they are. Poison comes back here: look at it before.
    """
    session = session_of(context)
    session.known(model)
    told = f"{model} has no jobs in {session.stack}: it has no queue that could be redriven."
    queue = session.found_of(model, "JobDeadQueue", "queue_not_found", told)
    dead = JobQueue(session.client("sqs"), queue)
    waiting = dead.count()
    task = dead.redrive()
    session.output.say(f"about {waiting} dead messages of {model} go back to its queue")
    session.output.show({"model": model, "messages": waiting, "task": task})


def _further(job: Job) -> dict[str, Any]:
    known = {
        "result_key": job.outcome.get("result_key"),
        "callback": job.callback,
        "same_as": job.same_as,
        "is_told": job.is_told if job.callback else None,
    }
    return {name: value for name, value in known.items() if value is not None}
