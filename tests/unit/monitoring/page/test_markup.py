"""Text never becomes markup, whatever it holds."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.monitoring.page.markup import Markup, element, joined


class Reader(HTMLParser):
    """What a browser would make of it: elements with attributes, and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"])))
def test_any_text_is_read_back_as_the_same_text(said: str) -> None:
    read = Reader(element("p", said, title=said))
    assert read.elements == [("p", {"title": said})]
    assert read.text == said


@pytest.mark.parametrize(
    "said", ["a\x00b", "a\u202eb", "a\u2066b", "a\x1bb", "a\ud800b"], ids=ascii
)
def test_what_is_no_text_is_replaced(said: str) -> None:
    told = element("p", said)
    assert told == "<p>a\N{REPLACEMENT CHARACTER}b</p>"
    told.encode()


def test_markup_stays_and_nothing_is_left_out() -> None:
    assert joined([None, Markup("<b></b>"), "<b>", 3, ["x"]]) == "<b></b>&lt;b&gt;3x"


def test_an_attribute_that_is_none_is_left_out() -> None:
    assert element("p", class_="a", aria_label=None) == '<p class="a"></p>'
