"""The unpacked code and layers of functions: unpacked once, shared by all their environments.

MiniStack unpacks a function and its layers again for every process, which costs seconds for a
layer of 130 MB. On AWS, too, /var/task and /opt are read-only and shared.
"""

import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path

# What holds machine code of one operating system.
NATIVE_SUFFIXES = (".so", ".dylib", ".pyd")


class UnsafeArchiveError(RuntimeError):
    """An archive has an entry that would land outside of its folder."""


def unpack(archive: bytes, folder: Path, *, without_native: bool = False) -> Path:
    """Return a folder below `folder` with what a zip holds, unpacked at the first call only.

    `without_native` leaves out each top-level Python package that holds machine code: a layer
    built for Linux cannot load on another system. Raises UnsafeArchiveError, or BadZipFile.
    """
    digest = hashlib.sha256(archive).hexdigest()[:32]
    target = folder / (f"{digest}-portable" if without_native else digest)
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder) as stored:
        stored.write(archive)
        stored.flush()
        unpacked = Path(tempfile.mkdtemp(dir=folder))
        with zipfile.ZipFile(stored.name) as entries:
            names = entries.namelist()
            dropped = native_packages(names) if without_native else set()
            for name in names:
                if not (unpacked / name).resolve().is_relative_to(unpacked.resolve()):
                    raise UnsafeArchiveError(f"zip entry escapes its folder: {name}")
                if not belongs_to(name, dropped):
                    entries.extract(name, unpacked)
    try:
        unpacked.rename(target)
    except OSError:
        # Another thread was first.
        shutil.rmtree(unpacked, ignore_errors=True)
    return target


def native_packages(names: list[str]) -> set[str]:
    """Return the packages (`python/numpy`, or `numpy` in a function) that hold machine code.

    The libraries that a wheel keeps beside its package, in `<name>.libs`, count as its own.
    """
    found = set()
    for name in names:
        parts = name.split("/")
        depth = 2 if parts[0] == "python" else 1
        if any(suffix in parts[-1] for suffix in NATIVE_SUFFIXES) and len(parts) > depth:
            found.add("/".join(parts[:depth]).removesuffix(".libs"))
    return found


def belongs_to(name: str, packages: set[str]) -> bool:
    """Return whether a zip entry is part of one of `packages`."""
    return any(name.startswith((f"{package}/", f"{package}.libs/")) for package in packages)
