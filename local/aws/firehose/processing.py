"""What Firehose does to a record before it is written.

AWS decompresses what CloudWatch Logs sends (Decompression), takes the messages of its events out of
it, each a record of its own (CloudWatchLogProcessing), and finds partition keys with jq
(MetadataExtraction): "Decompress CloudWatch Logs", "Dynamic partitioning", Firehose Developer
Guide. What fails goes below the error prefix, in a folder that says how.
MiniStack 1.5.33 knows Lambda and MetadataExtraction, a record at a time.
Seams: firehose._metadata_extraction_keys, _DeliveryError.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ministack.services import firehose

KNOWN = ("Decompression", "CloudWatchLogProcessing", "MetadataExtraction")


@dataclass(frozen=True)
class Failed:
    """A record that goes below the error prefix."""

    data: bytes
    kind: str
    code: str
    message: str


@dataclass(frozen=True)
class Record:
    """One JSON document, and its partition keys."""

    data: bytes
    keys: dict[str, str] = field(default_factory=dict)


def processors_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the processors of a destination, in order."""
    processing = config.get("ProcessingConfiguration") or {}
    enabled = str(processing.get("Enabled")).lower() == "true"
    return list(processing.get("Processors") or []) if enabled else []


def records_of(config: dict[str, Any], raw: bytes) -> Iterator[Record | Failed]:
    """Yield what becomes of one record that was put."""
    kinds = {processor["Type"] for processor in processors_of(config)}
    documents = [raw]
    if "Decompression" in kinds:
        try:
            envelope = json.loads(gzip.decompress(raw))
            documents = [json.dumps(envelope).encode()]
        except (OSError, EOFError, ValueError) as error:
            yield Failed(raw, "decompression-failed", "Decompression.Failed", str(error))
            return
        if "CloudWatchLogProcessing" in kinds:
            # A control message only tests whether the stream can be reached.
            is_data = envelope.get("messageType") == "DATA_MESSAGE"
            events = envelope["logEvents"] if is_data else []
            documents = [event["message"].encode() for event in events]
    for document in documents:
        try:
            keys = firehose._metadata_extraction_keys(config, document) or {}
        except firehose._DeliveryError as error:
            yield Failed(document, error.output_type, error.code or "", error.message)
        else:
            yield Record(document, keys)
