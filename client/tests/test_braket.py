"""Braket's circuits through its own LocalSimulator, compared with the SDK's simulator."""

from __future__ import annotations

import math
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from braket.circuits import Circuit, FreeParameter, Observable
from braket.devices import LocalSimulator
from braket.ir.openqasm import Program

from quantum_circuits.braket import ProgramError, QuantumCircuitsSimulator

if TYPE_CHECKING:
    from quantum_circuits import Client

SHOTS = 20_000
SIGMAS = 6  # a right service is further off once in 5e8 comparisons
X, Y, Z, H, I = Observable.X(), Observable.Y(), Observable.Z(), Observable.H(), Observable.I()  # noqa: E741


@pytest.fixture(name="device")
def fixture_device(client: Client) -> LocalSimulator:
    """Give the service as Braket's SDK has devices."""
    return LocalSimulator(QuantumCircuitsSimulator(client, seed=5))


def every_gate() -> Circuit:
    """Return a circuit with every gate of Braket's, one of a matrix included."""
    circuit = Circuit().h(0).ry(1, 0.4).rx(2, 0.9).v(0).vi(1).s(2).si(0).t(1).ti(2).i(0).phaseshift(1, 0.3)
    circuit.cnot(0, 1).cy(1, 2).cz(0, 2).cv(0, 1).cphaseshift(0, 1, 0.3).cphaseshift00(1, 2, 0.5).cphaseshift01(
        0, 2, 0.7
    )
    circuit.cphaseshift10(0, 1, 0.9).swap(0, 2).iswap(0, 1).pswap(1, 2, 0.3).xy(0, 2, 0.5).xx(0, 1, 0.7).yy(1, 2, 0.2)
    circuit.zz(0, 2, 1.1).ecr(0, 1).gpi(0, 0.3).gpi2(1, 0.8).ms(0, 2, 0.3, 0.5, 0.7).prx(1, 0.4, 0.6).u(
        2, 0.3, 0.5, 0.7
    )
    circuit.ccnot(0, 1, 2).cswap(0, 1, 2).gphase(0.4).h(1, control=[0]).x(2, control=0, control_state=[0]).s(
        0, power=0.3
    )
    return circuit.unitary(matrix=np.kron([[1, 0], [0, 1j]], [[0.6, 0.8], [0.8, -0.6]]), targets=[2, 0])


def test_the_sdk_finds_the_simulator_by_its_name(client: Client) -> None:  # noqa: ARG001 - the service is needed
    """`LocalSimulator("quantum_circuits")` is all that a program needs."""
    assert "quantum_circuits" in {entry.name for entry in entry_points(group="braket.simulators")}
    result = LocalSimulator("quantum_circuits").run(Circuit().h(0).cnot(0, 1), shots=100).result()
    assert set(result.measurement_counts) <= {"00", "11"}
    assert result.measured_qubits == [0, 1]


def test_every_gate_means_what_braket_means(device: LocalSimulator) -> None:
    """The exact values of products of observables are those of Braket's simulator."""
    circuit = every_gate()
    for product, targets in ((X @ Y, [0, 1]), (Z @ X @ H, [2, 0, 1]), (Y, [2]), (H @ H, [0, 2])):
        circuit.expectation(product, targets)
    circuit.variance(Y @ Z, [0, 1]).expectation(Z)
    ours, theirs = (each.run(circuit, shots=0).result().values for each in (device, LocalSimulator()))
    for first, second in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-9)


def test_result_types_are_worked_out_of_measurements(device: LocalSimulator) -> None:
    """Expectation, variance, sample and probability agree with Braket's within their error."""
    circuit = every_gate().expectation(X @ Y, [0, 1]).variance(Z, 2).probability([2]).sample(X, 0)
    result = device.run(circuit, shots=SHOTS).result()
    exact = (
        LocalSimulator().run(every_gate().expectation(X @ Y, [0, 1]).variance(Z, 2).probability([2]), shots=0).result()
    )
    error = SIGMAS / math.sqrt(SHOTS)
    for found, expected in zip(result.values[:3], exact.values, strict=True):
        np.testing.assert_allclose(found, expected, atol=2 * error)
    assert result.measurements.shape == (SHOTS, 3)
    assert result.values[3].shape == (SHOTS,)


