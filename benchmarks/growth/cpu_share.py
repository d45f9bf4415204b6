"""A group of processes that has a share of one core, as a Lambda function has by its memory.

Lambda's quota is the kernel's CFS bandwidth control: so much of each period, and then the process
waits for the next one. AWS does not publish the period; 20 ms is taken. Needs root and a writable
CPU controller of cgroup v1 or v2.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD_US = 20_000
_ROOT = Path("/sys/fs/cgroup")


class NoCgroupError(RuntimeError):
    """CPU cannot be shared out here."""


@contextmanager
def share_of_core(share: float) -> Iterator[Path]:
    """Yield the file to which a process writes its id to have that share; 1 or more is no limit.

    Raises NoCgroupError.
    """
    version_2 = (_ROOT / "cgroup.controllers").exists()
    parent = _ROOT if version_2 else _ROOT / "cpu"
    group = parent / f"boringml-bench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise NoCgroupError(f"no cgroup can be made below {parent}: {error}") from error
    try:
        if share < 1:
            quota = round(share * PERIOD_US)
            if version_2:
                (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
            else:
                (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (group / "cpu.cfs_quota_us").write_text(str(quota))
        yield group / "cgroup.procs"
    except OSError as error:
        raise NoCgroupError(f"{group} takes no quota: {error}") from error
    finally:
        group.rmdir()
