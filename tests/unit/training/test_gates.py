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
        assert "none" not in passed[0].casefold()
        assert "model.joblib itself serves" in passed[0]
    with pytest.raises(BoringError, match="quality_gate_failed"):
        judge(evaluation(metrics={}), GATES, "sklearn", "sklearn")


def test_worse_than_live_is_refused():
    assert refusal(evaluation(live={"metrics": {"roc_auc": 0.82}})) == "quality_gate_failed"


def test_a_live_that_is_not_comparable_is_told():
    passed = judge(evaluation(live={"metrics": None, "reason": "new contract"}), GATES, "onnx")
    assert passed[-1] == "live is not comparable: new contract"


@pytest.mark.parametrize(("new", "old", "passes"), [(0.5, 0.45, False), (0.5, 0.495, True)])
@pytest.mark.parametrize("metric", ["log_loss", "brier"])
def test_of_a_loss_more_is_worse(metric, new, old, passes):
    gates = {**GATES, "not_worse_than_live": {"metric": metric, "tolerance": 0.01}}
    found = evaluation(
        metrics={"roc_auc": 0.8, "log_loss": 0.5, metric: new}, live={"metrics": {metric: old}}
    )
    if passes:
        assert judge(found, gates, "onnx")[-1].startswith(f"{metric} 0.5000 against live 0.4950")
    else:
        with pytest.raises(BoringError, match=f"{metric} 0.5000 against live 0.4500"):
            judge(found, gates, "onnx")
