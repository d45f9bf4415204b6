"""How commands fail: with an exit code to trust, one message that says what to do, no trace."""

import json
from typing import Any

import boto3
import pytest
from botocore import exceptions as aws
from typer.testing import CliRunner

from boringml_cli import session
from boringml_cli.failures import failure_of
from boringml_cli.main import app
from tests.unit.cli.conftest import World
from tests.unit.cli.states import refused


def test_without_a_stack_it_says_how_to_name_one(shell: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 2
    assert "BORINGML_STACK" in result.stderr


def test_a_stack_that_is_not_there(world: World) -> None:
    result = CliRunner().invoke(app, ["status", "--stack", "other", "--json"])
    assert (result.exit_code, result.stdout) == (3, "")
    error = json.loads(result.stderr)["error"]
    assert error["code"] == "stack_not_found"
    assert "us-east-1" in error["message"]


def test_a_stack_of_something_else(world: World) -> None:
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    boto3.client("cloudformation").create_stack(
        StackName="other", TemplateBody=json.dumps(template)
    )
    result = CliRunner().invoke(app, ["status", "--stack", "other"])
    assert result.exit_code == 3
    assert "no output RegistryTable" in result.stderr


def test_the_stack_may_be_named_by_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BORINGML_STACK", "boringml-test")
    assert CliRunner().invoke(app, ["status"]).exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["history", "credit"],
        ["at", "credit", "2026-11-24T12:00Z"],
        ["release", "credit", "1"],
        ["approve", "credit"],
        ["rollback", "credit"],
        ["diff", "credit", "1", "2"],
        ["shadow", "credit"],
    ],
)
def test_a_model_that_is_not_there(world: World, words: list[str]) -> None:
    error = world.refusal(*words)
    assert error["code"] == "model_not_found"
    assert world.states.started == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (aws.NoCredentialsError(), "no_credentials"),
        (aws.ProfileNotFound(profile="other"), "no_credentials"),
        (aws.UnauthorizedSSOTokenError(), "no_credentials"),
        (aws.NoRegionError(), "no_region"),
        (aws.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "aws_unreachable"),
        (aws.ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"), "aws_unreachable"),
        (aws.ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), "aws_unreachable"),
        (refused("DescribeStacks", "ExpiredToken"), "bad_credentials"),
        (refused("DescribeStacks", "InvalidClientTokenId"), "bad_credentials"),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_between_the_command_and_aws(
    shell: pytest.MonkeyPatch, error: Exception, code: str, as_json: bool
) -> None:
    def client(self: session.Session, service: str) -> Any:
        raise error

    shell.setattr(session.Session, "client", client)
    words = ["--stack", "boringml-test", "status", *(["--json"] if as_json else [])]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Traceback" not in result.stderr
    told = json.loads(result.stderr)["error"]["code"] if as_json else result.stderr.split(":")[0]
    assert told == code


@pytest.mark.parametrize("error", [aws.NoRegionError(), aws.NoCredentialsError()])
def test_who_has_no_shell_for_aws_is_told_of_the_local_one(error: Exception) -> None:
    assert "source .local/env" in failure_of(error).message


def test_what_the_caller_may_not_do_is_a_refusal() -> None:
    failure = failure_of(refused("StartExecution", "AccessDeniedException"))
    assert (failure.exit_code, failure.code) == (1, "not_allowed")
    assert "StartExecution" in failure.message


def test_a_bug_is_one_line_unless_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any) -> list[str]:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("boringml.adapters.registry_table.RegistryTable.models", broken)
    error = world.refusal("status")
    assert error["code"] == "internal_error"
    assert "ZeroDivisionError" in error["message"]
    monkeypatch.setenv("BORINGML_DEBUG", "1")
    assert isinstance(world.run("status").exception, ZeroDivisionError)


def test_help_explains_itself_without_a_stack(shell: pytest.MonkeyPatch) -> None:
    for words in ([], ["status"], ["release"], ["approve"]):
        result = CliRunner().invoke(app, [*words, "--help"])
        assert result.exit_code == 0
        assert "Usage" in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["history"],
        ["history", "credit", "--limit", "0"],
        ["at", "credit", "yesterday"],
        ["at", "credit", "2026-11-24 12:00"],
        ["at", "credit", "9999-01-01T00:00:00Z"],
        ["release", "credit"],
        ["release", "credit", "1", "--code"],
        ["release", "credit", "zero"],
        ["diff", "credit", "1"],
        ["status", "--stack"],
    ],
)
def test_wrong_usage(world: World, words: list[str]) -> None:
    result = world.run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert world.states.started == []


def test_a_word_after_a_double_dash_is_no_option(world: World) -> None:
    result = world.run("history", "--", "--json")
    assert result.exit_code == 1
    assert result.stderr.startswith("model_not_found: boringml-test has no model '--json'.")
