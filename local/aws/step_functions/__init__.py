"""Step Functions for the local AWS: one module per gap of MiniStack 1.5.33, installed in order.

The order matters where two modules take the same seam: the last one installed sees a call first.
"""

from local.aws.step_functions import (
    distributed_map,
    error_names,
    execution_logs,
    jsonata,
    lambda_invoke,
    limits,
    machine_roles,
    nested_execution,
    put_events,
    roles,
    running_task,
    sdk_calls,
    starting,
    timeouts,
)


def install() -> None:
    """Install every module; raise SeamMissingError where a seam of MiniStack is gone."""
    error_names.install()
    jsonata.install()
    distributed_map.install()
    execution_logs.install()
    limits.install()
    starting.install()
    put_events.install()
    nested_execution.install()
    lambda_invoke.install()
    sdk_calls.install()
    roles.install()
    running_task.install()
    timeouts.install()
    machine_roles.install()
