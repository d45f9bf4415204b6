"""Virtual environments of what is compared, each from a locked file, kept below .local/bench."""

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".local" / "bench"


def python_of(name: str, *requirements: Path) -> Path:
    """Return the interpreter of an environment that has these packages and no others.

    It is made anew when a file has changed. Raises CalledProcessError where that fails.
    """
    folder = HOME / "environments" / name
    python, stamp = folder / "bin" / "python", folder / "made-from"
    content = b"".join(path.read_bytes() for path in requirements)
    digest = hashlib.sha256(content + sys.version.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"environment {name}: {', '.join(path.name for path in requirements)}", flush=True)
        subprocess.run(
            [sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True
        )
        uv = ROOT / ".venvs" / "boot" / "bin" / "uv"
        install = [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode"]
        subprocess.run([*install, "--python", python, *requirements], check=True)
        stamp.write_text(digest)
    return python
