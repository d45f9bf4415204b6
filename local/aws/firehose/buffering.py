"""Buffers of delivery streams.

AWS keeps records until a buffer is as large or as old as BufferingHints say, then writes one object
for each partition ("Configure buffering hints", "Dynamic partitioning"). It asks its own role for
the bucket and the table; what it may not write it tries again. What cannot be processed or
converted goes below ErrorOutputPrefix, one JSON document with `rawData` a line.
MiniStack 1.5.33 writes an object for each record, asks no role, and keeps every record in memory.
Here a buffer's interval may be as short as a template says; a graceful stop writes what is left.
Seams: firehose._deliver_records_to_s3, _streams, _evaluate_prefix, _put_s3_object, _arrival_time,
_java_time, _s3_bucket_from_arn, _validate_s3_destination_config; app._build_persistence_save_dict.
"""

import base64
import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ministack import app
from ministack.core.responses import new_uuid, request_scope
from ministack.services import firehose

from local.aws.cloudwatch import emf
from local.aws.firehose.parquet import Columns, ConversionError, columns_of, parquet_of
from local.aws.firehose.processing import Failed, Record, records_of, unknown_of
from local.aws.permissions import role_allows
from local.aws.refusals import message
from local.aws.seams import seam

logger = logging.getLogger("local.aws.firehose")

SERVICE = "firehose.amazonaws.com"
NAMESPACE = "AWS/Firehose"
TICK_SECONDS = 0.1
STOP_SECONDS = 10.0
_MEGABYTE = 1024 * 1024
_FAILURES = {
    "format-conversion-failed": "FailedConversion.Records",
    "decompression-failed": "OutputDecompressedRecords.Failed",
}

Keys = tuple[tuple[str, str], ...]
# A prefix, a body, and how the name ends.
Object = tuple[str, bytes, str]


class NotPermittedError(Exception):
    """The stream's role may not write where it should."""


@dataclass
class Buffer:
    """What a stream holds: records in order, since when, and how much."""

    stream: dict[str, Any]
    account: str
    region: str
    records: list[bytes] = field(default_factory=list)
    since: float = 0.0
    size: int = 0

    def is_due(self, now: float) -> bool:
        """Return whether it is as old or as large as its stream's hints say."""
        hints = _config(self.stream).get("BufferingHints") or {}
        return bool(self.records) and (
            now - self.since >= float(hints.get("IntervalInSeconds", 300))
            or self.size >= int(hints.get("SizeInMBs", 5)) * _MEGABYTE
        )


_buffers: dict[str, Buffer] = {}
_guard = threading.Lock()
# One delivery at a time: a stop waits for that which is under way.
_delivering = threading.Lock()


def install() -> None:
    """Buffer what is put for S3, and refuse processors that nothing here knows."""
    for name in ("_streams", "_evaluate_prefix", "_put_s3_object", "_arrival_time", "_java_time"):
        seam(firehose, name)
    for name in ("_s3_bucket_from_arn", "_metadata_extraction_keys", "_DeliveryError"):
        seam(firehose, name)
    seam(firehose, "_CONVERSION_ERRORS")
    seam(firehose, "_hive_to_duckdb_type")
    seam(firehose, "_deliver_records_to_s3")
    validate = seam(firehose, "_validate_s3_destination_config")
    lifespan = seam(app, "_build_persistence_save_dict")

    def put_records(stream: dict[str, Any], dest: dict[str, Any], records: Any) -> None:
        # Each would stay in memory, and in the saved state, for ever.
        dest["records"].clear()
        put(stream, [payload for _id, payload in records])

    def validate_known(kind: str, config: dict[str, Any]) -> Any:
        if unknown := unknown_of(config):
            return firehose._invalid(message(unknown))
        return validate(kind, config)

    def save_dict() -> Any:
        # The background saves take a thread of their own; the one at a stop takes the loop's.
        if threading.current_thread() is threading.main_thread():
            in_thread = threading.Thread(target=flush_all)
            in_thread.start()
            in_thread.join(STOP_SECONDS)
        return lifespan()

    firehose._deliver_records_to_s3 = put_records
    firehose._validate_s3_destination_config = validate_known
    app._build_persistence_save_dict = save_dict
    threading.Thread(target=deliver_forever, name="firehose", daemon=True).start()


