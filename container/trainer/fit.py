"""Fit a pipeline, in stages where the job keeps checkpoints and the estimator allows it."""

from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline

from container.trainer.checkpoints import Checkpoints
from container.trainer.rows import Rows

# Ten stages: an interruption costs at most a tenth of the fit.
STAGES = 10


def fit(
    pipeline: Pipeline, rows: Rows, checkpoints: Checkpoints | None, say: Callable[[str], None]
) -> Pipeline:
    """Return the pipeline fitted on `rows`.

    The result is the same to the bit with checkpoints, without, and after an interruption:
    scikit-learn's warm start goes on with the same random numbers (a test holds it).
    """
    if checkpoints is None or not _grows(pipeline.steps[-1][1]):
        return pipeline.fit(rows.frame, rows.labels)
    *before, (name, estimator) = pipeline.steps
    inputs = pipeline[:-1].fit_transform(rows.frame, rows.labels) if before else rows.frame
    pipeline.steps[-1] = (name, _fit_in_stages(estimator, inputs, rows.labels, checkpoints, say))
    return pipeline


def _fit_in_stages(
    estimator: Any, inputs: Any, labels: Any, checkpoints: Checkpoints, say: Callable[[str], None]
) -> Any:
    total, warm_start = estimator.n_estimators, estimator.warm_start
    stored = checkpoints.newest()
    done = 0 if stored is None else stored.n_estimators
    if stored is not None:
        estimator = stored
        say(f"fit: resumed at {done} of {total} estimators")
    step = max(1, total // STAGES)
    while done < total:
        done = min(done + step, total)
        estimator.set_params(n_estimators=done, warm_start=True)
        estimator.fit(inputs, labels)
        checkpoints.save(estimator, done)
        say(f"fit: checkpoint at {done} of {total} estimators")
    return estimator.set_params(warm_start=warm_start)


def _grows(estimator: Any) -> bool:
    """Whether more estimators can be added to a fitted one. Early stopping looks at the whole."""
    parameters = estimator.get_params(deep=False)
    return {"n_estimators", "warm_start"} <= set(parameters) and (
        parameters.get("n_iter_no_change") is None
    )
