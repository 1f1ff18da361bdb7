"""Gates: every predefined one has its matrix, a user's gate is never taken for one of Aer's, modifiers are exact."""

# ruff: noqa: SIM300 - a table reads best with a program to a line and the expected value first

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import library
from qiskit.quantum_info import Operator

from reader import read
from reader.circuit import power_matrix
from reader.compiler.gate_tables import GATES, LEGACY_GATES
from reader.compiler.gates import EXTRAS, NATIVE, STDGATES
from reader_exact import distribution

if TYPE_CHECKING:
    from reader.operations import Unitary

ANGLES = (0.3, 0.7, 1.1, 1.9)
# Names of the language for gates that Qiskit calls otherwise. For one that Qiskit lacks: a function that returns the
# matrix for the gate's parameters, qubit 0 as the lowest bit of an index.
QISKIT = {
    "CX": library.CXGate,
    "phase": library.PhaseGate,
    "cphase": library.CPhaseGate,
    "id": library.IGate,
    "p": library.PhaseGate,
    "cp": library.CPhaseGate,
    "c3x": library.C3XGate,
    "c4x": library.C4XGate,
    "c3sx": library.C3SXGate,
    "c3sqrtx": library.C3SXGate,
    "rccx": library.RCCXGate,
    "rc3x": library.RC3XGate,
    "rcccx": library.RC3XGate,
    "xx_plus_yy": library.XXPlusYYGate,
    "xx_minus_yy": library.XXMinusYYGate,
    "iswap": library.iSwapGate,
    "swap": library.SwapGate,
    "cswap": library.CSwapGate,
    "u1": library.U1Gate,
    "u2": library.U2Gate,
    "u3": library.U3Gate,
    "cu1": library.CU1Gate,
    "cu3": library.CU3Gate,
    "csx": library.CSXGate,
    "sx": library.SXGate,
    "sxdg": library.SXdgGate,
    "sdg": library.SdgGate,
    "tdg": library.TdgGate,
    "csdg": library.CSdgGate,
}
AER_NAMES = [
    "ecr", "rzz", "iswap", "mcx", "unitary", "pauli", "kraus", "initialize", "diagonal", "multiplexer", "superop",
    "save_state", "set_statevector", "quantum_channel", "roerror", "mcu", "cu", "h", "delay_", "store", "mark", "jump",
]  # fmt: skip


def matrix(operations: list[Unitary], qubits: int) -> np.ndarray:
    """Return the matrix of operations, by Qiskit's own gates."""
    return power_matrix(1.0, tuple(operations), qubits)


@pytest.mark.parametrize("name", sorted({*STDGATES, *EXTRAS} - {"U", "u0"}))
def test_a_predefined_gate_has_qiskits_matrix(name: str) -> None:
    """A gate of the tables does, phase included, what Qiskit's gate of that meaning does."""
    gate = LEGACY_GATES[name]
    qiskit = QISKIT.get(name) or getattr(library, f"{name.upper()}Gate", None)
    assert qiskit is not None, f"Qiskit has no {name.upper()}Gate: add its class, or the matrix by hand, to QISKIT."
    angles = ANGLES[: gate.parameters]
    assert np.allclose(Operator(qiskit(*angles)).data, matrix(gate.expand(*angles), gate.qubits), atol=1e-9)


@pytest.mark.parametrize("name", sorted(GATES))
def test_a_predefined_gate_uses_native_operations_only(name: str) -> None:
    """Whatever a program calls, the simulator is given the few operations it is known to run right."""
    gate = GATES[name]
    assert {part[0] for part in gate.expand(*ANGLES[: gate.parameters])} <= NATIVE


def test_u_of_openqasm_3_is_periodic() -> None:
    """OpenQASM 3's U carries half its angle as a phase, so that a turn of 2 pi changes nothing."""
    gate = GATES["U"]
    assert np.allclose(matrix(gate.expand(0.3, 0.7, 1.1), 1), matrix(gate.expand(0.3 + 2 * np.pi, 0.7, 1.1), 1))


