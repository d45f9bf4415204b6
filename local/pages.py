"""The operations pages of the local stack: measured now, written by itself, put on disk."""

import json
from collections.abc import Callable
from pathlib import Path

from boringml.monitoring.write_pages import FOLDER, INDEX
from local.paths import DEFAULT_HOME
from local.up import Deployed

PAGES = DEFAULT_HOME / "pages"
# What their schedules run hourly on AWS; a stack may have any of them.
MEASURES = ("MeasureDriftFunction", "MeasureQualityFunction", "MeasureCostFunction")
WRITES = "WritePagesFunction"

Say = Callable[[str], None]


def write_pages(deployed: Deployed, say: Say) -> Path:
    """Measure all models, write their pages and download them; return the path of the index.

    Raises RuntimeError where one of the functions fails, or where a part could not be read.
    """
    functions = _functions(deployed)
    for name in MEASURES:
        if name in functions:
            _invoke(deployed, functions[name])
            say(f"measured by {name}")
    unread = _invoke(deployed, functions[WRITES])["unread"]
    if unread:
        raise RuntimeError(f"the pages lack {unread}")
    s3, bucket = deployed.local_aws.client("s3"), deployed.outputs["LakeBucket"]
    PAGES.mkdir(parents=True, exist_ok=True)
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=FOLDER)["Contents"]:
        s3.download_file(bucket, item["Key"], str(PAGES / item["Key"].removeprefix(FOLDER)))
    return PAGES / INDEX.removeprefix(FOLDER)


def _functions(deployed: Deployed) -> dict[str, str]:
    """Return {logical id: name} of the stack's own functions."""
    pages = deployed.local_aws.client("cloudformation").get_paginator("list_stack_resources")
    return {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for page in pages.paginate(StackName=deployed.stack_name)
        for item in page["StackResourceSummaries"]
        if item["ResourceType"] == "AWS::Lambda::Function"
    }


def _invoke(deployed: Deployed, function: str) -> dict[str, dict[str, str]]:
    answer = deployed.local_aws.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    found = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise RuntimeError(f"{function} failed: {found}")
    return dict(found or {})
