"""What a line says, what the table has of it, and what brings it there."""

import json

import pytest
import yaml

from boringml.adapters.prediction_files import PARQUET
from tests.contract.template.test_wiring import ROOT, Loader

TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"]
TABLE = TEMPLATE["PredictionsTable"]["Properties"]["TableInput"]
STREAM = TEMPLATE["PredictionsStream"]["Properties"]["ExtendedS3DestinationConfiguration"]
SCHEMA = json.loads((ROOT / "models/schemas/prediction_log.schema.json").read_text())["$defs"]
# Of a line, what is no column: partitions, metrics, and what is for the log alone.
NO_COLUMNS = {
    "model", "level", "requests", "failures", "cold_starts", "model_load_ms", "_aws", "traceback",
}  # fmt: skip
TYPES = {
    "string": {"string"},
    "array": {"string"},
    "object": {"string"},
    "number": {"double"},
    "integer": {"int", "double"},
    "boolean": {"boolean"},
}


def fields() -> dict[str, dict]:
    """Return each field of a prediction line with its schema."""
    found = {**SCHEMA["request"]["properties"], **SCHEMA["shared"]["properties"]}
    named = {
        name: SCHEMA[rule["$ref"].split("/")[-1]] if "$ref" in rule else rule
        for name, rule in found.items()
    }
    named["record"] = {"type": "integer"}
    return named


def test_each_field_of_a_line_is_a_column_of_its_type_and_no_other_is() -> None:
    serde = STREAM["DataFormatConversionConfiguration"]["InputFormatConfiguration"]
    renamed = serde["Deserializer"]["OpenXJsonSerDe"]["ColumnToJsonKeyMappings"]
    columns = {
        renamed.get(column["Name"], column["Name"]): column["Type"]
        for column in TABLE["StorageDescriptor"]["Columns"]
    }
    assert columns.pop("timestamp") == "timestamp"
    known = {name: rule for name, rule in fields().items() if name not in NO_COLUMNS}
    known.pop("timestamp")
    assert set(columns) == set(known)
    for name, kind in columns.items():
        listed = known[name].get("type", "string")
        allowed = [t for t in ([listed] if isinstance(listed, str) else listed) if t != "null"]
        assert all(kind in TYPES[one] for one in allowed), name


def test_the_table_knows_each_model_that_is_served() -> None:
    declared = {
        folder.parent.name: yaml.safe_load(folder.read_text())["patterns"]
        for folder in (ROOT / "models").glob("*/model.yaml")
    }
    served = {name for name, patterns in declared.items() if {"online", "async"} & set(patterns)}
    assert set(TABLE["Parameters"]["projection.model.values"].split(",")) == served


def test_objects_lie_where_the_table_looks() -> None:
    keys = [key["Name"] for key in TABLE["PartitionKeys"]]
    folders = "/".join(f"{key}=!{{partitionKeyFromQuery:{key}}}" for key in keys)
    assert STREAM["Prefix"] == f"predictions/{folders}/"
    assert STREAM["FileExtension"] == PARQUET
    template = TABLE["Parameters"]["storage.location.template"]
    told = "/".join(f"{key}=${{!{key}}}" for key in keys)
    assert template == f"s3://${{LakeBucket}}/predictions/{told}"


@pytest.mark.parametrize("pattern", ["online", "async"])
def test_each_pattern_sends_its_prediction_lines(pattern: str) -> None:
    resources = yaml.load((ROOT / f"patterns/{pattern}.yaml").read_text(), Loader)["Resources"]
    sent = resources["PredictionsSubscription"]["Properties"]
    assert sent["FilterPattern"] == "{ $.record >= 0 }"
    function = resources["PredictFunction" if pattern == "online" else "RunJobFunction"]
    assert function["Properties"]["LoggingConfig"]["LogGroup"] == sent["LogGroupName"]


def test_what_the_stream_writes_is_forgotten_in_time() -> None:
    rules = TEMPLATE["LakeBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    forgotten = {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in rules}
    assert forgotten["predictions/"] == 396
    assert forgotten["failed-predictions/"] == 30
    assert STREAM["ErrorOutputPrefix"].startswith("failed-predictions/")
    # Copies of rows must not outlive them, nor stay as old versions.
    assert forgotten["athena/"] == 7
    (copies,) = [rule for rule in rules if rule.get("Prefix") == "athena/"]
    assert copies["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1
    assert 'f"s3://{bucket}/athena/"' in (ROOT / "cli/boringml_cli/commands/trace.py").read_text()


def test_the_messages_of_a_record_are_parted_before_each_has_a_partition() -> None:
    processors = STREAM["ProcessingConfiguration"]["Processors"]
    assert [one["Type"] for one in processors] == [
        "Decompression",
        "CloudWatchLogProcessing",
        "RecordDeAggregation",
        "MetadataExtraction",
    ]
    (parted,) = processors[2]["Parameters"]
    assert parted == {"ParameterName": "SubRecordType", "ParameterValue": "JSON"}


def test_whatever_the_stream_puts_aside_rings() -> None:
    pattern = TEMPLATE["FailedPredictionsRule"]["Properties"]["EventPattern"]
    (prefix,) = pattern["detail"]["object"]["key"]
    assert STREAM["ErrorOutputPrefix"].startswith(prefix["prefix"])
    metrics = TEMPLATE["PredictionsFailedAlarm"]["Properties"]["Metrics"]
    counted = {m["Id"]: m["MetricStat"]["Metric"] for m in metrics if "MetricStat" in m}
    assert "FILL(aside, 0)" in metrics[0]["Expression"]
    assert counted["aside"]["MetricName"] == "MatchedEvents"
    assert counted["aside"]["Dimensions"][0]["Value"] == "FailedPredictionsRule"
