"""A planned job and the container mean the same by every name."""

import json
import re
from pathlib import Path

from boringml.governance.blueprint import plan_training_job
from boringml.governance.training_job import METRICS
from container.trainer.job import PLATFORM, read_job
from container.trainer.paths import Paths
from container.trainer.run import _say_metrics
from tests.unit.governance.samples import DIGEST, MODEL, ROOT, SMALL, request

PLAN = plan_training_job(
    MODEL,
    SMALL,
    **request(
        hyperparameters={"max_depth": 3},
        live_package_uri="s3://packages/packages/credit/job-1/",
        live_model_version=3,
        live_digest=DIGEST,
    ),
)


def test_the_container_reads_the_hyperparameters_as_they_were_planned(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.hyperparameters.parent.mkdir(parents=True)
    paths.hyperparameters.write_text(json.dumps(PLAN["HyperParameters"]))
    job = read_job(paths, ROOT / "models")
    assert (job.model, job.seed, job.git_commit) == ("credit", 20260101, "f00dcafe")
    assert (job.live_model_version, job.live_digest) == (3, DIGEST)
    assert job.parameters == {**MODEL["training"]["parameters"], "max_depth": 3}
    assert set(PLAN["HyperParameters"]) == PLATFORM | set(MODEL["training"]["parameters"])


def test_every_metric_that_the_container_prints_is_found() -> None:
    metrics = {"roc_auc": 0.748124, "log_loss": 0.19, "brier": 0.05, "precision": 0, "recall": 1}
    evaluation = {
        "metrics": metrics,
        "live": {"metrics": {name: value / 2 for name, value in metrics.items()}},
        "parity": {"max_difference": 1.25e-7},
    }
    log: list[str] = []
    _say_metrics(evaluation, lambda text: log.append(f"[  3.21 s] {text}"))
    found = {
        definition["Name"]: [
            float(match[1]) for line in log for match in re.finditer(definition["Regex"], line)
        ]
        for definition in PLAN["AlgorithmSpecification"]["MetricDefinitions"]
    }
    assert found.keys() == set(METRICS)
    assert found == {
        **{name: [value] for name, value in metrics.items()},
        **{f"live_{name}": [value / 2] for name, value in metrics.items()},
        "parity_max_difference": [1.25e-7],
    }
