import pytest

from boringml.errors import BoringError
from boringml.training.gates import judge

GATES = {
    "parity": {"max_difference": 1e-5, "flipped_labels": 0},
    "roc_auc_min": 0.7,
    "log_loss_max": 0.6,
    "not_worse_than_live": {"metric": "roc_auc", "tolerance": 0.01},
}


def evaluation(**changes):
    return {
        "parity": {"max_difference": 1e-7, "flipped_labels": 0},
        "metrics": {"roc_auc": 0.8, "log_loss": 0.5},
        "live": None,
        **changes,
    }


def refusal(found, runtime="onnx"):
    with pytest.raises(BoringError) as error:
        judge(found, GATES, runtime)
    return error.value.code


def test_a_good_package_passes_each_gate():
    assert len(judge(evaluation(), GATES, "onnx")) == 4


@pytest.mark.parametrize("metrics", [{}, {"roc_auc": 0.8}, {"log_loss": 0.5}])
def test_missing_metrics_never_pass(metrics):
    assert refusal(evaluation(metrics=metrics)) == "quality_gate_failed"


@pytest.mark.parametrize(
    "parity", [{}, {"max_difference": None, "flipped_labels": None}, {"max_difference": 0.0}]
)
def test_missing_parity_never_passes(parity):
    assert refusal(evaluation(parity=parity)) == "parity_failed"


def test_another_runtime_has_no_parity():
    assert refusal(evaluation(), "sklearn") == "parity_failed"


def test_a_function_with_scikit_learn_serves_what_has_no_faithful_export():
    unfaithful = {"max_difference": 0.1, "flipped_labels": 7}
    for parity in (unfaithful, {"max_difference": None, "flipped_labels": None}):
        passed = judge(evaluation(parity=parity), GATES, "sklearn", "sklearn")
        assert "model.joblib itself serves" in passed[0]
    with pytest.raises(BoringError, match="quality_gate_failed"):
        judge(evaluation(metrics={}), GATES, "sklearn", "sklearn")


def test_worse_than_live_is_refused():
    assert refusal(evaluation(live={"metrics": {"roc_auc": 0.82}})) == "quality_gate_failed"


def test_a_live_that_is_not_comparable_is_told():
    passed = judge(evaluation(live={"metrics": None, "reason": "new contract"}), GATES, "onnx")
    assert passed[-1] == "live is not comparable: new contract"
