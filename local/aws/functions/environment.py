"""One execution environment of a Python function.

AWS runs a function on the runtime's own interpreter, sees nothing of the host, puts the function's
code before its layers on the search path ("Python runtime search path", Lambda Developer Guide),
and names the class of an exception in `errorType`.
MiniStack 1.5.33 runs it on its own interpreter, with its own packages and environment, layers
before code, unpacks everything again for each process, waits 50 ms for the output of a silent
handler, reports `Runtime.HandlerError` always, and where one environment does not start, ends all
others of its function in the middle of what they do.
Seams: lambda_runtime._worker_class_for, Worker._spawn,
Worker._drain_stderr_bounded, Worker.invoke; lambda_svc._execute_function_warm, _resolve_layer_zip.
"""

import contextvars
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import IO, Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.aws.functions import packages
from local.aws.functions.process import END_OF_OUTPUT
from local.aws.functions.starting import ended, too_slow
from local.aws.seams import seam

PROCESS = Path(__file__).with_name("process.py")
# An initialisation that takes longer than 10 s is stopped and run again within the function's
# timeout ("Lambda execution environment lifecycle"); here it has both at once.
INIT_SECONDS = 10
# The longest wait for output that a process which died owes, and one that lives: it has written its
# mark before its answer, but who reads it here may have been kept from it by others.
OUTPUT_SECONDS = 0.25
LIVING_SECONDS = 30.0

# The error object of the invocation that runs on this thread: MiniStack keeps only its text.
_failure: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar(
    "failure", default=None
)


class NotStartedError(RuntimeError):
    """The process ended, or said that it failed, before the handler was loaded."""


class PythonEnvironment(lambda_runtime.Worker):  # type: ignore[misc]
    """A process that answers the invocations of one function version, one at a time."""

    def _spawn(self) -> None:
        """Start the process and wait until the function's module is loaded."""
        self._discard_tmpdir()
        self._tmpdir = tempfile.mkdtemp(prefix="environment-")
        home = Path(tempfile.gettempdir()) / "unpacked"
        natives = os.environ.get("LOCAL_NATIVE_PACKAGES")
        task = packages.unpack(self.code_zip, home, without_native=bool(natives))
        layers = [
            packages.unpack(content, home, without_native=bool(natives))
            for reference in self.config.get("Layers") or []
            if (content := lambda_svc._resolve_layer_zip(reference)) is not None
        ]
        self._proc = subprocess.Popen(
            [os.environ["LOCAL_FUNCTIONS_PYTHON"], str(PROCESS)],
            cwd=task,
            env=self._environment(task),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
            bufsize=1,
        )
        self._stderr_queue = queue.Queue()
        self._stderr_thread = threading.Thread(
            target=self._read_output, args=(self._proc.stderr, self._stderr_queue), daemon=True
        )
        self._stderr_thread.start()
        path = [str(task), *search_path(layers)]
        self._start([*path, natives] if natives else path)
        self._start_time = time.time()

    def _start(self, path: list[str]) -> None:
        start = {
            "handler": self.config["Handler"],
            "path": path,
            "snapstart": (self.config.get("SnapStart") or {}).get("OptimizationStatus") == "On",
        }
        # Held here: whoever clears this environment away meanwhile takes it from self.
        process = self._proc
        timeout = float(self.config.get("Timeout", 3))
        limit = INIT_SECONDS + timeout
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            process.kill()

        timer = threading.Timer(limit, stop)
        timer.start()
        try:
            process.stdin.write(json.dumps(start) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        if not answer:
            status = process.wait()
            failure = too_slow(timeout, limit) if stopped.is_set() else ended(status)
            _failure.set(failure)
            raise NotStartedError(f"{failure['errorMessage']}: {self._drain_stderr_bounded()}")
        response = json.loads(answer)
        if response["status"] != "ready":
            raise NotStartedError(f"initialisation failed: {response['error']}")

    def _environment(self, task: Path) -> dict[str, str]:
        """Return the whole environment of the process: nothing of the server's passes through."""
        config = self.config
        name = config["FunctionName"]
        logging = config.get("LoggingConfig") or {}
        _account, region = lambda_runtime._account_region_from_function_config(config)
        defaults = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": self._tmpdir,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', 'python')}",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            lambda_runtime.HOST_PREFIX_ENV: "true",
            # The user's own ~/.aws is no part of a function's environment.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        own = (config.get("Environment") or {}).get("Variables") or {}
        reserved = {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": uuid.uuid4().hex,
            "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat") or "Text",
            "LAMBDA_TASK_ROOT": str(task),
            "_HANDLER": config["Handler"],
            **lambda_runtime.execution_credentials(config),
        }
        if level := logging.get("ApplicationLogLevel"):
            reserved["AWS_LAMBDA_LOG_LEVEL"] = level
        return {**defaults, **own, **reserved}

    @staticmethod
    def _read_output(stderr: IO[str], lines: "queue.Queue[str]") -> None:
        for line in stderr:
            lines.put(line.rstrip("\n"))

    def _drain_stderr_bounded(self, *_waits: float) -> str:
        """Return what the invocation printed: all until its end mark.

        What is left behind would be taken for the next one's, and that of the last one be lost.
        """
        lines = []
        process = self._proc
        deadline = time.monotonic() + LIVING_SECONDS
        while time.monotonic() < deadline:
            try:
                line = self._stderr_queue.get(timeout=OUTPUT_SECONDS)
            except queue.Empty:
                if process is None or process.poll() is not None:
                    break
                continue
            # Output without an end of line stands before the mark.
            text, mark, _ = line.partition(END_OF_OUTPUT)
            if text or not mark:
                lines.append(text)
            if mark:
                break
        return "\n".join(lines)

    def invoke(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Return MiniStack's answer, and leave a failure of the function in `_failure`."""
        try:
            answer = super().invoke(*args, **options)
        except NotStartedError as error:
            # Passed on, it would end the function's other environments, too.
            return {"status": "error", "error": str(error), "trace": "", "log": ""}
        failure = answer.pop("failure", None)
        if failure is None and answer.get("error") == "Worker process died":
            failure = {
                "errorType": "Runtime.ExitError",
                "errorMessage": "Runtime exited without providing a reason",
            }
        _failure.set(failure)
        if failure is not None:
            answer |= {"status": "error", "error": failure["errorMessage"], "trace": ""}
        return answer


def search_path(layers: list[Path]) -> list[str]:
    """Return what layers add to sys.path; a later layer covers an earlier one, as in /opt."""
    found = []
    for layer in reversed(layers):
        found += sorted(str(path) for path in layer.glob("python/lib/python*/site-packages"))
        if (layer / "python").is_dir():
            found.append(str(layer / "python"))
    return found


def install() -> None:
    """Run Python functions in a PythonEnvironment and pass their error objects on."""
    for name in ("_spawn", "_drain_stderr_bounded", "_discard_tmpdir", "invoke"):
        seam(lambda_runtime.Worker, name)
    seam(lambda_svc, "_resolve_layer_zip")
    choose = seam(lambda_runtime, "_worker_class_for")
    execute = seam(lambda_svc, "_execute_function_warm")

    def worker_class_for(config: dict[str, Any]) -> type:
        is_python = str(config.get("Runtime", "")).startswith("python")
        return PythonEnvironment if is_python else choose(config)

    def execute_function_warm(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        _failure.set(None)
        result: dict[str, Any] = execute(func, event, request_id)
        failure = _failure.get()
        if result.get("error") and failure is not None:
            result["body"] = failure
        return result

    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_function_warm
