"""A function that returns nothing: what Lambda's runtime itself takes."""

from typing import Any


def handler(_event: Any, _context: Any) -> None:
    """Do nothing."""
