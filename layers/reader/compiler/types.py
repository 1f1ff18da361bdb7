"""Types as a program writes them, with the sizes worked out (spec, "Types and casting")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.coercion import integer
from reader.compiler.inputs import INPUT
from reader.compiler.references import lookup
from reader.compiler.symbols import CONSTANT, Variable
from reader.compiler.tree_walk import walk
from reader.compiler.values import BIT, FLOAT, INT, UINT, WORD, Type
from reader.errors import invalid, quote, too_large
from reader.limits import LIMITS
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine

_FLOATS = (16, 32, 64, 128)
_WITHOUT_SIZE = {"bit": BIT, "int": INT, "uint": UINT, "float": FLOAT, "angle": Type("angle", WORD)}


def resolve_type(m: Machine, node: syntax.TypeNode) -> Type:
    """Return a scalar type with its width in bits; without a designator that of a machine word."""
    name = node.name
    if name == "array":
        invalid("An array type is not allowed here.", node.at)
    if name == "complex":
        return Type("complex", 64)
    if name == "bool":
        return Type("bool", 1)
    if name in ("duration", "stretch"):
        return Type(name)
    if node.size is None:
        return _WITHOUT_SIZE[name]
    width = constant_integer(m, node.size)
    article = "An" if name in ("int", "angle") else "A"
    if width < 1:
        invalid(f"{article} {name} has at least one bit.", node.size.at)
    if name == "float":
        return Type(name, width if width in _FLOATS else 64)
    limit = LIMITS.clbits if name == "bit" else LIMITS.integer_bits
    if width > limit:
        too_large(f"{article} {name} has at most {limit:,} bits.", node.size.at, limit, width)
    return Type(name, width)


def is_constant(m: Machine, node: syntax.Expression) -> bool:
    """Tell whether an expression is one of constants only; names that stand for nothing are left to its value."""
    return type(node) is syntax.Literal or variable_in(m, node) is None


def variable_in(m: Machine, node: syntax.Expression) -> str | None:
    """Return the first name in an expression that stands for no constant; None if there is none."""
    for part in walk(m, [node]):
        if isinstance(part, syntax.Call) and part.name in m.subroutines:
            return part.name
        if isinstance(part, syntax.Name):
            symbol = lookup(m, part.name)
            if isinstance(symbol, Variable) and symbol.readonly != CONSTANT:
                return part.name
    return None


def constant_integer(m: Machine, node: syntax.Expression, what: str = "A size") -> int:
    """Return an integer that the language wants to be constant; an input is one for this reader, with a note."""
    if type(node) is syntax.Literal and node.kind == "int":
        return int(node.value.real)
    name = variable_in(m, node)
    if name is not None:
        symbol = lookup(m, name)
        if not (isinstance(symbol, Variable) and symbol.readonly == INPUT):
            hint = f"Declare {quote(name)} with const, or write the number."
            invalid(f"{what} must be a constant, and {quote(name)} is not.", node.at, hint)
        m.notes.add(f"{what} must be a constant, and {quote(name)} is an input: other tools refuse it.", node.at)
    value = m.evaluate(node)
    if value.type.kind == "float":
        invalid(f"{what} must be an integer, not a float.", node.at, "Write int(...) around it.")
    return integer(m, node)
