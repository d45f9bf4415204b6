"""What the looks at drift and quality write, a page reads: by their own code, not by samples."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from boringml.monitoring.drift_report import Look
from boringml.monitoring.page.model_page import model_page
from boringml.monitoring.page.reports import drift_of, quality_of
from boringml.monitoring.report import RAISED
from tests.unit.monitoring.test_drift import SETTINGS, TERMS, traffic
from tests.unit.monitoring.test_drift import look as drift_in
from tests.unit.monitoring.test_measure_quality import GOOD, Watch, World
from tools.page_sample import full

END = datetime(2026, 11, 26, 9, tzinfo=UTC)


def test_a_look_at_drift_is_read_feature_by_feature() -> None:
    moved = traffic(1000, 3)
    moved["rate"] = [value + 1 for value in moved["rate"]]
    report = Look("credit", 6, END - timedelta(days=1), END, SETTINGS).report(drift_in(moved))
    found = {feature.name: feature for feature in drift_of(report)}
    assert set(found) == {"rate", "mostly_zero", "term", "prediction", "probability"}
    assert [name for name, feature in found.items() if feature.drifted] == ["rate"]
    assert not found["mostly_zero"].watched
    rate, term = found["rate"], found["term"]
    assert (len(rate.bins), len(rate.baseline), len(rate.window)) == (10, 10, 10)
    assert rate.bins[0].startswith("up to")
    # The category that neither has is no bar.
    assert list(term.bins) == [name for name in TERMS if name != "absent"]
    assert rate.psi is not None
    assert rate.limit is not None
    assert rate.psi > rate.limit
    assert rate.rows == 1000
    page = model_page(replace(full(), drift=(report,)))
    assert "rate: training data and this window" in page


def test_a_look_at_quality_is_read_with_its_days() -> None:
    report = Watch(World(dict.fromkeys(range(14), GOOD))).look(13.9)
    found = quality_of(report)
    assert (found.version, found.metric, found.labelled, found.coverage) == (1, "roc_auc", 3000, 1)
    assert found.holdout == 0.80
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert [name for name, _ in found.others][:2] == ["log_loss", "brier"]
    assert len(found.days) == 14
    assert found.days[0].labelled == 1000
    # Labels of the newest days are not there yet.
    assert found.days[-1].value is None
    assert "ROC AUC by day and version" in model_page(replace(full(), quality=(report,)))


def test_what_was_not_evaluated_has_no_numbers_and_says_so() -> None:
    few = {name: values[:50] for name, values in traffic(200, 3).items()}
    report = Look("credit", 6, END - timedelta(days=1), END, SETTINGS).report(drift_in(few))
    assert all(feature.drifted is None for feature in drift_of(report))
    assert report.status != RAISED
    assert "not known" in model_page(replace(full(), drift=(report,)))
