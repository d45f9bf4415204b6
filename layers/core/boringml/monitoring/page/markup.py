"""HTML and SVG that cannot be broken out of: text becomes markup in one place, escaped."""

import re
from collections.abc import Iterable
from html import escape
from typing import Any, TypeAlias

# Elements without an end in HTML. All others, those of SVG too, are closed.
_VOID = frozenset({"link", "meta", "br"})
# Controls are no text, and marks that turn the direction of writing make text read as another one:
# Boucher and Anderson 2021, "Trojan Source". A lone surrogate is no UTF-8.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Markup(str):
    """Text that is markup already: `element` leaves it as it is."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"


def element(name: str, /, *children: Child, **attributes: Any) -> Markup:
    """Return an element. Children that are no Markup are escaped; None, and iterables, are fine.

    `class_` is the attribute class, `stroke_width` is stroke-width; one that is None is left out.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(children)}</{name}>")


def joined(child: Child) -> Markup:
    """Return children one after the other, escaped where they are no markup."""
    if child is None:
        return Markup()
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int):
        return text(child)
    return Markup("".join(joined(item) for item in child))


def text(value: object) -> Markup:
    """Return any value as escaped text, without what is no text."""
    return Markup(escape(_UNSAFE.sub("\N{REPLACEMENT CHARACTER}", str(value)), quote=True))
