from typing import Any

import pytest

from boringml.adapters.serving_function import ServingFunction

DEPLOYED: dict[str, Any] = {
    "CodeSha256": "one",
    "Layers": [{"Arn": "core:1"}],
    "Runtime": "python3.13",
    "MemorySize": 1024,
    "Timeout": 10,
    "Architectures": ["arm64"],
    "Environment": {"Variables": {"METRICS_NAMESPACE": "one", "MODEL_VERSION": "1"}},
}


class Lambda:
    """Lambda with a version 7 as it was deployed, and a $LATEST."""

    def __init__(self, latest: dict[str, Any]) -> None:
        self._versions = {"7": DEPLOYED, "$LATEST": latest}

    def get_function_configuration(self, **given: str) -> dict[str, Any]:
        return self._versions[given["Qualifier"]]


def is_new(**changes: Any) -> bool:
    client: Any = Lambda({**DEPLOYED, **changes})
    function = ServingFunction(client, "credit-predict")
    return function.code("$LATEST") != function.code("7")


@pytest.mark.parametrize(
    "change",
    [
        {"CodeSha256": "two"},
        {"Layers": [{"Arn": "core:2"}]},
        {"MemorySize": 2048},
        {"Architectures": ["x86_64"]},
        {"Environment": {"Variables": {"METRICS_NAMESPACE": "two"}}},
    ],
)
def test_whatever_a_deployment_changes_of_a_function_is_new_code(change: dict[str, Any]) -> None:
    assert is_new(**change)


def test_the_model_that_a_version_serves_is_no_code() -> None:
    assert not is_new(Environment={"Variables": {"METRICS_NAMESPACE": "one", "MODEL_VERSION": "2"}})
