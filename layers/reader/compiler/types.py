"""Types as a program writes them, with the sizes worked out (spec, "Types and casting")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.coercion import integer
from reader.compiler.values import BIT, FLOAT, INT, UINT, WORD, Type
from reader.errors import invalid, too_large
from reader.limits import LIMITS

if TYPE_CHECKING:
    from reader.compiler.machine import Machine
    from reader.text import syntax

_FLOATS = (16, 32, 64, 128)
_WITHOUT_SIZE = {"bit": BIT, "int": INT, "uint": UINT, "float": FLOAT, "angle": Type("angle", WORD)}


def resolve_type(m: Machine, node: syntax.TypeNode) -> Type:
    """Return a scalar type with its width in bits; without a designator that of a machine word."""
    name = node.name
    if name == "array":
        invalid("An array type cannot stand here.", node.at)
    if name == "complex":
        return Type("complex", 64)
    if name == "bool":
        return Type("bool", 1)
    if name in ("duration", "stretch"):
        return Type(name)
    if node.size is None:
        return _WITHOUT_SIZE[name]
    width = integer(m, node.size)
    article = "An" if name in ("int", "angle") else "A"
    if width < 1:
        invalid(f"{article} {name} has at least one bit.", node.size.at)
    if name == "float":
        return Type(name, width if width in _FLOATS else 64)
    limit = LIMITS.clbits if name == "bit" else LIMITS.integer_bits
    if width > limit:
        too_large(f"{article} {name} has at most {limit:,} bits.", node.size.at, limit, width)
    return Type(name, width)
