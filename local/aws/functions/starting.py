"""Why an execution environment did not start, in the words that its caller and the log get."""

import signal


def too_slow(timeout: float, limit: float) -> dict[str, str]:
    """Return the error object of a start that the local AWS stopped after `limit` seconds.

    AWS, too, ends what does not load within Init and the function's timeout as a timeout of the
    invocation ("Lambda execution environment lifecycle"); the rest of the message is our own.
    """
    return {
        "errorType": "Sandbox.Timedout",
        "errorMessage": (
            f"Task timed out after {timeout:.2f} seconds: its module was not loaded within "
            f"{limit:.0f} s, so the local AWS stopped it. Is the machine busy?"
        ),
    }


def ended(status: int) -> dict[str, str]:
    """Return the error object of a process that ended by itself, or by somebody else's signal.

    `status` is the exit status, negative for a signal as in subprocess.
    """
    how = f"Runtime exited with status {status}"
    if status < 0:
        how = f"Runtime was killed by {signal.Signals(-status).name}, not by the local AWS"
        if -status == signal.SIGKILL:
            how += " (is memory short?)"
    return {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"{how}, before the handler was loaded",
    }
