"""The operations pages of the local stack: measured now, written by itself, put on disk."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from boringml.monitoring.write_pages import FOLDER, INDEX
from local.paths import DEFAULT_HOME
from local.predictions import PredictionClient
from local.telling import Say
from local.traffic import Sent
from local.up import Deployed

PAGES = DEFAULT_HOME / "pages"
# What their schedules run hourly on AWS; a stack may have any of them.
MEASURES = ("MeasureDriftFunction", "MeasureQualityFunction", "MeasureCostFunction")
_HOUR = timedelta(hours=1)
# What one POST of labels takes.
_LABELS = 1000
WRITES = "WritePagesFunction"


def write_pages(deployed: Deployed, say: Say) -> Path:
    """Measure all models, write their pages and download them; return the path of the index.

    Raises RuntimeError where one of the functions fails, or where a part could not be read.
    """
    functions = _functions(deployed)
    for name in MEASURES:
        if name in functions:
            _invoke(deployed, functions[name], _up_to(datetime.now(UTC)))
            say(f"measured by {name}")
    unread = _invoke(deployed, functions[WRITES], {})["unread"]
    if unread:
        raise RuntimeError(f"the pages lack {unread}")
    s3, bucket = deployed.local_aws.client("s3"), deployed.outputs["LakeBucket"]
    PAGES.mkdir(parents=True, exist_ok=True)
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=FOLDER)["Contents"]:
        s3.download_file(bucket, item["Key"], str(PAGES / item["Key"].removeprefix(FOLDER)))
    return PAGES / INDEX.removeprefix(FOLDER)


def tell_labels(
    client: PredictionClient, model: str, sent: Sequence[Sent], labels: Sequence[str]
) -> int:
    """Post what became of each answered request, `labels` by record; return how many were taken."""
    now = datetime.now(UTC).isoformat()
    known = [
        {"request_id": item.request_id, "record": 0, "at": now, "label": labels[item.record]}
        for item in sent
        if item.status == 200
    ]
    taken = 0
    for start in range(0, len(known), _LABELS):
        body = json.dumps(known[start : start + _LABELS]).encode()
        answer = client.post(model, body, "application/json", route="labels")
        if answer.status != 200 or answer.body["refused"]:
            raise RuntimeError(f"labels were refused: {answer.status} {answer.body}")
        taken += answer.body["accepted"]
    return taken


def _up_to(now: datetime) -> dict[str, str]:
    """Ask for a look up to this moment: schedules look at hours that are over.

    `at` is what drift takes, `end` what cost does, which is of whole hours.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    return {"at": now.isoformat(), "end": (hour + _HOUR).isoformat()}


def _functions(deployed: Deployed) -> dict[str, str]:
    """Return {logical id: name} of the stack's own functions."""
    pages = deployed.local_aws.client("cloudformation").get_paginator("list_stack_resources")
    return {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for page in pages.paginate(StackName=deployed.stack_name)
        for item in page["StackResourceSummaries"]
        if item["ResourceType"] == "AWS::Lambda::Function"
    }


def _invoke(deployed: Deployed, function: str, event: dict[str, str]) -> dict[str, Any]:
    answer = deployed.local_aws.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps(event).encode()
    )
    found = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise RuntimeError(f"{function} failed: {found}")
    return dict(found or {})
