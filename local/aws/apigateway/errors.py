"""Answers of API Gateway itself: gateway responses, for all that goes wrong.

AWS answers 502 where a Lambda function failed or returned no proper proxy response, 500 and no 429
where Lambda had no room for it ("Execution failed due to configuration error: Rate Exceeded", says
its execution log), 504 (INTEGRATION_TIMEOUT) after the integration's timeoutInMillis, 413
(REQUEST_TOO_LARGE) above 10 MB and 403 (ACCESS_DENIED) to a signed request without permission: each
through the API's gateway responses, whose templates know the $context variables, and where a status
of DEFAULT_4XX or DEFAULT_5XX is the status of every type that has none of its own ("Gateway
response types").
MiniStack 1.5.33 answers the function's error text as body, a throttled function's 429, waits for
ever, knows no limit, answers a denial outside of the gateway responses, and keeps each type's own
status.
Seams: apigateway_v1._invoke_lambda_proxy_v1, _lambda_proxy_response, _gateway_error_response,
_gateway_response_for_type, _gateway_request_value, _check_request_validation,
authentication_error_response, app._enforce_execute_api.
"""

import asyncio
import json
from typing import Any

from ministack import app
from ministack.services import apigateway_v1 as gateway

from local.aws.apigateway import requests
from local.aws.seams import seam

# "API Gateway quotas": payload size of a REST API.
MAX_BODY_BYTES = 10 * 1024 * 1024
DEFAULT_TIMEOUT_MS = 29_000
# Invocations that outlive their request; kept, or the loop might drop them.
_orphans: set["asyncio.Task[Any]"] = set()


class FunctionFailedError(Exception):
    """The function raised, did not start, or returned no proxy response."""


class FunctionThrottledError(Exception):
    """Lambda did not take the request."""


def is_proxy_response(payload: Any) -> bool:
    """Return whether API Gateway takes the function's result for an HTTP response."""
    if not isinstance(payload, dict):
        return False
    status = str(payload.get("statusCode", ""))
    return (
        status.isdigit()
        and 100 <= int(status) <= 599
        and isinstance(payload.get("headers") or {}, dict)
        and isinstance(payload.get("multiValueHeaders") or {}, dict)
        and isinstance(payload.get("body") or "", str)
    )


def install() -> None:
    """Send every error through the API's gateway responses."""
    _answer_function_errors()
    _render_all_variables()
    _inherit_status()
    _limit_bodies()
    _answer_denials()


def _answer_function_errors() -> None:
    proxy = seam(gateway, "_invoke_lambda_proxy_v1")
    seam(gateway, "_lambda_proxy_response")
    throttled = gateway._GatewayError("API_CONFIGURATION_ERROR", "Internal server error")
    failed = gateway._GatewayError("DEFAULT_5XX", "Internal server error")
    timed_out = gateway._GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out")

    def proxy_response(result: dict[str, Any]) -> Any:
        if result.get("throttle"):
            raise FunctionThrottledError
        if result.get("error") or not is_proxy_response(result.get("body")):
            raise FunctionFailedError
        return result["body"], None

    async def invoke_in_time(integration: dict[str, Any], *args: Any, **options: Any) -> Any:
        seconds = float(integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS) / 1000
        task = asyncio.create_task(proxy(integration, *args, **options))
        # Not wait_for: the function runs on, and a cancelled call would wait for its end.
        done, _pending = await asyncio.wait({task}, timeout=seconds)
        if not done:
            _orphans.add(task)
            task.add_done_callback(_forget)
            return timed_out
        try:
            return task.result()
        except FunctionFailedError:
            return failed
        except FunctionThrottledError:
            return throttled

    gateway._lambda_proxy_response = proxy_response
    gateway._invoke_lambda_proxy_v1 = invoke_in_time
    _render_as_502(failed)


def _forget(task: "asyncio.Task[Any]") -> None:
    _orphans.discard(task)
    if not task.cancelled():
        task.exception()


