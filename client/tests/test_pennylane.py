"""PennyLane programs on the device, compared with `default.qubit`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

from quantum_circuits.pennylane import QuantumCircuitsDevice

if TYPE_CHECKING:
    from collections.abc import Callable

    from quantum_circuits import Client

SIGMAS = 6  # a right service is further off once in 5e8 comparisons


def layered(values: Any) -> Any:
    """Return an expectation value of a circuit with templates, a four-term gate and an observable that is no Pauli."""
    qml.RX(values[0], 0)
    qml.Rot(values[1], 0.2, values[2], wires=1)
    qml.CNOT([0, 1])
    qml.StronglyEntanglingLayers(np.full((1, 3, 3), 0.3), wires=[0, 1, 2])
    qml.CRX(values[1], [0, 2])
    return qml.expval(qml.Z(0) @ qml.X(1) + 0.3 * qml.Hadamard(2))


def both(function: Callable[..., Any], client: Client) -> tuple[qml.QNode, qml.QNode]:
    """Return the function on the device and on PennyLane's."""
    return qml.QNode(function, QuantumCircuitsDevice(wires=3, client=client)), qml.QNode(
        function, qml.device("default.qubit", wires=3)
    )


def test_the_device_has_its_name() -> None:
    """`qml.device` finds it by its entry point."""
    assert "quantum_circuits" in qml.plugin_devices


def test_values_and_variances_are_exact(client: Client) -> None:
    """Without shots, expectation values and variances agree to 1e-9."""

    def measured(values: Any) -> Any:
        layered(values)
        return qml.expval(qml.Z(0) @ qml.X(1)), qml.var(qml.Y(2) + 0.5 * qml.Z(0)), qml.var(qml.Hadamard(1))

    def only(values: Any) -> Any:
        with qml.QueuingManager.stop_recording():
            tape = qml.tape.make_qscript(measured)(values)
        for operation in tape.operations:
            qml.apply(operation)
        return tuple(qml.apply(measurement) for measurement in tape.measurements[1:])

    ours, theirs = both(only, client)
    values = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(ours(values), theirs(values), atol=1e-9)


def test_twenty_steps_of_training_are_the_same(client: Client) -> None:
    """A loop of twenty steps of gradient descent ends at the same weights, each gradient one task."""
    device = QuantumCircuitsDevice(wires=3, client=client)
    weights = []
    for used in (device, qml.device("default.qubit", wires=3)):
        cost = qml.QNode(layered, used)
        optimizer, found = qml.GradientDescentOptimizer(0.2), pnp.array([0.1, 0.2, 0.3], requires_grad=True)
        for _ in range(20):
            found = optimizer.step(cost, found)
        weights.append(found)
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-7)
    assert len(device.task_ids) == 1


def test_samples_counts_and_probabilities(client: Client) -> None:
    """With shots every kind of measurement has PennyLane's shape, and a right distribution."""
    device = QuantumCircuitsDevice(wires=2, client=client, seed=1)

    @qml.qnode(device, shots=4000)
    def bell() -> Any:
        qml.Hadamard(0)
        qml.CNOT([0, 1])
        return qml.counts(), qml.probs(wires=[0]), qml.expval(qml.X(0) @ qml.X(1)), qml.sample(qml.Z(0))

    counts, probabilities, value, sampled = bell()
    assert {str(key) for key in counts} == {"00", "11"}
    assert abs(probabilities[0] - 0.5) < SIGMAS * 0.5 / math.sqrt(4000)
    assert value == 1.0
    assert sampled.shape == (4000,)


def test_measurements_in_the_middle_are_deferred(client: Client) -> None:
    """A measured, reset and conditional qubit has the right outcomes."""
    device = QuantumCircuitsDevice(wires=2, client=client, seed=1)

    @qml.qnode(device, shots=1000)
    def conditional() -> Any:
        qml.Hadamard(0)
        outcome = qml.measure(0, reset=True)
        qml.cond(outcome, qml.X)(1)
        return qml.counts(wires=[0, 1])

    counts = {str(key): int(value) for key, value in conditional().items()}
    assert set(counts) == {"00", "01"}
    assert abs(counts["00"] - 500) < SIGMAS * math.sqrt(250)


