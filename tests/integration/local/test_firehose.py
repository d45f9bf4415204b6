"""From log lines to rows in the lake: subscriptions, Firehose and projected partitions."""

import base64
import gzip
import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from local.server import LocalAWS
from tests.integration.local.conftest import deploy_template, unique, until
from tests.integration.local.test_permissions import make_role, total

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"
COLUMNS = [
    {"Name": "at", "Type": "timestamp"},
    {"Name": "number", "Type": "int"},
    {"Name": "features", "Type": "string"},
    {"Name": "cold", "Type": "boolean"},
]
PREFIX = "rows/model=!{partitionKeyFromQuery:model}/date=!{partitionKeyFromQuery:date}/"


def processor(kind: str, **parameters: str) -> dict[str, Any]:
    listed = [
        {"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()
    ]
    return {"Type": kind, "Parameters": listed}


PROCESSORS = [
    processor("Decompression", CompressionFormat="GZIP"),
    processor("CloudWatchLogProcessing", DataMessageExtraction="true"),
    processor("RecordDeAggregation", SubRecordType="JSON"),
    processor(
        "MetadataExtraction",
        MetadataExtractionQuery="{model: .model, date: .timestamp[0:10]}",
        JsonParsingEngine="JQ-1.6",
    ),
]


def line(number: int, model: str = "credit", **changes: Any) -> str:
    """Return a log line that the subscriptions here want."""
    told = {
        "model": model,
        "timestamp": f"{TODAY}T00:00:01.250Z",
        "number": number,
        "features": {"Rate": 11.5, "term": "36"},
        "cold": number == 0,
        **changes,
    }
    return json.dumps(told)


@dataclass
class Lake:
    """A log group that is subscribed to a stream into a bucket."""

    local_aws: LocalAWS
    name: str
    role: str

    @property
    def group(self) -> str:
        return f"/{self.name}"

    def log(self, *messages: str) -> None:
        """Write log events."""
        now = int(time.time() * 1000)
        self.local_aws.client("logs").put_log_events(
            logGroupName=self.group,
            logStreamName="one",
            logEvents=[{"timestamp": now, "message": text} for text in messages],
        )

    def keys(self, prefix: str) -> list[str]:
        """Return the objects below a prefix."""
        found = self.local_aws.client("s3").list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def rows(self, prefix: str = "rows/") -> list[dict[str, Any]]:
        """Return the rows below a prefix."""
        s3 = self.local_aws.client("s3")
        found = []
        for key in self.keys(prefix):
            body = s3.get_object(Bucket=self.name, Key=key)["Body"].read()
            found += pq.read_table(io.BytesIO(body), partitioning=None).to_pylist()
        return found

    def failed(self, kind: str) -> list[dict[str, Any]]:
        """Return what was put aside today as of a kind, with `rawData` decoded."""
        s3, found = self.local_aws.client("s3"), []
        for key in self.keys(f"failed/{kind}/{TODAY}/"):
            body = s3.get_object(Bucket=self.name, Key=key)["Body"].read()
            found += [json.loads(told) for told in body.splitlines()]
        return [{**told, "rawData": base64.b64decode(told["rawData"])} for told in found]

    def ask(self, sql: str) -> list[list[str]]:
        """Return the rows of a query of Athena."""
        athena = self.local_aws.client("athena")
        started = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.name},
            ResultConfiguration={"OutputLocation": f"s3://{self.name}/athena/"},
        )["QueryExecutionId"]

        def ended() -> Any:
            status = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]
            return status["Status"]["State"] not in ("QUEUED", "RUNNING") and status["Status"]

        status = until(ended)
        assert status["State"] == "SUCCEEDED", status
        rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"][1:]
        return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in rows]

    def metric(self, name: str) -> float:
        """Return the sum of a metric of the stream."""
        return total(self.local_aws, "AWS/Firehose", name, DeliveryStreamName=self.name)


Make = Callable[..., Lake]


