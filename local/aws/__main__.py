"""Run MiniStack with the extensions of this folder, in the foreground.

`python -m local.aws`, on the interpreter of .venvs/ministack and with the environment that
local/server.py prepares. Ends on SIGTERM, once the state is written.
"""

import fcntl
import os
import sys
from pathlib import Path

from local.aws import extensions, seams


def hold(pid_file: Path) -> int:
    """Return a descriptor that locks `pid_file` for the life of this process.

    The lock, not the number, says that the local AWS runs: a number outlives its process, and two
    processes must never write one state. Exits with status 3 where another process holds it.
    """
    descriptor = os.open(pid_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"another local AWS uses {pid_file.parent}", file=sys.stderr)
        raise SystemExit(3) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def main() -> None:
    """Check the pin, install the extensions and serve until SIGTERM."""
    hold(Path(os.environ["LOCAL_AWS_PID_FILE"]))
    seams.check_version()
    from ministack import app

    extensions.install_all()
    app.main()


if __name__ == "__main__":
    main()
