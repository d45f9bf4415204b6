"""Packages to register, and a table to register them in."""

from typing import Any

from boringml.registry.records import NewVersion

TABLE = {
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


def package(number: int, **changes: Any) -> NewVersion:
    """Return the package that job `number` of the model credit made."""
    members: dict[str, Any] = {
        "model": "credit",
        "package_uri": f"s3://packages/packages/credit/job-{number}/",
        "package_digest": f"sha256:{number:064x}",
        "contract_version": "1.0.0",
        "runtime": "onnx",
        "data_digest": f"sha256:{number + 1:064x}",
        "git_commit": "f00dcafe",
        "metrics": {"roc_auc": 0.7432109876543219, "holdout_rows": 1971, "brier": 1e-300},
        "job_name": f"job-{number}",
        "cost_usd": 0.003195,
        "image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/jobs@sha256:" + "0" * 64,
    }
    return NewVersion(**{**members, **changes})
