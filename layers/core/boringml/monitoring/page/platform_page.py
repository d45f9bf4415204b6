"""The page of the platform: the three answers of each model in a line, and what models share."""

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH, Answer
from boringml.monitoring.page.changes import what_changed
from boringml.monitoring.page.document import Count, ModelDocument, PlatformDocument, Read, Unread
from boringml.monitoring.page.markup import Child, Markup, element
from boringml.monitoring.page.parts import Section, badge, nothing, paragraph, table, unread
from boringml.monitoring.page.rollback import should_we_roll_back
from boringml.monitoring.page.shell import as_of, card, page
from boringml.monitoring.page.spending import spending, what_does_it_cost

_WORST = (BAD, WATCH, UNKNOWN, FINE)


def platform_page(document: PlatformDocument) -> str:
    """Return the page of all models, as HTML that stands alone."""
    sections = [
        Section("models", "Models", _models(document)),
        Section(
            "machines",
            "State machines that failed",
            _counts(
                document.failed,
                "No execution failed in the last day.",
                "Executions that failed or ran out of time in the last day",
                "State machine",
                "Failed",
            ),
        ),
        Section(
            "letters",
            "Dead letters",
            _counts(
                document.dead_letters,
                "No dead letter waits.",
                "Dead letters that wait",
                "Queue",
                "Messages",
            ),
        ),
        Section("alarms", "Alarms", _alarms(document)),
    ]
    top = element("div", *_cards(document), class_="cards")
    header = [
        element("h1", document.stack),
        paragraph("All models, and what they share.", class_="lead"),
        paragraph(as_of(document.as_of)),
    ]
    return page(f"{document.stack}: operations", header, sections, top)


def total_cost(document: PlatformDocument) -> Answer:
    """Return what all models cost together; one that is not known makes the sum a lower bound."""
    found = {model.model: spending(model) for model in document.models}
    known = [s.month_usd for s in found.values() if s is not None and s.month_usd is not None]
    missing = [name for name, s in found.items() if s is None or s.month_usd is None]
    if not known:
        return Answer(UNKNOWN, "Not measured yet", "No model has a cost report yet.")
    budgets = [_budget(model) for model in document.models]
    declared = [budget for budget in budgets if budget is not None]
    told = f"{words.usd(sum(known))} a month, all models together."
    because = []
    if missing:
        told = f"At least {told[0].lower()}{told[1:]}"
        because.append(f"Not known: {', '.join(missing)}.")
    if declared:
        because.append(f"The budgets of the models add up to {words.usd(sum(declared))}.")
    tones = {what_does_it_cost(model).tone for model in document.models}
    tone = next(tone for tone in (BAD, WATCH, FINE, UNKNOWN) if tone in tones)
    return Answer(
        UNKNOWN if missing and tone == FINE else tone, words.usd(sum(known)), told, because
    )


def _cards(document: PlatformDocument) -> list[Markup]:
    return [
        card("What changed?", _changed(document)),
        card("What does it cost?", total_cost(document)),
        _rollbacks(document),
    ]


def _changed(document: PlatformDocument) -> Answer:
    answers = {model.model: what_changed(model) for model in document.models}
    news = [f"{name}: {a.headline}" for name, a in answers.items() if a.tone == WATCH]
    unknown = [f"{name}: {a.headline}" for name, a in answers.items() if a.tone == UNKNOWN]
    if news:
        return Answer(
            WATCH,
            "Changed",
            f"{words.counted(len(news), 'model')} changed in the last day.",
            (*news, *unknown),
        )
    if unknown:
        return Answer(UNKNOWN, "Not known", "What changed is not known of all models.", unknown)
    return Answer(FINE, "Nothing", "No model changed in the last day.")


def _rollbacks(document: PlatformDocument) -> Markup:
    # Where nothing is live there is nothing to decide.
    live = [m for m in document.models if isinstance(m.route, Unread) or m.route.version]
    found = {model.model: should_we_roll_back(model).answer for model in live}
    tone = next((t for t in _WORST if any(a.tone == t for a in found.values())), UNKNOWN)
    worst = [f"{name}: {a.short}. {a.headline}" for name, a in found.items() if a.tone == tone]
    short = next((a.short for a in found.values() if a.tone == tone), "Nothing is live")
    if tone == FINE:
        worst = [f"Nothing speaks for it in any of {words.counted(len(found), 'model')}."]
    return card("Should we roll back?", Answer(tone, short, "", worst), large=True)


def _models(document: PlatformDocument) -> Child:
    if not document.models:
        return nothing("There is no model yet.")
    rows = []
    for model in document.models:
        changed, cost = what_changed(model), what_does_it_cost(model)
        back = should_we_roll_back(model).answer
        rows.append(
            (
                [
                    element("a", model.model, href=f"{model.model}.html"),
                    element("span", f" {_live(model)}", class_="quiet"),
                ],
                changed.short,
                cost.short,
                badge(back.tone, back.short),
            )
        )
    columns = ("Model", "What changed?", "What does it cost?", "Roll back?")
    return table("All models", columns, rows, hidden=True, prose=True)


def _live(model: ModelDocument) -> str:
    if isinstance(model.route, Unread):
        return "not known"
    return "nothing live" if model.route.version is None else f"version {model.route.version}"


def _counts(
    counts: Read[tuple[Count, ...]], none: str, caption: str, what: str, how_many: str
) -> Child:
    if isinstance(counts, Unread):
        return unread(counts)
    rows = [(count.name, f"{count.number:,}") for count in counts if count.number]
    return table(caption, (what, how_many), rows, numbers=(1,)) if rows else paragraph(none)


def _alarms(document: PlatformDocument) -> Child:
    if isinstance(document.alarms, Unread):
        return unread(document.alarms)
    if not document.alarms:
        return paragraph("No alarm rings.")
    rows = [
        (
            words.short(alarm.name),
            words.time_element(alarm.since, words.ago(alarm.since, document.as_of)),
            words.short(alarm.says),
        )
        for alarm in document.alarms
    ]
    return table("Alarms that ring", ("Alarm", "Since", "What it says"), rows, prose=True)


def _budget(model: ModelDocument) -> float | None:
    found = spending(model)
    return found.budget if found and found.budget is not None else model.budget_usd
