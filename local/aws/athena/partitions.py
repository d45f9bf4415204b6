"""A table with partition keys is what its registered partitions hold.

AWS ("Partition your data", Athena): of a partitioned table without partition projection, a query
reads the locations of the partitions that are in the catalog, and nothing else below the table's
location; the keys' values are the catalog's.
MiniStack 1.5.33 reads whatever lies below the table's location, so a run that is half-written would
be seen here and not there, and takes the values from paths.

Seam: athena._table_relation, which is given the files below the table's location.
"""

from typing import Any

from ministack.services import athena, glue

from local.aws.athena.projection import is_projected, projected_files
from local.aws.seams import seam

# MiniStack copies a table's files below a folder of this name: athena._materialize_table_files.
_COPIED = "ministack-athena-"


def install() -> None:
    """Patch MiniStack; raise SeamMissingError where a seam is gone."""
    relation = seam(athena, "_table_relation")
    seam(athena, "_empty_relation")
    seam(athena, "_materialize_table_files")
    seam(glue, "_partitions")

    def table_relation(table: dict[str, Any], files: list[str]) -> str:
        keys = table.get("PartitionKeys") or []
        if is_projected(table):
            files = projected_files(table, files, relative=_relative)
            return str(relation(table, files) if files else athena._empty_relation(table))
        if not keys:
            return str(relation(table, files))
        parts = [
            part
            for partition in glue._partitions.get(f"{table['DatabaseName']}/{table['Name']}", [])
            if (part := _of_partition(relation, table, keys, partition, files))
        ]
        if not parts:
            return str(athena._empty_relation(table))
        return "(" + " UNION ALL BY NAME ".join(parts) + ")"

    athena._table_relation = table_relation


def _of_partition(
    relation: Any, table: dict[str, Any], keys: list[Any], partition: Any, files: list[str]
) -> str:
    root = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
    location = partition["StorageDescriptor"]["Location"].rstrip("/") + "/"
    below = location.removeprefix(root)
    if not location.startswith(root):
        raise ValueError(f"A partition at {location}, outside of its table, is not emulated.")
    mine = [file for file in files if _relative(file).startswith(below)]
    if not mine:
        return ""
    values = ", ".join(
        f'CAST({_text(value)} AS {athena._duckdb_type(key)}) AS "{key["Name"]}"'
        for key, value in zip(keys, partition["Values"], strict=True)
    )
    plain = relation({**table, "PartitionKeys": []}, mine)
    return f"(SELECT *, {values} FROM {plain})"  # noqa: S608 - of names and quoted texts


def _relative(file: str) -> str:
    return file.split(_COPIED, 1)[1].split("/", 1)[1]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
