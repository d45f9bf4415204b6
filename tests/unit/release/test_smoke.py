import json

import pytest

from boringml.errors import BoringError
from boringml.release.smoke import smoke

CASE = {"name": "a", "record": {"x": 1}, "probability": 0.5, "prediction": 1, "tolerance": 1e-6}


def invoker(malformed=400, **changes):
    body = {"probability": 0.5, "prediction": 1, "model_version": 3, **changes}

    def invoke(event):
        if event["body"] == "{":
            return {"statusCode": malformed, "body": "{}"}
        return {"statusCode": 200, "body": json.dumps(body)}

    return invoke


def test_a_good_candidate_passes():
    assert smoke(invoker(), "credit", 3, [CASE])["requests"] == 2


@pytest.mark.parametrize(
    ("changes", "golden"),
    [
        ({"probability": 0.6}, [CASE]),
        ({"prediction": 0}, [CASE]),
        ({"model_version": 2}, [CASE]),
        ({"malformed": 200}, [CASE]),
        ({}, []),
    ],
)
def test_a_wrong_candidate_is_refused(changes, golden):
    with pytest.raises(BoringError) as error:
        smoke(invoker(**changes), "credit", 3, golden)
    assert error.value.code == "smoke_failed"
