"""The version that alias live points to, asked by its number."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from boringml.adapters.serving_function import ServingFunction
from boringml.registry.records import LIVE

# Lambda answers 15 control plane requests a second, GetAlias among them: "Lambda quotas".
FOUND_FOR_SECONDS = 30.0


class LiveVersion:
    """Asks what live's version answers, without being counted among the requests of live's clients.

    The alias is asked for its version each half minute; a canary's share is not asked.
    """

    def __init__(
        self, function: ServingFunction, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._function = function
        self._clock = clock
        self._version = ""
        self._until = float("-inf")

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to an event. Raises what `ServingFunction.invoke` raises."""
        if self._clock() >= self._until:
            self._version = self._function.alias(LIVE)
            self._until = self._clock() + FOUND_FOR_SECONDS
        return self._function.invoke(self._version, event)
