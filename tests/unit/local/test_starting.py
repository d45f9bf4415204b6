"""A start that failed says who ended it."""

import signal

from local.aws.functions.starting import ended, too_slow


def test_a_start_that_the_local_aws_stopped_is_a_timeout_and_says_so() -> None:
    failure = too_slow(timeout=20, limit=30)
    assert failure["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 20.00 seconds" in failure["errorMessage"]
    assert "not loaded within 30 s" in failure["errorMessage"]


def test_a_start_that_another_killed_names_the_signal() -> None:
    failure = ended(-signal.SIGKILL)
    assert failure["errorType"] == "Runtime.ExitError"
    assert "SIGKILL, not by the local AWS (is memory short?)" in failure["errorMessage"]
    assert "memory" not in ended(-signal.SIGTERM)["errorMessage"]


def test_a_start_that_ended_by_itself_names_its_status() -> None:
    assert ended(4)["errorMessage"] == "Runtime exited with status 4, before the handler was loaded"
