"""Write a model package: everything in memory first, the manifest last."""

import io
import json
import pickle
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib

from boringml.errors import BoringError
from boringml.package import layout, manifest
from container.trainer.job import Job

LIBRARIES = (
    "joblib",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "skl2onnx",
)


def libraries() -> dict[str, str]:
    """Return name -> version of every library that has a part in the result."""
    return {name: version(name) for name in LIBRARIES}


def dump_pipeline(pipeline: Any) -> bytes:
    """Return the content of model.joblib. Raises BoringError `model_not_portable`."""
    stream = io.BytesIO()
    try:
        joblib.dump(pipeline, stream)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise BoringError(
            "model_not_portable",
            f"The pipeline cannot be stored: {error}. Build it from scikit-learn's own parts: "
            "functions and classes of train.py do not exist where the model is loaded.",
            status=422,
        ) from error
    return stream.getvalue()


def document(value: Any) -> bytes:
    """Return a JSON file for people: indented, in the given order, no NaN."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_package(
    target: Path, files: dict[str, bytes], job: Job, runtime: str, data: dict[str, Any]
) -> str:
    """Write the files and their manifest, which the platform will complete with the job's facts.

    The manifest comes last: a job that is stopped half-way leaves a package that nobody accepts.
    Returns the digest of the manifest as written.
    """
    listing = manifest.build_manifest(
        model=job.model,
        runtime=runtime,
        contract_version=job.contract["version"],
        files={name: manifest.measure(content) for name, content in files.items()},
        libraries=libraries(),
        python=platform.python_version(),
        git_commit=job.git_commit,
        data=data,
        seed=job.seed,
        parameters=job.parameters,
    )
    target.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (target / name).write_bytes(content)
    (target / layout.MANIFEST).write_bytes(manifest.canonical(listing))
    return manifest.package_digest(listing)
