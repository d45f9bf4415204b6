"""Functions that Athena has and DuckDB calls otherwise.

Athena's functions are Trino's ("Functions in Amazon Athena", Athena User Guide). MiniStack 1.5.33
hands a query to DuckDB as it is, which knows most of them by their names; of the others, those that
queries of this application use are here, and the rest fail by their names.
Seam: athena._rewrite_data_paths.
"""

from typing import Any

from ministack.services import athena

from local.aws.seams import seam

MACROS = (
    "json_extract_scalar(document, path) AS json_extract_string(document, path)",
    "approx_percentile(value, share) AS quantile_cont(value, share)",
    # Of MySQL's format, as Athena's: %Y-%m-%d and the like are the same.
    "date_format(moment, pattern) AS strftime(moment, pattern)",
)


def install() -> None:
    """Define the functions before each query."""
    rewrite = seam(athena, "_rewrite_data_paths")
    macros = "".join(f"CREATE TEMP MACRO {macro}; " for macro in MACROS)

    async def with_functions(*args: Any) -> Any:
        query, *rest = await rewrite(*args)
        return macros + query, *rest

    athena._rewrite_data_paths = with_functions
