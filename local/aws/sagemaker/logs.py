"""A job's output as a CloudWatch log stream: /aws/sagemaker/TrainingJobs, <job>/algo-1-<time>.

A transform job has the group TransformJobs, and a second stream of its data, <...>/data-log.
Names as in "Log Groups and Streams that Amazon SageMaker Sends to CloudWatch Logs".
"""

import threading
import time

from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs

from local.aws.sagemaker.store import Job

_GROUPS = {
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
}
# CloudWatch Logs: an event is at most 1 MB, of which 26 bytes are overhead (PutLogEvents).
_MAX_BYTES = 1_048_550
_BATCH_SECONDS = 0.2


class LogStream:
    """Writes lines in batches, soon after they come; `close` writes what is left."""

    def __init__(self, job: Job, suffix: str = "") -> None:
        self._scope = (job.account, job.region)
        self._group = _GROUPS[job.KIND]
        self._name = f"{job.name}/algo-1-{int(time.time())}{suffix}"
        self._pending: list[dict[str, object]] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        with request_scope(*self._scope):
            # Each answers ResourceAlreadyExistsException where an earlier job made it.
            cloudwatch_logs._create_log_group({"logGroupName": self._group})
            cloudwatch_logs._create_log_stream(self._where())
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Add one line; empty ones are left out, as CloudWatch Logs refuses them."""
        if line:
            text = line.encode()[:_MAX_BYTES].decode(errors="ignore")
            with self._lock:
                self._pending.append({"timestamp": int(time.time() * 1000), "message": text})

    def close(self) -> None:
        """Write the last lines."""
        self._closed.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._closed.wait(_BATCH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            lines, self._pending = self._pending, []
        if lines:
            with request_scope(*self._scope):
                cloudwatch_logs._put_log_events({**self._where(), "logEvents": lines})

    def _where(self) -> dict[str, object]:
        return {"logGroupName": self._group, "logStreamName": self._name}
