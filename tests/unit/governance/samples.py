"""The repository's own model and blueprints, and what a plan needs beside them."""

from pathlib import Path
from typing import Any

import yaml

from boringml.governance.blueprint import Blueprint

ROOT = Path(__file__).parents[3]
MODEL: dict[str, Any] = yaml.safe_load((ROOT / "models/credit/model.yaml").read_text())
BLUEPRINTS = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted(ROOT.glob("blueprints/*.yaml"))
}
SMALL, MEDIUM = (Blueprint.parse(BLUEPRINTS[name]) for name in ("small-cpu", "medium-cpu"))
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/boringml-local@sha256:" + "0" * 64
DIGEST = "sha256:" + "a" * 64


def request(**changes: Any) -> dict[str, Any]:
    """Return the keywords of a good plan, with these changes."""
    given: dict[str, Any] = {
        "job_name": "credit-run-1",
        "image_uri": IMAGE,
        "role_arn": "arn:aws:iam::000000000000:role/training",
        "region": "us-east-1",
        "input_uri": "s3://lake/data/credit/",
        "output_uri": "s3://lake/training/",
        "tags": {"environment": "dev", "trigger": "s3://lake/data/credit/2026-11.csv"},
        "git_commit": "f00dcafe",
    }
    return given | changes
