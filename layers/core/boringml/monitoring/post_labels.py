"""POST /models/<model>/labels: an API Gateway event in, its answer out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from boringml.errors import BoringError
from boringml.monitoring.record_labels import MOST_BODY_BYTES, LabelRecorder
from boringml.serving import proxy_event

_OK = 200


class LabelPoster:
    """Answers the requests of all models; `models` are those that are declared."""

    def __init__(
        self,
        recorder: LabelRecorder,
        write: Callable[[str], Any],
        namespace: str,
        models: Sequence[str],
    ) -> None:
        self._recorder = recorder
        self._write = write
        self._namespace = namespace
        self._models = models

    def answer(self, event: Mapping[str, Any], invocation_id: str) -> dict[str, Any]:
        """Return {"statusCode", "headers", "body"}.

        200 has {"received", "accepted", "refused": [{"row_number", "code", "field", "message"}]},
        received = accepted + refused. A body that is none, or one single bad label, is refused.
        """
        context = event.get("requestContext") or {}
        request_id = context.get("requestId") or invocation_id
        # /models/<model>/labels: each model has a path of its own.
        model = str(event["resource"]).split("/")[2]
        try:
            body = proxy_event.body_of(event, MOST_BODY_BYTES)
            # The invocation's own id: a client may choose that of its request.
            receipt, done = self._recorder.record_body(model, body, f"post-{invocation_id}")
        except BoringError as error:
            return proxy_event.answer(error.status, error.body(), request_id)
        self._write(receipt.line(self._namespace, self._models, told=True))
        refused = [
            {name: value for name, value in vars(one).items() if name != "row"}
            for one in done.refused
        ]
        told = {"received": receipt.received, "accepted": receipt.accepted, "refused": refused}
        return proxy_event.answer(_OK, told, request_id)
