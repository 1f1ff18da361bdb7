"""Dry runs: the api's question, and the worker's answer by real children."""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from lambda_events import Context
from test_api import call

import dry_runs
from children import Children
from dry_run import dry_run
from dry_runs import worker
from schedule import Program
from simulated_aws import BELL
from tasks.limits import Limits
from tasks.options import Options
from verdicts import Completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulated_aws import Aws

LARGE = Limits(10_240, 120.0, 6)
LAYERS = "for int i in [1:5] {{ h q; t q; for int j in [1:{n} - 1] cx q[j - 1], q[j]; }}"
WIDE = f"qubit[{{n}}] q; bit[{{n}}] c; {LAYERS} c = measure q;"
ESTIMATE = {
    "lane": "small",
    "method": "statevector",
    "engine": "trajectories",
    "num_qubits": 2,
    "num_clbits": 2,
    "depth": 3,
    "gates": 2,
    "bindings": 1,
    "shots": 1024,
    "estimated_seconds": 0.002,
    "memory_bytes": 1_000_000,
    "cost_usd": 1e-7,
}


@pytest.fixture(scope="module", name="children")
def fixture_children() -> Iterator[Children]:
    """Give one child of a small worker: it may use 224 MiB."""
    with Children(1, 512, 60.0) as single:
        assert single.wait_until_ready()
        yield single


def asked(children: Children, qc: str, lane: str = "small", **options: Any) -> dict[str, Any]:
    """Ask the worker."""
    return dry_run({"qc": qc, "options": options, "lane": lane}, children, LARGE)


def test_a_dry_run_says_what_the_run_then_has(children: Children) -> None:
    """Method, size and depth are those of the run, and so are the bits; nothing has run."""
    ((_, outcome),) = children.run([Program(BELL, Options())], deadline=time.monotonic() + 60)
    assert isinstance(outcome, Completed)
    shown = asked(children, BELL)["estimate"]
    shared = ("method", "num_qubits", "depth", "gates")
    assert [shown[name] for name in shared] == [outcome.payload["execution"][name] for name in shared]
    assert (shown["lane"], shown["num_clbits"], shown["bindings"], shown["shots"]) == ("small", 2, 1, 1024)
    assert shown.keys() == ESTIMATE.keys()


def test_what_is_too_large_for_the_small_lane_is_estimated_for_the_large_one(children: Children) -> None:
    """24 qubits need more than this small worker has; the answer is the large lane's, as if asked for that."""
    shown = asked(children, WIDE.format(n=24), method="statevector")
    assert shown["estimate"]["lane"] == "large"
    assert shown["estimate"]["memory_bytes"] > 2**28
    assert asked(children, WIDE.format(n=24), "large", method="statevector") == shown


@pytest.mark.parametrize(
    ("qc", "options", "code"),
    [
        (WIDE.format(n=40), {"method": "statevector"}, "circuit_too_large"),
        (WIDE.format(n=24), {"method": "statevector", "noise": {"depolarizing": {"one_qubit": 0.1}}}, None),
        (BELL, {"observables": ["Z"]}, "invalid_inputs"),
        (BELL.replace("h q[0]", "t q[0]"), {"method": "stabilizer"}, "unsupported_feature"),
        (BELL.replace("h q[0]", "hh q[0]"), {}, "invalid_circuit"),
    ],
)
def test_a_dry_run_foresees_the_tasks_error(
    children: Children, qc: str, options: dict[str, Any], code: str | None
) -> None:
    """What reading, admission or preparing would refuse in every lane is the answer, as the task's error."""
    printed = asked(children, qc, **options)
    assert printed.get("error", {}).get("code") == code
    if code:
        assert printed["error"]["message"]


