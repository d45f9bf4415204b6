"""What is known of a request to a REST API: its id, trace and $context variables.

On AWS one id names a request everywhere: in the header x-amzn-RequestId, as $context.requestId in
templates and as requestContext.requestId in the function's event; a client may choose it by the
same header ("Variables for data models...": "Clients can override this request ID"). And a trace
header that the client did not send is made, passed on and answered.
MiniStack 1.5.33 makes a different id for each, no trace, and knows four $context variables.
Seams: apigateway_v1._execute_in_scope, _handle_execute_in_scope, _build_lambda_event_v1,
_iam_caller_identity.
"""

import contextvars
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.services import apigateway_v1 as gateway

from local.aws.seams import seam

_CHOSEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~`-]{1,128}")
VARIABLE = re.compile(r"\$(?:\{(context(?:\.\w+)+)\}|(context(?:\.[A-Za-z]\w*)+))")


@dataclass
class Request:
    """One request; `fields` is MiniStack's own record, filled as routing resolves it."""

    fields: dict[str, Any]
    method: str
    path: str
    body: bytes
    account: str
    started: float
    trace: str

    @property
    def id(self) -> str:
        """The id that the client, the templates and the function see."""
        return str(self.fields["request_id"])

    def header(self, name: str) -> str:
        """Return a header of the request, or an empty string."""
        return str(gateway._header_ci(self.fields["headers"], name))

    def variables(self) -> dict[str, str]:
        """Return $context variables by name, such as `context.httpMethod`."""
        moment = datetime.fromtimestamp(self.started, UTC)
        stage = self.fields["stage_name"]
        return {
            "context.accountId": self.account,
            "context.apiId": self.fields["api_id"],
            "context.domainName": self.header("host"),
            "context.extendedRequestId": self.id,
            "context.httpMethod": self.method,
            "context.identity.sourceIp": "127.0.0.1",
            "context.identity.userAgent": self.header("user-agent"),
            **self._caller(),
            "context.path": f"/{stage}{self.path}",
            "context.protocol": "HTTP/1.1",
            "context.requestId": self.id,
            "context.requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "context.requestTimeEpoch": str(int(self.started * 1000)),
            "context.resourcePath": self.fields["resource_path"],
            "context.stage": stage,
            "context.xrayTraceId": self.trace.partition("Root=")[2].partition(";")[0],
        }

    def _caller(self) -> dict[str, str]:
        fields = self.fields
        caller = gateway._iam_caller_identity(fields["headers"], fields["query_params"]) or {}
        names = ("accountId", "caller", "user", "userArn")
        return {f"context.identity.{name}": str(caller.get(name) or "") for name in names}

    def render(self, template: str) -> str:
        """Replace the $context variables of a template; an unknown one stays as it is."""
        known = self.variables()
        return VARIABLE.sub(
            lambda match: known.get(match.group(1) or match.group(2), match.group(0)), template
        )


_current: contextvars.ContextVar[Request | None] = contextvars.ContextVar("request", default=None)


def current() -> Request | None:
    """Return the request that is being answered, or None before it reached a deployment."""
    return _current.get()


def new_trace() -> str:
    """Return a trace header in the form of X-Ray: version, epoch seconds in hex, 96 random bits."""
    return f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"


def install() -> None:
    """Keep the request at hand while it is answered, and give it one id."""
    execute = seam(gateway, "_execute_in_scope")
    build = seam(gateway, "_build_lambda_event_v1")
    seam(gateway, "_iam_caller_identity")

    async def execute_known(
        fields: dict[str, Any],
        api_id: str,
        stage_name: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        account: str,
        region: str,
    ) -> Any:
        trace = str(gateway._header_ci(headers, "x-amzn-trace-id")) or new_trace()
        chosen = str(gateway._header_ci(headers, "x-amzn-requestid"))
        if _CHOSEN.fullmatch(chosen):
            fields["request_id"] = chosen
        _current.set(Request(fields, method, path, body, account, time.time(), trace))
        response = await execute(
            fields,
            api_id,
            stage_name,
            method,
            path,
            headers,
            body,
            query_params,
            account,
            region,
        )
        if isinstance(response, tuple):
            # One name in one case: the server would send both spellings.
            response[1].update({"x-amzn-requestid": fields["request_id"]})
            response[1].setdefault("X-Amzn-Trace-Id", trace)
        return response

    def build_event(*args: Any, **options: Any) -> Any:
        event = build(*args, **options)
        request = current()
        if request is not None:
            event["requestContext"]["requestId"] = request.id
            event["headers"].setdefault("x-amzn-trace-id", request.trace)
            event["multiValueHeaders"].setdefault("x-amzn-trace-id", [request.trace])
        return event

    gateway._execute_in_scope = execute_known
    gateway._build_lambda_event_v1 = build_event
