"""What a package says of its model: baseline, golden examples and the model card."""

from typing import Any

import pandas as pd

from boringml.contract.features import Features
from boringml.monitoring.baseline import categorical_baseline, numeric_baseline, text_baseline
from container.trainer.job import Job
from container.trainer.rows import Rows
from container.trainer.score import Scorer, Scores

# Serving answers with the exported model, golden values come from model.joblib: the tolerance is
# that of the parity gate.
GOLDEN_TOLERANCE = 1e-6


def baseline(
    job: Job, learned: Rows, holdout: Rows, holdout_scores: Scores, features: Features
) -> Any:
    """Return the statistics that drift is measured against.

    Features are those of the rows that the model learned from; scores are those of the holdout,
    since a model is too sure of rows that it has seen.
    """
    numeric = {name: numeric_baseline(learned.frame[name].tolist()) for name in features.numeric}
    categorical = {
        name: categorical_baseline(learned.frame[name].tolist(), features.categories[name])
        for name in features.categorical
    }
    text = {name: text_baseline(learned.frame[name].tolist()) for name in features.text}
    decision = job.contract["decision"]
    labels = [
        decision["positive" if score >= job.threshold else "negative"] for score in holdout_scores
    ]
    return {
        "rows": len(learned),
        "positive_share": learned.positive_share,
        "features": numeric | categorical | text,
        "probability": {"rows": len(holdout), **numeric_baseline(holdout_scores.tolist())},
        "prediction": categorical_baseline(labels, [decision["negative"], decision["positive"]]),
    }


def golden(job: Job, features: Features, reference: Scorer) -> list[dict[str, Any]]:
    """Return the contract's examples with the answers that model.joblib gives."""
    examples = job.contract["examples"]
    scores = reference(frame_of_records([example["record"] for example in examples], features))
    decision = job.contract["decision"]
    return [
        {
            "name": example["name"],
            "record": example["record"],
            "probability": float(score),
            "prediction": decision["positive" if score >= job.threshold else "negative"],
            "tolerance": GOLDEN_TOLERANCE,
        }
        for example, score in zip(examples, scores, strict=True)
    ]


def frame_of_records(records: list[dict[str, Any]], features: Features) -> pd.DataFrame:
    """Return the frame of records that meet the contract; missing is NaN or ""."""
    numeric = {n: pd.Series([r.get(n) for r in records], dtype="float64") for n in features.numeric}
    strings = {
        n: pd.Series([r.get(n) or "" for r in records], dtype=object)
        for n in (*features.categorical, *features.text)
    }
    return pd.DataFrame(numeric | strings)


def card(job: Job, evaluation: dict[str, Any], data: dict[str, Any]) -> str:
    """Return card.md: what the model is for, what it learned from, how good it is."""
    about, decision = job.declaration, job.contract["decision"]
    found, parity = evaluation["metrics"], evaluation["parity"]
    live = evaluation["live"]
    lines = [
        f"# {about['name']}",
        "",
        about["description"],
        "",
        f"Owner: {about['owner']}. Cost centre: {about['cost_centre']}. "
        f"Contract: {job.contract['version']}. Commit: {job.git_commit}.",
        "",
        "## Use",
        "",
        f"Answers `{decision['positive']}` when the probability is at least "
        f"{decision['threshold']}, else `{decision['negative']}`. "
        "Inputs, bounds and categories: contract.json. "
        f"Sensitive inputs: {_list(job.contract.get('sensitive', []))}.",
        "",
        "## Data",
        "",
        f"{data['rows']} rows, {evaluation['positive_share']:.2%} of them "
        f"`{decision['positive']}`, digest `{data['digest']}`. "
        f"{evaluation['holdout_rows']} rows were held out by a hash of the row.",
        "",
        f"Parameters: {_list([f'{k}={v}' for k, v in job.parameters.items()])}; seed {job.seed}.",
        "",
        "## On the holdout",
        "",
        "| metric | this version | live version |",
        "|---|---|---|",
        *(_metric_row(name, value, live) for name, value in found.items()),
        "",
        "## Export",
        "",
        _parity_line(evaluation["runtime"], parity),
        "",
    ]
    return "\n".join(lines)


def _metric_row(name: str, value: float, live: dict[str, Any] | None) -> str:
    other = f"{live['metrics'][name]:.4f}" if live and live["metrics"] else "none"
    return f"| {name} | {value:.4f} | {other} |"


def _parity_line(runtime: str, parity: dict[str, Any]) -> str:
    if parity["max_difference"] is None:
        return f"Runtime `{runtime}`: {parity['reason']['message']}"
    return (
        f"Runtime `{runtime}`. Over {parity['rows']} real rows model.onnx differs from "
        f"model.joblib by at most {parity['max_difference']:.1e}, "
        f"with {parity['flipped_labels']} flipped labels."
    )


def _list(items: list[str]) -> str:
    return ", ".join(f"`{item}`" for item in items) or "none"
