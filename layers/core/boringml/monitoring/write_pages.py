"""Write the operations pages: one of each model, and one of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from boringml.monitoring.page.document import ModelDocument, PlatformDocument, Unread
from boringml.monitoring.page.gather import Sources, gather
from boringml.monitoring.page.model_page import model_page
from boringml.monitoring.page.platform_page import platform_page

FOLDER: Final = "pages/"
INDEX: Final = f"{FOLDER}index.html"


def key_of(model: str) -> str:
    """Return where the page of a model lies in the lake."""
    return f"{FOLDER}{model}.html"


def write_pages(
    sources: Sources,
    declarations: Mapping[str, Mapping[str, Any]],
    write: Callable[[str, str], None],
    now: datetime,
) -> dict[str, Any]:
    """Write all pages by `write`, which takes a key and HTML.

    Returns {"pages": their keys, "unread": what could not be read, with the reason}.
    """
    document = gather(sources, declarations, now)
    for model in document.models:
        write(key_of(model.model), model_page(model))
    # The last one: what it names is there.
    write(INDEX, platform_page(document))
    pages = [*(key_of(model.model) for model in document.models), INDEX]
    return {"pages": pages, "unread": _unread(document)}


def _unread(document: PlatformDocument) -> dict[str, str]:
    """Return {"<model>.<part>": reason}, for the log; pages say it in their sections."""
    found: dict[str, str] = {}
    parts: tuple[tuple[str, PlatformDocument | ModelDocument], ...] = (
        ("platform", document),
        *((model.model, model) for model in document.models),
    )
    for name, part in parts:
        for field in fields(part):
            value = getattr(part, field.name)
            if isinstance(value, Unread):
                found[f"{name}.{field.name}"] = value.why
    return found
