"""From an object in S3 to a live prediction, and every way it may end short of one."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from boringml.adapters.serving_function import ServingFunction
from boringml.package import layout
from boringml.package.manifest import canonical, package_digest
from boringml.registry.records import NewVersion
from local.bad_requests import send_bad_requests
from local.datasets import write_credit
from local.parity import credit_parity
from tests.e2e.conftest import Deploy, Stack

pytestmark = pytest.mark.local_aws
RECORD: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "models/credit/contract.json").read_text()
)["examples"][0]["record"]


def test_new_data_becomes_a_version_that_answers(live: Stack) -> None:
    answer = live.api.predict("credit", RECORD)
    assert (answer.status, answer.body["model_version"]) == (
        200,
        live.registry.alias("credit", "live"),
    )


def test_a_second_file_becomes_live_by_itself(live: Stack, tmp_path: Path) -> None:
    data = write_credit(tmp_path / "second.parquet", format="parquet")
    with live.traffic() as traffic:
        number = live.output(live.upload(data))["version"]
        live.await_live(number, 300)
    assert (traffic.errors, traffic.failed()) == ([], [])
    assert live.api.predict("credit", RECORD).body["model_version"] == number
    assert [event.to_version for event in live.registry.history("credit") if event.alias == "live"]


def test_the_api_answers_as_the_pipeline_does_on_the_whole_holdout(live: Stack) -> None:
    number = live.registry.alias("credit", "live")
    assert number is not None
    version = live.registry.version("credit", number)
    parity = credit_parity(
        live.api, live.local_aws.client("s3"), version.package_uri, version.package_digest
    )
    assert parity.rows > 1000
    assert parity.max_difference <= 1e-6
    assert parity.flipped_labels == 0


def test_each_bad_request_gets_the_status_and_code_that_the_contract_promises(live: Stack) -> None:
    assert [case for case in send_bad_requests(live.api, "credit") if not case.kept] == []


def test_a_bad_file_ends_in_a_named_failure_and_touches_nothing(
    live: Stack, tmp_path: Path
) -> None:
    before = live.registry.versions("credit")
    bad = tmp_path / "bad.csv"
    bad.write_text("term,Class\nterm_36,good\n")
    assert "missing_column" in live.failure(live.upload(bad))
    assert live.registry.versions("credit") == before


def test_an_event_that_comes_twice_trains_once(live: Stack) -> None:
    event = {
        "detail-type": "Object Created",
        "detail": {"object": {"key": "data/credit/first.csv", "sequencer": "00AA"}},
    }
    live.ended(live.start("TrainStateMachine", "event-first", json.dumps(event)))
    before = live.registry.versions("credit")
    again = live.output(live.start("TrainStateMachine", "event-again", json.dumps(event)))
    assert again["Payload"]["ignored"]
    assert live.registry.versions("credit") == before


def test_one_flipped_byte_is_refused_and_live_keeps_serving(live: Stack) -> None:
    before = live.registry.alias("credit", "live")
    assert before is not None
    number = _register_with_a_flipped_byte(live, before)
    release = live.start(
        "ReleaseStateMachine",
        "flipped",
        json.dumps({"model": "credit", "version": number, "why": "a test"}),
    )
    assert "digest_mismatch" in live.failure(release)
    assert live.registry.alias("credit", "live") == before
    assert live.registry.alias("credit", "candidate") is None
    answer = live.api.predict("credit", RECORD)
    assert (answer.status, answer.body["model_version"]) == (200, before)


@pytest.mark.parametrize(
    ("broken", "status", "code"),
    [
        ({"MODEL_DIGEST": "sha256:" + "0" * 64}, 502, "model_unavailable"),
        ({"AWS_ENDPOINT_URL_S3": "{silent}"}, 504, "timeout"),
    ],
)
def test_a_version_that_does_not_start_is_answered_for_by_the_edge(
    live: Stack, broken: dict[str, str], status: int, code: str
) -> None:
    function = ServingFunction(live.local_aws.client("lambda"), live.outputs["CreditFunction"])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = live.local_aws.client("lambda").get_function_configuration(
            FunctionName=f"{function.name}:live"
        )["Environment"]["Variables"]
        broken = {name: value.format(silent=url) for name, value in broken.items()}
        published = function.publish(settings | broken, "broken by a test")
        before = function.point("live", published)
        try:
            answer = live.api.predict("credit", RECORD)
        finally:
            function.point("live", before)
            function.publish(settings | dict.fromkeys(broken, "") | settings, "as it was")
    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert live.api.predict("credit", RECORD).status == 200


def test_a_second_stack_stands_beside_the_first_and_says_that_it_has_no_image(
    live: Stack, deploy: Deploy, tmp_path: Path
) -> None:
    other = deploy("e2e-two", JobImageUri="")
    assert other.api.predict("credit", RECORD).body["error"]["code"] == "model_not_released"
    trained = len(live.registry.versions("credit"))
    data = write_credit(tmp_path / "loans.csv", slice(1000))
    assert "image_not_configured" in other.failure(other.upload(data))
    assert other.registry.versions("credit") == []
    assert len(live.registry.versions("credit")) == trained
    assert live.api.predict("credit", RECORD).status == 200


def _register_with_a_flipped_byte(stack: Stack, number: int) -> int:
    """Copy a version's package under a name of its own, with one byte of model.onnx flipped."""
    s3 = stack.local_aws.client("s3")
    source = stack.registry.version("credit", number)
    bucket, _, prefix = source.package_uri.removeprefix("s3://").partition("/")
    copy = "packages/credit/flipped/"
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        name = item["Key"].removeprefix(prefix)
        content = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        if name == layout.ONNX_MODEL:
            content = bytes([content[0] ^ 1]) + content[1:]
        elif name == layout.MANIFEST:
            manifest = {**json.loads(content), "git_commit": "flipped"}
            content = canonical(manifest)
        s3.put_object(Bucket=bucket, Key=copy + name, Body=content)
    facts = {name: getattr(source, name) for name in NewVersion.__dataclass_fields__}
    facts |= {
        "package_uri": f"s3://{bucket}/{copy}",
        "package_digest": package_digest(manifest),
        "git_commit": "flipped",
    }
    return stack.registry.register_version(NewVersion(**facts), by="test", why="a test").number
