"""Numbers and times as people read them: UTC, and "ago" counts from when a page is made."""

import math
from datetime import UTC, datetime, timedelta

from boringml.monitoring.page.markup import Markup, element
from boringml.registry.wording import who

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
# More than this of a text that somebody else wrote is no help on a page.
MOST_LETTERS = 400


def moment(at: datetime) -> str:
    """Return a time to the minute, such as "26 Nov 2026, 09:05 UTC"."""
    there = at.astimezone(UTC)
    return f"{there.day} {there:%b %Y, %H:%M} UTC"


def clock(at: datetime, span: timedelta) -> str:
    """Return a time on an axis that is `span` long: as short as tells neighbours apart."""
    there = at.astimezone(UTC)
    if span > timedelta(days=2):
        return f"{there.day} {there:%b}"
    return f"{there:%H:%M:%S}" if span < timedelta(minutes=10) else f"{there:%H:%M}"


def time_element(at: datetime, said: str) -> Markup:
    """Return words about a time that machines can read as well."""
    return element("time", said, datetime=at.astimezone(UTC).isoformat(timespec="seconds"))


def ago(at: datetime, now: datetime) -> str:
    """Return how long before `now` it was, by the largest unit: "3 hours ago"."""
    seconds = (now - at).total_seconds()
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{counted(int(seconds // length), unit)} ago"
    return "now"


def lasting(span: timedelta) -> str:
    """Return a length of time, by the largest unit that it has one of."""
    seconds = max(1, round(span.total_seconds()))
    for length, unit in _UNITS:
        if seconds >= length:
            return counted(round(seconds / length), unit)
    return "no time"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 hour", "2 hours"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def per_cent(share: float) -> str:
    """Return a share in per cent, with two digits that matter below 10 %."""
    value = share * 100
    if value == 0 or abs(value) >= 10:
        return f"{value:.0f} %" if abs(value - round(value)) < 0.05 else f"{value:.1f} %"
    return f"{value:.2g} %"


def bad_of_all(bad: int, whole: int, what: str) -> str:
    """Return "9 of 79 requests failed (11 %)", where `what` is "requests failed"."""
    share = f" ({per_cent(bad / whole)})" if whole else ""
    return f"{bad:,} of {whole:,} {what}{share}"


def of_all(part: int, whole: int) -> str:
    """Return "9 of 79 (11 %)", and "0 of 0" as it is."""
    return f"{part:,} of {whole:,} ({per_cent(part / whole)})" if whole else f"{part:,} of 0"


def milliseconds(value: float | None) -> str:
    """Return a latency."""
    if value is None:
        return "-"
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def usd(value: float) -> str:
    """Return an amount: cents from a dollar on, below it two digits that matter."""
    if value == 0:
        return "0 USD"
    if abs(value) >= 1:
        return f"{value:,.2f} USD"
    digits = min(8, 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f} USD"


def number(value: object) -> str:
    """Return a fact as text: four digits that matter of a number, "-" of nothing."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return short(str(value))
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def index(value: float | None) -> str:
    """Return a number such as an index of stability with three digits behind the point."""
    return "-" if value is None else f"{value:.3f}"


def actor(by: str) -> str:
    """Return who did something: a person, or a release or rollback by the beginning of its name."""
    if ":execution:" not in by:
        return short(who(by), 60)
    machine, name = by.split(":")[-2:]
    kind = next((word for word in ("Rollback", "Release", "Train") if word in machine), "execution")
    return f"{kind.lower()} {name[:8]}"


def short(said: str, most: int = MOST_LETTERS) -> str:
    """Return a text, cut where it is too long for a page."""
    return said if len(said) <= most else f"{said[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def clock_or_day(at: datetime, now: datetime) -> str:
    """Return the time of an event in UTC: with seconds on the day of `now`, with its day before."""
    there = at.astimezone(UTC)
    if there.date() == now.astimezone(UTC).date():
        return f"{there:%H:%M:%S}"
    return f"{there.day} {there:%b} {there:%H:%M}"
