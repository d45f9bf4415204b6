"""The one exception of the application: a stable code, a message that says what to do, a status."""

from typing import Any


class BoringError(Exception):
    """A refusal that has a name.

    `code` is stable snake_case and is what clients, alarms and state machines branch on;
    `message` says what happened and what to do; `status` is the HTTP status that goes with it;
    `details` are further fields of the body, such as `field`.
    """

    def __init__(self, code: str, message: str, status: int = 500, **details: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return {"error": {"code", "message", ...details}}, the JSON body of every refusal."""
        return {"error": {"code": self.code, "message": self.message, **self.details}}
