"""A steady stream of real requests, and what the business says became of them."""

import itertools
import json
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.predictions import PredictionClient

# EventBridge takes so many events in a call.
_BATCH = 10


@dataclass(frozen=True)
class Sent:
    """A request: when it was sent and answered, the status, and which version answered.

    `record` is its place among the records, `request_id` the answer's own, None of a refusal.
    """

    sent_at: datetime
    answered_at: datetime
    status: int
    version: int | None
    milliseconds: float
    record: int
    request_id: str | None = None


class Traffic:
    """Sends `records` in turn, from `clients` threads, until it is stopped.

    Of each second answer the business tells the outcome on the event bus, to the stack that
    answered: mostly a good one.
    """

    def __init__(
        self,
        client: PredictionClient,
        model: str,
        records: Sequence[dict[str, Any]],
        events: Any,
        *,
        stack: str,
        outcome: str = "LoanAccepted",
        clients: int = 3,
        pause: float = 0.015,
    ) -> None:
        self._client = client
        self._model = model
        self._records = records
        self._events = events
        self._stack = stack
        self._outcome = outcome
        self._pause = pause
        self._turn = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(clients)]
        self.sent: list[Sent] = []
        self.errors: list[BaseException] = []

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def failed(self) -> list[Sent]:
        """Return the requests that were not answered with 200."""
        return [item for item in list(self.sent) if item.status != 200]

    def _send(self) -> None:
        chance = random.Random()  # noqa: S311 - no secret depends on it
        told: list[dict[str, str]] = []
        try:
            while not self._stop.wait(self._pause):
                turn = next(self._turn)
                number = turn % len(self._records)
                begin = datetime.now(UTC)
                answer = self._client.predict(self._model, self._records[number])
                version = answer.body.get("model_version")
                self.sent.append(
                    Sent(
                        begin,
                        datetime.now(UTC),
                        answer.status,
                        version,
                        answer.milliseconds,
                        number,
                        answer.body.get("request_id"),
                    )
                )
                if answer.status == 200 and turn % 2 == 0:
                    told.append(self._entry(answer.body, chance.random() < 0.8))
                if len(told) >= _BATCH:
                    self._events.put_events(Entries=told)
                    told = []
        except BaseException as error:  # noqa: BLE001 - told to whoever reads the traffic
            self.errors.append(error)

    def _entry(self, body: dict[str, Any], good: bool) -> dict[str, str]:
        detail = {
            "stack": self._stack,
            "model": self._model,
            "model_version": body["model_version"],
            "request_id": body["request_id"],
            "good": good,
        }
        return {
            "Source": "lending",
            "DetailType": self._outcome,
            "Detail": json.dumps(detail),
        }
