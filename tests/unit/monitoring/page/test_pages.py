"""Whole pages: every document is drawn, and nothing in one breaks out."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boringml.monitoring.page.document import Alarm, ModelDocument, Unread
from boringml.monitoring.page.model_page import model_page
from boringml.monitoring.page.platform_page import platform_page
from boringml.monitoring.report import COST, DRIFT, QUALITY, STATUSES, Report
from boringml.registry.records import HistoryEvent
from tools.page_sample import NOW, SAMPLES, full, platform, unreadable

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;{{7*7}}]]>--><style>"
VOID = {"meta", "link", "br"}


class Checked(HTMLParser):
    """Reads a page and holds it to what all pages promise."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.identities: list[str] = []
        self.headings: list[int] = []
        self.names: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []
        assert len(set(self.identities)) == len(self.identities)
        assert self.headings.count(1) == 1
        steps = zip(self.headings, self.headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps)
        assert "script" not in self.names
        assert "None" not in re.findall(r"\bNone\b", self.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        for name, value in attributes:
            assert not name.startswith("on")
            assert name != "style"
            if name == "id":
                self.identities.append(str(value))
            if name in ("src", "href") and tag != "link":
                assert re.fullmatch(r"#[\w-]+|[\w-]+\.html", str(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_a_page_that_stands_alone(name: str) -> None:
    page = model_page(SAMPLES[name]())
    read = Checked(page)
    assert "default-src 'none'" in unescape(page)
    for question in ("What changed?", "What does it cost?", "Should we roll back?"):
        assert question in read.text
    assert "http" not in page.replace("http-equiv", "")


def test_the_platform_has_a_line_for_each_model() -> None:
    read = Checked(platform_page(platform()))
    for model in ("churn", "credit", "reviews"):
        assert model in read.text
    assert "3" in read.text


def test_a_platform_of_nothing_is_drawn() -> None:
    gone = Unread("no answer")
    nothing = replace(platform(), models=(), failed=gone, dead_letters=gone, alarms=gone)
    assert "no answer" in Checked(platform_page(nothing)).text


PARTS = ("route", "versions", "history", "lock", "traffic", "shadow", "drift", "quality", "cost")


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_cannot_be_read_says_why_and_the_others_stay(part: str) -> None:
    page = model_page(replace(full(), **{part: Unread("the bucket is <gone>")}))
    read = Checked(page)
    if part != "lock":
        assert "the bucket is <gone>" in read.text
    assert "Drift against the training data" in read.text
    assert "Quality over time" in read.text


def test_all_that_cannot_be_read_is_told_in_its_section() -> None:
    text = Checked(model_page(unreadable())).text
    assert text.count("Could not be read.") >= 7


def hostile() -> ModelDocument:
    """A document in which every text that somebody else wrote tries to break out."""
    document = full()
    assert isinstance(document.history, tuple)
    assert isinstance(document.versions, tuple)
    texts: dict[str, Any] = {"step": HOSTILE, "outcome": HOSTILE, "function_version": HOSTILE}
    history = tuple(
        replace(event, why=HOSTILE, by=HOSTILE, details={**texts, **event.details})
        for event in document.history
    )
    reports = {
        kind: (
            Report(
                kind, "credit", 6, NOW.replace(hour=1), NOW, "raised", HOSTILE,
                _everywhere(getattr(document, kind)[-1].details),
            ),
        )
        for kind in (DRIFT, QUALITY, COST)
    }  # fmt: skip
    return replace(
        document,
        description=HOSTILE,
        owner=HOSTILE,
        stack=HOSTILE,
        history=history,
        versions=tuple(
            replace(v, contract_version=f"{HOSTILE}{v.number}", git_commit=HOSTILE, runtime=HOSTILE)
            for v in document.versions
        ),
        shadow=_everywhere(document.shadow),
        alarms=(Alarm(HOSTILE, HOSTILE, NOW),),
        **reports,
    )


def _everywhere(value: Any) -> Any:
    """Return JSON with hostile texts and names."""
    if isinstance(value, dict):
        return {name: _everywhere(item) for name, item in value.items()} | {HOSTILE: {}}
    if isinstance(value, list | tuple):
        return [_everywhere(item) for item in value]
    return HOSTILE if isinstance(value, str) and len(value) != 10 else value


def test_hostile_text_is_only_ever_text() -> None:
    page = model_page(hostile())
    Checked(page)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.data(),
    st.sampled_from(STATUSES),
    st.sampled_from(
        ["features", "window", "days", "parts", "month", "budget", "metric", "per_1000_usd"]
    ),
    JUNK,
)
def test_details_of_any_form_break_no_page(
    data: st.DataObject, status: str, part: str, junk: Any
) -> None:
    document = full()
    changed = {}
    for kind in (DRIFT, QUALITY, COST):
        report = getattr(document, kind)[-1]
        changed[kind] = (replace(report, status=status, details={**report.details, part: junk}),)
    shadow = {**document.shadow, data.draw(st.sampled_from(["plan", "summary", "verdict"])): junk}  # type: ignore[dict-item]
    Checked(model_page(replace(document, shadow=shadow, **changed)))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 60), max_size=25))
def test_any_part_of_a_history_is_drawn(places: list[int]) -> None:
    history = full().history
    assert isinstance(history, tuple)
    some: tuple[HistoryEvent, ...] = tuple(
        history[place] for place in sorted(set(places)) if place < len(history)
    )
    Checked(model_page(replace(full(), history=some)))
