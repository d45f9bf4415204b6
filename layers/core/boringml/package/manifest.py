"""The manifest: sha256 of every file of a model package, and where the model came from.

Its own digest names the package: the registry and the serving function hold that digest, so one
changed byte in any file, or in the manifest itself, is found before the file is used.
Standard library only: serving imports this at start-up, before it loads the model.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from boringml.errors import BoringError
from boringml.package import layout

if TYPE_CHECKING:
    # The online start reads no files of a disk, and pathlib takes 3 ms of it.
    from pathlib import Path

FORMAT = 1

Manifest: TypeAlias = dict[str, Any]
FileEntry: TypeAlias = dict[str, Any]

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REQUIRED = (
    "format",
    "model",
    "runtime",
    "contract_version",
    "files",
    "libraries",
    "python",
    "git_commit",
    "data",
    "seed",
    "parameters",
)


def measure(content: bytes) -> FileEntry:
    """Return {"sha256": hex, "bytes": length} of a file's content."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def measure_file(path: "Path") -> FileEntry:
    """Return what `measure` returns, reading the file in blocks. Raises OSError."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return {"sha256": digest.hexdigest(), "bytes": stream.tell()}


def measure_directory(directory: "Path") -> dict[str, FileEntry]:
    """Return name -> entry of each file of a package but the manifest. Raises OSError."""
    return {
        path.name: measure_file(path)
        for path in sorted(directory.iterdir())
        if path.is_file() and path.name != layout.MANIFEST
    }


def build_manifest(
    *,
    model: str,
    runtime: str,
    contract_version: str,
    files: Mapping[str, FileEntry],
    libraries: Mapping[str, str],
    python: str,
    git_commit: str,
    data: Mapping[str, Any],
    seed: int,
    parameters: Mapping[str, str | int | float],
) -> Manifest:
    """Return the manifest of a package that training wrote, still without the job's facts.

    Raises BoringError `package_incomplete` when a file that the runtime needs is not there.
    """
    manifest: Manifest = {
        "format": FORMAT,
        "model": model,
        "runtime": runtime,
        "contract_version": contract_version,
        "files": {name: dict(files[name]) for name in sorted(files)},
        "libraries": dict(libraries),
        "python": python,
        "git_commit": git_commit,
        "data": dict(data),
        "seed": seed,
        "parameters": dict(parameters),
    }
    _check_shape(manifest)
    return manifest


def with_training(manifest: Manifest, training: Mapping[str, Any]) -> Manifest:
    """Return a copy that also tells the job: name, ARN, image, instance, seconds, cost.

    Only the platform knows these, after the job has ended, so the container cannot write them.
    """
    return {**manifest, "training": dict(training)}


def canonical(manifest: Manifest) -> bytes:
    """Return the one byte form of a manifest: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(
        manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def package_digest(manifest: Manifest) -> str:
    """Return "sha256:<hex>" of the canonical bytes: the identity of the whole package."""
    return "sha256:" + hashlib.sha256(canonical(manifest)).hexdigest()


def read_manifest(content: bytes, expected_digest: str | None = None) -> Manifest:
    """Return the manifest in `content`, proved to be the expected one where a digest is given.

    Raises BoringError `package_incomplete` when it is no manifest of this format,
    `digest_mismatch` when it is not the one that was registered.
    """
    try:
        manifest = json.loads(content)
    except ValueError as error:
        raise _incomplete(f"{layout.MANIFEST} is not JSON: {error}.") from error
    _check_shape(manifest)
    if expected_digest is not None and package_digest(manifest) != expected_digest:
        raise _mismatch(layout.MANIFEST, expected_digest, package_digest(manifest))
    return dict(manifest)


def verify_file(manifest: Manifest, name: str, content: bytes) -> None:
    """Prove one file. Raises BoringError `package_incomplete` or `digest_mismatch`."""
    _verify_entry(manifest, name, measure(content))


def verify(manifest: Manifest, files: Mapping[str, FileEntry]) -> None:
    """Prove a whole package: each listed file is there and unchanged, and nothing is unlisted.

    `files` is what `measure_directory` found. Raises BoringError `package_incomplete` or
    `digest_mismatch`.
    """
    unlisted = sorted(set(files) - set(manifest["files"]))
    if unlisted:
        raise _mismatch(unlisted[0], "not in the manifest", "present")
    for name in manifest["files"]:
        if name not in files:
            raise _incomplete(f"{name} is listed in the manifest but is not in the package.", name)
        _verify_entry(manifest, name, files[name])


def _verify_entry(manifest: Manifest, name: str, found: FileEntry) -> None:
    listed = manifest["files"].get(name)
    if listed is None:
        raise _incomplete(f"{name} is not listed in the manifest.", name)
    if found["sha256"] != listed["sha256"]:
        raise _mismatch(name, listed["sha256"], found["sha256"])


def _check_shape(manifest: Any) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _incomplete(f"{layout.MANIFEST} is not of format {FORMAT}.")
    missing = [key for key in _REQUIRED if key not in manifest]
    if missing:
        raise _incomplete(f"{layout.MANIFEST} lacks {', '.join(missing)}.")
    if manifest["runtime"] not in layout.RUNTIMES:
        raise _incomplete(f"{layout.MANIFEST} names the unknown runtime {manifest['runtime']!r}.")
    if not isinstance(manifest["files"], dict):
        raise _incomplete(f"{layout.MANIFEST} lists no files.")
    for name in manifest["files"]:
        # Names become paths and object keys: one that climbs out of the package is an attack.
        if not _FILE_NAME.fullmatch(name) or name == layout.MANIFEST:
            raise _incomplete(f"{layout.MANIFEST} lists {name!r}, which is no plain file name.")
    for name in layout.required_files(manifest["runtime"]):
        entry = manifest["files"].get(name)
        if not isinstance(entry, dict) or not {"sha256", "bytes"} <= entry.keys():
            raise _incomplete(f"{layout.MANIFEST} has no sha256 and bytes of {name}.", name)


def _incomplete(problem: str, file: str | None = None) -> BoringError:
    message = f"{problem} Train again: a package is never mended by hand."
    return BoringError(
        "package_incomplete", message, status=502, **({"file": file} if file else {})
    )


def _mismatch(file: str, expected: str, found: str) -> BoringError:
    return BoringError(
        "digest_mismatch",
        f"{file} is not what was packaged: expected {expected}, found {found}. "
        "Do not use this package; restore the object's earlier S3 version or train again.",
        status=502,
        file=file,
    )