def put(stream: dict[str, Any], records: Iterable[bytes]) -> None:
    """Take records into the buffer of a stream."""
    given = list(records)
    size = sum(map(len, given))
    with _guard:
        buffer = _buffers.get(stream["arn"])
        if buffer is None:
            account, region = stream["arn"].split(":")[4], stream["arn"].split(":")[3]
            buffer = _buffers[stream["arn"]] = Buffer(stream, account, region)
        buffer.stream = stream
        if not buffer.records:
            buffer.since = time.monotonic()
        buffer.records += given
        buffer.size += size
    _count(stream, "IncomingRecords", len(given))


def deliver_forever() -> None:
    """Write each buffer when it is due."""
    while True:
        time.sleep(TICK_SECONDS)
        now = time.monotonic()
        with _guard:
            due = [buffer for buffer in _buffers.values() if buffer.is_due(now)]
        for buffer in due:
            flush(buffer)


def flush_all() -> None:
    """Write all that is left."""
    for buffer in list(_buffers.values()):
        flush(buffer)


def flush(buffer: Buffer) -> None:
    """Write what a buffer holds; keep what the stream's role may not write."""
    with _delivering:
        with _guard:
            records, age = buffer.records, time.monotonic() - buffer.since
            size, buffer.records, buffer.size = buffer.size, [], 0
        if not records:
            return
        with request_scope(buffer.account, buffer.region):
            try:
                _deliver(buffer.stream, records, age)
            except NotPermittedError as error:
                logger.error("%s: %s", buffer.stream["name"], error)
                _count(buffer.stream, "DeliveryToS3.Success", 0)
                with _guard:
                    buffer.records[:0] = records
                    buffer.size += size
                    buffer.since = time.monotonic()
            except Exception:
                # Whatever it is, the next buffer is written.
                logger.exception("%s lost %d records", buffer.stream["name"], len(records))


def _deliver(stream: dict[str, Any], raw: list[bytes], age: float) -> None:
    config = _config(stream)
    parts: dict[Keys, list[bytes]] = defaultdict(list)
    failed: list[Failed] = []
    for data in raw:
        for record in records_of(config, data):
            if isinstance(record, Record):
                parts[tuple(sorted(record.keys.items()))].append(record.data)
            else:
                failed.append(record)
    objects, unconverted = _objects(config, parts)
    failed += unconverted
    objects += _error_objects(config, failed)
    _write(stream, objects)
    written = sum(map(len, parts.values())) - len(unconverted)
    _count(stream, "DeliveryToS3.Success", 1)
    _count(stream, "DeliveryToS3.Records", written)
    _count(stream, "DeliveryToS3.DataFreshness", age, "Seconds")
    for kind, metric in _FAILURES.items():
        if number := sum(one.kind == kind for one in failed):
            _count(stream, metric, number)
    for one in failed[:1]:
        logger.error("%s: %d records: %s: %s", stream["name"], len(failed), one.kind, one.message)


def _objects(
    config: dict[str, Any], parts: dict[Keys, list[bytes]]
) -> tuple[list[Object], list[Failed]]:
    """Return what is to be written of each partition, and what does not convert."""
    columns = _columns(config)
    objects: list[Object] = []
    failed: list[Failed] = []
    for keys, documents in parts.items():
        prefix = _prefix(config, config.get("Prefix", ""), keys=dict(keys))
        if columns is None:
            extension = config.get("FileExtension") or ""
            objects.append((prefix, b"\n".join(documents) + b"\n", extension))
            continue
        body, bad = _converted(columns, documents)
        failed += bad
        if body:
            objects.append((prefix, body, config.get("FileExtension") or ".parquet"))
    return objects, failed


