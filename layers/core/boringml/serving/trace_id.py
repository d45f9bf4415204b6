"""X-Ray's trace ids: in headers of requests and messages, and in lines of logs.

"Root=1-67891233-abcdef012345678912345678;Parent=...;Sampled=1": AWS X-Ray, "Tracing header".
"""

import re
from typing import Final

_LENGTH: Final = 256
_ROOT: Final = re.compile(r"(?:^|Root=)(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")


def is_trace(text: str | None) -> bool:
    """Return whether a header may be repeated in a log: callers may choose it."""
    if text is None or len(text) > _LENGTH:
        return False
    return text.isascii() and text.isprintable()


def root_of(text: str | None) -> str | None:
    """Return the id of the whole trace in a header, or in an id by itself; None without one."""
    found = _ROOT.search(text) if text else None
    return found[1] if found else None


def header_of(text: str | None) -> str | None:
    """Return the header that names the same trace; None where `text` names none.

    AWS services refuse a malformed one, and with it the call.
    """
    root = root_of(text)
    return f"Root={root}" if root else None
