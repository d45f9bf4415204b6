"""A made-up operations page, without AWS: `python -m tools.page_sample > /tmp/page.html`.

Tests draw from the same documents. The numbers are made up; their forms are those of real reports.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from boringml.monitoring.page.document import (
    Alarm,
    Count,
    Limits,
    ModelDocument,
    PlatformDocument,
    Point,
    Traffic,
    Unread,
    VersionTraffic,
)
from boringml.monitoring.page.model_page import model_page
from boringml.monitoring.page.platform_page import platform_page
from boringml.monitoring.report import COST, DRIFT, FINE, QUALITY, RAISED, Report
from boringml.registry.records import (
    LIVE,
    MOVED,
    REGISTERED,
    SPLIT,
    STEP,
    Canary,
    HistoryEvent,
    ModelVersion,
    Route,
)

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
MODEL = "credit"
_PERIOD = timedelta(minutes=15)
_LIMITS = Limits(
    min_samples=150,
    failures=0.01,
    slow_ratio=2,
    slow_floor_ms=50,
    promised_p95_ms=300,
    kpi="LoanAccepted",
    kpi_tolerance=0.05,
    min_outcomes=60,
    bake_seconds=1800,
)


def full() -> ModelDocument:
    """Return a model that was released yesterday, is well, and drifts in one feature."""
    return ModelDocument(
        model=MODEL,
        description="Probability that a loan goes bad, from what is known when it is granted.",
        owner="credit-risk",
        stack="boringml-dev",
        as_of=NOW,
        served=True,
        limits=_LIMITS,
        route=Route(version=6, function_version="9"),
        versions=tuple(_version(number) for number in range(1, 8)),
        history=_history(),
        traffic=_traffic(0.002, 0.002),
        shadow=_shadow(),
        drift=(_drift(),),
        quality=(_quality(4, 0.741), _quality(6, 0.748)),
        cost=(_cost(),),
        budget_usd=25,
        alarms=(),
    )


def harmed() -> ModelDocument:
    """Return a model whose newest version fails requests, with an alarm that rings."""
    alarm = Alarm(
        "boringml-dev-CreditOnline-LiveFailuresAlarm",
        "credit: live fails requests. Runbook: docs/runbooks/live-failures.md",
        NOW - timedelta(minutes=7),
    )
    return replace(full(), traffic=_traffic(0.06, 0.002), alarms=(alarm,))


def under_way() -> ModelDocument:
    """Return a model with a canary, just begun: too few requests to tell."""
    canary = Canary(version=7, function_version="10", weight=0.1)
    return replace(
        full(), route=Route(version=6, function_version="9", canary=canary), traffic=_few()
    )


def empty(model: str = "churn") -> ModelDocument:
    """Return a model of which nothing is known, since nothing has happened."""
    return ModelDocument(
        model=model,
        description="Probability that a customer leaves.",
        owner="customer-care",
        stack="boringml-dev",
        as_of=NOW,
        served=False,
        limits=Limits(),
        route=Route(),
        versions=(),
        history=(),
    )


def unreadable() -> ModelDocument:
    """Return a model of which nothing could be read."""
    gone = Unread("AccessDeniedException: the role may not read this.")
    return replace(
        full(),
        route=gone, versions=gone, history=gone, lock=gone, traffic=gone, shadow=gone,
        drift=gone, quality=gone, cost=gone, alarms=gone,
    )  # fmt: skip


def platform() -> PlatformDocument:
    """Return the platform of such models."""
    reviews = replace(harmed(), model="reviews", description="Top score of a food review.")
    return PlatformDocument(
        stack="boringml-dev",
        as_of=NOW,
        models=(empty(), full(), reviews),
        failed=(Count("release", 2), Count("train", 0), Count("batch", 0)),
        dead_letters=(Count("events", 0), Count("callbacks", 3)),
        alarms=harmed().alarms,
    )


def _version(number: int) -> ModelVersion:
    return ModelVersion(
        model=MODEL,
        number=number,
        package_uri=f"s3://packages/packages/credit/{number}/",
        package_digest=f"sha256:{number:064x}",
        contract_version="1.2.0" if number < 5 else "1.3.0",
        runtime="onnx",
        data_digest=f"sha256:{number * 7919:064x}",
        git_commit=f"{number * 104729:040x}",
        metrics={
            "roc_auc": 0.731 + 0.003 * number,
            "log_loss": 0.178 - 0.001 * number,
            "brier": 0.045 - 0.0004 * number,
        },
        job_name=f"credit-{number}",
        cost_usd=0.0031 + 0.0002 * number,
        image="training@sha256:0",
        registered_at=_day(number),
        registered_by="arn:aws:states:us-east-1:123456789012:execution:Train:credit-run",
    )


def _day(number: int) -> datetime:
    return NOW - timedelta(days=28 - 4 * number, hours=3)


def _history() -> tuple[HistoryEvent, ...]:
    told: list[dict[str, Any]] = []
    live: int | None = None
    for number in range(1, 8):
        at, by = _day(number), f"arn:aws:states:us-east-1:123456789012:execution:Release:r{number}"
        told.append(_event(at, REGISTERED, number, by, "passed its gates"))
        if number in (3, 7):
            reason = (
                "smoke_failed: p95 of 1685 ms is above its budget of 300 ms"
                if number == 3
                else "shadow_failed: labels differ in 111 of 135 requests: 82.2%"
            )
            told.append(_step(at, number, by, "shadow", "failed", reason))
            told.append(_step(at + timedelta(minutes=9), number, by, "end", "abandoned", reason))
            continue
        told.append(_step(at, number, by, "smoke", "passed", "20 golden requests"))
        if live is not None:
            told.append(_step(at, number, by, "shadow", "passed", "labels differ in 1.3 %"))
            canary = {"version": number, "function_version": str(number + 3), "weight": 0.1}
            told.append(_move(at + timedelta(minutes=20), SPLIT, live, live, by, canary=canary))
            harm = number == 5
            told.append(_look(at + timedelta(minutes=30), number, by, harm))
            if harm:
                reason = "canary_harm: failures: candidate 9 of 79 (11.4%), live 0 of 605 (0.0%)"
                told.append(_move(at + timedelta(minutes=31), SPLIT, live, live, by, back=True))
                end = at + timedelta(minutes=31)
                told.append(_step(end, number, by, "end", "abandoned", reason))
                continue
        told.append(_move(at + timedelta(minutes=45), MOVED, live, number, by))
        live = number
    return tuple(
        HistoryEvent(model=MODEL, sequence=place, **event) for place, event in enumerate(told, 1)
    )


def _event(at: datetime, kind: str, to: int, by: str, why: str) -> dict[str, Any]:
    return {
        "at": at, "kind": kind, "alias": None, "from_version": None, "to_version": to,
        "by": by, "why": why,
    }  # fmt: skip


def _step(at: datetime, number: int, by: str, step: str, outcome: str, why: str) -> dict[str, Any]:
    return _event(at, STEP, number, by, why) | {"details": {"step": step, "outcome": outcome}}


def _look(at: datetime, number: int, by: str, harm: bool) -> dict[str, Any]:
    event = _step(at, number, by, "canary", "harm" if harm else "advance", "the numbers say so")
    bad = 9 if harm else 0
    event["details"] |= {
        "canary_step": 1,
        "weight": 0.1,
        "seconds": 302.0,
        "log_evidence_of_harm": 6.397,
        "failures": {
            "candidate": [bad, 179],
            "live": [0, 1605],
            "tolerance": 0.01,
            "log_evidence": 9.31 if harm else -3.2,
        },
        "slow": {
            "candidate": [3, 179],
            "live": [61, 1605],
            "tolerance": 0.05,
            "log_evidence": -2.8,
        },
        "LoanAccepted": {
            "candidate": [14, 77],
            "live": [130, 690],
            "tolerance": 0.05,
            "log_evidence": -1.9,
        },
    }
    return event


def _move(
    at: datetime, kind: str, before: int | None, after: int, by: str, **details: Any
) -> dict[str, Any]:
    return {
        "at": at, "kind": kind, "alias": LIVE, "from_version": before, "to_version": after,
        "by": by, "why": "labels differ in 1.3 %, no more failures than live",
        "details": {"function_version": str(after + 3), "canary": None, **details},
    }  # fmt: skip


def _traffic(now: float, before: float) -> Traffic:
    """Return a day in which version 6 took over from 4, with these shares of failures."""
    begin = NOW - timedelta(days=1)
    switch = 40
    older, newer = [], []
    for place in range(96):
        at = begin + place * _PERIOD
        requests = round(220 + 160 * math.sin((place - 20) / 96 * 2 * math.pi))
        share = 1.0 if place < switch - 3 else 0.9 if place < switch else 0.0
        older.append(_point(at, round(requests * share), before, 11.0))
        newer.append(_point(at, requests - round(requests * share), now, 12.0))
    versions = (
        VersionTraffic(4, "7", tuple(older), 900, 150),
        VersionTraffic(6, "9", tuple(newer), 1400, 250),
    )
    return Traffic(begin, NOW, int(_PERIOD.total_seconds()), versions)


def _few() -> Traffic:
    begin = NOW - timedelta(minutes=15)
    points = (_point(begin, 40, 0.0, 12.0),)
    return Traffic(begin, NOW, 900, (VersionTraffic(6, "9", points),))


def _point(at: datetime, requests: int, failures: float, p50: float) -> Point:
    if not requests:
        return Point(at, 0, 0)
    wave = 1 + 0.2 * math.sin(at.timestamp() / 4000)
    return Point(at, requests, round(requests * failures), p50 * wave, p50 * 2.4 * wave)


def _shadow() -> dict[str, Any]:
    return {
        "model": MODEL,
        "version": 7,
        "verdict": {
            "decision": "fail",
            "code": "shadow_failed",
            "reasons": ["labels differ in 111 of 135 requests: 82.2%, at most 15.0% is accepted"],
        },
        "plan": {
            "samples": 300,
            "unit": "requests",
            "max_label_disagreement": 0.15,
            "max_probability_shift": 0.1,
            "max_segment_disagreement": 0.35,
            "max_extra_failures": 0.0,
            "max_latency_ratio": 2,
            "latency_floor_ms": 50,
        },
        "summary": {
            "samples": 135,
            "extra_failure_share": 0.0,
            "label_disagreement": 0.822,
            "probability_shift": {"p50": 0.86, "p95": 0.93},
            "live_latency_ms": {"p50": 9.1, "p95": 14.0},
            "candidate_latency_ms": {"p50": 9.4, "p95": 15.1},
            "segments": [
                {"feature": "grade", "segment": "A", "samples": 60, "share": 0.9, "judged": True}
            ],
        },
    }


def _drift() -> Report:
    def numeric(psi: float, shift: float, reasons: Sequence[str] = ()) -> dict[str, Any]:
        edges = [24000.0, 33000, 40000, 48000, 55000, 62000, 72000, 86000, 110000]
        window = [0.1 + shift * (place - 4.5) / 45 for place in range(10)]
        return {
            "kind": "numeric", "watched": True, "status": RAISED if reasons else FINE,
            "reasons": list(reasons), "psi": psi, "threshold": 0.1, "distance": shift / 2,
            "distance_kind": "wasserstein", "rows": 21000, "edges": edges,
            "baseline_shares": [0.1] * 10, "window_shares": window,
        }  # fmt: skip

    moved = ("PSI 0.31, 0.10 is tolerated; mean up by 0.52 deviations",)
    features = {
        "annual_inc": numeric(0.31, 0.8, moved),
        "loan_amnt": numeric(0.012, 0.1),
        "dti": numeric(0.008, -0.08),
        "int_rate": numeric(0.021, 0.14),
        "home_ownership": {
            "kind": "categorical", "watched": True, "status": FINE, "reasons": [],
            "psi": 0.004, "threshold": 0.1, "distance": 0.02, "distance_kind": "total_variation",
            "rows": 21000, "categories": ["RENT", "MORTGAGE", "OWN", "OTHER"],
            "baseline_shares": [0.44, 0.45, 0.1, 0.01], "window_shares": [0.45, 0.43, 0.11, 0.01],
        },
    }  # fmt: skip
    says = "Version 6 drifts in 1 of 6: annual_inc, whose mean is up by 0.52 deviations."
    end = NOW - timedelta(minutes=30)
    outputs = {"probability": numeric(0.035, 0.18)}
    details = {"features": features, "outputs": outputs}
    return Report(DRIFT, MODEL, 6, end - timedelta(days=1), end, RAISED, says, details)


def _quality(version: int, level: float) -> Report:
    days = []
    for place in range(14 if version == 4 else 9):
        value = level + 0.012 * math.sin(place * 2.1 + version)
        labelled = 900 - 40 * place
        half = 0.9 / math.sqrt(labelled)
        date = (NOW - timedelta(days=22 if version == 4 else 12) + timedelta(days=place)).date()
        days.append(
            {
                "date": date.isoformat(), "roc_auc": value,
                "roc_auc_interval": [value - half, value + half],
                "predictions": 1000, "labelled": labelled,
            }
        )  # fmt: skip
    window = {
        "roc_auc": level, "roc_auc_interval": [level - 0.011, level + 0.011],
        "labelled": 6200, "predictions": 9000, "coverage": 0.69, "log_loss": 0.175,
    }  # fmt: skip
    says = (
        f"Version {version} of credit is as good as expected: ROC AUC {level:.3f} over 6200 labels."
    )
    details = {
        "metric": "roc_auc", "window": window, "days": days, "holdout": {"roc_auc": level + 0.004},
    }  # fmt: skip
    end = NOW - timedelta(hours=1)
    return Report(QUALITY, MODEL, version, end - timedelta(days=14), end, FINE, says, details)


def _cost() -> Report:
    parts = [
        ("lambda_seconds", 1420.0, "GB-second", 0.0189),
        ("lambda_requests", 21300.0, "request", 0.00426),
        ("api_requests", 21300.0, "request", 0.0746),
        ("log_bytes", 0.031, "GB", 0.0155),
        ("metrics", 0.4, "metric-month", 0.12),
    ]
    details = {
        "parts": [
            {"name": name, "units": units, "unit": unit, "usd": usd}
            for name, units, unit, usd in parts
        ],
        "per_1000_usd": {"variable": 0.0053, "total": 0.0109},
        "month": {
            "serving_usd": 3.4, "fixed_usd": 3.6, "training_usd": 0.03, "batch_usd": 0.0,
            "projected_usd": 7.03, "assumption": "the last 7 days, times 30/7",
        },
        "budget": {"monthly_usd": 25.0, "share": 0.28},
    }  # fmt: skip
    says = "1,000 predictions cost 0.0109 USD in the last 24 hours."
    end = NOW - timedelta(minutes=20)
    return Report(COST, MODEL, None, end - timedelta(days=1), end, FINE, says, details)


SAMPLES = {
    "full": full,
    "harmed": harmed,
    "under-way": under_way,
    "empty": empty,
    "unreadable": unreadable,
}


def main() -> None:
    """Print the page of a sample, by its name; `platform` is the page of all."""
    name = sys.argv[1] if len(sys.argv) > 1 else "full"
    sys.stdout.write(
        platform_page(platform()) if name == "platform" else model_page(SAMPLES[name]())
    )


if __name__ == "__main__":
    main()
