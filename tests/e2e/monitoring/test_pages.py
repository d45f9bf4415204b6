"""The operations pages of the deployed stack: after a release, with its numbers, and in part."""

import json
from typing import Any

import pytest

from boringml.monitoring.write_pages import INDEX, key_of
from local.datasets import credit_records
from tests.e2e.conftest import Stack

pytestmark = pytest.mark.local_aws

REQUESTS = 25


def page(stack: Stack, key: str) -> str:
    """Return a page as it lies in the lake, or nothing while it does not."""
    s3 = stack.local_aws.client("s3")
    found = s3.list_objects_v2(Bucket=stack.outputs["LakeBucket"], Prefix=key)
    if not found.get("Contents"):
        return ""
    answer = s3.get_object(Bucket=stack.outputs["LakeBucket"], Key=key)
    assert answer["ContentType"] == "text/html; charset=utf-8"
    assert answer["CacheControl"] == "no-store"
    return str(answer["Body"].read().decode())


def write(stack: Stack) -> dict[str, Any]:
    """Ask for the pages now, as the schedule does."""
    answer = stack.local_aws.client("lambda").invoke(
        FunctionName=stack.outputs["WritePagesFunction"], Payload=b"{}"
    )
    found = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, found
    return dict(found)


def test_a_release_writes_the_pages_by_itself(live: Stack) -> None:
    live.until(lambda: "Version 1 went live" in page(live, key_of("credit")), "the page of credit")
    live.until(lambda: "credit.html" in page(live, INDEX), "the page of the platform")


def test_a_page_has_the_numbers_of_live(live: Stack) -> None:
    for record in credit_records()[:REQUESTS]:
        assert live.api.predict("credit", record).status == 200
    written = write(live)
    assert written["unread"] == {}
    assert set(written["pages"]) == {INDEX, *map(key_of, ("churn", "credit", "reviews"))}
    told = page(live, key_of("credit"))
    assert "Requests by version" in told
    assert "version 1 is live" in told


def test_what_may_not_be_read_is_told_and_the_rest_is_there(live: Stack) -> None:
    with live.denied("WritePagesFunctionRole", ["cloudwatch:GetMetricData"]):
        written = write(live)
    assert "credit.traffic" in written["unread"]
    told = page(live, key_of("credit"))
    assert "Could not be read." in told
    assert "Version 1 went live" in told
