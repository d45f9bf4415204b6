import json

import pytest

from boringml.errors import BoringError
from boringml.steps import Refused, Retryable, reason_of, run_step


@pytest.mark.parametrize(
    ("status", "kind"), [(422, Refused), (404, Refused), (409, Retryable), (503, Retryable)]
)
def test_a_refusal_leaves_by_its_status(status, kind):
    def step(event):
        raise BoringError("a_code", "Words.", status)

    with pytest.raises(kind):
        run_step("step", step, {}, "id")


def test_a_lambda_cause_is_taken_apart():
    cause = json.dumps({"errorType": "Refused", "errorMessage": "a_code: Words: more."})
    assert reason_of("Refused", cause) == {"code": "a_code", "message": "Words: more."}


@pytest.mark.parametrize("kind", ["Training", "Transform"])
def test_a_job_tells_its_failure(kind):
    cause = json.dumps({f"{kind}JobName": "j", "FailureReason": "No memory"})
    assert reason_of("States.TaskFailed", cause) == {
        "code": f"{kind.lower()}_job_failed",
        "message": "No memory",
    }


def test_a_timeout_is_named():
    assert reason_of("States.Timeout", None)["code"] == "timeout"


@pytest.mark.parametrize("cause", [None, "", "rubbish", "[]", "null", "{", "1"])
def test_rubbish_keeps_its_own_words(cause):
    assert reason_of(None, cause)["code"] == "step_failed"
