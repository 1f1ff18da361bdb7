"""From a POST to counts, through API Gateway, the functions, the table and the queue."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from simulated_aws import BELL

if TYPE_CHECKING:
    from local_stack import Stack


def submit(stack: Stack, body: dict[str, Any], **headers: str) -> Any:
    """Submit a task."""
    with stack.http() as http:
        return http.post("/tasks", json=body, headers=headers)


def test_a_bell_circuit_comes_back_with_its_counts(stack: Stack) -> None:
    """A submitted circuit ends completed: the contract's fields, the history in order, counts of 00 and 11."""
    answer = submit(stack, {"qc": BELL, "shots": 1000, "seed": 7}, **{"X-Correlation-ID": "bell-1"})
    assert answer.status_code == 200
    accepted = answer.json()
    with stack.http() as http:
        assert http.get(answer.headers["location"]).json()["task_id"] == accepted["task_id"]
    task = stack.ended(accepted["task_id"])
    assert (task["status"], task["message"]) == ("completed", "Task completed successfully.")
    assert [line["status"] for line in task["status_history"]] == ["pending", "processing", "completed"]
    assert (task["correlation_id"], task["shots"], task["submitted_at"]) == ("bell-1", 1000, accepted["submitted_at"])
    assert set(task["result"]) == {"00", "11"}
    assert sum(task["result"].values()) == 1000
    assert task["execution"]["seed"] == 7


DOCUMENTED = [
    ("OPENQASM 3; qubit q; h q; measure q;", {"0", "1"}),
    ('OPENQASM 3; include "stdgates.inc"; qubit q; x q; measure q;', {"1"}),
    ("qubit[2] q; bit[2] c; x q[1]; c = measure q;", {"10"}),
    (
        "OPENQASM 3; qubit[3] q; bit a; bit[2] b; x q[0]; a = measure q[0]; b[0] = measure q[1]; b[1] = measure q[2];",
        {"00 1"},
    ),
    ('OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;', {"00", "11"}),
]


@pytest.mark.parametrize(("qc", "keys"), DOCUMENTED)
def test_the_documented_circuits_give_the_documented_answers(stack: Stack, qc: str, keys: set[str]) -> None:
    """With and without include, with and without a target, in both versions of the language: keys and sum are right."""
    task = stack.ended(submit(stack, {"qc": qc}).json()["task_id"])
    assert task["status"] == "completed", task
    assert set(task["result"]) == keys
    assert sum(task["result"].values()) == 1024


def test_the_same_seed_gives_the_same_counts(stack: Stack) -> None:
    """Two tasks of one program and seed agree; the seed of an unseeded one reproduces it."""
    first = stack.ended(submit(stack, {"qc": BELL}).json()["task_id"])
    again = stack.ended(submit(stack, {"qc": BELL, "seed": first["execution"]["seed"]}).json()["task_id"])
    assert again["result"] == first["result"]


def test_a_refused_circuit_names_its_place(stack: Stack) -> None:
    """A syntax error is a 400 with the contract's body."""
    answer = submit(stack, {"qc": "OPENQASM 3;\nqubit q;\nh q;\nmeasure q\n"})
    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["message"], body["code"]) == ("error", "QASM3 code is not valid", "invalid_circuit")
    assert {"detail", "line", "column"} <= set(body)


def test_what_only_the_worker_can_find_ends_failed(stack: Stack) -> None:
    """A circuit over the worker's memory is accepted, and ends failed with a code, a limit and a hint."""
    qc = """qubit[40] q; bit[40] c; for int i in [0:39] { h q[i]; t q[i]; }
            for int i in [0:38] { cx q[i], q[i+1]; } c = measure q;"""
    task = stack.ended(submit(stack, {"qc": qc, "method": "statevector"}).json()["task_id"])
    assert task["status"] == "failed"
    assert task["error"]["code"] in {"circuit_too_large", "memory_limit"}
    assert {"message", "limit", "actual", "hint"} <= set(task["error"])
    assert task["message"] == task["error"]["message"]


def test_many_tasks_all_end_with_their_own_counts(stack: Stack) -> None:
    """Fifty tasks submitted together each get their own answer."""
    expected = {}
    for number in range(50):
        flips = "".join(f"x q[{bit}]; " for bit in range(6) if number >> bit & 1)
        qc = f"qubit[6] q; bit[6] c; {flips}c = measure q;"
        expected[submit(stack, {"qc": qc, "shots": 10}).json()["task_id"]] = {f"{number:06b}": 10}
    assert {task_id: stack.ended(task_id)["result"] for task_id in expected} == expected


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 422),
        (b'{"qc": "\xff"}', "application/json", 400),
        (b'{"qc": "qubit q;"}', "text/plain", 422),
        (json.dumps({"qc": "x" * 2_000_000}).encode(), "application/json", 413),
        (json.dumps({"qc": "qubit q; \0"}).encode(), "application/json", 400),
        (json.dumps({"qc": BELL, "shots": 0}).encode(), "application/json", 422),
    ],
)
def test_bad_requests_are_refused_over_the_wire(stack: Stack, body: bytes, content_type: str, status: int) -> None:
    """Bytes as a client may send them: the right status and the contract's body, no traceback."""
    with stack.http() as http:
        answer = http.post("/tasks", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == "error"
    assert not re.search('Traceback|File "', answer.text)


def test_unknown_addresses_have_the_contracts_body(stack: Stack) -> None:
    """API Gateway's own refusals look like ours."""
    with stack.http() as http:
        answer = http.get("/nowhere")
        assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (404, "error", "not_found")
        for answer in (http.put("/tasks", json={}), http.post("/")):
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
            assert answer.headers["allow"]


def test_health_is_connected(stack: Stack) -> None:
    """The deployed service reaches its table and its queue."""
    with stack.http() as http:
        body = http.get("/health").json()
    assert (body["status"], body["database_status"], body["queue_status"]) == ("healthy", "connected", "connected")


def test_a_sweep_comes_back_in_the_order_of_its_bindings(stack: Stack) -> None:
    """One task runs a program with several inputs; its results stand in their order."""
    qc = "input float a; qubit q; rx(a) q; measure q;"
    body = {"qc": qc, "shots": 9, "seed": 7, "inputs": [{"a": 0}, {"a": math.pi}, {"a": 2 * math.pi}]}
    task = stack.ended(submit(stack, body).json()["task_id"])
    assert (task["status"], task["result"]) == ("completed", [{"0": 9}, {"1": 9}, {"0": 9}])
    assert task["execution"]["bindings"] == [{"seed": 7}, {"seed": 100_007}, {"seed": 200_007}]


def test_a_dry_run_foresees_what_the_task_does(stack: Stack) -> None:
    """The estimate has the method and the size that the task then has; a failure has the task's very error."""
    wide = "qubit[40] q; bit[40] c; h q; t q; for int i in [0:19] cx q[i], q[39 - i]; c = measure q;"
    for body in ({"qc": BELL, "shots": 100}, {"qc": wide, "method": "statevector"}):
        with stack.http() as http:
            foreseen = http.post("/tasks", params={"dry_run": "true"}, json=body).json()
        task = stack.ended(submit(stack, body).json()["task_id"])
        if task["status"] == "completed":
            assert foreseen["status"] == "admitted"
            shared = ("method", "num_qubits", "depth", "gates")
            assert [foreseen[name] for name in shared] == [task["execution"][name] for name in shared]
        else:
            assert (foreseen["status"], foreseen["message"], foreseen["error"]) == (
                "failed",
                task["message"],
                task["error"],
            )
            assert foreseen["error"]["code"] == "circuit_too_large"