def _render_as_502(failed: Any) -> None:
    """DEFAULT_5XX has no status of its own; that of a failed function is 502."""
    render = seam(gateway, "_gateway_error_response")

    def render_error(error: Any, request: dict[str, Any]) -> Any:
        status, headers, body = render(error, request)
        if error is failed and not _customised(request, "DEFAULT_5XX").get("statusCode"):
            status = 502
        return status, headers, body

    gateway._gateway_error_response = render_error


def _customised(request: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the gateway response that the stage's deployment has for a type, or an empty one."""
    api_id, stage = request["api_id"], request["stage"]
    deployed = gateway._deployed_gateway_responses.get(api_id, {}).get(stage.get("deploymentId"))
    found: dict[str, Any] = (deployed or gateway._gateway_responses.get(api_id, {})).get(kind, {})
    return found


def _render_all_variables() -> None:
    render = seam(gateway, "_gateway_error_response")
    value_of = seam(gateway, "_gateway_request_value")

    def render_error(error: Any, request: dict[str, Any]) -> Any:
        status, headers, body = render(error, request)
        known = requests.current()
        if known is not None:
            headers.setdefault("X-Amzn-Trace-Id", known.trace)
            body = known.render(body.decode()).encode()
        return status, headers, body

    def request_value(source: str, request: dict[str, Any]) -> Any:
        known = requests.current()
        if known is not None and source in (variables := known.variables()):
            return variables[source]
        return value_of(source, request)

    gateway._gateway_error_response = render_error
    gateway._gateway_request_value = request_value


def _inherit_status() -> None:
    response_for = seam(gateway, "_gateway_response_for_type")
    family_of = seam(gateway, "_gateway_response_family")

    def response_for_type(customised: dict[str, Any], kind: str) -> Any:
        response = response_for(customised, kind)
        status = customised.get(family_of(kind), {}).get("statusCode")
        if kind not in customised and status:
            response["statusCode"] = status
        return response

    gateway._gateway_response_for_type = response_for_type


def _limit_bodies() -> None:
    check = seam(gateway, "_check_request_validation")

    def check_request(
        method: dict[str, Any],
        api_id: str,
        request: dict[str, Any],
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
    ) -> Any:
        if len(body or b"") > MAX_BODY_BYTES:
            return gateway._GatewayError("REQUEST_TOO_LARGE", "Request Too Long")
        # A body is checked against the model of its own content type alone ("Request validation").
        kind = str(gateway._header_ci(headers, "content-type")) or "application/json"
        models = method.get("requestModels") or {}
        model = models.get(kind.split(";", 1)[0].strip()) or models.get("$default")
        checked = {**method, "requestModels": {"application/json": model} if model else {}}
        return check(checked, api_id, request, headers, body, query_params)

    gateway._check_request_validation = check_request


def _answer_denials() -> None:
    enforce = seam(app, "_enforce_execute_api")
    seam(gateway, "authentication_error_response")

    def enforce_execute_api(
        api_id: str,
        stage: str,
        method: str,
        path: str,
        headers: dict[str, str],
        query_params: dict[str, Any],
        iam_action: str = "execute-api:Invoke",
    ) -> Any:
        refused = enforce(api_id, stage, method, path, headers, query_params, iam_action)
        # A failed authentication is answered by a gateway response already.
        if refused is None or "x-amzn-requestid" in refused[1]:
            return refused
        content = json.loads(refused[2])
        return _denied(api_id, stage, content.get("message") or content.get("Message"), headers)

    app._enforce_execute_api = enforce_execute_api


def _denied(api_id: str, stage_name: str, message: str, headers: dict[str, str]) -> Any:
    scope = gateway.find_api_scope(api_id)
    stage = gateway.stages_for_api(api_id).get(stage_name)
    request = {
        "api_id": api_id,
        "stage_name": stage_name,
        "stage": stage,
        "headers": headers,
        "query_params": {},
        "path_params": {},
        "resource_path": "",
        "request_id": gateway.new_uuid(),
    }
    with gateway.request_scope(*scope):
        return gateway._gateway_error_response(
            gateway._GatewayError("ACCESS_DENIED", message), request
        )
