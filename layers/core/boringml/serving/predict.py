"""The use case of the online pattern: an API Gateway event in, its answer out."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from boringml.errors import BoringError
from boringml.serving import proxy_event
from boringml.serving.json_text import json_of, members_of
from boringml.serving.outcomes import Outcomes
from boringml.serving.prediction_log import (
    NAMESPACE,
    PredictionLog,
    ProcessStart,
    line_constants,
)
from boringml.serving.served_model import ServedModel
from boringml.serving.stages import UNCOUNTED
from boringml.serving.standard_output import writer
from boringml.serving.trace_id import is_trace
from boringml.serving.upstream_id import is_upstream_id

Write = Callable[[str], Any]


class Predictor:
    """Answers the requests of one process. `model` is None before the first release.

    `write` takes the lines of the log, which else go to standard output. `flags` are the words of
    the setting FEATURE_FLAGS, and `start` is that of the process.
    """

    def __init__(
        self,
        name: str,
        model: ServedModel | None,
        function_version: str,
        write: Write | None = None,
        namespace: str = NAMESPACE,
        pattern: str = "online",
        flags: str = "",
        start: ProcessStart | None = None,
    ) -> None:
        self.name = name
        self.model = model
        self._outcomes = Outcomes(model) if model else None
        version = model.version if model else 0
        self._about = f',"model":{json_of(name)},"model_version":{version}'
        self._write = write or writer()
        constants = line_constants(
            name,
            model.version if model else None,
            model.contract.version if model else None,
            function_version,
            pattern,
            flags,
        )
        self._log = PredictionLog(constants, namespace, start=start)

    def answer(self, event: Mapping[str, Any], invocation_id: str = "none") -> dict[str, Any]:
        """Return {"statusCode", "headers", "body"}. Whatever happens, the log tells it.

        `invocation_id` is Lambda's: it names the request.
        """
        begin = time.perf_counter()
        context = event.get("requestContext") or {}
        request_id = proxy_event.request_id_of(context, invocation_id)
        status, code = 200, None
        lines: list[str]
        try:
            told, lines = self._predict(event)
        except BoringError as error:
            status, told, code, lines = error.status, members_of(error.body()), error.code, []
        except Exception as error:  # noqa: BLE001 - the last line of defence: a caller sees no stack trace
            said = "The service failed; the request_id finds the cause in the log."
            failure = BoringError("internal_error", said)
            status, code = failure.status, failure.code
            told, lines = members_of(failure.body()), [members_of(_trace(error))]
        named = json_of(request_id)
        answer = proxy_event.answer_of(status, f'{told},"request_id":{named}', request_id)
        stage = context.get("stage")
        headers = event.get("headers") or {}
        # API Gateway's own, where the caller has none: a 504 tells that one alone.
        upstream = proxy_event.header(headers, "X-Request-Id") or context.get("requestId")
        trace = proxy_event.header(headers, "X-Amzn-Trace-Id")
        lines_of_log = self._log.lines(
            f'"stage":{json_of(stage)},"request_id":{named}'
            f',"upstream_request_id":{json_of(upstream) if is_upstream_id(upstream) else "null"}'
            f',"trace_id":{json_of(trace) if is_trace(trace) else "null"}',
            lines,
            code=code,
            failed=status >= 500,
            latency_ms=(time.perf_counter() - begin) * 1000,
            counted=stage not in UNCOUNTED,
        )
        self._write(lines_of_log)
        return answer

    def _predict(self, event: Mapping[str, Any]) -> tuple[str, list[str]]:
        """Return the members of the answer, and those of each record's line."""
        model, outcomes = self.model, self._outcomes
        if model is None or outcomes is None:
            told = f"No version of {self.name} has been released yet: train one, then try again."
            raise BoringError("model_not_released", told)
        decoded = model.decoder.decode(proxy_event.body_of(event, model.contract.max_body_bytes))
        if isinstance(decoded, list):
            shown, lines = outcomes.of(decoded)
            together = "},{".join(shown)
            return f'"predictions":[{{{together}}}]{self._about}', lines
        one, line = outcomes.of_one(decoded)
        return one + self._about, [line]


def _trace(error: BaseException) -> dict[str, str]:
    """Return where an error and its causes were raised: what they say may be a person's data."""
    # Here, as no start needs it.
    import traceback

    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append("".join(traceback.format_tb(cause.__traceback__)) + type(cause).__qualname__)
        cause = cause.__cause__ or cause.__context__
    return {"traceback": "\n".join(reversed(told))}
