"""What a look at drift is told as: a report, an event, metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from boringml.monitoring.drift import Drift, Finding
from boringml.monitoring.drift_settings import DriftSettings
from boringml.monitoring.report import DRIFT, NOT_EVALUATED, RAISED, Report

# Named in the sentence; the details have all.
_TOLD = 3


@dataclass(frozen=True)
class Look:
    """Which window of a model is looked at. `run` is the batch whose rows it is, None of requests.

    `version` is None where none is live.
    """

    model: str
    version: int | None
    begin: datetime
    end: datetime
    settings: DriftSettings
    run: str | None = None

    def report(self, drift: Drift) -> Report:
        """Return the report of what was found.

        `details`: `rows`, `share` (of what is watched and was evaluated, null of nothing),
        `evaluated` and `drifted` (names), `unseen` (watched features that are not in the rows),
        `features` and `outputs` (by name, see `Finding.document`), `settings`, `run`.
        """
        details = {
            "rows": drift.rows,
            "share": drift.share,
            "evaluated": [one.name for one in drift.evaluated],
            "drifted": [one.name for one in drift.drifted],
            "unseen": list(drift.unseen),
            "features": {one.name: one.document() for one in drift.features},
            "outputs": {one.name: one.document() for one in drift.outputs},
        }
        return self._kept(drift.status, self._says(drift), details)

    def unmeasured(self, why: str) -> Report:
        """Return the report of a look that had nothing to look at; `why` is a clause."""
        details: dict[str, Any] = {
            "rows": 0,
            "share": None,
            "evaluated": [],
            "drifted": [],
            "unseen": [],
            "features": {},
            "outputs": {},
        }
        return self._kept(
            NOT_EVALUATED, f"Drift of {self.model} was not evaluated: {why}.", details
        )

    def _kept(self, status: str, says: str, details: Mapping[str, Any]) -> Report:
        told = {**details, "settings": self.settings.document(), "run": self.run}
        return Report(DRIFT, self.model, self.version, self.begin, self.end, status, says, told)

    def _says(self, drift: Drift) -> str:
        who = f"{self.model} version {self.version}"
        hours = (self.end - self.begin).total_seconds() / 3600
        rows = f"{drift.rows:,} predictions in {hours:g} h"
        if self.run is not None:
            rows = f"{drift.rows:,} rows of batch {self.run}"
        if drift.status == NOT_EVALUATED:
            least = self.settings.min_samples
            return f"Drift of {who} was not evaluated: {rows}, and {least:,} are needed."
        watched = len(drift.evaluated)
        if drift.status == RAISED:
            first = "; ".join(_phrase(one) for one in drift.drifted[:_TOLD])
            more = len(drift.drifted) - _TOLD
            first += f"; and {more} more" if more > 0 else ""
            many = f"{len(drift.drifted)} of {watched} watched inputs and answers"
            return f"{many} of {who} drifted ({rows}): {first}."
        return f"The {watched} watched inputs and answers of {who} are as in training ({rows})."


def event_of(report: Report, key: str) -> dict[str, Any]:
    """Return the detail of DriftDetected; `key` is where the report lies in the lake."""
    return {
        "model": report.model,
        "version": report.version,
        "features": report.details["drifted"],
        "share": report.details["share"],
        "says": report.says,
        "report": key,
    }


def metrics_of(report: Report) -> dict[str, float]:
    """Return metrics by name: drift_evaluated is 1 or 0, drift_share absent with 0."""
    share = report.details["share"]
    evaluated = report.status != NOT_EVALUATED
    return {"drift_evaluated": int(evaluated)} | ({"drift_share": share} if evaluated else {})


def _phrase(one: Finding) -> str:
    return f"{one.name} ({', '.join(one.reasons)})"
