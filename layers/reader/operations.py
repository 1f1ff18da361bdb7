"""The operations of a program: the one list of what the reader makes circuits of, free of any simulator.

    text ── ... ── program ── `Compiled` ── circuit

A qubit is its number, counted over all registers in their order. A classical bit is a *cell*, a number too. When the
program starts every qubit is in |0> and every cell is 0. `name` tells what an operation is; records are tuples, and
two of different kinds can be equal, so compare names as well.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Self

    from tasks.noise.channels import Error
    from tasks.results import ResultRequest


class Node:
    """A Boolean expression over cells: op `bit` (of cell `a`), or ! & | ^ of nodes a and b; size counts operators."""

    __slots__ = ("a", "b", "op", "size")

    def __init__(self, op: str, a: Node | int, b: Node | None = None) -> None:
        self.op = op
        self.a = a
        self.b = b
        self.size: int = 1 + (a.size if isinstance(a, Node) else 0) + (b.size if b is not None else 0)

    def same(self, other: object) -> bool:
        """Tell whether the other is the very same bit."""
        return self is other or (
            isinstance(other, Node) and self.op == "bit" and other.op == "bit" and self.a == other.a
        )

    @property
    def cell(self) -> int:
        """Return the cell of a `bit` node."""
        assert isinstance(self.a, int)  # noqa: S101 - what only this op has
        return self.a


Bit = int | Node


def cells(bit: Bit) -> Iterator[int]:
    """Yield the cells a bit depends on, left to right."""
    stack = [bit]
    while stack:
        node = stack.pop()
        if not isinstance(node, Node):
            continue
        if node.op == "bit":
            yield node.cell
            continue
        if node.b is not None:
            stack.append(node.b)
        if isinstance(node.a, Node):
            stack.append(node.a)


def replaced(bit: Bit, copies: dict[int, Bit]) -> Bit:
    """Return the bit with others in the place of some cells."""
    if not isinstance(bit, Node):
        return bit
    if bit.op == "bit":
        return copies.get(bit.cell, bit)
    a = replaced(bit.a, copies) if isinstance(bit.a, Node) else bit.a
    b = replaced(bit.b, copies) if bit.b is not None else None
    return Node(bit.op, a, b if isinstance(b, Node) else None)


class Gate(NamedTuple):
    """One of `gates.NATIVE` with its parameters, floats in radians.

    `gphase` has no qubits; the last qubit of `mcx` and `mcphase` is the target, the others are controls.
    """

    name: str
    parameters: tuple[float, ...]
    qubits: tuple[int, ...]


class Call(Gate):
    """A gate as the program calls it, in outlines and for noise: what it comes to is in `operations`, over places.

    `controls` has for each of its first qubits whether it controls by 1 or by 0; `suffix` is an inverse or a power of
    what the others get; for noise, `name` has all of that. `own` gates are defined by the program. `weight` is what
    counts towards the limits.
    """

    controls: tuple[bool, ...]
    suffix: str
    operations: tuple[Unitary, ...]
    own: bool
    weight: int

    @classmethod
    def of(  # noqa: PLR0913 - its fields
        cls,
        name: str,
        parameters: tuple[float, ...],
        qubits: tuple[int, ...],
        controls: tuple[bool, ...],
        suffix: str,
        operations: tuple[Unitary, ...],
        weight: int,
        *,
        own: bool,
    ) -> Call:
        """Return a call; a tuple takes its further fields after it is made."""
        made = cls(name, parameters, qubits)
        made.controls, made.suffix, made.operations, made.own, made.weight = controls, suffix, operations, own, weight
        return made

    def on(self, qubits: tuple[int, ...]) -> Call:
        """Return the same call on other qubits."""
        return Call.of(
            self.name, self.parameters, qubits, self.controls, self.suffix, self.operations, self.weight, own=self.own
        )


class Power(
    NamedTuple("Power", [("exponent", float), ("operations", "tuple[Unitary, ...]"), ("qubits", tuple[int, ...])])
):
    """The principal power of a unitary: `operations` act on places, and place p is `qubits[p]`."""

    __slots__ = ()
    name: ClassVar[str] = "power"


class Matrix:
    """A unitary matrix, row by row, as it is written: within rounding. Two are the same if they are one object."""

    __slots__ = ("rows",)

    def __init__(self, rows: tuple[tuple[complex, ...], ...]) -> None:
        self.rows = rows


class MatrixGate(NamedTuple("MatrixGate", [("matrix", Matrix), ("qubits", tuple[int, ...])])):
    """A gate given by its matrix, whose first qubit is the least significant bit of rows and columns, as in Qiskit."""

    __slots__ = ()
    name: ClassVar[str] = "unitary"


NO_FLIPS = (0.0, 0.0)


class Measure(NamedTuple("Measure", [("qubit", int), ("cell", int), ("flips", tuple[float, float])])):
    """The measurement of a qubit in the computational basis into a cell.

    `flips` are the chances that 1 is written for a 0, and 0 for a 1; the qubit is left as it was found.
    """

    __slots__ = ()
    name: ClassVar[str] = "measure"

    def __new__(cls, qubit: int, cell: int, flips: tuple[float, float] = NO_FLIPS) -> Self:
        """Return a measurement, without errors by default."""
        return super().__new__(cls, qubit, cell, flips)


class Reset(NamedTuple("Reset", [("qubit", int)])):
    """The reset of a qubit to |0>."""

    __slots__ = ()
    name: ClassVar[str] = "reset"


class Channel(NamedTuple("Channel", [("error", "Error"), ("qubits", tuple[int, ...])])):
    """An error at this place of the program: a quantum channel, whose place p is `qubits[p]`."""

    __slots__ = ()
    name: ClassVar[str] = "channel"


class Delay(NamedTuple("Delay", [("seconds", float), ("qubits", tuple[int, ...])])):
    """Qubits that wait; only in programs compiled for a noise model, which makes errors of it."""

    __slots__ = ()
    name: ClassVar[str] = "delay"


class Barrier(NamedTuple("Barrier", [("qubits", tuple[int, ...])])):
    """A line across qubits that a compiler does not move operations over; nothing happens when it runs."""

    __slots__ = ()
    name: ClassVar[str] = "barrier"


class Store(NamedTuple("Store", [("cell", int), ("value", Bit)])):
    """The assignment of a bit to a cell: 0, 1 or a Boolean expression over cells."""

    __slots__ = ()
    name: ClassVar[str] = "store"


class If(NamedTuple("If", [("condition", Node), ("then", "list[Operation]"), ("otherwise", "list[Operation]")])):
    """A test of a Boolean expression over cells, which is evaluated once; either side may be empty."""

    __slots__ = ()
    name: ClassVar[str] = "if"


class While(NamedTuple("While", [("cell", int), ("body", "list[Operation]")])):
    """A loop that runs while its cell is 1, which is tested before each iteration."""

    __slots__ = ()
    name: ClassVar[str] = "while"


Unitary = Gate | Power  # what a gate definition expands to, over places instead of qubits
AnyUnitary = Gate | Power | MatrixGate  # what a circuit has; to the last one no modifier can be applied
Operation = Gate | Power | MatrixGate | Measure | Reset | Channel | Barrier | Store | If | While

# A `Gate` of a tuple of its fields, in two thirds of the time that calling the class takes: long programs are gates.
gate_from = cast(
    "Callable[[tuple[str, tuple[float, ...], tuple[int, ...]]], Gate]",
    partial(tuple.__new__, Gate),
)


class Output(NamedTuple):
    """A classical register of the counts: its name and its cells, least significant first."""

    name: str
    cells: tuple[int, ...]


class Compiled(NamedTuple):
    """A program in the form that engines are given, with gates, loops, subroutines and broadcasts expanded."""

    operations: list[Operation]  # in order; what a loop repeats is one object many times over
    registers: list[tuple[str, int]]  # quantum registers in order, name and size
    outputs: list[Output]  # in order of declaration; no two have a cell in common
    cells: int  # how many cells there are; those of no output are scratch, and not all are used
    phase: float  # global phase in radians
    notes: list[str]  # sentences for the owner about what has no effect here
    depends_on_inputs: bool  # False: the program declares no inputs, so it is the same for every binding
    results: tuple[ResultRequest, ...] = ()  # that the program itself asks for; without outputs it measures nothing


PHYSICAL = "_physical_"  # what the register of a hardware qubit is called, before its number


def qubit_numbers(registers: Iterable[tuple[str, int]]) -> list[int]:
    """Return the number by which a program's owner knows each qubit: a hardware qubit's own, else its place."""
    found: list[int] = []
    for name, size in registers:
        label = name.removeprefix(PHYSICAL)
        if label != name and label.isdigit() and size == 1:
            found.append(int(label))
        else:
            found += range(len(found), len(found) + size)
    return found


def on_qubits(operation: Unitary, qubits: Sequence[int]) -> Unitary:
    """Return an operation over places on qubits instead: place p becomes `qubits[p]`."""
    places = tuple([qubits[place] for place in operation.qubits])
    if type(operation) is Gate:
        return gate_from((operation.name, operation.parameters, places))
    if isinstance(operation, Call):
        return operation.on(places)
    assert isinstance(operation, Power)  # noqa: S101 - nothing else is left
    return Power(operation.exponent, operation.operations, places)


def kinds_of(operations: list[Operation]) -> set[type]:
    """Return the kinds of operations, those inside of tests and loops included."""
    found = set(map(type, operations))
    if If not in found and While not in found:
        return found
    stack, seen = [operations], set()
    while stack:
        part = stack.pop()
        if id(part) in seen:  # what a loop repeats is one object
            continue
        seen.add(id(part))
        found.update(map(type, part))
        for each in part:
            if isinstance(each, If):
                stack += (each.then, each.otherwise)
            elif isinstance(each, While):
                stack.append(each.body)
    return found


def walk(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Yield every operation, those inside of tests and loops included, in no particular order."""
    stack = list(operations)
    while stack:
        operation = stack.pop()
        yield operation
        if isinstance(operation, If):
            stack += operation.then
            stack += operation.otherwise
        elif isinstance(operation, While):
            stack += operation.body


def qubits_of(operation: Operation) -> tuple[int, ...]:
    """Return the qubits that an operation acts on; for a test or a loop none: `walk` comes to those inside."""
    if isinstance(operation, Measure | Reset):
        return (operation.qubit,)
    if isinstance(operation, Store | If | While):
        return ()
    return operation.qubits


def cells_read(operation: Operation) -> tuple[int, ...]:
    """Return the cells whose values an operation depends on; for a test or a loop those of its condition."""
    if isinstance(operation, Store):
        return tuple(cells(operation.value))
    if isinstance(operation, If):
        return tuple(cells(operation.condition))
    return (operation.cell,) if isinstance(operation, While) else ()


def cells_written(operation: Operation) -> tuple[int, ...]:
    """Return the cells that an operation changes; for a test or a loop none: `walk` comes to those inside."""
    return (operation.cell,) if isinstance(operation, Measure | Store) else ()
