"""A REST API imported from an OpenAPI definition answers as AWS does."""

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from local.server import LocalAWS
from tests.integration.local.conftest import Answer, deploy_template, request, unique

ROOT = ("test", "test")
FUNCTION = """
import json, os, time
def handler(event, context):
    body = json.loads(event["body"] or "{}")
    if body.get("do") == "raise": raise ValueError("secret detail")
    if body.get("do") == "malformed": return {"prediction": 1}
    if body.get("do") == "sleep": time.sleep(1.5)
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in event["headers"].items()}
    seen = {"id": context["requestId"], "trace": headers["x-amzn-trace-id"],
            "path": event["resource"], "xray": os.environ["_X_AMZN_TRACE_ID"],
            "caller": context["identity"].get("userArn")}
    return {"statusCode": body.get("status", 200), "body": json.dumps(seen)}
"""
LAMBDA = {
    "type": "aws_proxy",
    "httpMethod": "POST",
    "uri": {
        "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions"
        "/${Function.Arn}/invocations"
    },
    "timeoutInMillis": 800,
}
NOT_FOUND = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 404}'},
    "responses": {
        "404": {
            "statusCode": "404",
            "responseTemplates": {
                "application/json": '{"no": "$input.params(\'model\')", "id": "$context.requestId"}'
            },
            "responseParameters": {"method.response.header.X-Request-Id": "context.requestId"},
        }
    },
}
GATEWAY_RESPONSES = {
    kind: {
        "responseTemplates": {
            "application/json": '{"type": "$context.error.responseType", '
            '"message": $context.error.messageString, '
            '"id": "$context.requestId", "path": "$context.path"}'
        },
        "responseParameters": {
            "gatewayresponse.header.X-Request-Id": "context.requestId",
            "gatewayresponse.header.X-Method": "context.httpMethod",
        },
        **status,
    }
    for kind, status in {
        "DEFAULT_4XX": {},
        "DEFAULT_5XX": {},
        "BAD_REQUEST_BODY": {"statusCode": 422},
        "MISSING_AUTHENTICATION_TOKEN": {"statusCode": 401},
        "ACCESS_DENIED": {},
        "INTEGRATION_TIMEOUT": {},
        "REQUEST_TOO_LARGE": {},
        "UNSUPPORTED_MEDIA_TYPE": {},
    }.items()
}
BODY = {
    "openapi": "3.0.1",
    "info": {"title": "loans", "version": "1"},
    "x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": True}},
    "x-amazon-apigateway-gateway-responses": GATEWAY_RESPONSES,
    "paths": {
        "/models/{model}/predictions": {
            "post": {"x-amazon-apigateway-integration": NOT_FOUND, "responses": {}},
        },
        "/models/credit/predictions": {
            "post": {
                "x-amazon-apigateway-integration": LAMBDA,
                "x-amazon-apigateway-request-validator": "body",
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Record"}}
                    }
                },
                "responses": {},
            },
        },
        "/by-role": {
            "get": {
                "x-amazon-apigateway-integration": {
                    **LAMBDA,
                    "credentials": {"Fn::GetAtt": ["ApiRole", "Arn"]},
                },
                "responses": {},
            },
        },
        "/by-wrong-role": {
            "get": {
                "x-amazon-apigateway-integration": {
                    **LAMBDA,
                    "credentials": {"Fn::GetAtt": ["Role", "Arn"]},
                },
                "responses": {},
            },
        },
        "/closed": {
            "get": {
                "x-amazon-apigateway-integration": LAMBDA,
                "x-amazon-apigateway-auth": {"type": "AWS_IAM"},
                "responses": {},
            },
        },
    },
    "components": {
        "schemas": {
            "Amount": {"type": "number", "minimum": 0},
            "Record": {
                "type": "object",
                "properties": {
                    "amount": {"$ref": "#/components/schemas/Amount"},
                    "tags": {"type": "array", "maxItems": 1},
                },
            },
        }
    },
}
API_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "apigateway.amazonaws.com"},
        }
    ],
}
TRUST = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
    "Version": "2012-10-17",
}


