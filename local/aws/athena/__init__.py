"""Athena for the local AWS: one module per gap of MiniStack 1.5.33."""

from local.aws.athena import functions, partitions


def install() -> None:
    """Install every module; raise SeamMissingError where a seam of MiniStack is gone."""
    functions.install()
    partitions.install()
