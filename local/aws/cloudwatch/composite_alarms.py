"""Composite alarms in templates.

AWS::CloudWatch::CompositeAlarm is an alarm over the states of others: ALARM, OK and
INSUFFICIENT_DATA of their names, with AND, OR, NOT and AT_LEAST (CloudFormation User Guide;
"Create a composite alarm", CloudWatch User Guide). Its change of state is told like any other's.
MiniStack 1.5.33 evaluates what PutCompositeAlarm makes and refuses the type in templates. A
suppressor of actions it would ignore: that is refused here.
Seams: provisioners._RESOURCE_HANDLERS, _physical_name; cloudwatch._put_composite_alarm,
_composite_alarms, _composite_triggers, _composite_children.
"""

import json
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local.aws.seams import seam

TYPE = "AWS::CloudWatch::CompositeAlarm"
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
Made = tuple[str, dict[str, str]]


def request_of(name: str, props: dict[str, Any]) -> dict[str, Any]:
    """Return the request of PutCompositeAlarm that a template's resource stands for.

    Raises ValueError for what is not emulated.
    """
    if refused := sorted(key for key in props if key.startswith("ActionsSuppressor")):
        told = f"{refused[0]} of {TYPE} is not emulated by the local AWS: see docs/flows/local.md"
        raise ValueError(told)
    return {
        "AlarmName": name,
        "AlarmRule": props["AlarmRule"],
        "AlarmDescription": props.get("AlarmDescription", ""),
        "ActionsEnabled": str(props.get("ActionsEnabled", True)).lower() == "true",
        **{key: list(props.get(key) or []) for key in ACTIONS},
    }


def put(name: str, props: dict[str, Any]) -> Made:
    """Make or change the alarm `name`; return its name and attributes.

    Raises ValueError where CloudWatch refuses it: a rule that cannot be read, a child that is not
    there.
    """
    status, _headers, body = cloudwatch._put_composite_alarm(
        {}, request_of(name, props), is_cbor=False, is_json=True
    )
    if status >= 400:
        raise ValueError(json.loads(body)["message"])
    return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}


def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Made:
    """Make the alarm of a template."""
    named = props.get("AlarmName")
    return put(named or provisioners._physical_name(stack_name, logical_id, max_len=255), props)


def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], _stack_name: str) -> Made:
    """Change an alarm in place; another name would be another alarm."""
    if old.get("AlarmName") != new.get("AlarmName"):
        raise ValueError(f"another AlarmName of {TYPE} is not emulated by the local AWS")
    return put(physical_id, new)


def delete(physical_id: str, _props: dict[str, Any]) -> None:
    """Remove the alarm, unless another one names it. Raises ValueError then."""
    parents = [
        name
        for name, alarm in cloudwatch._composite_alarms.items()
        if physical_id in cloudwatch._composite_children(alarm)
    ]
    if parents:
        raise ValueError(f"{physical_id} is named by {', '.join(parents)}")
    cloudwatch._composite_alarms.pop(physical_id, None)
    cloudwatch._composite_triggers.pop(physical_id, None)


def install() -> None:
    """Let templates have composite alarms."""
    for name in ("_put_composite_alarm", "_composite_alarms", "_composite_triggers"):
        seam(cloudwatch, name)
    seam(cloudwatch, "_composite_children")
    seam(provisioners, "_physical_name")
    handlers = seam(provisioners, "_RESOURCE_HANDLERS")
    handlers[TYPE] = {"create": create, "update": update, "delete": delete}
