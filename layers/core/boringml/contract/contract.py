"""A model's contract, as serving uses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boringml.contract.features import Features, features_of


@dataclass(frozen=True)
class Contract:
    """contract.json. `schema` is the JSON Schema of one record; limits are records and bytes.

    `has_gaps` tells whether a field may be null or absent. `sensitive` fields never reach a log;
    `key_features` are watched first.
    """

    model: str
    version: str
    schema: Mapping[str, Any]
    features: Features
    positive: str
    negative: str
    threshold: float
    max_records: int
    max_body_bytes: int
    sensitive: tuple[str, ...]
    key_features: tuple[str, ...]
    has_gaps: bool

    @property
    def segment_features(self) -> tuple[str, ...]:
        """Key features that segments are made of: no sensitive one, and no text."""
        left_out = (*self.sensitive, *self.features.text)
        return tuple(name for name in self.key_features if name not in left_out)

    def label(self, probability: float) -> str:
        """Return the label of P(positive): the threshold itself is positive."""
        return self.positive if probability >= self.threshold else self.negative

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Contract":
        """Return the contract of a parsed contract.json."""
        decision, limits, schema = document["decision"], document["limits"], document["request"]
        return cls(
            model=document["model"],
            version=document["version"],
            schema=schema,
            features=features_of(document),
            positive=decision["positive"],
            negative=decision["negative"],
            threshold=decision["threshold"],
            max_records=limits["max_records"],
            max_body_bytes=limits["max_body_bytes"],
            sensitive=tuple(document["sensitive"]),
            key_features=tuple(document["key_features"]),
            has_gaps=any(
                name not in schema["required"] or rule.get("nullable", False)
                for name, rule in schema["properties"].items()
            ),
        )
