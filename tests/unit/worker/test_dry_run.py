"""What a dry run says of time, memory and cost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from admission import Budget, admit, threads
from admission import estimate as estimate_run
from circuit_stats import CircuitStats
from dry_run import estimate
from tasks.bill import LAMBDA_GB_SECOND
from tasks.limits import Limits
from tasks.options import Options

SMALL = Limits(2_048, 120.0, 1)
EXECUTION = {
    "method": "statevector",
    "engine": "qiskit-aer",
    "num_qubits": 3,
    "num_clbits": 2,
    "depth": 4,
    "gates": 5,
    "estimated_seconds": 0.12345,
    "memory_bytes": 1_000,
}


def test_an_estimate_adds_the_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is rounded to three figures; the cost is that of whole milliseconds of the worker's memory."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert estimate(EXECUTION, Options(shots=7), SMALL) == {
        **EXECUTION,
        "bindings": 1,
        "shots": 7,
        "estimated_seconds": 0.123,
        "cost_usd": float(f"{2 * 0.124 * LAMBDA_GB_SECOND['x86_64']:.3g}"),
    }


def test_a_sweeps_estimate_is_of_all_its_bindings() -> None:
    """Gates and time add up; width, depth and memory are the largest; each method is named once."""
    shared = {name: EXECUTION[name] for name in ("num_qubits", "num_clbits", "method", "engine")}
    differing: list[dict[str, Any]] = [
        {"gates": 5, "depth": 9, "estimated_seconds": 0.5, "memory_bytes": 7},
        {"gates": 6, "depth": 8, "estimated_seconds": 0.25, "memory_bytes": 8, "method": "stabilizer"},
        {"gates": 6, "depth": 8, "estimated_seconds": 0.25, "memory_bytes": 8, "notes": ["A note."]},
    ]
    shown = estimate({**shared, "bindings": differing}, Options(inputs=({}, {}, {})), SMALL)
    assert {name: shown[name] for name in shown.keys() - {"cost_usd"}} == {
        "method": "statevector, stabilizer",
        "engine": "qiskit-aer",
        "num_qubits": 3,
        "num_clbits": 2,
        "depth": 9,
        "gates": 17,
        "bindings": 3,
        "shots": 1024,
        "estimated_seconds": 1.0,
        "memory_bytes": 8,
        "notes": ["A note."],
    }


def test_an_estimate_beyond_the_time_limit_says_so() -> None:
    """Only certain excess is refused; a probable one is a note."""
    shown = estimate({**EXECUTION, "estimated_seconds": 121.0}, Options(), SMALL)
    assert shown["notes"] == ["It will probably fail: a task may run for 120 seconds."]


def circuit(**changes: Any) -> CircuitStats:
    """Return the stats of a deep circuit of ten qubits."""
    return replace(CircuitStats(num_qubits=10, active_qubits=10, gates=100, crossings=3), **changes)


@pytest.mark.parametrize("method", ["statevector", "density_matrix", "stabilizer", "matrix_product_state"])
@pytest.mark.parametrize("noise", [{}, {"noise": {"depolarizing": {"one_qubit": 0.1}}}])
@pytest.mark.parametrize("mid_circuit", [False, True])
def test_more_of_anything_takes_no_less_time(method: str, noise: dict[str, Any], mid_circuit: bool) -> None:  # noqa: FBT001 - a parameter
    """The estimate grows with gates, qubits and shots, whatever the method."""
    options = Options.from_dict(noise)
    seconds = estimate_run(circuit(mid_circuit=mid_circuit), options, method).seconds
    for more in ({"gates": 200}, {"active_qubits": 12, "num_qubits": 12}):
        assert estimate_run(circuit(mid_circuit=mid_circuit, **more), options, method).seconds > seconds
    shots = replace(options, shots=2048)
    assert estimate_run(circuit(mid_circuit=mid_circuit), shots, method).seconds > seconds


def test_a_statevectors_time_is_its_gates_times_its_amplitudes() -> None:
    """1 ms, 16 us a gate, 1.5 ns a gate and amplitude, 0.7 us a shot."""
    plan = estimate_run(circuit(active_qubits=20), Options(shots=1_000), "statevector")
    assert math.isclose(plan.seconds, 1e-3 + 100 * 16e-6 + 100 * 2**20 * 1.5e-9 + 1_000 * 0.7e-6)


def test_threads_share_wide_states_alone() -> None:
    """From 16 qubits on amplitudes are shared among the threads; tableaus and tensors are not."""
    budget = Budget(2**30, 60.0, 2**30, 60.0, threads=6)
    widths = [threads(circuit(active_qubits=width), "statevector", budget) for width in (15, 16)]
    assert (widths, threads(circuit(active_qubits=16), "stabilizer", budget)) == ([1, 6], 1)


def test_a_dry_run_is_admitted_to_all_that_a_worker_has() -> None:
    """What needs the whole memory, or more time than is left, is no reason to put a dry run off."""
    wide = circuit(active_qubits=24, num_qubits=24, crossings=50)
    now = Budget(2**20, 0.0, 2**30, 60.0, dry_run=True)
    assert admit(wide, Options(), now).method == "statevector"
