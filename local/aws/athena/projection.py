"""Partition projection: which files are in the partitions that a table's properties name.

AWS computes the partitions of such a table and reads no other folder: of a key of type enum its
values, of type date the days of its range in its format; NOW is the time of the query, in UTC
("Partition projection", Athena User Guide). A key of type injected must be in the WHERE clause.
MiniStack 1.5.33 reads whatever lies below the table's location.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

DAYS = "yyyy-MM-dd"
_NOW = "NOW"


class NotProjectedError(ValueError):
    """A projection that nothing here emulates."""


def is_projected(table: Mapping[str, Any]) -> bool:
    """Return whether a table's partitions are computed."""
    return str((table.get("Parameters") or {}).get("projection.enabled")).lower() == "true"


def projected_files(
    table: Mapping[str, Any], files: list[str], relative: Callable[[str], str]
) -> list[str]:
    """Return the files in projected partitions; `relative` tells where one lies in the table.

    Raises NotProjectedError where folders are not `key=value` in the order of the keys, or a type
    is not emulated.
    """
    parameters, keys = table["Parameters"], [key["Name"] for key in table["PartitionKeys"]]
    location = table["StorageDescriptor"]["Location"].rstrip("/")
    folders = "/".join(f"{key}=${{{key}}}" for key in keys)
    template = parameters.get("storage.location.template", f"{location}/{folders}").rstrip("/")
    if template != f"{location}/{folders}":
        raise NotProjectedError(f"storage.location.template {template} is not emulated")
    tests = [_test_of(parameters, key) for key in keys]
    pattern = re.compile("".join(f"{re.escape(key)}=([^/]+)/" for key in keys))

    def is_in(file: str) -> bool:
        found = pattern.match(relative(file))
        return found is not None and all(
            test(value) for test, value in zip(tests, found.groups(), strict=True)
        )

    return [file for file in files if is_in(file)]


def _test_of(parameters: Mapping[str, str], key: str) -> Callable[[str], bool]:
    kind = parameters.get(f"projection.{key}.type")
    if kind == "enum":
        values = set(parameters[f"projection.{key}.values"].split(","))
        return lambda value: value in values
    if kind == "date" and parameters[f"projection.{key}.format"] == DAYS:
        first, last = parameters[f"projection.{key}.range"].split(",")
        if last != _NOW:
            raise NotProjectedError(f"a range to {last} is not emulated")
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        return lambda value: (
            bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)) and (first <= value <= today)
        )
    raise NotProjectedError(f"projection.{key}.type {kind} is not emulated")
