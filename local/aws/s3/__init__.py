"""S3 for the local AWS: one module per gap of MiniStack 1.5.33."""

from local.aws.s3 import version_ranges


def install() -> None:
    """Install every module; raise SeamMissingError where a seam of MiniStack is gone."""
    version_ranges.install()