def test_states_and_probabilities_are_exact(client: Client) -> None:
    """Without shots, in PennyLane's order of wires and with its global phase."""

    def prepared(values: Any) -> None:
        qml.RX(values[0], 0)
        qml.Rot(values[1], 0.2, values[2], wires=1)
        qml.CNOT([0, 1])
        qml.CRX(values[1], [0, 2])
        qml.GlobalPhase(0.4)

    def measured(values: Any) -> Any:
        prepared(values)
        return qml.probs(wires=[2, 0]), qml.density_matrix(wires=[1, 2]), qml.expval(qml.Y(1)), qml.probs()

    def state(values: Any) -> Any:
        prepared(values)
        return qml.state()

    values = np.array([0.1, 0.2, 0.3])
    for function in (measured, state):
        ours, theirs = both(function, client)
        for found, right in zip(ours(values), theirs(values), strict=True):
            np.testing.assert_allclose(found, right, atol=1e-9)


def test_what_needs_shots_says_so(client: Client) -> None:
    """Samples without shots are refused by name."""

    @qml.qnode(QuantumCircuitsDevice(wires=1, client=client))
    def sampled() -> Any:
        qml.Hadamard(0)
        return qml.sample(qml.Z(0))

    with pytest.raises(qml.exceptions.DeviceError, match="sample"):
        sampled()


@pytest.mark.parametrize(
    "observable",
    [
        qml.Hermitian(np.array([[1, 2j], [-2j, 0]]), 0),
        qml.Z(1) @ qml.Hermitian(np.array([[1, 2j], [-2j, 0]]), 0),
        qml.Projector(np.array([1, 1j]) / math.sqrt(2), [0]),
        qml.Hadamard(0) @ qml.Projector([1], [1]),
        qml.X(0) @ qml.Y(1) + 0.5 * qml.Hermitian(np.array([[0, 1], [1, 1]]), 0),
    ],
)
def test_observables_that_are_no_paulis_are_sampled_in_their_basis(client: Client, observable: Any) -> None:
    """With shots, values agree with the exact ones within the spread of 20,000 outcomes of at most 5 in size."""

    def measured() -> Any:
        qml.RX(0.4, 0)
        qml.RZ(0.3, 0)
        qml.RY(0.8, 1)
        qml.CNOT([0, 1])
        return qml.expval(observable)

    ours, theirs = both(measured, client)
    assert qml.set_shots(ours, 20_000)() == pytest.approx(theirs(), abs=SIGMAS * 5 / math.sqrt(20_000))


def test_measurements_that_share_a_wire_are_taken_apart(client: Client) -> None:
    """Values in different bases of one wire come from shots of their own."""

    def measured() -> Any:
        qml.RX(0.4, 0)
        qml.RZ(0.3, 0)
        return (
            qml.expval(qml.Z(0)),
            qml.expval(qml.Hermitian(np.array([[1, 2j], [-2j, 0]]), 0)),
            qml.expval(qml.Y(0)),
            qml.probs(op=qml.X(0)),
        )

    ours, _ = both(measured, client)
    theirs = qml.set_shots(qml.QNode(measured, qml.device("default.qubit", wires=3, seed=1)), 100_000)()
    for found, right in zip(qml.set_shots(ours, 20_000)(), theirs, strict=True):
        np.testing.assert_allclose(found, right, atol=SIGMAS * 3 / math.sqrt(16_000))


def test_states_that_a_circuit_begins_with_and_phases_are_kept(client: Client) -> None:
    """Templates of a first state are taken apart like others, and the phase of `U2` and `U3` is PennyLane's."""

    def basis() -> Any:
        qml.BasisState(np.array([1, 0, 1]), [0, 1, 2])
        return qml.state()

    def embedded() -> Any:
        qml.AmplitudeEmbedding([1, 2, 3, 4], [0, 1], normalize=True)
        return qml.state()

    def turned() -> Any:
        qml.U3(0.1, 0.4, 0.3, 0)
        qml.U2(0.4, 0.3, 1)
        qml.U1(0.4, 2)
        return qml.state()

    for circuit in (basis, embedded, turned):
        ours, theirs = both(circuit, client)
        np.testing.assert_allclose(ours(), theirs(), atol=1e-9)
