"""The use case of drift: look at one model, keep what was found, and tell it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from boringml.batch.open_batch import HeldRun
from boringml.batch.run import BatchRun
from boringml.contract.contract import Contract
from boringml.monitoring.drift import judge_drift
from boringml.monitoring.drift_report import Look, event_of
from boringml.monitoring.drift_settings import DriftSettings
from boringml.monitoring.report import DRIFT, RAISED, Report
from boringml.monitoring.window import Rows, Window
from boringml.package import layout
from boringml.package.reader import Fetch, Package
from boringml.registry.records import OPEN, ModelVersion, RunClaim

DRIFT_DETECTED: Final = "DriftDetected"


class Registry(Protocol):
    """boringml.adapters.registry_table."""

    def alias(self, model: str, name: str) -> int | None: ...

    def version(self, model: str, number: int) -> ModelVersion: ...

    def newest_run(self, model: str) -> RunClaim | None: ...


class Served(Protocol):
    """boringml.adapters.served_rows."""

    def rows(
        self, model: str, version: int, begin: datetime, end: datetime, features: Sequence[str]
    ) -> Iterator[Rows]: ...


class Scored(Protocol):
    """boringml.adapters.batch_rows."""

    def rows(self, run: BatchRun, document: Any) -> Iterator[Rows]: ...


class Reports(Protocol):
    """boringml.adapters.monitoring_reports."""

    def put(self, report: Report) -> str: ...

    def newest(
        self, model: str, kind: str, until: datetime, days: int, most: int = 100
    ) -> list[Report]: ...


@dataclass(frozen=True, kw_only=True)
class DriftWatch:
    """Looks at models. `package` gives the files below a URI; `newest_batch` the run scored last.

    `publish` tells an event of a type; `train` starts a training of a model under a name, once.
    """

    registry: Registry
    package: Callable[[str], Fetch]
    served: Served
    scored: Scored
    newest_batch: Callable[[str], HeldRun | None]
    reports: Reports
    publish: Callable[[str, Mapping[str, Any]], Any]
    train: Callable[[str, str], Any]

    def look_at(self, model: str, settings: DriftSettings, end: datetime, served: bool) -> Report:
        """Return the report of a look at the traffic that ends at `end`, in UTC.

        Traffic is what clients asked (`served`), or the rows of the batch scored last. What drifted
        is told as DriftDetected, and trained for where model.yaml lets it. A batch that was looked
        at before is not read again: its report stands, and nothing is told twice.
        """
        begin = end - timedelta(hours=settings.window_hours)
        live = self.registry.alias(model, "live")
        look = Look(model, live, begin, end, settings)
        if live is None:
            return self._keep(look.unmeasured("no version is live"))
        held = None
        if not served:
            held = self.newest_batch(model)
            if held is None or held.opened_at < begin:
                told = f"no batch was scored in {settings.window_hours} h"
                return self._keep(look.unmeasured(told))
            if held.run.version != live:
                told = f"the newest batch was scored by version {held.run.version}, live is {live}"
                return self._keep(look.unmeasured(told))
            look = _of_batch(look, held)
            if earlier := self._seen(look):
                return earlier
        version = self.registry.version(model, live)
        package = Package(self.package(version.package_uri), version.package_digest)
        document = json.loads(package.read(layout.CONTRACT))
        baseline = json.loads(package.read(layout.BASELINE))
        contract = Contract.of(document)
        if held:
            window = Window(baseline)
            rows: Iterable[Rows] = self.scored.rows(held.run, document)
        else:
            # The prediction log has null in place of what is sensitive.
            window = Window(baseline, without=contract.sensitive)
            names = sorted(set(window.feature_of.values()))
            rows = self.served.rows(model, live, begin, end, names)
        for some in rows:
            window.add(some)
        watched = contract.key_features if settings.features is None else settings.features
        report = look.report(judge_drift(window, watched, settings))
        return self._keep(report)

    def _keep(self, report: Report) -> Report:
        key = self.reports.put(report)
        if report.status == RAISED:
            self.publish(DRIFT_DETECTED, event_of(report, key))
            self._retrain(report)
        return report

    def _seen(self, look: Look) -> Report | None:
        """Return the report of the same batch by the same settings, if there is one."""
        days = look.settings.window_hours // 24 + 2
        until = look.end
        for report in self.reports.newest(look.model, DRIFT, until, days):
            same = (look.run, look.version, look.settings.document())
            told = report.details
            if (told["run"], report.version, told["settings"]) == same:
                return report
        return None

    def _retrain(self, report: Report) -> None:
        """Train for drift, where model.yaml allows it and nothing trained for a while.

        Whatever started that training: its version has seen newer data, and drift comes to light
        again every hour until it is live. The name is the look's own, so a look starts one.
        """
        settings = report.details["settings"]
        if not settings["retrain"]:
            return
        last = self.registry.newest_run(report.model)
        quiet_since = report.end - timedelta(hours=settings["cool_down_hours"])
        if last is not None and (last.status == OPEN or last.claimed_at > quiet_since):
            return
        self.train(report.model, f"drift-{report.model}-{report.end:%Y%m%dT%H%M%S}")


def _of_batch(look: Look, held: HeldRun) -> Look:
    """Return a look at a batch: its window is the run's own, so that it is one look for ever."""
    seconds = (held.summary or {}).get("seconds", 0)
    end = held.opened_at + timedelta(seconds=max(float(seconds), 1))
    return Look(look.model, look.version, held.opened_at, end, look.settings, held.run.label)
