"""Fields of JSONata states that MiniStack 1.5.33 leaves out.

AWS ("Transforming data with JSONata", "Passing data with variables"): Parallel has Arguments,
Output and Assign; Succeed has Output; a Choice's own Output and Assign go with its Default. The
expressions of one Assign all see the values from before it. Branches and iterations have a
scope of their own: what they assign ends with them. $states.context knows the execution's role.
MiniStack ignores the first group in silence, assigns one after the other, and lets the branches of
a Parallel share one scope, and one another's state names.

Seams: stepfunctions._run_parallel_branches, _apply_output_path, _execute_choice,
_apply_state_assign, _run_sub_machine, _evaluate_jsonata.
"""

import copy
from typing import Any

from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.replacing import replace

State = dict[str, Any]
Context = dict[str, Any]


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    seam(sfn, "_apply_jsonata_template")
    seam(sfn, "_apply_jsonata_output")
    _parallel()
    _succeed()
    _choice()
    _scopes()
    replace(sfn, "_apply_state_assign", _assign)


def _is_jsonata(state: State, ctx: Context | None) -> bool:
    return bool(sfn._state_query_language(state, ctx) == "JSONata")


def _parallel() -> None:
    branches = seam(sfn, "_run_parallel_branches")

    def run_parallel_branches(
        state: State, raw_input: Any, execution: dict[str, Any], ctx: Context
    ) -> Any:
        if not _is_jsonata(state, ctx):
            return branches(state, raw_input, execution, ctx)
        branch_input = sfn._apply_jsonata_arguments(state, raw_input, ctx)
        results, following = branches(state, branch_input, execution, ctx)
        output = sfn._apply_jsonata_output(state, raw_input, ctx, result=results, default=results)
        sfn._apply_state_assign(state, raw_input, ctx, result=results)
        return output, following

    sfn._run_parallel_branches = run_parallel_branches


def _succeed() -> None:
    output_path = seam(sfn, "_apply_output_path")

    def apply_output_path(state: State, data: Any, ctx: Context | None = None) -> Any:
        if state.get("Type") == "Succeed" and _is_jsonata(state, ctx):
            return sfn._apply_jsonata_output(state, data, ctx, default=data)
        return output_path(state, data, ctx)

    sfn._apply_output_path = apply_output_path


def _choice() -> None:
    execute = seam(sfn, "_execute_choice")

    def execute_choice(state: State, raw_input: Any, ctx: Context | None = None) -> Any:
        if _is_jsonata(state, ctx) and "Default" in state:
            last: State = {key: state[key] for key in ("Output", "Assign") if key in state}
            rule = {**last, "Condition": True, "Next": state["Default"]}
            state = {**state, "Choices": [*state.get("Choices", []), rule]}
        # A rule inherits the query language of its state, as the top-level fields do.
        return execute(_with_language(state, ctx), raw_input, ctx)

    sfn._execute_choice = execute_choice


def _with_language(state: State, ctx: Context | None) -> State:
    language = sfn._state_query_language(state, ctx)
    rules = [{"QueryLanguage": language, **rule} for rule in state.get("Choices", [])]
    return {**state, "Choices": rules}


def _scopes() -> None:
    sub_machine = seam(sfn, "_run_sub_machine")
    evaluate = seam(sfn, "_evaluate_jsonata")

    def run_sub_machine(
        states: Any, start_at: Any, input_data: Any, execution: Any, ctx: Context
    ) -> Any:
        return sub_machine(states, start_at, input_data, execution, copy.deepcopy(ctx))

    def evaluate_jsonata(
        expression: str, raw_input: Any, ctx: Context | None = None, *rest: Any
    ) -> Any:
        running = (ctx or {}).get("Execution")
        if ctx is not None and running and "RoleArn" not in running:
            record = sfn._executions.get(running["Id"]) or {}
            machine = sfn._state_machines.get(record.get("stateMachineArn", "").split("/")[0])
            role = {"RoleArn": (machine or {}).get("roleArn", ""), "RedriveCount": 0}
            ctx = {**ctx, "Execution": {**running, **role}}
        return evaluate(expression, raw_input, ctx, *rest)

    sfn._run_sub_machine = run_sub_machine
    sfn._evaluate_jsonata = evaluate_jsonata


def _assign(
    state: State, raw_input: Any, ctx: Context | None, result: Any = None, error_output: Any = None
) -> None:
    """Take the place of _apply_state_assign: evaluate everything, then assign."""
    templates = state.get("Assign")
    if ctx is None or not isinstance(templates, dict) or not _is_jsonata(state, ctx):
        return
    values = {
        name: sfn._apply_jsonata_template(
            template, raw_input, ctx, result=result, error_output=error_output
        )
        for name, template in templates.items()
    }
    ctx.setdefault("variables", {}).update(values)
