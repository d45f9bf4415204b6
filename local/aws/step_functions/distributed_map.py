"""Distributed Map with JSONata.

AWS ("Using Map state in Distributed mode"): ItemReader's Arguments, Items, ItemSelector,
MaxConcurrency and the tolerated failures may be JSONata; Output and Assign see the children's
results, which have 256 KiB in all. A child is an execution of its own: it sees its input and none
of the parent's variables. The role starts executions of its own machine and reads the item list.
A parent that is stopped takes its children with it, and no further one starts.
MiniStack 1.5.33 takes expressions for plain text, leaves Output and Assign out, lends the
variables, asks for no rights, and lets the children of a stopped parent run on. Of ItemBatcher and
ResultWriter it does nothing, in silence: here they are refused.

Seams: stepfunctions._run_distributed_map, _read_map_items, _run_sub_machine, _stop_execution,
_map_runs, _jsonata_state_field.
"""

import json
from typing import Any

from ministack import app
from ministack.services import stepfunctions as sfn

from local.aws.seams import seam
from local.aws.step_functions.limits import MAX_BYTES
from local.aws.step_functions.permissions import DeniedError, Need, check
from local.aws.step_functions.running_task import ended

State = dict[str, Any]
Context = dict[str, Any]
_NUMBERS = ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage")
_NOT_EMULATED = ("ItemBatcher", "ResultWriter")


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    seam(sfn, "_read_map_items")
    seam(sfn, "_jsonata_state_field")
    seam(sfn, "_map_runs")
    run = seam(sfn, "_run_distributed_map")
    sub_machine = seam(sfn, "_run_sub_machine")
    stop = seam(sfn, "_stop_execution")

    def run_distributed_map(
        state: State, raw_input: Any, effective: Any, iterator: Any, execution: Any, ctx: Context
    ) -> Any:
        for field in _NOT_EMULATED:
            if field in state:
                raise sfn._ExecutionError("States.Runtime", f"{field} is not emulated here.")
        if sfn._state_query_language(state, ctx) != "JSONata":
            return run(state, raw_input, effective, iterator, execution, ctx)
        machine = str(execution["stateMachineArn"])
        _allow(execution, "States.Runtime", Need("states:StartExecution", machine))
        inputs = _inputs(state, raw_input, execution, ctx)
        plain = {
            **{key: state[key] for key in state if key in ("Type", "Label", "Next", "End")},
            **{
                field: sfn._jsonata_state_field(state, field, "number", raw_input, ctx)
                for field in _NUMBERS
                if field in state
            },
        }
        child = {**ctx, "variables": {}}
        results, following = run(plain, inputs, inputs, iterator, execution, child)
        if len(json.dumps(results).encode()) > MAX_BYTES:
            raise sfn._ExecutionError(
                "States.DataLimitExceeded",
                "The state/task returned a result with a size exceeding the maximum number of "
                "bytes service limit.",
            )
        output = sfn._apply_jsonata_output(state, raw_input, ctx, result=results, default=results)
        sfn._apply_state_assign(state, raw_input, ctx, result=results)
        return output, following

    def run_sub_machine(
        states: Any, start_at: Any, value: Any, execution: Any, ctx: Context
    ) -> Any:
        if _parent_ended(execution):
            raise ended()
        return sub_machine(states, start_at, value, execution, ctx)

    def stop_execution(data: dict[str, Any]) -> Any:
        answer = stop(data)
        for execution in list(sfn._executions.values()):
            if execution.get("status") == "RUNNING" and _parent_ended(execution):
                execution["status"] = "ABORTED"
        return answer

    sfn._run_distributed_map = run_distributed_map
    sfn._run_sub_machine = run_sub_machine
    sfn._stop_execution = stop_execution


def _inputs(state: State, raw_input: Any, execution: Any, ctx: Context) -> list[Any]:
    """Return the input of each child."""
    if "ItemReader" in state:
        reader = state["ItemReader"]
        arguments = sfn._apply_jsonata_template(reader.get("Arguments", {}), raw_input, ctx)
        if str(reader.get("Resource", "")).endswith("s3:getObject"):
            arn = f"arn:aws:s3:::{arguments.get('Bucket')}/{arguments.get('Key')}"
            _allow(execution, "States.ItemReaderFailed", Need("s3:GetObject", arn))
        items = sfn._read_map_items({**reader, "Arguments": arguments}, raw_input, ctx)
    elif "Items" in state:
        items = sfn._jsonata_state_field(state, "Items", "array", raw_input, ctx)
    else:
        items = raw_input
    if not isinstance(items, list):
        raise sfn._ExecutionError("States.ItemReaderFailed", "The items are no array.")
    if "ItemSelector" not in state:
        return items
    return [
        sfn._apply_jsonata_template(
            state["ItemSelector"],
            raw_input,
            {**ctx, "Map": {"Item": {"Index": index, "Value": item}}},
        )
        for index, item in enumerate(items)
    ]


def _allow(execution: Any, error: str, need: Need) -> None:
    machine = sfn._state_machines.get(str(execution["stateMachineArn"]).split("/")[0]) or {}
    if not app.AUTH:
        return
    try:
        check(str(machine.get("roleArn", "")), "StepFunctions", need)
    except DeniedError as denied:
        raise sfn._ExecutionError(error, str(denied)) from denied


def _parent_ended(execution: Any) -> bool:
    run = sfn._map_runs.get(execution.get("mapRunArn") or "")
    parent = sfn._executions.get(run["executionArn"]) if run else None
    return parent is not None and parent["status"] != "RUNNING"
