"""Assignments: `=`, the compound ones, and measurements into bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from reader.compiler.coercion import FRACTIONS, evaluate_as, evaluate_real, look_at_fit
from reader.compiler.conversions import convert
from reader.compiler.expressions import read
from reader.compiler.inputs import INPUT
from reader.compiler.operators import binary
from reader.compiler.references import array_of, lookup, qubits_of, refer, unknown
from reader.compiler.spans import assigned
from reader.compiler.symbols import COUNTER, Array, Bits, Qubits, Variable
from reader.compiler.values import BITLIKE, Type, Value, from_bits, to_bits
from reader.errors import invalid, quote, unsupported
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine
    from reader.compiler.symbols import Symbol


def assign(m: Machine, node: syntax.Assignment) -> None:
    """Execute an assignment."""
    if isinstance(node.value, syntax.Measure):
        qubits_of(m, node.value.operand)  # what is measured is looked at before where it goes
    target = refer(m, node.target)
    if target is None or isinstance(target, Qubits):
        refuse_target(m, node, target)
    writable(m, target, node.target)
    if isinstance(node.value, syntax.Measure) and node.op == "=":
        measure_into(m, node.value, target)
        return
    if isinstance(target, Array):
        if node.op != "=":
            invalid("This assignment does not work on a whole array.", node.at, "Assign its elements in a loop.")
        assign_array(m, target, node.value)
        return
    value = evaluate_as(m, node.value, type_of(target)) if node.op == "=" else combined(m, node, target)
    if isinstance(target, Variable):
        value, span = assigned(m, node, target, cut(m, node, value))
        m.set(target, value, node.at)
        if span is not None:
            m.spans[target] = span
    else:
        m.set_bits(target.places, to_bits(value), node.at)


def combined(m: Machine, node: syntax.Assignment, target: Variable | Bits) -> Value:
    """Return what a compound assignment such as `c ^= value;` assigns."""
    if isinstance(node.value, syntax.Measure):
        value = measured(m, node.value)
    else:
        value = evaluate_real(m, node.value, real=type_of(target).kind in FRACTIONS)
    if node.op == "~=":
        unsupported("'~=' has no meaning in the specification.", node.at, "Write 'a = ~a;'.")
    op = node.op[:-1]
    value = binary(m, op, read(m, target, node.target.at), value, node.at)
    if m.large and not isinstance(node.value, syntax.Measure):
        value = m.sharpen(syntax.Binary(node.at, op, node.target, node.value), value)
    if isinstance(target, Variable) and target.type.kind in ("int", "uint") and value.type.kind in ("int", "uint"):
        made = convert(m, value, target.type, node.at)
        if target.type.kind == "int" and made.data != value.data:
            look_at_fit(m, node.target, value, made)
        value = made
    return convert(m, value, type_of(target), node.value.at)


def cut(m: Machine, node: syntax.Assignment, value: Value) -> Value:
    """Return a measured number with 0 for the bits that are known to be, see `ranges`."""
    size = m.sizes.get(node)
    if size is None or not isinstance(value.data, tuple):
        return value
    return from_bits(value.type, value.data[:size] + (0,) * (value.type.width - size))


def type_of(target: Variable | Bits) -> Type:
    """Return the type that a value needs to be assigned."""
    return target.type if isinstance(target, Variable) else Type("bit", len(target.places))


def refuse_target(m: Machine, node: syntax.Assignment, target: Symbol | None) -> NoReturn:
    """Refuse to assign to what is not a variable."""
    name = node.target
    while isinstance(name, syntax.Index):
        name = name.target
    if target is None and isinstance(name, syntax.Name):
        if isinstance(node.value, syntax.Measure) and name.name not in m.subroutines:
            line = needed_register(m, node.value, node.target, name.name[:40])
            invalid(f"{quote(name.name)} is not declared.", name.at, f"Add '{line}' before it.")
        unknown(m, name)
    if isinstance(target, Qubits):
        invalid("A qubit cannot be assigned to.", node.target.at, "Use 'reset' and gates.")
    invalid("This cannot be assigned to.", node.target.at)


def needed_register(m: Machine, value: syntax.Measure, target: syntax.Expression, name: str) -> str:
    """Return the declaration of a register that a measurement's target needs."""
    count = len(qubits_of(m, value.operand).places)
    item = target.items[0] if isinstance(target, syntax.Index) and len(target.items) == 1 else None
    if isinstance(item, syntax.Literal) and item.kind == "int":
        count = max(count, int(item.value.real) + 1)
    size = "" if count == 1 and item is None else f"[{count}]"
    return m.hint(f"bit{size} {name};", f"creg {name}[{count}];")


