"""Cirq circuits through the sampler, compared with Cirq's own simulator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cirq
import numpy as np
import pytest
import sympy

from quantum_circuits.cirq import ExportError, QuantumCircuitsSampler

if TYPE_CHECKING:
    from quantum_circuits import Client

REPETITIONS = 20_000
SIGMAS = 6  # a right service is further off once in 5e8 comparisons
Q = cirq.LineQubit.range(4)
T = sympy.Symbol("t")


def assert_alike(ours: cirq.Result, theirs: cirq.Result) -> None:
    """Compare the frequencies of each outcome of each key."""
    assert set(ours.records) == set(theirs.records)
    for key, record in ours.records.items():
        assert record.shape == theirs.records[key].shape
        found = [_outcomes(each) for each in (record, theirs.records[key])]
        for outcome in found[0] | found[1]:
            first, second = (each.get(outcome, 0) for each in found)
            assert abs(first - second) <= SIGMAS * math.sqrt(first + second)


def _outcomes(record: np.ndarray) -> dict[bytes, int]:
    rows, counts = np.unique(record.reshape(len(record), -1), axis=0, return_counts=True)
    return {row.astype(np.uint8).tobytes(): int(count) for row, count in zip(rows, counts, strict=True)}


def test_a_sweep_is_one_task_and_right(client: Client) -> None:
    """Parameters in gates of every kind, an inverted outcome, a repeated key and a classical condition."""
    circuit = cirq.Circuit(
        cirq.H(Q[0]),
        cirq.rx(T)(Q[1]),
        cirq.CNOT(Q[0], Q[2]) ** T,
        cirq.ISWAP(Q[0], Q[1]) ** 0.3,
        cirq.FSimGate(0.3, T)(Q[1], Q[2]),
        cirq.measure(Q[0], Q[1], key="a", invert_mask=(True,)),
        cirq.X(Q[3]).with_classical_controls("a"),
        cirq.measure(Q[3], key="b"),
        cirq.reset(Q[3]),
        (cirq.Y ** (2 * T))(Q[3]),
        cirq.measure(Q[3], key="b"),
    )
    sweep = cirq.Linspace("t", 0, 2, 4)
    sampler = QuantumCircuitsSampler(client, seed=3)
    ours = sampler.run_sweep(circuit, sweep, repetitions=1_000)
    assert len(sampler.task_ids) == 1
    theirs = cirq.Simulator(seed=1).run_sweep(circuit, sweep, repetitions=1_000)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.params == other.params
        assert_alike(mine, other)


@pytest.mark.parametrize("seed", range(4))
def test_random_circuits_and_matrices_are_right(client: Client, seed: int) -> None:
    """Random circuits, a random matrix on three qubits, and roots of gates."""
    circuit = cirq.Circuit(
        cirq.testing.random_circuit(Q[:3], 8, 0.8, random_state=seed),
        cirq.MatrixGate(cirq.testing.random_unitary(8, random_state=seed))(*Q[:3]),
        cirq.CCZ(*Q[:3]) ** 0.3,
        cirq.PhasedXPowGate(phase_exponent=0.2, exponent=0.3)(Q[0]),
        cirq.measure(*Q[:3], key="m"),
    )
    ours = QuantumCircuitsSampler(client, seed=seed).run(circuit, repetitions=REPETITIONS)
    assert_alike(ours, cirq.Simulator(seed=seed).run(circuit, repetitions=REPETITIONS))


def test_what_cannot_run_is_named(client: Client) -> None:
    """A parameter without a value, no measurement, and a channel: each an error that names it."""
    sampler = QuantumCircuitsSampler(client)
    with pytest.raises(ExportError, match="parameter pi\\*t has no value"):
        sampler.run(cirq.Circuit(cirq.X(Q[0]) ** T, cirq.measure(Q[0])))
    with pytest.raises(ExportError, match="measures nothing"):
        sampler.run(cirq.Circuit(cirq.X(Q[0])))
    with pytest.raises(ExportError, match="depolarize"):
        sampler.run(cirq.Circuit(cirq.depolarize(0.1)(Q[0]), cirq.measure(Q[0])))


def test_outcomes_can_be_reckoned_with(client: Client) -> None:
    """A 1 is an eigenvalue of -1 by `1 - 2 * outcome`, as with Cirq's own simulator."""
    qubit = cirq.LineQubit(0)
    circuit = cirq.Circuit(cirq.X(qubit), cirq.measure(qubit, key="m"))
    for sampler in (QuantumCircuitsSampler(client), cirq.Simulator()):
        outcomes = sampler.run(circuit, repetitions=3).measurements["m"]
        assert (1 - 2 * outcomes).tolist() == [[-1]] * 3
        assert outcomes.dtype == np.int8


def test_what_has_more_than_two_levels_is_refused(client: Client) -> None:
    """A gate on three levels is none of the service's, whatever its name."""
    qutrit = cirq.LineQid(0, 3)
    circuit = cirq.Circuit(cirq.XPowGate(dimension=3).on(qutrit), cirq.measure(qutrit, key="m"))
    with pytest.raises(ExportError, match="has 3 levels"):
        QuantumCircuitsSampler(client).run(circuit)
