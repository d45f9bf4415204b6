"""The model's own part: models/<name>/train.py."""

import hashlib
import runpy
from pathlib import Path

from sklearn.pipeline import Pipeline

from boringml.contract.features import Features
from boringml.errors import BoringError
from container.trainer.job import Job


def build_pipeline(job: Job, features: Features) -> Pipeline:
    """Return the pipeline that train.py builds, not fitted. Raises BoringError `recipe_invalid`."""
    path = recipe_path(job)
    if not path.is_file():
        raise _invalid(path, "it is not in the image")
    # run_path keeps the module out of sys.modules: what it defines cannot be pickled by reference,
    # so a package that would need train.py to load is found out at packaging, not in serving.
    build = runpy.run_path(str(path)).get("build_pipeline")
    if build is None:
        raise _invalid(path, "it has no function build_pipeline(features, parameters, seed)")
    pipeline = build(features, dict(job.parameters), job.seed)
    if not isinstance(pipeline, Pipeline) or not hasattr(pipeline, "predict_proba"):
        raise _invalid(path, "build_pipeline must return a scikit-learn Pipeline of a classifier")
    return pipeline


def recipe_digest(job: Job) -> str:
    """Return the sha256 of train.py, as hexadecimal text."""
    return hashlib.sha256(recipe_path(job).read_bytes()).hexdigest()


def recipe_path(job: Job) -> Path:
    """Where the model's train.py lies."""
    return job.folder / "train.py"


def _invalid(path: Path, problem: str) -> BoringError:
    name = f"models/{path.parent.name}/train.py"
    return BoringError("recipe_invalid", f"{name}: {problem}.", status=422)
