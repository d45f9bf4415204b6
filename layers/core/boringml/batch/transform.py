"""The engine transform: what SageMaker is asked for, and how its answers join the keys again."""

import io
import math
import tarfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet

from boringml.batch import parts
from boringml.batch.categories import Texts
from boringml.batch.checking import Accepted, RowChecker
from boringml.batch.chunks import Chunk
from boringml.batch.reading import Source, checked_rows
from boringml.batch.run import BatchRun, part_name
from boringml.batch.score_chunk import Counts, Write, check_rows
from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.governance.job_rules import check_image, check_tags, job_name
from boringml.package import layout
from boringml.package.manifest import canonical
from boringml.package.reader import Package

# Beside each part of rows: what names them, in the same order.
_KEYS = pa.schema([pa.field("key", pa.string()), pa.field("row_number", pa.int64())])
JSON_LINES = "application/jsonlines"
_TAGS = ("model", "owner", "cost_centre")


def input_key(run: BatchRun, number: int) -> str:
    """Return where the rows of a chunk wait for the job."""
    return f"{run.work}transform/input/{_name(number)}"


def output_key(run: BatchRun, number: int) -> str:
    """Return where the job leaves a chunk's answers: SageMaker adds .out to an input's name."""
    return f"{run.work}transform/output/{_name(number)}.out"


def keys_key(run: BatchRun, number: int) -> str:
    """Return where the keys of a chunk's rows wait for the answers."""
    return f"{run.work}transform/keys/{part_name(number)}"


def prepare_chunk(
    run: BatchRun, chunk: Chunk, source: Source, contract: Contract, key: str, write: Write
) -> Counts:
    """Write a chunk's good rows as JSON lines, their keys, and its rejected rows.

    A chunk without good rows has no lines: the job would refuse an empty file.
    Raises BoringError as score_chunk does.
    """
    began = time.perf_counter()
    lines = io.BytesIO()
    keys, rejected = parts.PartWriter(_KEYS), parts.PartWriter(parts.REJECTED)
    for rows in checked_rows(chunk, source, RowChecker(contract, key)):
        if rows.rejected:
            rejected.add(parts.rejected_batch(chunk.key, rows.rejected))
        if len(rows.accepted):
            for record in records(rows.accepted, contract):
                lines.write(orjson.dumps(record) + b"\n")
            columns = [
                pa.array(rows.accepted.keys, pa.string()),
                pa.array(rows.accepted.row_numbers, pa.int64()),
            ]
            keys.add(pa.record_batch(columns, schema=_KEYS))
    check_rows(chunk, keys.rows + rejected.rows)
    seconds = time.perf_counter() - began
    if rejected.rows:
        write(run.rejected + part_name(chunk.number), rejected.finish(chunk.number, seconds))
    if keys.rows:
        write(input_key(run, chunk.number), lines.getvalue())
    write(keys_key(run, chunk.number), keys.finish(chunk.number, seconds))
    return Counts(chunk.rows, keys.rows, rejected.rows)


def records(accepted: Accepted, contract: Contract) -> Iterator[dict[str, Any]]:
    """Yield rows as records that the contract takes: whole numbers whole, what is missing null."""
    features, rules = contract.features, contract.schema["properties"]
    whole = [name in features.integers for name in features.numeric]
    categories = Texts(features).of(accepted.places)
    for numbers, texts in zip(accepted.numeric.tolist(), categories, strict=True):
        record: dict[str, Any] = {}
        for name, value, is_whole in zip(features.numeric, numbers, whole, strict=True):
            if math.isnan(value):
                record[name] = None
            else:
                record[name] = int(value) if is_whole else value
        record.update(
            {name: text or None for name, text in zip(features.categorical, texts, strict=True)}
        )
        # An optional field may be absent, and null only where the contract says so.
        yield {
            name: value
            for name, value in record.items()
            if value is not None or rules[name].get("nullable")
        }


