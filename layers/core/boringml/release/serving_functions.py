"""Which function serves which model, as the template tells it."""

import json

from boringml.errors import BoringError


def parse(text: str) -> dict[str, str]:
    """Return {model: function name} of the JSON object in a setting.

    Raises BoringError `settings_invalid`.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BoringError("settings_invalid", f"SERVING_FUNCTIONS is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BoringError("settings_invalid", "SERVING_FUNCTIONS is not {model: function}.")
    return {str(model): str(name) for model, name in found.items()}
