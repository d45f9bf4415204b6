"""The prediction log of one serving function, in CloudWatch Logs."""

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from boringml.errors import BoringError

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilterLogEventsRequestTypeDef

# Events that FilterLogEvents answers at most.
_PAGE = 10_000
_ID = re.compile(r"[A-Za-z0-9._=-]{1,160}")


@dataclass(frozen=True)
class LogPage:
    """JSON lines with their times in ms since 1970, and the token of the next page, if any."""

    lines: tuple[tuple[int, dict[str, Any]], ...]
    token: str | None


class PredictionLogReader:
    """Reads the log group `group`, all its streams together, oldest lines first.

    Any other group whose lines are JSON, too.
    """

    def __init__(self, client: "CloudWatchLogsClient", group: str) -> None:
        self._client = client
        self.group = group

    def page(self, since_ms: int, token: str | None = None) -> LogPage:
        """Return one page of the lines since then; it may be empty although others follow.

        Raises BoringError `log_busy` (429): FilterLogEvents has a small quota per account.
        """
        asked: FilterLogEventsRequestTypeDef = {"logGroupName": self.group, "startTime": since_ms}
        if token:
            asked["nextToken"] = token
        return self._page(asked)

    def matching(
        self,
        since_ms: int,
        until_ms: int | None = None,
        *,
        most: int | None = None,
        **fields: str,
    ) -> list[tuple[int, dict[str, Any]]]:
        """Return lines since then in which one of the fields has its value, oldest first.

        All of them, or those up to `until_ms` and at most `most`. Values are ids: letters, digits
        and ".", "_", "=", "-". Raises BoringError `id_malformed` (422) for another, since it might
        mean something to the filter, and as `page` does.
        """
        if bad := {value for value in fields.values() if not _ID.fullmatch(value)}:
            told = f"{', '.join(map(repr, sorted(bad)))}: an id has 1 to 160 of A-Z a-z 0-9 . _ = -"
            raise BoringError("id_malformed", told, 422)
        terms = [f'($.{name} = "{value}")' for name, value in fields.items()]
        asked: FilterLogEventsRequestTypeDef = {
            "logGroupName": self.group,
            "startTime": since_ms,
            "filterPattern": "{ " + " || ".join(terms) + " }",
        }
        if until_ms is not None:
            asked["endTime"] = until_ms
        lines: list[tuple[int, dict[str, Any]]] = []
        while True:
            if most is not None:
                asked["limit"] = min(most - len(lines), _PAGE)
            page = self._page(asked)
            lines += page.lines
            if page.token is None or len(lines) == most:
                return lines
            asked["nextToken"] = page.token

    def _page(self, asked: "FilterLogEventsRequestTypeDef") -> LogPage:
        try:
            found = self._client.filter_log_events(**asked)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ThrottlingException":
                raise
            raise BoringError("log_busy", f"{self.group} was read too often.", 429) from error
        lines = ((event["timestamp"], _json(event["message"])) for event in found["events"])
        return LogPage(
            tuple((at, line) for at, line in lines if line is not None), found.get("nextToken")
        )


def _json(message: str) -> dict[str, Any] | None:
    """Return the JSON object that a message holds behind the runtime's own prefix, or None."""
    try:
        found = json.loads(message[message.index("{") :])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