def join_chunk(
    run: BatchRun, chunk: Chunk, keys: bytes, answers: bytes, contract: Contract, write: Write
) -> Counts:
    """Write a chunk's scores from its keys and the job's answers, one line each, in order.

    Raises BoringError `answers_differ` where they do not fit together.
    """
    began = time.perf_counter()
    facts = parts.facts_of(io.BytesIO(keys))
    named = pyarrow.parquet.read_table(pa.BufferReader(keys))
    lines = [line for line in answers.split(b"\n") if line]
    if len(lines) != named.num_rows:
        told = f"chunk {chunk.number} asked {named.num_rows} rows and got {len(lines)} answers."
        raise BoringError("answers_differ", told, 422)
    found = [orjson.loads(line) for line in lines]
    probabilities = np.array([one["probability"] for one in found], np.float64)
    if not bool(((probabilities >= 0) & (probabilities <= 1)).all()):
        raise BoringError("answers_differ", f"chunk {chunk.number} has no probabilities.", 422)
    positive = np.array([one["prediction"] == contract.positive for one in found], np.int8)
    labels = (contract.negative, contract.positive)
    writer = parts.PartWriter(parts.SCORED)
    if found:
        row_numbers = named.column("row_number").combine_chunks()
        keys_column = named.column("key").combine_chunks()
        writer.add(
            parts.scores(
                chunk.key, keys_column, row_numbers, probabilities, positive, labels, run.version
            )
        )
    seconds = facts.seconds + time.perf_counter() - began
    write(run.scored + part_name(chunk.number), writer.finish(chunk.number, seconds))
    return Counts(chunk.rows, writer.rows, chunk.rows - writer.rows)


def archive(package: Package) -> bytes:
    """Return the proved files of a package as model.tar.gz, each at its root.

    Raises BoringError `digest_mismatch` or `package_incomplete`.
    """
    packed = io.BytesIO()
    names = sorted(package.manifest["files"])
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name, content in (
            (layout.MANIFEST, canonical(package.manifest)),
            *((name, package.read(name)) for name in names),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def plan_transform(
    run: BatchRun,
    declaration: Mapping[str, Any],
    settings: Any,
    *,
    image_uri: str,
    role_arn: str,
    model_data_uri: str,
    bucket: str,
) -> dict[str, Any]:
    """Return {"model": CreateModel, "job": CreateTransformJob}; a try adds its number to the name.

    Raises BoringError `image_not_configured`, `image_not_pinned` or `tags_missing`.
    """
    check_image(image_uri)
    tags = {name: declaration.get(name, declaration["name"]) for name in _TAGS}
    tags["model"] = run.model
    check_tags(tags, _TAGS)
    tag_list = [{"Key": name, "Value": value} for name, value in sorted(tags.items())]
    # A try's number comes behind it, and a name has 63 characters at most.
    name = job_name(run.model, f"{bucket}:{run.label}", 1)[:60].rstrip("-")
    wanted = settings.transform
    model = {
        "ModelName": name,
        "ExecutionRoleArn": role_arn,
        "EnableNetworkIsolation": True,
        "Tags": tag_list,
        "PrimaryContainer": {
            "Image": image_uri,
            "ModelDataUrl": model_data_uri,
            "Environment": {
                "MODEL_NAME": run.model,
                "MODEL_VERSION": str(run.version),
                "MODEL_DIGEST": run.package_digest,
            },
        },
    }
    # SageMaker: the payload times the concurrency is at most 100 MB.
    concurrent = max(1, min(settings.max_concurrency, 100 // wanted["max_payload_mb"]))
    job = {
        "TransformJobName": name,
        "ModelName": name,
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": wanted["max_payload_mb"],
        "MaxConcurrentTransforms": concurrent,
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"s3://{bucket}/{run.work}transform/input/",
                }
            },
            "ContentType": JSON_LINES,
            "SplitType": "Line",
            "CompressionType": "None",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{bucket}/{run.work}transform/output/",
            "Accept": JSON_LINES,
            "AssembleWith": "Line",
        },
        "TransformResources": {
            "InstanceType": wanted["instance_type"],
            "InstanceCount": wanted["instance_count"],
        },
        "Tags": tag_list,
    }
    return {"model": model, "job": job}


def job_seconds(job: Mapping[str, Any]) -> float:
    """Return the seconds of a finished job: from its start to its end, in epoch milliseconds."""
    return float(max(0.0, (job["TransformEndTime"] - job["TransformStartTime"]) / 1000))


def _name(number: int) -> str:
    return f"chunk-{number:05d}.jsonl"
