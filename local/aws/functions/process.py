"""The process in which one execution environment of a Python function runs.

Does what the runtime client of AWS (awslambdaric) does, over pipes: MiniStack writes one JSON line
per invocation to stdin and reads one JSON line from stdout. Started as a script on the functions'
interpreter, so it imports the standard library only, and nothing of this repository.

Answers: {"status": "ok", "result": ...}, or with "failure" in place of "result": the error object
that the caller of Lambda sees. "status": "error" makes MiniStack start a new process next time.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback
from decimal import Decimal

# Ends the output of one invocation on stderr, so that the reader need not guess when it is over.
END_OF_OUTPUT = "\x1elambda-output-ends\x1e"


class Context:
    """The context object of the Python runtime, with its documented attributes."""

    def __init__(self, call, deadline):
        environ = os.environ
        self.aws_request_id = call.get("request_id", "")
        self.invoked_function_arn = call.get("invoked_function_arn", "")
        self.function_name = environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self.tenant_id = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self):
        """Milliseconds until the function's timeout, 0 when it is past."""
        return max(0, int((self._deadline - time.time()) * 1000))

    def log(self, message):
        """Write a line to the function's log."""
        print(message)


class LogHandler(logging.Handler):
    """The root log handler that the runtime installs; Lambda calls this log format `Text`."""

    request_id = ""

    def emit(self, record):
        """Write one record as the runtime does: level, time in UTC, request id, message."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        stamp = f"{moment}.{int(record.msecs):03d}Z"
        print(f"[{record.levelname}]\t{stamp}\t{self.request_id}\t{self.format(record)}")


def failure_of(error, request_id):
    """Return the error object of AWS for an exception: its class names the error type."""
    kind = type(error).__name__
    message = str(error)
    if isinstance(error, SystemExit):
        kind, message = "Runtime.ExitError", f"Runtime exited with status: {error.code}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__]
    return {
        "errorMessage": message,
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": traceback.format_list(own),
    }


def report(failure):
    """Write an error to the log, in the function's log format."""
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(json.dumps({"timestamp": moment, "level": "ERROR", **failure}))
    else:
        trace = "".join(failure["stackTrace"])
        print(f"[ERROR] {failure['errorType']}: {failure['errorMessage']}")
        print(f"Traceback (most recent call last):\n{trace}" if trace else "", end="")


def load(handler):
    """Return the handler function, or raise; the names of failures are those of awslambdaric."""
    module, _, name = handler.rpartition(".")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        error.kind = "Runtime.ImportModuleError"
        error.text = f"Unable to import module '{module}': {error}"
        raise
    except SyntaxError as error:
        error.kind = "Runtime.UserCodeSyntaxError"
        error.text = f"Syntax error in module '{module}': {error}"
        raise
    try:
        return getattr(found, name)
    except AttributeError as error:
        error.kind = "Runtime.HandlerNotFound"
        error.text = f"Handler '{name}' missing on module '{module}'"
        raise


def initialise(start):
    """Return (handler function, None), or (None, failure) where the module did not load."""
    try:
        function = load(start["handler"])
        if start["snapstart"]:
            run_snapshot_hooks()
    # Whatever the module raises, sys.exit included, is an answer to give, not a fault of this one.
    except BaseException as error:  # noqa: BLE001
        failure = failure_of(error, "")
        failure["errorType"] = getattr(error, "kind", failure["errorType"])
        failure["errorMessage"] = getattr(error, "text", failure["errorMessage"])
        report(failure)
        return None, failure
    return function, None


def run_snapshot_hooks():
    """Run the hooks of SnapStart: before the snapshot in reverse order, after it in order."""
    try:
        import snapshot_restore_py as hooks
    except ImportError:
        return
    for hook, args, options in reversed(hooks.get_before_snapshot()):
        hook(*args, **options)
    for hook, args, options in hooks.get_after_restore():
        hook(*args, **options)


def as_json(value):
    """Serialise what `json` cannot: a Decimal is a number, anything else a TypeError."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def answer(function, event, context):
    """Return the answer to one invocation, as a JSON line without its end."""
    try:
        result = function(event, context)
    except BaseException as error:  # noqa: BLE001
        failure = failure_of(error, context.aws_request_id)
        report(failure)
        status = "error" if isinstance(error, SystemExit) else "ok"
        return json.dumps({"status": status, "failure": failure})
    try:
        return json.dumps({"status": "ok", "result": result}, default=as_json)
    except (TypeError, ValueError) as error:
        failure = failure_of(error, context.aws_request_id)
        failure["errorType"] = "Runtime.MarshalError"
        failure["errorMessage"] = f"Unable to marshal response: {error}"
        report(failure)
        return json.dumps({"status": "ok", "failure": failure})


def serve(start, requests, write):
    """Load the module, then answer invocations until stdin closes."""
    logs = LogHandler()
    logging.getLogger().addHandler(logs)
    function, failure = initialise(start)
    if failure and start["snapstart"]:
        write(json.dumps({"status": "error", "error": failure["errorMessage"]}))
        return
    write(json.dumps({"status": "ready"}))
    for line in requests:
        message = json.loads(line)
        call = message["ctx"]
        os.environ.pop("_X_AMZN_TRACE_ID", None)
        if call.get("trace_id"):
            os.environ["_X_AMZN_TRACE_ID"] = call["trace_id"]
        logs.request_id = call.get("request_id", "")
        if failure:
            # Lambda reports a failed start as the answer to the invocation that needed it.
            line = json.dumps({"status": "error", "failure": failure})
        else:
            deadline = time.time() + call.get("timeout_ms", 3000) / 1000
            line = answer(function, message["event"], Context(call, deadline))
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(2, f"{END_OF_OUTPUT}\n".encode())
        write(line)


def main():
    """Keep stdout for the protocol alone, whatever the function and its libraries print."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout.reconfigure(line_buffering=True, encoding="utf-8", errors="backslashreplace")
    start = json.loads(requests.readline())
    sys.path[0:1] = start["path"]

    def write(line):
        answers.write(line + "\n")
        answers.flush()

    serve(start, requests, write)


if __name__ == "__main__":
    main()
