"""What is refused before it runs, and the method that runs the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from admission import Budget, NeedsAloneError, NeedsTimeError, admit, choose_method, estimate
from circuit_stats import CircuitStats
from tasks.errors import TaskError
from tasks.options import Options

GB = 2**30
BUDGET = Budget(GB, 60.0, GB, 60.0)


def stats(qubits: int, gates: int = 100, **more: Any) -> CircuitStats:
    """Return the stats of a deep circuit that is not Clifford."""
    return CircuitStats(**{"num_qubits": qubits, "active_qubits": qubits, "gates": gates, "crossings": 50, **more})


@pytest.mark.parametrize(
    ("circuit", "options", "method"),
    [
        (stats(5), {}, "statevector"),
        (stats(5, clifford=True), {}, "statevector"),
        (stats(14, clifford=True), {}, "statevector"),
        (stats(15, clifford=True), {}, "stabilizer"),
        (stats(11, clifford=True, mid_circuit=True), {}, "stabilizer"),
        (stats(1_000, 1_000, clifford=True, crossings=1), {}, "matrix_product_state"),
        (stats(1_000, 1_000, clifford=True), {}, "stabilizer"),
        (stats(25), {}, "statevector"),
        (stats(25, crossings=1), {}, "matrix_product_state"),
        (stats(40), {}, "matrix_product_state"),
        (stats(40), {"method": "stabilizer"}, "stabilizer"),
        (stats(5, noisy=True), {}, "density_matrix"),
        (stats(5, noisy=True), {"shots": 10}, "statevector"),
        (stats(5, noisy=True), {"shots": 1, "observables": ["Z"]}, "density_matrix"),
        (stats(12, noisy=True), {}, "statevector"),
        (stats(12, misread=True), {}, "statevector"),
        (stats(12, clifford=True, noisy=True), {}, "stabilizer"),
        (stats(12, clifford=True, noisy=True, paulis=False), {}, "statevector"),
    ],
)
def test_automatic_takes_the_cheapest_exact_method(circuit: CircuitStats, options: dict[str, Any], method: str) -> None:
    """Clifford, noise, width and depth decide; a method that is asked for is kept."""
    assert method == choose_method(circuit, Options.from_dict(options), GB)


@pytest.mark.parametrize(
    ("circuit", "options", "code", "limit", "actual"),
    [
        (stats(40), {"method": "statevector"}, "circuit_too_large", 25, 40),
        (stats(30), {"method": "statevector", "precision": "single"}, "circuit_too_large", 26, 30),
        (stats(14), {"method": "density_matrix"}, "circuit_too_large", 12, 14),
        (stats(1_001), {"method": "matrix_product_state"}, "circuit_too_large", 1_000, 1_001),
        (stats(5, 1_000_001), {}, "circuit_too_large", 1_000_000, 1_000_001),
        (stats(5), {"method": "stabilizer"}, "unsupported_feature", None, None),
        (
            stats(5, clifford=True, noisy=True, paulis=False),
            {"method": "stabilizer"},
            "unsupported_feature",
            None,
            None,
        ),
        (stats(5), {"method": "extended_stabilizer"}, "unsupported_feature", None, None),
    ],
)
def test_what_can_never_run_is_refused(
    circuit: CircuitStats, options: dict[str, Any], code: str, limit: int | None, actual: int | None
) -> None:
    """The refusal carries the limit, the figure and a hint."""
    with pytest.raises(TaskError) as caught:
        admit(circuit, Options.from_dict(options), BUDGET)
    assert (code, limit, actual) == (str(caught.value.code), caught.value.limit, caught.value.actual)
    assert caught.value.hint


MPS, SINGLE, STABILIZER = '"method": "matrix_product_state"', '"precision": "single"', '"method": "stabilizer"'


@pytest.mark.parametrize(
    ("circuit", "options", "ways"),
    [
        (stats(26), {"method": "statevector"}, [MPS, SINGLE]),
        (stats(27), {"method": "statevector"}, [MPS]),
        (stats(30, clifford=True), {"method": "statevector"}, [STABILIZER, MPS]),
        (stats(30, clifford=True, noisy=True), {"method": "statevector"}, [MPS]),
        (stats(27), {"method": "statevector", "precision": "single"}, [MPS]),
        (stats(1_001), {"method": "statevector"}, []),
        (stats(13), {"method": "density_matrix"}, ['"method": "statevector"', SINGLE]),
        (stats(26), {"method": "density_matrix"}, []),
        (stats(1_001), {"method": "matrix_product_state"}, []),
    ],
)
def test_a_hint_names_only_what_fits(circuit: CircuitStats, options: dict[str, Any], ways: list[str]) -> None:
    """No other method or precision is recommended that would be refused here as well."""
    with pytest.raises(TaskError) as caught:
        admit(circuit, Options.from_dict(options), BUDGET)
    hint = f"Use {', '.join(ways)}, or fewer qubits." if ways else "Use fewer qubits or gates."
    assert caught.value.hint == hint


def test_memory_beyond_the_state_is_a_memory_limit() -> None:
    """25 qubits fit, but not twice, as shots with mid-circuit measurement need."""
    assert admit(stats(25), Options(method="statevector"), BUDGET).method == "statevector"
    with pytest.raises(TaskError) as caught:
        admit(stats(26, mid_circuit=True), Options(method="statevector"), Budget(GB + GB // 16, 60, GB + GB // 16, 60))
    assert caught.value.code == "memory_limit"
    assert caught.value.actual is not None
    assert caught.value.actual > 2 * GB


def test_only_certain_excess_of_time_is_refused() -> None:
    """Ten times the limit by the estimate still runs, since fusion may save it; a thousand times does not."""
    slow = stats(20, 1_000, mid_circuit=True)
    seconds = estimate(slow, Options(shots=10_000), "statevector").seconds
    admit(slow, Options(shots=10_000), Budget(GB, seconds / 10, GB, seconds / 10))
    with pytest.raises(TaskError) as caught:
        admit(slow, Options(shots=10_000), Budget(GB, seconds / 1_000, GB, seconds / 1_000))
    assert caught.value.code == "time_limit"
    assert caught.value.limit == seconds / 1_000


def test_what_fits_only_alone_or_later_says_so() -> None:
    """A circuit over its share of memory, or over what is left of the batch, is not failed for it."""
    with pytest.raises(NeedsAloneError):
        admit(stats(24), Options(), Budget(GB // 8, 60.0, GB, 60.0))
    slow = stats(20, 1_000, mid_circuit=True)
    seconds = estimate(slow, Options(), "statevector").seconds
    with pytest.raises(NeedsTimeError):
        admit(slow, Options(), Budget(GB, seconds / 1_000, GB, seconds))


def test_branching_is_for_few_branches_that_fit() -> None:
    """Shots share their beginnings where few collapses part them and all branches fit 256 MB, never with noise."""
    few = stats(10, mid_circuit=True, collapses=8)
    assert admit(few, Options(shots=1_000), BUDGET).branching
    assert not admit(replace(few, misread=True), Options(shots=1_000), BUDGET).branching
    assert not admit(replace(few, noisy=True), Options(shots=1_000), BUDGET).branching
    assert not admit(few, Options(shots=1_000), replace(BUDGET, branching=False)).branching
    assert not admit(few, Options(shots=16_385), BUDGET).branching
    assert not admit(replace(few, collapses=9), Options(shots=1_000), BUDGET).branching
    assert not admit(stats(10), Options(shots=1_000), BUDGET).branching


def test_branches_count_as_memory() -> None:
    """What a child's share could not hold is run alone, with its branches, as in a larger share."""
    few, many = stats(10, mid_circuit=True, collapses=8), Options(shots=10_000)
    with pytest.raises(NeedsAloneError):
        admit(few, many, Budget(128 * 2**20, 60.0, GB, 60.0))
    assert admit(few, many, BUDGET).branching
