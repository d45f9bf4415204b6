"""A queue behind an API, and the pool of workers behind the queue."""

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from local.server import LocalAWS
from tests.integration.local.conftest import (
    Answer,
    MakeFunction,
    deploy_template,
    request,
    unique,
    until,
)
from tests.integration.local.test_rest_api import API_TRUST, ROOT

MESSAGE = (
    "Action=SendMessage&MessageBody="
    + quote('{"at":', safe="")
    + "$context.requestTimeEpoch"
    + quote(',"who":"', safe="")
    + "$util.urlEncode($util.base64Encode($context.identity.userArn))"
    + quote('","key":"', safe="")
    + "$util.urlEncode($util.base64Encode($input.params('idempotency-key')))"
    + quote('","body":"', safe="")
    + "$util.urlEncode($util.base64Encode($input.body))"
    + quote('"}', safe="")
)


def operation(role: str, template: str = MESSAGE) -> dict[str, Any]:
    """Return an operation that puts a message on the queue with a role."""
    return {
        "x-amazon-apigateway-auth": {"type": "AWS_IAM"},
        "x-amazon-apigateway-integration": {
            "type": "aws",
            "httpMethod": "POST",
            "uri": {
                "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}"
                "/${Queue.QueueName}"
            },
            "credentials": {"Fn::GetAtt": [role, "Arn"]},
            "passthroughBehavior": "never",
            "requestTemplates": {"application/json": template},
            "responses": {
                "200": {
                    "statusCode": "202",
                    "responseParameters": {"method.response.header.X-Id": "context.requestId"},
                    "responseTemplates": {
                        "application/json": "#set($context.responseOverride.header.Location = "
                        '"../jobs/$context.requestId")\n{"id": "$context.requestId"}'
                    },
                },
                "400": {
                    "statusCode": "413",
                    "responseTemplates": {"application/json": '{"code": "too_large"}'},
                },
            },
        },
        "responses": {},
    }


def role(action: str) -> dict[str, Any]:
    """Return a role of API Gateway that may do one thing to the queue."""
    statement = {"Effect": "Allow", "Action": action, "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": API_TRUST,
            "Policies": [{"PolicyName": "one", "PolicyDocument": document}],
        },
    }


class QueueApi:
    """The deployed API and its queue."""

    def __init__(self, local_aws: LocalAWS, outputs: dict[str, str]) -> None:
        self.sqs = local_aws.client("sqs")
        self.queue = outputs["Queue"]
        self.url = f"{local_aws.endpoint_url}/_aws/execute-api/{outputs['Api']}/live"

    def post(self, path: str, body: str, **headers: str) -> Answer:
        sent = {"Content-Type": "application/json", **headers}
        return request("POST", self.url + path, body, sent, signed_by=ROOT)

    def message(self) -> dict[str, Any]:
        """Return, and take off, the one message."""
        (found,) = self.sqs.receive_message(QueueUrl=self.queue)["Messages"]
        self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=found["ReceiptHandle"])
        return dict(json.loads(found["Body"]))


@pytest.fixture(scope="module")
def api(local_aws: LocalAWS) -> QueueApi:
    paths = {
        "/jobs": {"post": operation("Sender")},
        "/forbidden": {"post": operation("Reader")},
        "/unknown": {"post": operation("Sender", "Action=SendMessage&MessageBody=$util.md5('a')")},
    }
    body = {"openapi": "3.0.1", "info": {"title": "jobs", "version": "1"}, "paths": paths}
    template = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Sender": role("sqs:SendMessage"),
            "Reader": role("sqs:ReceiveMessage"),
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}},
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": "Deployment"},
                    "StageName": "live",
                },
            },
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Queue": {"Value": {"Ref": "Queue"}}},
    }
    return QueueApi(local_aws, deploy_template(local_aws, unique("queue-api"), template))


def test_a_template_makes_a_message_of_body_header_and_context(api: QueueApi) -> None:
    body = '{"text": "a&b=\\"c\\" % + é"}'
    before = int(time.time() * 1000)
    answer = api.post("/jobs", body, **{"Idempotency-Key": '","who":"me&x=%22'})
    assert answer.status == 202
    message = api.message()
    assert base64.b64decode(message["body"]).decode() == body
    assert base64.b64decode(message["key"]).decode() == '","who":"me&x=%22'
    assert base64.b64decode(message["who"]).decode() == "arn:aws:iam::000000000000:root"
    assert before <= message["at"] <= time.time() * 1000


