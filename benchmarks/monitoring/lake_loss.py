"""Predictions from the client to the lake: a ledger whose counts must add up.

`python -m benchmarks.monitoring.lake_loss` (make lake-proof) asks credit on the local AWS for
20,000 predictions over HTTP, some by themselves, others in lists, and for some that are refused.
Then it reads the raw log, the table `predictions` and the metrics, and compares record by record.
"""

import argparse
import io
import itertools
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from boringml.adapters.athena_query import AthenaQuery
from boringml.adapters.registry_table import RegistryTable
from boringml.serving.stages import UNCOUNTED
from local.datasets import credit_records, write_credit
from local.predictions import Answer, PredictionClient, local_client
from local.server import LocalAWS
from local.training_demo import ensure_live
from local.up import up

MODEL = "credit"
CLIENTS = 4
# A list is of 2 to 20; of each request, this share is one; and of all, this share is refused.
LISTS, MOST, REFUSED = 0.1, 20, 0.02
SECONDS_TO_ARRIVE = 120
THROTTLED = 429

# (request id, place in its list)
Identity = tuple[str, int]
Entry = tuple[str, float, bool]


@dataclass
class Served:
    """What clients were answered: the probability of each record, and codes of refusals."""

    records: dict[Identity, float] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    throttled: int = 0

    def add(self, request_id: str, body: Mapping[str, Any]) -> None:
        """Note one answer."""
        self.requests += 1
        if "error" in body:
            self.refused[request_id] = body["error"]["code"]
            return
        shown = body.get("predictions", [body])
        for place, one in enumerate(shown):
            self.records[request_id, place] = one["probability"]


def bodies(count: int, records: Sequence[Mapping[str, Any]], seed: int) -> Iterator[Any]:
    """Yield what to post until `count` records are asked for, refusals not counted."""
    chance = random.Random(seed)
    turn, left = 0, count
    while left:
        if chance.random() < REFUSED:
            yield chance.choice([{}, [], {**records[turn % len(records)], "term": "never"}])
            continue
        size = min(left, chance.randint(2, MOST)) if chance.random() < LISTS else 1
        chosen = [records[(turn + n) % len(records)] for n in range(size)]
        yield chosen if size > 1 else chosen[0]
        turn, left = turn + size, left - size


def send(client: PredictionClient, wanted: Iterable[Any]) -> Served:
    """Post all bodies; return what came of them. Raises RuntimeError where the service fails.

    What API Gateway throttles reaches no function: it is sent again.
    """
    served = Served()
    throttled = itertools.count()

    def post(body: Any) -> Answer:
        while (answer := client.predict(MODEL, body)).status == THROTTLED:
            next(throttled)
            time.sleep(0.1)
        return answer

    with ThreadPoolExecutor(CLIENTS) as pool:
        for answer in pool.map(post, wanted):
            if answer.status >= 500 or "request_id" not in answer.body:
                raise RuntimeError(f"answered with {answer.status}: {answer.body}")
            served.add(str(answer.body["request_id"]), answer.body)
    served.throttled = next(throttled)
    return served


def raw_lines(logs: Any, group: str, since_ms: int) -> list[dict[str, Any]]:
    """Return all prediction lines of a log group since then, as they were written."""
    lines = []
    for page in logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=since_ms
    ):
        for event in page["events"]:
            # Read here once more: this count is to depend on no code that it proves.
            text = event["message"]
            if '"record":' in text:
                line = json.loads(text[text.index("{") :])
                # Lambda's own reports have an object of that name.
                if isinstance(line["record"], int):
                    lines.append(line)
    return lines


def rows(s3: Any, bucket: str, days: Iterable[str]) -> list[dict[str, Any]]:
    """Return the rows of the Parquet objects of these days."""
    found: list[dict[str, Any]] = []
    for day in days:
        prefix = f"predictions/model={MODEL}/date={day}/"
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
                found += pq.read_table(io.BytesIO(body), partitioning=None).to_pylist()
    return found


def metric(
    cloudwatch: Any, namespace: str, name: str, since: datetime, **dimensions: str
) -> tuple[float, int]:
    """Return the sum and the number of samples of a metric since then."""
    points = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=since,
        EndTime=datetime.now(UTC) + timedelta(minutes=2),
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    total = sum(point["Sum"] for point in points)
    return total, round(sum(point["SampleCount"] for point in points))


