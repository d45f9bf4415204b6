"""From a job's model.tar.gz to an immutable, proved model package."""

import tarfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.manifest import (
    canonical,
    measure,
    package_digest,
    read_manifest,
    verify,
    with_training,
)

if TYPE_CHECKING:
    from boringml.adapters.object_store import ObjectStore

# A package is a handful of files; more, or larger, is not what the container wrote.
MAX_FILES = 20
MAX_BYTES = 250 * 1024 * 1024


def package_model(
    packages: "ObjectStore", artefact_key: str, prefix: str, job: Mapping[str, Any]
) -> dict[str, Any]:
    """Unpack a training job's artefact under `prefix` and return what to register.

    Each file is checked against the manifest, which then gets the job's facts and is written
    last: a package without one is no package. The same job gives the same bytes, so a retry
    changes nothing. Raises BoringError `package_incomplete` or `digest_mismatch`.
    """
    try:
        files = _unpack(packages, artefact_key)
    except (tarfile.TarError, EOFError, OSError) as error:
        told = f"{artefact_key} is no model.tar.gz: {error}"
        raise BoringError("package_incomplete", told, 422) from error
    manifest = read_manifest(files.pop(layout.MANIFEST, b""))
    verify(manifest, {name: measure(content) for name, content in files.items()})
    complete = with_training(manifest, job)
    for name, content in sorted(files.items()):
        packages.write(f"{prefix}{name}", content)
    packages.write(f"{prefix}{layout.MANIFEST}", canonical(complete))
    return {
        "package_uri": f"s3://{packages.bucket}/{prefix}",
        "package_digest": package_digest(complete),
        "manifest": complete,
    }


def _unpack(packages: "ObjectStore", key: str) -> dict[str, bytes]:
    """Read the archive as a stream; names are taken only when they are plain file names."""
    files: dict[str, bytes] = {}
    total = 0
    with tarfile.open(fileobj=packages.open(key), mode="r|gz") as archive:
        for member in archive:
            if member.isdir():
                continue
            name = member.name.removeprefix("./")
            total += member.size
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is None or "/" in name or len(files) >= MAX_FILES or total > MAX_BYTES:
                raise BoringError("package_incomplete", f"{key}: {member.name} may not be.", 422)
            files[name] = stream.read()
    return files
