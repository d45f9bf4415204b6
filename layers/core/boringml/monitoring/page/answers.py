"""The three questions of who is on call, and how an answer to one looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# What a colour may stand for; the words say it as well.
FINE: Final = "fine"
BAD: Final = "bad"
WATCH: Final = "watch"
UNKNOWN: Final = "unknown"
TONES: Final = (FINE, BAD, WATCH, UNKNOWN)


@dataclass(frozen=True)
class Answer:
    """`short` is a few words, `headline` a sentence, `because` what stands behind it."""

    tone: str
    short: str
    headline: str
    because: Sequence[str] = ()
