"""Access logs of a stage.

AWS writes one line per request into the log group of AccessLogSetting, in its format, and refuses
the setting while the account has no role for it ("Set up CloudWatch logging for REST APIs").
MiniStack 1.5.33 drops the setting.
Seams: apigateway_v1._handle_execute_in_scope, _stages_v1, _account_settings; cloudwatch_logs
_log_groups, _append_log_events, _fanout_to_subscription_filters; the handler of
AWS::ApiGateway::Stage.
"""

import logging
import time
from typing import Any

from ministack.services import apigateway_v1 as gateway
from ministack.services import cloudwatch_logs as logs
from ministack.services.cloudformation import provisioners

from local.aws.apigateway import requests
from local.aws.seams import seam

logger = logging.getLogger("local.aws.access_logs")

PROPERTY = "AccessLogSetting"
NO_ROLE = "CloudWatch Logs role ARN must be set in account settings to enable logging"


def install() -> None:
    """Keep the setting of a stage, and write its log."""
    for name in ("_log_groups", "_append_log_events", "_fanout_to_subscription_filters"):
        seam(logs, name)
    seam(gateway, "_account_settings")
    handle = seam(gateway, "_handle_execute_in_scope")
    handler = seam(seam(provisioners, "_RESOURCE_HANDLERS"), "AWS::ApiGateway::Stage")
    create, update = seam(handler, "create"), seam(handler, "update")

    def create_stage(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        check_role(props)
        made = create(logical_id, props, stack_name)
        apply(props)
        return made

    def update_stage(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        check_role(new)
        made = update(physical_id, old, new, *rest)
        apply(new)
        return made

    async def handle_logged(api_id: str, stage_name: str, *args: Any) -> Any:
        begin = time.perf_counter()
        response = await handle(api_id, stage_name, *args)
        stage = gateway._stages_v1.get(api_id, {}).get(stage_name) or {}
        setting = stage.get("accessLogSettings") or {}
        request = requests.current()
        if setting.get("destinationArn") and request is not None:
            write(setting, line(setting.get("format", ""), request, response, begin))
        return response

    handler["create"], handler["update"] = create_stage, update_stage
    gateway._handle_execute_in_scope = handle_logged


def check_role(props: dict[str, Any]) -> None:
    """Raise ValueError, which fails the stack operation, where the account has no log role."""
    settings = gateway._account_settings.get("settings") or {}
    if PROPERTY in props and not settings.get("cloudwatchRoleArn"):
        raise ValueError(NO_ROLE)


def apply(props: dict[str, Any]) -> None:
    """Give a stage the setting of its template, or none."""
    setting = props.get(PROPERTY) or {}
    stage = gateway._stages_v1[props["RestApiId"]][props["StageName"]]
    names = (("destinationArn", "DestinationArn"), ("format", "Format"))
    stage["accessLogSettings"] = {own: setting[name] for own, name in names if name in setting}


def line(template: str, request: requests.Request, response: Any, begin: float) -> str:
    """Return the log line of an answered request; a variable without a value is a dash."""
    status, _headers, body = response
    known = request.variables() | {
        "context.status": str(status),
        "context.responseLength": str(len(body or b"")),
        "context.responseLatency": str(int((time.perf_counter() - begin) * 1000)),
    }
    return requests.VARIABLE.sub(
        lambda match: known.get(match.group(1) or match.group(2), "-"), template
    )


def write(setting: dict[str, Any], message: str) -> None:
    """Append a line to the log group, which must exist."""
    name = setting["destinationArn"].split(":log-group:")[-1].removesuffix(":*")
    group = logs._log_groups.get(name)
    if group is None:
        logger.error("no log group %s for access logs", name)
        return
    now = int(time.time() * 1000)
    stream = group["streams"].setdefault(
        "access",
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
    event = {"timestamp": now, "message": message}
    logs._append_log_events(stream, [{**event, "ingestionTime": now}])
    logs._fanout_to_subscription_filters(name, "access", [event])
