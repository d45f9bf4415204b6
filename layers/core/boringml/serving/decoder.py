"""From a body to records: decoded and held to the contract in one step."""

import json
from typing import Annotated, Any, Literal

import msgspec

from boringml.contract.contract import Contract
from boringml.contract.violations import violations
from boringml.errors import BoringError

Record = msgspec.Struct


class Decoder:
    """Decodes bodies of one contract. A record has the numeric fields first, then the others."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        features = contract.features
        fields = [(name, self._kind(name)) for name in features.names]
        record: Any = msgspec.defstruct(
            "Record", fields, forbid_unknown_fields=True, frozen=True, gc=False
        )
        several = Annotated[
            list[record],
            msgspec.Meta(min_length=1, max_length=contract.max_records),
        ]
        self._decode = msgspec.json.Decoder(record | several).decode

    def decode(self, body: bytes) -> Record | list[Record]:
        """Return one record, or a list of them as the client sent it.

        Raises BoringError `body_too_large`, `malformed_json`, `list_empty`, `list_too_long`, or
        the code of the first broken rule, with its field.
        """
        if len(body) > self._contract.max_body_bytes:
            most = self._contract.max_body_bytes
            raise BoringError("body_too_large", f"A body has at most {most} bytes.", 413)
        try:
            decoded: Record | list[Record] = self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._refusal(body) from error
        return decoded

    def _kind(self, name: str) -> Any:
        features = self._contract.features
        if name in features.categories:
            return Literal[features.categories[name]]
        low, high = features.bounds[name]
        kind = int if name in features.integers else float
        return Annotated[kind, msgspec.Meta(ge=low, le=high)]

    def _refusal(self, body: bytes) -> BoringError:
        malformed = BoringError("malformed_json", "The body is not one JSON value in UTF-8.", 400)
        try:
            # Python's parser takes NaN and 1e999, which lets them be told from broken JSON.
            value = json.loads(body.decode())
        except (ValueError, RecursionError):
            return malformed
        if isinstance(value, list):
            if not value:
                return BoringError("list_empty", "The list has no records.", 422, field="$")
            if len(value) > self._contract.max_records:
                most = self._contract.max_records
                return BoringError("list_too_long", f"At most {most} records.", 422, field="$")
            found = [
                violation
                for index, record in enumerate(value)
                for violation in violations(record, self._contract.schema, f"$[{index}]")
            ]
        else:
            found = violations(value, self._contract.schema)
        if not found:
            return malformed
        first = found[0]
        return BoringError(first.code, first.message, 422, field=first.field)
