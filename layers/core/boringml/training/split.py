"""Which rows are held out: a function of the row itself, never of its place in a file.

A row that is held out once is held out in every later training. So no version, old or new, has
learned from the holdout that they are compared on, and the same rows in another file format, in
another order or in other files make the same split and the same digest.
"""

import hashlib
import math
import struct
from collections.abc import Iterable, Sequence


def row_key(numbers: Sequence[float], texts: Sequence[str]) -> bytes:
    """Return the 32 bytes that stand for a row's features, whatever its label is.

    -0.0 counts as 0.0 and every NaN as the same NaN. Texts carry their length, so that moving a
    letter from one column to the next makes another row.
    """
    same = [math.nan if number != number else number + 0.0 for number in numbers]
    digest = hashlib.sha256(struct.pack(f">{len(same)}d", *same))
    for text in texts:
        encoded = text.encode()
        digest.update(struct.pack(">I", len(encoded)))
        digest.update(encoded)
    return digest.digest()


def is_held_out(key: bytes, share: float) -> bool:
    """Return whether a row belongs to the holdout, which gets about `share` of all rows.

    The label has no part in the key: two rows that differ only in their label stay on one side.
    """
    return int.from_bytes(key[:8], "big") < share * 2**64


def data_digest(keys: Iterable[bytes], labels: Iterable[int]) -> str:
    """Return "sha256:<hex>" of the rows with their labels (0 or 1), in any order."""
    digest = hashlib.sha256()
    for row in sorted(key + bytes([label]) for key, label in zip(keys, labels, strict=True)):
        digest.update(row)
    return "sha256:" + digest.hexdigest()
