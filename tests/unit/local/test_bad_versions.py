"""The version that is slow is too slow on any processor."""

import onnx
import pytest

from local import bad_versions
from local.bad_versions import TIMES_ITS_BUDGET, order_that_takes, slow


@pytest.mark.parametrize("measured_ms", [1.0, 40.0, 300.0])
def test_the_product_takes_what_is_asked_for_whatever_the_processor(measured_ms: float) -> None:
    order = order_that_takes(900, measured_ms)
    assert measured_ms * (order / 1024) ** 3 == pytest.approx(900, rel=0.01)


def test_it_takes_a_multiple_of_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bad_versions, "_measured_ms", lambda: 10.0)
    square = onnx.numpy_helper.to_array(slow(300).constants[0])
    assert TIMES_ITS_BUDGET >= 3
    assert 10.0 * (square[0] / 1024) ** 3 == pytest.approx(300 * TIMES_ITS_BUDGET, rel=0.01)


def test_it_is_measured_on_this_machine() -> None:
    assert bad_versions._measured_ms() > 0
