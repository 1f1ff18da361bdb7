"""Inputs: the values a request gives for the program's `input` declarations (spec, "Input/output")."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn

from reader.compiler.sweeps import SHARE, each, finite
from reader.compiler.values import FLOAT, LARGEST, Type, Value, float_to_angle, round_float, wrap
from reader.errors import SourceError, did_you_mean, quote
from reader.swept import Swept, joined
from reader.text import syntax
from tasks.errors import ErrorCode, TaskError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reader.compiler.machine import Machine
    from reader.compiler.symbols import Array, Variable


def declared(program: syntax.Program) -> list[syntax.Declaration]:
    """Return the program's input declarations."""
    return [node for node in program.body if isinstance(node, syntax.Declaration) and node.role == "input"]


def check_names(program: syntax.Program, inputs: Mapping[str, object]) -> None:
    """Refuse inputs the program does not declare, and declarations that get no value."""
    nodes = {node.name: node for node in declared(program)}
    for name in inputs:
        if name not in nodes:
            hint = did_you_mean(str(name), nodes) or (
                f"The program declares {', '.join(list(nodes)[:10])}." if nodes else "The program declares no inputs."
            )
            raise TaskError(ErrorCode.INVALID_INPUTS, f"The program has no input {quote(str(name))}.", hint=hint)
    for name, node in nodes.items():
        if name not in inputs:
            raise SourceError(
                ErrorCode.INVALID_INPUTS,
                f"The input {quote(name)} has no value.",
                node.at,
                hint=f'Add it to the request: "inputs": {{"{name[:40]}": ...}}.',
            )


INPUT = "an input"  # which a gate's body sees, until the program assigns to it


def take_array(m: Machine, node: syntax.Declaration, array: Array) -> None:
    """Give an input array the request's values: lists inside each other, as its dimensions are."""
    given = m.inputs.get(node.name)
    if isinstance(given, Swept):
        each_flat = [flattened(value, array, node) for value in given.values]
        values: list[object] = [Swept(list(of_one)) for of_one in zip(*each_flat, strict=True)]
    else:
        values = flattened(given, array, node)
    m.budget.spend(len(values), node.at)
    for element, value in zip(array.elements, values, strict=True):
        take(m, node, element, value)


def flattened(given: object, array: Array, node: syntax.Declaration) -> list[object]:
    """Return an array's values row by row; refuses lists of another shape."""
    rows = [given]
    for size in array.dimensions:
        if not all(isinstance(row, list | tuple) and len(row) == size for row in rows):
            shape = " lists of ".join(map(str, array.dimensions))
            refuse(Type(array.kind.kind, array.kind.width, array.dimensions), node, f"a list of {shape} values")
        rows = [part for row in rows if isinstance(row, list | tuple) for part in row]
    return rows


def take(m: Machine, node: syntax.Declaration, variable: Variable, given: object) -> None:
    """Give an input variable a value of the request."""
    if not isinstance(given, Swept):
        variable.data = value_for(variable.type, given, node).data
    elif variable.type == FLOAT and finite(given.values):
        m.budget.spend(len(given.values) >> SHARE, node.at)
        variable.data = joined(given.values)
    else:
        variable.data = each(m, lambda value: value_for(variable.type, value, node).data, given)
    variable.readonly = INPUT


def value_for(kind: Type, given: object, node: syntax.Declaration) -> Value:  # noqa: C901, PLR0912 a dispatch over the language
    """Return a JSON value as a value of the type; an angle is given in radians, bits as a string or number."""
    name = kind.kind
    if name == "bool" and (isinstance(given, bool) or given in (0, 1)):
        return Value(kind, int(bool(given)))
    if name == "bit" and isinstance(given, str):
        digits = given.replace("_", "")
        if len(digits) == kind.width and set(digits) <= {"0", "1"}:
            return Value(kind, int(digits, 2))
        refuse(kind, node, f"a string of {kind.width} characters 0 or 1")
    if name in ("bit", "int", "uint"):
        number = int(given) if isinstance(given, bool) else given
        if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
            number = int(number)
        if isinstance(number, int):
            if number.bit_length() > kind.width + 1 or wrap(name, kind.width, number) != number:
                refuse(kind, node, f"a number that fits {kind}")
            return Value(kind, number)
        refuse(kind, node, "an integer")
    if name in ("float", "angle"):
        if isinstance(given, int | float) and not isinstance(given, bool):
            try:
                real = float(given)
            except OverflowError:
                real = math.inf
            if math.isfinite(real):
                if name == "angle" and abs(real) > LARGEST:
                    refuse(kind, node, "an angle of at most 6e15 radians")
                if name == "float":
                    return Value(kind, round_float(kind.width, real))
                return Value(kind, float_to_angle(kind.width, real))
        refuse(kind, node, "a finite number")
    if name == "complex" and isinstance(given, list | tuple) and len(given) == 2:  # noqa: PLR2004 - real and imaginary
        parts = [part for part in given if isinstance(part, int | float) and not isinstance(part, bool)]
        if len(parts) == 2 and all(abs(part) < 1e300 for part in parts):  # noqa: PLR2004 - real and imaginary
            return Value(kind, complex(*parts))
    if name == "complex":
        refuse(kind, node, "a list of the real and the imaginary part")
    raise SourceError(
        ErrorCode.UNSUPPORTED_FEATURE,
        f"A {kind} cannot be an input.",
        node.at,
        hint="Use a number, an angle or bits.",
    )


def refuse(kind: Type, node: syntax.Declaration, wanted: str) -> NoReturn:
    """Refuse a value that does not fit its declaration."""
    raise SourceError(
        ErrorCode.INVALID_INPUTS,
        f"The input {quote(node.name)} is declared as {kind} and needs {wanted}.",
        node.at,
        hint="Change the value in the request's inputs, or the declaration.",
    )
