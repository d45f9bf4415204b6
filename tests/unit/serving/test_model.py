"""A package in memory: proved, then used."""

import json

import pytest

from boringml.errors import BoringError
from boringml.package import layout
from boringml.serving.model import Model, load_model
from tests.unit.serving import tiny


def predict(model: Model, *rates: float) -> list[tuple[str, float]]:
    bodies = [{**tiny.RECORD, "int_rate": rate} for rate in rates]
    records = model.decoder.decode(json.dumps(bodies).encode())
    assert isinstance(records, list)
    return [(p.prediction, p.probability) for p in model.predict(records)]


@pytest.mark.parametrize("name", [layout.ONNX_MODEL, layout.CONTRACT])
def test_one_changed_byte_keeps_a_model_from_loading(name: str) -> None:
    files, digest = tiny.package()
    files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])
    with pytest.raises(BoringError) as caught:
        load_model(files.__getitem__, digest, 3)
    assert (caught.value.code, caught.value.details["file"]) == ("digest_mismatch", name)


def test_another_package_than_the_released_one_is_refused() -> None:
    files, _ = tiny.package()
    with pytest.raises(BoringError) as caught:
        load_model(files.__getitem__, "sha256:" + "0" * 64, 3)
    assert caught.value.code == "digest_mismatch"


def test_a_package_without_a_registered_digest_is_refused() -> None:
    files, _ = tiny.package()
    with pytest.raises(BoringError) as caught:
        load_model(files.__getitem__, "", 3)
    assert caught.value.code == "digest_mismatch"


def test_probabilities_stay_between_0_and_1(model: Model) -> None:
    assert predict(model, 0, 40) == [("good", 0.0), ("bad", 1.0)]


def test_the_threshold_itself_is_positive(model: Model) -> None:
    # (3 - 1) / 20 is exactly the contract's 0.1.
    assert predict(model, 2.99, 3) == [("good", pytest.approx(0.0995)), ("bad", 0.1)]


def test_the_used_again_buffer_keeps_nothing_of_the_record_before(model: Model) -> None:
    alone = [predict(model, rate)[0] for rate in (5, 9, 5)]
    assert alone == predict(model, 5, 9, 5)
