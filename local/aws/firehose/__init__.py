"""Firehose for the local AWS: buffers, processors and Parquet, which MiniStack 1.5.33 lacks."""

from local.aws.firehose import buffering


def install() -> None:
    """Install every module; raise SeamMissingError where a seam of MiniStack is gone."""
    buffering.install()