Ledger = list[tuple[str, int, bool]]


def lines_ledger(served: Served, raw: list[dict[str, Any]], stored: list[dict[str, Any]]) -> Ledger:
    """Compare what clients got with the raw log and the lake, record by record."""
    mine = {identity[0] for identity in served.records} | set(served.refused)
    raw_mine = [line for line in raw if line["request_id"] in mine]
    stored_mine = [row for row in stored if row["request_id"] in mine]
    in_raw, in_lake = entries(raw_mine), entries(stored_mine)
    expected = {
        **{identity: (None, probability) for identity, probability in served.records.items()},
        **{(request_id, 0): (code, None) for request_id, code in served.refused.items()},
    }
    known = {identity: values[:2] for identity, values in in_raw.items()}
    same = sum(in_lake.get(identity) == values for identity, values in in_raw.items())
    codes = Counter(line["code"] for line in raw_mine if line.get("code"))
    told = Counter(served.refused.values())
    only_there = len(set(in_lake) - set(in_raw))
    return [
        ("requests answered", served.requests, True),
        ("  throttled before, and sent again", served.throttled, True),
        ("predictions served", len(served.records), True),
        ("requests refused", len(served.refused), True),
        ("lines in the raw log", len(raw_mine), len(raw_mine) == len(expected)),
        ("  of a record each, as clients were answered", len(known), known == expected),
        ("lines in the lake", len(stored_mine), len(in_lake) == len(expected)),
        ("  more than once", len(stored_mine) - len(in_lake), True),
        ("  equal to the raw line in every column", same, same == len(expected)),
        ("  in the lake and not in the log", only_there, only_there == 0),
        *((f"refused as {code}", codes[code], codes[code] == told[code]) for code in sorted(told)),
    ]


def entries(lines: Iterable[Mapping[str, Any]]) -> dict[Identity, tuple[Any, ...]]:
    """Return the columns that log and lake share, by record."""
    return {
        (line["request_id"], line["record"]): (
            line.get("code"),
            line.get("probability"),
            line.get("prediction"),
            line.get("latency_ms"),
            line.get("latency_bucket"),
            line["model_version"],
            line["function_version"],
            line["cold_start"],
            line.get("trace_id"),
            _moment(line),
            _features(line.get("features")),
        )
        for line in lines
    }


