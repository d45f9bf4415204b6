"""A model's serving function in Lambda: its published versions and its aliases."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from boringml.errors import BoringError

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient


# What a release sets of a function's environment: which model a version serves.
MODEL_VARIABLES = ("MODEL_NAME", "MODEL_VERSION", "MODEL_PACKAGE", "MODEL_DIGEST")


@dataclass(frozen=True)
class Routing:
    """Where Lambda sends an alias's requests: `weights` are the shares of further versions."""

    function_version: str
    weights: Mapping[str, float]
    revision: str


class ServingFunction:
    """One function, named `name`. A published version is (code, model) and never changes."""

    def __init__(self, client: "LambdaClient", name: str) -> None:
        self._client = client
        self.name = name

    def publish(self, model_environment: Mapping[str, str], description: str) -> str:
        """Return the version that has the code of $LATEST and this model's environment.

        Two publishers cannot mix their models: each write names the revision that it read.
        Raises BoringError `function_changed` (409) where another one came between.
        """
        self._client.get_waiter("function_updated_v2").wait(FunctionName=self.name)
        found = self._client.get_function_configuration(FunctionName=self.name)
        variables = found.get("Environment", {}).get("Variables", {})
        try:
            self._client.update_function_configuration(
                FunctionName=self.name,
                Environment={"Variables": {**variables, **model_environment}},
                RevisionId=found["RevisionId"],
            )
            self._client.get_waiter("function_updated_v2").wait(FunctionName=self.name)
            ready = self._client.get_function_configuration(FunctionName=self.name)
            if ready.get("Environment", {}).get("Variables", {}) != {
                **variables,
                **model_environment,
            }:
                raise self._changed()
            version = self._client.publish_version(
                FunctionName=self.name, Description=description, RevisionId=ready["RevisionId"]
            )["Version"]
        except ClientError as error:
            raise self._changed() if _is_conflict(error) else error from error
        self._client.get_waiter("published_version_active").wait(
            FunctionName=self.name, Qualifier=version
        )
        return version

    def log_group(self, version: str) -> str:
        """Return the name of the log group that a version writes to."""
        found = self._client.get_function_configuration(FunctionName=self.name, Qualifier=version)
        # Where it names none: "Sending Lambda function logs to CloudWatch", Lambda Developer Guide.
        return found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.name}"

    def size(self, alias: str) -> tuple[int, str]:
        """Return the memory in MB and the architecture of what an alias points to."""
        found = self._client.get_function_configuration(FunctionName=self.name, Qualifier=alias)
        return found["MemorySize"], found["Architectures"][0]

    def alias(self, name: str) -> str:
        """Return the function version that an alias points to."""
        return self._client.get_alias(FunctionName=self.name, Name=name)["FunctionVersion"]

    def routing(self, name: str) -> Routing:
        """Return where an alias sends requests, and the revision that says so."""
        found = self._client.get_alias(FunctionName=self.name, Name=name)
        weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        return Routing(found["FunctionVersion"], weights, found["RevisionId"])

    def send(self, name: str, to: Routing) -> bool:
        """Send an alias's requests as `to` says, if its revision is still the one of `to`.

        Returns whether it was: False where another mover came between.
        """
        try:
            self._client.update_alias(
                FunctionName=self.name,
                Name=name,
                FunctionVersion=to.function_version,
                RoutingConfig={"AdditionalVersionWeights": dict(to.weights)},
                RevisionId=to.revision,
            )
        except ClientError as error:
            if _is_conflict(error):
                return False
            raise
        return True

    def code(self, qualifier: str) -> dict[str, Any]:
        """Return what makes the code of a version or alias: two with equal ones run the same.

        Its variables count, save those of the model, which the release sets.
        Raises BoringError `function_version_gone` (410) where there is no such version.
        """
        try:
            found = self._client.get_function_configuration(
                FunctionName=self.name, Qualifier=qualifier
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            told = f"{self.name} has no version {qualifier} any more: release a model again."
            raise BoringError("function_version_gone", told, 410) from error
        variables = found.get("Environment", {}).get("Variables", {})
        return {
            "sha256": found.get("CodeSha256"),
            "layers": [layer["Arn"] for layer in found.get("Layers", [])],
            "runtime": found.get("Runtime"),
            "memory": found.get("MemorySize"),
            "timeout": found.get("Timeout"),
            "architectures": found.get("Architectures"),
            "environment": {
                name: value for name, value in variables.items() if name not in MODEL_VARIABLES
            },
        }

    def require(self, version: str | None) -> None:
        """Raise BoringError `function_version_gone` (410) where there is no such version."""
        if version is None:
            told = f"No version of {self.name} is known for it: release it instead."
            raise BoringError("function_version_gone", told, 410)
        self.code(version)

    def point(self, name: str, version: str) -> str:
        """Move all traffic of an alias to a version; return where it pointed before.

        Raises BoringError `function_changed` (409) where another mover came between.
        """
        found = self._client.get_alias(FunctionName=self.name, Name=name)
        try:
            self._client.update_alias(
                FunctionName=self.name,
                Name=name,
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": {}},
                RevisionId=found["RevisionId"],
            )
        except ClientError as error:
            raise self._changed() if _is_conflict(error) else error from error
        return found["FunctionVersion"]

    def invoke(self, qualifier: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer of a version or alias: {"statusCode", "body", ...}.

        Raises BoringError `candidate_failed` where the function itself fails or does not start.
        `function_throttled` (429) where it had no room.
        """
        try:
            answer = self._client.invoke(
                FunctionName=self.name,
                Qualifier=qualifier,
                Payload=json.dumps(dict(event)).encode(),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TooManyRequestsException":
                raise
            raise BoringError(
                "function_throttled", f"{self.name} has no room to run: try again.", 429
            ) from error
        payload = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError") or not isinstance(payload, dict):
            told = payload.get("errorMessage") if isinstance(payload, dict) else payload
            raise BoringError("candidate_failed", f"{self.name}:{qualifier} failed: {told}", 502)
        return payload

    def _changed(self) -> BoringError:
        return BoringError(
            "function_changed", f"{self.name} was changed by another writer: try again.", 409
        )


def _is_conflict(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in (
        "PreconditionFailedException",
        "ResourceConflictException",
    )
