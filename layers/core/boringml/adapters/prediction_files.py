"""Where the prediction log lies in the lake, and which of its rows clients were served.

Drift and quality both read it by these rules: docs/flows/monitoring.md.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from boringml.adapters.object_store import ObjectStore, StoredObject
from boringml.serving.stages import UNCOUNTED

# What the delivery stream puts at the end of a name, as template.yaml says.
PARQUET: Final = ".parquet"


def days(first: date, last: date) -> Iterator[date]:
    """Yield each day from the first to the last, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def prediction_files(lake: ObjectStore, model: str, day: date) -> list[StoredObject]:
    """Return the files of one UTC day: a row lies under the date of its own time."""
    folder = f"predictions/model={model}/date={day:%Y-%m-%d}/"
    return [item for item in lake.list(folder) if item.key.endswith(PARQUET)]


def milliseconds_of(at: Any) -> Any:
    """Return a column of times as milliseconds since 1970: writers differ in units and zones.

    All mean UTC; what Hive writes (INT96) says no zone, and has nanoseconds.
    """
    return at.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())


def was_served(rows: Any) -> Any:
    """Return of each row whether a client got it as an answer.

    What failed is none, nor what a release asked itself. Takes `stage`, `code` and `probability`.
    """
    stage = pc.fill_null(rows["stage"].cast(pa.string()), "")
    asked_by_release = pc.is_in(stage, pa.array(UNCOUNTED))
    answered = pc.and_(pc.is_null(rows["code"]), pc.is_valid(rows["probability"]))
    return pc.and_(answered, pc.invert(asked_by_release))
