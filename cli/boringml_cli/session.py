"""One stack, and what commands ask of it. All is found by the stack's outputs."""

import uuid
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import ClientError

from boringml.adapters.callback_endpoints import CallbackEndpoints
from boringml.adapters.callback_queue import CallbackQueue, DeadCallbackQueue
from boringml.adapters.callback_secrets import CallbackSecrets
from boringml.adapters.executions import Executions
from boringml.adapters.object_store import ObjectStore
from boringml.adapters.registry_table import RegistryTable
from boringml.errors import BoringError
from boringml_cli.failures import StackUnknownError
from boringml_cli.output import Output
from boringml_cli.watching import Watcher
from boringml_cli.wording import pascal

# A person waits: a dead endpoint is told within half a minute.
_CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}
)
# FilterLogEvents is asked page by page, and throttled at a few calls a second for the account.
_PATIENT = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 10}))


class Session:
    """What a command works with. Nothing is asked of AWS before a command needs it.

    Raises StackUnknownError where the stack is not there or lacks an output, and what botocore
    raises where AWS is not reachable.
    """

    def __init__(self, stack: str | None, output: Output) -> None:
        self._stack = stack
        self.output = output

    @property
    def stack(self) -> str:
        """The stack's name. Raises typer.BadParameter where nobody named one."""
        if not self._stack:
            raise typer.BadParameter(
                "name the stack, such as boringml-dev, or set BORINGML_STACK "
                "(the local AWS: source .local/env)",
                param_hint="--stack",
            )
        return self._stack

    def found(self, output: str) -> str:
        """Return the value of one of the stack's outputs."""
        if output not in self._outputs:
            raise StackUnknownError(
                f"Stack {self.stack} has no output {output}: it is no stack of boring-ml, "
                "or an older one. Deploy it again."
            )
        return self._outputs[output]

    def found_of(self, model: str, output: str, code: str, lacks: str) -> str:
        """Return the value of an output that not every model has, such as `Function`.

        Raises BoringError `code` (404), whose message is `lacks`, of a model without one.
        """
        try:
            return self.found(f"{pascal(model)}{output}")
        except StackUnknownError as error:
            raise BoringError(code, lacks, 404) from error

    @cached_property
    def registry(self) -> RegistryTable:
        """Versions, aliases, history and releases of all models."""
        table = self.found("RegistryTable")
        return RegistryTable(self.client("dynamodb"), table)

    @cached_property
    def packages(self) -> ObjectStore:
        """Packages, and the reports of releases."""
        bucket = self.found("PackagesBucket")
        return ObjectStore(self.client("s3"), bucket)

    @cached_property
    def lake(self) -> ObjectStore:
        """Data, and the operations pages."""
        return ObjectStore(self.client("s3"), self.found("LakeBucket"))

    @cached_property
    def callback_endpoints(self) -> CallbackEndpoints:
        """Where clients want their callbacks."""
        return CallbackEndpoints(self.client("dynamodb"), self.found("CallbackEndpointsTable"))

    @cached_property
    def callback_secrets(self) -> CallbackSecrets:
        """What callbacks are signed with."""
        return CallbackSecrets(self.client("secretsmanager"))

    @cached_property
    def callback_queue(self) -> CallbackQueue:
        """Callbacks to deliver."""
        return CallbackQueue(self.client("sqs"), self.found("CallbackQueue"))

    @cached_property
    def dead_callbacks(self) -> DeadCallbackQueue:
        """Callbacks that were given up."""
        return DeadCallbackQueue(self.client("sqs"), self.found("CallbackDeadQueue"))

    @cached_property
    def executions(self) -> Executions:
        """Releases and rollbacks: start one, ask whether it runs."""
        return Executions(self.client("stepfunctions"))

    @cached_property
    def watcher(self) -> Watcher:
        """Releases and rollbacks: follow one."""
        return Watcher(self.client("stepfunctions"))

    @cached_property
    def caller(self) -> str:
        """The ARN of who calls: what the history says of a person."""
        return str(self.client("sts").get_caller_identity()["Arn"])

    def start(self, machine: str, given: Mapping[str, Any]) -> str:
        """Return the ARN of an execution of the machine that an output names."""
        # A name of our own: where the answer is lost, botocore asks again and none begins twice.
        name = f"{given['model']}-{uuid.uuid4().hex}"
        return self.executions.start(self.found(machine), name, given)

    def is_rollback(self, by: str) -> bool:
        """Return whether what did something is an execution of the machine that rolls back."""
        machine = self.found("RollbackStateMachine")
        return by.startswith(machine.replace(":stateMachine:", ":execution:") + ":")

    def known(self, model: str) -> str:
        """Return the name of a model. Raises BoringError `model_not_found`."""
        models = self.registry.models()
        if model not in models:
            there = ", ".join(models) or "none yet"
            raise BoringError(
                "model_not_found", f"{self.stack} has no model {model!r}. It has: {there}."
            )
        return model

    def client(self, service: str) -> Any:
        """Return a client of a service, by the environment or profile of the shell."""
        make: Any = self._sdk.client
        return make(service, config=_PATIENT if service == "logs" else _CONFIG)

    @cached_property
    def _sdk(self) -> boto3.Session:
        return boto3.Session()

    @cached_property
    def _outputs(self) -> dict[str, str]:
        try:
            found = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            # CloudFormation's word for a stack that is not there, and for a name that cannot be.
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            message = error.response["Error"]["Message"]
            region = self._sdk.region_name
            raise StackUnknownError(
                f"{message}. Looked in {region}: check --stack, AWS_REGION and AWS_PROFILE "
                "(the local AWS: make up, then source .local/env)."
            ) from error
        return {item["OutputKey"]: item["OutputValue"] for item in found[0].get("Outputs", [])}


def session_of(context: typer.Context) -> Session:
    """Return what the global options made."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("a command runs inside the application")
    return session
