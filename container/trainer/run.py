"""One training, step by step. Imported late: see main.py."""

from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline

from boringml.contract.features import Features
from boringml.errors import BoringError
from boringml.package import layout
from container.trainer.checkpoints import checkpoints_in
from container.trainer.describe import baseline, card, golden
from container.trainer.evaluate import is_faithful, metrics, parity
from container.trainer.export import export
from container.trainer.fit import fit
from container.trainer.job import Job
from container.trainer.live import evaluate_live, load_live
from container.trainer.package import document, dump_pipeline, libraries, write_package
from container.trainer.paths import Paths
from container.trainer.recipe import build_pipeline, recipe_digest
from container.trainer.rows import Rows
from container.trainer.score import PipelineScorer, Scorer

Say = Callable[[str], None]


def train(
    paths: Paths,
    job: Job,
    features: Features,
    rows: Rows,
    data_files: list[dict[str, Any]],
    say: Say,
) -> None:
    """Fit, judge and package a model from checked rows. Raises BoringError."""
    learned, holdout = rows.split(job.holdout_share)
    _need_both_labels(learned, holdout, job)
    say(f"split: {len(learned)} rows to learn from, {len(holdout)} held out")
    live = load_live(paths.channel("live"), job)

    pipeline = _fitted(paths, job, features, learned, rows.digest, say)
    reference = PipelineScorer(pipeline)
    exported = _export(job, features, pipeline, reference, rows, say)
    serving: Scorer = exported["scorer"]
    scores = serving(holdout.frame)
    evaluation = {
        "model": job.model,
        "holdout_rows": len(holdout),
        "training_rows": len(learned),
        "data_digest": rows.digest,
        "positive_share": rows.positive_share,
        "metrics": metrics(holdout.labels, scores, job.threshold),
        "live": evaluate_live(live, job, holdout),
        "runtime": exported["runtime"],
        "parity": exported["parity"],
    }
    _say_metrics(evaluation, say)

    data = {
        "digest": rows.digest,
        "rows": len(rows),
        "holdout_share": job.holdout_share,
        "files": data_files,
    }
    files = {
        **exported["files"],
        layout.JOBLIB_MODEL: dump_pipeline(pipeline),
        layout.CONTRACT: (job.folder / "contract.json").read_bytes(),
        layout.BASELINE: document(baseline(job, learned, holdout, scores, features)),
        layout.EVALUATION: document(evaluation),
        layout.GOLDEN: document(golden(job, features, reference)),
        layout.CARD: card(job, evaluation, data).encode(),
    }
    digest = write_package(paths.model, files, job, exported["runtime"], data)
    say(f"package: {len(files)} files and the manifest, {digest}")


def _need_both_labels(learned: Rows, holdout: Rows, job: Job) -> None:
    for name, part in (("learned from", learned), ("held out", holdout)):
        if len(set(part.labels.tolist())) < 2:
            raise BoringError(
                "one_class",
                f"Of the {len(part)} rows {name}, all have one label: "
                f"give more rows of {job.contract['decision']['positive']!r}.",
                status=422,
            )


def _fitted(
    paths: Paths, job: Job, features: Features, learned: Rows, data_digest: str, say: Say
) -> Pipeline:
    checkpoints = checkpoints_in(
        paths.checkpoints,
        {
            "model": job.model,
            "data": data_digest,
            "seed": job.seed,
            "parameters": job.parameters,
            "recipe": recipe_digest(job),
            "libraries": libraries(),
        },
    )
    pipeline = fit(build_pipeline(job, features), learned, checkpoints, say)
    say(f"fit: {', '.join(f'{name}={value}' for name, value in job.parameters.items())}")
    return pipeline


def _export(
    job: Job, features: Features, pipeline: Pipeline, reference: Scorer, rows: Rows, say: Say
) -> dict[str, Any]:
    """Return what serves (`runtime`, `scorer`), the file of it if any, and the parity found."""
    gate = job.parity_gate
    try:
        content, scorer = export(pipeline, features, job.model)
    except BoringError as error:
        found = {"rows": len(rows), "max_difference": None, "flipped_labels": None}
        found |= {"rows_off": None, "reason": error.body()["error"]}
        say(f"export: runtime {layout.RUNTIME_SKLEARN}: {error.message}")
        return _sklearn(reference, found)
    found = parity(reference(rows.frame), scorer(rows.frame), job.threshold, gate["max_difference"])
    say(
        f"export: parity over {found['rows']} rows: largest difference "
        f"{found['max_difference']:.1e}, {found['flipped_labels']} flipped labels"
    )
    if not is_faithful(found, gate):
        message = f"model.onnx does not meet the parity gate {gate}, so it is left out."
        say(f"export: runtime {layout.RUNTIME_SKLEARN}: {message}")
        return _sklearn(reference, found | {"reason": {"code": "parity", "message": message}})
    return {
        "runtime": layout.RUNTIME_ONNX,
        "scorer": scorer,
        "files": {layout.ONNX_MODEL: content},
        "parity": found | {"reason": None},
    }


def _sklearn(reference: Scorer, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "runtime": layout.RUNTIME_SKLEARN,
        "scorer": reference,
        "files": {},
        "parity": found,
    }


def _say_metrics(evaluation: dict[str, Any], say: Say) -> None:
    """One line per number, `metric name=value`: what a job's MetricDefinitions match."""
    for name, value in evaluation["metrics"].items():
        say(f"metric {name}={value:.6f}")
    live = evaluation["live"]
    for name, value in ((live and live["metrics"]) or {}).items():
        say(f"metric live_{name}={value:.6f}")
    if evaluation["parity"]["max_difference"] is not None:
        say(f"metric parity_max_difference={evaluation['parity']['max_difference']:.3e}")
