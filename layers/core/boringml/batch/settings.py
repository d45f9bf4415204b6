"""How a model is scored in batch: `batch` of model.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boringml.errors import BoringError

MAP, TRANSFORM = "map", "transform"


@dataclass(frozen=True)
class BatchSettings:
    """Shares are of rows (rejected) and of chunks (failed)."""

    engine: str
    max_concurrency: int
    chunk_rows: int
    max_rejected_share: float
    max_failed_share: float
    transform: Mapping[str, Any]

    @classmethod
    def of(cls, declaration: Mapping[str, Any]) -> "BatchSettings":
        """Return the settings of a parsed model.yaml. Raises BoringError `batch_not_offered`."""
        if "batch" not in declaration.get("patterns", ()):
            raise BoringError(
                "batch_not_offered",
                f"{declaration['name']} has no batch pattern: see patterns in its model.yaml.",
                422,
            )
        declared = declaration["batch"]
        return cls(
            engine=declared["engine"],
            max_concurrency=declared["max_concurrency"],
            chunk_rows=declared["chunk_rows"],
            max_rejected_share=declared["max_rejected_share"],
            max_failed_share=declared.get("max_failed_share", 0),
            transform=declared.get("transform", {}),
        )


def key_of(contract: Mapping[str, Any]) -> str:
    """Return the column that names a row. Raises BoringError `key_undeclared`."""
    keys = contract["data"].get("keys", [])
    if len(keys) != 1:
        raise BoringError(
            "key_undeclared",
            f"A batch joins its answers by one column: data.keys of {contract['model']}'s contract "
            f"names {len(keys)}.",
            422,
        )
    return str(keys[0])
