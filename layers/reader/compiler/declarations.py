"""Declarations: types with their sizes, variables, arrays, qubits, aliases, inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.budget import PLACE
from reader.compiler.assignments import assign_array, measure_into
from reader.compiler.coercion import evaluate_as, evaluate_real
from reader.compiler.control import attempt
from reader.compiler.conversions import loses, with_article
from reader.compiler.inputs import INPUT, take, take_array
from reader.compiler.machine import Split
from reader.compiler.references import BOTH_KINDS, array_of, claim_qubits, concatenated, lookup, refer, unknown
from reader.compiler.reserved import RESERVED, look_at_hidden, look_at_name
from reader.compiler.subroutines import run_calls
from reader.compiler.symbols import CONSTANT, Array, Bits, Choice, Qubits, Symbol, Variable
from reader.compiler.types import constant_integer, resolve_type, variable_in
from reader.errors import ValueFault, invalid, quote, too_large
from reader.limits import LIMITS
from reader.operations import Node
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine


def declare(m: Machine, name: str, symbol: Symbol | Choice, at: int) -> None:
    """Give something a name in the innermost scope."""
    scope = m.frame.scopes[-1]
    if name in RESERVED and m.frame is m.globals and len(m.frame.scopes) == 1:
        look_at_name(m, name, at)
    if name in scope:
        invalid(f"{quote(name)} is declared twice.", at, "Choose another name.")
    look_at_hidden(m, name, at)
    scope[name] = symbol


def declare_variable(m: Machine, node: syntax.Declaration) -> None:  # noqa: C901 a dispatch over the language
    """Declare a classical variable and give it its value."""
    if m.in_gate:
        invalid("A gate has no classical variables.", node.at, "Use a subroutine: 'def'.")
    if node.type.name == "array":
        declare_array(m, node)
        return
    if node.role in ("input", "output") and not (m.frame is m.globals and len(m.frame.scopes) == 1):
        invalid(
            f"An {node.role} must be declared at the top level of the program.", node.at, "Move it out of the block."
        )
    kind = resolve_type(m, node.type)
    if node.value is not None:
        run_calls(m, node.value)
    variable = Variable(node.name, kind, node.at, m.depth)
    if node.role == "output" or (m.frame is m.globals and len(m.frame.scopes) == 1 and node.role == ""):
        global_variable(m, node, variable)
    value = node.value
    if node.role == "const" and value is not None:
        look_at_constant(m, value)
    if node.role == "input":
        take(m, node, variable, m.inputs.get(node.name))
    if value is None:
        declare(m, node.name, variable, node.at)
        return
    if isinstance(value, syntax.Measure):
        declare(m, node.name, variable, node.at)
        attempt(m, lambda: measure_into(m, value, variable), node.at)
        return
    initialise(m, node, variable, value)
    if node.role == "const":
        variable.readonly = CONSTANT
    declare(m, node.name, variable, node.at)


def initialise(m: Machine, node: syntax.Declaration, variable: Variable, value: syntax.Expression) -> None:
    """Give a variable the value that it is declared with."""
    kind = variable.type
    if isinstance(value, syntax.IndexSet):
        invalid(
            f"{with_article(kind).capitalize()} is not initialised with braces.",
            value.at,
            "Use array[...] for several values.",
        )

    def assign_value() -> None:
        m.set(variable, evaluate_as(m, value, kind), node.at)

    try:
        if node.role == "const" and kind.kind in ("int", "uint"):
            whole = evaluate_real(m, value, real=False)
            if whole.type.kind == "float" and loses(whole):
                hint = f"Write {kind.kind}(...) if you mean that."
                invalid(f"{whole.data} would lose its fraction.", value.at, hint)
        # A value that is known belongs to the declaration: no later test takes it back.
        known = evaluate_as(m, value, kind)
        if node.role == "const" and kind.kind == "float":
            variable.exact = value if isinstance(value, syntax.Literal) else m.exactly(value, kind)
    except Split:
        attempt(m, assign_value, node.at)
    else:
        if known.known:
            counted = kind.kind == "bit" or node.role == "output"
            if counted and m.leaving and m.outputs and m.outputs[-1][0] is variable:
                m.log(variable)  # the program may have ended before: then it stays zero in the counts
            variable.data = known.data
        else:
            m.set(variable, known, node.at)


def look_at_constant(m: Machine, value: syntax.Expression) -> None:
    """Refuse a constant that is made of anything but constants; an input is one for this reader, with a note."""
    if isinstance(value, syntax.Measure):
        invalid("A constant cannot depend on a measurement.", value.at, "Remove const.")
    name = variable_in(m, value)
    if name is None:
        return
    symbol = lookup(m, name)
    if not (isinstance(symbol, Variable) and symbol.readonly == INPUT):
        invalid(f"The value of a constant must be constant, and {quote(name)} is not.", value.at, "Remove const.")
    m.notes.add(
        f"The value of a constant must be constant, and {quote(name)} is an input: other tools refuse it.", value.at
    )


def global_variable(m: Machine, node: syntax.Declaration, *variables: Variable) -> None:
    """Remember what may belong in the counts, a variable or an array's elements; registers get their cells in a row."""
    for variable in variables:
        if variable.type.kind == "bit" or node.role == "output":
            if node.role == "output" and variable.type.kind not in ("bit", "bool", "int", "uint", "angle"):
                m.notes.add(f"The output {node.name} is a {variable.type} and has no place in the counts.")
                return
            m.cell_of(variable, 0, node.at)
        m.outputs.append((variable, node.role))


