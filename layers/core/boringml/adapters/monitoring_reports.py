"""Reports of monitoring, in the lake."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from boringml.adapters.object_store import ObjectStore
from boringml.monitoring.report import Report, folder, place_of


class MonitoringReports:
    """Keeps reports, one object each, and finds them by day."""

    def __init__(self, lake: ObjectStore) -> None:
        self._lake = lake

    def put(self, report: Report) -> str:
        """Keep a report; return its key. The same look again replaces what it found before."""
        content = json.dumps(report.document(), indent=1, allow_nan=False)
        self._lake.write(report.key(), content.encode())
        return report.key()

    def newest(
        self, model: str, kind: str, until: datetime, days: int, most: int = 100
    ) -> list[Report]:
        """Return a model's reports of a kind, oldest first: the last `most` looks of so many days.

        A look may be at several versions, and is read whole, by their numbers.
        """
        keys: list[str] = []
        looks: set[str] = set()
        for day in range(days):
            if len(looks) >= most:
                break
            date = (until - timedelta(days=day)).strftime("%Y-%m-%d")
            found = self._lake.list(f"{folder(model, kind)}date={date}/")
            keys += [item.key for item in found]
            looks = {place_of(key)[0] for key in keys}
        newest = sorted(looks)[-most:]
        return list(self._read(sorted((k for k in keys if place_of(k)[0] in newest), key=place_of)))

    def _read(self, keys: list[str]) -> Iterator[Report]:
        for key in keys:
            yield Report.parse(json.loads(self._lake.read(key)))
