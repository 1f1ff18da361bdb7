"""What a circuit costs, counted in one pass: the step between the reader and admission."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qiskit import QuantumCircuit

# What Aer's stabilizer method runs as it stands, and rotations that are Clifford at multiples of pi/2.
CLIFFORD = frozenset({"cx", "cy", "cz", "ecr", "h", "id", "pauli", "s", "sdg", "swap", "sx", "sxdg", "x", "y", "z"})
CLIFFORD_ROTATIONS = frozenset({"rz", "p", "u1", "rx"})
TRANSLATED_ROTATIONS = CLIFFORD_ROTATIONS - {"rz"}  # of these, what Aer's stabilizer method has under no name
WHILE = "while_loop"
CONTROL_FLOW = frozenset({"if_else", "for_loop", WHILE, "switch_case", "box"})
_NOT_GATES = CONTROL_FLOW | {"barrier", "measure", "reset", "delay", "store", "break_loop", "continue_loop"}
_ANGLE_TOLERANCE = 1e-12
_ROUNDS_OF_WHILE = 1_000  # of a loop whose end is decided while it runs, for counting what happens in it


@dataclass(frozen=True, slots=True)
class Facts:
    """What admission knows of a circuit.

    `active_qubits` leaves out idle ones, which Aer drops; `gates` counts every gate with its loops unrolled;
    `crossings` is the largest number of many-qubit gates across any cut of the line of qubits: a bound on log2 of the
    bond dimension in a matrix product state. `mid_circuit` says that shots cannot be sampled from one final state,
    `collapses` how often a shot is measured or reset before its final measurements. `final_measurements` and
    `dead_measurements` are positions in the circuit: of those that nothing follows, and of those whose outcome another
    measurement overwrites unread and whose qubit is at most measured again.
    """

    num_qubits: int
    active_qubits: int
    gates: int
    depth: int = 0
    mid_circuit: bool = False
    collapses: int = 0
    clifford: bool = False
    control_flow: bool = False
    wide_gates: bool = False
    crossings: int = 0
    names: frozenset[str] = frozenset()
    first_foreign: str | None = None
    final_measurements: frozenset[int] = field(default=frozenset(), repr=False)
    dead_measurements: frozenset[int] = field(default=frozenset(), repr=False)


def read_facts(circuit: QuantumCircuit) -> Facts:
    """Walk the circuit once, blocks of control flow included."""
    walk = _Walk(circuit)
    walk.over(circuit.data, 1)
    return walk.facts()


class _Walk:
    """The running totals of one pass; qubits are positions in the circuit, classical bits follow them."""

    def __init__(self, circuit: QuantumCircuit) -> None:
        self.circuit = circuit
        self.positions: dict[Any, int] = {bit: index for index, bit in enumerate(circuit.qubits)}
        offset = len(self.positions)
        self.positions.update({bit: offset + index for index, bit in enumerate(circuit.clbits)})
        self.levels = [0] * len(self.positions)
        self.touched: set[int] = set()
        self.across = [0] * (circuit.num_qubits + 1)
        self.names: set[str] = set()
        self.gates = 0
        self.clifford = True
        self.first_foreign: str | None = None
        self.mid_circuit = False
        self.collapses = 0
        self.control_flow = False
        self.wide_gates = False
        # The measurements so far, by the qubit and by the classical bit that nothing but measurements has used since.
        # Each is in one of the sets: nothing follows it, its qubit alone was measured again, or its outcome is
        # overwritten; or it is in none.
        self.following: dict[int, list[int]] = {}
        self.open: set[int] = set()
        self.remeasured: set[int] = set()
        self.dead: set[int] = set()

    def over(self, data: Iterable[Any], times: int) -> None:
        """Count `data`, the body of a loop that runs `times` times (1 for a circuit)."""
        positions, levels, across, touched = self.positions, self.levels, self.across, self.touched
        for index, step in enumerate(data):
            name = step.name
            if name in _NOT_GATES:
                self.other(index, step, name, times)
                continue
            bits = [positions[bit] for bit in step.qubits]
            # Most of a circuit: written out, for this loop is what admission costs.
            touched.update(bits)
            if len(bits) == 1:
                levels[bits[0]] += 1
            else:
                self.deepen(bits)
                self.wide_gates |= len(bits) > 2  # noqa: PLR2004 - what noise models take
                if bits:
                    across[min(bits)] += times
                    across[max(bits)] -= times
            if self.following:
                self.close(bits)
            self.gates += times
            self.names.add(name)
            if name not in CLIFFORD and not (name in CLIFFORD_ROTATIONS and _is_quarter_turn(step.params[0])):
                self.clifford = False
                self.first_foreign = self.first_foreign or name

    def other(self, index: int, step: Any, name: str, times: int) -> None:  # noqa: ANN401 - Qiskit ships no types
        """Count what is no gate: measurements, resets, control flow; barriers cost nothing."""
        bits = [self.positions[bit] for bit in (*step.qubits, *step.clbits)]
        if name == "barrier":
            self.deepen(bits, by=0)
            return
        self.touched.update(bits)
        self.deepen(bits)
        self.names.add(name)
        if name == "measure":
            self.collapses += times
            self.measure(index, *bits)
            return
        self.close(bits)
        if name in CONTROL_FLOW:
            self.enter(step, times)
        elif name == "reset":
            self.collapses += times
            self.mid_circuit = True

    def deepen(self, bits: list[int], by: int = 1) -> None:
        """Put an operation on top of all the bits it touches; a barrier only levels them, as Qiskit's depth has it."""
        level = by + max((self.levels[bit] for bit in bits), default=0)
        for bit in bits:
            self.levels[bit] = level

    def measure(self, index: int, qubit: int, clbit: int) -> None:
        """Note a measurement, and what it makes of earlier ones of its qubit and into its classical bit."""
        for overwritten in self.following.get(clbit, ()):
            if overwritten in self.open or overwritten in self.remeasured:
                self.open.discard(overwritten)
                self.remeasured.discard(overwritten)
                self.dead.add(overwritten)
        chain = self.following.setdefault(qubit, [])
        if chain and chain[-1] in self.open:
            self.open.discard(chain[-1])
            self.remeasured.add(chain[-1])
        chain.append(index)
        self.following[clbit] = [index]
        self.open.add(index)

    def close(self, bits: list[int]) -> None:
        """Mark earlier measurements of these bits as wanted: something but a measurement follows them."""
        for bit in bits:
            for index in self.following.pop(bit, ()):
                self.open.discard(index)
                self.remeasured.discard(index)
                self.dead.discard(index)
                self.mid_circuit = True

    def enter(self, step: Any, times: int) -> None:  # noqa: ANN401 - Qiskit ships no types
        """Count the blocks of a control-flow operation, whose bits are named anew inside."""
        self.mid_circuit = self.control_flow = True
        operation = step.operation
        if step.name == "for_loop":
            times *= len(operation.params[0])
        outer, before = self.positions, self.collapses
        for block in operation.blocks:
            self.positions = dict(zip(block.qubits, (outer[bit] for bit in step.qubits), strict=True))
            self.positions.update(zip(block.clbits, (outer[bit] for bit in step.clbits), strict=True))
            # What a block measures is never final: the blocks keep books of their own.
            kept = self.following, self.open, self.remeasured, self.dead
            self.following, self.open, self.remeasured, self.dead = {}, set(), set(), set()
            self.over(block.data, times)
            self.following, self.open, self.remeasured, self.dead = kept
        self.positions = outer
        if step.name == WHILE:
            self.collapses = before + _ROUNDS_OF_WHILE * (self.collapses - before)

    def facts(self) -> Facts:
        """Close the totals."""
        crossings = height = 0
        for change in self.across:
            height += change
            crossings = max(crossings, height)
        return Facts(
            num_qubits=self.circuit.num_qubits,
            active_qubits=sum(bit < self.circuit.num_qubits for bit in self.touched),
            gates=self.gates,
            depth=max(self.levels, default=0),
            mid_circuit=self.mid_circuit or bool(self.remeasured),
            collapses=self.collapses - len(self.open) - len(self.dead),
            clifford=self.clifford,
            control_flow=self.control_flow,
            wide_gates=self.wide_gates,
            crossings=crossings,
            names=frozenset(self.names),
            first_foreign=self.first_foreign,
            final_measurements=frozenset(self.open),
            dead_measurements=frozenset(self.dead),
        )


def _is_quarter_turn(angle: object) -> bool:
    return isinstance(angle, (int, float)) and abs(math.remainder(angle, math.pi / 2)) < _ANGLE_TOLERANCE
