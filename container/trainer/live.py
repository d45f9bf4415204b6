"""The live model, to be judged on the same holdout as the new one."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from boringml.contract.features import Features, features_of
from boringml.errors import BoringError
from boringml.package import layout, manifest
from container.trainer.evaluate import metrics
from container.trainer.job import Job
from container.trainer.rows import Rows
from container.trainer.score import OnnxScorer, PipelineScorer, Scorer


@dataclass(frozen=True)
class LiveModel:
    """A proved package of the version that serves now."""

    features: Features
    holdout_share: float
    scorer: Scorer


def load_live(channel: Path, job: Job) -> LiveModel | None:
    """Return the model in the channel `live`; None where the job has no such channel.

    The whole package is proved before any of it is loaded: model.joblib is a pickle, which runs
    code. A version that serves as ONNX is judged as ONNX, so nothing is unpickled at all.
    Raises BoringError `package_incomplete`, `digest_mismatch` or `live_wrong_model`.
    """
    if not channel.is_dir():
        return None
    # Read once, so that what was proved is what is loaded.
    files = {path.name: path.read_bytes() for path in channel.iterdir() if path.is_file()}
    listing = manifest.read_manifest(files.pop(layout.MANIFEST, b""), job.live_digest)
    manifest.verify(listing, {name: manifest.measure(content) for name, content in files.items()})
    if listing["model"] != job.model:
        raise BoringError(
            "live_wrong_model",
            f"The channel `live` holds {listing['model']!r}, and the job trains {job.model!r}.",
            status=422,
        )
    features = features_of(json.loads(files[layout.CONTRACT]))
    if listing["runtime"] == layout.RUNTIME_ONNX:
        scorer: Scorer = OnnxScorer(files[layout.ONNX_MODEL], features)
    else:
        scorer = PipelineScorer(joblib.load(io.BytesIO(files[layout.JOBLIB_MODEL])))
    return LiveModel(features, float(listing["data"].get("holdout_share", 0.0)), scorer)


def evaluate_live(live: LiveModel | None, job: Job, holdout: Rows) -> dict[str, Any] | None:
    """Return {"model_version", "metrics", "same_holdout", "reason"} of the live model, or None.

    `same_holdout` is False when the live version may have learned from some of these rows (its
    contract has other features, or it held out fewer rows): the comparison then favours it.
    `metrics` is None, and `reason` says why, when the data lack a feature that it needs.
    """
    if live is None:
        return None
    version = job.live_model_version
    missing = sorted(set(live.features.names) - set(holdout.frame.columns))
    if missing:
        reason = {
            "code": "live_not_comparable",
            "message": f"The live version needs {missing}, which the contract no longer has.",
        }
        return {"model_version": version, "metrics": None, "same_holdout": False, "reason": reason}
    scores = live.scorer(holdout.frame[list(live.features.names)])
    same_features = set(live.features.names) == set(holdout.frame.columns)
    return {
        "model_version": version,
        "metrics": metrics(holdout.labels, scores, job.threshold),
        "same_holdout": same_features and live.holdout_share >= job.holdout_share,
        "reason": None,
    }
