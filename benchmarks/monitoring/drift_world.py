"""Real loans: a baseline as training writes it, and held-out rows with drift put into them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from boringml.adapters import declarations
from boringml.contract.contract import Contract
from boringml.contract.features import Features
from boringml.monitoring.baseline import categorical_baseline, numeric_baseline
from boringml.monitoring.window import Rows
from container.trainer.describe import baseline
from container.trainer.fit import fit
from container.trainer.job import Job
from container.trainer.recipe import build_pipeline
from container.trainer.rows import rows_of
from container.trainer.score import PipelineScorer, Scorer
from local.datasets import credit

MOVED = "int_rate"
# Not among the key features: judged alike, and raises no look.
UNWATCHED = "revol_util"
# A category of the contract that the baseline is made to have never seen.
NEW = ("sub_grade", "D1")
NEW_SHARE = 0.02
NULL_SHARE = 0.05
OUT_SHARE = 0.02


@dataclass(frozen=True)
class Traffic:
    """Rows as the prediction log has them: columns by feature, and the model's answers."""

    columns: Mapping[str, np.ndarray[Any, Any]]
    predictions: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.predictions)

    def take(self, chosen: Any) -> Rows:
        """Return rows by their places."""
        return Rows(
            {name: column[chosen] for name, column in self.columns.items()},
            self.predictions[chosen].tolist(),
            self.probabilities[chosen].tolist(),
        )


@dataclass(frozen=True)
class World:
    """A baseline, and how its model answers rows: `frame` the held-out ones, `loans` all."""

    baseline: Mapping[str, Any]
    contract: Contract
    frame: pd.DataFrame
    loans: pd.DataFrame
    scorer: Scorer

    def traffic(self, frame: pd.DataFrame | None = None) -> Traffic:
        """Return the held-out rows, or others, with the model's answers."""
        rows = self.frame if frame is None else frame
        scores = self.scorer(rows)
        labels = np.array([self.contract.label(float(score)) for score in scores], object)
        columns = {name: rows[name].to_numpy() for name in self.contract.features.names}
        return Traffic(columns, labels, scores)


def credit_world() -> World:
    """Return credit as its training sees it: its split, its pipeline, its baseline.

    Loans of one grade are left out of it, for a window to bring them back.
    """
    document, declaration = declarations.contract("credit"), declarations.declaration("credit")
    contract = Contract.of(document)
    training = declaration["training"]
    job = Job(
        model="credit",
        folder=Path("models/credit"),
        declaration=declaration,
        contract=document,
        seed=training["seed"],
        parameters=training["parameters"],
        git_commit="unknown",
        live_model_version=None,
        live_digest=None,
    )
    loans = credit()
    loans = loans[loans[NEW[0]] != NEW[1]]
    features: Features = contract.features
    decision = document["decision"]
    table = pa.Table.from_pandas(loans, preserve_index=False)
    rows = rows_of(table, features, decision["target"], decision["positive"])
    learned, holdout = rows.split(job.holdout_share)
    scorer = PipelineScorer(fit(build_pipeline(job, features), learned, None, lambda _line: None))
    found = baseline(job, learned, holdout, scorer(holdout.frame), features)
    return World(found, contract, holdout.frame, rows.frame, scorer)


def baseline_of(contract: Contract, traffic: Traffic, chosen: Any) -> dict[str, Any]:
    """Return the baseline that rows of a traffic would be, of what a look at it watches."""
    rows = traffic.take(chosen)
    names = [name for name in contract.key_features if name not in contract.sensitive]
    features = {
        name: categorical_baseline(rows.features[name].tolist(), contract.features.categories[name])
        if name in contract.features.categories
        else numeric_baseline(rows.features[name].tolist())
        for name in names
    }
    labels = [contract.negative, contract.positive]
    return {
        "features": features,
        "probability": numeric_baseline(rows.probabilities),
        "prediction": categorical_baseline(rows.predictions, labels),
    }


Injection = Callable[[World, np.random.Generator], Traffic]


def _moved(name: str) -> Injection:
    def inject(world: World, _rng: np.random.Generator) -> Traffic:
        deviation = world.baseline["features"][name]["deviation"]
        return world.traffic(world.frame.assign(**{name: world.frame[name] + deviation / 2}))

    return inject


def _out_of_range(world: World, rng: np.random.Generator) -> Traffic:
    # Such as an amount in cents. Too few rows for the index to see, however far they are.
    changed = world.frame.copy()
    chosen = rng.random(len(changed)) < OUT_SHARE
    changed.loc[chosen, MOVED] *= 100
    return replace(world.traffic(), columns=world.traffic(changed).columns)


def _constant(world: World, _rng: np.random.Generator) -> Traffic:
    return world.traffic(world.frame.assign(**{MOVED: world.frame[MOVED].median()}))


def _appeared(world: World, rng: np.random.Generator) -> Traffic:
    changed = world.frame.copy()
    chosen = rng.random(len(changed)) < NEW_SHARE
    changed.loc[chosen, NEW[0]] = NEW[1]
    return replace(world.traffic(), columns=world.traffic(changed).columns)


def _nulls(world: World, rng: np.random.Generator) -> Traffic:
    # The contract of credit has no nulls, so its model has no answer: those of before stand.
    found = world.traffic()
    column = found.columns[MOVED].copy()
    column[rng.random(len(column)) < NULL_SHARE] = np.nan
    return replace(found, columns={**found.columns, MOVED: column})


# What is put in, and which feature has to be told.
INJECTIONS: Mapping[str, tuple[str, Injection]] = {
    "half a deviation": (MOVED, _moved(MOVED)),
    "half a deviation, unwatched": (UNWATCHED, _moved(UNWATCHED)),
    "a category appears": (NEW[0], _appeared),
    "a sensor goes constant": (MOVED, _constant),
    "nulls appear": (MOVED, _nulls),
    "values leave the range": (MOVED, _out_of_range),
}
