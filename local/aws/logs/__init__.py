"""CloudWatch Logs for the local AWS: one module per gap of MiniStack 1.5.33."""

from local.aws.logs import filter_patterns, pages, subscriptions


def install() -> None:
    """Install every module; raise SeamMissingError where a seam of MiniStack is gone."""
    filter_patterns.install()
    pages.install()
    subscriptions.install()