def test_a_sweep_is_estimated_as_a_whole(children: Children) -> None:
    """All bindings are read and admitted; their gates add up, and a bad one is named."""
    qc = "input int n; qubit[3] q; bit[3] c; for int i in [0:n] x q[i]; c = measure q;"
    shown = asked(children, qc, inputs=[{"n": 0}, {"n": 2}])["estimate"]
    assert (shown["bindings"], shown["gates"]) == (2, 4)
    assert asked(children, qc, inputs=[{"n": 0}, {"n": "x"}])["error"]["binding"] == 1


def test_the_workers_handler_answers_both_kinds_of_event(
    in_moto: Aws, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A direct invocation with `dry_run` is answered; it touches neither table nor queue."""
    import worker as worker_module

    monkeypatch.setattr(worker_module, "children", lambda: children)
    event = {"dry_run": {"qc": BELL, "options": {}, "lane": "small"}, "correlation_id": "c"}
    answer = worker_module.handler(event, Context())
    assert answer["estimate"]["gates"] == 2
    assert json.loads(json.dumps(answer)) == answer
    assert (in_moto.rows(), in_moto.messages()) == ([], [])


def answered(printed: Any, asked_for: dict[str, Any], **more: Any) -> tuple[int, dict[str, str], Any]:
    """Send a dry run to the api, whose worker gives an answer; check what it was asked."""
    event = {"dry_run": asked_for, "correlation_id": "mine"}
    with Stubber(worker().client) as stub:
        stub.add_response(
            "invoke",
            {"Payload": io.BytesIO(json.dumps(printed).encode()), **more},
            {"FunctionName": "dry-run", "Payload": json.dumps(event).encode()},
        )
        body = {"qc": BELL, **asked_for["options"]}
        answer = call("POST", "/tasks", body, query={"dry_run": "true"}, headers={"X-Correlation-ID": "mine"})
        stub.assert_no_pending_responses()
    return answer


def test_an_admitted_task_is_answered_with_its_estimate(in_moto: Aws) -> None:
    """The worker is asked once, with text, options and lane; nothing is stored or sent, and there is no task id."""
    event = {"qc": BELL, "options": {"shots": 5, "seed": 3}, "lane": "small"}
    status, headers, body = answered({"estimate": {**ESTIMATE, "shots": 5}}, event)
    assert (status, body) == (
        200,
        {
            "status": "admitted",
            "message": "The task would be run.",
            "correlation_id": "mine",
            **ESTIMATE,
            "shots": 5,
        },
    )
    assert "location" not in headers
    assert (in_moto.rows(), in_moto.messages()) == ([], [])


def test_a_foreseen_failure_has_the_shape_of_a_failed_task(in_moto: Aws) -> None:
    """`message` and `error` are what reading the failed task would show."""
    error = {"code": "memory_limit", "message": "Too wide.", "limit": 1, "actual": 2, "hint": "Use fewer qubits."}
    status, _, body = answered({"error": error}, {"qc": BELL, "options": {}, "lane": "small"})
    assert (status, body) == (
        200,
        {"status": "failed", "message": "Too wide.", "error": error, "correlation_id": "mine"},
    )


def test_a_program_that_is_not_valid_is_refused_as_at_submit(in_moto: Aws) -> None:
    """What the api finds itself is its own answer; the worker is not asked."""
    dry = call("POST", "/tasks", {"qc": "hh q;"}, query={"dry_run": "true"}, headers={"X-Correlation-ID": "c"})
    real = call("POST", "/tasks", {"qc": "hh q;"}, headers={"X-Correlation-ID": "c"})
    assert (dry[0], dry[2]) == (real[0], real[2])
    assert dry[0] == 400


@pytest.mark.parametrize(("printed", "more"), [({}, {}), ({"errorType": "Runtime"}, {"FunctionError": "Unhandled"})])
def test_without_the_workers_answer_the_service_says_try_again(
    in_moto: Aws, printed: dict[str, Any], more: dict[str, Any]
) -> None:
    """A worker that ran out of time or died is a 503, not an estimate."""
    status, headers, body = answered(printed, {"qc": BELL, "options": {}, "lane": "small"}, **more)
    assert (status, body["code"], headers["retry-after"]) == (503, "unavailable", "5")


def test_a_worker_that_cannot_be_reached_is_a_503(in_moto: Aws) -> None:
    """Whatever AWS says."""
    with Stubber(worker().client) as stub:
        stub.add_client_error("invoke", "ServiceException", http_status_code=500)
        assert call("POST", "/tasks", {"qc": BELL}, query={"dry_run": "true"})[0] == 503


def test_one_dry_run_too_many_is_told_why_and_when_to_come_back(in_moto: Aws) -> None:
    """Not a fault of the service, but its bound: 429, nothing begun."""
    with Stubber(worker().client) as stub:
        stub.add_client_error("invoke", "TooManyRequestsException", http_status_code=429)
        status, headers, body = call("POST", "/tasks", {"qc": BELL}, query={"dry_run": "true"})
    assert (status, body["code"], headers["retry-after"]) == (429, "throttled", "5")
    assert body["message"] == "Too many dry runs are in progress; this one was not started."


def test_a_batch_is_answered_task_by_task(in_moto: Aws) -> None:
    """What each would take or end in, in order, whatever the others are; nothing is stored and nothing runs."""
    bad = "qubit q; hh q; measure q;"
    failed = {"code": "memory_limit", "message": "Too large.", "hint": "Use fewer qubits."}
    with Stubber(worker().client) as answers:
        for printed in ({"estimate": ESTIMATE}, {"error": failed}):
            answers.add_response("invoke", {"Payload": io.BytesIO(json.dumps(printed).encode())})
        status, _, answer = call(
            "POST", "/tasks/batch", {"tasks": [{"qc": BELL}, {"qc": bad}, {"qc": BELL}]}, query={"dry_run": "true"}
        )
    assert (status, answer["message"]) == (200, "Nothing was submitted.")
    first, second, third = answer["tasks"]
    assert (first["index"], first["status"], first["num_qubits"]) == (0, "admitted", 2)
    alone = call("POST", "/tasks", {"qc": bad})[2]
    assert (second["index"], second["status"], second["message"]) == (1, "failed", alone["detail"])
    assert second["error"]["line"] == 1
    assert (third["index"], third["status"], third["error"]) == (2, "failed", failed)
    assert in_moto.rows() == []


def test_a_batch_that_would_be_refused_whole_is_so_in_a_dry_run(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key twice, a callback that cannot be, circuits over the budget that they share."""
    monkeypatch.setattr(dry_runs, "BATCH_DRY_RUN_SECONDS", 600)
    dear = "qubit q; int n = 0; for int i in [0:20000] { n += i; } measure q;"
    for tasks, code in (
        ([{"qc": BELL, "idempotency_key": "k"}] * 2, "duplicate_idempotency_key"),
        ([{"qc": BELL, "callback_url": "http://example.org"}], "invalid_batch"),
    ):
        status, _, answer = call("POST", "/tasks/batch", {"tasks": tasks}, query={"dry_run": "true"})
        assert (status >= 400, answer["code"]) == (True, code)
    with Stubber(worker().client) as answers:
        for _ in range(20):
            answers.add_response("invoke", {"Payload": io.BytesIO(json.dumps({"estimate": ESTIMATE}).encode())})
        _, _, answer = call("POST", "/tasks/batch", {"tasks": [{"qc": dear}] * 20}, query={"dry_run": "true"})
    assert (answer["code"], answer["errors"][0]["code"]) == ("invalid_batch", "circuit_too_large")


def test_a_batch_of_dry_runs_that_take_too_long_is_refused(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """API Gateway would not wait for them; the answer says how many there was time for."""
    monkeypatch.setattr(dry_runs, "BATCH_DRY_RUN_SECONDS", -1)
    status, _, answer = call("POST", "/tasks/batch", {"tasks": [{"qc": BELL}] * 3}, query={"dry_run": "true"})
    assert (status, answer["code"], answer["limit"], answer["actual"]) == (422, "batch_too_large", 0, 3)
