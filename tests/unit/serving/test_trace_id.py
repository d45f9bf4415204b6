"""Trace ids, as headers and logs have them."""

import pytest

from boringml.serving.trace_id import header_of, root_of

ROOT = "1-67891233-abcdef012345678912345678"


@pytest.mark.parametrize(
    "text", [ROOT, f"Root={ROOT}", f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"]
)
def test_a_trace_is_found_in_each_form(text: str) -> None:
    assert root_of(text) == ROOT
    assert header_of(text) == f"Root={ROOT}"


@pytest.mark.parametrize("text", [None, "", "1-2-3", f"x{ROOT}", f"Root={ROOT}a", "Sampled=1"])
def test_what_aws_would_refuse_is_no_header(text: str | None) -> None:
    assert header_of(text) is None
