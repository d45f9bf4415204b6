"""The package in /opt/ml/model becomes a model, whichever runtime its manifest names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.reader import Fetch, Package
from boringml.serving.model import load_model
from container.server.servable import Servable
from container.server.settings import Settings

Loader = Callable[[Fetch, str, str, int], Servable]


def load_package(settings: Settings) -> Servable:
    """Return the model of the package, proved by MODEL_DIGEST before a byte of it is used.

    Raises BoringError `digest_mismatch`, `package_incomplete`, `package_wrong_model` or
    `runtime_not_supported`, or what the model raises at its first prediction.
    """

    def fetch(name: str) -> bytes:
        return _read(settings.package / name)

    runtime = Package(fetch, settings.model_digest).manifest["runtime"]
    loader = _LOADERS.get(runtime, load_model)
    return loader(fetch, settings.model_name, settings.model_digest, settings.model_version)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        told = f"model.tar.gz has no {path.name} at its root: pack the files of the whole package."
        raise BoringError("package_incomplete", told) from error


def _load_joblib(fetch: Fetch, name: str, digest: str, version: int) -> Any:
    # Here, so that a model of the other runtime does not wait for scikit-learn.
    from boringml.serving.joblib_model import load_joblib_model

    return load_joblib_model(fetch, name, digest, version)


_LOADERS: dict[str, Loader] = {
    layout.RUNTIME_ONNX: load_model,
    layout.RUNTIME_SKLEARN: _load_joblib,
}
