"""`boringml page [MODEL]`."""

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from boringml.errors import BoringError
from boringml.monitoring.write_pages import FOLDER, INDEX, key_of
from boringml_cli.session import Session, session_of

# Whoever has the link reads the page until then; the bucket stays private.
_LINK_SECONDS = 3600


def page(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Argument(help="A model, such as credit; without one, all of them.")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="A link that anybody can open for an hour.")
    ] = False,
    folder: Annotated[
        Path, typer.Option(help="Where the pages are put, so that their links work.")
    ] = Path(".local/pages"),
) -> None:
    """The operations page: what changed, what does it cost, should we roll back?

    Downloads the pages and opens the one asked for; in a pipe, or with --json, it tells the path.
    """
    session = session_of(context)
    key = INDEX if model is None else key_of(model)
    pages = {item.key: item for item in session.lake.list(FOLDER)}
    if key not in pages:
        there = ", ".join(name.removeprefix(FOLDER).removesuffix(".html") for name in pages)
        raise BoringError(
            "page_not_found", f"{session.stack} has no such page. It has: {there or 'none yet'}."
        )
    written = pages[key].modified
    if link:
        url = session.lake.url(key, _LINK_SECONDS)
        shown = {"url": url, "seconds": _LINK_SECONDS, "written": written}
        session.output.show(shown, url)
        return
    path = _download(session, list(pages), folder, key)
    session.output.show({"path": str(path), "written": written}, str(path))
    if sys.stdout.isatty() and not webbrowser.open(path.resolve().as_uri()):
        session.output.say("No browser here: open the file yourself.")


def _download(session: Session, keys: list[str], folder: Path, wanted: str) -> Path:
    """Put all pages into a folder, where they find each other; return the one that is wanted."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        told = f"{error.filename} is a file: name a folder for the pages with --folder."
        raise BoringError("folder_unusable", told) from error
    except PermissionError as error:
        told = f"{error.filename} may not be made: name another folder with --folder."
        raise BoringError("folder_unusable", told) from error
    for key in keys:
        # A key of ours has no further slash: nothing is written anywhere else.
        (folder / Path(key).name).write_bytes(session.lake.read(key))
    return folder / Path(wanted).name