def _columns(config: dict[str, Any]) -> Columns | ConversionError | None:
    """Return the columns to convert to, why there are none, or None where nothing converts."""
    conversion = config.get("DataFormatConversionConfiguration") or {}
    if not conversion or str(conversion.get("Enabled", True)).lower() != "true":
        return None
    schema = conversion["SchemaConfiguration"]
    owner = f"arn:aws:glue:{schema['Region']}:{config['RoleARN'].split(':')[4]}"
    table = f"{owner}:table/{schema['DatabaseName']}/{schema['TableName']}"
    if not role_allows(SERVICE, schema["RoleARN"], "glue:GetTableVersions", table):
        logger.error("%s may not read %s", schema["RoleARN"], table)
        return ConversionError("table")
    try:
        return columns_of(conversion)
    except ConversionError as error:
        return error


def _converted(
    columns: Columns | ConversionError, documents: list[bytes]
) -> tuple[bytes | None, list[Failed]]:
    """Return one Parquet object of the documents that convert, and the others."""
    if isinstance(columns, ConversionError):
        return None, [_unconverted(document, columns) for document in documents]
    try:
        return parquet_of(columns, documents), []
    except ConversionError:
        pass
    good, bad = [], []
    for document in documents:
        try:
            parquet_of(columns, [document])
        except ConversionError as error:
            bad.append(_unconverted(document, error))
        else:
            good.append(document)
    return (parquet_of(columns, good) if good else None), bad


def _unconverted(document: bytes, error: ConversionError) -> Failed:
    return Failed(document, "format-conversion-failed", error.code, str(error))


def _error_objects(config: dict[str, Any], failed: list[Failed]) -> list[Object]:
    by_kind: dict[str, list[Failed]] = defaultdict(list)
    for one in failed:
        by_kind[one.kind].append(one)
    objects = []
    for kind, items in by_kind.items():
        template = config.get("ErrorOutputPrefix") or f"{config.get('Prefix', '')}{kind}/"
        lines = [json.dumps(_document(item)) for item in items]
        prefix = _prefix(config, template, kind=kind)
        objects.append((prefix, ("\n".join(lines) + "\n").encode(), ""))
    return objects


def _prefix(
    config: dict[str, Any], template: str, keys: dict[str, str] | None = None, kind: str = ""
) -> str:
    moment = firehose._arrival_time(config)
    return str(firehose._evaluate_prefix(template, moment, keys, error_type=kind))


def _document(item: Failed) -> dict[str, Any]:
    now = int(time.time() * 1000)
    return {
        "attemptsMade": 1,
        "arrivalTimestamp": now,
        "errorCode": item.code,
        "errorMessage": item.message,
        "attemptEndingTimestamp": now,
        "rawData": base64.b64encode(item.data).decode(),
    }


def _write(stream: dict[str, Any], objects: list[Object]) -> None:
    """Write all of them, or none where the role may not."""
    config = _config(stream)
    moment = firehose._java_time("yyyy-MM-dd-HH-mm-ss", firehose._arrival_time(config))
    bucket, role = config["BucketARN"], config["RoleARN"]
    for prefix, _body, _extension in objects:
        if not role_allows(SERVICE, role, "s3:PutObject", f"{bucket}/{prefix}a"):
            raise NotPermittedError(f"{role} may not write {bucket}/{prefix}")
    for prefix, body, extension in objects:
        name = f"{stream['name']}-{stream.get('version', 1)}-{moment}-{new_uuid()}{extension}"
        firehose._put_s3_object(firehose._s3_bucket_from_arn(bucket), f"{prefix}{name}", body)


def _config(stream: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stream["destinations"][0]["config"]
    return found


def _count(stream: dict[str, Any], metric: str, value: float, unit: str = "Count") -> None:
    dimensions = {"DeliveryStreamName": stream["name"]}
    emf.record(NAMESPACE, metric, dimensions, float(value), unit, time.time())