@pytest.fixture
def make_lake(local_aws: LocalAWS) -> Make:
    def make(seconds: int = 1, pattern: str = "{ $.number >= 0 }", **changes: Any) -> Lake:
        name = unique("lake")
        glue, logs = local_aws.client("glue"), local_aws.client("logs")
        local_aws.client("s3").create_bucket(Bucket=name)
        glue.create_database(DatabaseInput={"Name": name})
        glue.create_table(DatabaseName=name, TableInput=table(name))
        role = make_role(local_aws, "firehose.amazonaws.com", "s3:PutObject", "glue:*")
        stream = local_aws.client("firehose").create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={**destination(name, role, seconds), **changes},
        )["DeliveryStreamARN"]
        logs.create_log_group(logGroupName=f"/{name}")
        logs.create_log_stream(logGroupName=f"/{name}", logStreamName="one")
        logs.put_subscription_filter(
            logGroupName=f"/{name}",
            filterName="lake",
            filterPattern=pattern,
            destinationArn=stream,
            roleArn=make_role(local_aws, "logs.us-east-1.amazonaws.com", "firehose:PutRecord"),
        )
        return Lake(local_aws, name, role.rpartition("/")[2])

    return make


def table(bucket: str) -> dict[str, Any]:
    return {
        "Name": "rows",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "classification": "parquet",
            "projection.enabled": "true",
            "projection.model.type": "enum",
            "projection.model.values": "credit,reviews",
            "projection.date.type": "date",
            "projection.date.format": "yyyy-MM-dd",
            "projection.date.range": "2026-01-01,NOW",
        },
        "PartitionKeys": [{"Name": "model", "Type": "string"}, {"Name": "date", "Type": "string"}],
        "StorageDescriptor": {"Location": f"s3://{bucket}/rows/", "Columns": COLUMNS},
    }


def destination(bucket: str, role: str, seconds: int) -> dict[str, Any]:
    return {
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "RoleARN": role,
        "Prefix": PREFIX,
        "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/",
        "BufferingHints": {"IntervalInSeconds": seconds, "SizeInMBs": 64},
        "DynamicPartitioningConfiguration": {"Enabled": True},
        "ProcessingConfiguration": {"Enabled": True, "Processors": PROCESSORS},
        "DataFormatConversionConfiguration": {
            "Enabled": True,
            "SchemaConfiguration": {
                "RoleARN": role,
                "DatabaseName": bucket,
                "TableName": "rows",
                "Region": "us-east-1",
                "VersionId": "LATEST",
            },
            "InputFormatConfiguration": {
                "Deserializer": {
                    "OpenXJsonSerDe": {
                        "CaseInsensitive": False,
                        "ColumnToJsonKeyMappings": {"at": "timestamp"},
                    }
                }
            },
            "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
        },
    }


def test_wanted_lines_become_rows_of_their_partition(make_lake: Make) -> None:
    lake = make_lake()
    lake.log("START RequestId: 1", line(0), '{"number": -1}', "no JSON {", line(1))
    lake.log(line(2, model="reviews"))
    until(lambda: len(lake.rows()) == 3)
    credit = lake.rows(f"rows/model=credit/date={TODAY}/")
    assert sorted(row["number"] for row in credit) == [0, 1]
    first = next(row for row in credit if row["number"] == 0)
    assert json.loads(first["features"]) == {"Rate": 11.5, "term": "36"}
    assert first["at"] == datetime.fromisoformat(f"{TODAY}T00:00:01.250")
    assert first["cold"] is True
    assert len(lake.keys("rows/model=credit/")) == 1, "one object for a buffer and partition"
    assert lake.keys("failed/") == []
    assert (lake.metric("IncomingRecords"), lake.metric("DeliveryToS3.Records")) == (2, 3)


@pytest.mark.parametrize(
    ("told", "end"), [({}, ".parquet"), ({"FileExtension": ".snappy.parquet"}, ".snappy.parquet")]
)
def test_names_end_as_the_stream_says(make_lake: Make, told: dict[str, str], end: str) -> None:
    lake = make_lake(**told)
    lake.log(line(0))
    (key,) = until(lambda: lake.keys("rows/"))
    # What AWS puts before it is a UUID, which has no dot.
    assert key.partition(".")[2] == end[1:]


def test_athena_reads_the_partitions_that_the_table_projects(make_lake: Make) -> None:
    lake = make_lake()
    lake.log(line(1), line(2), line(3, model="secret"), line(4, timestamp="2025-12-31T00:00:00Z"))
    until(lambda: len(lake.rows()) == 4)
    asked = (
        "SELECT model, number, json_extract_scalar(features, '$.term') FROM rows ORDER BY number"
    )
    assert lake.ask(asked) == [["credit", "1", "36"], ["credit", "2", "36"]]
    assert lake.ask("SELECT count(*) FROM rows WHERE date < '2026-02-01'") == [["0"]]


