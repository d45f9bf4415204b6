"""Metrics of a REST API.

AWS records Count, 4XXError, 5XXError and Latency of each request, by ApiName, by ApiName and
Stage, and with detailed metrics by Method and Resource, too ("Amazon API Gateway dimensions and
metrics"); here always.
MiniStack 1.5.33 records none.
Seam: apigateway_v1._handle_execute_in_scope.
"""

import time
from typing import Any

from ministack.services import apigateway_v1 as gateway
from ministack.services import cloudwatch

from local.aws.apigateway import requests
from local.aws.seams import seam

NAMESPACE = "AWS/ApiGateway"


def install() -> None:
    """Record the metrics of every request that reaches a stage."""
    handle = seam(gateway, "_handle_execute_in_scope")
    seam(cloudwatch, "record_metric")

    async def measured(api_id: str, stage_name: str, *args: Any) -> Any:
        begin = time.perf_counter()
        response = await handle(api_id, stage_name, *args)
        api = gateway._rest_apis.get(api_id)
        if api is not None and stage_name in gateway._stages_v1.get(api_id, {}):
            status = int(response[0])
            values = {
                "Count": (1.0, "Count"),
                "4XXError": (float(400 <= status < 500), "Count"),
                "5XXError": (float(status >= 500), "Count"),
                "Latency": ((time.perf_counter() - begin) * 1000, "Milliseconds"),
            }
            sets = [{"ApiName": api["name"]}, {"ApiName": api["name"], "Stage": stage_name}]
            request = requests.current()
            if request is not None and (resource := request.fields.get("resource_path")):
                sets.append({**sets[1], "Method": request.method, "Resource": resource})
            for dimensions in sets:
                for metric, (value, unit) in values.items():
                    cloudwatch.record_metric(NAMESPACE, metric, value, unit, dimensions)
        return response

    gateway._handle_execute_in_scope = measured
