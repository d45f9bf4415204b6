"""What the business tells becomes a metric of the version that answered, once."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from boringml.adapters.outcomes_table import KEPT_SECONDS, OutcomesTable
from boringml.errors import BoringError
from boringml.release.outcomes import outcome_id, outcome_line

SAMPLE = json.loads((Path(__file__).parents[3] / "events/release/record_outcome.json").read_text())
DETAIL = SAMPLE["detail"]


@pytest.mark.parametrize(("good", "bad"), [(True, 0), (False, 1)])
def test_an_outcome_is_a_metric_of_the_version_that_answered(good: bool, bad: int) -> None:
    line = json.loads(outcome_line("LoanAccepted", {**DETAIL, "good": good}, "BoringML/a-stack"))
    expected = {
        "model": "credit",
        "model_version": "2",
        "outcome": "LoanAccepted",
        "outcomes": 1,
        "bad_outcomes": bad,
        "request_id": DETAIL["request_id"],
    }
    assert expected.items() <= line.items()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "BoringML/a-stack"
    assert directive["Dimensions"] == [["model", "model_version", "outcome"]]
    assert [metric["Name"] for metric in directive["Metrics"]] == ["outcomes", "bad_outcomes"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "a secret"),
        ("model", "x" * 33),
        ("model", 7),
        ("model_version", True),
        ("model_version", 0),
        ("model_version", "2"),
        ("request_id", ""),
        ("request_id", "x" * 129),
        ("request_id", "a secret"),
        ("good", "a secret"),
        ("good", 1),
        ("good", None),
    ],
)
def test_what_is_no_outcome_is_refused_without_its_value(field: str, value: Any) -> None:
    for use in (outcome_id, lambda kind, detail: outcome_line(kind, detail, "a-namespace")):
        with pytest.raises(BoringError) as refused:
            use("LoanAccepted", {**DETAIL, field: value})
        assert refused.value.body()["error"]["field"] == field
        assert "secret" not in refused.value.message


def test_an_outcome_is_of_one_request_model_and_kind() -> None:
    ids = {
        outcome_id("LoanAccepted", DETAIL),
        outcome_id("LoanRepaid", DETAIL),
        outcome_id("LoanAccepted", {**DETAIL, "model": "churn"}),
        outcome_id("LoanAccepted", {**DETAIL, "request_id": "another"}),
    }
    assert len(ids) == 4
    # Told once more, whatever it says then.
    assert outcome_id("LoanAccepted", {**DETAIL, "good": False}) in ids


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="outcomes",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "outcome", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "outcome", "KeyType": "HASH"}],
        )
        yield client


def test_an_outcome_is_counted_once_and_by_a_repeated_invocation_again(table: Any) -> None:
    outcomes = OutcomesTable(table, "outcomes", lambda: 1000.0)
    assert outcomes.claim("credit/LoanAccepted/r-1", "invocation-1")
    assert not outcomes.claim("credit/LoanAccepted/r-1", "invocation-2")
    assert outcomes.claim("credit/LoanAccepted/r-1", "invocation-1")
    assert outcomes.claim("credit/LoanAccepted/r-2", "invocation-2")
    (item, _) = table.scan(TableName="outcomes")["Items"]
    assert item["expires_at"]["N"] == str(1000 + KEPT_SECONDS)
