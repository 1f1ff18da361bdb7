"""Numbers that differ between the bindings of a sweep, so that its program is compiled once for all of them.

A `Swept` stands where a compilation of one binding has a number. It is calculated with binding by binding, in the
numbers and functions of Python that one binding alone is calculated with, so that every angle is the same to the last
bit. What is decided by it must be decided alike by all: a comparison that is not, or a use that is not foreseen here,
raises `UnalikeError`, and the bindings are compiled one by one.
"""

from __future__ import annotations

import operator
from math import copysign
from typing import TYPE_CHECKING, Any, NoReturn

from reader.operations import Gate, If, While

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reader.operations import Compiled, Operation


class UnalikeError(Exception):
    """The bindings of a sweep cannot be compiled at once; not an error of the program."""


class Swept:  # noqa: PLW1641 - a key made of it would differ from one of a number: it has no hash
    """A number for each binding, in their order."""

    __slots__ = ("bound", "summed", "values")

    def __init__(self, values: Sequence[Any], bound: float | None = None, *, summed: bool = False) -> None:
        self.values = values
        self.bound = bound  # that no absolute value is over, where one is known
        self.summed = summed  # whether it is made of a sum, whose parts may have cancelled each other

    def peak(self) -> float:
        """Return a bound of the absolute values."""
        if self.bound is None:
            self.bound = max(map(abs, self.values))
        return self.bound

    def _with(self, function: Callable[[Any, Any], Any], other: object) -> Swept:
        """Return the function of this number and another, or the same one for all bindings."""
        try:
            if type(other) is Swept:
                found = list(map(function, self.values, other.values))
            elif type(other) in (float, int):
                found = [function(value, other) for value in self.values]
            else:
                raise UnalikeError
        except ArithmeticError:
            raise UnalikeError from None
        return Swept(found)

    def __add__(self, other: object) -> Swept:
        return self._with(operator.add, other)

    def __radd__(self, other: object) -> Swept:
        return self._with(lambda a, b: b + a, other)

    def __sub__(self, other: object) -> Swept:
        return self._with(operator.sub, other)

    def __rsub__(self, other: object) -> Swept:
        return self._with(lambda a, b: b - a, other)

    def __mul__(self, other: object) -> Swept:
        return self._with(operator.mul, other)

    def __rmul__(self, other: object) -> Swept:
        return self._with(lambda a, b: b * a, other)

    def __truediv__(self, other: object) -> Swept:
        return self._with(operator.truediv, other)

    def __rtruediv__(self, other: object) -> Swept:
        return self._with(lambda a, b: b / a, other)

    def __neg__(self) -> Swept:
        return Swept([-value for value in self.values], self.bound, summed=self.summed)

    def __abs__(self) -> Swept:
        return Swept([abs(value) for value in self.values])

    def __eq__(self, other: object) -> bool:
        return agreed(self._with(operator.eq, other))

    def __ne__(self, other: object) -> bool:
        return agreed(self._with(operator.ne, other))

    def __lt__(self, other: object) -> bool:
        return agreed(self._with(operator.lt, other))

    def __le__(self, other: object) -> bool:
        return agreed(self._with(operator.le, other))

    def __gt__(self, other: object) -> bool:
        return agreed(self._with(operator.gt, other))

    def __ge__(self, other: object) -> bool:
        return agreed(self._with(operator.ge, other))

    def __bool__(self) -> bool:
        return agreed(self)

    def _refuse(self, *_: object) -> NoReturn:
        raise UnalikeError

    # What makes a number of it, a key or a text, or needs its bits.
    __float__ = __int__ = __index__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = _refuse
    __hash__ = __str__ = __format__ = __iter__ = __len__ = __getitem__ = __contains__ = _refuse
    __pow__ = __rpow__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __divmod__ = __rdivmod__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __lshift__ = __rlshift__ = _refuse
    __rshift__ = __rrshift__ = __invert__ = _refuse


def agreed(swept: Swept) -> bool:
    """Return whether the number counts as true, as all bindings have it."""
    first = bool(swept.values[0])
    if any(bool(value) is not first for value in swept.values):
        raise UnalikeError
    return first


def joined(values: Sequence[Any]) -> Any:  # noqa: ANN401 - a number
    """Return a number of each binding as one: the number itself where it is the same for all."""
    first = values[0]
    if any(isinstance(value, tuple) for value in values):  # measured bits
        raise UnalikeError
    same = all(type(value) is type(first) and value == first for value in values)
    if same and isinstance(first, float) and first == 0.0:
        same = len({copysign(1.0, value) for value in values}) == 1
    return first if same and not isinstance(first, complex) else Swept(values)


def has_swept(numbers: Iterable[object]) -> bool:
    """Tell whether one of the numbers differs between bindings."""
    return any(type(number) is Swept for number in numbers)


def of_binding(program: Compiled, index: int) -> Compiled:
    """Return the program that binding number `index` alone is compiled to."""
    return program._replace(
        operations=_bound(program.operations, index, {}),
        phase=_number(program.phase, index),
        notes=list(program.notes),
    )


def _number(number: Any, index: int) -> Any:  # noqa: ANN401 - a number, swept or not
    return number.values[index] if type(number) is Swept else number


def _bound(operations: list[Operation], index: int, made: dict[int, Operation]) -> list[Operation]:
    """Return operations with the angles of one binding; what is one object stays one object."""
    found = []
    for operation in operations:
        bound = made.get(id(operation))
        if bound is None:
            bound = operation
            if isinstance(operation, Gate):
                if has_swept(operation.parameters):
                    angles = tuple([_number(angle, index) for angle in operation.parameters])
                    bound = Gate(operation.name, angles, operation.qubits)
            elif isinstance(operation, If):
                then, otherwise = (_bound(side, index, made) for side in (operation.then, operation.otherwise))
                bound = If(operation.condition, then, otherwise)
            elif isinstance(operation, While):
                bound = While(operation.cell, _bound(operation.body, index, made))
            made[id(operation)] = bound
        found.append(bound)
    return found
