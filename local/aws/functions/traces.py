"""The trace of an invocation, and loops in it.

AWS gives a function the trace of who invoked it, in _X_AMZN_TRACE_ID; the SDK sends it with each
call of the function, so that a chain of invocations is one trace. Its Lineage counts the
invocations of the chain, and stops a loop after about 16 ("Use Lambda recursive loop detection").
MiniStack 1.5.33 makes a new trace for each invocation, and counts a chain by a header that its own
worker adds, for which it imports botocore into every function.
Seams: lambda_svc._xray_trace_id_for_invocation, _inbound_invoke_depth, _invoke, _invoke_depth.
"""

import contextvars
import re
from typing import Any

from ministack.services import lambda_svc

from local.aws.apigateway import requests
from local.aws.seams import seam

HEADER = "x-amzn-trace-id"
LINEAGE = re.compile(r";?Lineage=[0-9a-f]+:(\d+)")

# The trace header of the Invoke request that is being answered.
_inbound = contextvars.ContextVar("inbound", default="")


def depth_of(headers: dict[str, str]) -> int:
    """Return how many invocations led to a request of Invoke."""
    found = LINEAGE.search(headers.get(HEADER, ""))
    return int(found[1]) if found else 0


def install() -> None:
    """Hand the caller's trace on, with the length of the chain in it."""
    make_trace = seam(lambda_svc, "_xray_trace_id_for_invocation")
    invoke = seam(lambda_svc, "_invoke")
    seam(lambda_svc, "_invoke_depth")
    seam(lambda_svc, "_inbound_invoke_depth")

    def trace_of(config: dict[str, Any], inbound: str | None = None) -> str:
        request = requests.current()
        trace = inbound or _inbound.get() or (request.trace if request else "")
        # A function without active tracing has the id, too; it is not sampled.
        trace = trace or make_trace(config) or f"{requests.new_trace()};Sampled=0"
        depth = max(lambda_svc._invoke_depth.get(), 1)
        return f"{LINEAGE.sub('', trace)};Lineage={0:08x}:{depth}"

    async def invoke_traced(
        name: str, event: Any, headers: dict[str, str], *args: Any, **options: Any
    ) -> Any:
        token = _inbound.set(headers.get(HEADER, ""))
        try:
            return await invoke(name, event, headers, *args, **options)
        finally:
            _inbound.reset(token)

    lambda_svc._xray_trace_id_for_invocation = trace_of
    lambda_svc._inbound_invoke_depth = depth_of
    lambda_svc._invoke = invoke_traced
