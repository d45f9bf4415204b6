"""Rules of CreateTransformJob beyond botocore's model, and what is not emulated.

Limits are those of CreateTransformJob in the SageMaker API reference.
"""

from typing import Any

from local.aws.sagemaker.errors import invalid, not_emulated
from local.aws.sagemaker.request_rules import check_s3, only, value_is

# MaxConcurrentTransforms times MaxPayloadInMB.
_MOST_MB = 100
_JOB = {
    "TransformJobName",
    "ModelName",
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "TransformResources",
    "DataProcessing",
    "Tags",
}
_INPUT = {"DataSource", "ContentType", "CompressionType", "SplitType"}
_OUTPUT = {"S3OutputPath", "Accept", "AssembleWith", "KmsKeyId"}
_RESOURCES = {"InstanceType", "InstanceCount", "VolumeKmsKeyId"}
_NO_PROCESSING = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}


def check_transform_job(request: dict[str, Any]) -> None:
    """Raise SageMakerError where AWS would refuse `request`, or where it is not emulated.

    The request already fits the model.
    """
    only("CreateTransformJob", request, _JOB)
    _check_input(request["TransformInput"])
    output = request["TransformOutput"]
    only("TransformOutput", output, _OUTPUT)
    check_s3(output["S3OutputPath"])
    resources = request["TransformResources"]
    only("TransformResources", resources, _RESOURCES)
    value_is("TransformResources.InstanceCount", resources["InstanceCount"], 1)
    _check_batches(request)
    for name, value in request.get("DataProcessing", {}).items():
        value_is(f"DataProcessing.{name}", value, _NO_PROCESSING[name])
    keys = [tag["Key"] for tag in request.get("Tags", [])]
    if len(keys) != len(set(keys)):
        raise invalid("Duplicate tag keys found. Please provide unique tag keys.")


def _check_input(given: dict[str, Any]) -> None:
    only("TransformInput", given, _INPUT)
    value_is("TransformInput.CompressionType", given.get("CompressionType"), "None")
    if given.get("SplitType", "None") not in ("None", "Line"):
        raise not_emulated(f"TransformInput.SplitType={given['SplitType']}")
    only("TransformInput.DataSource", given["DataSource"], {"S3DataSource"})
    source = given["DataSource"]["S3DataSource"]
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise not_emulated(f"TransformInput.S3DataType={source['S3DataType']}")
    check_s3(source["S3Uri"])


def _check_batches(request: dict[str, Any]) -> None:
    split = request["TransformInput"].get("SplitType", "None")
    if request.get("BatchStrategy") and split == "None":
        raise invalid(
            "BatchStrategy can only be used with a SplitType of Line, RecordIO or TFRecord."
        )
    payload = request.get("MaxPayloadInMB")
    if payload == 0:
        raise not_emulated("MaxPayloadInMB=0")
    if (payload or 0) * (request.get("MaxConcurrentTransforms") or 1) > _MOST_MB:
        raise invalid(
            "The value of MaxConcurrentTransforms times MaxPayloadInMB must not exceed 100 MB."
        )
