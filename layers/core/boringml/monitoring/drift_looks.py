"""Looks at all models: which window they are at, and what becomes of a look that fails."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from boringml.errors import BoringError
from boringml.metric_line import metric_line
from boringml.monitoring.drift_report import metrics_of
from boringml.monitoring.drift_settings import DriftSettings
from boringml.monitoring.each_model import looks_failed
from boringml.monitoring.report import Report
from boringml.release.plan import is_served

# Firehose holds rows back for at most 15 minutes (its BufferingHints).
DELIVERY: Final = timedelta(minutes=15)

LookAt = Callable[[str, DriftSettings, datetime, bool], Report]


def window_end(at: str | None, now: datetime) -> datetime:
    """Return where the window ends: at `at`, else at the last full hour that is all in the lake.

    Two looks within the hour are the same look. Raises BoringError `time_invalid`.
    """
    if at is None:
        return (now - DELIVERY).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    try:
        found = datetime.fromisoformat(at)
    except ValueError as error:
        raise BoringError("time_invalid", f"{at!r} is no time as ISO 8601 has it.", 422) from error
    if found.tzinfo is None:
        raise BoringError("time_invalid", f"{at!r} does not say its offset from UTC.", 422)
    return found.astimezone(UTC)


def look_at_all(
    declared: Mapping[str, Mapping[str, Any]],
    end: datetime,
    look_at: LookAt,
    write: Callable[[str], Any],
    namespace: str,
) -> dict[str, dict[str, Any]]:
    """Return {model: {"status", "version", "says"}}, and write each model's metrics as a line.

    `declared` are model.yaml files by name. A look that fails keeps no other from being done:
    BoringError `looks_failed` comes at the end, and tells all that failed.
    """
    found: dict[str, dict[str, Any]] = {}
    failed: dict[str, Exception] = {}
    for model, declaration in declared.items():
        try:
            settings = DriftSettings.of(declaration)
            if settings is None:
                continue
            report = look_at(model, settings, end, is_served(declaration))
        except Exception as error:  # noqa: BLE001 - raised again below, after the other models
            failed[model] = error
            continue
        write(metric_line(namespace, {"model": model}, metrics_of(report)))
        found[model] = {"status": report.status, "version": report.version, "says": report.says}
    if failed:
        raise looks_failed(failed, len(declared))
    return found
