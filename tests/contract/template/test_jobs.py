"""The numbers of the asynchronous pattern fit each other, and the models' declarations."""

from typing import Any

import pytest
import yaml

from tests.contract.template.test_wiring import ROOT, Loader

TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader)
PATTERN = yaml.load((ROOT / "patterns/async.yaml").read_text(), Loader)
RESOURCES = PATTERN["Resources"]
INSTANCES = {
    name: resource["Properties"]["Parameters"]
    for name, resource in TEMPLATE["Resources"].items()
    if resource.get("Properties", {}).get("Location") == "patterns/async.yaml"
}


@pytest.mark.parametrize("parameters", INSTANCES.values(), ids=list(INSTANCES))
def test_an_instance_is_as_its_model_declares(parameters: dict[str, Any]) -> None:
    declared = yaml.safe_load(
        (ROOT / "models" / parameters["ModelName"] / "model.yaml").read_text()
    )
    serving = declared["serving"]
    assert "async" in declared["patterns"]
    assert parameters["ModelRuntime"] == serving["runtime"]
    assert int(parameters["MaxConcurrency"]) == serving["max_concurrency"]
    assert int(parameters["BatchSize"]) == serving["batch_size"]
    assert int(parameters["MemorySize"]) == serving["memory_mb"]


def test_each_model_with_the_pattern_has_an_instance_and_its_entries() -> None:
    models = {
        path.parent.name
        for path in (ROOT / "models").glob("*/model.yaml")
        if "async" in yaml.safe_load(path.read_text())["patterns"]
    }
    assert {parameters["ModelName"] for parameters in INSTANCES.values()} == models
    text = (ROOT / "template.yaml").read_text()
    for name, parameters in INSTANCES.items():
        model = parameters["ModelName"]
        assert text.count(f"'{model}': '${{{name}.Outputs.FunctionName}}'") == 2
        entry = f'"{model}": "${{{name}.Outputs.FunctionName}}"'
        assert text.count(entry) == text.count("SERVING_FUNCTIONS: ")
        assert f'"{model}": "${{{name}.Outputs.JobDeadQueue}}"' in text


@pytest.mark.parametrize("environment", TEMPLATE["Mappings"]["JobTimes"])
def test_times_fit_each_other(environment: str) -> None:
    times = TEMPLATE["Mappings"]["JobTimes"][environment]
    window = RESOURCES["RunJobMapping"]["Properties"]["MaximumBatchingWindowInSeconds"]
    assert times["Visibility"] >= 6 * times["Timeout"] + window
    assert times["Lease"] < times["Timeout"]
    # Whoever starts at the last moment is over before the sweeper closes the job.
    assert times["ClosesAfter"] > times["MaxAge"] + times["Timeout"]
    # A message outlives its job, and a job that may be redriven is not closed yet.
    assert RESOURCES["JobQueue"]["Properties"]["MessageRetentionPeriod"] > times["ClosesAfter"]
    assert times["Redrive"] < times["ClosesAfter"]
    days = TEMPLATE["Resources"]["ResultsBucket"]["Properties"]["LifecycleConfiguration"]
    assert days["Rules"][0]["ExpirationInDays"] * 86_400 > times["Keep"]


def test_only_live_takes_messages_and_says_which_failed() -> None:
    mapping = RESOURCES["RunJobMapping"]["Properties"]
    assert mapping["FunctionName"] == "LiveAlias"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": "MaxConcurrency"}


def test_the_api_may_send_to_the_queue_and_do_nothing_else() -> None:
    (policy,) = RESOURCES["SendRole"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", "JobQueue.Arn")
