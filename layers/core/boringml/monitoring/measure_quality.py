"""The use case of a look at quality: predictions and labels in, reports, metrics and news out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from boringml.monitoring.label_join import Joined, Predictions, join_keys, join_requests, merged
from boringml.monitoring.labels import LabelRules
from boringml.monitoring.quality import Holdout
from boringml.monitoring.quality_report import (
    Look,
    event_of,
    fell,
    look_at,
    metrics_line,
)
from boringml.monitoring.quality_settings import QualitySettings
from boringml.monitoring.report import QUALITY, RAISED, Report

# Each look keeps what the one before knew of each version. Two, since one may have died half way.
_REMEMBERED_LOOKS, _REMEMBERED_DAYS = 2, 2


class Labels(Protocol):
    """The kept labels."""

    def read(self, model: str, first: date, last: date) -> Any:
        """Return those that arrived on these UTC days, as a table."""

    def merge(self, model: str, day: date) -> int:
        """Merge a day's objects into one where they are many."""


class PredictionDays(Protocol):
    """What was predicted."""

    def requests(self, model: str, first: date, last: date) -> Iterator[Predictions]:
        """Yield what was asked for on each UTC day."""

    def scores(self, model: str, first: date, last: date) -> Iterator[Predictions]:
        """Yield what batches scored on each UTC day."""


class Reports(Protocol):
    """Where reports are kept."""

    def put(self, report: Report) -> str:
        """Keep a report."""

    def newest(self, model: str, kind: str, until: datetime, days: int, most: int) -> list[Report]:
        """Return the reports of the last `most` looks of so many days, oldest first."""


@dataclass(frozen=True)
class QualityMeasurer:
    """Looks at models. `live_of` and `holdout_of` ask the registry and the packages."""

    labels: Labels
    predictions: PredictionDays
    reports: Reports
    live_of: Callable[[str], int | None]
    holdout_of: Callable[[str, int], Holdout | None]
    publish: Callable[[str, Mapping[str, Any]], None]
    write: Callable[[str], Any]
    namespace: str

    def measure(
        self,
        declaration: Mapping[str, Any],
        contract: Mapping[str, Any],
        now: datetime,
        request_id: str,
    ) -> list[Report]:
        """Return the reports of one model, of all that is within its horizon at `now`.

        A fall of live is published before its report is kept: what fails in between is told twice
        and not never. Raises BoringError `quality_not_measured`.
        """
        model, settings = declaration["name"], QualitySettings.of(declaration)
        rules, decision = LabelRules.of(declaration, contract), contract["decision"]
        joined = self._joined(model, rules, now)
        look = Look(model, now, settings, decision["threshold"], decision["positive"])
        earlier = self.reports.newest(model, QUALITY, now, _REMEMBERED_DAYS, _REMEMBERED_LOOKS)
        known = {one.version: fell(one) for one in earlier if one.end < now}
        reports, live = look_at(
            look,
            joined,
            self.live_of(model),
            lambda version: self.holdout_of(model, version),
            known,
        )
        if live is not None:
            if live.status == RAISED and not known.get(live.version):
                self.publish("QualityFell", event_of(live))
            self.write(metrics_line(live, self.namespace, request_id))
        for report in reports:
            self.reports.put(report)
        return reports

    def _joined(self, model: str, rules: LabelRules, now: datetime) -> Joined:
        first, last = (now - rules.horizon).date(), now.date()
        # Yesterday's arrivals are over; today's are many small objects until then. Once a day all
        # are asked, which costs a request each: days without a look are still as they came.
        since = last - timedelta(days=1) if now.hour else first
        for ago in range((last - since).days + 1):
            self.labels.merge(model, last - timedelta(days=ago))
        labels = self.labels.read(model, first, last)
        parts = []
        if rules.requests:
            parts.append(join_requests(self.predictions.requests(model, first, last), labels))
        if rules.keys:
            parts.append(join_keys(self.predictions.scores(model, first, last), labels))
        return parts[0] if len(parts) == 1 else merged(*parts)


def summary_of(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return what a look's log line says of its reports."""
    return [
        {"model": one.model, "version": one.version, "status": one.status, "says": one.says}
        for one in reports
    ]
