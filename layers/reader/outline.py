"""What a drawing needs beside the operations: which gates the program calls, and what its tests and loops are called.

A compilation with an `Outline` gives each call of a gate as one `Call`, which engines do not know, and remembers the
titles of the tests and loops. In everything else, the limits included, it is like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.errors import quote
from reader.operations import Call, Power, on_qubits
from reader.text import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reader.operations import If, Reset, Unitary, While

PHASE = "phase"  # of the whole state under controls, which are all its qubits
_LONGEST = 400  # characters of the program that are looked at for a title


class Outline:
    """The titles of tests and loops, for one compilation of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._titles: dict[int, tuple[If | While, str]] = {}  # by identity: equal tests can have different titles

    def name(self, operation: If | While, title: str) -> None:
        """Give a test or loop its title."""
        self._titles[id(operation)] = operation, title

    def title(self, operation: If | While) -> str:
        """Return a test's or loop's title; an empty one if the program does not have it as such."""
        return self._titles.get(id(operation), (operation, ""))[1]

    def head(self, at: int) -> str:
        """Return what stands at the offset up to the end of its first brackets, such as `while (c[0])`."""
        text = self._text[at : at + _LONGEST]
        depth = 0
        for index, character in enumerate(text):
            depth += (character == "(") - (character == ")")
            if character == ")" and depth == 0:
                return shown(text[: index + 1])
        return shown(text)

    def case(self, labels: Sequence[syntax.Expression]) -> str:
        """Return the title of a case of a switch."""
        start = syntax.beginning(labels[0])
        return shown("case " + self._text[start : start + _LONGEST].partition("{")[0])


def shown(text: str) -> str:
    """Return a piece of the program fit for a title: one line, printable, at most 40 characters."""
    return quote(" ".join(text.split()))[1:-1]


def call(  # noqa: PLR0913 - what a call is made from
    node: syntax.GateCall,
    parameters: tuple[float, ...],
    counts: Sequence[int],
    exponents: Sequence[float],
    operations: list[Unitary],
    qubits: int,
    *,
    own: bool = False,
) -> Call:
    """Return the call of a gate over places 0 to qubits - 1, which comes to the operations."""
    controls: list[bool] = []
    suffix = ""
    for modifier, count, exponent in zip(node.modifiers, counts, exponents, strict=True):
        if modifier.name in ("ctrl", "negctrl"):
            controls += [modifier.name == "ctrl"] * count
        else:
            suffix = ("†" if modifier.name == "inv" else f"^{exponent:g}") + suffix
    return Call.of(
        PHASE if node.name == "gphase" else node.name,
        parameters,
        tuple(range(qubits)),
        tuple(controls),
        suffix,
        tuple(operations),
        weight_of(operations),
        own=own,
    )


def flattened(operations: Iterable[Unitary]) -> list[Unitary]:
    """Return operations with what they come to in the place of calls."""
    flat: list[Unitary] = []
    for operation in operations:
        if isinstance(operation, Call):
            qubits = operation.qubits
            flat += [on_qubits(part, qubits) if part.qubits else part for part in flattened(operation.operations)]
        else:
            flat.append(operation)
    return flat


def weight_of(operations: Iterable[Unitary | Reset]) -> int:
    """Return how many operations these come to, a power counted by the elements of its matrix."""
    total = 0
    for operation in operations:
        if isinstance(operation, Call):
            total += operation.weight
        elif isinstance(operation, Power):
            total += 1 + 4 ** len(operation.qubits) + len(operation.operations)
        else:
            total += 1
    return total