def test_what_does_not_convert_lies_below_the_error_prefix_as_it_was(make_lake: Make) -> None:
    lake = make_lake()
    bad, unpartitioned = line(1, cold="perhaps"), line(2, model=None)
    lake.log(line(0), bad, unpartitioned)
    until(lambda: len(lake.keys("failed/")) == 2 and lake.rows())
    assert [row["number"] for row in lake.rows()] == [0]
    for kind, message in (
        ("format-conversion-failed", bad),
        ("metadata-extraction-failed", unpartitioned),
    ):
        assert [told["rawData"] for told in lake.failed(kind)] == [message.encode()]
    assert lake.metric("FailedConversion.Records") == 1


def test_messages_that_nothing_parts_are_no_rows(make_lake: Make) -> None:
    whole = [one for one in PROCESSORS if one["Type"] != "RecordDeAggregation"]
    lake = make_lake(ProcessingConfiguration={"Enabled": True, "Processors": whole})
    lake.log(line(0))
    lake.log(line(1), line(2))
    until(lambda: lake.rows() and lake.keys("failed/"))
    assert [row["number"] for row in lake.rows()] == [0]
    (told,) = lake.failed("metadata-extraction-failed")
    assert told["errorCode"] == "DynamicPartitioning.MetadataExtractionFailed"
    # As it came, so that nothing of it is lost.
    events = json.loads(gzip.decompress(told["rawData"]))["logEvents"]
    assert [event["message"] for event in events] == [line(1), line(2)]


def test_a_record_of_more_than_500_messages_is_put_aside_as_a_whole(make_lake: Make) -> None:
    lake = make_lake()
    lake.log(*[line(number) for number in range(500)])
    lake.log(*[line(number) for number in range(500, 1001)])
    until(lambda: len(lake.rows()) == 500 and lake.keys("failed/"))
    assert sorted(row["number"] for row in lake.rows()) == list(range(500))
    (told,) = lake.failed("metadata-extraction-failed")
    assert len(json.loads(gzip.decompress(told["rawData"]))["logEvents"]) == 501


def test_a_buffer_waits_for_its_time_or_its_size(make_lake: Make) -> None:
    slow = make_lake(seconds=900)
    slow.log(line(0))
    quick = make_lake()
    quick.log(line(0))
    until(quick.rows)
    assert slow.keys("rows/") == []
    filled = make_lake(900, BufferingHints={"IntervalInSeconds": 900, "SizeInMBs": 1})
    numbers = count()

    def is_written() -> bool:
        # Of chance, since what is compressed is counted.
        filled.log(*[line(next(numbers), features=os.urandom(60_000).hex()) for _ in range(3)])
        return bool(filled.keys("rows/"))

    until(is_written)


def test_a_stream_writes_what_it_kept_once_its_role_may(make_lake: Make) -> None:
    lake = make_lake()
    iam = lake.local_aws.client("iam")
    deny = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=lake.role, PolicyName="deny", PolicyDocument=document)
    lake.log(line(0), line(1))
    until(lambda: lake.metric("IncomingRecords") == 1)
    lake.log(line(2))
    until(lambda: "may not write" in lake.local_aws.log.read_text())
    assert lake.keys("rows/") == []
    iam.delete_role_policy(RoleName=lake.role, PolicyName="deny")
    until(lambda: len(lake.rows()) == 3)


def test_a_subscription_without_permission_delivers_nothing(make_lake: Make) -> None:
    lake = make_lake()
    logs = lake.local_aws.client("logs")
    stream = f"arn:aws:firehose:us-east-1:000000000000:deliverystream/{lake.name}"
    logs.put_subscription_filter(
        logGroupName=lake.group,
        filterName="lake",
        filterPattern="",
        destinationArn=stream,
        roleArn=make_role(lake.local_aws, "logs.us-east-1.amazonaws.com"),
    )
    lake.log(line(0))
    dimensions = {
        "LogGroupName": lake.group,
        "DestinationType": "Firehose",
        "FilterName": "lake",
    }
    until(lambda: total(lake.local_aws, "AWS/Logs", "DeliveryErrors", **dimensions) == 1)
    assert lake.metric("IncomingRecords") == 0


