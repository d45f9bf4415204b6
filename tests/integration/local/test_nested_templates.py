"""What templates may hold: nested SAM templates, and state machines in YAML."""

import json
from typing import Any

from local.server import LocalAWS
from tests.integration.local.conftest import deploy_template, unique, until, zipped

SAM = "AWS::Serverless-2016-10-31"


def child(memory: int, bucket: str) -> dict[str, Any]:
    """Return a nested template: a function whose role keeps, and a topic named by the role."""
    return {
        "Transform": SAM,
        "Parameters": {"Text": {"Type": "String"}},
        "Resources": {
            "EchoFunction": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Runtime": "python3.12",
                    "Handler": "app.handler",
                    "MemorySize": memory,
                    "CodeUri": {"Bucket": bucket, "Key": "code.zip"},
                    "Environment": {"Variables": {"TEXT": {"Ref": "Text"}}},
                },
            },
        },
        "Outputs": {
            "Name": {"Value": {"Ref": "EchoFunction"}},
            "RoleArn": {"Value": {"Fn::GetAtt": ["EchoFunctionRole", "Arn"]}},
        },
    }


def parent(bucket: str, key: str) -> dict[str, Any]:
    """Return the template around it."""
    url = f"https://s3.us-east-1.amazonaws.com/{bucket}/{key}"
    return {
        "Transform": SAM,
        "Resources": {
            "Child": {
                "Type": "AWS::Serverless::Application",
                "Properties": {"Location": url, "Parameters": {"Text": "from the parent"}},
            }
        },
        "Outputs": {
            "Name": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Name"]}},
            "RoleArn": {"Value": {"Fn::GetAtt": ["Child", "Outputs.RoleArn"]}},
        },
    }


def test_a_nested_sam_template_is_deployed_and_updated(local_aws: LocalAWS, invoke: Any) -> None:
    s3, client = local_aws.client("s3"), local_aws.client("lambda")
    bucket, stack = unique("templates"), unique("nested")
    s3.create_bucket(Bucket=bucket)
    source = "import os\ndef handler(event, context): return os.environ['TEXT']\n"
    s3.put_object(Bucket=bucket, Key="code.zip", Body=zipped({"app.py": source}))
    s3.put_object(Bucket=bucket, Key="1", Body=json.dumps(child(256, bucket)))
    first = deploy_template(local_aws, stack, parent(bucket, "1"))
    assert invoke(first["Name"]) == "from the parent"

    s3.put_object(Bucket=bucket, Key="2", Body=json.dumps(child(512, bucket)))
    second = deploy_template(local_aws, stack, parent(bucket, "2"), update=True)
    assert second == first, "an unchanged resource of a nested template keeps its attributes"
    found = client.get_function_configuration(FunctionName=first["Name"])
    assert found["MemorySize"] == 512
    assert found["Role"] == first["RoleArn"]
    assert invoke(first["Name"]) == "from the parent"


def test_a_state_machine_in_yaml_runs(local_aws: LocalAWS, role: str) -> None:
    s3, states = local_aws.client("s3"), local_aws.client("stepfunctions")
    bucket = unique("definitions")
    s3.create_bucket(Bucket=bucket)
    definition = "StartAt: Done\nStates:\n  Done: {Type: Pass, Result: from YAML, End: true}\n"
    s3.put_object(Bucket=bucket, Key="machine.yaml", Body=definition)
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": role,
            "DefinitionS3Location": {"Bucket": bucket, "Key": "machine.yaml"},
        },
    }
    outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
    template = {"Resources": {"Machine": machine}, "Outputs": outputs}
    arn = deploy_template(local_aws, unique("yaml"), template)["Arn"]
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]

    def output() -> str | None:
        return states.describe_execution(executionArn=execution).get("output")

    assert json.loads(until(output)) == "from YAML"
