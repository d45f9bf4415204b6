"""Weights of an alias.

AWS sends the share `RoutingConfig.AdditionalVersionWeights` of an alias's invocations to its
second version, and the function sees the ARN of the alias as the one that was invoked
("Implement Lambda canary deployments using a weighted alias", Lambda Developer Guide).
MiniStack 1.5.33 stores the weights and invokes the first version always, and other callers than
Invoke pass the ARN of the version.
Seams: lambda_svc._effective_func_record_for_qualifier, _get_func_record_for_ref, _invoke,
_execute_function, _get_function, _get_function_config.
"""

import contextvars
import functools
import random
from typing import Any

from ministack.services import lambda_svc

from local.aws.seams import seam

# GetFunction with an alias describes the alias's own version, whatever the weights.
_describing = contextvars.ContextVar("describing", default=False)
# The alias that an Invoke named, while its chosen version runs.
_invoked_alias: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "invoked_alias", default=None
)


def choose_version(alias: dict[str, Any], draw: float) -> str:
    """Return the version that serves an invocation, for a `draw` from [0, 1)."""
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version, weight in weights.items():
        if draw < float(weight):
            return str(version)
        draw -= float(weight)
    return str(alias["FunctionVersion"])


def as_invoked(func: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a chosen version with the ARN of the alias that was invoked."""
    alias = _invoked_alias.get()
    if alias is None:
        return func
    # A function that this one invokes is not invoked by that alias.
    _invoked_alias.set(None)
    base, _, _version = func["config"]["FunctionArn"].rpartition(":")
    return {**func, "config": {**func["config"], "FunctionArn": f"{base}:{alias}"}}


def install() -> None:
    """Choose a version by weight wherever an alias is invoked."""
    record_of = seam(lambda_svc, "_effective_func_record_for_qualifier")
    resolve = seam(lambda_svc, "_get_func_record_for_ref")
    invoke = seam(lambda_svc, "_invoke")
    execute = seam(lambda_svc, "_execute_function")

    def weighted_record(func: dict[str, Any] | None, qualifier: str | None) -> Any:
        alias = (func or {}).get("aliases", {}).get(qualifier)
        if alias is None or _describing.get():
            return record_of(func, qualifier)
        return record_of(func, choose_version(alias, random.random()))  # noqa: S311

    def resolved_by_alias(function_ref: str) -> Any:
        record, config, name = resolve(function_ref)
        _name, qualifier = lambda_svc._resolve_name_and_qualifier(function_ref)
        if config is not None and qualifier:
            base = config["FunctionArn"].split(f":function:{name}")[0]
            config = {**config, "FunctionArn": f"{base}:function:{name}:{qualifier}"}
        return record, config, name

    async def invoke_weighted(
        name: str,
        event: Any,
        headers: dict[str, str],
        path_qualifier: str | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Any:
        qualifier = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier")
        alias = (lambda_svc._functions.get(name) or {}).get("aliases", {}).get(qualifier)
        if alias is None:
            return await invoke(name, event, headers, path_qualifier, query_params)
        token = _invoked_alias.set(qualifier)
        try:
            version = choose_version(alias, random.random())  # noqa: S311
            return await invoke(name, event, headers, version, query_params)
        finally:
            _invoked_alias.reset(token)

    def execute_for_alias(func: dict[str, Any], event: Any) -> Any:
        return execute(as_invoked(func), event)

    lambda_svc._effective_func_record_for_qualifier = weighted_record
    lambda_svc._get_func_record_for_ref = resolved_by_alias
    lambda_svc._invoke = invoke_weighted
    lambda_svc._execute_function = execute_for_alias
    for name in ("_get_function", "_get_function_config"):
        setattr(lambda_svc, name, _described(seam(lambda_svc, name)))


def _described(describe: Any) -> Any:
    @functools.wraps(describe)
    def described(*args: Any, **options: Any) -> Any:
        token = _describing.set(True)
        try:
            return describe(*args, **options)
        finally:
            _describing.reset(token)

    return described
