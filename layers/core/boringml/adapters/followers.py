"""What follows the registry's decisions for a model: its serving function, or nothing."""

from typing import TYPE_CHECKING

from boringml.adapters.serving_function import Routing, ServingFunction
from boringml.release.traffic import Follower

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient


class NoFunction:
    """Stands for the function of a model that has none: batches ask the registry themselves."""

    name = "no function"

    def routing(self, _name: str) -> Routing:
        """Return that requests go nowhere."""
        return Routing("", {}, "")

    def send(self, _name: str, _to: Routing) -> bool:
        """Return that nothing came between."""
        return True

    def point(self, _name: str, _version: str) -> str:
        """Return that nothing was pointed at before."""
        return ""

    def require(self, _version: str | None) -> None:
        """Ask for nothing: there is no version that could be gone."""


def follower_of(client: "LambdaClient", name: str | None) -> Follower:
    """Return what follows for a model whose function is `name`, None where it has none."""
    return NoFunction() if name is None else ServingFunction(client, name)
