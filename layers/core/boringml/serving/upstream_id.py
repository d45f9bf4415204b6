"""What a caller names its own request by: the header X-Request-Id."""

import re

# What callers chose is repeated in the log only in the form and the length that ids have.
_FORM = re.compile(r"[A-Za-z0-9._-]{1,128}")


def is_upstream_id(text: str | None) -> bool:
    """Return whether it may be repeated in a log."""
    return text is not None and _FORM.fullmatch(text) is not None
