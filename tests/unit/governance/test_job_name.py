import re

from hypothesis import given
from hypothesis import strategies as st

from boringml.governance.blueprint import job_name
from boringml.governance.job_rules import check_job_name

models = st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)
executions = st.text(min_size=1, max_size=200)
attempts = st.integers(0, 99)


@given(models, executions, attempts)
def test_a_name_is_one_that_sagemaker_takes(model: str, execution: str, attempt: int) -> None:
    name = job_name(model, execution, attempt)
    check_job_name(name)
    assert len(name) <= 63
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)
    assert name == job_name(model, execution, attempt)


@given(models, executions, executions, attempts, attempts)
def test_another_execution_or_attempt_has_another_name(
    model: str, one: str, other: str, first: int, second: int
) -> None:
    if (one, first) != (other, second):
        assert job_name(model, one, first) != job_name(model, other, second)


def test_a_name_tells_the_model_and_the_execution() -> None:
    name = job_name("credit", "nightly_2026-11-24", 2)
    assert re.fullmatch(r"credit-nightly-2026-11-24-[0-9a-f]{10}-2", name)


def test_executions_of_two_stacks_differ_though_they_have_one_name() -> None:
    arn = "arn:aws:states:us-east-1:000000000000:execution:{}-train:nightly"
    dev, prod = (job_name("credit", arn.format(stack), 0) for stack in ("dev", "prod"))
    assert dev != prod
    assert dev.startswith("credit-nightly-")
    assert prod.startswith("credit-nightly-")
