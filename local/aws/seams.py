"""Where an extension takes hold of MiniStack, checked when the local AWS starts.

An extension replaces functions of one exact MiniStack release. If another release has moved one,
the replacement would silently do nothing: so each seam is looked up through `seam`, which refuses.
"""

from importlib.metadata import version
from typing import Any

MINISTACK_VERSION = "1.5.33"


class SeamMissingError(RuntimeError):
    """MiniStack has no such function any more: the extension that uses it must be read again."""


def check_version() -> None:
    """Raise SeamMissingError unless the installed MiniStack is the pinned one."""
    installed = version("ministack")
    if installed != MINISTACK_VERSION:
        raise SeamMissingError(
            f"local/aws was written for MiniStack {MINISTACK_VERSION}, installed is {installed}: "
            "run `make setup`, or read each extension's seam again before moving the pin"
        )


def seam(owner: Any, name: str) -> Any:
    """Return the attribute `name` of a MiniStack module, class or mapping.

    Raises SeamMissingError, which names the owner and the MiniStack version, where it is gone.
    """
    missing = object()
    found = owner.get(name, missing) if isinstance(owner, dict) else getattr(owner, name, missing)
    if found is missing:
        where = getattr(owner, "__name__", type(owner).__name__)
        raise SeamMissingError(
            f"MiniStack {version('ministack')} has no {where}.{name}, which an extension of "
            "local/aws replaces"
        )
    return found
