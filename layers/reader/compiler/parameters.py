"""The parameters of gates as the floats that a simulator is given; a large one modulo a period, where it is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from reader.compiler.coercion import need_of
from reader.compiler.conversions import with_article
from reader.compiler.gate_tables import HALF_TURNS
from reader.compiler.sweeps import each, finite
from reader.compiler.values import FINE, LARGEST, REDUCE, TOO_LARGE, Exact, Value, angle_to_float, to_float
from reader.errors import fault, invalid
from reader.swept import Swept, UnalikeError
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.gates import Standard
    from reader.compiler.machine import Machine


def parameter(
    m: Machine, node: syntax.Expression, value: Value, gate: Standard | syntax.GateDefinition | None = None
) -> float:
    """Return a gate's parameter as a float; an angle counts in radians from 0 to 2 pi."""
    value = need_of(m, node, value)
    kind = value.type.kind
    if type(value.data) is Swept:
        if kind == "float" and finite(value.data.values):
            if value.data.peak() > FINE:
                raise UnalikeError  # one of them may be known exactly
            return cast("float", value.data)
        return cast("float", each(m, lambda one: parameter(m, node, Value(value.type, one), gate), value.data))
    if kind == "angle":
        return angle_to_float(value.type.width, value.data)
    if kind == "float":
        number = float(value.data)
    elif kind in ("int", "uint", "bool") or (kind == "bit" and value.type.width == 1):
        number = to_float(value.data)
    else:
        invalid(
            f"{with_article(value.type).capitalize()} cannot be the parameter of a gate.",
            node.at,
            "Use a float or an angle.",
        )
    if not math.isfinite(number):
        fault("The parameter of a gate must be finite.", node.at)
    return number if abs(number) <= FINE else large_parameter(m, node, value, gate)


def large_parameter(
    m: Machine, node: syntax.Expression, value: Value, gate: Standard | syntax.GateDefinition | None
) -> float:
    """Return a parameter modulo a period where it is known exactly; a gate of the program's gets all of it."""
    from reader.compiler.exact_numbers import FOUR, FOUR_PI, reduced  # noqa: PLC0415 - few programs have such angles

    m.asked += 1
    number = value.data
    if type(number) is not Exact:
        if abs(number) > LARGEST:
            fault(f"The parameter of a gate is {TOO_LARGE}", node.at, REDUCE)
        return float(number)
    if isinstance(gate, syntax.GateDefinition):
        return number
    return reduced(number.exact, FOUR if gate in HALF_TURNS else FOUR_PI)