def test_a_response_template_overrides_a_header(api: QueueApi) -> None:
    answer = api.post("/jobs", "{}")
    api.message()
    request_id = answer.headers["x-amzn-requestid"]
    assert answer.json() == {"id": request_id}
    assert answer.headers["Location"] == f"../jobs/{request_id}"
    assert answer.headers["X-Id"] == request_id


def test_a_message_that_the_queue_refuses_has_its_own_answer(api: QueueApi) -> None:
    answer = api.post("/jobs", json.dumps({"text": "x" * 1_000_000}))
    assert (answer.status, answer.json()) == (413, {"code": "too_large"})


def test_a_role_that_may_not_send_sends_nothing(api: QueueApi) -> None:
    assert api.post("/forbidden", "{}").status == 500
    assert "Messages" not in api.sqs.receive_message(QueueUrl=api.queue)


def test_what_a_template_may_not_use_here_fails(api: QueueApi) -> None:
    assert api.post("/unknown", "{}").status == 500
    assert "Messages" not in api.sqs.receive_message(QueueUrl=api.queue)


def test_a_batch_is_permitted_by_the_action_of_a_single_message(local_aws: LocalAWS) -> None:
    sqs, iam = local_aws.client("sqs"), local_aws.client("iam")
    url = sqs.create_queue(QueueName=unique("q"))["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    (found,) = sqs.receive_message(QueueUrl=url)["Messages"]
    user = unique("worker")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    worker = local_aws.client(
        "sqs",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    entry = {"Id": "0", "ReceiptHandle": found["ReceiptHandle"], "VisibilityTimeout": 0}

    def hide() -> Any:
        return worker.change_message_visibility_batch(QueueUrl=url, Entries=[entry])

    with pytest.raises(worker.exceptions.ClientError, match="not authorized"):
        hide()
    statement = {"Effect": "Allow", "Action": "sqs:ChangeMessageVisibility", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="hide", PolicyDocument=policy)
    assert len(hide()["Successful"]) == 1


SLOW = """
import time
def handler(event, context):
    begin = time.time()
    time.sleep(0.4)
    # One end for all: each line of a batch tells of the same invocation.
    end = time.time()
    for record in event["Records"]:
        print("ran", begin, end, context.function_version)
"""


def test_the_pool_is_as_large_as_its_mapping_says_whatever_its_type(
    local_aws: LocalAWS, make_function: MakeFunction
) -> None:
    name = make_function(SLOW)
    template = {
        "Parameters": {"Most": {"Type": "String", "Default": "2"}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": "30"}},
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "FunctionName": name,
                    "BatchSize": {"Ref": "Most"},
                    "ScalingConfig": {"MaximumConcurrency": {"Ref": "Most"}},
                },
            },
        },
        "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}},
    }
    url = deploy_template(local_aws, unique("pool"), template)["Queue"]
    sqs, logs = local_aws.client("sqs"), local_aws.client("logs")
    for _ in range(12):
        sqs.send_message(QueueUrl=url, MessageBody="{}")

    def runs() -> list[tuple[float, float]]:
        if not logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]:
            return []
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        lines = [line.split() for event in found for line in event["message"].splitlines()]
        return [(float(w[1]), float(w[2])) for w in lines if w[:1] == ["ran"]]

    until(lambda: len(runs()) == 12, 90)
    edges = sorted([(a, 1) for a, _ in set(runs())] + [(b, -1) for _, b in set(runs())])
    at_once = peak = 0
    for _at, step in edges:
        at_once += step
        peak = max(peak, at_once)
    assert peak == 2


def test_dead_messages_go_back_to_where_they_came_from_as_new_ones(local_aws: LocalAWS) -> None:
    sqs = local_aws.client("sqs")

    def queue(**attributes: str) -> tuple[str, str]:
        url = sqs.create_queue(QueueName=unique("q"), Attributes=attributes)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return url, found["QueueArn"]

    dead, dead_arn = queue()
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    live, live_arn = queue(RedrivePolicy=policy, VisibilityTimeout="0")
    sqs.send_message(QueueUrl=live, MessageBody="x")
    first = sqs.receive_message(QueueUrl=live)["Messages"][0]["MessageId"]
    assert "Messages" not in sqs.receive_message(QueueUrl=live), "it is dead now"
    with pytest.raises(sqs.exceptions.ClientError, match="Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=live_arn)
    assert sqs.start_message_move_task(SourceArn=dead_arn)["TaskHandle"]
    (task,) = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    assert "Messages" not in sqs.receive_message(QueueUrl=dead)
    (back,) = sqs.receive_message(QueueUrl=live, AttributeNames=["All"])["Messages"]
    assert back["Body"] == "x"
    assert back["MessageId"] != first
    assert back["Attributes"]["ApproximateReceiveCount"] == "1"
