"""What one pass over a circuit counts."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from facts import read_facts

if TYPE_CHECKING:
    from collections.abc import Callable


def circuit(*steps: Callable[[QuantumCircuit], object], qubits: int = 3) -> QuantumCircuit:
    """Return a circuit with a classical bit for each qubit."""
    built = QuantumCircuit(qubits, qubits)
    for step in steps:
        step(built)
    return built


@given(st.lists(st.sampled_from(["h", "cx", "ccx", "measure", "reset", "barrier"]), max_size=30), st.randoms())
def test_depth_and_gates_agree_with_qiskit(names: list[str], chance: object) -> None:
    """On any flat circuit, depth is Qiskit's, and gates leave out measurements, resets and barriers."""
    built = QuantumCircuit(4, 4)
    for name in names:
        qubits = chance.sample(range(4), 3)  # type: ignore[attr-defined]
        if name == "measure":
            built.measure(qubits[0], qubits[1])
        elif name == "barrier":
            built.barrier()
        else:
            getattr(built, name)(*qubits[: {"h": 1, "reset": 1, "cx": 2, "ccx": 3}[name]])
    found = read_facts(built)
    assert built.depth() == found.depth
    assert sum(name in ("h", "cx", "ccx") for name in names) == found.gates


def test_idle_qubits_are_not_active() -> None:
    """Only qubits that something acts on count towards memory."""
    found = read_facts(circuit(lambda c: c.h(7), lambda c: c.cx(7, 3), lambda c: c.barrier(), qubits=40))
    assert (found.num_qubits, found.active_qubits) == (40, 2)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([lambda c: c.h(0), lambda c: c.rz(pi / 2, 0), lambda c: c.cx(0, 1)], True),
        ([lambda c: c.rx(-3 * pi / 2, 0)], True),
        ([lambda c: c.rz(0.3, 0)], False),
        ([lambda c: c.t(0)], False),
    ],
)
def test_clifford_is_told_by_gate_and_angle(steps: list[Callable[[QuantumCircuit], object]], *, expected: bool) -> None:
    """Clifford gates, and rotations by quarter turns."""
    assert expected == read_facts(circuit(*steps)).clifford


def test_a_final_measurement_is_one_that_nothing_follows() -> None:
    """Later gates on other qubits leave it final; a gate on its qubit makes it mid-circuit."""
    final = read_facts(circuit(lambda c: c.measure(0, 0), lambda c: c.h(1), lambda c: c.measure(1, 1)))
    assert (False, {0, 2}) == (final.mid_circuit, final.final_measurements)
    middle = read_facts(circuit(lambda c: c.measure(0, 0), lambda c: c.h(0), lambda c: c.measure(0, 1)))
    assert (True, {2}) == (middle.mid_circuit, middle.final_measurements)


def test_a_dead_measurement_is_one_that_another_overwrites_unread() -> None:
    """Its qubit may be measured again; a gate on it, or a test of the bit in between, keeps it."""
    steps = [lambda c: c.measure(0, 0), lambda c: c.measure(1, 0), lambda c: c.measure(0, 1)]
    for order in ([0, 1, 2], [0, 2, 1]):
        dead = read_facts(circuit(*[steps[index] for index in order]))
        assert ({0}, {1, 2}) == (dead.dead_measurements, dead.final_measurements)
        assert (dead.mid_circuit, dead.collapses) == (False, 0)
    used = read_facts(circuit(lambda c: c.measure(0, 0), lambda c: c.measure(1, 0), lambda c: c.h(0)))
    assert (set(), {1}, True, 1) == (
        used.dead_measurements,
        used.final_measurements,
        used.mid_circuit,
        used.collapses,
    )
    tested = QuantumCircuit(3, 1)
    tested.measure(0, 0)
    with tested.if_test((tested.clbits[0], 1)):
        tested.x(2)
    tested.measure(1, 0)
    assert (set(), {2}) == (read_facts(tested).dead_measurements, read_facts(tested).final_measurements)


def test_crossings_are_the_gates_over_the_busiest_cut() -> None:
    """A chain crosses each cut once; a long gate crosses all between its ends."""
    chain = circuit(*[lambda c, i=i: c.cx(i, i + 1) for i in range(9)], qubits=10)
    assert read_facts(chain).crossings == 1
    chain.cx(0, 9)
    assert read_facts(chain).crossings == 2


def test_loops_count_what_they_run() -> None:
    """A for loop's gates count once an iteration, and control flow makes every shot a run of its own."""
    built = QuantumCircuit(2, 2)
    with built.for_loop(range(7)):
        built.h(0)
        built.cx(0, 1)
    found = read_facts(built)
    assert (found.gates, found.mid_circuit, found.control_flow) == (14, True, True)


def test_collapses_are_counted_once_a_round() -> None:
    """Measurements and resets count unless they are final, in a for loop each time, in a while loop many times."""
    built = QuantumCircuit(2, 2)
    built.measure(0, 0)
    built.reset(1)
    with built.for_loop(range(7)):
        built.measure(0, 0)
    assert read_facts(built).collapses == 9
    built.measure([0, 1], [0, 1])
    assert read_facts(built).collapses == 9
    with built.while_loop((built.clbits[0], 1)):
        built.measure(0, 0)
    assert read_facts(built).collapses == 9 + 1 + 1_000
