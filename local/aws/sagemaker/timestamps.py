"""SageMaker's dates: epoch seconds in the API, epoch milliseconds in events."""

from typing import Any

from local.aws.sagemaker.model_check import service_model


def in_milliseconds(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of `operation` with every timestamp as integer epoch milliseconds.

    Events and the results of Step Functions' integrations write them so (the training job
    event in "Automating SageMaker with EventBridge", SageMaker Developer Guide).
    """
    shape: Any = service_model().operation_model(operation).output_shape
    return {name: _convert(value, shape.members.get(name)) for name, value in answer.items()}


def _convert(value: Any, shape: Any) -> Any:
    if shape is None:
        return value
    if shape.type_name == "timestamp":
        return int(value * 1000)
    if shape.type_name == "structure":
        return {name: _convert(item, shape.members.get(name)) for name, item in value.items()}
    if shape.type_name == "list":
        return [_convert(item, shape.member) for item in value]
    return value
