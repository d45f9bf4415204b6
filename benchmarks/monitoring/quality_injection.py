"""What a look at quality tells of a model whose AUC fell by 5 points, and when, with late labels.

`python -m benchmarks.monitoring.quality_injection` (make quality-proof) trains real models on real
rows, and lets rows that training never saw be predicted and labelled a week later:

- a story of one fall, hour by hour, through the code that is deployed (quality_story.py);
- 40 falls for each model and traffic: how many are told, how many days after;
- 200 windows of a good model, each with a holdout of its own, looked at hourly: false alarms.

Writes benchmarks/results/quality_injection.json and .svg, and exits 1 where a promise is broken.
"""

import argparse
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.monitoring.quality_plot import drawn
from benchmarks.monitoring.quality_story import dumped, told
from benchmarks.monitoring.quality_stream import LATE_DAYS, Stream
from benchmarks.monitoring.quality_world import Pool, pool_of
from boringml.adapters import declarations
from boringml.monitoring.quality import BEFORE, HOLDOUT
from boringml.monitoring.quality_settings import QualitySettings

RESULTS = Path(__file__).resolve().parents[1] / "results"
FALL_AT = 25
# By then, a fall and its days before lie within the horizon no more.
GIVE_UP_DAYS = 30
# Predictions a day, of which one in four (churn) or one in twenty (credit) is positive.
TRAFFIC = {"churn": (300, 1000, 5000), "credit": (1000, 5000)}
HEALTHY = {"churn": 1000, "credit": 1000}
STORY = ("churn", 1000)


def fall(pool: Pool, per_day: int, seed: int) -> dict[str, Any]:
    """Return when a fall was told, in days after it, and by which comparison; None if never."""
    random = np.random.default_rng([seed, per_day])
    settings = QualitySettings.of(declarations.declaration(pool.model))
    days = FALL_AT + GIVE_UP_DAYS
    stream = Stream(pool, days, per_day, random, broken_from=FALL_AT)
    early = 0
    # Hourly from when there are days before to compare with: a false alarm is found, too.
    first = (2 * settings.window_days + LATE_DAYS + 1) * 24
    for verdict in stream.looks(range(first, days * 24), settings, pool.holdout):
        if verdict.fell() and verdict.hour < (FALL_AT + LATE_DAYS) * 24:
            early += 1
        elif verdict.fell():
            by = next(one.against for one in verdict.compared if one.fell)
            return {"days": verdict.hour / 24 - FALL_AT, "by": by, "early": early}
    return {"days": None, "by": None, "early": early}


def healthy(pool: Pool, per_day: int, seed: int) -> dict[str, bool]:
    """Return whether hourly looks at one window's time of a good model told a fall, and how."""
    random = np.random.default_rng([seed, per_day, 1])
    settings = QualitySettings.of(declarations.declaration(pool.model))
    # The window, the days before it and the wait for labels go before; then a week of looks.
    before = settings.horizon_days + 1
    stream = Stream(pool, before + settings.window_days, per_day, random)
    holdout = pool.drawn_holdout(random)
    looks = range(before * 24, (before + settings.window_days) * 24)
    found = {"any": False, HOLDOUT: False, BEFORE: False, "plain": False, "evaluated": True}
    for verdict in stream.looks(looks, settings, holdout):
        found["any"] |= verdict.fell()
        found["plain"] |= verdict.plain
        found["evaluated"] &= len(verdict.compared) == 2
        for against in (HOLDOUT, BEFORE):
            found[against] |= verdict.fell(against)
    return found


