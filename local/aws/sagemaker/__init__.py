"""SageMaker for the local AWS: jobs that really run the container's entry points.

AWS starts an instance, pulls the image and runs `train` or `serve` in it; here the same entry point
runs as a process with the same /opt/ml layout ("Use Your Own Training Algorithms" and "Custom
Inference Code with Batch Transform", SageMaker Developer Guide). MiniStack 1.5.33 has no SageMaker.

Seams: app.SERVICE_REGISTRY, SERVICE_HANDLERS, _loaded_modules, _state_map and _lazy_handler;
router.SERVICE_PATTERNS; iam_actions.SERVICE_TO_IAM_NAMESPACE and extract_resource_arn.
"""

import atexit
import json
import os
from typing import Any

from ministack import app
from ministack.core import iam_actions, router

from local.aws.sagemaker import step_functions
from local.aws.sagemaker.service import SageMakerService
from local.aws.sagemaker.settings import JobSettings
from local.aws.sagemaker.store import STATE_KEY
from local.aws.seams import seam

# A request to transform names its model too, and is about the job.
_NAMES = {
    "TrainingJobName": "training-job",
    "TransformJobName": "transform-job",
    "ModelName": "model",
}


def install() -> None:
    """Enter the service in MiniStack.

    Reads LOCAL_JOB_* and STATE_DIR (see JobSettings). Raises RuntimeError where a setting names
    what is not there, SeamMissingError where a seam of MiniStack is gone.
    """
    service = SageMakerService(JobSettings.load(os.environ))
    seam(app, "_loaded_modules")["sagemaker"] = service
    seam(app, "SERVICE_REGISTRY")["sagemaker"] = {"module": "sagemaker", "state_key": STATE_KEY}
    seam(app, "SERVICE_HANDLERS")["sagemaker"] = seam(app, "_lazy_handler")("sagemaker")
    seam(app, "_state_map")[STATE_KEY] = "sagemaker"
    seam(router, "SERVICE_PATTERNS")["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "host_patterns": [r"api\.sagemaker\."],
    }
    seam(iam_actions, "SERVICE_TO_IAM_NAMESPACE")["sagemaker"] = "sagemaker"
    _name_resources()
    step_functions.install(service)
    atexit.register(service.close)


def _name_resources() -> None:
    """Let IAM policies speak of single jobs and models."""
    extract = seam(iam_actions, "extract_resource_arn")

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> Any:
        if service != "sagemaker":
            return extract(service, method, path, headers, body, query_params, region, account_id)
        try:
            request = json.loads(body or b"{}")
        except json.JSONDecodeError:
            return "*"
        if not isinstance(request, dict):
            return "*"
        for member, kind in _NAMES.items():
            if isinstance(name := request.get(member), str):
                return f"arn:aws:sagemaker:{region}:{account_id}:{kind}/{name.lower()}"
        return request.get("ResourceArn", "*")

    iam_actions.extract_resource_arn = extract_resource_arn
