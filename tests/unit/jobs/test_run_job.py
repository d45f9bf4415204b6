"""A worker brings each job to one final state, whatever breaks in between."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.errors import BoringError
from boringml.jobs.message import PoisonError, parse
from boringml.jobs.run_job import INLINE_BYTES, METRICS, Policy, TryAgainError, Worker
from boringml.jobs.states import FINAL
from boringml.jobs.sweep_jobs import Sweeper
from boringml.serving.model import Model
from boringml.serving.prediction_log import PredictionLog
from tests.unit.jobs.samples import CLIENT, JOB_ID, POSTED_MS, Jobs, Queue, text_of
from tests.unit.serving import tiny

NOW = POSTED_MS / 1000 + 1
BODY = {"request": tiny.RECORD}


class Once:
    """Powertools' idempotency in memory. What crashed stays in progress until `expire`."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[str, dict[str, Any] | None]] = {}

    def run(
        self, key: list[str], payload: str, work: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        name = json.dumps(key)
        if name in self.records:
            known, outcome = self.records[name]
            if known != payload:
                raise BoringError("idempotency_key_reused", "other body")
            if outcome is None:
                raise BoringError("in_progress", "running", 409)
            return dict(outcome)
        self.records[name] = (payload, None)
        try:
            outcome = work()
        except Exception:
            del self.records[name]
            raise
        self.records[name] = (payload, json.loads(json.dumps(outcome)))
        return outcome

    def expire(self) -> None:
        self.records = {name: r for name, r in self.records.items() if r[1] is not None}


class Broken:
    """A model that fails."""

    def __init__(self, model: Model) -> None:
        self.contract, self.version = model.contract, model.version
        self.decoder, self.label = model.decoder, model.label

    def predict(self, _records: Any) -> list[float]:
        raise ValueError("secret detail")


class Killed(BaseException):
    """The process is gone: nothing catches it."""


MODEL = Model(tiny.CONTRACT, tiny.onnx_model(), 3)


@pytest.fixture
def model() -> Model:
    return MODEL


def worker(model: Any, **changes: Any) -> Worker:
    return Worker(
        **{
            "name": "credit",
            "model": model,
            "jobs": Jobs(),
            "once": Once(),
            "store": lambda _key, _content: None,
            "callbacks": Queue(),
            "knows": lambda _client, name: name == "orders",
            "log": PredictionLog({"model": "credit"}, further=METRICS),
            "write": lambda _line: None,
            "policy": Policy(3600, 3, 30, 60),
            "clock": lambda: NOW,
            **changes,
        }
    )


def test_a_job_succeeds_with_the_models_answer(model: Model) -> None:
    lines: list[str] = []
    job = worker(model, write=lines.append).run_job(text_of(BODY), 1)
    assert (job.job_id, job.status, job.client) == (JOB_ID, "succeeded", CLIENT)
    assert job.outcome["model_version"] == 3
    assert job.outcome["result"]["probability"] == pytest.approx(tiny.probability(tiny.RECORD))
    (line,) = [json.loads(text) for text in lines]
    assert (line["queue_ms"], line["attempt"], line["requests"]) == (1000, 1, 1)
    metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert {"Name": "queue_ms", "Unit": "Milliseconds"} in metrics
    assert line["features"]


def test_a_list_leaves_a_line_for_each_record(model: Model) -> None:
    lines: list[str] = []
    run = worker(model, write=lines.append).run_job
    assert (
        len(run(text_of({"request": [tiny.RECORD] * 3}), 1).outcome["result"]["predictions"]) == 3
    )
    assert lines[0].count("\n") == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"request": {**tiny.RECORD, "more": 1}}, "unknown_field"),
        ({"request": []}, "list_empty"),
        ({"asked": tiny.RECORD}, "malformed_body"),
        (b"{", "malformed_body"),
        ({"request": tiny.RECORD, "callback": "nobody"}, "callback_unknown"),
    ],
)
def test_what_breaks_the_contract_is_refused_and_never_tried_again(
    model: Model, body: Any, code: str
) -> None:
    job = worker(model).run_job(text_of(body), 1)
    assert (job.status, job.outcome["error"]["code"]) == ("refused", code)


def test_a_refused_field_is_one_of_the_body_that_was_posted(model: Model) -> None:
    job = worker(model).run_job(text_of({"request": [tiny.RECORD, {}]}), 1)
    assert job.outcome["error"]["field"].startswith("$.request[1].")


def test_a_model_that_fails_is_tried_again_then_failed_without_its_details(model: Model) -> None:
    run = worker(Broken(model))
    for receives, pause in ((1, 30), (2, 60)):
        with pytest.raises(TryAgainError) as again:
            run.run_job(text_of(BODY), receives)
        assert again.value.seconds == pause
        assert run.jobs.get(JOB_ID).status == "queued"  # type: ignore[attr-defined]
    job = run.run_job(text_of(BODY), 3)
    assert job.status == "failed"
    assert "secret" not in json.dumps(job.outcome)


def test_a_model_that_is_not_there_yet_is_waited_for(model: Model) -> None:
    with pytest.raises(TryAgainError):
        worker(None).run_job(text_of(BODY), 1)
    job = worker(None).run_job(text_of(BODY), 3)
    assert (job.status, job.outcome["error"]["code"]) == ("failed", "model_not_released")


def test_an_old_message_is_expired_and_told_not_run(model: Model) -> None:
    callbacks = Queue()
    late = worker(Broken(model), clock=lambda: NOW + 3600, callbacks=callbacks)
    job = late.run_job(text_of({**BODY, "callback": "orders"}), 1)
    assert (job.status, job.outcome["error"]["code"]) == ("expired", "job_expired")
    assert [m.payload["type"] for m in callbacks.sent] == ["job.expired"]


