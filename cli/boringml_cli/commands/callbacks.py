"""`boringml callbacks ...`: who gets callbacks, and what became of those that were given up."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeAlias

import typer
from rich.markup import escape
from rich.table import Table

from boringml.adapters import callback_http
from boringml.adapters.callback_queue import DeadCallback
from boringml.errors import BoringError
from boringml.jobs import callback_message, callback_signature, callback_target
from boringml.jobs.callback_endpoint import BY_PERSON, Endpoint, check_name, not_found
from boringml.jobs.callback_signature import SigningSecrets
from boringml.jobs.client import client_of
from boringml_cli import wording
from boringml_cli.session import Session, session_of

app = typer.Typer(no_args_is_help=True, help="Callbacks of jobs: endpoints, secrets, replays.")

Client: TypeAlias = Annotated[str, typer.Argument(help="The client's ARN: a role or a user.")]
Name: TypeAlias = Annotated[str, typer.Argument(help="The endpoint's name, such as orders.")]

_ONCE = "The secret is shown once: give it to the receiver's owner."


@app.command()
def add(
    context: typer.Context,
    client: Client,
    name: Name,
    url: Annotated[str, typer.Argument(help="https, to an address of the public internet.")],
) -> None:
    """Register an endpoint of a client, and show its signing secret, once."""
    session = session_of(context)
    check_name(name)
    loopback = session.found("CallbackLoopback") == "true"
    callback_target.judge(url, callback_http.resolve, loopback=loopback)
    secrets = SigningSecrets(callback_signature.new_secret())
    prefix = session.found("CallbackSecretsPrefix")
    arn = session.callback_secrets.create(prefix, client, name, secrets)
    try:
        endpoint = session.callback_endpoints.add(client, name, url, arn)
    except BoringError:
        session.callback_secrets.delete(arn)
        raise
    session.output.say(f"{endpoint.client} {name}: {secrets.current}")
    session.output.say(_ONCE)
    session.output.show({**_document(session, endpoint), "secret": secrets.current})


@app.command(name="list")
def list_endpoints(context: typer.Context) -> None:
    """All endpoints, and whether they get callbacks now."""
    session = session_of(context)
    found = [_document(session, endpoint) for endpoint in session.callback_endpoints.list()]
    table = Table("client", "name", "url", "enabled", "failures", "circuit open until")
    for item in found:
        enabled = "yes" if item["enabled"] else f"no: {item['reason']}"
        until = item["circuit_open_until"]
        shown = (item["client"], item["name"], item["url"], enabled, str(item["failures"]))
        table.add_row(*map(escape, shown), wording.moment(until) if until else wording.NOTHING)
    session.output.show({"stack": session.stack, "endpoints": found}, table)


@app.command()
def rotate(
    context: typer.Context,
    client: Client,
    name: Name,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=720, help="How long the old secret signs as well.")
    ] = callback_signature.OVERLAP.total_seconds() / 3600,
) -> None:
    """Make a new signing secret and show it, once. The old one signs beside it for a while."""
    session = session_of(context)
    endpoint = _known(session, client, name)
    now, secret = datetime.now(UTC), callback_signature.new_secret()
    overlap = timedelta(hours=overlap_hours)
    try:
        new = session.callback_secrets.get(endpoint.secret_arn).rotated(secret, now, overlap)
    except BoringError as error:
        # One that nobody can read signs nothing: there is no old one to keep.
        if error.code != "callback_secret_unreadable":
            raise
        new = SigningSecrets(secret)
    session.callback_secrets.put(endpoint.secret_arn, new)
    session.output.say(f"{endpoint.client} {name}: {secret}")
    session.output.say(_ONCE)
    until = new.previous_until
    session.output.show({**_document(session, endpoint), "secret": secret, "previous_until": until})


@app.command()
def disable(context: typer.Context, client: Client, name: Name) -> None:
    """Stop callbacks to an endpoint: they go to the dead queue."""
    session = session_of(context)
    endpoint = session.callback_endpoints.disable(client, name, BY_PERSON)
    session.output.say(f"{endpoint.client} {name} is disabled")
    session.output.show(_document(session, endpoint))


@app.command()
def enable(context: typer.Context, client: Client, name: Name) -> None:
    """Let callbacks go to an endpoint again. Its URL is judged again first."""
    session = session_of(context)
    endpoint = _known(session, client, name)
    loopback = session.found("CallbackLoopback") == "true"
    callback_target.judge(endpoint.url, callback_http.resolve, loopback=loopback)
    endpoint = session.callback_endpoints.enable(client, name)
    session.output.say(f"{endpoint.client} {name} is enabled")
    session.output.show(_document(session, endpoint))


@app.command()
def dead(context: typer.Context) -> None:
    """Callbacks that were given up, and why."""
    session = session_of(context)
    found = []
    for item in list(session.dead_callbacks.read()):
        found.append(_told(item))
        session.dead_callbacks.release(item)
    table = Table("id", "client", "endpoint", "type", "code")
    for told in found:
        table.add_row(*(escape(told[column.header]) for column in table.columns))  # type: ignore[index]
    session.output.show({"stack": session.stack, "dead": found}, table)


@app.command()
def replay(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, as `dead` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
) -> None:
    """Send dead callbacks again, with their own ids and a schedule from the start."""
    session = session_of(context)
    if bool(ids) == everything:
        raise typer.BadParameter("name the ids, or --all")
    wanted, sent, kept = set(ids or []), [], []
    # All of it first: what is sent again may die again meanwhile.
    for item in list(session.dead_callbacks.read()):
        told = _told(item)
        if not everything and told["id"] not in wanted:
            session.dead_callbacks.release(item)
            continue
        try:
            message = callback_message.parse(item.text)
            if not _known(session, message.client, message.endpoint).enabled:
                raise BoringError("callback_endpoint_disabled", "Enable it first.", 409)
        except BoringError as error:
            session.dead_callbacks.release(item)
            kept.append({**told, "code": error.code})
            continue
        # Sent before it is forgotten: at least once, and receivers know the id.
        session.callback_queue.send(message)
        session.dead_callbacks.delete(item)
        sent.append(told["id"])
    missing = sorted(wanted - set(sent) - {item["id"] for item in kept})
    if missing:
        told_missing = f"Not in the dead queue: {', '.join(missing)}. Sent: {len(sent)}."
        raise BoringError("callback_not_dead", told_missing, 404, sent=sent, kept=kept)
    session.output.say(f"{len(sent)} sent again")
    for item_kept in kept:
        session.output.say(f"{item_kept['id']} stays: {item_kept['code']}")
    session.output.show({"sent": sent, "kept": kept})


def _known(session: Session, client: str, name: str) -> Endpoint:
    endpoint = session.callback_endpoints.get(client, name)
    if endpoint is None:
        raise not_found(client_of(client), name)
    return endpoint


def _document(session: Session, endpoint: Endpoint) -> dict[str, Any]:
    circuit = session.callback_endpoints.circuit(endpoint)
    return {
        **asdict(endpoint),
        "failures": circuit.failures,
        "circuit_open_until": circuit.open_until,
    }


def _told(item: DeadCallback) -> dict[str, str]:
    try:
        message = callback_message.parse(item.text)
    except BoringError:
        return {"id": "?", "client": "?", "endpoint": "?", "type": "?", "code": item.code}
    return {
        "id": message.id,
        "client": message.client,
        "endpoint": message.endpoint,
        "type": str(message.payload["type"]),
        "code": item.code,
    }
