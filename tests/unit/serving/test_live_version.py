"""Which version answers what is asked of live."""

from typing import Any

from boringml.adapters.live_version import LiveVersion


class Function:
    """A serving function whose alias live moves."""

    def __init__(self) -> None:
        self.live = "10"
        self.looked = 0

    def alias(self, name: str) -> str:
        assert name == "live"
        self.looked += 1
        return self.live

    def invoke(self, version: str, event: Any) -> dict[str, Any]:
        return {"version": version, "asked": event}


def test_live_is_asked_by_its_number_and_found_again_each_half_minute() -> None:
    function, now = Function(), [100.0]
    live = LiveVersion(function, lambda: now[0])  # type: ignore[arg-type]
    assert live.invoke({"a": 1}) == {"version": "10", "asked": {"a": 1}}
    function.live = "11"
    now[0] = 129.9
    assert live.invoke({})["version"] == "10"
    assert function.looked == 1
    now[0] = 130.0
    assert live.invoke({})["version"] == "11"
