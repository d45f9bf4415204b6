"""A look at a canary: fetch the numbers, judge, and let the history know."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError
from boringml.release.canary import ADVANCE, CONTINUE, HARM, Verdict, judge, slow_limit_ms
from boringml.release.windows import before, since

if TYPE_CHECKING:
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.version_metrics import VersionMetrics


def slow_from_now_on(
    metrics: "VersionMetrics", event: Mapping[str, Any], now: datetime, period_seconds: int
) -> float:
    """Return above how many milliseconds a request of this step counts as slow.

    `event` is that of the state StartCanary. It is fixed before the candidate has answered
    anything: what is slow is what live says it is.
    """
    begin, end = before(now, period_seconds)
    p95 = metrics.p95_ms(event["live_function_version"], event["live_version"], begin, end)
    slow = event["plan"]["slow"]
    return slow_limit_ms(p95, slow["ratio"], slow["floor_ms"])


def judge_canary(
    registry: "RegistryTable",
    metrics: "VersionMetrics",
    event: Mapping[str, Any],
    now: datetime,
    period_seconds: int,
) -> dict[str, Any]:
    """Return {"decision"}: `continue` or `advance`.

    `event` is that of the state JudgeCanary. Both versions are asked for the same whole periods
    since the step began. Only what passes now and passed a period ago is lucky no more: it
    advances. Where CloudWatch cannot tell all, it is looked again, until the step is out of time.
    Raises BoringError `canary_harm` or `canary_undecided` (422), whose message has the numbers; the
    release then puts traffic back.
    """
    started = datetime.fromisoformat(event["started_at"])
    begin, end = since(started, now, period_seconds)
    if begin >= end:
        return {"decision": CONTINUE}
    try:
        verdict = _look(metrics, event, started, begin, end)
        if verdict.decision == ADVANCE:
            earlier = end - timedelta(seconds=period_seconds)
            if _look(metrics, event, started, begin, earlier).decision != ADVANCE:
                return {"decision": CONTINUE}
    except BoringError as error:
        if error.code != "metrics_incomplete" or _out_of_time(event, now - started):
            raise
        return {"decision": CONTINUE}
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


def _look(
    metrics: "VersionMetrics",
    event: Mapping[str, Any],
    started: datetime,
    begin: datetime,
    end: datetime,
) -> Verdict:
    """Return the verdict on both versions' requests from `begin` to before `end`."""
    kpi = (event["plan"].get("kpi") or {}).get("event")
    # New code of a model answers with the model version that is live: outcomes cannot tell them.
    asked = None if event["code"] else kpi
    window = (begin, end, event["slow_ms"], asked)
    return judge(
        event["plan"],
        event["step"],
        metrics.tally(event["function_version"], event["version"], *window),
        metrics.tally(event["live_function_version"], event["live_version"], *window),
        (end - started).total_seconds(),
        with_kpi=asked is not None,
    )


def _out_of_time(event: Mapping[str, Any], elapsed: timedelta) -> bool:
    plan = event["plan"]
    seconds: float = plan["steps"][event["step"]]["seconds"] * plan["give_up_after"]
    return elapsed >= timedelta(seconds=seconds)
