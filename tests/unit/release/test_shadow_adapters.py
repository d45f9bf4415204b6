"""What CloudWatch Logs and Lambda answer, as a shadow sees it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from boringml.adapters.prediction_log_reader import PredictionLogReader
from boringml.adapters.serving_function import ServingFunction
from boringml.errors import BoringError


def stubbed(service: str) -> Any:
    client = boto3.client(  # type: ignore[call-overload]
        service, "eu-west-1", aws_access_key_id="a", aws_secret_access_key="s"
    )
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber


@pytest.fixture
def logs() -> Iterator[tuple[PredictionLogReader, Stubber]]:
    client, stubber = stubbed("logs")
    yield PredictionLogReader(client, "a-group"), stubber
    stubber.assert_no_pending_responses()


@pytest.fixture
def function() -> Iterator[tuple[ServingFunction, Stubber]]:
    client, stubber = stubbed("lambda")
    yield ServingFunction(client, "credit-predict"), stubber
    stubber.assert_no_pending_responses()


def test_a_page_has_the_json_lines_and_the_token_of_the_next(logs: Any) -> None:
    reader, stubber = logs
    messages = ['{"a": 1}', 'INFO {"a": 2}\n', "START RequestId", "[1]", "{broken"]
    events = [{"timestamp": at, "message": text} for at, text in enumerate(messages)]
    stubber.add_response(
        "filter_log_events",
        {"events": events, "nextToken": "more"},
        {"logGroupName": "a-group", "startTime": 7},
    )
    stubber.add_response(
        "filter_log_events",
        {"events": []},
        {"logGroupName": "a-group", "startTime": 7, "nextToken": "more"},
    )
    page = reader.page(7)
    assert (page.lines, page.token) == (((0, {"a": 1}), (1, {"a": 2})), "more")
    assert reader.page(7, page.token).token is None


def test_a_log_that_is_read_too_often_may_be_read_later(logs: Any) -> None:
    reader, stubber = logs
    stubber.add_client_error("filter_log_events", "ThrottlingException")
    with pytest.raises(BoringError) as refused:
        reader.page(7)
    assert (refused.value.code, refused.value.status) == ("log_busy", 429)


def test_a_function_without_room_is_told_from_one_that_fails(function: Any) -> None:
    served, stubber = function
    stubber.add_client_error("invoke", "TooManyRequestsException")
    with pytest.raises(BoringError) as refused:
        served.invoke("11", {})
    assert (refused.value.code, refused.value.status) == ("function_throttled", 429)


@pytest.mark.parametrize(
    ("configuration", "group"),
    [
        ({"LoggingConfig": {"LogGroup": "a-group"}}, "a-group"),
        ({}, "/aws/lambda/credit-predict"),
    ],
)
def test_a_version_tells_where_it_logs(function: Any, configuration: Any, group: str) -> None:
    served, stubber = function
    stubber.add_response(
        "get_function_configuration",
        configuration,
        {"FunctionName": "credit-predict", "Qualifier": "10"},
    )
    assert served.log_group("10") == group