def writable(m: Machine, target: Symbol, node: syntax.Expression) -> None:  # noqa: C901 - one reason after the other
    """Refuse to assign to constants and, in subroutines, globals."""
    variables: list[Variable] = []
    reason = ""
    if isinstance(target, Array):
        reason = target.readonly
        variables = target.elements[:1]
    elif isinstance(target, Bits):
        variables = [variable for variable, _ in target.places]
    elif isinstance(target, Variable):
        variables = [target]
    name = node
    while isinstance(name, syntax.Index):
        name = name.target
    if isinstance(name, syntax.Name) and name is not node and isinstance(whole := lookup(m, name.name), Array):
        reason = reason or whole.readonly
    for variable in variables:
        if variable.readonly == INPUT:
            # From here on it is a variable like any other: what gates made of its first value is forgotten.
            variable.readonly = ""
            m.gate_cache.clear()
        if variable.readonly == COUNTER:
            m.notes.add("A loop variable should not be assigned to: other tools refuse it.", node.at)
            continue
        reason = reason or variable.readonly
    local = not isinstance(name, syntax.Name) or any(name.name in scope for scope in m.frame.scopes)
    if not reason and not local and m.frame is not m.globals:
        reason = "a global variable, which a subroutine cannot change"
    if reason:
        shown = quote(name.name) if isinstance(name, syntax.Name) else "This"
        invalid(f"{shown} is {reason}.", node.at, "Assign to a variable of your own.")


def measure_into(m: Machine, node: syntax.Measure, target: Symbol) -> None:
    """Measure qubits into equally many bits (spec, "Measurement")."""
    if m.in_gate:
        invalid("A gate cannot measure.", node.at, "Use a subroutine: 'def'.")
    qubits = qubits_of(m, node.operand)
    if isinstance(target, Variable) and target.type.kind in BITLIKE:
        places = [(target, number) for number in range(target.type.width)]
    elif isinstance(target, Bits):
        places = target.places
    else:
        invalid("A measurement can only be assigned to bits.", node.at, "Declare 'bit[n] c;'.")
    if len(places) != len(qubits.places):
        if len(places) == 1 and len(qubits.places) > 1 and (m.legacy or isinstance(target, Variable)):
            size = len(qubits.places)
            hint = m.hint(f"Declare the target as bit[{size}].", f"Measure into a register: 'creg c[{size}];'.")
        else:
            hint = m.hint("Index or slice the longer one.", "Measure single qubits: 'measure q[0] -> c[0];'.")
        invalid(
            f"{len(qubits.places)} qubit{'s' * (len(qubits.places) != 1)} cannot be measured into "
            f"{len(places)} bit{'s' * (len(places) != 1)}.",
            node.at,
            hint,
        )
    m.spend(len(places) >> 1, node.at)
    for qubit, (variable, number) in zip(qubits.places, places, strict=True):
        m.measure(qubit, variable, number, node.at)


def measured(m: Machine, node: syntax.Measure) -> Value:
    """Measure qubits into bits that only the rest of the statement knows, as in `c |= measure q;`."""
    qubits = qubits_of(m, node.operand).places
    bits = Variable("measured", Type("bit", len(qubits)), node.at, m.depth)
    m.owned.append(bits)
    measure_into(m, node, bits)
    return read(m, bits, node.at)


def measure_bare(m: Machine, node: syntax.Measure) -> None:
    """Measure qubits into implicit bits, one per qubit, that come out in a register `meas`."""
    if m.in_gate:
        invalid("A gate cannot measure.", node.at, "Use a subroutine: 'def'.")
    for qubit in qubits_of(m, node.operand).places:
        if qubit not in m.bare:
            m.bare[qubit] = Variable("meas", Type("bit", 1), node.at, 0)
        m.measure(qubit, m.bare[qubit], 0, node.at)


def assign_array(m: Machine, target: Array, node: syntax.Expression) -> None:
    """Copy an array literal or another array into an array of the same shape."""
    if isinstance(node, syntax.IndexSet):
        assign_literal(m, target, node)
        return
    source = array_of(m, node)
    if source is None:
        invalid("An array can only be assigned an array.", node.at, "Index it to assign an element.")
    if source.dimensions != target.dimensions:
        shapes = " and ".join("x".join(map(str, array.dimensions)) for array in (target, source))
        invalid(f"The arrays' shapes differ: {shapes}.", node.at, "Slice the larger one.")
    m.spend(len(source.elements), node.at)
    # All is read before anything is written: the two may overlap.
    values = [m.read(element, node.at) for element in source.elements]
    overlapping = not set(map(id, source.elements)).isdisjoint(map(id, target.elements))
    if overlapping and any(not value.known for value in values):
        unsupported("Overlapping slices of measured values cannot be copied.", node.at, "Copy through another array.")
    for element, value in zip(target.elements, values, strict=True):
        m.set(element, convert(m, value, target.kind, node.at), node.at)


def assign_literal(m: Machine, target: Array, node: syntax.IndexSet) -> None:
    """Assign `{...}`, whose nesting is the array's."""
    if len(node.items) != target.dimensions[0]:
        invalid(
            f"This row has {len(node.items)} value{'s' * (len(node.items) != 1)}, not {target.dimensions[0]}.",
            node.at,
            "Give one value per element.",
        )
    length = len(target.elements) // target.dimensions[0]
    for number, item in enumerate(node.items):
        m.step(item.at)
        elements = target.elements[number * length : (number + 1) * length]
        if len(target.dimensions) > 1:
            row = Array(target.kind, target.dimensions[1:], elements)
            assign_array(m, row, item)
        elif isinstance(item, syntax.IndexSet):
            invalid("The braces nest deeper than the array has dimensions.", item.at)
        else:
            m.set(elements[0], evaluate_as(m, item, target.kind), item.at)
