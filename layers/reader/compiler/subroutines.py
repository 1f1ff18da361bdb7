"""Subroutines: `def` bodies are inlined where they are called (spec, "Subroutines")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.assignments import measure_into
from reader.compiler.coercion import evaluate_as
from reader.compiler.control import attempt
from reader.compiler.references import array_of, lookup, qubits_of
from reader.compiler.reserved import look_at_hidden, look_at_name
from reader.compiler.symbols import Array, Frame, Qubits, Variable
from reader.compiler.tree_walk import walk
from reader.compiler.types import constant_integer, resolve_type
from reader.compiler.values import BOOL
from reader.errors import fault, invalid, quote
from reader.text import syntax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reader.compiler.machine import Machine


def calls_in(m: Machine, node: syntax.Expression) -> list[syntax.Call]:
    """Return the calls of subroutines in an expression, inner ones first."""
    found = m.calls.get(id(node))
    if found is None:
        found = [call for call in _calls(node) if call.name in m.subroutines]
        m.calls[id(node)] = found
    return found


def _calls(node: syntax.Expression | None) -> Iterator[syntax.Call]:  # noqa: C901 a dispatch over the language
    stack: list[tuple[syntax.Expression | None, bool]] = [(node, False)]
    while stack:
        current, done = stack.pop()
        if current is None:
            continue
        if done:
            assert isinstance(current, syntax.Call)  # noqa: S101 - only calls come back
            yield current
            continue
        children: list[syntax.Expression | None] = []
        if isinstance(current, syntax.Call):
            stack.append((current, True))
            children = list(current.arguments)
        elif isinstance(current, syntax.Binary):
            children = [current.left, current.right]
        elif isinstance(current, syntax.Unary | syntax.Cast | syntax.Measure):
            children = [current.operand]
        elif isinstance(current, syntax.Index):
            children = [current.target, *current.items]
        elif isinstance(current, syntax.IndexSet):
            children = list(current.items)
        elif isinstance(current, syntax.Concatenation):
            children = list(current.parts)
        elif isinstance(current, syntax.Range):
            children = [current.start, current.step, current.stop]
        stack += [(child, False) for child in reversed(children)]


def has_calls(m: Machine, node: syntax.Expression) -> bool:
    """Tell whether an expression calls a subroutine."""
    return bool(m.subroutines) and bool(calls_in(m, node))


def run_calls(m: Machine, *nodes: syntax.Expression | None) -> None:
    """Run the subroutines that expressions call, before the statement that needs their values."""
    if not m.subroutines:
        return
    for node in nodes:
        if node is None:
            continue
        for call in calls_in(m, node):
            run_call(m, call)


def run_call(m: Machine, node: syntax.Call) -> None:
    """Run one call and keep what it returns."""
    definition = m.subroutines[node.name]
    m.spend(4, node.at)
    if m.in_gate:
        invalid("A gate cannot call a subroutine.", node.at)
    frame = m.frame
    m.frame = m.globals
    try:
        kind = resolve_type(m, definition.returns) if definition.returns is not None else BOOL
    finally:
        m.frame = frame
    result = Variable(node.name, kind, node.at, m.depth)
    m.owned.append(result)
    attempt(m, lambda: call(m, definition, node, result), node.at)
    m.results[id(node)] = result


def call(m: Machine, definition: syntax.Subroutine, node: syntax.Call, result: Variable) -> None:
    """Bind the arguments and run the body."""
    if len(node.arguments) != len(definition.parameters):
        wanted = len(definition.parameters)
        invalid(
            f"{quote(node.name)} takes {wanted} argument{'s' * (wanted != 1)}, not {len(node.arguments)}.",
            node.at,
            f"It is declared as def {node.name[:40]}({', '.join(p.name for p in definition.parameters)[:80]}).",
        )
    m.enter(node.at)
    frame = Frame(definition)
    bindings = [
        (parameter.name, bind(m, parameter, argument))
        for parameter, argument in zip(definition.parameters, node.arguments, strict=True)
    ]
    used: set[int] = set()
    for (_, symbol), argument in zip(bindings, node.arguments, strict=True):
        if isinstance(symbol, Qubits):
            if not used.isdisjoint(symbol.places):
                fault("The same qubit is passed twice.", syntax.beginning(argument), "Pass different qubits.")
            used.update(symbol.places)
    frame.scopes[0].update(bindings)
    frame.result = result
    frame.returned = Variable("return", BOOL, node.at, m.depth)
    outer = m.frame
    m.frame = frame
    m.execute_body(definition.body)
    m.frame = outer
    m.give_back([*frame.scopes[0].values(), frame.returned])
    m.leave()


def bind(m: Machine, parameter: syntax.Parameter, argument: syntax.Expression) -> Qubits | Variable | Array:  # noqa: C901 a dispatch over the language
    """Return what a parameter stands for in this call: qubits and arrays by reference, values by copy."""

    def size_of(node: syntax.Expression | None) -> int:
        frame = m.frame
        m.frame = m.globals
        try:
            return 1 if node is None else constant_integer(m, node)
        finally:
            m.frame = frame

    node = parameter.type
    if node.name == "qubit":
        qubits = qubits_of(m, argument)
        wanted = size_of(node.size)
        if wanted < 1:
            invalid("A register has at least one qubit.", parameter.at)
        if len(qubits.places) != wanted:
            invalid(
                f"{quote(parameter.name)} takes {wanted} qubit{'s' * (wanted != 1)}, not {len(qubits.places)}.",
                argument.at,
                "Subroutines do not broadcast: pass a register of that size or call it in a loop.",
            )
        return Qubits(qubits.places, scalar=node.size is None)
    if node.name == "array":
        array = array_of(m, argument)
        assert node.element is not None  # noqa: S101 - what the parser puts there
        if array is None or isinstance(argument, syntax.Concatenation):
            invalid(f"{quote(parameter.name)} takes an array.", argument.at)
        rank = size_of(node.rank) if node.rank is not None else len(node.dimensions)
        dimensions = tuple(size_of(dimension) for dimension in node.dimensions) or array.dimensions
        if rank != len(array.dimensions) or dimensions != array.dimensions:
            shape = "x".join(map(str, array.dimensions))
            invalid(f"{quote(parameter.name)} does not take an array of shape {shape}.", argument.at)
        frame = m.frame
        m.frame = m.globals
        kind = resolve_type(m, node.element)
        m.frame = frame
        if kind != array.kind:
            invalid(f"{quote(parameter.name)} takes {kind} elements, not {array.kind}.", argument.at)
        readonly = array.readonly or ("" if node.access == "mutable" else "a readonly array")
        if node.access == "mutable" and array.readonly:
            invalid(f"{quote(parameter.name)} may change the array, which is {array.readonly}.", argument.at)
        return Array(array.kind, array.dimensions, array.elements, readonly)
    frame = m.frame
    m.frame = m.globals
    kind = resolve_type(m, node)
    m.frame = frame
    if isinstance(argument, syntax.Name) and isinstance(lookup(m, argument.name), Qubits):
        invalid(f"{quote(parameter.name)} takes {kind}, not qubits.", argument.at)
    value = evaluate_as(m, argument, kind)
    variable = Variable(parameter.name, kind, parameter.at, m.depth)
    if value.known:
        variable.data = value.data
    else:
        m.set(variable, value, argument.at)
    return variable


def return_from(m: Machine, node: syntax.Return) -> None:
    """Execute `return`."""
    frame = m.frame
    if frame.subroutine is None or frame.returned is None or frame.result is None:
        invalid("'return' is outside a subroutine.", node.at, "Use 'end;' to end the program.")
    result, returned = frame.result, frame.returned
    if frame.subroutine.returns is None:
        if node.value is not None:
            invalid(
                "This subroutine returns nothing.",
                node.at,
                f"Declare its type: 'def {frame.subroutine.name[:40]}(...) -> bit'.",
            )
    elif node.value is None:
        invalid("This subroutine must return a value.", node.at)
    run_calls(m, node.value)
    value = node.value

    def deliver() -> None:
        if isinstance(value, syntax.Measure):
            measure_into(m, value, result)
        elif value is not None:
            m.set(result, evaluate_as(m, value, result.type), node.at)
        set_flag(m, returned)

    attempt(m, deliver, node.at)


def set_flag(m: Machine, flag: Variable, value: int = 1) -> None:
    """Say that a loop, a subroutine or the program ends here."""
    m.log(flag)
    m.leaving = True
    flag.data = value


def define(m: Machine, node: syntax.Subroutine) -> None:
    """Remember a subroutine."""
    if m.frame is not m.globals or len(m.frame.scopes) > 1:
        invalid("A subroutine must be defined at the top level of the program.", node.at)
    if node.name in m.subroutines or node.name in m.globals.scopes[0] or node.name in m.gates or node.name in m.externs:
        invalid(f"{quote(node.name)} is declared twice.", node.at, "Choose another name.")
    look_at_name(m, node.name, node.at, called=True)
    names = [parameter.name for parameter in node.parameters]
    for parameter in node.parameters:
        if names.count(parameter.name) > 1:
            invalid(f"{quote(parameter.name)} is declared twice.", parameter.at, "Choose another name.")
        look_at_hidden(m, parameter.name, parameter.at, inner=True)
    if node.returns is not None and not any(isinstance(part, syntax.Return) for part in walk(m, node.body)):
        m.notes.add(f"{quote(node.name)} declares a type to return but returns nothing: its value is zero.", node.at)
    m.subroutines[node.name] = node
    m.calls.clear()
