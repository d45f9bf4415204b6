"""How often the canary's judge is right: thousands of canaries through `judge_canary` itself.

    make simulate, or: python -m benchmarks.release.canary_simulation [--runs 1000]

The plan is that of models/credit/model.yaml. A look every minute sees all but the newest minute,
as on AWS, and not all of the one before. Prints tables and writes results/canary_simulation.json
and .svg. Each canary has its own seed, made of SEED, the scenario, the rate and its number: a run
repeats to the digit. Ends with 1 where a promise is not kept.
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.release.canary_plot import drawn
from benchmarks.release.canary_run import PROMOTED, run_canary
from benchmarks.release.canary_traffic import Scenario, Version
from benchmarks.release.repeated_looks import LOOKS, stopped_by_look
from boringml.adapters.declarations import declaration
from boringml.release.canary import HARM, UNDECIDED
from boringml.release.plan import release_plan

SEED = 20261124
_RESULTS = Path(__file__).parents[1] / "results"
_RATES = (30, 100, 300, 3000)
_DRAWN_RATE = 300
# Below, credit's plan runs out of time for want of samples more often than 1 in 20.
_PROMISED_RATES = (300, 3000)
_GOOD = "good: as live is"
_FIVE_POINTS = "failures +5 points"


def _outage(number: int) -> float:
    """A dependency of both versions fails a third of the requests of every 10th minute."""
    return 0.33 if number % 10 == 3 else 0.0


SCENARIOS = (
    Scenario(_GOOD, Version()),
    Scenario("good, outages of both", Version(), _outage),
    Scenario("good, failures of both drift up", Version(), lambda n: min(0.055, 0.002 * n)),
    # Twice as slow as live is almost 5 points more requests above twice live's p95.
    Scenario("at its tolerances", Version(0.015, slowdown=2.0, good_outcomes=0.55)),
    Scenario(_FIVE_POINTS, Version(failures=0.055)),
    Scenario("fails always", Version(failures=1.0)),
    Scenario("slow by 30 %", Version(slowdown=1.3)),
    Scenario("slow by 2", Version(slowdown=2.0)),
    Scenario("slow by 3", Version(slowdown=3.0)),
    # The proof takes failures as independent; these are not.
    Scenario("good, failures in bursts of 5", Version(burst=5), live=Version(burst=5)),
    Scenario("good, failures in bursts of 20", Version(burst=20), live=Version(burst=20)),
    Scenario("good, failures in bursts of 50", Version(burst=50), live=Version(burst=50)),
    Scenario("KPI -10 points", Version(good_outcomes=0.50)),
    Scenario("KPI -20 points", Version(good_outcomes=0.40)),
    Scenario("KPI -30 points", Version(good_outcomes=0.30)),
)


def plan_of_credit() -> dict[str, Any]:
    """Return the plan of the canary as a release of credit reads it, in seconds."""
    plan = release_plan(declaration("credit"), minute_seconds=60, approval=False)
    canary: dict[str, Any] = plan["canary"]
    return canary


def _simulate(task: tuple[int, int, int]) -> dict[str, Any]:
    index, rate, runs = task
    scenario, plan = SCENARIOS[index], plan_of_credit()
    found = [run_canary(plan, scenario, rate, [SEED, index, rate, n]) for n in range(runs)]
    outcomes = Counter(run.outcome for run in found)
    harmed = [run for run in found if run.outcome == HARM]
    return {
        "scenario": scenario.name,
        "requests_per_minute": rate,
        "runs": runs,
        **{name: outcomes[name] for name in (PROMOTED, HARM, UNDECIDED)},
        "first_20": dict(Counter(run.outcome for run in found[:20])),
        "stopped_for": dict(Counter(name for run in harmed for name in run.metrics)),
        "minutes": _quantiles([run.minutes for run in found]),
        "served": _quantiles([run.served for run in found]),
        "failed_before_stop": _quantiles([run.failed for run in harmed]),
        "failed_of_each": sorted(run.failed for run in harmed),
    }


def _quantiles(values: list[int]) -> list[int] | None:
    """Median, 95th percentile and largest."""
    if not values:
        return None
    return [int(np.quantile(values, q, method="higher")) for q in (0.5, 0.95, 1.0)]


def broken_promises(results: list[dict[str, Any]]) -> list[str]:
    """Return, in words, each promise that the first 20 of a scenario did not keep.

    At the promised rates a good version is promoted 20 times of 20, and one with 5 points more
    failures is found harmful at least 19 times of 20. At lower ones, where a step may run out of
    time first, it is promoted once at most: there stopped may mean undecided.
    """
    broken = []
    for row in results:
        rate, first = row["requests_per_minute"], row["first_20"]
        promoted, harm = first.get(PROMOTED, 0), first.get(HARM, 0)
        told = f"{row['scenario']}, {rate} requests a minute: of 20 "
        promised = rate in _PROMISED_RATES
        if row["scenario"] == _GOOD and promised and promoted < 20:
            broken.append(f"{told}{promoted} promoted")
        if row["scenario"] == _FIVE_POINTS and promised and harm < 19:
            broken.append(f"{told}{harm} found harmful")
        if row["scenario"] == _FIVE_POINTS and promoted > 1:
            broken.append(f"{told}{promoted} promoted")
    return broken


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table(title=f"Canaries through the judge, seed {SEED}")
    table.add_column("candidate")
    for name in (
        "rpm", "promoted", "harm", "undecided", "first 20: promoted / harm",
        "minutes", "served", "failed before the stop",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for row in results:
        first = row["first_20"]
        cells = [_told(row[name]) for name in ("minutes", "served", "failed_before_stop")]
        table.add_row(
            row["scenario"],
            str(row["requests_per_minute"]),
            *(f"{row[name] / row['runs']:.1%}" for name in (PROMOTED, HARM, UNDECIDED)),
            f"{first.get(PROMOTED, 0)} / {first.get(HARM, 0)}",
            *cells,
        )
    return table


def _looks_table(looks: Mapping[int, Mapping[str, list[float]]]) -> Table:
    table = Table(title="Good versions stopped until a look")
    for name in ("rpm", "look", "judge", "Fisher p < 0.05: failures", "of three metrics"):
        table.add_column(name, justify="right")
    for rate, shares in looks.items():
        for look in (10, 30, LOOKS):
            row = (f"{share[look - 1]:.1%}" for share in shares.values())
            table.add_row(str(rate), str(look), *row)
    return table


def _told(quantiles: list[int] | None) -> str:
    return "" if quantiles is None else " / ".join(map(str, quantiles))


def main() -> None:
    """Simulate every scenario at every rate; print, write JSON and SVG, and hold the promises."""
    parser = argparse.ArgumentParser(description="How often the canary's judge is right.")
    parser.add_argument("--runs", type=int, default=1000, help="canaries per scenario and rate")
    parser.add_argument("--results", type=Path, default=_RESULTS)
    asked = parser.parse_args()
    tasks = [(i, rate, asked.runs) for i, rate in product(range(len(SCENARIOS)), _RATES)]
    plan = plan_of_credit()
    with ProcessPoolExecutor(max_workers=2) as pool:
        waited = {
            rate: pool.submit(stopped_by_look, plan, rate, asked.runs, SEED) for rate in _RATES
        }
        results = list(pool.map(_simulate, tasks))
        looks = {rate: future.result() for rate, future in waited.items()}
    console = Console(width=170)
    console.print(_table(results), "minutes, served, failed: median / 95 % / largest")
    console.print(_looks_table(looks))
    costs = {
        row["requests_per_minute"]: row["failed_of_each"]
        for row in results
        if row["scenario"] == _FIVE_POINTS
    }
    for row in results:
        del row["failed_of_each"]
    until = {
        rate: {name: shares[9::10] for name, shares in of.items()} for rate, of in looks.items()
    }
    report = {"seed": SEED, "plan": plan, "results": results, "good_stopped_by_10_looks": until}
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "canary_simulation.json").write_text(json.dumps(report, indent=1) + "\n")
    picture = drawn(looks[_DRAWN_RATE], _DRAWN_RATE, costs)
    (asked.results / "canary_simulation.svg").write_text(picture)
    broken = broken_promises(results)
    console.print("\n".join(broken) or "promises kept")
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