def test_measurements_stand_in_the_order_of_their_bits(device: LocalSimulator) -> None:
    """Bits in an order of the program's own, a qubit that nothing touches, and one that is not measured."""
    circuit = Circuit().x(3).i(5).x(0).h(1).measure([5, 3])
    result = device.run(circuit, shots=10).result()
    assert result.measured_qubits == [5, 3]
    assert result.measurements.tolist() == [[0, 1]] * 10
    assert device.run(Circuit().x(0).x(3), shots=10).result().measured_qubits == [0, 3]
    assert device.run(Circuit().x(0).i(3).expectation(Z), shots=10).result().values == [[-1.0, 1.0]]


def test_parameters_and_batches(device: LocalSimulator) -> None:
    """Free parameters are inputs; a batch is in its order."""
    circuit = Circuit().rx(0, FreeParameter("theta")).expectation(Z, 0)
    tasks = device.run_batch(circuit, shots=0, inputs=[{"theta": angle} for angle in (0.0, 0.5, 1.0)])
    assert [each.values[0] for each in tasks.results()] == pytest.approx([math.cos(angle) for angle in (0.0, 0.5, 1.0)])


def test_physical_qubits_and_verbatim_boxes(device: LocalSimulator) -> None:
    """What add_verbatim_box writes runs as it stands."""
    circuit = Circuit().add_verbatim_box(Circuit().prx(0, math.pi, 0).cnot(0, 1))
    assert device.run(circuit, shots=10).result().measurement_counts == {"11": 10}


def test_noise_of_a_circuit_is_brakets(device: LocalSimulator) -> None:
    """Channels of the circuit itself, as Braket's density matrices have them."""
    circuit = Circuit().h(0).cnot(0, 1).depolarizing(0, 0.3).two_qubit_dephasing(0, 1, 0.2)
    circuit.kraus([1], [np.sqrt(0.8) * np.eye(2), np.sqrt(0.2) * np.array([[0, 1], [1, 0]])])
    circuit.generalized_amplitude_damping(1, 0.3, 0.8).expectation(X @ Y, [0, 1]).expectation(Z @ Z, [0, 1])
    right = LocalSimulator("braket_dm").run(circuit, shots=0).result().values
    assert device.run(circuit, shots=0).result().values == pytest.approx(right, abs=1e-9)


def test_a_loop_of_a_program_of_ones_own(device: LocalSimulator) -> None:
    """An OpenQASM program with control flow, its measurements those of single bits."""
    source = "OPENQASM 3.0;\nbit[2] b;\nqubit[2] q;\nfor int i in [0:2] { x q[0]; }\n"
    source += "b[1] = measure q[0];\nb[0] = measure q[1];"
    result = device.run(Program(source=source), shots=10).result()
    assert (result.measured_qubits, result.measurement_counts) == ([1, 0], {"01": 10})


@pytest.mark.parametrize(
    ("circuit", "shots", "message"),
    [
        (Circuit().h(0).state_vector(), 0, "no result type 'state_vector'"),
        (Circuit().h(0).probability(), 0, "probability needs shots"),
        (Circuit().h(0).expectation(Observable.Hermitian(np.eye(2)), 0), 10, "products of x, y, z, i and h"),
        (Program(source="OPENQASM 3.0; qubit q; bit[2] b; h q;"), 0, "needs a result type"),
        (Program(source="OPENQASM 3.0; qubit[2] q; bit[2] b; b = measure q;"), 10, "Measure single qubits"),
        (Program(source="OPENQASM 3.0; input float pi; bit b; b = measure $0;", inputs={"pi": 1.0}), 10, "pi"),
    ],
)
def test_what_the_service_does_not_give_is_named(
    device: LocalSimulator, circuit: Any, shots: int, message: str
) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(Exception, match=message) as caught:
        device.run(circuit, shots=shots)
    assert isinstance(caught.value, ProgramError) or "quantum_circuits" in type(caught.value).__module__
