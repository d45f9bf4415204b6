"""Reserved concurrency.

On AWS a reservation belongs to the function: its versions and aliases draw on it together, and
the template's ReservedConcurrentExecutions sets it ("Configuring reserved concurrency").
MiniStack 1.5.33 drops the property in CloudFormation, and lets versions and aliases pass it.
Seams: lambda_svc._reserved_concurrency; the CloudFormation handler of AWS::Lambda::Function.
"""

from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.aws.seams import seam

PROPERTY = "ReservedConcurrentExecutions"


def install() -> None:
    """Count every invocation against its function's reservation."""
    reserved = seam(lambda_svc, "_reserved_concurrency")
    handler = seam(seam(provisioners, "_RESOURCE_HANDLERS"), "AWS::Lambda::Function")
    create, update = seam(handler, "create"), seam(handler, "update")

    def reserved_by_function(func: dict[str, Any], config: dict[str, Any]) -> int | None:
        function = lambda_svc._functions.get(config.get("FunctionName"))
        found: int | None = reserved(function or func, config)
        return found

    def create_reserved(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        made = create(logical_id, props, stack_name)
        reserve(made[0], props)
        return made

    def update_reserved(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any
    ) -> Any:
        made = update(physical_id, old, new, *rest)
        if old.get(PROPERTY) != new.get(PROPERTY):
            reserve(made[0], new)
        return made

    lambda_svc._reserved_concurrency = reserved_by_function
    handler["create"], handler["update"] = create_reserved, update_reserved


def reserve(name: str, props: dict[str, Any]) -> None:
    """Give the function the reservation of its template, or none."""
    if PROPERTY in props:
        lambda_svc._put_function_concurrency(name, {PROPERTY: int(props[PROPERTY])})
    else:
        lambda_svc._delete_function_concurrency(name)
