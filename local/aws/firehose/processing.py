"""What Firehose does to a record before it is written.

AWS decompresses what CloudWatch Logs sends (Decompression) and leaves of it the messages of its
events, one after the other in one record (CloudWatchLogProcessing: "Extract message after
decompression of CloudWatch Logs"). Partition keys are of one JSON document, so the messages must
be parted first (RecordDeAggregation: "Apply dynamic partitioning to aggregated data"), of which
there may be 500. A record of more, or of two where nothing parts them, comes to jq as a whole
(MetadataExtraction), which refuses it: "Non JSON record provided", below metadata-extraction-failed
(ADR 19 has who saw it). What fails goes below the error prefix, in a folder that says how; a record
that fails as a whole is there as it came, compressed ("Troubleshoot decompression").
MiniStack 1.5.33 knows Lambda and MetadataExtraction, a record at a time.
Seams: firehose._metadata_extraction_keys, _DeliveryError.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ministack.services import firehose

KNOWN = ("Decompression", "CloudWatchLogProcessing", "RecordDeAggregation", "MetadataExtraction")
MOST_PARTS = 500
_EXTRACTION = ("metadata-extraction-failed", "DynamicPartitioning.MetadataExtractionFailed")


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


def unknown_of(config: dict[str, Any]) -> str | None:
    """Return what of the processors is not emulated, None of nothing."""
    for processor in processors_of(config):
        given = {p["ParameterName"]: p["ParameterValue"] for p in processor.get("Parameters", [])}
        if processor["Type"] not in KNOWN:
            return f"the Firehose processor {processor['Type']}"
        if processor["Type"] == "RecordDeAggregation" and given.get("SubRecordType") != "JSON":
            return f"RecordDeAggregation of {given.get('SubRecordType')}"
    return None


def records_of(config: dict[str, Any], raw: bytes) -> Iterator[Record | Failed]:
    """Yield what becomes of one record that was put."""
    kinds = {processor["Type"] for processor in processors_of(config)}
    record = raw
    if "Decompression" in kinds:
        try:
            record = gzip.decompress(raw)
            envelope = json.loads(record)
        except (OSError, EOFError, ValueError) as error:
            yield Failed(raw, "decompression-failed", "Decompression.Failed", str(error))
            return
        if "CloudWatchLogProcessing" in kinds:
            # A control message only tests whether the stream can be reached.
            if envelope.get("messageType") != "DATA_MESSAGE":
                return
            record = "\n".join(event["message"] for event in envelope["logEvents"]).encode()
    parts = _json_parts(record) if "RecordDeAggregation" in kinds else [record]
    for part in parts:
        try:
            keys = firehose._metadata_extraction_keys(config, part) or {}
        except firehose._DeliveryError as error:
            # Parts are told by themselves, a whole record as it came.
            data = part if len(parts) > 1 else raw
            yield Failed(data, *_EXTRACTION, error.message)
        else:
            yield Record(part, keys)


def _json_parts(record: bytes) -> list[bytes]:
    """Return the JSON documents of a record; the record where they are none, or too many."""
    text = record.decode(errors="replace")
    decoder = json.JSONDecoder()
    parts: list[bytes] = []
    place = 0
    while place < len(text):
        try:
            _document, end = decoder.raw_decode(text, place)
        except ValueError:
            return [record]
        parts.append(text[place:end].encode())
        place = end + len(text[end:]) - len(text[end:].lstrip())
    return parts if len(parts) <= MOST_PARTS else [record]
