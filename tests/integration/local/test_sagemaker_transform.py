"""Batch transform jobs on the local AWS: what the container is asked, and what becomes of it."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.machines import Events
from tests.integration.local.test_sagemaker_stopping import is_running
from tests.integration.local.training_world import (
    TrainingWorld,
    allow,
    job_environment,
    local_aws_with,
    until,
    world,
)
from tests.integration.local.transform_world import TransformWorld, transforms

pytestmark = pytest.mark.local_aws
__all__ = ["transforms", "world"]

MB = 1024 * 1024


def lines(count: int, width: int = 20) -> str:
    return "".join(f"{number:0{width - 1}d}\n" for number in range(count))


def test_each_object_has_its_answers_beside_its_path(transforms: TransformWorld) -> None:
    transforms.put("a.txt", "one\ntwo\n")
    transforms.put("deep/er/b.txt", "three")
    job = transforms.run(TransformOutput={"Accept": "text/plain"})
    assert job["TransformJobStatus"] == "Completed"
    assert "FailureReason" not in job
    assert transforms.outputs() == {"a.txt.out": b"ONE\nTWO\n", "deep/er/b.txt.out": b"THREE\n"}
    asked = transforms.asked(job["TransformJobName"])
    assert {(one["type"], one["accept"]) for one in asked} == {("text/plain", "text/plain")}


@pytest.mark.parametrize(
    ("strategy", "bodies"), [("SingleRecord", [4, 4, 6]), ("MultiRecord", [14])]
)
def test_a_strategy_says_how_many_lines_come_together(
    transforms: TransformWorld, strategy: str, bodies: list[int]
) -> None:
    transforms.put("a.txt", "one\ntwo\nthree\n")
    job = transforms.run(BatchStrategy=strategy, MaxConcurrentTransforms=1)
    assert [one["bytes"] for one in transforms.asked(job["TransformJobName"])] == bodies
    assert transforms.outputs() == {"a.txt.out": b"ONE\nTWO\nTHREE\n"}


def test_an_object_that_is_not_split_comes_whole(transforms: TransformWorld) -> None:
    transforms.put("a.txt", "one\ntwo")
    job = transforms.run(TransformInput={"SplitType": None})
    assert [one["bytes"] for one in transforms.asked(job["TransformJobName"])] == [7]
    assert job["TransformInput"]["SplitType"] == "None"


@pytest.mark.parametrize(("assemble", "answer"), [("Line", b"ONE\nTWO\n"), (None, b"ONETWO")])
def test_line_assembles_what_has_no_end_into_lines(
    transforms: TransformWorld, assemble: str | None, answer: bytes
) -> None:
    transforms.put("a.txt", "one\ntwo\n")
    output = {"AssembleWith": assemble}
    transforms.run({"BEHAVIOUR": "no ends"}, BatchStrategy="SingleRecord", TransformOutput=output)
    assert transforms.outputs() == {"a.txt.out": answer}


def test_no_body_is_larger_than_the_payload_and_none_is_lost(transforms: TransformWorld) -> None:
    content = lines(150_000)  # 3 MB
    transforms.put("a.txt", content)
    job = transforms.run(MaxPayloadInMB=1, MaxConcurrentTransforms=3)
    sizes = [one["bytes"] for one in transforms.asked(job["TransformJobName"])]
    assert sum(sizes) == len(content)
    assert max(sizes) <= MB
    assert len(sizes) == 3
    assert transforms.outputs() == {"a.txt.out": content.encode()}


@pytest.mark.parametrize("most", [1, 3])
def test_so_many_requests_are_open_and_no_more_across_objects(
    transforms: TransformWorld, most: int
) -> None:
    for number in range(4):
        transforms.put(f"{number}.txt", lines(3))
    job = transforms.run(
        {"SLOW": "0.1"}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=most
    )
    asked = transforms.asked(job["TransformJobName"])
    assert len(asked) == 12
    assert max(one["open"] for one in asked) == most
    assert list(transforms.outputs().values()) == [lines(3).encode()] * 4


def test_what_the_request_leaves_open_the_container_chooses(transforms: TransformWorld) -> None:
    transforms.put("a.txt", lines(6))
    own = {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 5}
    job = transforms.run({"PARAMETERS": json.dumps(own), "SLOW": "0.1"})
    name = job["TransformJobName"]
    assert [one["bytes"] for one in transforms.asked(name)] == [20] * 6
    assert max(one["open"] for one in transforms.asked(name)) == 2
    (told,) = transforms.log(name, "/data-log")
    assert "MaxConcurrentTransforms=2, MaxPayloadInMB=5, BatchStrategy=SingleRecord" in told


def test_the_container_sees_its_model_and_both_environments(transforms: TransformWorld) -> None:
    transforms.put("a.txt", "one\n")
    model = transforms.create_model({"m": b"m"}, FROM="model", BEHAVIOUR="", MODEL="mine")
    job = transforms.run({"FROM": "job"}, ModelName=model, MaxPayloadInMB=2)
    seen = transforms.environment(job["TransformJobName"])
    assert (seen["FROM"], seen["MODEL"]) == ("job", "mine")
    assert (seen["SAGEMAKER_BATCH"], seen["SAGEMAKER_MAX_PAYLOAD_IN_MB"]) == ("true", "2")
    assert not [name for name in seen if name.startswith("AWS_")]
    assert "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS" not in seen


def test_a_manifest_names_the_objects(transforms: TransformWorld) -> None:
    for name in ("a.txt", "b/c.txt", "d.txt"):
        transforms.put(name, f"{name}\n")
    bucket = transforms.world.bucket
    manifest = [{"prefix": f"s3://{bucket}/{transforms.place}/in/"}, "b/c.txt", "a.txt"]
    transforms.world.put(f"{transforms.place}/manifest", json.dumps(manifest))
    uri = f"s3://{bucket}/{transforms.place}/manifest"
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": uri}}
    job = transforms.run(TransformInput={"DataSource": source})
    assert job["TransformJobStatus"] == "Completed", job
    assert transforms.outputs() == {"a.txt.out": b"A.TXT\n", "b/c.txt.out": b"B/C.TXT\n"}


@pytest.mark.parametrize(
    ("content", "reason", "told"),
    [
        ("good\nbad\n", "ClientError", "in/a.txt: ClientError: 422"),
        ("good\nfails\n", "AlgorithmError", "Bad HTTP status received from algorithm: 500"),
        ("x" * (MB + 1), "ClientError", "Too much data for max payload size"),
    ],
)
def test_an_object_that_fails_fails_the_job_and_leaves_no_answers(
    transforms: TransformWorld, content: str, reason: str, told: str
) -> None:
    transforms.put("a.txt", content)
    transforms.put("b.txt", "fine\n")
    job = transforms.run(BatchStrategy="SingleRecord", MaxPayloadInMB=1)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == f"{reason}: See job logs for more information"
    assert transforms.outputs() == {"b.txt.out": b"FINE\n"}
    assert [line for line in transforms.log(job["TransformJobName"], "/data-log") if told in line]


@pytest.mark.parametrize("behaviour", ["dies", "ends at once", "never ready"])
def test_a_container_that_does_not_answer_fails_the_job(
    transforms: TransformWorld, behaviour: str
) -> None:
    transforms.put("a.txt", "one\n")
    job = transforms.run({"BEHAVIOUR": behaviour})
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert transforms.outputs() == {}


def test_a_request_beyond_its_time_is_tried_again_and_fails_the_job(
    transforms: TransformWorld,
) -> None:
    transforms.put("a.txt", "one\n")
    client = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 1}
    job = transforms.run({"BEHAVIOUR": "hangs"}, ModelClientConfig=client)
    assert job["FailureReason"].startswith("AlgorithmError")
    assert len(transforms.asked(job["TransformJobName"])) == 2


def test_a_job_without_objects_fails(transforms: TransformWorld) -> None:
    job = transforms.run()
    assert job["FailureReason"].startswith("ClientError: No S3 objects found")


def test_a_model_that_is_no_archive_fails_the_job(transforms: TransformWorld) -> None:
    transforms.put("a.txt", "one\n")
    transforms.world.put(f"models/{transforms.model}/model.tar.gz", b"no archive")
    job = transforms.run()
    assert job["FailureReason"].startswith("ClientError: Failed to extract model data archive")


def test_an_image_that_nobody_has_fails_the_job(transforms: TransformWorld) -> None:
    transforms.put("a.txt", "one\n")
    request = transforms.model_request(f"{transforms.model}-2", Image="nobody/has:it")
    request["PrimaryContainer"]["ModelDataUrl"] = (
        f"s3://{transforms.world.bucket}/models/{transforms.model}/model.tar.gz"
    )
    transforms.sagemaker.create_model(**request)
    job = transforms.run(ModelName=request["ModelName"])
    assert job["FailureReason"].startswith("ClientError: Cannot pull")


def test_a_stopped_job_ends_its_container_and_asks_nothing_more(
    transforms: TransformWorld,
) -> None:
    transforms.put("a.txt", lines(100))
    name = transforms.create({"BEHAVIOUR": "hangs"}, BatchStrategy="SingleRecord")
    until(lambda: transforms.log(name) and transforms.asked(name))
    transforms.sagemaker.stop_transform_job(TransformJobName=name)
    job = transforms.ended(name)
    assert job["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert len(transforms.asked(name)) == 1
    assert transforms.outputs() == {}
    with pytest.raises(ClientError, match="in status Stopped"):
        transforms.sagemaker.stop_transform_job(TransformJobName=name)


def test_each_change_is_an_event_that_looks_like_the_job(transforms: TransformWorld) -> None:
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Transform Job State Change"],
        "detail": {"ModelName": [transforms.model]},
    }
    events = Events(transforms.world, pattern)
    transforms.put("a.txt", "one\n")
    job = transforms.run(Tags=[{"Key": "owner", "Value": "ml"}])
    seen = events.until_one_is("TransformJobStatus", "Completed")
    assert {event["detail"]["TransformJobStatus"] for event in seen} == {"InProgress", "Completed"}
    last = seen[-1]
    assert last["resources"] == [job["TransformJobArn"]]
    assert last["detail"]["Tags"] == {"owner": "ml"}
    end = int(job["TransformEndTime"].timestamp() * 1000)
    assert abs(last["detail"]["TransformEndTime"] - end) <= 1


def test_jobs_are_listed_and_a_name_is_taken_for_ever(transforms: TransformWorld) -> None:
    transforms.put("a.txt", "one\n")
    name = transforms.run()["TransformJobName"]
    found = transforms.sagemaker.list_transform_jobs(NameContains=name, StatusEquals="Completed")
    (summary,) = [s for s in found["TransformJobSummaries"] if s["TransformJobName"] == name]
    assert summary["LastModifiedTime"] == summary["TransformEndTime"] >= summary["CreationTime"]
    with pytest.raises(transforms.sagemaker.exceptions.ResourceInUse):
        transforms.create(TransformJobName=name)


NOT_EMULATED: dict[str, dict[str, Any]] = {
    "SplitType=RecordIO": {"TransformInput": {"SplitType": "RecordIO"}},
    "CompressionType=Gzip": {"TransformInput": {"CompressionType": "Gzip"}},
    "InstanceCount=2": {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2}},
    "MaxPayloadInMB=0": {"MaxPayloadInMB": 0},
    "JoinSource=Input": {"DataProcessing": {"JoinSource": "Input"}},
    "InputFilter": {"DataProcessing": {"InputFilter": "$.features"}},
    "DataCaptureConfig": {"DataCaptureConfig": {"DestinationS3Uri": "s3://a/b"}},
}


@pytest.mark.parametrize("name", NOT_EMULATED)
def test_what_is_not_emulated_is_refused_by_its_name(transforms: TransformWorld, name: str) -> None:
    with pytest.raises(ClientError, match=name) as refused:
        transforms.create(**NOT_EMULATED[name])
    assert refused.value.response["Error"]["Code"] == "NotEmulatedException"


INVALID: dict[str, dict[str, Any]] = {
    "SplitType": {"BatchStrategy": "MultiRecord", "TransformInput": {"SplitType": None}},
    "100 MB": {"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6},
    "Could not find model": {"ModelName": "nobody"},
}


@pytest.mark.parametrize("name", INVALID)
def test_what_breaks_a_rule_is_refused(transforms: TransformWorld, name: str) -> None:
    with pytest.raises(ClientError, match=name) as refused:
        transforms.create(**INVALID[name])
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_model_can_be_described_and_deleted_and_its_name_used_again(
    transforms: TransformWorld,
) -> None:
    described = transforms.sagemaker.describe_model(ModelName=transforms.model)
    assert described["PrimaryContainer"]["Mode"] == "SingleModel"
    assert described["ModelArn"].endswith(f":model/{transforms.model}")
    request = transforms.model_request(transforms.model)
    with pytest.raises(ClientError, match="already existing model"):
        transforms.sagemaker.create_model(**request)
    transforms.sagemaker.delete_model(ModelName=transforms.model)
    with pytest.raises(ClientError, match="Could not find model"):
        transforms.sagemaker.describe_model(ModelName=transforms.model)
    transforms.sagemaker.create_model(**request)


def test_a_model_needs_its_data_and_a_role_that_may_read_it(transforms: TransformWorld) -> None:
    with pytest.raises(ClientError, match="Could not find model data at"):
        transforms.sagemaker.create_model(**transforms.model_request("without-data"))
    blind = transforms.world.role("sagemaker", allow("logs:*"))
    request = transforms.model_request(transforms.model) | {"ModelName": "unread"}
    with pytest.raises(ClientError, match="Could not access model data"):
        transforms.sagemaker.create_model(**request | {"ExecutionRoleArn": blind})
    stranger = transforms.world.role("lambda", allow("s3:*"))
    with pytest.raises(ClientError, match="Could not assume role"):
        transforms.sagemaker.create_model(**request | {"ExecutionRoleArn": stranger})


def test_who_may_not_pass_the_role_creates_no_model(transforms: TransformWorld) -> None:
    client = transforms.world.client_of_user(allow("sagemaker:*"))
    request = transforms.model_request(transforms.model) | {"ModelName": "unpassed"}
    with pytest.raises(ClientError, match="iam:PassRole"):
        client("sagemaker").create_model(**request)


def test_a_role_that_may_not_write_the_answers_fails_the_job(transforms: TransformWorld) -> None:
    transforms.put("a.txt", "one\n")
    reader = transforms.world.role("sagemaker", allow(["s3:GetObject", "s3:ListBucket"]))
    request = transforms.model_request(transforms.model)
    request |= {"ModelName": f"{transforms.model}-reader", "ExecutionRoleArn": reader}
    transforms.sagemaker.create_model(**request)
    job = transforms.run(ModelName=request["ModelName"])
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:AccessDenied")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_does_not_outlive_its_server_and_its_model_does(
    tmp_path: Path, end: signal.Signals
) -> None:
    with local_aws_with(tmp_path / "home", **job_environment(tmp_path)) as aws:
        first = TransformWorld(TrainingWorld(aws))
        first.put("a.txt", "one\n")
        name = first.create({"BEHAVIOUR": "hangs"})
        until(lambda: first.log(name) and first.asked(name))
        container = first.environment(name)["HOME"]
        server = aws.pid()
        assert server is not None
        running = processes_in(container)
        assert running
        os.kill(server, end)
        until(lambda: aws.pid() is None)
        aws.start()
        job = first.ended(name)
        assert job["FailureReason"].startswith("InternalServerError")
        assert not [process for process in running if is_running(process)]
        assert first.sagemaker.describe_model(ModelName=first.model)["ModelArn"]
        with pytest.raises(first.sagemaker.exceptions.ResourceInUse):
            first.create(TransformJobName=name)


def processes_in(folder: str) -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == Path(folder):
                found.append(int(process.name))
        except OSError:
            continue
    return found
