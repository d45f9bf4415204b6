"""Code that was deployed and is not live yet."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boringml.adapters.registry_table import RegistryTable
    from boringml.adapters.serving_function import ServingFunction


def models_with_new_code(
    registry: "RegistryTable", functions: Mapping[str, "ServingFunction"]
) -> list[str]:
    """Return the models that are live with other code than that of $LATEST.

    A model that was never released has nothing to compare with: its first release takes $LATEST.
    """
    return [
        model
        for model, function in functions.items()
        if (live := registry.route(model).function_version) is not None
        and function.code("$LATEST") != function.code(live)
    ]
