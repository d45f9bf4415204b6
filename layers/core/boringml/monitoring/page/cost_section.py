"""Cost by part, by month, and of the last training and batch."""

from collections.abc import Iterator, Sequence

from boringml.monitoring.page import words
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.drawing import bar
from boringml.monitoring.page.markup import Child, Markup, element
from boringml.monitoring.page.parts import Section, note, nothing, table, unread
from boringml.monitoring.page.reports import Spending, spending_of
from boringml.registry.trained import trained


def cost_section(document: ModelDocument) -> Section:
    """Return the section."""
    return Section("cost", "Cost", list(_body(document)))


def _body(document: ModelDocument) -> Iterator[Child]:
    if isinstance(document.cost, Unread):
        yield unread(document.cost)
    elif not document.cost:
        yield nothing("No cost report has been made yet.")
    else:
        report = document.cost[-1]
        found = spending_of(report)
        length = words.lasting(report.end - report.begin)
        yield _parts(found, f"By part, in the {length} until {words.moment(report.end)}")
        yield _month(found)
    yield _trainings(document)


def _parts(found: Spending, caption: str) -> Child:
    if not found.parts:
        return nothing("In this time nothing was used that costs.")
    parts = sorted(found.parts, key=lambda part: -part[3])
    most = parts[0][3] or 1.0
    rows = [
        (
            name.replace("_", " "),
            f"{words.number(units)} {unit.replace('_', ' ')}",
            words.usd(usd),
            share_bar(usd / most),
        )
        for name, units, unit, usd in parts
    ]
    return table(caption, ("Part", "Used", "Cost", "Beside the largest"), rows, numbers=(1, 2))


def _month(found: Spending) -> Iterator[Child]:
    if not found.month:
        return
    rows: list[Sequence[Child]] = [(name, words.usd(usd)) for name, usd in found.month]
    if found.month_usd is not None:
        rows.append(("together", element("strong", words.usd(found.month_usd))))
    if found.budget is not None:
        rows.append(("budget", words.usd(found.budget)))
    yield table("A month, as projected", ("What", "Cost"), rows, numbers=(1,))
    if found.assumption:
        yield note(f"Projected from {found.assumption}.")


def _trainings(document: ModelDocument) -> Iterator[Child]:
    if isinstance(document.versions, Unread):
        yield unread(document.versions)
        return
    rows = [
        (
            f"version {version.number}",
            words.time_element(
                version.registered_at, words.clock_or_day(version.registered_at, document.as_of)
            ),
            words.usd(version.cost_usd),
        )
        for version in reversed(trained(document.versions)[-5:])
    ]
    if rows:
        yield table("The last training runs", ("Version", "Registered", "Cost"), rows, numbers=(2,))


def share_bar(share: float) -> Markup:
    """Return a small bar; the number beside it says the same."""
    return element(
        "svg",
        bar(0, 2, min(1.0, max(0.0, share)), 10, "fill c0"),
        class_="share",
        width="100%",
        height="14",
        aria_hidden="true",
    )
