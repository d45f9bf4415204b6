"""What the template wires together must exist on both sides."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]


class Loader(yaml.SafeLoader):
    """Reads short-form tags as what they hold."""


def _plain(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", _plain)
FILES = [ROOT / "template.yaml", *sorted((ROOT / "patterns").glob("*.yaml"))]
RESOURCES = {
    f"{path.name}:{name}": (path, name, resource)
    for path in FILES
    for name, resource in yaml.load(path.read_text(), Loader)["Resources"].items()
}


def of_type(kind):
    return [pytest.param(r, id=i) for i, (_, _, r) in RESOURCES.items() if r["Type"] == kind]


@pytest.mark.parametrize("machine", of_type("AWS::Serverless::StateMachine"))
def test_each_placeholder_has_its_substitution(machine):
    properties = machine["Properties"]
    text = (ROOT / properties["DefinitionUri"]).read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(properties["DefinitionSubstitutions"])


@pytest.mark.parametrize("function", of_type("AWS::Serverless::Function"))
def test_each_function_has_a_log_group(function):
    assert function["Properties"]["LoggingConfig"]["LogGroup"]


@pytest.mark.parametrize("bucket", of_type("AWS::S3::Bucket"))
def test_each_bucket_is_safe(bucket):
    properties = bucket["Properties"]
    assert properties["BucketEncryption"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_each_bucket_demands_tls():
    demanding = {
        r["Properties"]["Bucket"]
        for _, _, r in RESOURCES.values()
        if r["Type"] == "AWS::S3::BucketPolicy" and "aws:SecureTransport" in str(r)
    }
    assert demanding == {n for _, n, r in RESOURCES.values() if r["Type"] == "AWS::S3::Bucket"}


def statements(function):
    """Return what a function may do, as {"Action": [...], "Resource": [...]} each."""
    return [
        {
            name: said if isinstance(said := one[name], list) else [said]
            for name in ("Action", "Resource")
        }
        for policy in function["Properties"].get("Policies", [])
        if isinstance(policy, dict)
        for one in policy.get("Statement", [])
    ]


def reads_packages(function):
    return any(
        "s3:GetObject" in one["Action"] and "PackagesBucket" in place and "/packages/" in place
        for one in statements(function)
        for place in one["Resource"]
    )


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(function, id=name)
        for path, name, function in RESOURCES.values()
        # Models' own functions are not told by S3 what is gone: they say that it may be.
        if path.name == "template.yaml"
        and function["Type"] == "AWS::Serverless::Function"
        and reads_packages(function)
    ],
)
def test_who_reads_packages_is_told_which_are_gone(function):
    """S3 answers 403 and not 404 to whom may not list (GetObject, API reference)."""
    listed = [
        place
        for one in statements(function)
        if "s3:ListBucket" in one["Action"]
        for place in one["Resource"]
    ]
    assert any(place.endswith(("PackagesBucket.Arn", "${PackagesBucket}")) for place in listed)


SCHEDULES = [
    pytest.param(event["Properties"], id=f"{name}.{event_name}")
    for _, name, function in RESOURCES.values()
    for event_name, event in function.get("Properties", {}).get("Events", {}).items()
    if event["Type"] == "ScheduleV2"
    # What comes again within minutes is made up for by the next.
    and "minutes" not in event["Properties"]["ScheduleExpression"]
]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_what_a_schedule_cannot_deliver_is_a_dead_letter(schedule):
    assert schedule["DeadLetterConfig"]["Arn"]


@pytest.mark.parametrize("queue", of_type("AWS::SQS::Queue"))
def test_each_queue_is_encrypted(queue):
    assert queue["Properties"]["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("identity", RESOURCES)
def test_no_resource_has_a_physical_name(identity):
    names = {"BucketName", "TableName", "FunctionName", "RoleName", "QueueName", "TopicName"}
    resource = RESOURCES[identity][2]
    if resource["Type"].startswith("AWS::Lambda::"):  # These refer to a function by its name.
        return
    assert not names & set(resource.get("Properties", {}))
