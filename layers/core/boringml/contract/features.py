"""The features of a contract, in the order that models, packages and serving share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Features:
    """What `train.py` may know of its input.

    A frame has the `numeric` columns first (float64), then the `categorical` and the `text` ones
    (str), each in the order of the contract's properties. `categories` has the contract's list of
    each categorical feature, `lengths` the least and the most characters (code points) of each
    text; `integers` are the numeric features that hold whole numbers only.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    integers: frozenset[str]
    bounds: Mapping[str, tuple[float | None, float | None]]
    categories: Mapping[str, tuple[str, ...]]
    text: tuple[str, ...] = ()
    lengths: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every column of a frame, in order."""
        return self.numeric + self.categorical + self.text

    @property
    def numeric_columns(self) -> list[int]:
        """Positions of the numeric columns: model.onnx has two tensors, so no column names."""
        return list(range(len(self.numeric)))

    @property
    def categorical_columns(self) -> list[int]:
        """Positions of the categorical columns, which come after the numeric ones."""
        return list(range(len(self.numeric), len(self.numeric) + len(self.categorical)))

    @property
    def text_columns(self) -> list[int]:
        """Positions of the text columns, which come last."""
        return list(range(len(self.numeric) + len(self.categorical), len(self.names)))


def features_of(contract: Mapping[str, Any]) -> Features:
    """Return the features of a contract document (contract.json, parsed)."""
    properties: Mapping[str, Mapping[str, Any]] = contract["request"]["properties"]
    numeric = {n: p for n, p in properties.items() if p["type"] in ("number", "integer")}
    # What has a list of words is a category; any other string is a text.
    categorical = {n: p for n, p in properties.items() if "enum" in p}
    text = {n: p for n, p in properties.items() if p["type"] == "string" and "enum" not in p}
    return Features(
        numeric=tuple(numeric),
        categorical=tuple(categorical),
        integers=frozenset(n for n, p in numeric.items() if p["type"] == "integer"),
        bounds={n: (p.get("minimum"), p.get("maximum")) for n, p in numeric.items()},
        categories={n: tuple(p["enum"]) for n, p in categorical.items()},
        text=tuple(text),
        lengths={n: (p["minLength"], p["maxLength"]) for n, p in text.items()},
    )
