"""What names stand for: variables, arrays, bits and qubits, and the scopes that hold them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from reader.compiler.values import Type, default

if TYPE_CHECKING:
    from reader.compiler.exact_numbers import Real
    from reader.errors import ValueFault
    from reader.text import syntax


# Why a variable cannot be assigned to.
CONSTANT = "a constant"
COUNTER = "the variable of a loop"


class Select:
    """The value of a variable that Aer cannot hold (a float, say): one of two, decided by a cell."""

    __slots__ = ("cell", "no", "yes")

    def __init__(self, cell: int, yes: Any, no: Any) -> None:  # noqa: ANN401 - any kind of value
        self.cell = cell
        self.yes = yes
        self.no = no


serials = itertools.count()  # tells which of two variables is the older one


class Variable:
    """A classical variable: `data` is its known value, a list of its bits, or a `Select`."""

    __slots__ = ("at", "base", "data", "depth", "exact", "name", "readonly", "serial", "type")

    def __init__(self, name: str, kind: Type, at: int, depth: int) -> None:
        self.name = name
        self.type = kind
        self.at = at
        self.depth = depth  # how many branches were open where it was declared
        self.data: Any = default(kind)
        self.base: int | None = None  # its first cell, once it has cells
        self.readonly = ""  # why it cannot be assigned to
        self.exact: Real | syntax.Literal | None = None  # of a constant: what it was given, where that is known
        self.serial = next(serials)


class Array:
    """A view of an array: its dimensions and its elements, one variable each, row by row."""

    __slots__ = ("dimensions", "elements", "kind", "readonly")

    def __init__(self, kind: Type, dimensions: tuple[int, ...], elements: list[Variable], readonly: str = "") -> None:
        self.kind = kind
        self.dimensions = dimensions
        self.elements = elements
        self.readonly = readonly


class Bits:
    """A reference to single bits of variables: an index, a slice, or an alias."""

    __slots__ = ("places", "scalar")

    def __init__(self, places: list[tuple[Variable, int]], *, scalar: bool) -> None:
        self.places = places
        self.scalar = scalar


class Qubits:
    """A reference to qubits of the circuit; `scalar` when it is a single qubit and not a register of one."""

    __slots__ = ("places", "scalar")

    def __init__(self, places: list[int], *, scalar: bool) -> None:
        self.places = places
        self.scalar = scalar


Symbol = Variable | Array | Bits | Qubits


class Choice:
    """What an alias stands for where a cell decides: one of two symbols, or the fault of naming one."""

    __slots__ = ("cell", "no", "yes")

    def __init__(self, cell: int, yes: Symbol | Choice | ValueFault, no: Symbol | Choice | ValueFault) -> None:
        self.cell = cell
        self.yes = yes
        self.no = no


class Given(NamedTuple):
    """What a gate's parameters are given, in the frame where it is called."""

    frame: Frame
    in_gate: bool
    arguments: dict[str, syntax.Expression]


class Frame:
    """The scopes of the program or of a running subroutine, innermost last."""

    __slots__ = ("exact", "given", "loops", "result", "returned", "scopes", "subroutine")

    def __init__(self, subroutine: syntax.Subroutine | None) -> None:
        self.subroutine = subroutine
        self.scopes: list[dict[str, Symbol | Choice]] = [{}]
        self.loops: list[tuple[Variable, Variable]] = []  # break flag and continue flag of each open loop
        self.result: Variable | None = None
        self.returned: Variable | None = None
        self.given: Given | None = None  # where this is a gate's body
        self.exact: dict[str, Real | None] | None = None  # the parameters of that, once they were asked for
