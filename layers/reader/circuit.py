"""Last step of reading: operations become a Qiskit circuit of nothing but what Aer runs right as it stands."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit import (
    Barrier,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    IfElseOp,
    Measure,
    QuantumCircuit,
    QuantumRegister,
    Qubit,
    Reset,
    Store,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr
from qiskit.circuit.library import MCPhaseGate, MCXGate, UnitaryGate
from qiskit.circuit.library import get_standard_gate_name_mapping as standard_gates
from qiskit.quantum_info import Operator
from scipy.linalg import schur

from reader.logic import Node, cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qiskit.circuit.classical.expr import Expr

    from reader.logic import Bit
    from reader.program import Compiled

_MEASURE = Measure()
_RESET = Reset()
_CLOSE_TO_MINUS_ONE = 1e-9
STANDARD = {
    name: gate.base_class._standard_gate  # noqa: SLF001 - the only way to a circuit without a Python object per gate
    for name, gate in standard_gates().items()
    if getattr(gate.base_class, "_standard_gate", None) is not None
}


class Builder:
    """Builds a circuit; `clbits` finds the classical bit of a cell."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
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
            used = {cell for operation in _walk(compiled.operations) for cell in _cells_of(operation)}
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

    def instruction(self, operation: tuple[Any, ...]) -> CircuitInstruction:  # noqa: PLR0911 one for each kind
        """Return what is no standard gate as an instruction."""
        qubits = self.qubits
        clbits = self.clbits
        name = operation[0]
        if name == "measure":
            return CircuitInstruction(_MEASURE, (qubits[operation[1]],), (clbits[operation[2]],))
        if name == "reset":
            return CircuitInstruction(_RESET, (qubits[operation[1]],))
        if name == "barrier":
            return CircuitInstruction(Barrier(len(operation[1])), [qubits[q] for q in operation[1]])
        if name == "store":
            target = expr.lift(clbits[operation[1]])
            touched = dict.fromkeys([operation[1], *cells(operation[2])])
            store = Store(target, self.condition(operation[2]))
            return CircuitInstruction(store, (), [clbits[cell] for cell in touched])
        if name == "if":
            return self.branch(operation)
        if name == "while":
            return self.loop(operation)
        places = [qubits[q] for q in operation[2]]
        return CircuitInstruction(special(name, operation[1], len(places)), places)

    def fill(self, circuit: QuantumCircuit, operations: list[tuple[Any, ...]]) -> None:
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
                name = operation[0]
                if name in STANDARD:
                    places = [qubits[q] for q in operation[2]]
                    step = from_standard(STANDARD[name], places, operation[1])
                else:
                    step = self.instruction(operation)
                made[id(operation)] = step
            append(step)
        circuit._data.extend(steps)  # noqa: SLF001 - without checks that hold already

    def body(self, parts: list[list[tuple[Any, ...]]], extra: Iterable[int]) -> tuple[list[QuantumCircuit], Any, Any]:
        """Return circuits for the sides of a test over the bits that any of them uses, and those bits."""
        used_qubits: dict[int, None] = {}
        used_cells: dict[int, None] = dict.fromkeys(extra)
        for operations in parts:
            for operation in _walk(operations):
                used_qubits.update(dict.fromkeys(_qubits_of(operation)))
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

    def branch(self, operation: tuple[Any, ...]) -> CircuitInstruction:
        """Return a test."""
        _, bit, then, otherwise = operation
        parts = [then, otherwise] if otherwise else [then]
        circuits, qubits, clbits = self.body(parts, cells(bit))
        condition = (self.clbits[bit.cell], True) if bit.op == "bit" else self.condition(bit)
        test = IfElseOp(condition, circuits[0], circuits[1] if otherwise else None)
        return CircuitInstruction(test, qubits, clbits)

    def loop(self, operation: tuple[Any, ...]) -> CircuitInstruction:
        """Return a loop that runs while its cell is set."""
        _, cell, body = operation
        circuits, qubits, clbits = self.body([body], [cell])
        loop = WhileLoopOp((self.clbits[cell], True), circuits[0])
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


def special(name: str, parameters: tuple[Any, ...], qubits: int) -> Any:  # noqa: ANN401 - a Qiskit gate
    """Return the gate of an operation that Qiskit has no fixed-size standard gate for."""
    if name == "mcx":
        return MCXGate(qubits - 1)
    if name == "mcphase":
        return MCPhaseGate(parameters[0], qubits - 1)
    return UnitaryGate(power_matrix(parameters[0], parameters[1], qubits), check_input=False)


@cache
def power_matrix(exponent: float, operations: tuple[Any, ...], qubits: int) -> np.ndarray:
    """Return the principal power of the matrix of a gate's operations, shape (2**qubits, 2**qubits)."""
    inner = QuantumCircuit(qubits)
    for name, parameters, places in operations:
        if name == "gphase":
            inner.global_phase += parameters[0]
        elif name in STANDARD:
            inner._append(  # noqa: SLF001 as it reads best
                CircuitInstruction.from_standard(STANDARD[name], [inner.qubits[p] for p in places], parameters)
            )
        else:
            inner.append(special(name, parameters, len(places)), list(places))
    triangle, vectors = schur(Operator(inner).data, output="complex")
    angles = np.angle(np.diag(triangle))
    # The principal power is continuous from above: an eigenvalue within rounding of -1 counts as exp(i pi).
    angles = np.where(angles <= -np.pi + _CLOSE_TO_MINUS_ONE, angles + 2 * np.pi, angles)
    return np.asarray((vectors * np.exp(1j * angles * exponent)) @ vectors.conj().T)


def _walk(operations: list[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    stack = list(operations)
    while stack:
        operation = stack.pop()
        yield operation
        if operation[0] == "if":
            stack += operation[2]
            stack += operation[3]
        elif operation[0] == "while":
            stack += operation[2]


def _cells_of(operation: tuple[Any, ...]) -> Iterable[int]:
    name = operation[0]
    if name == "measure":
        return (operation[2],)
    if name == "store":
        return (operation[1], *cells(operation[2]))
    if name == "if":
        return cells(operation[1])
    if name == "while":
        return (operation[1],)
    return ()


def _qubits_of(operation: tuple[Any, ...]) -> Iterable[int]:
    name = operation[0]
    if name in ("measure", "reset"):
        return (operation[1],)
    if name == "barrier":
        return tuple(operation[1])
    if name == "store":
        return ()
    if name in ("if", "while"):
        return (0,)  # what a test without a qubit of its own is given, see `Builder.body`
    return tuple(operation[2])
