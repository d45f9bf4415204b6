"""A look at a canary: fetch the numbers, judge, and let the history know."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError
from boringml.release.canary import ADVANCE, CONTINUE, HARM, judge
from boringml.release.windows import since

if TYPE_CHECKING:
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.version_metrics import VersionMetrics


def judge_canary(
    registry: "RegistryTable",
    metrics: "VersionMetrics",
    event: Mapping[str, Any],
    now: datetime,
    period_seconds: int,
) -> dict[str, Any]:
    """Return {"decision"}: `continue` or `advance`.

    `event` is that of the state JudgeCanary. Both versions are asked for the same whole periods
    since the step began. Raises BoringError `canary_harm` or `canary_undecided` (422), whose
    message has the numbers; the release then puts traffic back.
    """
    started = datetime.fromisoformat(event["started_at"])
    begin, end = since(started, now, period_seconds)
    if begin >= end:
        return {"decision": CONTINUE}
    kpi = (event["plan"].get("kpi") or {}).get("event")
    # New code of a model answers with the model version that is live: outcomes cannot tell them.
    asked = None if event["code"] else kpi
    window = (begin, end, event["slow_ms"], asked)
    candidate = metrics.tally(event["function_version"], event["version"], *window)
    live = metrics.tally(event["live_function_version"], event["live_version"], *window)
    verdict = judge(
        event["plan"],
        event["step"],
        candidate,
        live,
        (end - started).total_seconds(),
        with_kpi=asked is not None,
    )
    if verdict.decision == CONTINUE:
        return {"decision": CONTINUE}
    why = "; ".join(verdict.reasons)
    registry.record_step(
        event["model"],
        step="canary",
        outcome=verdict.decision,
        version=event["version"],
        by=event["execution_arn"],
        why=why[:900],
        details={**verdict.numbers, "slow_ms": event["slow_ms"], "until": end.isoformat()},
    )
    if verdict.decision == ADVANCE:
        return {"decision": ADVANCE}
    code = "canary_harm" if verdict.decision == HARM else "canary_undecided"
    raise BoringError(code, why[:900], 422)
