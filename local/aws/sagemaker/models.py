"""The SageMaker operations on models: an image, a model.tar.gz, an environment and a role."""

import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region

from local.aws.sagemaker.errors import SageMakerError, invalid, not_emulated
from local.aws.sagemaker.request_rules import check_s3, only, value_is
from local.aws.sagemaker.roles import check_trust
from local.aws.sagemaker.s3_access import JobS3
from local.aws.sagemaker.store import StateFile
from local.aws.sagemaker.tags import tags_of

_MODEL = {"ModelName", "PrimaryContainer", "ExecutionRoleArn", "Tags", "EnableNetworkIsolation"}
_CONTAINER = {"Image", "ModelDataUrl", "Environment", "Mode"}


@dataclass
class Model:
    """One model. `record` is what DescribeModel answers."""

    account: str
    region: str
    name: str
    record: dict[str, Any]
    tags: dict[str, str]

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.record["ModelArn"])


class Models:
    """Each public method but `here`, `load` and `find` is an operation."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self._models: dict[tuple[str, str, str], Model] = {}
        self._lock = threading.Lock()
        file.parts["models"] = self._state

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateModel. The role must be trusted and able to read the model's data."""
        only("CreateModel", request, _MODEL)
        container = request.get("PrimaryContainer")
        if container is None:
            raise invalid("CreateModel needs a PrimaryContainer.")
        only("PrimaryContainer", container, _CONTAINER)
        value_is("PrimaryContainer.Mode", container.get("Mode"), "SingleModel")
        for name, holder in (("ExecutionRoleArn", request), ("Image", container)):
            if not holder.get(name):
                raise invalid(f"{name} is required for a model with a container image.")
        if not container.get("ModelDataUrl"):
            raise not_emulated("A model without ModelDataUrl")
        check_s3(container["ModelDataUrl"])
        check_trust(request["ExecutionRoleArn"])
        model = Model(
            get_account_id(), get_region(), request["ModelName"], _record(request), tags_of(request)
        )
        _check_data(model)
        with self._lock:
            if self._key(model.name) in self._models:
                raise invalid(f'Cannot create already existing model "{model.arn}".')
            self._models[self._key(model.name)] = model
        self._file.save()
        return {"ModelArn": model.arn}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeModel."""
        return dict(self.find(request["ModelName"]).record)

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteModel. Jobs that run with it run on."""
        self.find(request["ModelName"])
        with self._lock:
            self._models.pop(self._key(request["ModelName"]), None)
        self._file.save()
        return {}

    def find(self, name: str) -> Model:
        """Return the model, or raise SageMakerError as AWS does for a name it does not know."""
        found = self._models.get(self._key(name))
        if found is None:
            raise invalid(f'Could not find model "{model_arn(name)}".')
        return found

    def here(self) -> list[Model]:
        """Return the models of this account and Region."""
        with self._lock:
            return [m for k, m in self._models.items() if k[:2] == (get_account_id(), get_region())]

    def load(self, state: dict[str, Any]) -> None:
        """Add the models of an earlier state file."""
        for item in state.get("models", []):
            model = Model(**item)
            self._models[(model.account, model.region, model.name)] = model

    def clear(self) -> None:
        """Forget all models."""
        with self._lock:
            self._models.clear()

    def _state(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(model) for model in self._models.values()]

    @staticmethod
    def _key(name: str) -> tuple[str, str, str]:
        return get_account_id(), get_region(), name


def model_arn(name: str) -> str:
    """Return the ARN of a model of this account and Region; ARNs are in lower case."""
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:model/{name.lower()}"


def _record(request: dict[str, Any]) -> dict[str, Any]:
    return {
        **{key: value for key, value in request.items() if key != "Tags"},
        "PrimaryContainer": {"Mode": "SingleModel", **request["PrimaryContainer"]},
        "EnableNetworkIsolation": bool(request.get("EnableNetworkIsolation")),
        "CreationTime": time.time(),
        "ModelArn": model_arn(request["ModelName"]),
    }


def _check_data(model: Model) -> None:
    """Raise what CreateModel answers where the role finds no model.tar.gz."""
    uri = model.record["PrimaryContainer"]["ModelDataUrl"]
    s3 = JobS3(model.account, model.region, model.record["ExecutionRoleArn"])
    try:
        found = s3.exists(uri)
    except ClientError as error:
        told = f"Could not access model data at {uri}. Please ensure that the role "
        told += f'"{model.record["ExecutionRoleArn"]}" exists and that its policies allow '
        told += f'"s3:GetObject" on it. ({error.response["Error"].get("Code")})'
        raise SageMakerError("ValidationException", told) from error
    if not found:
        raise invalid(f"Could not find model data at {uri}.")
