"""What names and indices refer to: variables, single bits, arrays and qubits (spec, "Index sets and slicing")."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from reader.budget import PLACE
from reader.compiler.coercion import integer
from reader.compiler.conversions import with_article
from reader.compiler.machine import WIDE, Split
from reader.compiler.symbols import Array, Bits, Choice, Qubits, Variable
from reader.compiler.values import BITLIKE
from reader.errors import ValueFault, did_you_mean, fault, invalid, quote, too_large, unsupported
from reader.limits import LIMITS
from reader.operations import PHYSICAL
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine
    from reader.compiler.symbols import Symbol

# Of `qubit[2] q; x $0;`.
BOTH_KINDS = "Hardware qubits are not the declared ones; Braket's simulator takes $0 as the first declared qubit."
_READABLE = 10**12  # numbers below are shown in a sentence
# The constants that OpenQASM 2 lacks, as its expressions: other tools take them for undeclared symbols there.
LATER_CONSTANTS = {"tau": "2*pi", "τ": "2*pi", "euler": "exp(1)", "ℇ": "exp(1)"}
_WHATS = {Qubits: "a qubit", Variable: "a variable", Array: "an array", Bits: "a classical bit"}


def lookup(m: Machine, name: str) -> Symbol | None:
    """Return what a name stands for here; in a subroutine the globals are visible too."""
    for scope in reversed(m.frame.scopes):
        if name in scope:
            found = scope[name]
            return chosen(m, found) if isinstance(found, Choice) else found
    if m.frame is not m.globals:
        symbol = m.globals.scopes[0].get(name)
        if symbol is None or isinstance(symbol, Choice):
            return None
        if m.in_gate and not (isinstance(symbol, Variable) and symbol.readonly):
            return None  # a gate sees constants only: its matrix is fixed
        return symbol
    return None


def chosen(m: Machine, symbol: Symbol | Choice | ValueFault) -> Symbol:
    """Return what an alias that depends on measured bits stands for, they being known."""
    while isinstance(symbol, Choice):
        which = m.known.get(symbol.cell)
        if which is None:
            raise Split(symbol.cell, m.here)
        symbol = symbol.yes if which else symbol.no
    if isinstance(symbol, ValueFault):
        raise symbol
    return symbol


def visible(m: Machine, *, quantum: bool) -> list[str]:
    """Return the names of qubits, or of values, that may stand here, for suggestions."""
    names = [(name, symbol) for scope in m.frame.scopes for name, symbol in scope.items()]
    if m.frame is not m.globals:
        names += [item for item in m.globals.scopes[0].items() if lookup(m, item[0]) is not None]
    return [name for name, symbol in names if isinstance(symbol, Choice) or isinstance(symbol, Qubits) == quantum]


def unknown(m: Machine, node: syntax.Name, *, quantum: bool = False) -> NoReturn:
    """Refuse a name that stands for nothing here, where a value is expected or, `quantum`, a qubit."""
    if m.in_gate and isinstance(m.globals.scopes[0].get(node.name), Qubits):
        invalid(f"{quote(node.name)} is a global qubit, which a gate cannot use.", node.at, "Make it an operand.")
    if m.in_gate and isinstance(m.globals.scopes[0].get(node.name), Variable):
        invalid(
            f"{quote(node.name)} is a variable; a gate can use only constants.",
            node.at,
            m.hint("Make it a parameter of the gate, or declare it const.", "Make it a parameter of the gate."),
        )
    if node.name in m.gates or node.name in m.subroutines:
        invalid(f"{quote(node.name)} is not a variable.", node.at)
    hint = did_you_mean(node.name, visible(m, quantum=quantum))
    if node.name in LATER_CONSTANTS:  # under OpenQASM 3 it stands for something
        hint = f"OpenQASM 2 has the constant pi alone: write {LATER_CONSTANTS[node.name]}."
    if not quantum and node.name == "PI":  # other names near it, such as phi, may be meant for themselves
        hint = "The constant is pi."
    invalid(f"{quote(node.name)} is not declared.", node.at, hint)


def refer(m: Machine, node: syntax.Expression) -> Symbol | None:
    """Return what an expression refers to; None if it is a value only."""
    if isinstance(node, syntax.Name):
        symbol = lookup(m, node.name)
        if isinstance(symbol, Qubits) and m.frame is not m.globals and m.globals.scopes[0].get(node.name) is symbol:
            # As AutoQASM writes it, and Braket's simulator reads it.
            m.notes.add(f"{quote(node.name)} is a global qubit, which the language hides from subroutines.", node.at)
        return symbol
    if isinstance(node, syntax.Hardware):
        return hardware(m, node)
    if isinstance(node, syntax.Index):
        target = refer(m, node.target)
        return None if target is None else index(m, target, node)
    return None


def hardware(m: Machine, node: syntax.Hardware) -> Qubits:
    """Return a physical qubit; the circuit gets it when it is first named."""
    number = node.index
    if number not in m.physical:
        if m.in_gate:
            invalid("A gate cannot name a physical qubit.", node.at, "Make it an operand of the gate.")
        if number >= LIMITS.qubits:
            too_large(f"There are at most {LIMITS.qubits:,} qubits.", node.at, LIMITS.qubits, number)
        if len(m.registers) > len(m.physical):
            m.notes.add(BOTH_KINDS, node.at)
        m.physical[number] = claim_qubits(m, f"{PHYSICAL}{number}", 1, node.at)
    return Qubits([m.physical[number]], scalar=True)


def claim_qubits(m: Machine, name: str, count: int, at: int) -> int:
    """Add a register of qubits to the circuit and return its first."""
    first = m.qubits
    if first + count > LIMITS.qubits:
        too_large(
            f"The program declares more than {LIMITS.qubits:,} qubits.",
            at,
            LIMITS.qubits,
            first + count,
            "Declare fewer qubits.",
        )
    m.qubits += count
    m.registers.append((name, count))
    return first


def index(m: Machine, target: Symbol, node: syntax.Index) -> Symbol:
    """Return the part of something that an index selects."""
    if isinstance(target, Array):
        return index_array(m, target, node)
    if len(node.items) != 1:
        invalid("Only arrays take several indices.", node.at, "Use one index, range or set.")
    item = node.items[0]
    if isinstance(target, Qubits):
        chosen, scalar = indices(m, item, len(target.places), "qubits", node.at)
        if m.in_gate:
            invalid("A gate's qubits cannot be indexed.", node.at, "Each operand of a gate is a single qubit.")
        return Qubits([target.places[number] for number in chosen], scalar=scalar)
    if isinstance(target, Bits):
        chosen, scalar = indices(m, item, len(target.places), "bits", node.at)
        return Bits([target.places[number] for number in chosen], scalar=scalar)
    if target.type.kind not in BITLIKE or target.type.kind == "bool":
        invalid(f"{with_article(target.type).capitalize()} has no bits to index.", node.at)
    chosen, scalar = indices(m, item, target.type.width, "bits", node.at)
    return Bits([(target, number) for number in chosen], scalar=scalar)


def index_array(m: Machine, target: Array, node: syntax.Index) -> Symbol:
    """Return the element or sub-array that an index selects; an integer drops its dimension, a range keeps it."""
    if len(node.items) > len(target.dimensions):
        # More indices than dimensions: the last ones would mean bits, which take brackets of their own.
        invalid(f"The array has {len(target.dimensions)} dimensions only.", node.at, "Write a[i][b] for bit b of a[i].")
    m.spend(len(target.elements) // WIDE, node.at)
    elements = [target.elements]
    remaining = list(target.dimensions)
    kept: list[int] = []
    for item in node.items:
        size = remaining.pop(0)
        chosen, scalar = indices(m, item, size, "elements", node.at)
        m.spend(len(elements) * len(chosen) >> 3, node.at)
        elements = [
            row[number * (len(row) // size) : (number + 1) * (len(row) // size)]
            for row in elements
            for number in chosen
        ]
        if not scalar:
            kept.append(len(chosen))
    flat = [element for row in elements for element in row]
    dimensions = (*kept, *remaining)
    if not dimensions:
        return flat[0]
    return Array(target.kind, dimensions, flat, target.readonly)


def indices(m: Machine, item: syntax.Expression, size: int, what: str, at: int) -> tuple[list[int], bool]:
    """Return the positions an index, range or set selects among `size`, and whether it is a single index."""
    kind = type(item)
    if kind is not syntax.Range and kind is not syntax.IndexSet:
        number = integer(m, item)
        if 0 <= number < size:
            return [number], True
        return [_within(number, size, what, item.at if not isinstance(item, syntax.Binary) else at + 1)], True
    if isinstance(item, syntax.Range):
        chosen = slice_of(m, item, size, what)
        m.budget.spend(PLACE * len(chosen), at)
        return list(chosen), False
    assert isinstance(item, syntax.IndexSet)  # noqa: S101 - one of the two, see above
    m.budget.spend(PLACE * len(item.items), at)
    numbers = [_within(integer(m, part), size, what, part.at) for part in item.items]
    if len(set(numbers)) < len(numbers):
        fault("An index set names the same position twice.", item.at)
    return numbers, False


def slice_of(m: Machine, item: syntax.Range, size: int, what: str) -> range:
    """Return the positions from 0 that a range selects; refuses one that is empty or names what is not there."""
    step = integer(m, item.step) if item.step is not None else 1
    if step == 0:
        fault("The step of a range cannot be zero.", item.at)
    start = integer(m, item.start) if item.start is not None else (0 if step > 0 else -1)
    stop = integer(m, item.stop) if item.stop is not None else (-1 if step > 0 else 0)
    first, last = (number + size if number < 0 else number for number in (start, stop))
    chosen = range(first, last + (1 if step > 0 else -1), step)
    if not 0 <= first < size or (chosen and not 0 <= chosen[-1] < size):
        written = [(item.start, start), *([(item.step, step)] if item.step is not None else []), (item.stop, stop)]
        short = all(abs(number) < _READABLE for _, number in written)
        shown = ":".join("" if node is None else str(number) for node, number in written)
        _outside(shown if short else "This slice", size, what, item.at)
    if not chosen:
        back = item.step is None and item.start is not None and item.stop is not None and last >= 0
        hint = f"Write {start}:-1:{stop} to count down." if back else "The index must select at least one position."
        fault("This range is empty.", item.at, hint)
    return chosen


def _within(number: int, size: int, what: str, at: int) -> int:
    """Return a position from 0, negative ones counted from the end; refuse one outside."""
    if not -size <= number < size:
        _outside(str(number) if abs(number) < _READABLE else "This index", size, what, at)
    return number % size


def _outside(shown: str, size: int, what: str, at: int) -> NoReturn:
    """Refuse an index or a range that selects what is not there."""
    there, named = ("is 1", what.removesuffix("s")) if size == 1 else (f"are {size}", what)
    fault(f"{shown} is out of range: there {there} {named}.", at, f"Use 0 to {size - 1}." if size > 1 else "Use 0.")


def qubits_of(m: Machine, node: syntax.Expression) -> Qubits:  # noqa: RET503 it ends in a refusal
    """Return the qubits an operand names, or refuse it."""
    symbol = refer(m, node)
    if isinstance(symbol, Qubits):
        return symbol
    name = node
    while isinstance(name, syntax.Index):
        name = name.target
    if symbol is None:
        if isinstance(name, syntax.Name):
            unknown(m, name, quantum=True)
        invalid("This is not a qubit.", node.at)
    shown = quote(name.name) if isinstance(name, syntax.Name) else "This"
    what = "a classical register" if m.legacy and isinstance(symbol, Variable) else _WHATS[type(symbol)]
    invalid(f"{shown} is {what}, not a qubit.", node.at, "Name a qubit or a qubit register here.")


def concatenated(m: Machine, node: syntax.Concatenation) -> Symbol:  # noqa: C901 a dispatch over the language
    """Return the register that `a ++ b` refers to; for arrays a copy (spec, "Array concatenation")."""
    parts = []
    for part in node.parts:
        symbol = refer(m, part)
        if symbol is None:
            if isinstance(part, syntax.Name):
                unknown(m, part)
            invalid("Only registers and arrays can be concatenated.", part.at)
        parts.append(symbol)
    if all(isinstance(part, Qubits) for part in parts):
        places = [place for part in parts if isinstance(part, Qubits) for place in part.places]
        m.budget.spend(PLACE * len(places), node.at)
        if len(set(places)) < len(places):
            invalid("A register cannot be concatenated with a part of itself.", node.at)
        return Qubits(places, scalar=False)
    if all(isinstance(part, Array) for part in parts):
        arrays = [part for part in parts if isinstance(part, Array)]
        first = arrays[0]
        if any(a.kind != first.kind or a.dimensions[1:] != first.dimensions[1:] for a in arrays):
            invalid("Only arrays of the same type can be concatenated.", node.at)
        length = sum(a.dimensions[0] for a in arrays)
        return Array(first.kind, (length, *first.dimensions[1:]), [e for a in arrays for e in a.elements])
    bits: list[tuple[Variable, int]] = []
    for symbol, source in zip(parts, node.parts, strict=True):
        if isinstance(symbol, Variable) and symbol.type.kind == "bit":
            bits += [(symbol, number) for number in range(symbol.type.width)]
        elif isinstance(symbol, Bits):
            bits += symbol.places
        else:
            invalid("Only registers of the same kind can be concatenated.", source.at)
    m.budget.spend(PLACE * len(bits), node.at)
    if len(set(bits)) < len(bits):
        unsupported("A bit register concatenated with itself is not supported.", node.at)
    return Bits(bits, scalar=False)


def array_of(m: Machine, node: syntax.Expression) -> Array | None:
    """Return the array an expression refers to; None if it is not an array."""
    symbol = concatenated(m, node) if isinstance(node, syntax.Concatenation) else refer(m, node)
    return symbol if isinstance(symbol, Array) else None
