"""Mapping templates of integrations with other services, and what their responses override.

AWS renders `$context` variables and `$util.base64Encode` in the request template of an integration,
lets a response template set `$context.responseOverride.header.<name>` and
`$context.responseOverride.status`, maps response headers from `context.*`, and calls the service
with the integration's role ("Mapping template reference", "Override your API's request and response
parameters").
MiniStack 1.5.33 renders all of `$context` but an authorizer's, and `$util` but urlEncode, as
nothing, ignores overrides, answers the name of a context variable for its value, and asks for no
permission. What is still not known here is an error, which answers 500.
Seams: apigateway_v1._vtl_resolve, _vtl_util, _vtl_set, _service_integration_response,
_invoke_sqs_v1.
"""

import base64
import contextvars
import logging
import re
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway_v1 as gateway

from local.aws.apigateway import requests
from local.aws.permissions import role_allows
from local.aws.seams import seam

logger = logging.getLogger("local.aws.apigateway")

SEND = "sqs:SendMessage"
_OVERRIDE = re.compile(
    r"\s*\$!?\{?context\.responseOverride\.(?:header\.([A-Za-z0-9-]+)|(status))\}?\s*=(.*)",
    re.DOTALL,
)
_overrides: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar(
    "overrides", default=None
)


class NotEmulatedError(NotImplementedError):
    """A template uses what is not emulated."""


def install() -> None:
    """Render what AWS renders, and ask for permission before a queue is called."""
    _render_variables()
    _apply_overrides()
    _ask_for_permission()


def _render_variables() -> None:
    resolve = seam(gateway, "_vtl_resolve")
    seam(gateway, "_vtl_util")

    def resolved(reference: Any, state: dict[str, Any]) -> Any:
        _end, _quiet, root, steps = reference
        request = requests.current()
        names = [name for name, _arguments in steps]
        if root != "context" or request is None or names[:1] == ["authorizer"]:
            return resolve(reference, state)
        variable = ".".join(["context", *names])
        known = request.variables()
        if variable not in known:
            raise NotEmulatedError(f"${variable} is not emulated")
        return known[variable]

    def utility(steps: list[tuple[str, str | None]], state: dict[str, Any]) -> Any:
        name, arguments = steps[0] if steps else ("", None)
        if arguments is None or name not in ("urlEncode", "base64Encode"):
            raise NotEmulatedError(f"$util.{name} is not emulated")
        if name == "urlEncode":
            return encode(steps, state)
        value = gateway._vtl_value(gateway._vtl_split_args(arguments)[0], state)
        return base64.b64encode(gateway._vtl_str(value).encode()).decode()

    encode = gateway._vtl_util
    gateway._vtl_resolve = resolved
    gateway._vtl_util = utility


def _apply_overrides() -> None:
    assign = seam(gateway, "_vtl_set")
    respond = seam(gateway, "_service_integration_response")

    def assigned(inner: str, state: dict[str, Any]) -> None:
        found = _OVERRIDE.fullmatch(inner)
        if found is None:
            assign(inner, state)
            return
        overrides = _overrides.get()
        if overrides is None:
            raise NotEmulatedError("an override outside of a response template is not emulated")
        overrides[found[1] or found[2]] = gateway._vtl_str(gateway._vtl_value(found[3], state))

    def responded(*args: Any, **options: Any) -> Any:
        overrides: dict[str, str] = {}
        token = _overrides.set(overrides)
        try:
            status, headers, body = respond(*args, **options)
        finally:
            _overrides.reset(token)
        request = requests.current()
        known = request.variables() if request else {}
        headers = {name: known.get(value, value) for name, value in headers.items()}
        status = int(overrides.pop("status", status))
        return status, {**headers, **overrides}, body

    gateway._vtl_set = assigned
    gateway._service_integration_response = responded


def _ask_for_permission() -> None:
    invoke = seam(gateway, "_invoke_sqs_v1")

    async def invoke_permitted(integration: dict[str, Any], *args: Any, **options: Any) -> Any:
        _account, _, queue = integration.get("uri", "").rpartition(":path/")[2].partition("/")
        arn = f"arn:aws:sqs:{get_region()}:{get_account_id()}:{queue}"
        role = integration.get("credentials") or ""
        if not role_allows("apigateway.amazonaws.com", role, SEND, arn):
            logger.error("the API's role %s may not send to %s", role, arn)
            return gateway._GatewayError("API_CONFIGURATION_ERROR", "Internal server error")
        try:
            return await invoke(integration, *args, **options)
        except NotEmulatedError as error:
            logger.error("%s", error)
            return gateway._GatewayError("API_CONFIGURATION_ERROR", str(error))

    gateway._invoke_sqs_v1 = invoke_permitted
