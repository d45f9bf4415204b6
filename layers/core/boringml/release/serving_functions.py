"""Which function serves which model, as the template tells it."""

import json

from boringml.errors import BoringError


def parse(text: str) -> dict[str, str | None]:
    """Return {model: function name} of the JSON object in a setting; None is of a model without.

    Raises BoringError `settings_invalid`.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BoringError("settings_invalid", f"SERVING_FUNCTIONS is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BoringError("settings_invalid", "SERVING_FUNCTIONS is not {model: function}.")
    return {str(model): None if name is None else str(name) for model, name in found.items()}