@pytest.mark.parametrize("name", AER_NAMES)
def test_a_users_gate_named_like_aers_is_the_users(name: str) -> None:
    """A program may give its gates any name; the simulator sees only what they are made of."""
    text = f"gate {name} a, b {{ x a; cx a, b; }} qubit[2] q; bit[2] c; {name} q[0], q[1]; c = measure q;"
    circuit = read(text)
    assert {"11": 1.0} == distribution(circuit)
    assert {"x": 1, "cx": 1, "measure": 2} == dict(circuit.count_ops())


@pytest.mark.parametrize(
    ("modified", "plain"),
    [
        ("ctrl @ u(0.3, 0.7, 1.1) q[0], q[1];", library.UGate(0.3, 0.7, 1.1).control(annotated=False)),
        ("ctrl(2) @ u(0.3, 0.7, 1.1) q[0], q[1], q[2];", library.UGate(0.3, 0.7, 1.1).control(2, annotated=False)),
        ("ctrl(3) @ h q[0], q[1], q[2], q[3];", library.HGate().control(3, annotated=False)),
        ("negctrl @ ry(0.4) q[0], q[1];", library.RYGate(0.4).control(ctrl_state=0)),
        ("ctrl @ negctrl @ swap q[0], q[1], q[2], q[3];", library.SwapGate().control(2, ctrl_state=1, annotated=False)),
        ("ctrl @ rzz(0.4) q[0], q[1], q[2];", library.RZZGate(0.4).control()),
        ("ctrl @ ryy(0.4) q[0], q[1], q[2];", library.RYYGate(0.4).control()),
        ("ctrl @ rxx(0.4) q[0], q[1], q[2];", library.RXXGate(0.4).control()),
        ("ctrl @ rzx(0.4) q[0], q[1], q[2];", library.RZXGate(0.4).control()),
        ("ctrl @ ecr q[0], q[1], q[2];", library.ECRGate().control()),
        ("ctrl @ iswap q[0], q[1], q[2];", library.iSwapGate().control(annotated=False)),
        ("ctrl @ sx q[0], q[1];", library.CSXGate()),
        ("ctrl @ y q[0], q[1];", library.CYGate()),
        ("ctrl @ crx(0.3) q[0], q[1], q[2];", library.CRXGate(0.3).control()),
        ("ctrl @ gphase(0.4) q[0];", library.PhaseGate(0.4)),
        ("inv @ u(0.3, 0.7, 1.1) q[0];", library.UGate(0.3, 0.7, 1.1).inverse()),
        ("inv @ cu(0.3, 0.7, 1.1, 0.2) q[0], q[1];", library.CUGate(0.3, 0.7, 1.1, 0.2).inverse()),
        ("inv @ rccx q[0], q[1], q[2];", library.RCCXGate().inverse()),
        ("pow(0.5) @ x q[0];", library.SXGate()),
        ("pow(0.25) @ z q[0];", library.TGate()),
        ("pow(1/3.0) @ u(0.3, 0.7, 1.1) q[0];", library.UGate(0.3, 0.7, 1.1).power(1 / 3)),
        ("pow(-0.5) @ h q[0];", library.HGate().power(0.5).inverse()),
        ("pow(0.3) @ swap q[0], q[1];", library.SwapGate().power(0.3)),
        ("pow(0.5) @ cx q[0], q[1];", library.CSXGate()),
        ("pow(1000000001) @ rx(0.3) q[0];", library.RXGate(0.3 * 1000000001)),
        ("ctrl @ pow(0.5) @ iswap q[0], q[1], q[2];", library.iSwapGate().power(0.5).control()),
    ],
)  # fmt: skip
def test_a_modified_gate_has_the_matrix_of_the_specification(modified: str, plain: object) -> None:
    """A modifier gives the same unitary, phase included, as Qiskit's construction of it."""
    circuit = read(f"qubit[4] q; bit c; {modified} c = measure q[3];")
    circuit.remove_final_measurements()
    expected = QuantumCircuit(4)
    expected.append(plain, range(plain.num_qubits))  # type: ignore[attr-defined]
    found = QuantumCircuit(4, global_phase=circuit.global_phase)
    for instruction in circuit.data:
        found.append(instruction.operation, [circuit.qubits.index(qubit) for qubit in instruction.qubits])
    assert np.allclose(Operator(expected).data, Operator(found).data, atol=1e-8)
