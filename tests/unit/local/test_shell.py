"""`.local/env` as a shell reads it, wherever the checkout lies."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local import shell

SHELLS = [name for name in ("bash", "zsh") if shutil.which(name)]


@pytest.mark.parametrize("folder", ["plain", "with space", "it's [odd]* $HOME"])
@pytest.mark.parametrize("program", SHELLS)
def test_it_puts_the_tools_first_on_the_path_and_once(
    program: str, folder: str, tmp_path: Path
) -> None:
    home = tmp_path / folder
    home.mkdir()
    file = shell.write(home, {"AWS_REGION": "us-east-1"}, "a-stack", {"ApiUrl": "http://x/y z"})
    script = 'set -eu; . "$1"; . "$1"; printf "%s\n" "$PATH" "$BORINGML_API_URL" "$BORINGML_STACK"'
    done = subprocess.run(
        [program, "-c", script, program, str(file)],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    path, url, stack = done.stdout.splitlines()
    assert path == f"{home / 'bin'}:{os.environ['PATH']}"
    assert (url, stack) == ("http://x/y z", "a-stack")
