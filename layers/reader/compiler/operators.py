"""Operators on values, by their types; known numbers are computed in `known_numbers`, measured bits in `logic`."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NoReturn

from reader.budget import ANGLE, CHOICE, DIVIDED, MEASURED
from reader.compiler.conversions import convert, need, truth, with_article
from reader.compiler.known_numbers import compare, real_number, whole_number
from reader.compiler.logic import both, differ, effective, either, negate
from reader.compiler.machine import WIDE
from reader.compiler.measured_numbers import (
    divided,
    divided_by_power_of_two,
    extend,
    is_power_of_two,
)
from reader.compiler.scratch import Scratch
from reader.compiler.sweeps import SHARE, lifted
from reader.compiler.values import (
    BITLIKE,
    BOOL,
    DURATION,
    FINE,
    FLOAT,
    INT,
    Type,
    Value,
    cast_bits,
    from_bits,
    promote,
    to_bits,
    wrap,
)
from reader.errors import fault, invalid, unsupported
from reader.swept import Swept, UnalikeError
from reader.text.durations import Duration, exact_float

if TYPE_CHECKING:
    from reader.compiler.machine import Machine

_SOME_RATIO = 0.7310585786300049  # of lengths that only hardware knows; no round number, which might divide by zero
_COMPARISONS = frozenset(["==", "!=", "<", ">", "<=", ">="])
_SIGNED = frozenset(["<", ">", "<=", ">=", "/", "%"])  # whose result a negative number changes if it counts as unsigned
_BITWISE = frozenset("&|^")
_PLAIN = frozenset(["+", "-", "*", "/", "%", "**"])
_FLOATING = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def unary(m: Machine, op: str, value: Value, at: int) -> Value:  # noqa: C901, PLR0911 a dispatch over the language
    """Return `-x`, `~x` or `!x`."""
    kind, data = value
    if type(data) is Swept and kind.kind != "float":
        return lifted(m, lambda one: unary(m, op, one, at), value)
    if op == "!" or (op == "~" and kind.kind == "bool"):
        return from_bits(BOOL, (negate(truth(m, value, at)),))
    if op == "~":
        if kind.kind not in ("bit", "int", "uint", "angle"):
            invalid(f"~ does not apply to {with_article(kind)}.", at)
        if isinstance(data, tuple):
            return from_bits(kind, tuple(negate(bit) for bit in data))
        return Value(kind, wrap(kind.kind, kind.width, ~data))
    if kind.kind in ("float", "complex"):
        return Value(kind, -data)
    if kind.kind in ("duration", "stretch"):
        return Value(DURATION, data.times(-1))
    if kind.kind in ("bit", "bool"):
        value = convert(m, value, INT, at)
        kind, data = value
    if isinstance(data, tuple):
        return from_bits(kind, m.arithmetic.negative(data))
    negative = wrap(kind.kind, kind.width, -data)
    if negative != -data and kind.kind == "int":
        m.notes.add_wrapped(f"-({data})", kind, negative, at)
    return Value(kind, negative)


def binary(m: Machine, op: str, left: Value, right: Value, at: int) -> Value:  # noqa: C901, PLR0911, PLR0912 a dispatch over the language
    """Return `left op right`."""
    m.spend((left.type.width + right.type.width) // WIDE, at)
    if type(left.data) is Swept or type(right.data) is Swept:
        return swept(m, op, left, right, at)
    if op in _PLAIN and (plain := plainly(m, op, left, right, at)) is not None:
        return plain
    if op in ("<<", ">>"):
        return shift(m, op, left, right, at)
    kinds = {left.type.kind, right.type.kind}
    if "duration" in kinds or "stretch" in kinds:
        return duration(m, op, need(m, left, at), need(m, right, at), at)
    if "angle" in kinds:
        return angle(m, op, left, right, at)
    if op in _BITWISE:
        return bitwise(m, op, left, right, at)
    kind = promote(left.type, right.type)
    if kind is None:
        refuse_operands(op, left, right, at)
    if kind.kind == "uint" and kinds == {"bit", "int"}:
        # A register compared with or added to a plain number counts as an unsigned integer of its own.
        kind = Type("int", max(left.type.width, right.type.width) + (left.type.width == right.type.width))
    if op in ("+", "-", "*", "/", "%", "**") and kinds <= {"bool", "bit"} and kind.width == 1:
        kind = INT
    a, b = number(m, left, kind, at), number(m, right, kind, at)
    if kind.kind == "uint" and op in _SIGNED:
        for value, became in ((left, a), (right, b)):
            if value.type.kind == "int" and type(became) is int and value.data != became:
                m.notes.add_wrapped(str(value.data), kind, became, at)
    if isinstance(a, tuple) or isinstance(b, tuple):
        return measured(m, op, kind, Value(kind, a), Value(kind, b), at)
    if op in _COMPARISONS:
        if kind.kind == "complex" and op not in ("==", "!="):
            invalid("Complex numbers have no order.", at)
        return Value(BOOL, int(compare(op, a, b)))
    if kind.kind in ("int", "uint"):
        return Value(kind, whole_number(m, op, kind, a, b, at))
    return real_number(m, op, kind, a, b, at)


def swept(m: Machine, op: str, left: Value, right: Value, at: int) -> Value:
    """Return `left op right` where they differ between the bindings of a sweep."""
    if op in _FLOATING:
        a, b = _floating(left), _floating(right)
        if a is not None and b is not None:
            x, y = _bound(a), _bound(b)
            summed = op in ("+", "-") or any(type(each) is Swept and each.summed for each in (a, b))
            if summed and (x > FINE or y > FINE):
                raise UnalikeError  # for each binding a sum is worked out anew, see `exact_values`
            m.budget.spend(max(len(each.values) for each in (a, b) if type(each) is Swept) >> SHARE, at)
            found = _FLOATING[op](a, b)
            found.summed = summed
            if op != "/" or type(b) is float:
                bound = _FLOATING["+" if op == "-" else op](x, y)
                found.bound = bound if bound <= FINE else None
            return Value(FLOAT, found)
    return lifted(m, lambda a, b: binary(m, op, a, b, at), left, right)


def _floating(value: Value) -> Any:  # noqa: ANN401 - a float, or one for each binding
    """Return a double-precision number, or an integer that is the same for all bindings as one; else None."""
    if value.type == FLOAT:
        return value.data if type(value.data) is Swept else float(value.data)
    return float(value.data) if value.type == INT and type(value.data) is int else None


def _bound(number: Any) -> float:  # noqa: ANN401 - a float, or one for each binding
    return number.peak() if type(number) is Swept else abs(number)


def plainly(m: Machine, op: str, left: Value, right: Value, at: int) -> Value | None:
    """Return `left op right` of the numbers that most programs are made of, known words and floats; else None."""
    kind, other = left.type, right.type
    a, b = left.data, right.data
    if (kind is not INT and kind is not FLOAT) or (other is not INT and other is not FLOAT):
        return None
    if type(a) is tuple or type(b) is tuple:
        return None
    if kind is INT and other is INT:
        return Value(INT, whole_number(m, op, INT, a, b, at))
    return real_number(m, op, FLOAT, float(a), float(b), at)


def number(m: Machine, value: Value, kind: Type, at: int) -> Any:  # noqa: ANN401 - a number of any kind
    """Return an operand as the common type, a register as an unsigned integer."""
    if value.type == kind:
        return value.data
    if value.type.kind in BITLIKE and kind.kind in ("int", "uint"):
        if isinstance(value.data, tuple):
            source = Value(Type("uint", value.type.width), value.data) if value.type.kind == "bit" else value
            return cast_bits(source, kind).data
        return wrap(kind.kind, kind.width, value.data)
    if value.type.kind == "bit" and kind.kind in ("float", "complex"):
        value = Value(Type("uint", value.type.width), value.data)
    return convert(m, value, kind, at).data


def refuse_operands(op: str, left: Value, right: Value, at: int) -> NoReturn:
    """Refuse an operator between types it is not for."""
    hint = _other_types(op, left.type.kind, right.type.kind)
    invalid(f"'{op}' does not apply to {with_article(left.type)} and {with_article(right.type)}.", at, hint)


def _other_types(op: str, left: str, right: str) -> str | None:
    """Return what to do where an operator is not for two types; None where there is nothing to do."""
    kinds = {left, right}
    if "duration" in kinds:
        return None if left == right else "The quotient of two durations is a number."
    if op in _BITWISE or op in ("<<", ">>"):
        if "complex" in kinds:
            return None
        return "Cast one of them." if kinds <= {"bit", "int", "uint"} else "Cast what is neither bits nor an integer."
    if "angle" in kinds and "bit" not in kinds:
        return "Use floats for angles: 'float theta = ...;'."
    return "Cast one of them."


def measured(m: Machine, op: str, kind: Type, left: Value, right: Value, at: int) -> Value:  # noqa: PLR0913 an operator and where it stands
    """Return arithmetic on measured bits, in as few scratch bits as its steps need at a time."""
    m.budget.spend((DIVIDED if op in ("/", "%") else MEASURED) + (kind.width >> 4), at)
    mark = Scratch(m)
    value = measured_number(m, op, kind, left, right, at)
    return Value(value.type, mark.reuse(m, value.data)) if isinstance(value.data, tuple) else value


def measured_number(m: Machine, op: str, kind: Type, left: Value, right: Value, at: int) -> Value:  # noqa: C901, PLR0911, PLR0913 a dispatch over the language
    """Return arithmetic on measured bits."""
    if kind.kind not in ("int", "uint"):
        refuse_operands(op, left, right, at)
    a, b = to_bits(left), to_bits(right)
    work = m.arithmetic
    signed = kind.kind == "int"
    if op in ("/", "%") and right.known and is_power_of_two(abs(right.data)):
        return extend(kind, divided_by_power_of_two(m, op, a if signed else (*a, 0), right.data))
    if op != "**" and (signed or op != "-"):
        # Numbers are narrower than their type, mostly: the result of fewer bits is extended again.
        widths = effective(a, signed=signed), effective(b, signed=signed)
        width = min(kind.width, sum(widths) if op == "*" else max(widths) + 1)
        a, b = a[:width], b[:width]
    if op in ("==", "!="):
        same = work.equal(a, b)
        return from_bits(BOOL, (same if op == "==" else negate(same),))
    if op in ("<", ">"):
        return from_bits(BOOL, (work.less(a, b, signed=signed) if op == "<" else work.less(b, a, signed=signed),))
    if op in ("<=", ">="):
        more = work.less(b, a, signed=signed) if op == "<=" else work.less(a, b, signed=signed)
        return from_bits(BOOL, (negate(more),))
    if op == "-":
        return extend(kind, work.subtract(a, b))
    if op in ("+", "*"):
        return extend(kind, work.add(a, b) if op == "+" else work.multiply(a, b))
    if op == "**":
        base, exponent = need(m, left, at), need(m, right, at)
        return Value(kind, whole_number(m, op, kind, base.data, exponent.data, at))
    if not isinstance(right.data, tuple) and right.data == 0:
        fault("This divides by zero.", at)
    if isinstance(right.data, tuple):
        # Each value of a measured divisor is looked at by itself, so that zero is found.
        right = need(m, right, at)
        return measured_number(m, op, kind, left, right, at)
    return extend(kind, divided(m, op, a, b, signed=signed))


def bitwise(m: Machine, op: str, left: Value, right: Value, at: int) -> Value:
    """Return `&`, `|` or `^`, for which registers must be equally long."""
    a, b = left.type, right.type
    if a.kind not in BITLIKE or b.kind not in BITLIKE:
        refuse_operands(op, left, right, at)
    if a.kind == b.kind == "bool":
        kind = BOOL
    elif "bit" in (a.kind, b.kind):
        register, other = (left, right) if a.kind == "bit" else (right, left)
        if other.type.kind == "bit" and a.width != b.width:
            invalid(f"'{op}' needs registers of the same size, not {a} and {b}.", at, "Slice the longer one.")
        if other.type.kind in ("int", "uint") and other.type.width != register.type.width:  # noqa: SIM102 as it reads best
            if not other.known or not 0 <= other.data < 1 << register.type.width:
                refuse_operands(op, left, right, at)
        kind = register.type
        left, right = (
            Value(kind, number(m, left, Type("uint", kind.width), at)),
            Value(kind, number(m, right, Type("uint", kind.width), at)),
        )
    else:
        promoted = promote(a, b)
        if promoted is None:
            refuse_operands(op, left, right, at)
        kind = promoted
        left, right = Value(kind, number(m, left, kind, at)), Value(kind, number(m, right, kind, at))
    if left.known and right.known:
        x, y = left.data, right.data
        return Value(kind, wrap(kind.kind, kind.width, x & y if op == "&" else x | y if op == "|" else x ^ y))
    function = {"&": both, "|": either, "^": differ}[op]
    short = m.arithmetic.short
    return from_bits(kind, tuple(short(function(x, y)) for x, y in zip(to_bits(left), to_bits(right), strict=True)))


def shift(m: Machine, op: str, left: Value, right: Value, at: int) -> Value:
    """Return `<<` or `>>`; bits shifted off the end are lost."""
    kind = left.type
    if kind.kind not in ("bit", "int", "uint", "angle") or right.type.kind not in ("bit", "int", "uint", "bool"):
        refuse_operands(op, left, right, at)
    bits = to_bits(left) if not left.known or isinstance(right.data, tuple) else ()
    fill = bits[-1] if bits and kind.kind == "int" else 0
    if isinstance(right.data, tuple):
        if right.type.kind == "int":
            right = need(m, right, at)
        else:
            m.budget.spend(CHOICE * kind.width * min(right.type.width, kind.width.bit_length()), at)
            mark = Scratch(m)
            return from_bits(kind, mark.reuse(m, m.arithmetic.shift(bits, right.data, left=op == "<<", fill=fill)))
    distance = right.data
    if distance < 0:
        fault("A shift cannot be negative.", at)
    distance = min(distance, kind.width)
    if left.known:
        moved = left.data << distance if op == "<<" else left.data >> distance
        wrapped = wrap(kind.kind, kind.width, moved)
        if wrapped != moved and kind.kind == "int":
            m.notes.add_wrapped(f"{left.data} << {right.data}", kind, wrapped, at)
        return Value(kind, wrapped)
    if op == "<<":
        return from_bits(kind, (0,) * distance + bits[: kind.width - distance])
    return from_bits(kind, bits[distance:] + (fill,) * distance)


def angle(m: Machine, op: str, left: Value, right: Value, at: int) -> Value:
    """Return an operator on angles, which are unsigned fractions of a turn (spec, "Angles")."""
    m.budget.spend(ANGLE, at)
    a, b = left.type, right.type
    if {a.kind, b.kind} <= {"angle", "float"} and not (op in ("*", "/") and "float" in (a.kind, b.kind)):
        width = max(kind.width for kind in (a, b) if kind.kind == "angle")
        kind = Type("angle", width)
        left, right = convert(m, left, kind, at), convert(m, right, kind, at)
        result = kind
        if op == "/":
            result = Type("uint", width)
        elif op in ("*", "**", "%"):
            refuse_operands(op, left, right, at)
    elif op == "*" and {a.kind, b.kind} <= {"angle", "int", "uint"}:
        result = a if a.kind == "angle" else b
    elif op == "/" and a.kind == "angle" and b.kind in ("int", "uint"):
        result = a
        if right.known and right.data < 0:
            fault("An angle cannot be divided by a negative number.", at, "Negate the angle instead.")
    elif op in ("==", "!=") and _is_zero(right if a.kind == "angle" else left):
        result = a if a.kind == "angle" else b
    else:
        # No cast leads from a number to an angle, nor back.
        number = {a.kind, b.kind} & {"float", "int", "uint", "bool"}
        wanted = "Use a float for the angle: 'float theta = ...;'."
        hint = wanted if number else _other_types(op, a.kind, b.kind)
        invalid(f"'{op}' does not apply to {with_article(a)} and {with_article(b)}.", at, hint)
    width = result.width
    if op == "/" and b.kind != "angle" and right.known and right.data >= 1 << width:
        return Value(result, 0)
    work = Type("uint", width)
    if op in _BITWISE:
        return Value(result, bitwise(m, op, Value(work, left.data), Value(work, right.data), at).data)
    x = Value(work, _unsigned(left, width))
    y = Value(work, _unsigned(right, width))
    value = binary(m, op, x, y, at)
    return value if op in _COMPARISONS else Value(result, value.data)


def _is_zero(value: Value) -> bool:
    """Tell whether a value is the integer 0, which is the same in every type."""
    return value.type.kind in BITLIKE and not isinstance(value.data, tuple) and value.data == 0


def _unsigned(value: Value, width: int) -> Any:  # noqa: ANN401 - an int or bits
    if isinstance(value.data, tuple):
        return cast_bits(Value(Type("uint", value.type.width), value.data), Type("uint", width)).data
    return wrap("uint", width, value.data)


def duration(m: Machine, op: str, left: Value, right: Value, at: int) -> Value:
    """Return an operator on durations (spec, "Converting duration to other types")."""
    a, b = left.data, right.data
    try:
        if isinstance(a, Duration) and isinstance(b, Duration):
            if op in ("+", "-"):
                return Value(DURATION, a.plus(b, 1 if op == "+" else -1))
            if op not in _COMPARISONS and op != "/":
                refuse_operands(op, left, right, at)
            return ratio(m, a, b, at) if op == "/" else ordered(m, op, a, b, at)
        scalar, length = (left, b) if isinstance(b, Duration) else (right, a)
        if op not in ("*", "/") or (op == "/" and length is b):
            refuse_operands(op, left, right, at)
        factor = convert(m, scalar, FLOAT, at).data
        factor = scalar.data if isinstance(scalar.data, int) else exact_float(factor)
        return Value(DURATION, length.times(factor) if op == "*" else length.over(factor))
    except ZeroDivisionError:
        fault("This divides by zero.", at)
    except OverflowError:
        fault("The result is too large for a duration.", at)


def ordered(m: Machine, op: str, a: Duration, b: Duration, at: int) -> Value:
    """Return a comparison of durations; what they share cancels out."""
    difference = a.plus(b, -1)
    known_length(m, difference, at)
    return Value(BOOL, int(compare(op, difference.samples or difference.nanoseconds, 0)))


def ratio(m: Machine, a: Duration, b: Duration, at: int) -> Value:
    """Return how many times one duration is as long as another, a float."""
    # Of both together, whatever their signs: one unit must do for the two.
    both = Duration(a.nanoseconds or b.nanoseconds, a.samples or b.samples, a.stretch or b.stretch)
    if not known_length(m, both, at):
        return Value(FLOAT, _SOME_RATIO)
    x, y = (a.samples, b.samples) if a.samples or b.samples else (a.nanoseconds, b.nanoseconds)
    quotient = Duration(x).over(y).nanoseconds
    return Value(FLOAT, float(quotient))


def known_length(m: Machine, length: Duration, at: int) -> bool:
    """Tell whether a length is known; refuse to work with one of hardware's, unless what comes of it has no effect."""
    if m.idle and (length.stretch or (length.samples and length.nanoseconds)):
        m.vague = True
        return False
    if length.stretch:
        unsupported("The length of a stretch is decided by hardware.", at, "Use a duration of a known length.")
    if length.samples and length.nanoseconds:
        unsupported("A simulator has no length for dt.", at, "Use one unit: either dt or seconds.")
    return True
