"""Results beside counts, from the request to the answer: the api's checks, and a worker with real children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from test_api import call
from test_worker import received, work

from dry_run import dry_run
from simulated_aws import BELL
from tasks.limits import Limits

if TYPE_CHECKING:
    from children import Children
    from simulated_aws import Aws

HALF = pytest.approx(0.5, abs=1e-12)
WIDE = 'include "stdgates.inc"; qubit[16] q; h q[0]; for int i in [1:15] { cx q[i - 1], q[i]; t q[i]; }'
DYNAMIC = 'include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; }'
STATE = "#pragma braket result state_vector\n"
EVERY: list[Any] = [
    "counts",
    "probabilities",
    {"type": "density_matrix", "qubits": [1]},
    {"type": "expectation", "observable": "ZZ", "variance": True},
    {"type": "samples", "observable": {"XX": 2.0, "II": 0.5}},
]


def ended(in_moto: Aws, child: Children, body: dict[str, Any]) -> dict[str, Any]:
    """Submit a task, let the worker run it and read it."""
    status, _, accepted = call("POST", "/tasks", body)
    assert status == 200, accepted
    assert work(in_moto, received(in_moto), child) == []
    status, _, task = call("GET", f"/tasks/{accepted['task_id']}")
    assert (status, task["status"]) == (200, "completed"), task
    found: dict[str, Any] = task
    return found


def test_a_task_shows_the_results_it_named(in_moto: Aws, child: Children) -> None:
    """An entry for each, in order; counts stay where they were."""
    task = ended(in_moto, child, {"qc": BELL, "results": EVERY, "shots": 100, "seed": 1})
    assert sum(task["result"].values()) == task["shots"] == 100
    assert task["results"] == [
        {"type": "counts"},
        {"type": "probabilities", "qubits": [0, 1], "values": [HALF, 0.0, 0.0, HALF]},
        {"type": "density_matrix", "qubits": [1], "real": [[HALF, 0.0], [0.0, HALF]], "imag": [[0.0, 0.0]] * 2},
        {"type": "expectation", "value": pytest.approx(1.0), "standard_error": 0.0, "variance": pytest.approx(0.0)},
        {"type": "samples", "values": [2.5] * 100},
    ]


def test_a_program_that_asks_for_results_itself_has_them(in_moto: Aws, child: Children) -> None:
    """Braket's pragmas: the task needs no options; its dry run and its drawing know of them."""
    qc = (
        "qubit[2] q;\nx q[0];\n#pragma braket noise bit_flip(0.25) q[0]\n#pragma braket result probability q[0], q[1]\n"
    )
    task = ended(in_moto, child, {"qc": qc, "seed": 1})
    assert (task["result"], task["execution"]["num_qubits"]) == ({}, 2)
    values = pytest.approx([0.25, 0, 0.75, 0])
    assert task["results"] == [{"type": "probabilities", "qubits": [1, 0], "values": values}]
    estimate = dry_run({"qc": qc, "options": {}, "lane": "small"}, child, Limits(10_240, 60))["estimate"]
    assert estimate["result_bytes"] == 32
    status, _, drawing = call("POST", "/circuit", {"qc": qc})
    assert (status, "noise" in str(drawing)) == (200, True)


@pytest.mark.parametrize(
    ("qc", "options", "engine", "method"),
    [
        (BELL, {}, "ensemble", "statevector"),
        (DYNAMIC, {}, "ensemble", "statevector"),
        (BELL, {"noise": {"depolarizing": {"one_qubit": 0.1}}}, "qiskit-aer", "density_matrix"),
        (DYNAMIC, {"noise": {"depolarizing": {"one_qubit": 0.1}}}, "densities", "density_matrix"),
        (BELL, {"method": "matrix_product_state"}, "qiskit-aer", "matrix_product_state"),
        (BELL, {"method": "stabilizer"}, "qiskit-aer", "stabilizer"),
        (WIDE, {}, "qiskit-aer", "statevector"),
    ],
)
def test_confined_children_have_every_engine(
    in_moto: Aws, child: Children, qc: str, options: dict[str, Any], engine: str, method: str
) -> None:
    """What an engine imports late is there before the children are confined; exact results alone take no shots."""
    results: list[Any] = ["probabilities", {"type": "expectation", "observable": "Z" * (16 if qc == WIDE else 2)}]
    if method != "stabilizer":
        results.append({"type": "density_matrix", "qubits": [0]})
    if not options.get("noise") and qc != DYNAMIC and method != "stabilizer":
        results += ["statevector", {"type": "amplitudes", "states": ["1" * (16 if qc == WIDE else 2)]}]
    task = ended(in_moto, child, {"qc": qc, "results": results, **options})
    assert (task["shots"], task["result"]) == (0, {})
    assert (task["execution"]["method"], len(task["results"])) == (method, len(results))
    assert engine in task["execution"]["engine"]
    assert sum(task["results"][0]["values"]) == pytest.approx(1.0)


def test_a_sweep_has_results_by_binding(in_moto: Aws, child: Children) -> None:
    """A list of entries for each binding, in order."""
    qc = "input float a; qubit q; rx(a) q;"
    task = ended(
        in_moto, child, {"qc": qc, "inputs": [{"a": 0}, {"a": 3.141592653589793}], "results": ["probabilities"]}
    )
    assert [each[0]["values"] for each in task["results"]] == [pytest.approx([1.0, 0.0]), pytest.approx([0.0, 1.0])]
    assert task["result"] == [{}, {}]


