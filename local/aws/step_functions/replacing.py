"""Putting a function of ours in the place of one of MiniStack's."""

from typing import Any

from local.aws.seams import seam


def replace(owner: Any, name: str, new: Any) -> Any:
    """Put `new` in the place of `owner.name`; return what was there.

    Raises SeamMissingError where MiniStack has no such function any more.
    """
    old = seam(owner, name)
    setattr(owner, name, new)
    return old
