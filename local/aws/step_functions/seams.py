"""The places of MiniStack that these extensions take hold of, looked up so that a moved one is
found when the local AWS starts and not in the middle of an execution."""

import importlib.metadata
from typing import Any


def seam(owner: Any, name: str) -> Any:
    """Return `owner.name`; raise RuntimeError that names it where MiniStack has moved it."""
    found = getattr(owner, name, None)
    if found is None:
        version = importlib.metadata.version("ministack")
        where = getattr(owner, "__name__", type(owner).__name__)
        raise RuntimeError(f"MiniStack {version} has no {where}.{name}: adapt local/aws to it")
    return found


def replace(owner: Any, name: str, new: Any) -> Any:
    """Put `new` in the place of `owner.name`, which must exist; return what was there."""
    old = seam(owner, name)
    setattr(owner, name, new)
    return old
