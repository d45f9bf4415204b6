"""How a model's quality is watched: `monitoring.quality` of model.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from boringml.errors import BoringError


@dataclass(frozen=True)
class QualitySettings:
    """`metric` falls where it is worse than the holdout's, or the days' before, by `tolerance`.

    `min_labels` of each class are needed in a window of `window_days` days of predictions. Labels
    count until `horizon_days` after their prediction. `false_alarms` is the chance that a model
    which is as good as ever is called worse in a window's time.
    """

    metric: str
    tolerance: float
    min_labels: int
    window_days: int
    horizon_days: int
    false_alarms: float = 0.05

    @classmethod
    def of(cls, declaration: Mapping[str, Any]) -> "QualitySettings":
        """Return the settings of a parsed model.yaml. Raises BoringError `quality_not_measured`."""
        declared = declaration.get("monitoring", {}).get("quality")
        if declared is None:
            raise BoringError(
                "quality_not_measured",
                f"Labels of {declaration['name']} are not taken: its model.yaml has no "
                "monitoring.quality.",
                422,
            )
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in declared.items() if name in names})
