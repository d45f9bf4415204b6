"""How often the judge stops a good version, and how soon a bad one, by simulation.

`make simulate`. Through the very judge and the plan of credit, a look each minute, on requests that
are drawn with fixed seeds. Writes benchmarks/results/canary_simulation.json and draws it.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import fisher_exact

from benchmarks.release.drawing import bars
from boringml.adapters.declarations import declaration
from boringml.release.canary import ADVANCE, HARM, UNDECIDED, Tally, judge
from boringml.release.plan import release_plan

RESULTS: Final = Path(__file__).parents[1] / "results"
SEED: Final = 20261124
RUNS: Final = 1000
# Of a good version: failures, slow requests, and outcomes that are bad.
GOOD: Final = (0.005, 0.02, 0.20)
# One request in four is heard of again by the business.
OUTCOMES: Final = 0.25
MINUTE: Final = 60.0


@dataclass(frozen=True)
class Case:
    """A candidate's shares of failures, slow requests and bad outcomes, beside GOOD of live."""

    name: str
    shares: tuple[float, float, float]


CASES: Final = (
    Case("as good as live", GOOD),
    Case("5 points more failures", (0.055, 0.02, 0.20)),
    Case("10 % slow in place of 2 %", (0.005, 0.10, 0.20)),
    Case("50 % slow in place of 2 %", (0.005, 0.50, 0.20)),
    Case("15 points more bad outcomes", (0.005, 0.02, 0.35)),
)


@dataclass(frozen=True)
class End:
    """How a canary ended: the decision, after how many minutes, requests and failures of it."""

    decision: str
    minutes: int
    requests: int
    failures: int


Look = Callable[[dict[str, Any], int, Tally, Tally, float], str]


def by_judge(plan: dict[str, Any], step: int, candidate: Tally, live: Tally, seconds: float) -> str:
    """Return what the judge of the release decides."""
    return judge(plan, step, candidate, live, seconds).decision


def by_fisher(
    plan: dict[str, Any], step: int, candidate: Tally, live: Tally, seconds: float
) -> str:
    """Return what a test at 5 % for each metric at each look decides: what many canaries do."""
    for bad, of, live_bad, live_of in (
        (candidate.failures, candidate.requests, live.failures, live.requests),
        (candidate.slow, candidate.requests, live.slow, live.requests),
        (candidate.bad_outcomes, candidate.outcomes, live.bad_outcomes, live.outcomes),
    ):
        table = [[bad, of - bad], [live_bad, live_of - live_bad]]
        if of and live_of and fisher_exact(table, alternative="greater").pvalue < 0.05:
            return HARM
    return by_judge(plan, step, candidate, live, seconds)


def canary(
    random: np.random.Generator,
    plan: dict[str, Any],
    shares: tuple[float, float, float],
    per_minute: int,
    look: Look,
) -> End:
    """Return how one canary ends."""
    minutes = requests = failures = 0
    for number, step in enumerate(plan["steps"]):
        ours, theirs = np.zeros(5, int), np.zeros(5, int)
        for minute in range(1, 10_000):
            arrived = random.poisson(per_minute)
            mine = random.binomial(arrived, step["weight"])
            ours += _drawn(random, int(mine), shares)
            theirs += _drawn(random, int(arrived - mine), GOOD)
            minutes += 1
            decision = look(plan, number, Tally(*ours), Tally(*theirs), minute * MINUTE)
            if decision in (HARM, UNDECIDED):
                return End(decision, minutes, requests + int(ours[0]), failures + int(ours[1]))
            if decision == ADVANCE:
                requests, failures = requests + int(ours[0]), failures + int(ours[1])
                break
    return End("promoted", minutes, requests, failures)


def _drawn(random: np.random.Generator, of: int, shares: tuple[float, float, float]) -> Any:
    outcomes = random.binomial(of, OUTCOMES)
    return np.array(
        [
            of,
            random.binomial(of, shares[0]),
            random.binomial(of, shares[1]),
            outcomes,
            random.binomial(outcomes, shares[2]),
        ]
    )


def simulate(case: Case, per_minute: int, look: Look, runs: int, seed: int) -> dict[str, Any]:
    """Return how `runs` canaries of a case end: shares of each end, and what it took."""
    plan = release_plan(declaration("credit"), minute_seconds=60, approval=False)["canary"]
    random = np.random.default_rng(seed)
    ends = [canary(random, plan, case.shares, per_minute, look) for _ in range(runs)]
    minutes = np.array([end.minutes for end in ends])
    failures = np.array([end.failures for end in ends])
    return {
        "case": case.name,
        "requests_per_minute": per_minute,
        "judge": look.__name__,
        "runs": runs,
        "seed": seed,
        "ends": {
            name: sum(end.decision == name for end in ends)
            for name in ("promoted", HARM, UNDECIDED)
        },
        "minutes": {"p50": float(np.median(minutes)), "p95": float(np.quantile(minutes, 0.95))},
        "failures": {"p50": float(np.median(failures)), "p95": float(np.quantile(failures, 0.95))},
    }


def main() -> None:
    """Simulate, print, draw, and fail where a promise is not kept."""
    console = Console(width=150)
    begin = time.monotonic()
    results = []
    for per_minute in (100, 3000):
        for number, case in enumerate(CASES):
            console.print(f"{case.name}, {per_minute} requests a minute", highlight=False)
            results.append(simulate(case, per_minute, by_judge, RUNS, SEED + number))
        results.append(simulate(CASES[0], per_minute, by_fisher, RUNS // 5, SEED))
    promises = [
        simulate(CASES[0], 100, by_judge, 20, SEED),
        simulate(CASES[0], 3000, by_judge, 20, SEED),
        simulate(CASES[1], 100, by_judge, 20, SEED),
        simulate(CASES[1], 3000, by_judge, 20, SEED),
    ]
    table = Table(title=f"Canaries of credit, seed {SEED}")
    for column in ("candidate", "a minute", "judged by", "runs", "promoted", "harm", "undecided"):
        table.add_column(column)
    table.add_column("minutes p50, p95")
    table.add_column("failed p50, p95")
    for found in [*promises, *results]:
        ends, minutes, failures = found["ends"], found["minutes"], found["failures"]
        table.add_row(
            found["case"],
            str(found["requests_per_minute"]),
            found["judge"].removeprefix("by_"),
            str(found["runs"]),
            *(str(ends[name]) for name in ("promoted", HARM, UNDECIDED)),
            f"{minutes['p50']:.0f}, {minutes['p95']:.0f}",
            f"{failures['p50']:.0f}, {failures['p95']:.0f}",
        )
    console.print(table)
    RESULTS.mkdir(exist_ok=True)
    document = {"seconds": round(time.monotonic() - begin, 1), "promises": promises}
    document["results"] = results
    file = RESULTS / "canary_simulation.json"
    file.write_text(json.dumps(document, indent=1) + "\n")
    file.with_suffix(".svg").write_text(bars(results))
    kept = all(found["ends"]["promoted"] == 20 for found in promises[:2]) and all(
        found["ends"]["promoted"] <= 1 for found in promises[2:]
    )
    console.print("promises kept" if kept else "A PROMISE IS NOT KEPT")
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
