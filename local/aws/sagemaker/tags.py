"""The SageMaker operations on tags, of whatever has them."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from local.aws.sagemaker.errors import SageMakerError


class Tagged(Protocol):
    """A resource that has tags."""

    tags: dict[str, str]

    @property
    def arn(self) -> str:
        """Its ARN."""


class Tags:
    """`sources` return the resources of this account and Region; `save` writes a change down."""

    def __init__(
        self, sources: Sequence[Callable[[], Sequence[Tagged]]], save: Callable[[], None]
    ) -> None:
        self._sources = sources
        self._save = save
        self._changing = threading.Lock()

    def add(self, request: dict[str, Any]) -> dict[str, Any]:
        """AddTags: a key that is there gets the new value."""
        found = self._find(request["ResourceArn"])
        with self._changing:
            found.tags = {**found.tags, **tags_of(request)}
        self._save()
        return {"Tags": _listed(found)}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteTags."""
        found = self._find(request["ResourceArn"])
        gone = set(request["TagKeys"])
        with self._changing:
            found.tags = {key: value for key, value in found.tags.items() if key not in gone}
        self._save()
        return {}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTags, all at once: a resource has at most 50, the smallest page there is."""
        return {"Tags": _listed(self._find(request["ResourceArn"]))}

    def _find(self, arn: str) -> Tagged:
        for source in self._sources:
            for found in source():
                if found.arn == arn:
                    return found
        raise SageMakerError("ResourceNotFound", f"Requested resource not found: {arn}")


def tags_of(request: dict[str, Any]) -> dict[str, str]:
    """Return the tags of a request as a map."""
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}


def _listed(found: Tagged) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in found.tags.items()]
