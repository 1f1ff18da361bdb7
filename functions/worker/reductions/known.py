"""Known values: what is certain before the run is not left to the engine.

It walks forwards with what is known of each qubit, a bit or a cell that it is certain to equal, and of each cell. So
gates whose control is |0> go, those whose control is |1> lose it, tests on known bits become one of their sides, a
measurement of a known qubit becomes an assignment, one of a qubit that was measured a moment ago a copy, and gates that
only change a phase of known bits go. Swaps become other names for the qubits.

Law: the joint distribution of all cells stays as it is, and the state except for a global phase. A measurement
that reads wrongly stays; after an error its qubits are unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler import logic
from reader.operations import (
    NO_FLIPS,
    Barrier,
    Channel,
    Gate,
    If,
    Measure,
    Node,
    Reset,
    Store,
    While,
    cells,
    cells_written,
    qubits_of,
    walk,
)
from unitaries import DIAGONAL, controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reader.operations import AnyUnitary, Bit, Compiled, Operation
    from reductions import Steps

# What is left of a controlled gate, by how many qubits are left.
_FEWER = {
    "cx": ("x",),
    "cy": ("y",),
    "cz": ("z",),
    "cp": ("p",),
    "ccx": ("x", "cx"),
    "mcx": ("x", "cx", "ccx"),
    "mcphase": ("p", "cp"),
    "cswap": ("", "swap"),
}
_DEEP = 64  # operators of an expression that is worked on


def fold(program: Compiled, steps: Steps, *, rename: bool = True) -> Compiled:
    """Return the program with what is known worked out; without `rename` its qubits stay where they are at the end."""
    qubits = sum(size for _, size in program.registers)
    walker = _Walk(qubits, steps)
    return program._replace(operations=walker.over(program.operations, top=rename))


class _Walk:
    """What is known at one point: of qubits 0, 1 or a cell's node, of cells 0 or 1; what is in neither is unknown."""

    def __init__(self, qubits: int, steps: Steps) -> None:
        self.steps = steps
        self.qubits: dict[int, Bit] = dict.fromkeys(range(qubits), 0)
        self.cells: dict[int, int] = {}
        self.unknown: set[int] = set()  # cells; any other that has no value is 0 as it was at the start
        self.tied: dict[int, set[int]] = {}  # cell -> qubits that may be known to equal it
        self.names: dict[int, int] = {}  # qubit -> the one that stands for it after swaps

    def over(self, operations: Sequence[Operation], *, top: bool = False) -> list[Operation]:
        """Return the operations rewritten; swaps are names at the `top` only, where every later operation sees them."""
        kept: list[Operation] = []
        for operation in operations:
            self.steps.spend()
            self.step(operation, kept, top=top)
        return kept

    def step(self, operation: Operation, kept: list[Operation], *, top: bool) -> None:  # noqa: C901 - one for each kind
        """Rewrite one operation onto the list."""
        if isinstance(operation, Barrier):
            return
        if isinstance(operation, Measure):
            self.measure(operation._replace(qubit=self.names.get(operation.qubit, operation.qubit)), kept)
        elif isinstance(operation, Reset):
            qubit = self.names.get(operation.qubit, operation.qubit)
            if self.qubits.get(qubit) != 0:
                kept.append(Reset(qubit))
                self.qubits[qubit] = 0
        elif isinstance(operation, Store):
            value = self.fold(operation.value)
            kept.append(Store(operation.cell, value))
            self.write(operation.cell, None if isinstance(value, Node) else value)
        elif isinstance(operation, If):
            self.test(operation, kept, top=top)
        elif isinstance(operation, While):
            self.loop(operation, kept)
        else:
            if self.names:
                operation = operation._replace(
                    qubits=tuple([self.names.get(qubit, qubit) for qubit in operation.qubits])
                )
            if isinstance(operation, Channel):
                kept.append(operation)
                for qubit in operation.qubits:
                    self.qubits.pop(qubit, None)
            else:
                self.gate(operation, kept, top=top)

    # ------------------------------------------------------------------ cells

    def known(self, cell: int) -> int | None:
        """Return a cell's value if it is known."""
        return None if cell in self.unknown else self.cells.get(cell, 0)

    def write(self, cell: int, value: int | None) -> None:
        """Note what a cell holds from now on."""
        for qubit in self.tied.pop(cell, ()):
            bit = self.qubits.get(qubit)
            if isinstance(bit, Node) and cell in set(cells(bit)):
                del self.qubits[qubit]
        if value is None:
            self.unknown.add(cell)
            self.cells.pop(cell, None)
        else:
            self.unknown.discard(cell)
            self.cells[cell] = value

    def fold(self, bit: Bit) -> Bit:
        """Return an expression with known cells worked out."""
        if not isinstance(bit, Node) or bit.size > _DEEP:
            return bit
        self.steps.spend(bit.size)
        return self._fold(bit)

    def _fold(self, bit: Node) -> Bit:
        if bit.op == "bit":
            value = self.known(bit.cell)
            return bit if value is None else value
        assert isinstance(bit.a, Node)  # noqa: S101 - only `bit` has a cell there
        a = self._fold(bit.a)
        if bit.op == "!":
            return logic.negate(a)
        assert bit.b is not None  # noqa: S101 - every other operator has two sides
        b = self._fold(bit.b)
        return {"&": logic.both, "|": logic.either, "^": logic.differ}[bit.op](a, b)

    # ------------------------------------------------------------------ qubits

    def measure(self, operation: Measure, kept: list[Operation]) -> None:
        """Rewrite a measurement."""
        qubit, cell, flips = operation
        bit = self.qubits.get(qubit)
        if isinstance(bit, Node):
            bit = self.fold(bit)
        if bit is None or flips != NO_FLIPS:
            kept.append(operation)
            self.write(cell, None)
            if bit is None and flips == NO_FLIPS:
                self.qubits[qubit] = Node("bit", cell)
                self.tied.setdefault(cell, set()).add(qubit)
            return
        if isinstance(bit, Node):
            if not (bit.op == "bit" and bit.cell == cell):
                kept.append(Store(cell, bit))
                self.write(cell, None)
            return
        kept.append(Store(cell, bit))
        self.write(cell, bit)

    def gate(self, gate: AnyUnitary, kept: list[Operation], *, top: bool) -> None:
        """Rewrite a gate."""
        known = self.qubits
        values = [known.get(qubit) for qubit in gate.qubits]
        if gate.name in DIAGONAL and all(value is not None for value in values):
            return
        smaller = self.without_controls(gate, values)
        if smaller is None:
            return
        if smaller is not gate:
            self.gate(smaller, kept, top=top)
        elif gate.name == "swap" and top:
            self.rename(*gate.qubits)
        else:
            kept.append(gate)
            self.after(gate, values)

    def after(self, gate: AnyUnitary, values: list[Bit | None]) -> None:
        """Note what the qubits are after a gate without noise; `values` are what they were before it."""
        if gate.name in DIAGONAL:
            return
        if gate.name == "swap":
            for qubit, value in zip(gate.qubits, reversed(values), strict=True):
                self.put(qubit, value)
        elif gate.name in ("x", "y"):
            self.put(gate.qubits[0], None if values[0] is None else logic.negate(values[0]))
        else:
            for qubit in gate.qubits[controls(gate) :]:
                self.qubits.pop(qubit, None)

    def put(self, qubit: int, bit: Bit | None) -> None:
        """Note what a qubit is."""
        if bit is None:
            self.qubits.pop(qubit, None)
            return
        self.qubits[qubit] = bit
        for cell in cells(bit):
            self.tied.setdefault(cell, set()).add(qubit)

    def rename(self, a: int, b: int) -> None:
        """Exchange two qubits for all later operations; `a` and `b` are their present names."""
        inverse = {name: qubit for qubit, name in self.names.items()}
        first, second = inverse.get(a, a), inverse.get(b, b)
        self.names[first], self.names[second] = b, a

    def without_controls(self, gate: AnyUnitary, values: list[Bit | None]) -> AnyUnitary | None:
        """Return the gate without the controls that are certainly 1, None if one is certainly 0."""
        count = controls(gate)
        if not isinstance(gate, Gate) or not count:
            return gate
        if gate.name in DIAGONAL:
            count += 1  # all its qubits are alike, and not all of them are certain
        certain = [None if isinstance(value, Node) else value for value in values[:count]]
        if 0 in certain:
            return None
        left = [qubit for qubit, value in zip(gate.qubits, certain, strict=False) if value is None]
        if len(left) == count:
            return gate
        names = _FEWER[gate.name]
        qubits = (*left, *gate.qubits[count:])
        return Gate(names[len(qubits) - 1] if len(qubits) <= len(names) else gate.name, gate.parameters, qubits)

    # ------------------------------------------------------------------ control flow

    def test(self, operation: If, kept: list[Operation], *, top: bool) -> None:
        """Rewrite a test."""
        condition = self.fold(operation.condition)
        if not isinstance(condition, Node):
            for inner in operation.then if condition else operation.otherwise:
                self.step(inner, kept, top=top)
            return
        other = self.copy()
        if condition.op == "bit":
            self.assume(condition.cell, 1)
            other.assume(condition.cell, 0)
        elif condition.op == "!" and isinstance(condition.a, Node) and condition.a.op == "bit":
            self.assume(condition.a.cell, 0)
            other.assume(condition.a.cell, 1)
        then = self.over(operation.then)
        otherwise = other.over(operation.otherwise)
        self.steps.spend(len(self.qubits) + len(self.unknown) + len(self.cells))
        self.meet(other)
        if then or otherwise:
            kept.append(If(condition, then, otherwise))

    def assume(self, cell: int, value: int) -> None:
        """Note that a cell has this value here, and what equals it as well."""
        self.unknown.discard(cell)
        self.cells[cell] = value
        for qubit in self.tied.get(cell, ()):
            bit = self.qubits.get(qubit)
            if isinstance(bit, Node):
                self.qubits[qubit] = self.fold(bit)

    def loop(self, operation: While, kept: list[Operation]) -> None:
        """Rewrite a loop: before each round all that any round changes is unknown."""
        if self.known(operation.cell) == 0:
            return
        for inner in walk(operation.body):
            self.steps.spend()
            for cell in cells_written(inner):
                self.write(cell, None)
            for qubit in qubits_of(inner):
                self.qubits.pop(self.names.get(qubit, qubit), None)
        inside = self.copy()
        inside.assume(operation.cell, 1)
        kept.append(While(operation.cell, inside.over(operation.body)))
        self.write(operation.cell, 0)

    def copy(self) -> _Walk:
        """Return a copy that can go another way."""
        self.steps.spend(len(self.qubits) + len(self.unknown) + len(self.cells))
        other = _Walk(0, self.steps)
        other.qubits = dict(self.qubits)
        other.cells = dict(self.cells)
        other.unknown = set(self.unknown)
        other.tied = {cell: set(qubits) for cell, qubits in self.tied.items()}
        other.names = dict(self.names)
        return other

    def meet(self, other: _Walk) -> None:
        """Keep what is known on both ways."""
        for qubit, bit in list(self.qubits.items()):
            twin = other.qubits.get(qubit)
            same = bit.same(twin) if isinstance(bit, Node) else not isinstance(twin, Node) and bit == twin
            if not same:
                del self.qubits[qubit]
        for cell in set(self.cells) | set(other.cells) | other.unknown | self.unknown:
            value = self.known(cell)
            if value is None or value != other.known(cell):
                self.unknown.add(cell)
                self.cells.pop(cell, None)
        for cell, qubits in other.tied.items():
            self.tied.setdefault(cell, set()).update(qubits)
