"""Asynchronous invocations.

AWS retries them and sends the last failure to a destination as the configuration of the invoked
version or alias says, whoever invoked: Invoke, an event rule or an alarm ("Asynchronous
invocation", Lambda Developer Guide).
MiniStack 1.5.33 reads the configuration of $LATEST only, and neither retries nor tells of a
failure when a rule invoked.
Seams: lambda_svc.invoke_async_with_retry, eventbridge._dispatch_to_lambda.
"""

import json
import logging
from typing import Any

from ministack.services import eventbridge, lambda_svc

from local.aws.functions import aliases
from local.aws.seams import seam

logger = logging.getLogger("local.aws.asynchronous")


def install() -> None:
    """Invoke asynchronously by the configuration of what was invoked."""
    invoke_async = seam(lambda_svc, "invoke_async_with_retry")
    seam(lambda_svc, "_get_func_record_for_ref")
    seam(eventbridge, "_dispatch_to_lambda")

    def invoke_as_configured(func: dict[str, Any], event: Any) -> None:
        func = aliases.as_invoked(func)
        config = func["config"]
        name = config["FunctionName"]
        qualifier = config["FunctionArn"].partition(f":function:{name}:")[2] or "$LATEST"
        stored = (lambda_svc._functions.get(name) or {}).get("event_invoke_configs") or {}
        invoke_async({**func, "event_invoke_config": stored.get(qualifier)}, event)

    def dispatch_to_lambda(arn: str, payload: str) -> None:
        record, config, name = lambda_svc._get_func_record_for_ref(arn)
        if record is None or config is None:
            logger.error("no function %s, which a rule or an alarm names: %s", name, arn)
            return
        func = lambda_svc._execution_record_for_config(record, config)
        lambda_svc.invoke_async_with_retry(func, json.loads(payload))

    lambda_svc.invoke_async_with_retry = invoke_as_configured
    eventbridge._dispatch_to_lambda = dispatch_to_lambda
