"""JSONata states on the local AWS, by what they put out."""

from typing import Any

import pytest

from tests.integration.local.machines import Machines, catching, only, task
from tests.integration.local.training_world import TrainingWorld, world

pytestmark = pytest.mark.local_aws
__all__ = ["world"]


@pytest.fixture
def machines(world: TrainingWorld) -> Machines:
    """The maker of state machines."""
    return Machines(world)


def passing(output: Any, **members: Any) -> dict[str, Any]:
    """Return a Pass state with this output."""
    return {
        "Type": "Pass",
        "Output": output,
        **({} if "Next" in members else {"End": True}),
        **members,
    }


def branch(state: dict[str, Any]) -> dict[str, Any]:
    """Return a branch or iteration of one state."""
    return {"StartAt": "Inner", "States": {"Inner": state}}


def test_parallel_takes_arguments_output_and_assign(machines: Machines) -> None:
    parallel = {
        "Type": "Parallel",
        "Arguments": {"n": "{% $states.input.n * 10 %}"},
        "Branches": [
            branch(passing("{% $states.input.n + 1 %}")),
            branch(passing("{% $states.input.n + 2 %}")),
        ],
        "Output": "{% {'sum': $sum($states.result), 'given': $states.input} %}",
        "Assign": {"first": "{% $states.result[0] %}"},
        "Next": "After",
    }
    after = passing("{% $merge([$states.input, {'first': $first}]) %}")
    definition = {"StartAt": "Both", "States": {"Both": parallel, "After": after}}
    output = machines.output(definition, value={"n": 4})
    assert output == {"sum": 83, "given": {"n": 4}, "first": 41}


def test_branches_keep_what_they_assign_to_themselves(machines: Machines) -> None:
    def assigning(value: str) -> dict[str, Any]:
        states = {
            "Set": passing("{% $states.input %}", Assign={"mine": value}, Next="Get"),
            "Get": passing("{% $mine & $outer & $states.context.State.Name %}"),
        }
        return {"StartAt": "Set", "States": states}

    parallel = {"Type": "Parallel", "Branches": [assigning("a"), assigning("b")], "Next": "After"}
    states = {
        "Before": passing("{% $states.input %}", Assign={"outer": "-o-"}, Next="Both"),
        "Both": parallel,
        "After": passing("{% {'results': $states.input, 'leaked': $exists($mine)} %}"),
    }
    output = machines.output({"StartAt": "Before", "States": states})
    assert output == {"results": ["a-o-Get", "b-o-Get"], "leaked": False}


def test_a_failing_branch_is_caught_with_its_error(machines: Machines) -> None:
    fail = {"Type": "Fail", "Error": "TooFewRows", "Cause": "{% $string($states.input.n) %}"}
    parallel = {
        "Type": "Parallel",
        "Branches": [branch(passing("{% 1 %}")), branch(fail)],
        "Catch": catching("TooFewRows"),
        "End": True,
    }
    caught = machines.output(only(parallel), value={"n": 4})
    assert caught == {"Error": "TooFewRows", "Cause": "4"}


def test_map_keeps_order_and_scope(machines: Machines) -> None:
    states = {
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input.items %}",
            "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}"},
            "ItemProcessor": branch(passing("{% $states.input.n * $factor %}")),
            "Output": "{% {'all': $states.result} %}",
            "End": True,
        },
        "Before": passing("{% $states.input %}", Assign={"factor": 3}, Next="Each"),
    }
    output = machines.output({"StartAt": "Before", "States": states}, value={"items": [1, 2, 3]})
    assert output == {"all": [3, 6, 9]}


def test_succeed_has_an_output(machines: Machines) -> None:
    succeed = {"Type": "Succeed", "Output": {"done": "{% $states.input.n %}"}}
    assert machines.output(only(succeed), value={"n": 4}) == {"done": 4}


@pytest.mark.parametrize(("n", "expected"), [(1, "rule-1"), (2, "default-2")])
def test_a_choice_has_output_and_assign_for_each_way(
    machines: Machines, n: int, expected: str
) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [
            {
                "Condition": "{% $states.input.n = 1 %}",
                "Output": {"way": "rule"},
                "Assign": {"n": "{% $states.input.n %}"},
                "Next": "After",
            }
        ],
        "Default": "After",
        "Output": {"way": "default"},
        "Assign": {"n": "{% $states.input.n %}"},
    }
    after = passing("{% $states.input.way & '-' & $string($n) %}")
    definition = {"StartAt": "Which", "States": {"Which": choice, "After": after}}
    assert machines.output(definition, value={"n": n}) == expected


def test_one_assign_sees_the_values_from_before_it(machines: Machines) -> None:
    states = {
        "First": passing("{% 0 %}", Assign={"a": 1, "b": 2}, Next="Swap"),
        "Swap": passing("{% $a %}", Assign={"a": "{% $b %}", "b": "{% $a %}"}, Next="Show"),
        "Show": passing("{% [$states.input, $a, $b] %}"),
    }
    assert machines.output({"StartAt": "First", "States": states}) == [1, 2, 1]


def test_a_catch_has_the_error_its_output_and_its_assign(machines: Machines) -> None:
    failing = task("aws-sdk:sqs:getQueueUrl", {"QueueName": "no-such-queue"})
    failing["Catch"] = [
        {
            "ErrorEquals": ["States.ALL"],
            "Output": "{% $merge([$states.input, {'error': $states.errorOutput.Error}]) %}",
            "Assign": {"cause": "{% $states.errorOutput.Cause %}"},
            "Next": "Show",
        }
    ]
    show = passing("{% {'input': $states.input, 'cause': $length($cause) > 0} %}")
    definition = {"StartAt": "Only", "States": {"Only": failing, "Show": show}}
    output = machines.output(definition, value={"n": 4})
    assert output["input"]["n"] == 4
    assert output["input"]["error"].startswith("Sqs.")
    assert output["cause"] is True


def test_a_missing_field_is_an_error_not_a_null(machines: Machines) -> None:
    execution = machines.run(only(passing("{% $states.input.missing %}")))
    assert execution["error"] == "States.QueryEvaluationError"


def test_the_context_knows_execution_machine_and_role(machines: Machines) -> None:
    role = machines.world.role("states")
    machine = machines.create(only(passing("{% $states.context %}")), role=role)
    execution = machines.start(machine)
    context = machines.ended(execution)["output"]
    assert context["Execution"]["Id"] == execution
    assert context["Execution"]["RoleArn"] == role
    assert context["StateMachine"]["Id"] == machine
    assert context["State"]["Name"] == "Only"
