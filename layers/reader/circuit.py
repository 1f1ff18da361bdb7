"""Last step of reading: operations become a Qiskit circuit of nothing but what Aer runs right as it stands."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import circuit as instructions
from qiskit.circuit import CircuitInstruction, ClassicalRegister, Clbit, QuantumCircuit, QuantumRegister, Qubit
from qiskit.circuit.classical import expr
from qiskit.circuit.library import MCPhaseGate, MCXGate, UnitaryGate
from qiskit.circuit.library import get_standard_gate_name_mapping as standard_gates
from qiskit.quantum_info import Operator
from scipy.linalg import schur

from reader.compiler.modifiers import multiple
from reader.operations import (
    Barrier,
    Channel,
    Gate,
    If,
    MatrixGate,
    Measure,
    Node,
    Power,
    Reset,
    Store,
    While,
    cells,
    cells_read,
    cells_written,
    qubits_of,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qiskit.circuit.classical.expr import Expr

    from reader.operations import AnyUnitary, Bit, Compiled, Matrix, Operation, Unitary
    from tasks.noise.channels import Error

_MEASURE = instructions.Measure()
_RESET = instructions.Reset()
_CLOSE_TO_MINUS_ONE = 1e-9
STANDARD = {
    name: gate.base_class._standard_gate  # noqa: SLF001 - the only way to a circuit without a Python object per gate
    for name, gate in standard_gates().items()
    if getattr(gate.base_class, "_standard_gate", None) is not None
}


class Builder:
    """Builds a circuit; `clbits` finds the classical bit of a cell.

    `channel` makes instructions of the errors of a program that has some.
    """

    def __init__(self, compiled: Compiled, channel: Callable[[Error], Any] | None = None) -> None:
        self.compiled = compiled
        self.channel = channel
        self.clbits: dict[int, Clbit] = {}
        self.qubits: list[Qubit] = []

    def build(self) -> QuantumCircuit:
        """Return the circuit with its metadata: the names of the registers in the counts, and the notes."""
        compiled = self.compiled
        quantum = [QuantumRegister(size, name) for name, size in compiled.registers]
        self.qubits = [qubit for register in quantum for qubit in register]
        classical = []
        for output in compiled.outputs:
            register = ClassicalRegister(len(output.cells), output.name)
            self.clbits.update(zip(output.cells, register, strict=True))
            classical.append(register)
        scratch: list[int] = []
        if compiled.cells > len(self.clbits):
            used = {cell for operation in walk(compiled.operations) for cell in _cells_of(operation)}
            scratch = sorted(used - set(self.clbits))
        if scratch:
            taken = {register.name for register in (*quantum, *classical)}
            name = "scratch"
            while name in taken:
                name += "_"
            register = ClassicalRegister(len(scratch), name)
            self.clbits.update(zip(scratch, register, strict=True))
            classical.append(register)
        circuit = QuantumCircuit(*quantum, *classical, global_phase=compiled.phase)
        self.fill(circuit, compiled.operations)
        circuit.metadata = {"outputs": [output.name for output in compiled.outputs], "notes": compiled.notes}
        return circuit

    def instruction(self, operation: Operation) -> CircuitInstruction:  # noqa: PLR0911 - one for each kind
        """Return what is not a standard gate as an instruction."""
        if isinstance(operation, If):
            return self.branch(operation)
        if isinstance(operation, While):
            return self.loop(operation)
        if isinstance(operation, Store):
            target = expr.lift(self.clbits[operation.cell])
            touched = dict.fromkeys([operation.cell, *cells(operation.value)])
            store = instructions.Store(target, self.condition(operation.value))
            return CircuitInstruction(store, (), [self.clbits[cell] for cell in touched])
        places = [self.qubits[qubit] for qubit in qubits_of(operation)]
        if isinstance(operation, Measure):
            return CircuitInstruction(_MEASURE, places, (self.clbits[operation.cell],))
        if isinstance(operation, Reset):
            return CircuitInstruction(_RESET, places)
        if isinstance(operation, Barrier):
            return CircuitInstruction(instructions.Barrier(len(places)), places)
        if isinstance(operation, Channel):
            assert self.channel is not None  # noqa: S101 - whoever builds noisy programs gives it
            return CircuitInstruction(self.channel(operation.error), places)
        return CircuitInstruction(special(operation), places)

    def fill(self, circuit: QuantumCircuit, operations: list[Operation]) -> None:
        """Append operations to a circuit that has their bits."""
        qubits = self.qubits
        from_standard = CircuitInstruction.from_standard
        steps: list[CircuitInstruction] = []
        append = steps.append
        # An operation that a loop repeats is one object, and becomes one instruction.
        made: dict[int, CircuitInstruction] = {}
        for operation in operations:
            step = made.get(id(operation))
            if step is None:
                if type(operation) is Gate and (name := operation.name) in STANDARD:
                    places = [qubits[q] for q in operation.qubits]
                    step = from_standard(STANDARD[name], places, operation.parameters)
                else:
                    step = self.instruction(operation)
                made[id(operation)] = step
            append(step)
        circuit._data.extend(steps)  # noqa: SLF001 - without checks that hold already

    def body(self, parts: list[list[Operation]], extra: Iterable[int]) -> tuple[list[QuantumCircuit], Any, Any]:
        """Return circuits for the sides of a test over the bits that any of them uses, and those bits."""
        used_qubits: dict[int, None] = {}
        used_cells: dict[int, None] = dict.fromkeys(extra)
        for operations in parts:
            for operation in walk(operations):
                # A test inside may have no qubit of its own, and is given the first, see below.
                used_qubits.update(dict.fromkeys((0,) if isinstance(operation, If | While) else qubits_of(operation)))
                used_cells.update(dict.fromkeys(_cells_of(operation)))
        # Aer skips a test without a qubit, and with it the stores inside.
        qubits = [self.qubits[q] for q in sorted(used_qubits)] or self.qubits[:1]
        clbits = [self.clbits[cell] for cell in sorted(used_cells)]
        circuits = []
        for operations in parts:
            circuit = QuantumCircuit(qubits, clbits)
            self.fill(circuit, operations)
            circuits.append(circuit)
        return circuits, qubits, clbits

    def branch(self, operation: If) -> CircuitInstruction:
        """Return a test."""
        bit, then, otherwise = operation
        parts = [then, otherwise] if otherwise else [then]
        circuits, qubits, clbits = self.body(parts, cells(bit))
        condition = (self.clbits[bit.cell], True) if bit.op == "bit" else self.condition(bit)
        test = instructions.IfElseOp(condition, circuits[0], circuits[1] if otherwise else None)
        return CircuitInstruction(test, qubits, clbits)

    def loop(self, operation: While) -> CircuitInstruction:
        """Return a loop that runs while its cell is set."""
        circuits, qubits, clbits = self.body([operation.body], [operation.cell])
        loop = instructions.WhileLoopOp((self.clbits[operation.cell], True), circuits[0])
        return CircuitInstruction(loop, qubits, clbits)

    def condition(self, bit: Bit) -> Expr:
        """Return a bit as a Boolean expression of Qiskit; only what Aer evaluates."""
        if not isinstance(bit, Node):
            return expr.lift(bool(bit))
        if bit.op == "bit":
            return expr.lift(self.clbits[bit.cell])
        assert isinstance(bit.a, Node)  # noqa: S101 - only `bit` has a cell there
        a = self.condition(bit.a)
        if bit.op == "!":
            return expr.logic_not(a)
        assert bit.b is not None  # noqa: S101 - every other operator has two sides
        b = self.condition(bit.b)
        if bit.op == "^":
            return expr.bit_xor(a, b)
        return expr.logic_and(a, b) if bit.op == "&" else expr.logic_or(a, b)


def special(operation: AnyUnitary) -> Any:  # noqa: ANN401 - a Qiskit gate
    """Return the gate of an operation that Qiskit has no fixed-size standard gate for."""
    qubits = len(operation.qubits)
    if isinstance(operation, Power):
        return UnitaryGate(power_matrix(operation.exponent, operation.operations, qubits), check_input=False)
    if isinstance(operation, MatrixGate):
        return UnitaryGate(nearest_unitary(operation.matrix), check_input=False)
    return MCXGate(qubits - 1) if operation.name == "mcx" else MCPhaseGate(operation.parameters[0], qubits - 1)


@lru_cache(maxsize=256)
def nearest_unitary(matrix: Matrix) -> np.ndarray:
    """Return the unitary matrix that is closest to one given by rounded numbers."""
    left, _, right = np.linalg.svd(np.array(matrix.rows))
    return np.asarray(left @ right)


@lru_cache(maxsize=256)
def power_matrix(exponent: float, operations: tuple[Unitary, ...], qubits: int) -> np.ndarray:
    """Return the principal power of the matrix of a gate's operations, shape (2**qubits, 2**qubits)."""
    inner = QuantumCircuit(qubits)
    for operation in operations:
        places = [inner.qubits[place] for place in operation.qubits]
        if isinstance(operation, Power) or (operation.name not in STANDARD and operation.name != "gphase"):
            inner.append(special(operation), places)
        elif operation.name == "gphase":
            inner.global_phase += operation.parameters[0]
        else:
            gate = CircuitInstruction.from_standard(STANDARD[operation.name], places, operation.parameters)
            inner._append(gate)  # noqa: SLF001 as it reads best
    triangle, vectors = schur(Operator(inner).data, output="complex")
    angles = np.angle(np.diag(triangle))
    # The principal power is continuous from above: an eigenvalue within rounding of -1 counts as exp(i pi).
    angles = np.where(angles <= -np.pi + _CLOSE_TO_MINUS_ONE, angles + 2 * np.pi, angles)
    powers = [multiple(angle, exponent) for angle in angles.tolist()]
    return np.asarray((vectors * np.exp(1j * np.array(powers))) @ vectors.conj().T)


def _cells_of(operation: Operation) -> tuple[int, ...]:
    return cells_read(operation) + cells_written(operation)
