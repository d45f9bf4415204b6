"""Metrics that a job's MetricDefinitions find in its log: FinalMetricDataList.

Each regular expression captures one number; the last one it found is the final value
("MetricDefinition" and "MetricData", SageMaker API reference).
"""

import re
import time
from typing import Any

from local.aws.sagemaker.errors import invalid


class LogMetrics:
    """Looks at a log line by line."""

    def __init__(self, definitions: list[dict[str, str]]) -> None:
        """Compile the definitions; raise SageMakerError for a bad regular expression."""
        self._patterns: list[tuple[str, re.Pattern[str]]] = []
        self._last: dict[str, tuple[float, float]] = {}
        for definition in definitions:
            try:
                pattern = re.compile(definition["Regex"])
            except re.error as error:
                raise invalid(f"Invalid regex of metric {definition['Name']}: {error}") from error
            if pattern.groups < 1:
                raise invalid(f"The regex of metric {definition['Name']} captures no group.")
            self._patterns.append((definition["Name"], pattern))

    def read(self, line: str) -> None:
        """Take the metrics of one log line."""
        for name, pattern in self._patterns:
            for match in pattern.finditer(line):
                try:
                    self._last[name] = (float(match.group(1)), time.time())
                except (TypeError, ValueError):
                    continue  # text that is no number is no metric, here as on AWS

    def final(self) -> list[dict[str, Any]]:
        """Return FinalMetricDataList."""
        return [
            {"MetricName": name, "Value": value, "Timestamp": at}
            for name, (value, at) in self._last.items()
        ]
