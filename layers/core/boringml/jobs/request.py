"""The body of a job: what is asked, and who is told."""

from typing import Any, Final

import msgspec

from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.serving.decoder import Decoder, Record
from boringml.serving.refusals import body_too_large

# Longer keys are no ids of requests: the Idempotency-Key draft of the IETF leaves the limit open.
MAX_KEY: Final = 255


class JobRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`request` is one record or a list of them, still as the client wrote it."""

    request: msgspec.Raw
    callback: str | None = None


_decode = msgspec.json.Decoder(JobRequest).decode


def parse_request(body: bytes, contract: Contract) -> JobRequest:
    """Return the parts of a body. Raises BoringError `body_too_large` or `malformed_body`."""
    if len(body) > contract.max_body_bytes:
        raise body_too_large(contract.max_body_bytes)
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        told = 'Send {"request": one record or a list, "callback": the name of an endpoint}.'
        raise BoringError("malformed_body", told) from error


def records_of(request: JobRequest, decoder: Decoder) -> list[Record] | Record:
    """Return the records. Raises what the decoder raises; `field` is that of the whole body."""
    try:
        return decoder.decode(bytes(request.request))
    except BoringError as error:
        details: dict[str, Any] = dict(error.details)
        if "field" in details:
            details["field"] = str(details["field"]).replace("$", "$.request", 1)
        raise BoringError(error.code, error.message, error.status, **details) from error


def check_key(key: str | None) -> None:
    """Raise BoringError `idempotency_key_invalid` for a key that is too long."""
    if key is not None and len(key) > MAX_KEY:
        told = f"An Idempotency-Key has at most {MAX_KEY} characters."
        raise BoringError("idempotency_key_invalid", told)
