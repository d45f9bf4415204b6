"""What CreateTrainingJob asks for, beyond the shape: rules between members, and what is
emulated at all.

Everything that is not listed as understood is refused with its name, so a job that AWS would
run differently never passes here in silence.
"""

from typing import Any

from local.aws.sagemaker.errors import invalid, not_emulated

ML_ROOT = "/opt/ml/"

# Understood or harmless on one local process. Encryption keys and isolation change who can
# read or reach what, never what a job computes; a retry strategy concerns AWS's own faults.
_JOB = {
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "Tags",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "Environment",
    "RetryStrategy",
    "ProfilerConfig",
}
_ALGORITHM = {"TrainingImage", "TrainingInputMode", "MetricDefinitions"}
_CHANNEL = {
    "ChannelName",
    "DataSource",
    "ContentType",
    "CompressionType",
    "RecordWrapperType",
    "InputMode",
}
_S3_SOURCE = {"S3DataType", "S3Uri", "S3DataDistributionType"}
_RESOURCES = {"InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"}


def check_training_job(request: dict[str, Any]) -> None:
    """Raise SageMakerError where AWS would refuse `request`, or where it is not emulated.

    The request already fits the model. Limits are those of CreateTrainingJob in the
    SageMaker API reference.
    """
    only("CreateTrainingJob", request, _JOB)
    for name in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if name not in request:
            raise invalid(f"{name} is required for a training job with a container image.")
    _check_algorithm(request["AlgorithmSpecification"])
    _check_resources(request["ResourceConfig"])
    _check_stopping(request)
    _check_channels(request.get("InputDataConfig", []))
    _check_places(request)
    if request.get("ProfilerConfig", {"DisableProfiler": True}) != {"DisableProfiler": True}:
        raise not_emulated("ProfilerConfig other than DisableProfiler=true")
    keys = [tag["Key"] for tag in request.get("Tags", [])]
    if len(keys) != len(set(keys)):
        raise invalid("Duplicate tag keys found. Please provide unique tag keys.")


def only(where: str, value: dict[str, Any], understood: set[str]) -> None:
    """Refuse by its name the first member that is not understood; None and False ask nothing."""
    for name, item in value.items():
        if name not in understood and item not in (None, False):
            raise not_emulated(f"{where}.{name}")


def value_is(where: str, value: Any, understood: Any) -> None:
    """Refuse by its name any value but the one understood; None is AWS's default."""
    if value not in (None, understood):
        raise not_emulated(f"{where}={value}")


def _check_algorithm(algorithm: dict[str, Any]) -> None:
    only("AlgorithmSpecification", algorithm, _ALGORITHM)
    if not algorithm.get("TrainingImage"):
        raise invalid(
            "You must specify either an algorithm name or a training image in "
            "AlgorithmSpecification."
        )
    value_is("TrainingInputMode", algorithm["TrainingInputMode"], "File")


def _check_resources(resources: dict[str, Any]) -> None:
    only("ResourceConfig", resources, _RESOURCES)
    for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB"):
        if not resources.get(name):
            raise invalid(f"ResourceConfig.{name} is required and must be positive.")
    value_is("ResourceConfig.InstanceCount", resources["InstanceCount"], 1)


def _check_stopping(request: dict[str, Any]) -> None:
    stopping = request["StoppingCondition"]
    runtime, wait = stopping.get("MaxRuntimeInSeconds"), stopping.get("MaxWaitTimeInSeconds")
    if runtime is None:
        raise invalid("StoppingCondition.MaxRuntimeInSeconds is required.")
    spot = bool(request.get("EnableManagedSpotTraining"))
    if spot and wait is None:
        raise invalid(
            "MaxWaitTimeInSeconds is required when EnableManagedSpotTraining is set to true."
        )
    if not spot and wait is not None:
        raise invalid(
            "MaxWaitTimeInSeconds is only allowed when EnableManagedSpotTraining is set to true."
        )
    if spot and wait < runtime:
        raise invalid(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
        )


def _check_channels(channels: list[dict[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    if len(names) != len(set(names)):
        raise invalid("Duplicate channel names in InputDataConfig. Channel names must be unique.")
    for channel in channels:
        where = f"InputDataConfig[{channel['ChannelName']}]"
        only(where, channel, _CHANNEL)
        value_is(f"{where}.InputMode", channel.get("InputMode"), "File")
        value_is(f"{where}.CompressionType", channel.get("CompressionType"), "None")
        value_is(f"{where}.RecordWrapperType", channel.get("RecordWrapperType"), "None")
        only(f"{where}.DataSource", channel["DataSource"], {"S3DataSource"})
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise invalid(f"{where} has no DataSource.")
        only(f"{where}.S3DataSource", source, _S3_SOURCE)
        value_is(f"{where}.S3DataType", source["S3DataType"], "S3Prefix")
        value_is(
            f"{where}.S3DataDistributionType",
            source.get("S3DataDistributionType"),
            "FullyReplicated",
        )
        check_s3(source["S3Uri"])


def _check_places(request: dict[str, Any]) -> None:
    output = request["OutputDataConfig"]
    check_s3(output["S3OutputPath"])
    value_is("OutputDataConfig.CompressionType", output.get("CompressionType"), "GZIP")
    checkpoints = request.get("CheckpointConfig")
    if checkpoints:
        check_s3(checkpoints["S3Uri"])
        local = checkpoints.get("LocalPath")
        if local is not None and not local.startswith(ML_ROOT):
            raise not_emulated(f"CheckpointConfig.LocalPath={local} outside {ML_ROOT}")


def check_s3(uri: str) -> None:
    """Refuse a location outside S3."""
    if not uri.startswith("s3://"):
        raise not_emulated(f"The location {uri}, which is no s3:// URI,")
