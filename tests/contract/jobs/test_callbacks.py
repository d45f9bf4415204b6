"""Callbacks: what the template says and what the rules say are one."""

import json
from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.jobs import callback_target
from boringml.jobs.callback_schedule import ATTEMPTS
from tests.contract.template.test_wiring import ROOT, Loader, yaml

TEMPLATE: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader)
RESOURCES = TEMPLATE["Resources"]
FUNCTION = RESOURCES["DeliverCallbackFunction"]["Properties"]


def test_a_message_is_received_once_for_each_attempt() -> None:
    redrive = RESOURCES["CallbackQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == ATTEMPTS


def test_a_message_is_hidden_for_six_times_the_functions_timeout() -> None:
    visibility = RESOURCES["CallbackQueue"]["Properties"]["VisibilityTimeout"]
    assert visibility >= 6 * FUNCTION["Timeout"]


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/", "https://127.0.0.1/", "http://localhost/", "https://[::1]/"]
)
def test_outside_the_local_aws_this_machine_is_refused(environment: str, url: str) -> None:
    setting = TEMPLATE["Mappings"]["Environments"][environment]["CallbackLoopback"]
    assert setting == "false"
    with pytest.raises(BoringError, match="callback_url_refused"):
        callback_target.judge(url, lambda *_: ["127.0.0.1"], loopback=setting == "true")


def test_loopback_and_the_schedule_come_from_the_environment_alone() -> None:
    variables = FUNCTION["Environment"]["Variables"]
    for variable, name in (
        ("CALLBACK_LOOPBACK", "CallbackLoopback"),
        ("CALLBACK_HOUR_SECONDS", "CallbackHourSeconds"),
    ):
        assert variables[variable] == ["Environments", "Environment", name]
    for environment in ("dev", "prod"):
        hour = TEMPLATE["Mappings"]["Environments"][environment]["CallbackHourSeconds"]
        assert hour == "3600"


def test_the_deliverer_reads_secrets_of_its_own_stack_alone() -> None:
    (policy,) = FUNCTION["Policies"]
    (secrets,) = [s for s in policy["Statement"] if "secretsmanager" in json.dumps(s)]
    assert secrets["Action"] == "secretsmanager:GetSecretValue"
    assert secrets["Resource"].endswith(":secret:${AWS::StackName}/callbacks/*")
    assert TEMPLATE["Outputs"]["CallbackSecretsPrefix"]["Value"] == "${AWS::StackName}/callbacks/"
