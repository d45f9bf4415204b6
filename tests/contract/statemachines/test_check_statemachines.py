"""A broken state machine is caught before it is deployed; the repository's are clean."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.check_statemachines import ROOT, findings
from tools.state_machine_calls import calls
from tools.state_machine_rules import broken

Machine = dict[str, Any]
SOUND: Machine = yaml.safe_load("""
QueryLanguage: JSONata
StartAt: Work
States:
  Work:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: "${WorkFunction}", Payload: {record: "{% $states.input %}"}}
    TimeoutSeconds: 60
    Retry: [{ErrorEquals: [Lambda.ServiceException], MaxAttempts: 2}]
    Catch: [{ErrorEquals: [States.ALL], Next: Failed}]
    Next: Done
  Done: {Type: Succeed}
  Failed: {Type: Fail, Error: Failed}
""")


def changed(change: Callable[[Machine], Any]) -> Machine:
    machine = copy.deepcopy(SOUND)
    change(machine)
    return machine


def work(**members: Any) -> Machine:
    """Return the sound machine with these members of its Task; None takes one away."""
    machine = copy.deepcopy(SOUND)
    task = machine["States"]["Work"]
    task.update(members)
    machine["States"]["Work"] = {key: value for key, value in task.items() if value is not None}
    return machine


@pytest.mark.parametrize(
    "path", sorted((ROOT / "statemachines").glob("*.asl.yaml")), ids=lambda path: path.name
)
def test_the_machines_of_the_repository_are_clean(path: Path) -> None:
    assert findings(path.read_text()) == []


def test_a_sound_machine_is_clean() -> None:
    assert findings(yaml.safe_dump(SOUND)) == []


def test_a_member_that_the_language_does_not_know_is_caught() -> None:
    found = findings(yaml.safe_dump(work(Timeout=60)))
    assert found
    assert all(text.startswith("E3601 States.Work") for text in found)


def test_a_text_that_is_no_machine_is_caught() -> None:
    assert findings("just text") == ["the definition has no StartAt and States"]


CAPACITY = {"ErrorEquals": ["SageMaker.ResourceLimitExceededException"]}
ANY = {"ErrorEquals": ["States.ALL"], "Next": "Failed"}


@pytest.mark.parametrize(
    ("machine", "finding"),
    [
        (changed(lambda m: m.pop("QueryLanguage")), "QueryLanguage is not JSONata"),
        (work(QueryLanguage="JSONPath"), "Work: QueryLanguage is not JSONata"),
        (work(TimeoutSeconds=None), "Work: no TimeoutSeconds"),
        (work(Retry=None), "Work: no Retry"),
        (work(Retry=None, Catch=[{**CAPACITY, "Next": "Failed"}, ANY]), "Work: no Retry"),
        (
            work(Retry=[{"ErrorEquals": ["States.ALL"]}]),
            "Work: Retry on any error: name the errors that pass by themselves",
        ),
        (work(Catch=None), "Work: no Catch of States.ALL"),
        (work(Catch=[{**CAPACITY, "Next": "Failed"}]), "Work: no Catch of States.ALL"),
        (work(Next="Gone"), "Work: no state Gone"),
        (changed(lambda m: m.update(StartAt="Gone")), "StartAt: no state Gone"),
        (
            changed(lambda m: m["States"].update(Idle={"Type": "Pass", "Next": "Done"})),
            "Idle: cannot be reached",
        ),
        (work(Next=None, End=True), "Work: End: go to a Succeed or Fail"),
        (
            changed(lambda m: m["States"].update(Done={"Type": "Pass", "Next": "Done"})),
            "Done: leads to no Succeed or Fail",
        ),
    ],
)
def test_a_broken_shape_is_caught(machine: Machine, finding: str) -> None:
    assert finding in broken(machine)


def test_a_catch_that_leads_back_is_a_retry() -> None:
    assert broken(work(Retry=None, Catch=[{**CAPACITY, "Next": "Work"}, ANY])) == []


def test_a_task_inside_a_map_keeps_the_rules_too() -> None:
    inner = {"StartAt": "Each", "States": {"Each": {"Type": "Task", "End": True}}}
    outer = {"Type": "Map", "ItemProcessor": inner, "Next": "Failed"}
    assert "Each: no TimeoutSeconds" in broken(changed(lambda m: m["States"].update(Done=outer)))


INVOKE = "arn:aws:states:::lambda:invoke"
TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync"
START = "arn:aws:states:::states:startExecution"
GET = "arn:aws:states:::aws-sdk:dynamodb:getItem"


@pytest.mark.parametrize(
    ("resource", "arguments", "finding"),
    [
        (INVOKE, {"Payload": {}}, "Arguments.FunctionName is required"),
        (INVOKE, {"FunctionName": "f", "Body": {}}, "Arguments.Body is not a member of"),
        (INVOKE, {"FunctionName": 7}, "Arguments.FunctionName is not of type string"),
        (
            INVOKE,
            {"FunctionName": "f", "InvocationType": "Later"},
            "Arguments.InvocationType is not one of",
        ),
        (START, {"Input": {"model": "m"}}, "Arguments.StateMachineArn is required"),
        (START, {"stateMachineArn": "a"}, "Arguments.stateMachineArn is not a member of"),
        (
            TRAIN,
            {"ResourceConfig": {"InstanceCount": "one"}},
            "Arguments.ResourceConfig.InstanceCount is not of type integer",
        ),
        (TRAIN, {"Tags": [{"Key": "k"}]}, "Arguments.Tags[0].Value is required"),
        (TRAIN, {"Tags": {"k": "v"}}, "Arguments.Tags is not a list"),
        (GET, {"TableName": "t", "Key": {"pk": {"T": "x"}}}, "Arguments.Key['pk'].T is not a"),
        (GET, "text", "Arguments is not a structure"),
        ("arn:aws:states:::lambda:invoked", {}, "no such service or action"),
        ("arn:aws:states:::lamda:invoke", {}, "no such service or action"),
        ("arn:aws:lambda:us-east-1:1:function:f", {}, "is no service call"),
    ],
)
def test_a_call_that_aws_would_refuse_is_caught(
    resource: str, arguments: Any, finding: str
) -> None:
    found = list(calls(work(Resource=resource, Arguments=arguments)))
    assert any(text.startswith("Work: ") and finding in text for text in found), found


@pytest.mark.parametrize(
    ("resource", "arguments"),
    [
        (TRAIN, "{% $plan.request %}"),
        (TRAIN.replace(":sagemaker:createTrainingJob", ":lambda:invoke"), {"FunctionName": "f"}),
        (INVOKE, {"FunctionName": "${F}", "Payload": {"any": ["thing", 1]}}),
        (START, {"StateMachineArn": "{% $arn %}", "Input": {"model": "m"}}),
        (GET, {"TableName": "t", "Key": "{% $key %}", "ConsistentRead": True}),
    ],
)
def test_a_call_that_aws_takes_is_clean(resource: str, arguments: Any) -> None:
    assert list(calls(work(Resource=resource, Arguments=arguments))) == []
