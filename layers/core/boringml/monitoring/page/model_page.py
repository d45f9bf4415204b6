"""The page of one model: three answers, then what stands behind them."""

from boringml.monitoring.page import words
from boringml.monitoring.page.changes import Difference, differences, what_changed
from boringml.monitoring.page.cost_section import cost_section
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.drift_section import drift_section
from boringml.monitoring.page.markup import Child, Markup, element
from boringml.monitoring.page.parts import (
    Section,
    badge,
    fold,
    nothing,
    paragraph,
    table,
    unread,
)
from boringml.monitoring.page.quality_section import quality_section
from boringml.monitoring.page.releases_section import releases_section
from boringml.monitoring.page.rollback import Advice, should_we_roll_back
from boringml.monitoring.page.shell import as_of, card, page
from boringml.monitoring.page.spending import what_does_it_cost
from boringml.monitoring.page.traffic_section import traffic_section
from boringml.monitoring.page.versions_section import versions_section


def model_page(document: ModelDocument) -> str:
    """Return the page of a model, as HTML that stands alone."""
    advice = should_we_roll_back(document)
    sections = [
        checks_section(advice),
        versions_section(document),
        traffic_section(document),
        releases_section(document),
        drift_section(document),
        quality_section(document),
        cost_section(document),
        alarms_section(document),
    ]
    top = element(
        "div",
        card("What changed?", what_changed(document), _changes(document)),
        card("What does it cost?", what_does_it_cost(document)),
        _advice_card(advice),
        class_="cards",
    )
    title = f"{document.model}, {_live(document)}"
    return page(title, _header(document, advice), sections, top)


def checks_section(advice: Advice) -> Section:
    """Return all that was looked at for the answer, in the order of its weight."""
    if not advice.checks:
        return Section("checks", "Why: what was looked at", nothing("Nothing could be looked at."))
    rows = [(check.name, badge(check.tone), check.says) for check in advice.checks]
    shown = table(
        "What the advice rests on, the most telling first",
        ("Check", "Verdict", "Seen"),
        rows,
        prose=True,
    )
    return Section("checks", "Why: what was looked at", shown)


def alarms_section(document: ModelDocument) -> Section:
    """Return the alarms that ring."""
    alarms = document.alarms
    body: Child
    if isinstance(alarms, Unread):
        body = unread(alarms)
    elif not alarms:
        body = paragraph("No alarm of this model rings.")
    else:
        rows = [
            (
                words.short(alarm.name),
                words.time_element(alarm.since, words.ago(alarm.since, document.as_of)),
                words.short(alarm.says),
            )
            for alarm in alarms
        ]
        body = table("Alarms that ring", ("Alarm", "Since", "What it says"), rows, prose=True)
    return Section("alarms", "Alarms", body)


def _header(document: ModelDocument, advice: Advice) -> Child:
    return [
        element(
            "nav",
            element("a", f"All models of {document.stack}", href="index.html"),
            aria_label="Pages",
        ),
        element("h1", document.model),
        paragraph(document.description, class_="lead"),
        element(
            "ul",
            element("li", badge("plain", _live(document))),
            element("li", badge(advice.answer.tone, f"Roll back? {advice.answer.short}")),
            element("li", f"owned by {document.owner}", class_="quiet"),
            element("li", as_of(document.as_of)),
            class_="facts",
        ),
    ]


def _live(document: ModelDocument) -> str:
    route = document.route
    if isinstance(route, Unread):
        return "what is live is not known"
    if route.version is None:
        return "nothing is live"
    beside = ""
    if route.canary is not None:
        beside = f", canary {route.canary.version} at {words.per_cent(route.canary.weight)}"
    return f"version {route.version} is live{beside}"


def _advice_card(advice: Advice) -> Markup:
    command: Child = None
    if advice.command is not None:
        command = [
            paragraph(f"To go back to {advice.target}, in one move:", class_="note"),
            element("pre", element("code", advice.command), tabindex="0", aria_label="Command"),
        ]
    return card("Should we roll back?", advice.answer, command, large=True)


def _changes(document: ModelDocument) -> Child:
    found = [change for change in differences(document) if change.before != change.after]
    if not found:
        return None
    rows = [
        (
            change.name.replace("_", " "),
            words.number(change.before),
            words.number(change.after),
            _change(change),
        )
        for change in found
    ]
    shown = table("What is different", ("Fact", "Before", "Now", "Change"), rows, numbers=(1, 2, 3))
    return fold(f"{words.counted(len(rows), 'fact')} differ", shown)


def _change(change: Difference) -> str:
    return "changed" if change.change is None else f"{change.change:+.3g}"
