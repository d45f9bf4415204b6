"""Runs a job once per key, with Powertools' idempotency in the table of jobs."""

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyValidationError,
)

from boringml.errors import BoringError

Outcome = dict[str, Any]


class Once:
    """What ran under a key is not run again for `keep_seconds`; its outcome is returned instead.

    A record that a killed worker left blocks its key until the killed invocation's time is up.
    """

    def __init__(self, client: Any, table: str, keep_seconds: int) -> None:
        self._store = DynamoDBPersistenceLayer(
            table_name=table, key_attr="pk", expiry_attr="expires_at", boto3_client=client
        )
        self._config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="payload",
            raise_on_no_idempotency_key=True,
            expires_after_seconds=keep_seconds,
            hash_function="sha256",
        )
        self._run = idempotent_function(
            self._call,
            data_keyword_argument="data",
            persistence_store=self._store,
            config=self._config,
            key_prefix="ONCE",
        )

    def start(self, context: Any) -> None:
        """Take note of the invocation: Lambda's context tells how long it may still run."""
        self._config.register_lambda_context(context)

    def run(self, key: list[str], payload: str, work: Callable[[], Outcome]) -> Outcome:
        """Return what `work` returns, now or the first time that it ran under the key.

        Raises what `work` raises, which leaves the key free; BoringError `in_progress` (409) while
        another worker runs it, `idempotency_key_reused` (422) where it ran with another payload.
        """
        # A list has no separator that one part of it could hold.
        data = {"key": json.dumps(key), "payload": payload}
        try:
            outcome: Outcome = self._run(data=data, work=work)
        except IdempotencyAlreadyInProgressError as error:
            raise BoringError("in_progress", "Another worker runs this job.", 409) from error
        except IdempotencyValidationError as error:
            told = "This Idempotency-Key came with another body: choose another key."
            raise BoringError("idempotency_key_reused", told) from error
        return outcome

    @staticmethod
    def _call(*, data: dict[str, str], work: Callable[[], Outcome]) -> Outcome:
        del data
        return work()
