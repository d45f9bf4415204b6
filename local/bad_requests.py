"""Every bad request of a contract, over HTTP: the status and the code that it got."""

import json
from dataclasses import dataclass
from typing import Any

from boringml.adapters import declarations
from local.predictions import PredictionClient


@dataclass(frozen=True)
class Case:
    """A bad request, what the contract promises for it, and what came."""

    name: str
    promised: tuple[int, str]
    got: tuple[int, str]

    @property
    def kept(self) -> bool:
        return self.promised == self.got


def send_bad_requests(client: PredictionClient, model: str) -> list[Case]:
    """Send each bad request of the contract, an unsigned one, and one to no model."""
    contract = declarations.contract(model)
    good = json.dumps(contract["examples"][0]["record"]).encode()
    cases = []
    for case in contract["bad_requests"]:
        answer = client.post(model, body_of(case, contract), case.get("content_type"))
        cases.append(
            Case(case["name"], (case["status"], case["code"]), (answer.status, _code(answer.body)))
        )
    unknown = client.post("no_such_model", good, "application/json")
    cases.append(
        Case("no such model", (404, "model_not_found"), (unknown.status, _code(unknown.body)))
    )
    unsigned = client.post(model, good, "application/json", signed=False)
    cases.append(
        Case(
            "not signed",
            (403, "unsigned_or_unknown_route"),
            (unsigned.status, _code(unsigned.body)),
        )
    )
    return cases


def body_of(case: dict[str, Any], contract: dict[str, Any]) -> bytes:
    """Return the bytes of a bad request; large ones are generated, as the contract says."""
    if "generate" not in case:
        return str(case["body"]).encode()
    record = contract["examples"][0]["record"]
    count = case["generate"]["count"]
    if case["generate"]["kind"] == "repeat":
        return json.dumps([record] * count).encode()
    return json.dumps(record).encode().ljust(count)


def _code(body: dict[str, Any]) -> str:
    return str(body.get("error", {}).get("code"))
