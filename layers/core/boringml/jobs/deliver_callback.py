"""Deliver one callback: one attempt, and what comes of it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from boringml.errors import BoringError
from boringml.jobs import callback_schedule, callback_signature, callback_target
from boringml.jobs.callback_circuit import Circuit
from boringml.jobs.callback_endpoint import GONE, Endpoint, not_found
from boringml.jobs.callback_message import CallbackMessage
from boringml.jobs.callback_signature import SigningSecrets
from boringml.jobs.callback_target import Target

DELIVERED, RETRIED, DEAD = "delivered", "retried", "dead"
_DISABLES = 410


@dataclass(frozen=True)
class Answer:
    """A receiver's status, and its Retry-After header where it has one."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a callback: delivered, retried after `wait_seconds`, or dead.

    `code` says why not delivered; `status` is the receiver's, where it answered.
    """

    kind: str
    code: str = ""
    status: int | None = None
    wait_seconds: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


class Endpoints(Protocol):
    """Registered endpoints, and the circuit of each."""

    def get(self, client_id: str, name: str) -> Endpoint | None:
        """Return an endpoint of a client."""

    def disable(self, client_id: str, name: str, reason: str) -> Endpoint:
        """Stop callbacks to an endpoint."""

    def circuit(self, endpoint: Endpoint) -> Circuit:
        """Return an endpoint's circuit."""

    def claim_probe(self, endpoint: Endpoint, seen: Circuit, now: datetime) -> bool:
        """Return whether this caller makes the one call that an open circuit lets through."""

    def succeeded(self, endpoint: Endpoint) -> None:
        """Close the circuit."""

    def failed(self, endpoint: Endpoint, now: datetime) -> None:
        """Count a failed call, and open the circuit where that is due."""


Send = Callable[[Target, bytes, Mapping[str, str]], Answer]


class CallbackDeliverer:
    """Delivers callbacks to registered endpoints, signed, and never to a place that was not judged.

    `send` raises BoringError `callback_failed` where no answer came. `draw` is uniform in [0, 1).
    """

    def __init__(
        self,
        endpoints: Endpoints,
        secrets: Callable[[str], SigningSecrets],
        resolve: callback_target.Resolve,
        send: Send,
        clock: Callable[[], datetime],
        *,
        loopback: bool,
        hour_seconds: float,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._endpoints = endpoints
        self._secrets = secrets
        self._resolve = resolve
        self._send = send
        self._clock = clock
        self._loopback = loopback
        self._hour_seconds = hour_seconds
        self._draw = draw

    def deliver(self, message: CallbackMessage, attempt: int) -> Outcome:
        """Return what became of attempt number `attempt`, counted from 1."""
        try:
            endpoint = self._endpoint(message)
        except BoringError as error:
            return Outcome(DEAD, error.code)
        # The last attempt is made whatever the circuit says: nothing dies untried.
        if not callback_schedule.is_last(attempt) and not self._may_call(endpoint):
            return self._again(attempt, "circuit_open")
        try:
            answer = self._call(endpoint, message)
        except BoringError as error:
            self._endpoints.failed(endpoint, self._clock())
            return self._again(attempt, error.code, reason=error.message)
        if 200 <= answer.status < 300:
            self._endpoints.succeeded(endpoint)
            return Outcome(DELIVERED, status=answer.status)
        if answer.status == _DISABLES:
            self._endpoints.disable(message.client, message.endpoint, GONE)
            return Outcome(DEAD, "callback_endpoint_gone", answer.status)
        self._endpoints.failed(endpoint, self._clock())
        asked = callback_schedule.retry_after(answer.retry_after)
        return self._again(attempt, "callback_refused", answer.status, asked)

    def _endpoint(self, message: CallbackMessage) -> Endpoint:
        endpoint = self._endpoints.get(message.client, message.endpoint)
        if endpoint is None:
            raise not_found(message.client, message.endpoint)
        if not endpoint.enabled:
            raise BoringError(
                "callback_endpoint_disabled", "boringml callbacks enable, then replay."
            )
        return endpoint

    def _may_call(self, endpoint: Endpoint) -> bool:
        now, circuit = self._clock(), self._endpoints.circuit(endpoint)
        if not circuit.lets_through(now):
            return False
        return circuit.open_until is None or self._endpoints.claim_probe(endpoint, circuit, now)

    def _call(self, endpoint: Endpoint, message: CallbackMessage) -> Answer:
        # Judged on every attempt: a name may lead elsewhere by now.
        target = callback_target.judge(endpoint.url, self._resolve, loopback=self._loopback)
        body = message.body()
        signed = callback_signature.headers(
            message.id, body, self._clock(), self._secrets(endpoint.secret_arn)
        )
        return self._send(target, body, signed)

    def _again(
        self,
        attempt: int,
        code: str,
        status: int | None = None,
        asked: float = 0,
        reason: str = "",
    ) -> Outcome:
        details = {"reason": reason} if reason else {}
        if callback_schedule.is_last(attempt):
            return Outcome(DEAD, code, status, details=details)
        wait = callback_schedule.wait_seconds(
            attempt, self._draw(), hour_seconds=self._hour_seconds, asked_seconds=asked
        )
        return Outcome(RETRIED, code, status, wait, details)


def circuit_scale(hour_seconds: float) -> float:
    """Return by what pauses of circuits are shortened where an hour takes `hour_seconds`."""
    return hour_seconds / callback_schedule.HOUR
