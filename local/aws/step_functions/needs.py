"""What each optimised integration needs its state machine's role to be allowed.

Source: "IAM policies for integrated services", Step Functions Developer Guide; the `.sync`
integrations also read and stop what they started.
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region

from local.aws.step_functions.permissions import Need

_PREFIX = "arn:aws:states:::"


def needs_of(resource: str, arguments: Any) -> list[Need] | None:
    """Return what a task's `resource` needs with its `arguments`.

    None stands for what is no integration, or one that is not emulated. An aws-sdk integration
    needs nothing here: its call is made with the role.
    """
    arguments = arguments if isinstance(arguments, dict) else {}
    if ":function:" in resource:
        return [Need("lambda:InvokeFunction", _function(resource, None))]
    if not resource.startswith(_PREFIX):
        return [] if ":activity:" in resource else None
    integration, _, pattern = resource.removeprefix(_PREFIX).partition(".")
    if integration.startswith("aws-sdk:"):
        return []
    needs = _INTEGRATIONS.get(integration)
    return needs(arguments, pattern) if needs else None


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def _function(name: str, qualifier: str | None) -> str:
    arn = name if name.startswith("arn:") else _arn("lambda", f"function:{name}")
    return f"{arn}:{qualifier}" if qualifier else arn


def _lambda(arguments: dict[str, Any], _pattern: str) -> list[Need]:
    function = _function(arguments.get("FunctionName", ""), arguments.get("Qualifier"))
    return [Need("lambda:InvokeFunction", function)]


def _sqs(arguments: dict[str, Any], _pattern: str) -> list[Need]:
    queue = str(arguments.get("QueueUrl", "")).rstrip("/").rpartition("/")[2]
    return [Need("sqs:SendMessage", _arn("sqs", queue))]


def _sns(arguments: dict[str, Any], _pattern: str) -> list[Need]:
    return [Need("sns:Publish", arguments.get("TopicArn") or arguments.get("TargetArn") or "*")]


def _events(arguments: dict[str, Any], _pattern: str) -> list[Need]:
    buses = {entry.get("EventBusName", "default") for entry in arguments.get("Entries", [])}
    return [
        Need(
            "events:PutEvents",
            bus if bus.startswith("arn:") else _arn("events", f"event-bus/{bus}"),
        )
        for bus in sorted(buses)
    ]


def _dynamodb(action: str) -> Callable[[dict[str, Any], str], list[Need]]:
    def needs(arguments: dict[str, Any], _pattern: str) -> list[Need]:
        table = str(arguments.get("TableName", ""))
        arn = table if table.startswith("arn:") else _arn("dynamodb", f"table/{table}")
        return [Need(f"dynamodb:{action}", arn)]

    return needs


def _start_execution(arguments: dict[str, Any], pattern: str) -> list[Need]:
    machine = str(arguments.get("StateMachineArn", ""))
    needs = [Need("states:StartExecution", machine)]
    if pattern.startswith("sync"):
        name = machine.split(":")[6] if machine.count(":") >= 6 else machine
        execution = _arn("states", f"execution:{name}:{arguments.get('Name', 'unnamed')}")
        needs += [
            Need("states:DescribeExecution", execution),
            Need("states:StopExecution", execution),
        ]
    return needs


def _create_job(kind: str, path: str) -> Callable[[dict[str, Any], str], list[Need]]:
    def needs(arguments: dict[str, Any], pattern: str) -> list[Need]:
        job = _arn("sagemaker", f"{path}/{str(arguments.get(f'{kind}Name', '')).lower()}")
        tags = _request_tags(arguments)
        found = [Need(f"sagemaker:Create{kind}", job, tags), Need("sagemaker:AddTags", job, tags)]
        if kind == "TrainingJob":  # a transform job takes the role of its model
            found.append(_passed(arguments.get("RoleArn")))
        if pattern == "sync":
            found += [Need(f"sagemaker:Describe{kind}", job), Need(f"sagemaker:Stop{kind}", job)]
        return found

    return needs


def _create_model(arguments: dict[str, Any], _pattern: str) -> list[Need]:
    model = _arn("sagemaker", f"model/{str(arguments.get('ModelName', '')).lower()}")
    tags = _request_tags(arguments)
    needs = [Need("sagemaker:CreateModel", model, tags), _passed(arguments.get("ExecutionRoleArn"))]
    return [*needs, Need("sagemaker:AddTags", model, tags)] if tags else needs


def _request_tags(arguments: dict[str, Any]) -> dict[str, Any]:
    tags = arguments.get("Tags") or []
    return {f"aws:RequestTag/{tag.get('Key')}": tag.get("Value") for tag in tags}


def _passed(role: Any) -> Need:
    return Need("iam:PassRole", str(role or ""), {"iam:PassedToService": "sagemaker.amazonaws.com"})


_INTEGRATIONS: dict[str, Callable[[dict[str, Any], str], list[Need]]] = {
    "lambda:invoke": _lambda,
    "sqs:sendMessage": _sqs,
    "sns:publish": _sns,
    "events:putEvents": _events,
    "dynamodb:getItem": _dynamodb("GetItem"),
    "dynamodb:putItem": _dynamodb("PutItem"),
    "dynamodb:updateItem": _dynamodb("UpdateItem"),
    "dynamodb:deleteItem": _dynamodb("DeleteItem"),
    "states:startExecution": _start_execution,
    "sagemaker:createTrainingJob": _create_job("TrainingJob", "training-job"),
    "sagemaker:createTransformJob": _create_job("TransformJob", "transform-job"),
    "sagemaker:createModel": _create_model,
}
