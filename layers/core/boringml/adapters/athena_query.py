"""Queries of the lake's tables, by Athena."""

import time
from collections.abc import Callable
from typing import Any, Final

from boringml.errors import BoringError

_WORKS: Final = ("QUEUED", "RUNNING")
_POLL_SECONDS: Final = 0.25


class AthenaQuery:
    """Asks one database, and leaves the results below `output`, s3://bucket/prefix/."""

    def __init__(
        self,
        client: Any,
        database: str,
        output: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._database = database
        self._output = output
        self._sleep = sleep

    def rows(self, sql: str, seconds: float = 60) -> list[dict[str, str | None]]:
        """Return at most 999 rows of a query, each value as text; None is null.

        Raises BoringError `query_failed` (502), or `query_slow` (504) after `seconds`.
        """
        asked = self._client.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self._database},
            ResultConfiguration={"OutputLocation": self._output},
        )["QueryExecutionId"]
        for _ in range(int(seconds / _POLL_SECONDS)):
            found = self._client.get_query_execution(QueryExecutionId=asked)
            status = found["QueryExecution"]["Status"]
            if status["State"] not in _WORKS:
                break
            self._sleep(_POLL_SECONDS)
        else:
            self._client.stop_query_execution(QueryExecutionId=asked)
            raise BoringError("query_slow", f"Athena took more than {seconds:.0f} s.", 504)
        if status["State"] != "SUCCEEDED":
            why = status.get("StateChangeReason", status["State"])
            raise BoringError("query_failed", f"Athena could not answer: {why}", 502)
        head, *rows = self._client.get_query_results(QueryExecutionId=asked)["ResultSet"]["Rows"]
        names = [cell.get("VarCharValue", "") for cell in head["Data"]]
        return [
            dict(zip(names, (cell.get("VarCharValue") for cell in row["Data"]), strict=True))
            for row in rows
        ]
