"""What all pages share: the head, the policy that lets nothing in, the frame of the body."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import Answer
from boringml.monitoring.page.markup import Child, Markup, element, joined
from boringml.monitoring.page.parts import Section, badge


def page(title: str, header: Child, sections: Sequence[Section], top: Child) -> str:
    """Return a whole HTML page: a header, the answers, then sections with a way to each."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # Nothing is loaded, nothing runs, nothing is sent: whatever a value in the page may try.
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="robots", content="noindex"),
        # A browser that is not told of an icon asks the server for one.
        element("link", rel="icon", href="data:,"),
        element("title", title),
        Markup(f"<style>{style}</style>"),
    )
    way = element(
        "nav",
        element(
            "ul",
            [
                element("li", element("a", section.title, href=f"#{section.identity}"))
                for section in sections
            ],
        ),
        aria_label="Sections",
    )
    body = element(
        "body",
        element("a", "Skip to the answers", class_="skip", href="#answers"),
        element("header", header),
        element(
            "main",
            element("section", top, id="answers", aria_label="Answers", tabindex="-1"),
            way,
            [section.drawn() for section in sections],
        ),
    )
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def as_of(at: datetime) -> Markup:
    """Return when the page was made, which is what all its "ago" count from."""
    return element("span", "As of ", words.time_element(at, words.moment(at)), class_="as-of")


def card(question: str, answer: Answer, *further: Child, large: bool = False) -> Markup:
    """Return an answer with its question as a heading; a `large` one begins with its one word."""
    word = element("p", badge(answer.tone, answer.short), class_="verdict") if large else None
    reasons = [element("li", said) for said in answer.because]
    return element(
        "article",
        element("h2", question),
        word,
        element("p", answer.headline, class_="headline") if answer.headline else None,
        element("ul", reasons) if reasons else None,
        further,
        class_=f"card {answer.tone}",
    )


@cache
def _style() -> str:
    style = files("boringml.monitoring.page").joinpath("page.css").read_text(encoding="utf-8")
    return joined(Markup(style))