def falls(pool: Pool, per_day: int, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what became of many falls of one model at one traffic."""
    after = sorted(one["days"] for one in found if one["days"] is not None)
    return {
        "model": pool.model,
        "per_day": per_day,
        "falls": len(found),
        "told": len(after),
        "days_after_the_fall": {
            "median": statistics.median(after) if after else None,
            "first": after[0] if after else None,
            "last": after[-1] if after else None,
        },
        "by_holdout": sum(one["by"] == HOLDOUT for one in found),
        "by_days_before": sum(one["by"] == BEFORE for one in found),
        "worlds_with_an_alarm_before_the_fall": sum(one["early"] > 0 for one in found),
        "all_days": [round(day, 2) for day in after],
    }


def quiet(pool: Pool, per_day: int, found: list[dict[str, bool]]) -> dict[str, Any]:
    """Return the false alarms of many windows of one good model."""
    return {
        "model": pool.model,
        "per_day": per_day,
        "windows": len(found),
        "looks": 24 * 7 * len(found),
        "not_evaluated": sum(not one["evaluated"] for one in found),
        "windows_with_a_false_alarm": sum(one["any"] for one in found),
        "by_holdout": sum(one[HOLDOUT] for one in found),
        "by_days_before": sum(one[BEFORE] for one in found),
        "by_a_plain_95_percent_interval_against_the_holdout": sum(one["plain"] for one in found),
    }


def broken_promises(report: dict[str, Any]) -> list[str]:
    """Return, in words, each promise that was not kept."""
    broken = []
    story = report["story"]
    if story["counted_by_hand"]["used"] != story["labels"]["used"]:
        broken.append(f"labels were counted otherwise than by hand: {story['counted_by_hand']}")
    if story["events"] != 1:
        broken.append(f"the fall was told {story['events']} times")
    if any(day["status"] == "raised" for day in story["days"][:-1]):
        broken.append("a fall was told before it was")
    for row in report["healthy"]:
        # 5 in 100 are allowed; of 200, up to 18 happen to be (99.9 %).
        if row["windows_with_a_false_alarm"] > 0.09 * row["windows"] or row["not_evaluated"]:
            broken.append(f"false alarms: {row}")
    for row in report["falls"]:
        if row["per_day"] == TRAFFIC[row["model"]][-1] and row["told"] < 0.95 * row["falls"]:
            broken.append(f"falls were not told at the largest traffic: {row}")
    return broken


def pools(folder: Path) -> dict[str, Pool]:
    """Return the pools of all models that are shown."""
    return {model: pool_of(model, folder / model) for model in TRAFFIC}


def shown(report: dict[str, Any]) -> list[Table]:
    """Return tables of the results."""
    one = Table(title="Falls by 5 points, labels 7 to 8 days late, hourly looks")
    for name in ("model", "a day", "told", "days after: first / median / last", "by holdout"):
        one.add_column(name)
    for row in report["falls"]:
        days = row["days_after_the_fall"]
        told_days = " / ".join("" if day is None else f"{day:.1f}" for day in (
            days["first"], days["median"], days["last"]
        ))  # fmt: skip
        told_of = f"{row['told']} of {row['falls']}"
        one.add_row(row["model"], str(row["per_day"]), told_of, told_days, str(row["by_holdout"]))
    two = Table(title="Windows of a good model, 168 looks each")
    for name in ("model", "a day", "windows", "false alarms", "by a plain 95 % interval"):
        two.add_column(name)
    for row in report["healthy"]:
        cells = [row["windows"], row["windows_with_a_false_alarm"]]
        plain = row["by_a_plain_95_percent_interval_against_the_holdout"]
        two.add_row(row["model"], *(str(cell) for cell in (row["per_day"], *cells, plain)))
    return [one, two]


def main() -> None:
    """Run all of it; print, write JSON and SVG, and hold the promises."""
    parser = argparse.ArgumentParser(description="What is told of a fall, and when.")
    parser.add_argument("--falls", type=int, default=40, help="for each model and traffic")
    parser.add_argument("--windows", type=int, default=200, help="of a good model")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = pools(Path(folder))
    report: dict[str, Any] = {"models": {}, "falls": [], "healthy": []}
    for model, pool in found.items():
        report["models"][model] = {
            "trained_without": len(pool.labels),
            "positive_share": float(pool.labels.mean()),
            "holdout_rows": pool.holdout_rows,
            "holdout_roc_auc": pool.holdout.metrics["roc_auc"],
            "roc_auc_of_the_stream": pool.auc(),
            "roc_auc_of_the_broken_stream": pool.auc(pool.share),
            "share_of_rows_with_features_of_another": pool.share,
            "these_features": pool.features,
            "settings": vars(QualitySettings.of(declarations.declaration(model))),
        }
    model, per_day = STORY
    declaration = {**declarations.declaration(model), "patterns": ["online"]}
    with ProcessPoolExecutor(max_workers=2) as workers:
        story = workers.submit(told, found[model], declaration, per_day, FALL_AT)
        for name, pool in found.items():
            for traffic in TRAFFIC[name]:
                seeds = range(asked.falls)
                many = list(workers.map(partial(fall, pool, traffic), seeds))
                report["falls"].append(falls(pool, traffic, many))
            windows = list(workers.map(partial(healthy, pool, HEALTHY[name]), range(asked.windows)))
            report["healthy"].append(quiet(pool, HEALTHY[name], windows))
        report["story"] = story.result()
    console = Console(width=150)
    console.print(*shown(report))
    console.print(report["story"]["says"])
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "quality_injection.json").write_text(dumped(report))
    (asked.results / "quality_injection.svg").write_text(drawn(report))
    broken = broken_promises(report)
    console.print("\n".join(broken) or "promises kept")
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
