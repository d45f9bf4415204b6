"""Libraries with machine code, on a host that cannot load those of Lambda.

The layers hold libraries for Linux. On another system the local AWS leaves them out of a layer
(local/aws/functions/packages.py) and puts this folder on the function's search path instead: the
same pinned packages, built for the host.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from local.paths import FUNCTIONS_PYTHON, ROOT, UV

# Every requirements file of a layer or function that may hold such libraries.
REQUIREMENTS = ("layers/*/requirements.txt", "functions/*/*/requirements.txt")


def folder(home: Path) -> Path | None:
    """Return the folder of the host's own libraries, or None where those of Lambda load."""
    return None if sys.platform == "linux" else home / "natives"


def prepare(home: Path) -> None:
    """Install the pinned libraries for this host, where they are needed and not there yet."""
    target = folder(home)
    if target is None:
        return
    files = sorted(file for pattern in REQUIREMENTS for file in ROOT.glob(pattern))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = target / ".stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    for file in files:
        arguments = ["--quiet", "--python", FUNCTIONS_PYTHON, "--target", target, "-r", file]
        subprocess.run([UV, "pip", "install", *arguments], check=True)
    stamp.write_text(digest)
