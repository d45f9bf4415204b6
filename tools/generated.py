"""Files that a tool generates, are committed, and are checked for freshness by `make lint`."""

import argparse
from collections.abc import Callable
from pathlib import Path


def write_or_check(
    tool: str,
    description: str | None,
    root: Path,
    target: Path,
    rendered: Callable[[], str],
    arguments: list[str] | None = None,
) -> int:
    """Write a file, or with --check say whether it is stale; return the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m {tool}", description=description)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when stale")
    check = parser.parse_args(arguments).check
    text = rendered()
    name = target.relative_to(root)
    if not check:
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)
        print(f"{name} written")
        return 0
    if target.exists() and target.read_text() == text:
        print(f"{name} is fresh")
        return 0
    print(f"{name} is stale: run python -m {tool}")
    return 1
