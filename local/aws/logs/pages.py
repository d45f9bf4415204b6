"""Pages of FilterLogEvents.

AWS returns at most 10,000 events a page, and a token where others follow (FilterLogEvents, API
Reference). MiniStack 1.5.33 returns the first 10,000 and no token, as if there were no more.
Seam: cloudwatch_logs._filter_log_events.
"""

import json
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch_logs

from local.aws.seams import seam

MOST = 10_000


def install() -> None:
    """Give a token where events are left."""
    find = seam(cloudwatch_logs, "_filter_log_events")

    def find_page(data: dict[str, Any]) -> Any:
        # A token is the time to go on at, and how many events of that time were returned.
        token = data.get("nextToken") or f"{data.get('startTime', 0)}:0"
        moment, skipped = map(int, token.split(":"))
        limit = min(int(data.get("limit", MOST)), MOST)
        asked = {**data, "startTime": moment, "limit": MOST}
        status, headers, body = find(asked)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        found = answer["events"]
        events = found[skipped : skipped + limit]
        if len(found) > skipped + len(events) or len(found) == MOST:
            if not events:
                told = f"more than {MOST} events of one millisecond are not emulated"
                return error_response_json("InvalidParameterException", told, 400)
            last = events[-1]["timestamp"]
            same = sum(event["timestamp"] == last for event in found[: skipped + len(events)])
            answer["nextToken"] = f"{last}:{same}"
        answer["events"] = events
        return status, headers, json.dumps(answer).encode()

    cloudwatch_logs._filter_log_events = find_page
