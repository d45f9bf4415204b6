"""Settings of a function, from its environment."""

from dataclasses import dataclass

import pytest

from boringml.errors import BoringError
from boringml.settings import load


@dataclass(frozen=True)
class Settings:
    table_name: str
    max_rows: int = 10
    share: float = 0.5
    strict: bool = False


def test_each_field_is_read_from_the_variable_of_its_name() -> None:
    environ = {"TABLE_NAME": "t", "MAX_ROWS": "3", "SHARE": "0.25", "STRICT": "True", "OTHER": "x"}
    assert load(Settings, environ) == Settings("t", 3, 0.25, True)


def test_an_absent_variable_leaves_the_default() -> None:
    assert load(Settings, {"TABLE_NAME": "t"}) == Settings("t")


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(BoringError, match="TABLE_NAME") as caught:
        load(Settings, {})
    assert caught.value.code == "settings_missing"


@pytest.mark.parametrize(
    "changed", [{"MAX_ROWS": "many"}, {"MAX_ROWS": ""}, {"SHARE": "x"}, {"STRICT": "1"}]
)
def test_a_value_of_another_type_is_named(changed: dict[str, str]) -> None:
    with pytest.raises(BoringError, match=next(iter(changed))) as caught:
        load(Settings, {"TABLE_NAME": "t", **changed})
    assert caught.value.code == "settings_invalid"
