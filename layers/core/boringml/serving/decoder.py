"""From a body to records: decoded and held to the contract in one step."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from boringml.contract.contract import Contract
from boringml.serving.refusals import body_too_large, refusal_of

Record = msgspec.Struct


class Decoder:
    """Decodes bodies of one contract. A record has its fields in the order of a frame."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._max_bytes = contract.max_body_bytes
        record: Any = record_type(contract)
        several = Annotated[
            list[record],
            msgspec.Meta(min_length=1, max_length=contract.max_records),
        ]
        self._decode = msgspec.json.Decoder(record | several).decode
        self._encode = msgspec.json.Encoder().encode
        self._sensitive = contract.sensitive

    def decode(self, body: bytes) -> Record | list[Record]:
        """Return one record, or a list of them as the client sent it.

        An optional field that is absent is None, as is a nullable one that is null.
        Raises BoringError `body_too_large`, `malformed_json`, `list_empty`, `list_too_long`, or
        the code of the first broken rule, with its field.
        """
        if len(body) > self._max_bytes:
            raise body_too_large(self._max_bytes)
        try:
            decoded: Record | list[Record] = self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise refusal_of(body, self._contract) from error
        return decoded

    def loggable(self, record: Record) -> bytes:
        """Return a record as JSON without the sensitive fields; absent ones are null.

        The record itself loses them, for good: predict first.
        """
        # What is UNSET is not encoded. Setting it in place takes half of what a copy does.
        for name in self._sensitive:
            setattr(record, name, msgspec.UNSET)
        return self._encode(record)


def record_type(contract: Contract) -> Any:
    """Return the msgspec type of one record: the numeric fields first, then the others."""
    required = frozenset(contract.schema["required"])
    rules: Mapping[str, Mapping[str, Any]] = contract.schema["properties"]
    fields: list[Any] = [
        (name, _kind(rules[name]), *(() if name in required else (None,)))
        for name in contract.features.names
    ]
    return msgspec.defstruct(
        "Record",
        fields,
        forbid_unknown_fields=True,
        gc=False,
        # Else msgspec wants optional fields last, and the order is that of the tensors.
        kw_only=True,
    )


def _kind(rule: Mapping[str, Any]) -> Any:
    kind: Any
    if "enum" in rule:
        kind = Literal[tuple(rule["enum"])]
    elif rule["type"] == "string":
        # Both count code points, as JSON Schema does.
        bounds = msgspec.Meta(min_length=rule["minLength"], max_length=rule["maxLength"])
        kind = Annotated[str, bounds]
    else:
        low, high = rule.get("minimum"), rule.get("maximum")
        if rule["type"] == "integer":
            # msgspec bounds whole numbers by whole numbers.
            low = None if low is None else math.ceil(low)
            high = None if high is None else math.floor(high)
        kind = int if rule["type"] == "integer" else float
        kind = Annotated[kind, msgspec.Meta(ge=low, le=high)]
    return kind | None if rule.get("nullable") else kind
