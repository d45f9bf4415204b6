"""The trace of the invocation that runs, as Lambda tells it: no SDK of X-Ray is needed for that."""

import os

# "Using environment variables", AWS Lambda Developer Guide: the header of active tracing.
VARIABLE = "_X_AMZN_TRACE_ID"


def current_trace() -> str | None:
    """Return the X-Ray header to hand on; None outside of Lambda."""
    return os.environ.get(VARIABLE) or None
