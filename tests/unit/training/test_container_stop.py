"""SIGTERM, at the worst moment."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]

# The signal comes while the process is inside print(): a handler that prints, too, fails there.
INSIDE_PRINT = """
import io, os, signal, sys
from container.trainer import main

class Terminal(io.RawIOBase):
    def writable(self):
        return True
    def write(self, content):
        os.kill(os.getpid(), signal.SIGTERM)
        return len(content)

main.answer_sigterm()
sys.stdout = io.TextIOWrapper(io.BufferedWriter(Terminal()))
print("progress", flush=True)
"""

# Python drops what a handler raises while an object is being deleted, and goes on.
INSIDE_DELETION = """
import os, signal
from container.trainer import main

class Thing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass

main.answer_sigterm()
Thing()
"""


def exit_code(code: str) -> int:
    path = [str(REPOSITORY), str(REPOSITORY / "layers" / "core")]
    process = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{code}"],
        check=False,
        capture_output=True,
        timeout=30,
    )
    return process.returncode


def test_a_stop_is_obeyed_inside_a_print() -> None:
    assert exit_code(INSIDE_PRINT) == 143


def test_a_stop_is_obeyed_where_python_ignores_exceptions() -> None:
    assert exit_code(INSIDE_DELETION) == 143