def template(body: dict[str, Any], *, permitted: bool = True) -> dict[str, Any]:
    """Return a template of a function and an API; another body makes another deployment."""
    deployment = f"Deployment{abs(hash(json.dumps(body)))}"
    return {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Runtime": "python3.12",
                    "Handler": "index.handler",
                    "Code": {"ZipFile": FUNCTION},
                },
            },
            "ApiRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": API_TRUST,
                    "Policies": [
                        {
                            "PolicyName": "invoke",
                            "PolicyDocument": {
                                "Version": "2012-10-17",
                                "Statement": [
                                    {
                                        "Effect": "Allow",
                                        "Action": "lambda:InvokeFunction",
                                        "Resource": {"Fn::GetAtt": ["Function", "Arn"]},
                                    }
                                ],
                            },
                        }
                    ],
                },
            },
            **(
                {
                    "Permission": {
                        "Type": "AWS::Lambda::Permission",
                        "Properties": {
                            "FunctionName": {"Ref": "Function"},
                            "Action": "lambda:InvokeFunction",
                            "Principal": "apigateway.amazonaws.com",
                            "SourceArn": {
                                "Fn::Sub": "arn:aws:execute-api:${AWS::Region}:"
                                "${AWS::AccountId}:${Api}/*/*/*"
                            },
                        },
                    }
                }
                if permitted
                else {}
            ),
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {"Body": body, "Name": {"Ref": "AWS::StackName"}},
            },
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": deployment},
                    "StageName": "live",
                },
            },
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }


