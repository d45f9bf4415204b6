"""A shadow over the deployed stack: real loans over HTTP, then the function that compares."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from boringml.adapters.serving_function import ServingFunction
from local.datasets import credit
from tests.e2e.conftest import Stack

pytestmark = pytest.mark.local_aws
PLAN = {
    "samples": 40,
    "seconds": 600,
    "share": 1.0,
    "max_label_disagreement": 0.1,
    "max_probability_shift": 0.15,
    "max_segment_disagreement": 0.25,
    "max_extra_failures": 0.0,
    "max_latency_ratio": 2.0,
    # The machine that runs this has other things to do.
    "latency_floor_ms": 500,
}
BOOTSTRAP = "1"


def compare(stack: Stack, release: str, candidate: str, live: str, started: datetime) -> Any:
    event = {
        "model": "credit",
        "version": stack.registry.alias("credit", "live"),
        "live_version": stack.registry.alias("credit", "live"),
        "function": stack.outputs["CreditFunction"],
        "function_version": candidate,
        "live_function_version": live,
        "release": release,
        "started_at": started.isoformat(),
        "execution_arn": release,
        "plan": PLAN,
    }
    answer = stack.local_aws.client("lambda").invoke(
        FunctionName=stack.resource("CompareShadowFunction"), Payload=json.dumps(event).encode()
    )
    told = json.loads(answer["Payload"].read())
    assert told.get("errorType", "Refused") == "Refused", told
    return told


def decided(stack: Stack, *given: Any) -> Any:
    """Call until there is a verdict: lines reach the log a moment after their answers."""
    deadline = time.monotonic() + 60
    while (told := compare(stack, *given)).get("decision") == "continue":
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    return told


def counted(stack: Stack, metric: str = "requests") -> float:
    """Return the sum of a metric of credit in this stack."""
    found = stack.local_aws.client("cloudwatch").get_metric_statistics(
        Namespace="BoringML/e2e-one",
        MetricName=metric,
        Dimensions=[{"Name": "model", "Value": "credit"}],
        StartTime=datetime.now(UTC) - timedelta(hours=3),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=86400,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in found["Datapoints"])


def test_a_candidate_that_is_live_passes_and_one_that_answers_nothing_is_refused(
    live: Stack,
) -> None:
    function = ServingFunction(live.local_aws.client("lambda"), live.outputs["CreditFunction"])
    version = function.alias("live")
    started = datetime.now(UTC)
    records = credit(slice(6000, 6050)).drop(columns="Class").to_dict("records")
    before = counted(live)
    assert [live.api.predict("credit", record).status for record in records] == [200] * 50

    passed = decided(live, "live-against-itself", version, version, started)
    assert (passed["decision"], passed["samples"]) == ("pass", 40)
    # The replays are no traffic, and are not mirrored again.
    assert counted(live) == before + 50

    failed = decided(live, "bootstrap-against-live", BOOTSTRAP, version, started)
    assert failed["errorMessage"].startswith("shadow_failed: ")
    assert "(model_not_released 40)" in failed["errorMessage"]
    assert live.api.predict("credit", records[0]).status == 200

    stored = live.local_aws.client("s3").get_object(
        Bucket=live.outputs["PackagesBucket"], Key=passed["report"]
    )
    report = json.loads(stored["Body"].read())
    assert report["summary"]["disagreements"] == 0
    assert report["summary"]["probability_shift"]["max"] == 0.0
    assert set(report["not_compared"]["sensitive_fields"]) == {"addr_state", "annual_inc"}


def test_another_endpoints_answer_is_compared_with_lives_and_no_traffic_is_counted(
    live: Stack,
) -> None:
    (record,) = credit(slice(6050, 6051)).drop(columns="Class").to_dict("records")
    answered = live.api.predict("credit", record).body
    given = {"prediction": answered["prediction"], "probability": answered["probability"]}
    body = {"request": record, "response": given, "latency_ms": 41.5}
    requests = counted(live)
    comparisons = counted(live, "comparisons")

    accepted = live.api.post(
        "credit", json.dumps(body).encode(), "application/json", route="shadow"
    )
    assert (accepted.status, set(accepted.body)) == (202, {"request_id"}), accepted.body
    deadline = time.monotonic() + 30
    while counted(live, "comparisons") == comparisons:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert counted(live) == requests
    assert counted(live, "probability_shift") == 0.0
    assert counted(live, "disagreements") == 0.0

    bad = json.dumps({**body, "request": {**record, "term": "term_48"}}).encode()
    refused = live.api.post("credit", bad, "application/json", route="shadow")
    assert (refused.status, refused.body["error"]["field"]) == (422, "$.request.term")
    unsigned = live.api.post("credit", bad, "application/json", route="shadow", signed=False)
    assert unsigned.status == 403
