"""What model.yaml says of drift: section `monitoring.drift`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from boringml.errors import BoringError


@dataclass(frozen=True)
class DriftSettings:
    """How a model is looked at; shares are of the rows of a window.

    `psi`, `null_share` and `new_category_share` are the least that matters, however sure it is.
    `false_alarms` is the share of looks that may be raised though nothing drifted. `features` are
    those that count, None for the key features of the contract; the answers always count.
    """

    window_hours: int
    min_samples: int
    psi: float
    null_share: float
    new_category_share: float
    false_alarms: float
    retrain: bool
    cool_down_hours: int
    features: tuple[str, ...] | None = None

    @classmethod
    def of(cls, declaration: Mapping[str, Any]) -> "DriftSettings | None":
        """Return the settings of a model.yaml, parsed; None where it asks for no look.

        Raises BoringError `drift_settings_invalid`.
        """
        found = declaration.get("monitoring", {}).get("drift")
        if found is None:
            return None
        try:
            features = found.get("features")
            return cls(**{**found, "features": features and tuple(features)})
        except TypeError as error:
            told = f"monitoring.drift of {declaration.get('name')}: {error}."
            raise BoringError("drift_settings_invalid", told, 422) from error

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self) | {"features": self.features and list(self.features)}