class Api:
    """The deployed API."""

    def __init__(self, local_aws: LocalAWS, stack: str, api_id: str) -> None:
        self.local_aws = local_aws
        self.stack = stack
        self.id = api_id

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Send a request; a body that is no text is sent as JSON."""
        url = f"{self.local_aws.endpoint_url}/_aws/execute-api/{self.id}/live{path}"
        text = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return request(method, url, text, headers, **options)


@pytest.fixture(scope="module")
def api(local_aws: LocalAWS) -> Api:
    """One deployed API for the tests of this file."""
    stack = unique("rest-api")
    outputs = deploy_template(local_aws, stack, template(BODY))
    return Api(local_aws, stack, outputs["Api"])


def test_a_fixed_path_wins_over_one_with_a_parameter(api: Api) -> None:
    assert api.call("POST", "/models/credit/predictions", {}).json()["path"] == (
        "/models/credit/predictions"
    )
    assert api.call("POST", "/models/other/predictions", {}).status == 404


def test_a_mock_renders_parameters_and_context(api: Api) -> None:
    answer = api.call("POST", "/models/other/predictions", {})
    assert answer.json() == {"no": "other", "id": answer.headers["x-amzn-requestid"]}
    assert answer.headers["X-Request-Id"] == answer.headers["x-amzn-requestid"]


def test_client_and_function_see_one_request_id_and_one_trace(api: Api) -> None:
    answer = api.call("POST", "/models/credit/predictions", {})
    assert answer.json()["id"] == answer.headers["x-amzn-requestid"]
    assert answer.json()["trace"] == answer.headers["x-amzn-trace-id"]
    trace = "Root=1-67891233-abcdef012345678912345678"
    sent = api.call("POST", "/models/credit/predictions", {}, headers={"X-Amzn-Trace-Id": trace})
    assert sent.json()["trace"] == trace
    assert sent.json()["xray"].startswith(f"{trace};"), "what X-Ray and the SDK read"


@pytest.mark.parametrize(("chosen", "is_taken"), [("mine-1", True), ("not mine", False)])
def test_a_client_may_choose_the_request_id(api: Api, chosen: str, is_taken: bool) -> None:
    answer = api.call(
        "POST", "/models/credit/predictions", {}, headers={"X-Amzn-RequestId": chosen}
    )
    assert (answer.json()["id"] == chosen) is is_taken


@pytest.mark.parametrize("body", ["{", '{"amount": -1}', '{"amount": "1"}', "[]"])
def test_a_body_that_breaks_the_model_is_refused_by_the_gateway_response(
    api: Api, body: str
) -> None:
    answer = api.call("POST", "/models/credit/predictions", body)
    assert answer.status == 422
    assert answer.json()["type"] == "BAD_REQUEST_BODY"
    assert answer.json()["path"] == "/live/models/credit/predictions"
    assert answer.json()["id"] == answer.headers["X-Request-Id"]
    assert answer.headers["X-Method"] == "POST"


def test_a_body_of_another_content_type_is_not_checked(api: Api) -> None:
    answer = api.call(
        "POST",
        "/models/credit/predictions",
        '{"amount": -1}',
        headers={"Content-Type": "text/plain"},
    )
    assert answer.status == 200


def test_the_number_of_items_is_dropped_from_a_model(api: Api) -> None:
    assert api.call("POST", "/models/credit/predictions", {"tags": [1, 2]}).status == 200


@pytest.mark.parametrize("kind", ["raise", "malformed"])
def test_a_function_that_fails_is_a_bad_gateway_and_its_reason_stays_inside(
    api: Api, kind: str
) -> None:
    answer = api.call("POST", "/models/credit/predictions", {"do": kind})
    assert answer.status == 502
    assert answer.json()["type"] == "DEFAULT_5XX"
    assert answer.json()["message"] == "Internal server error"
    assert "secret" not in answer.body


def test_a_status_of_the_function_passes_as_it_is(api: Api) -> None:
    assert api.call("POST", "/models/credit/predictions", {"status": 503}).status == 503


def test_an_integration_that_takes_too_long_is_a_gateway_timeout(api: Api) -> None:
    answer = api.call("POST", "/models/credit/predictions", {"do": "sleep"})
    assert answer.status == 504
    assert answer.json()["type"] == "INTEGRATION_TIMEOUT"


def test_a_body_above_ten_megabytes_is_too_large(api: Api) -> None:
    body = b" " * (10 * 1024 * 1024) + b"{}"
    answer = api.call("POST", "/models/credit/predictions", body)
    assert answer.status == 413
    assert answer.json()["type"] == "REQUEST_TOO_LARGE"


def test_an_unknown_path_is_a_missing_token(api: Api) -> None:
    answer = api.call("GET", "/nowhere")
    assert answer.status == 401
    assert answer.json()["type"] == "MISSING_AUTHENTICATION_TOKEN"


def test_a_method_with_iam_refuses_who_does_not_sign(api: Api) -> None:
    answer = api.call("GET", "/closed")
    assert answer.status == 401
    assert answer.json()["type"] == "MISSING_AUTHENTICATION_TOKEN"


def test_a_method_with_iam_serves_who_signs(api: Api) -> None:
    answer = api.call("GET", "/closed", signed_by=ROOT)
    assert answer.status == 200
    assert answer.json()["caller"] == "arn:aws:iam::000000000000:root"


def user_key(local_aws: LocalAWS, *statements: Any) -> tuple[str, str]:
    """Make a user with these permissions; return the id and secret of a key."""
    iam = local_aws.client("iam")
    user = unique("user")
    iam.create_user(UserName=user)
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_a_method_with_iam_refuses_an_unknown_key_and_a_wrong_signature(api: Api) -> None:
    key_id, _secret = user_key(api.local_aws)
    for pair in (("AKIAIOSFODNN7EXAMPLE", "any"), (key_id, "wrong")):
        answer = api.call("GET", "/closed", signed_by=pair)
        assert answer.status == 403
        assert answer.json()["type"] in ("DEFAULT_4XX", "INVALID_SIGNATURE")


def test_a_method_with_iam_serves_only_who_may_invoke_it(api: Api) -> None:
    refused = api.call("GET", "/closed", signed_by=user_key(api.local_aws))
    assert refused.status == 403
    assert refused.json()["type"] == "ACCESS_DENIED"
    assert "execute-api:Invoke" in refused.json()["message"]
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/live/GET/closed"
    allowed = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}
    assert api.call("GET", "/closed", signed_by=user_key(api.local_aws, allowed)).status == 200


def test_an_integration_with_credentials_needs_a_role_that_may(api: Api) -> None:
    assert api.call("GET", "/by-role").status == 200
    refused = api.call("GET", "/by-wrong-role")
    assert refused.status == 500
    assert refused.json()["type"] == "API_CONFIGURATION_ERROR"


def test_an_api_without_permission_cannot_invoke_the_function(local_aws: LocalAWS) -> None:
    stack = unique("no-permission")
    outputs = deploy_template(local_aws, stack, template(BODY, permitted=False))
    api = Api(local_aws, stack, outputs["Api"])
    assert api.call("POST", "/models/credit/predictions", {}).status == 500


def test_a_function_without_room_is_an_error_of_the_service(api: Api) -> None:
    """A client's 429 would be one of the API's own limits."""
    resource = api.local_aws.client("cloudformation").describe_stack_resource(
        StackName=api.stack, LogicalResourceId="Function"
    )["StackResourceDetail"]
    functions, name = api.local_aws.client("lambda"), resource["PhysicalResourceId"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        refused = api.call("POST", "/models/credit/predictions", {})
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert refused.status == 500
    assert refused.json()["message"] == "Internal server error"


def test_requests_are_counted_by_api_and_stage(api: Api) -> None:
    api.call("POST", "/models/credit/predictions", {"do": "raise"})
    stack_metric = {
        "Namespace": "AWS/ApiGateway",
        "MetricName": "5XXError",
        "Dimensions": [{"Name": "ApiName", "Value": api.stack}, {"Name": "Stage", "Value": "live"}],
    }
    cloudwatch = api.local_aws.client("cloudwatch")
    found = [
        {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        for metric in cloudwatch.list_metrics(**stack_metric)["Metrics"]
    ]
    # One for the stage, and one for each method.
    assert [one for one in found if len(one) == 2] == [{"ApiName": api.stack, "Stage": "live"}]
    method = {"Method": "POST", "Resource": "/models/credit/predictions"}
    assert {"ApiName": api.stack, "Stage": "live", **method} in found


def test_a_changed_definition_keeps_the_api_and_serves_the_change(local_aws: LocalAWS) -> None:
    stack = unique("changed-api")
    before = deploy_template(local_aws, stack, template(BODY))
    body = copy.deepcopy(BODY)
    body["paths"]["/new"] = body["paths"].pop("/models/{model}/predictions")
    after = deploy_template(local_aws, stack, template(body), update=True)
    assert after == before
    api = Api(local_aws, stack, after["Api"])
    assert api.call("POST", "/new", {}).status == 404
    assert api.call("POST", "/models/other/predictions", {}).status == 401
    assert api.call("POST", "/models/credit/predictions", {}).status == 200


def test_an_extension_that_is_not_emulated_fails_the_stack_by_name(local_aws: LocalAWS) -> None:
    body = {**BODY, "x-amazon-apigateway-documentation": {}}
    client = local_aws.client("cloudformation")
    stack = unique("refused-api")
    client.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(template(body)),
        Capabilities=["CAPABILITY_IAM"],
        OnFailure="DO_NOTHING",
    )
    waiter = client.get_waiter("stack_create_complete")
    with pytest.raises(Exception, match="terminal failure state"):
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
    assert "x-amazon-apigateway-documentation is not emulated" in reasons


def test_each_request_is_a_line_in_the_access_log(local_aws: LocalAWS) -> None:
    stack = unique("logged")
    logged = template(BODY)
    resources = logged["Resources"]
    resources["Logs"] = {"Type": "AWS::Logs::LogGroup"}
    resources["Account"] = {
        "Type": "AWS::ApiGateway::Account",
        "Properties": {"CloudWatchRoleArn": {"Fn::GetAtt": ["ApiRole", "Arn"]}},
    }
    resources["Stage"]["DependsOn"] = "Account"
    resources["Stage"]["Properties"]["AccessLogSetting"] = {
        "DestinationArn": {"Fn::GetAtt": ["Logs", "Arn"]},
        "Format": '{"id":"$context.requestId","status":"$context.status","no":"$context.nothing"}',
    }
    logged["Outputs"]["Logs"] = {"Value": {"Ref": "Logs"}}
    outputs = deploy_template(local_aws, stack, logged)
    answer = Api(local_aws, stack, outputs["Api"]).call("GET", "/closed")
    events = local_aws.client("logs").filter_log_events(logGroupName=outputs["Logs"])["events"]
    assert [json.loads(event["message"]) for event in events] == [
        {"id": answer.headers["x-amzn-requestid"], "status": "401", "no": "-"}
    ]
    local_aws.client("cloudformation").delete_stack(StackName=stack)


def test_an_access_log_without_a_role_of_the_account_fails_the_stack(local_aws: LocalAWS) -> None:
    settings = local_aws.client("apigateway").get_account()
    assert "cloudwatchRoleArn" not in settings
    refused = template(BODY)
    refused["Resources"]["Stage"]["Properties"]["AccessLogSetting"] = {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:any",
        "Format": "{}",
    }
    with pytest.raises(WaiterError):
        deploy_template(local_aws, unique("no-log-role"), refused)