def _moment(line: Mapping[str, Any]) -> str:
    at = line.get("at")
    if at is None:
        return str(line["timestamp"])
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _features(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def metrics_ledger(
    cloudwatch: Any, namespace: str, raw: list[dict[str, Any]], since_ms: int
) -> Ledger:
    """Compare metrics since then with a count of the raw lines that have any."""
    counted = [line for line in raw if line.get("_aws", {}).get("Timestamp", 0) >= since_ms]
    since = datetime.fromtimestamp(since_ms / 1000, UTC)
    wanted = {
        "requests": (sum(line["requests"] for line in counted), None),
        "failures": (sum(line["failures"] for line in counted), None),
        "latency_ms": (sum(line["latency_ms"] for line in counted), len(counted)),
        "cold_starts": (sum(line.get("cold_starts", 0) for line in counted), None),
    }
    ledger: Ledger = []
    for name, (total, samples) in wanted.items():
        seen = metric(cloudwatch, namespace, name, since, model=MODEL)
        ledger.append((f"metric {name}: sum", round(seen[0]), abs(seen[0] - total) < 0.01))
        if samples is not None:
            ledger.append((f"metric {name}: samples", seen[1], seen[1] == samples))
    versions = Counter((line["model_version"], line["function_version"]) for line in counted)
    for (version, function), number in sorted(versions.items()):
        dimensions = {"model": MODEL, "model_version": version, "function_version": function}
        seen = metric(cloudwatch, namespace, "requests", since, **dimensions)
        same = seen[0] == number
        ledger.append((f"metric requests of version {version}", round(seen[0]), same))
    return ledger


def athena_ledger(
    athena: AthenaQuery, day: str, raw: list[dict[str, Any]], since: datetime
) -> Ledger:
    """Compare what the table says of live traffic with the raw log.

    What a release asked is left out: each release asks the same requests under the same ids.
    """
    (row,) = athena.rows(
        "SELECT count(*) AS lines, count(DISTINCT request_id || '/' || CAST(record AS varchar)) "
        f"AS records FROM predictions WHERE model = '{MODEL}' AND date >= '{day}' "
        f"AND \"at\" >= TIMESTAMP '{since:%Y-%m-%d %H:%M:%S}' AND stage NOT IN {UNCOUNTED}"
    )
    live = [line for line in raw if line["stage"] not in UNCOUNTED]
    lines, records = int(row["lines"] or 0), int(row["records"] or 0)
    return [
        ("lines of live traffic by Athena", lines, lines == len(live)),
        ("  records by Athena", records, records == len(live)),
    ]


def prove(aws: LocalAWS, outputs: Mapping[str, str], stack: str, count: int, seed: int) -> Ledger:
    """Ask for predictions, wait until they are in the lake, and return the ledger."""
    # Periods of metrics begin with a minute.
    since = datetime.now(UTC).replace(second=0, microsecond=0)
    since_ms = int(since.timestamp() * 1000)
    begin = time.monotonic()
    asked = bodies(count, credit_records(), seed)
    served = send(local_client(outputs["ApiUrl"]), asked)
    sent_seconds = time.monotonic() - begin
    raw = raw_lines(aws.client("logs"), outputs["CreditLogGroup"], since_ms)
    first, ids = f"{since:%Y-%m-%d}", {line["request_id"] for line in raw}
    stored = _arrived(aws, outputs["LakeBucket"], first, ids, len(raw))
    seconds = time.monotonic() - begin
    athena = AthenaQuery(
        aws.client("athena"), outputs["LakeDatabase"], f"s3://{outputs['LakeBucket']}/athena/"
    )
    namespace = f"BoringML/{stack}"
    return [
        *lines_ledger(served, raw, stored),
        *athena_ledger(athena, first, raw, since),
        *metrics_ledger(aws.client("cloudwatch"), namespace, raw, since_ms),
        *_errors(aws, outputs["LakeBucket"]),
        ("seconds until the last answer", round(sent_seconds), True),
        ("seconds until the last row", round(seconds), True),
    ]


def _arrived(
    aws: LocalAWS, bucket: str, first: str, ids: set[str], wanted: int
) -> list[dict[str, Any]]:
    """Return the rows, once as many as wanted are there, or it takes too long."""
    deadline = time.monotonic() + SECONDS_TO_ARRIVE
    while True:
        days = {first, f"{datetime.now(UTC):%Y-%m-%d}"}
        found = [row for row in rows(aws.client("s3"), bucket, days) if row["request_id"] in ids]
        if len(found) >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(2)


def _errors(aws: LocalAWS, bucket: str) -> Ledger:
    found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="failed-predictions/")
    number = len(found.get("Contents", []))
    return [("objects below failed-predictions/", number, number == 0)]


def main(arguments: list[str] | None = None) -> int:
    """Run it and print the ledger; return 0 where all adds up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring.lake_loss")
    parser.add_argument("--predictions", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--home", type=Path, help="another local AWS than that of make up")
    parser.add_argument("--report", type=Path, default=Path("benchmarks/results/lake_loss.json"))
    options = parser.parse_args(arguments)
    deployed = up(options.home) if options.home else up()
    aws, outputs = deployed.local_aws, deployed.outputs
    registry = RegistryTable(aws.client("dynamodb"), outputs["RegistryTable"])
    ensure_live(deployed, registry, MODEL, lambda path: write_credit(path, slice(6000)), print)
    ledger = prove(aws, outputs, deployed.stack_name, options.predictions, options.seed)
    for what, much, holds in ledger:
        print(f"{what:46} {much:>9}  {'' if holds else 'DOES NOT ADD UP'}")
    options.report.parent.mkdir(parents=True, exist_ok=True)
    report = {what.strip(): much for what, much, _holds in ledger}
    options.report.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if all(holds for _what, _much, holds in ledger) else 1


if __name__ == "__main__":
    sys.exit(main())
