"""What all sections are built of: sections, tables, notes and folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH
from boringml.monitoring.page.document import Unread
from boringml.monitoring.page.markup import Child, Markup, element

# A tone is never told by its colour alone.
MARKS: Final = {FINE: "OK", BAD: "Bad", WATCH: "Watch", UNKNOWN: "Not known"}
_FEW: Final = 3
# Letters of a badge.
_BADGE: Final = 60
# Browsers forget that a table is one when its cells are laid out as blocks.
_ROLES: Final = {
    "table": "table",
    "group": "rowgroup",
    "row": "row",
    "column": "columnheader",
    "name": "rowheader",
    "cell": "cell",
}


@dataclass(frozen=True)
class Section:
    """A part of a page below a heading of its own."""

    identity: str
    title: str
    body: Child

    def drawn(self) -> Markup:
        """Return the section as a landmark that its heading names."""
        return element(
            "section",
            element("h2", self.title, id=f"{self.identity}-heading"),
            self.body,
            id=self.identity,
            aria_labelledby=f"{self.identity}-heading",
        )


def paragraph(*said: Child, class_: str | None = None) -> Markup:
    """Return a paragraph."""
    return element("p", said, class_=class_)


def note(*said: Child) -> Markup:
    """Return a remark in smaller letters."""
    return paragraph(said, class_="note")


def unread(part: Unread) -> Markup:
    """Return why a section has nothing to show."""
    return paragraph(element("strong", "Could not be read. "), part.why, class_="state unknown")


def nothing(said: str) -> Markup:
    """Return that there is nothing, which is not the same as nothing wrong."""
    return paragraph(said, class_="state unknown")


def badge(tone: str, said: str | None = None) -> Markup:
    """Return a tone as a word in its colour."""
    return element("span", words.short(said or MARKS[tone], _BADGE), class_=f"badge {tone}")


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Child]],
    *,
    numbers: Sequence[int] = (),
    hidden: bool = False,
    prose: bool = False,
) -> Markup:
    """Return a table whose first column names its rows; `numbers` are the columns set to the right.

    It scrolls by itself where it is too wide, by keyboard too. A `hidden` caption is read aloud. A
    table of `prose` has its cells below each other on a phone, and says by roles that it is one.
    """
    roles = _ROLES if prose else {}
    head = [
        element(
            "th",
            name,
            scope="col",
            role=roles.get("column"),
            class_="number" if index in numbers else None,
        )
        for index, name in enumerate(columns)
    ]
    body = [element("tr", _cells(row, numbers, roles), role=roles.get("row")) for row in rows]
    return element(
        "div",
        element(
            "table",
            element("caption", caption, class_="hidden" if hidden else None),
            element("thead", element("tr", head, role=roles.get("row")), role=roles.get("group")),
            element("tbody", body, role=roles.get("group")),
            role=roles.get("table"),
            class_="prose" if prose else None,
        ),
        # Few columns of numbers across a wide screen are hard to follow.
        class_="scroll narrow" if numbers and len(columns) <= _FEW else "scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def fold(summary: str, *body: Child) -> Markup:
    """Return what is shown on demand, without any script."""
    return element("details", element("summary", summary), body)


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """Return what the colours of a drawing mean: (class, words)."""
    return element(
        "ul",
        [
            element("li", element("span", class_=f"swatch {class_}", aria_hidden="true"), said)
            for class_, said in entries
        ],
        class_="legend",
    )


def _cells(row: Sequence[Child], numbers: Sequence[int], roles: Mapping[str, str]) -> list[Markup]:
    first, *rest = row
    return [
        element("th", first, scope="row", role=roles.get("name")),
        *(
            element(
                "td", cell, role=roles.get("cell"), class_="number" if index in numbers else None
            )
            for index, cell in enumerate(rest, 1)
        ),
    ]
