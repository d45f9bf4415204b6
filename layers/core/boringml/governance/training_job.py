"""The request that starts a training job: everything in it is decided here, before it costs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boringml.errors import BoringError
from boringml.governance import job_rules
from boringml.governance.cost import worst_case_cost
from boringml.governance.prices import Prices

if TYPE_CHECKING:
    from boringml.governance.blueprint import Blueprint

# The container's channels and hyperparameters: container/trainer/{paths,job,live}.py.
TRAIN_CHANNEL = "train"
LIVE_CHANNEL = "live"
_SEED = "seed"

# The container prints `metric <name>=<value>`; SageMaker takes 40 definitions at most.
_METRICS = ("roc_auc", "log_loss", "brier", "precision", "recall")
METRICS = (*_METRICS, *(f"live_{name}" for name in _METRICS), "parity_max_difference")
# Attempts after a fault of SageMaker's own. The time limits hold for all of them together
# (CreateTrainingJob, RetryStrategy), so the worst case costs no more.
RETRIES_OF_SERVICE_FAULTS = 2


def plan_training_job(
    declaration: Mapping[str, Any],
    blueprint: "Blueprint",
    *,
    job_name: str,
    image_uri: str,
    role_arn: str,
    region: str,
    input_uri: str,
    output_uri: str,
    checkpoint_uri: str | None = None,
    live_package_uri: str | None = None,
    live_model_version: int | None = None,
    live_digest: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    git_commit: str = "unknown",
    volume_kms_key_id: str = "",
    output_kms_key_id: str = "",
    prices: Prices | None = None,
) -> dict[str, Any]:
    """Return the CreateTrainingJob request of a model's training, as the API names its members.

    `declaration` is model.yaml, parsed. `hyperparameters` override its parameters or its seed;
    `tags` come on top of model, owner, cost_centre and blueprint, which are set here.
    `input_uri` is an S3 prefix: end it in a slash unless it is one object.
    The live version's package, number and digest come together or not at all.

    Raises BoringError `image_not_configured`, `image_not_pinned`, `job_name_invalid`,
    `tags_missing`, `tags_invalid`, `price_unknown`, `cost_ceiling_exceeded`, `key_unsafe`,
    `hyperparameter_unknown`, `hyperparameter_invalid`, `live_incomplete` or `checkpoint_missing`.
    """
    job_rules.check_image(image_uri)
    job_rules.check_job_name(job_name)
    all_tags = {**(tags or {}), **_own_tags(declaration, blueprint)}
    job_rules.check_tags(all_tags, blueprint.mandatory_tags)
    check_ceiling(blueprint, region=region, prices=prices)

    parameters = _parameters(declaration, hyperparameters or {})
    parameters |= {"model": declaration["name"], "git_commit": git_commit}
    channels = [_channel(TRAIN_CHANNEL, input_uri)]
    if live_package_uri is not None:
        job_rules.check_folder(live_package_uri)
        channels.append(_channel(LIVE_CHANNEL, live_package_uri))
        parameters |= _live(live_model_version, live_digest)

    job_rules.check_uri(output_uri)
    request: dict[str, Any] = {
        "TrainingJobName": job_name,
        "AlgorithmSpecification": {
            "TrainingImage": image_uri,
            "TrainingInputMode": "File",
            "MetricDefinitions": [_metric(name) for name in METRICS],
        },
        "RoleArn": role_arn,
        "HyperParameters": job_rules.as_hyperparameters(parameters),
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": output_uri},
        "ResourceConfig": {
            "InstanceType": blueprint.instance_type,
            "InstanceCount": blueprint.instance_count,
            "VolumeSizeInGB": blueprint.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": blueprint.max_runtime_seconds},
        "EnableManagedSpotTraining": blueprint.spot,
        # A model's code reaches neither the internet nor AWS: data come and go by channels only.
        "EnableNetworkIsolation": True,
        "RetryStrategy": {"MaximumRetryAttempts": RETRIES_OF_SERVICE_FAULTS},
        "ProfilerConfig": {"DisableProfiler": True},
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(all_tags.items())],
    }
    if blueprint.max_wait_seconds is not None:
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = blueprint.max_wait_seconds
    if blueprint.checkpoints:
        request["CheckpointConfig"] = {"S3Uri": _checkpoints(blueprint, checkpoint_uri)}
    if volume_kms_key_id:
        request["ResourceConfig"]["VolumeKmsKeyId"] = volume_kms_key_id
    if output_kms_key_id:
        request["OutputDataConfig"]["KmsKeyId"] = output_kms_key_id
    return request


def check_ceiling(blueprint: "Blueprint", *, region: str, prices: Prices | None = None) -> None:
    """Raise BoringError `price_unknown` or `cost_ceiling_exceeded`."""
    worst = worst_case_cost(blueprint, region=region, prices=prices)
    if worst.usd > blueprint.cost_ceiling_usd:
        raise BoringError(
            "cost_ceiling_exceeded",
            f"A job of {blueprint.name} may cost {worst.usd:.2f} USD ({worst.price_source}), and "
            f"its ceiling is {blueprint.cost_ceiling_usd:.2f}: shorten max_runtime_seconds, take "
            f"a smaller instance, or raise cost_ceiling_usd in blueprints/{blueprint.name}.yaml.",
            422,
            worst_case_usd=worst.usd,
            cost_ceiling_usd=blueprint.cost_ceiling_usd,
        )


def _own_tags(declaration: Mapping[str, Any], blueprint: "Blueprint") -> dict[str, str]:
    return {
        "model": declaration["name"],
        "owner": declaration["owner"],
        "cost_centre": declaration["cost_centre"],
        "blueprint": blueprint.name,
    }


def _parameters(declaration: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    training = declaration["training"]
    declared = {**training["parameters"], _SEED: training["seed"]}
    for name, value in overrides.items():
        if name not in declared:
            raise BoringError(
                "hyperparameter_unknown",
                f"{declaration['name']} has no parameter {name!r}: model.yaml declares "
                f"{', '.join(sorted(declared))}.",
                422,
            )
        kind = type(declared[name])
        try:
            kind(str(value))
        except ValueError as error:
            raise BoringError(
                "hyperparameter_invalid",
                f"{name} is {value!r}, and model.yaml declares it as {kind.__name__}.",
                422,
            ) from error
    return {**declared, **overrides}


def _live(version: int | None, digest: str | None) -> dict[str, Any]:
    if version is None or digest is None:
        raise BoringError(
            "live_incomplete",
            "The live package needs its version's number and digest: the container proves the "
            "package before it loads it.",
            422,
        )
    return {"live_model_version": version, "live_digest": digest}


def _checkpoints(blueprint: "Blueprint", uri: str | None) -> str:
    if uri is None:
        raise BoringError(
            "checkpoint_missing", f"{blueprint.name} keeps checkpoints: say where in S3.", 422
        )
    job_rules.check_uri(uri)
    return uri


def _channel(name: str, uri: str) -> dict[str, Any]:
    job_rules.check_uri(uri)
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": uri,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _metric(name: str) -> dict[str, str]:
    return {"Name": name, "Regex": f"metric {name}=([0-9.eE+-]+)"}