@pytest.mark.parametrize(
    ("body", "status", "code", "named"),
    [
        ({"qc": "qubit[30] q; h q;", "results": ["statevector"]}, 400, "circuit_too_large", "17,179,869,184 bytes"),
        ({"qc": f"qubit[30] q; h q;\n{STATE}"}, 400, "circuit_too_large", "17,179,869,184 bytes"),
        ({"qc": f"qubit q; h q;\n{STATE}", "results": ["counts"]}, 400, "nothing_measured", "measures nothing"),
        ({"qc": f"qubit q; h q;\n{STATE}", "memory": True}, 400, "invalid_inputs", "memory is the outcome"),
        ({"qc": BELL, "results": [{"type": "probabilities", "qubits": [2]}]}, 400, "invalid_inputs", "qubit 2"),
        ({"qc": BELL, "shots": 0}, 422, "invalid_request", "0 shots give no counts"),
        ({"qc": BELL, "shots": 0, "results": ["statevector", "counts"]}, 422, "invalid_request", "no counts"),
        ({"qc": BELL, "shots": 9, "results": ["statevector"]}, 422, "invalid_request", "nothing that takes shots"),
        ({"qc": BELL, "results": ["state"]}, 422, "invalid_request", "Input should be"),
        ({"qc": BELL, "results": [{"type": "counts", "qubit": 1}]}, 422, "invalid_request", "Extra inputs"),
    ],
)
def test_a_bad_request_is_refused_at_once(
    in_moto: Aws, body: dict[str, Any], status: int, code: str, named: str
) -> None:
    """Before anything is stored or computed, with limit and actual value where there are any."""
    found, _, answer = call("POST", "/tasks", body)
    assert (found, answer["code"]) == (status, code), answer
    assert named in str(answer["detail"])
    if code == "circuit_too_large":
        assert (answer["limit"], answer["actual"]) == (2**24, 2**34)
    if named.startswith("0 shots"):
        assert answer["detail"][0]["loc"] == ["body", "shots"]


@pytest.mark.parametrize(
    ("qc", "options", "reason"),
    [
        ('include "stdgates.inc"; qubit q; bit c; h q; c = measure q; h q;', {}, "ends in 2 states"),
        (BELL, {"noise": {"depolarizing": {"one_qubit": 0.1}}}, "noise on gates"),
    ],
)
def test_a_mixture_has_no_statevector(
    in_moto: Aws, child: Children, qc: str, options: dict[str, Any], reason: str
) -> None:
    """The task fails with the reason, and says what to ask for instead."""
    _, _, accepted = call("POST", "/tasks", {"qc": qc, "results": ["statevector"], **options})
    assert work(in_moto, received(in_moto), child) == []
    _, _, task = call("GET", f"/tasks/{accepted['task_id']}")
    assert (task["status"], task["error"]["code"]) == ("failed", "unsupported_feature")
    assert reason in task["message"]
    assert "density_matrix" in task["error"]["hint"]


def test_a_dry_run_says_what_the_results_take(child: Children) -> None:
    """Their bytes, and time and memory of computing them, beside those of the counts."""
    large = Limits(10_240, 120.0, 6)
    given = {"qc": WIDE, "options": {"results": ["statevector"]}, "lane": "small"}
    alone = dry_run(given, child, large)["estimate"]
    assert (alone["result_bytes"], alone["shots"]) == (2**20, 0)
    assert alone["memory_bytes"] >= 2**20
    both = dry_run(
        {**given, "qc": f"{WIDE} bit c; c = measure q[15];", "options": {"results": ["statevector", "counts"]}},
        child,
        large,
    )
    assert both["estimate"]["estimated_seconds"] > alone["estimated_seconds"]
    assert dry_run({**given, "qc": BELL, "options": {}}, child, large)["estimate"].get("result_bytes") is None


def test_results_in_a_batch_are_each_tasks_own(in_moto: Aws, child: Children) -> None:
    """Each task of a batch has those that it named, and a wrong one refuses all."""
    tasks = [
        {"qc": BELL, "results": ["probabilities"]},
        {"qc": BELL, "results": [{"type": "expectation", "observable": "XX"}, "counts"], "shots": 9},
        {"qc": BELL, "shots": 7},
    ]
    status, _, answer = call("POST", "/tasks/batch", {"tasks": tasks})
    assert status == 200, answer
    assert work(in_moto, received(in_moto), child) == []
    found = [call("GET", f"/tasks/{each['task_id']}")[2] for each in answer["tasks"]]
    assert found[0]["results"][0]["values"] == pytest.approx([0.5, 0, 0, 0.5])
    assert [each["type"] for each in found[1]["results"]] == ["expectation", "counts"]
    assert [sum(each["result"].values()) for each in found] == [0, 9, 7]
    assert "results" not in found[2]
    wrong = {"qc": BELL, "results": [{"type": "probabilities", "qubits": [2]}]}
    status, _, refused = call("POST", "/tasks/batch", {"tasks": [tasks[0], wrong]})
    assert (status, [(each["index"], each["code"]) for each in refused["errors"]]) == (400, [(1, "invalid_inputs")])
    assert len(in_moto.rows()) == 3