def test_put_records_are_buffered_too(make_lake: Make) -> None:
    plain = {"Enabled": True, "Processors": [PROCESSORS[-1]]}
    lake = make_lake(ProcessingConfiguration=plain)
    client = lake.local_aws.client("firehose")
    records = [{"Data": line(number).encode()} for number in range(5)]
    client.put_record_batch(DeliveryStreamName=lake.name, Records=records)
    client.put_record(DeliveryStreamName=lake.name, Record={"Data": line(5).encode()})
    until(lambda: len(lake.rows()) == 6)
    assert len(lake.keys("rows/")) == 1


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ('{ $.features.term = "3*" }', [0, 1, 2]),
        ("{ ($.number = 1) || ($.number > 1 && $.cold IS FALSE) }", [1, 2]),
        ("{ $.cold IS TRUE }", [0]),
        ('{ $.model != "credit" }', []),
        ("{ $.nothing NOT EXISTS && $.number < 2 }", [0, 1]),
        ("{ $.features.Rate = 11.5 && $.number != 0 }", [1, 2]),
    ],
)
def test_a_json_pattern_finds_events_by_their_fields(
    make_lake: Make, pattern: str, numbers: list[int]
) -> None:
    lake = make_lake()
    lake.log(*[line(number) for number in range(3)], "plain text")
    found = lake.local_aws.client("logs").filter_log_events(
        logGroupName=lake.group, filterPattern=pattern
    )["events"]
    assert [json.loads(event["message"])["number"] for event in found] == numbers


@pytest.mark.parametrize("pattern", ["{ $.a }", "{ a = 1 }", "{ $.a = 1", "{ $.a < b }"])
def test_a_pattern_that_is_none_is_refused(make_lake: Make, pattern: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameter"):
        make_lake(pattern=pattern)


def test_what_is_put_aside_is_counted_by_a_rule_without_a_target(make_lake: Make) -> None:
    lake = make_lake()
    s3, events = lake.local_aws.client("s3"), lake.local_aws.client("events")
    s3.put_bucket_notification_configuration(
        Bucket=lake.name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [lake.name]},
            "object": {"key": [{"prefix": "failed/"}]},
        },
    }
    events.put_rule(Name=lake.name, EventPattern=json.dumps(pattern))
    lake.log(line(0), line(1, timestamp=None))
    until(lambda: lake.rows() and lake.keys("failed/"))

    def counted() -> float:
        return total(lake.local_aws, "AWS/Events", "MatchedEvents", RuleName=lake.name)

    until(lambda: counted() == 1)
    lake.log(line(2))
    until(lambda: len(lake.rows()) == 2)
    assert counted() == 1, "rows are no failures"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (processor("AppendDelimiterToRecord"), "AppendDelimiterToRecord is not emulated"),
        (
            processor("RecordDeAggregation", SubRecordType="DELIMITED", Delimiter="Cg=="),
            "RecordDeAggregation of DELIMITED is not emulated",
        ),
    ],
)
def test_a_processor_that_is_not_emulated_is_refused(
    make_lake: Make, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(ClientError, match=told):
        make_lake(ProcessingConfiguration={"Enabled": True, "Processors": [given]})


def test_a_template_may_have_named_queries(local_aws: LocalAWS) -> None:
    def template(query: str) -> dict[str, Any]:
        properties = {"Database": "lake", "Name": "mine", "QueryString": query}
        resource = {"Type": "AWS::Athena::NamedQuery", "Properties": properties}
        return {"Resources": {"Query": resource}, "Outputs": {"Id": {"Value": {"Ref": "Query"}}}}

    athena, name = local_aws.client("athena"), unique("queries")
    others = set(athena.list_named_queries()["NamedQueryIds"])
    for number in (1, 2):
        query = f"SELECT {number}"
        made = deploy_template(local_aws, name, template(query), update=number == 2)["Id"]
        found = athena.get_named_query(NamedQueryId=made)["NamedQuery"]
        assert (found["Name"], found["QueryString"]) == ("mine", query)
    # Other tests of the session have stacks with queries of their own.
    assert set(athena.list_named_queries()["NamedQueryIds"]) - others == {made}
