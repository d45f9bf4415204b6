"""What does it cost? Per 1,000 predictions, a month against the budget, the last training."""

from boringml.monitoring.page import words
from boringml.monitoring.page.answers import BAD, FINE, UNKNOWN, WATCH, Answer
from boringml.monitoring.page.checks import STALE
from boringml.monitoring.page.document import ModelDocument, Unread
from boringml.monitoring.page.reports import Spending, spending_of
from boringml.monitoring.report import RAISED
from boringml.registry.records import ModelVersion
from boringml.registry.trained import trained


def spending(document: ModelDocument) -> Spending | None:
    """Return what the newest cost report tells, or None where there is none."""
    if isinstance(document.cost, Unread) or not document.cost:
        return None
    return spending_of(document.cost[-1])


def last_training(document: ModelDocument) -> ModelVersion | None:
    """Return the version that was trained last, or None where none is known."""
    if isinstance(document.versions, Unread) or not document.versions:
        return None
    return trained(document.versions)[-1]


def what_does_it_cost(document: ModelDocument) -> Answer:
    """Return the answer: bad above the budget, watched where the report says so, else fine."""
    training = _trained(last_training(document))
    if isinstance(document.cost, Unread):
        told = f"Cost reports could not be read: {document.cost.why}"
        return Answer(UNKNOWN, "Not known", told, training)
    found = spending(document)
    if found is None:
        return Answer(UNKNOWN, "Not measured yet", "No cost report has been made yet.", training)
    report = document.cost[-1]
    budget = found.budget if found.budget is not None else document.budget_usd
    rate = "" if found.per_1000 is None else f"{words.usd(found.per_1000)} per 1,000 predictions"
    month = "" if found.month_usd is None else f"{words.usd(found.month_usd)} a month"
    told = "; ".join(part for part in (rate, month) if part)
    if not told:
        return Answer(UNKNOWN, "Not known", words.short(report.says), training)
    over = bool(budget and found.month_usd is not None and found.month_usd > budget)
    because = [_against(budget, found.month_usd), *training]
    if report.status == RAISED:
        because.insert(0, words.short(report.says))
    if document.as_of - report.end > STALE:
        because.insert(0, f"The last look was {words.ago(report.end, document.as_of)}.")
        return Answer(UNKNOWN, told, f"{told}, when it was last looked at.", because)
    tone = BAD if over else WATCH if report.status == RAISED else FINE
    return Answer(tone, told, f"{told}.", because)


def _against(budget: float | None, month: float | None) -> str:
    if budget is None:
        return "No budget is declared for the model."
    if month is None or budget <= 0:
        return f"The budget is {words.usd(budget)} a month."
    return f"That is {words.per_cent(month / budget)} of the budget, {words.usd(budget)} a month."


def _trained(version: ModelVersion | None) -> tuple[str, ...]:
    if version is None:
        return ()
    return (f"The last training, of version {version.number}, cost {words.usd(version.cost_usd)}.",)
