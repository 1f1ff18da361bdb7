"""Variables that no bits hold, such as floats, in a loop that a measurement ends: which of a few values they have.

The values that the loop can give a variable are collected round by round until no new one comes. Its place among them
is a number of a few bits, carried from round to round as any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reader.compiler.logic import choose
from reader.compiler.symbols import Select, Variable
from reader.compiler.values import BITLIKE, Type
from reader.operations import Node
from reader.swept import Swept, UnalikeError

if TYPE_CHECKING:
    from reader.compiler.machine import Machine
    from reader.operations import Bit

MOST = 16  # values of one variable


class ManyValuesError(Exception):
    """A variable has more values than a loop can carry; not an error of the program yet."""

    def __init__(self, variable: Variable) -> None:
        super().__init__(variable.name)
        self.variable = variable


class Few:
    """The variables of one loop that no bits hold: their values so far, and the numbers that stand for these."""

    def __init__(self) -> None:
        self.values: dict[Variable, list[Any]] = {}
        self.numbers: dict[Variable, Variable] = {}
        self.trees: dict[Variable, Any] = {}

    @classmethod
    def after(cls, m: Machine, mark: int, at: int) -> None:
        """Let what a chain of tests since the mark has decided be decided by as few bits as numbers take."""
        few = cls()
        for variable in dict.fromkeys(variable for variable, _, _ in m.journal[mark:]):
            if isinstance(variable.data, Select) and variable.depth <= m.depth:
                few.values[variable] = _leaves(variable.data)
        few.begin(m, at)

    def begin(self, m: Machine, at: int) -> None:
        """Put the number of what each variable is into cells, and let the variable be what these say."""
        for variable, values in self.values.items():
            width = (len(values) - 1).bit_length()
            number = self.numbers[variable] = Variable(variable.name, Type("uint", width), at, m.depth)
            self.store(m, variable, at)
            tree = _tree([m.cell_of(number, index, at) for index in range(width)], values)
            m.log(variable)
            variable.data = self.trees[variable] = tree

    def grow(self, m: Machine, mark: int) -> bool:
        """Tell whether a variable from outside the loop has values since the mark that it had not; note them."""
        grown = False
        changed: dict[Variable, Any] = {}
        for variable, _, old in m.journal[mark:]:
            if variable.type.kind not in BITLIKE and variable.depth < m.depth:
                changed.setdefault(variable, old)
        for variable, before in changed.items():
            carried = self.values.get(variable)
            values = carried or _leaves(before)
            known = {_key(value) for value in values}
            new = [value for value in _leaves(variable.data) if _key(value) not in known]
            # One of several values that becomes another of them is carried too.
            if not new and (carried or len(values) == 1 or variable.data is before):
                continue
            grown = True
            self.values[variable] = values + new
            if len(values) + len(new) > MOST:
                raise ManyValuesError(variable)
        return grown

    def end(self, m: Machine, at: int) -> None:
        """Put the numbers of what the variables have become into the cells that the next round begins with."""
        for variable in self.values:
            self.store(m, variable, at)
            m.log(variable)
            variable.data = self.trees[variable]

    def store(self, m: Machine, variable: Variable, at: int) -> None:
        """Put the number of a variable's value into cells, whatever it is."""
        number, values = self.numbers[variable], self.values[variable]
        places = {_key(value): place for place, value in enumerate(values)}
        bits = tuple(_bit(m, variable.data, places, index, {}) for index in range(number.type.width))
        m.set_bits([(number, index) for index in range(len(bits))], bits, at)
        held = m.spread(number)
        for index, bit in enumerate(held):
            if not isinstance(bit, Node):
                cell = m.cell_of(number, index, at)
                m.store(cell, bit, at)
                m.log(number, index)
                held[index] = Node("bit", cell)


def _leaves(data: Any) -> list[Any]:  # noqa: ANN401 - any kind of value
    """Return the values that a variable may have, each once."""
    found: dict[Any, Any] = {}
    stack, seen = [data], set()
    while stack:
        part = stack.pop()
        if isinstance(part, Select):
            if id(part) not in seen:
                seen.add(id(part))
                stack += (part.no, part.yes)
        elif isinstance(part, Swept):
            raise UnalikeError
        else:
            found.setdefault(_key(part), part)
    return list(found.values())


def _key(value: Any) -> Any:  # noqa: ANN401 - any kind of value
    """Return what tells values apart: 0.0 from -0.0, and an integer from a float."""
    return type(value), repr(value)


def _tree(cells: list[int], values: list[Any]) -> Any:  # noqa: ANN401 - any kind of value
    """Return the value whose number the cells hold, the first of them the lowest bit."""
    if len(values) == 1 or not cells:
        return values[0]
    half = 1 << (len(cells) - 1)
    if len(values) <= half:
        return _tree(cells[:-1], values)
    return Select(cells[-1], _tree(cells[:-1], values[half:]), _tree(cells[:-1], values[:half]))


def _bit(m: Machine, data: Any, places: dict[Any, int], index: int, made: dict[int, Bit]) -> Bit:  # noqa: ANN401 - any kind of value
    """Return one bit of the number of a value; `made` has those of the parts that were met before, by their ids."""
    if not isinstance(data, Select):
        return places[_key(data)] >> index & 1
    bit = made.get(id(data))
    if bit is None:
        m.step(m.here)
        which = m.known.get(data.cell)
        if which is None:
            yes, no = _bit(m, data.yes, places, index, made), _bit(m, data.no, places, index, made)
            bit = m.arithmetic.short(choose(Node("bit", data.cell), yes, no))
        else:
            bit = _bit(m, data.yes if which else data.no, places, index, made)
        made[id(data)] = bit
    return bit