def test_poison_is_nobodys_job(model: Model) -> None:
    run = worker(model)
    with pytest.raises(PoisonError):
        run.run_job(text_of(BODY, model="other"), 1)
    assert run.jobs.writes == {}  # type: ignore[attr-defined]


def test_a_large_result_is_stored_once_for_each_attempt(model: Model) -> None:
    stored: dict[str, bytes] = {}
    records = [tiny.RECORD] * tiny.CONTRACT.max_records
    job = worker(model, store=stored.__setitem__).run_job(text_of({"request": records}), 1)
    small = len(json.dumps({"predictions": [{"prediction": "bad", "probability": 0.1}]}))
    assert len(records) * small > INLINE_BYTES / 4, "what the contract allows may be large"
    if stored:
        ((key, content),) = stored.items()
        assert job.outcome["result_key"] == key
        assert len(json.loads(content)["predictions"]) == len(records)


def test_the_same_key_and_body_are_one_prediction_and_one_callback(model: Model) -> None:
    callbacks = Queue()
    run = worker(model, callbacks=callbacks)
    body = {**BODY, "callback": "orders"}
    first = run.run_job(text_of(body, idempotency_key="k"), 1)
    again = run.run_job(text_of(body, idempotency_key="k", request_id="second"), 1)
    assert (again.status, again.same_as) == ("succeeded", first.job_id)
    assert [message.id for message in callbacks.sent] == [f"msg_{first.job_id}"]


def test_the_same_key_of_another_client_is_another_job(model: Model) -> None:
    run = worker(model)
    run.run_job(text_of(BODY, idempotency_key="k"), 1)
    other = run.run_job(
        text_of(BODY, idempotency_key="k", request_id="b", client="arn:aws:iam::1:user/b"), 1
    )
    assert (other.status, other.same_as) == ("succeeded", None)


def test_the_same_key_with_another_body_is_refused_and_told(model: Model) -> None:
    callbacks = Queue()
    run = worker(model, callbacks=callbacks)
    run.run_job(text_of(BODY, idempotency_key="k"), 1)
    body = {"request": [tiny.RECORD], "callback": "orders"}
    job = run.run_job(text_of(body, idempotency_key="k", request_id="second"), 1)
    assert (job.status, job.outcome["error"]["code"]) == ("refused", "idempotency_key_reused")
    assert [message.payload["type"] for message in callbacks.sent] == ["job.refused"]


def test_a_callback_that_could_not_be_sent_is_sent_by_the_next_delivery(model: Model) -> None:
    callbacks = Queue(failing=1)
    run = worker(model, callbacks=callbacks)
    text = text_of({**BODY, "callback": "orders"})
    with pytest.raises(ConnectionError):
        run.run_job(text, 1)
    assert run.run_job(text, 2).status == "succeeded"
    run.run_job(text, 3)
    assert len(callbacks.sent) == 1


def test_a_key_that_a_dead_worker_left_is_looked_at_once_until_its_time_is_up(model: Model) -> None:
    once = Once()
    run = worker(model, once=once).run_job
    once.records[json.dumps([CLIENT, "credit", JOB_ID])] = (parse(text_of(BODY)).body_digest, None)
    with pytest.raises(TryAgainError) as first:
        run(text_of(BODY), 1)
    with pytest.raises(TryAgainError) as again:
        run(text_of(BODY), 2)
    assert (first.value.seconds, again.value.seconds) == (30, 60)


class Dying(Jobs):
    """Jobs whose worker is killed before or after its n-th write."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None

    def _write(self, *args: Any, **values: Any) -> Any:
        self._tick()
        written = super()._write(*args, **values)
        self._tick()
        return written

    def mark_told(self, job_id: str) -> None:
        self._tick()
        super().mark_told(job_id)
        self._tick()

    def _tick(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Killed


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("work"), st.booleans(), st.one_of(st.none(), st.integers(0, 8))),
        st.just(("sweep",)),
        st.just(("lease over",)),
    ),
    max_size=12,
)


@given(STEPS)
def test_whatever_the_order_of_workers_retries_and_sweeps_a_job_ends_once_and_is_told(
    steps: list[Any],
) -> None:
    model = MODEL
    jobs, once, callbacks = Dying(), Once(), Queue()
    text = text_of({**BODY, "callback": "orders"})
    parts = {"jobs": jobs, "once": once, "callbacks": callbacks}
    sweeper = Sweeper(jobs, callbacks, 0, lambda: NOW)
    receives = 0

    def work(*, broken: bool, dies_after: int | None) -> None:
        jobs.left = dies_after
        try:
            worker(Broken(model) if broken else model, **parts).run_job(text, receives)
        except (TryAgainError, Killed):
            pass
        finally:
            jobs.left = None

    for step in steps:
        if step[0] == "work":
            receives += 1
            work(broken=step[1], dies_after=step[2])
        elif step[0] == "sweep":
            sweeper.sweep_jobs([text] if receives > 3 else [])
        else:
            once.expire()
    # Whoever was lost comes back, or its message is dead and swept.
    once.expire()
    receives += 1
    work(broken=False, dies_after=None)
    sweeper.sweep_jobs([text])
    finals = [state for state in jobs.writes[JOB_ID] if state in FINAL]
    assert len(finals) == 1
    assert jobs.jobs[JOB_ID].status == finals[0]
    assert {message.id for message in callbacks.sent} == {f"msg_{JOB_ID}"}
    assert {message.payload["type"] for message in callbacks.sent} == {f"job.{finals[0]}"}
