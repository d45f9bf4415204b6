"""What is not emulated fails, by its name.

AWS does what it is asked. MiniStack 1.5.33 answers an unknown service with a body that clients
cannot read, and accepts some requests that it then ignores: those are refused here, for the
services that the application uses.
Seams: app.SERVICE_HANDLERS; the operations and resource types named below.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack import app
from ministack.services import cloudwatch, eventbridge

from local.aws.seams import seam

CODE = "NotEmulatedException"
Response = tuple[int, dict[str, str], bytes]


def message(what: str) -> str:
    """Return what a client is told."""
    return f"{what} is not emulated by the local AWS: see docs/flows/local.md"


def refusal(what: str, headers: dict[str, str]) -> Response:
    """Return an error that the client's SDK can read, whatever protocol it speaks."""
    kind = headers.get("content-type", "")
    if "cbor" in kind or "cbor" in headers.get("smithy-protocol", ""):
        import cbor2

        body = cbor2.dumps({"__type": CODE, "message": message(what)})
        return 400, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, body
    if "x-www-form-urlencoded" in kind:
        error = f"<Code>{CODE}</Code><Message>{escape(message(what))}</Message>"
        text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
        return 400, {"Content-Type": "text/xml"}, text.encode()
    body = json.dumps({"__type": CODE, "message": message(what)}).encode()
    return 400, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": CODE}, body


def operation_name(method: str, path: str, headers: dict[str, str], body: bytes) -> str:
    """Return how a request names its operation."""
    if target := headers.get("x-amz-target"):
        return target.rsplit(".", 1)[-1]
    if found := re.search(rb"(?:^|&)Action=(\w+)", body or b""):
        return found[1].decode()
    if found_path := re.search(r"/operation/(\w+)", path):
        return found_path[1]
    return f"{method} {path}"


class Handlers(dict[str, Any]):
    """MiniStack's services by name; one that is not there refuses."""

    def get(self, service: str, default: Any = None) -> Any:
        """Return the handler of a service."""
        found = super().get(service, default)
        return found if found is not None else _refuse_service(service)


def _refuse_service(service: str) -> Callable[..., Any]:
    async def handler(
        method: str, path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]
    ) -> Response:
        return refusal(f"{service}:{operation_name(method, path, headers, body)}", headers)

    return handler


def install() -> None:
    """Refuse unknown services, and requests whose effect MiniStack leaves out."""
    app.SERVICE_HANDLERS = Handlers(seam(app, "SERVICE_HANDLERS"))
    _refuse_metric_math()
    _refuse_rule_targets()


def _refuse_metric_math() -> None:
    put_alarm = seam(cloudwatch, "_put_metric_alarm")
    get_data = seam(cloudwatch, "_get_metric_data")
    error = seam(cloudwatch, "_error")

    def refused(what: str, is_cbor: bool, is_json: bool) -> Any:
        return error(CODE, message(what), 400, use_json=is_json, use_cbor=is_cbor)

    def put_metric_alarm(
        params: dict[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> Any:
        if data.get("Metrics") or "Metrics.member.1.Id" in params:
            return refused("an alarm on metric math (Metrics)", is_cbor, is_json)
        return put_alarm(params, data, is_cbor, is_json)

    def get_metric_data(
        params: dict[str, Any], data: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> Any:
        queries = data.get("MetricDataQueries") or []
        if any(query.get("Expression") for query in queries):
            return refused("metric math (MetricDataQueries.Expression)", is_cbor, is_json)
        return get_data(params, data, is_cbor, is_json)

    cloudwatch._put_metric_alarm = put_metric_alarm
    cloudwatch._get_metric_data = get_metric_data


def _refuse_rule_targets() -> None:
    """Rules do not deliver to these."""
    put_targets = seam(eventbridge, "_put_targets")

    def put_checked_targets(data: dict[str, Any]) -> Any:
        for target in data.get("Targets") or []:
            service = str(target.get("Arn", "")).split(":")[2:3]
            if service in (["firehose"], ["logs"]):
                return refusal(f"an event rule's target in {service[0]}", {})
        return put_targets(data)

    eventbridge._put_targets = put_checked_targets