def declare_array(m: Machine, node: syntax.Declaration) -> None:
    """Declare an array with its elements."""
    assert node.type.element is not None  # noqa: S101 - what the parser puts there
    kind = resolve_type(m, node.type.element)
    dimensions = tuple(constant_integer(m, dimension) for dimension in node.type.dimensions)
    if m.frame is not m.globals or len(m.frame.scopes) > 1:
        invalid("An array must be declared at the top level of the program.", node.at, "Move it out of the block.")
    if len(dimensions) > 7:  # noqa: PLR2004 - spec, "Arrays"
        invalid("An array has at most 7 dimensions.", node.at)
    total = 1
    for dimension, source in zip(dimensions, node.type.dimensions, strict=True):
        if dimension < 1:
            invalid("A dimension has at least one element.", source.at)
        total *= dimension
        if m.elements + total > LIMITS.array_elements:
            limit = LIMITS.array_elements
            too_large(f"Arrays have at most {limit:,} elements together.", source.at, limit, m.elements + total)
    m.elements += total
    elements = [Variable(node.name, kind, node.at, m.depth) for _ in range(total)]
    array = Array(kind, dimensions, elements)
    if node.role == "input":
        take_array(m, node, array)
    if node.role == "output":
        global_variable(m, node, *elements)
    value = node.value
    if value is not None:
        run_calls(m, value)
        attempt(m, lambda: initialise_array(m, array, value), node.at)
    declare(m, node.name, array, node.at)


def initialise_array(m: Machine, array: Array, value: syntax.Expression) -> None:
    """Give an array the values that it is declared with."""
    if not isinstance(value, syntax.IndexSet) and array_of(m, value) is None:
        invalid("An array is initialised with braces or with another array.", value.at, "Write {1, 2, 3}.")
    assign_array(m, array, value)


def declare_qubits(m: Machine, node: syntax.QubitDeclaration) -> None:
    """Declare a qubit or a register of qubits."""
    if m.frame is not m.globals or len(m.frame.scopes) > 1:
        invalid("Qubits must be declared at the top level of the program.", node.at, "Move it out of the block.")
    count = 1 if node.size is None else constant_integer(m, node.size)
    if count < 1:
        invalid("A register has at least one qubit.", node.size.at if node.size else node.at)
    if m.physical:
        m.notes.add(BOTH_KINDS, node.at)
    first = claim_qubits(m, node.name, count, node.size.at if node.size else node.at)
    declare(m, node.name, Qubits(list(range(first, first + count)), scalar=node.size is None), node.at)


def declare_alias(m: Machine, node: syntax.Alias) -> None:
    """Give qubits or bits another name (spec, "Aliasing")."""
    if m.in_gate:
        invalid("A gate has no aliases.", node.at, "Name its operands directly.")
    named: list[Symbol | Choice] = []
    attempt(m, lambda: named.append(choose(m, node)), node.at)
    declare(m, node.name, named[-1], node.at)


def choose(m: Machine, node: syntax.Alias) -> Symbol | Choice:
    """Return what an alias names; where a measured index decides, a choice on a copy of its bits."""
    try:
        return aliased(m, node)
    except Split as split:
        if m.is_own(split.cell) or m.splits >= LIMITS.splits:
            raise
        cell = split.cell
    copy = m.allocate(1, node.at)
    m.store(copy, Node("bit", cell), node.at)
    known = m.known
    sides: list[Symbol | Choice | ValueFault] = []
    m.splits += 1
    for value in (1, 0):
        m.known = {**known, cell: value}
        try:
            sides.append(choose(m, node))
        except ValueFault as error:
            sides.append(error)
    m.splits -= 1
    m.known = known
    return Choice(copy, *sides)


def aliased(m: Machine, node: syntax.Alias) -> Symbol:
    """Return what an alias names, every index being known."""
    symbol = concatenated(m, node.value) if isinstance(node.value, syntax.Concatenation) else refer(m, node.value)
    if symbol is None:
        if isinstance(node.value, syntax.Name):
            unknown(m, node.value)
        parts = isinstance(node.value, syntax.Binary) and node.value.op in ("||", "+", "|")
        hint = "Write 'a ++ b' for two of them." if parts else None
        invalid("An alias names a register or a part of one.", node.value.at, hint)
    if isinstance(symbol, Variable) and symbol.type.kind != "bit":
        invalid(f"An alias names a register or a part of one, not {with_article(symbol.type)}.", node.value.at)
    if isinstance(symbol, Variable):
        m.budget.spend(PLACE * symbol.type.width, node.at)
        symbol = Bits([(symbol, number) for number in range(symbol.type.width)], scalar=symbol.type.width == 1)
    return symbol
