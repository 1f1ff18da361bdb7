"""The values that integers take in a loop that a measurement ends: bounds worked out on the text, without running it.

A counter of 64 bits would be 64 measured bits to every index that uses it; the bounds say how many of them are real.
They are found by interval arithmetic: the loop's body is followed until the intervals at its beginning stay the same,
tests narrow them, and an interval that still grows is widened to the next number that the loop mentions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reader.compiler.intervals import (
    Interval,
    alike,
    combined,
    fitting,
    hull,
    signed_bits,
    unsigned_bits,
    whole,
    within,
    wraps,
)
from reader.compiler.machine import Split
from reader.compiler.references import lookup
from reader.compiler.symbols import Bits, Variable
from reader.compiler.tree_walk import walk
from reader.compiler.types import resolve_type
from reader.compiler.values import INT, Type
from reader.errors import SourceError
from reader.text import syntax

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reader.compiler.machine import Machine

STATEMENT = 6  # units that following a statement or an operator once costs
_ROUNDS = 40  # over the body, before the bounds are given up
_PATIENCE = 3  # rounds before an interval is widened
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}
_TRUTH = frozenset(["==", "!=", "<", ">", "<=", ">=", "&&", "||"])


Intervals = dict[str, Interval]


class Needed(NamedTuple):
    """How many low bits hold integers: those that are never negative have 0 in all others, others their sign."""

    variables: dict[Variable, int]  # never negative before and after each round of the loop
    assignments: dict[syntax.Assignment, int]  # what each assigns that is never negative
    signed: dict[Variable, int]  # the sign's bit included, at every place of the loop
    changed: frozenset[str] | None  # names that the loop may give other values; None where that is not known


UNKNOWN = Needed({}, {}, {}, None)


def bits_needed(m: Machine, node: syntax.While) -> Needed:
    """Return how many low bits hold the integers that a loop assigns to, where those are fewer than they have."""
    try:
        return _bits_needed(m, node)
    except (Split, RecursionError):
        return UNKNOWN  # an alias whose meaning a measured bit decides; a chain of thousands of operators


def _bits_needed(m: Machine, node: syntax.While) -> Needed:
    parts = list(walk(m, [node]))
    own = {part.name for part in parts if isinstance(part, syntax.Declaration | syntax.Alias | syntax.For)}
    if any(isinstance(part, syntax.Subroutine | syntax.GateDefinition) for part in parts):
        return UNKNOWN
    found: dict[str, Variable] = {}
    others = set(own)
    for part in parts:
        if not isinstance(part, syntax.Assignment):
            continue
        target = part.target
        while isinstance(target, syntax.Index):
            target = target.target
        if not isinstance(target, syntax.Name):
            continue
        symbol = lookup(m, target.name)
        plain = isinstance(part.target, syntax.Name) and not isinstance(part.value, syntax.Measure)
        if plain and isinstance(symbol, Variable) and symbol.type.kind in ("int", "uint"):
            found[target.name] = symbol
        else:
            others.add(target.name)
    found = {name: variable for name, variable in found.items() if name not in others}
    analysis = _Analysis(m, found, others, parts)
    intervals = analysis.run(node) if found else {}
    sizes = {found[name]: size for name, interval in intervals.items() if (size := unsigned_bits(interval)) is not None}
    assigned = analysis.assigned if intervals else {}
    signed = {found[name]: signed_bits(interval) for name, interval in intervals.items() if interval.low < 0}
    return Needed(
        sizes,
        {part: size for part, interval in assigned.items() if (size := unsigned_bits(interval)) is not None},
        {variable: size for variable, size in signed.items() if size < variable.type.width},
        frozenset(others.union(found)),
    )


def may_fail(m: Machine, *nodes: syntax.Expression) -> bool:
    """Tell whether some value may make nonsense of expressions: their statement has no effect then."""
    for part in walk(m, nodes):
        if isinstance(part, syntax.Call) or (
            isinstance(part, syntax.Binary) and part.op in ("/", "%", "**", "<<", ">>")
        ):
            return True
        if isinstance(part, syntax.Index) and not all(isinstance(item, syntax.Literal) for item in part.items):
            return True
    return False


class _Analysis:
    """One loop: the variables it assigns to, and what else it changes."""

    def __init__(self, m: Machine, found: dict[str, Variable], others: set[str], parts: Iterable[syntax.Node]) -> None:
        self.m = m
        self.found = found
        self.others = others
        self.seen: Intervals = {}  # the hull of all that was assigned
        self.assigned: dict[syntax.Assignment, Interval] = {}
        self.continued: list[Intervals] = []  # where rounds of the innermost loop are cut short, and where it is left
        self.broken: list[Intervals] = []
        numbers = {int(part.value.real) for part in parts if isinstance(part, syntax.Literal) and part.kind == "int"}
        for part in parts:
            if isinstance(part, syntax.Name) and (value := self.fixed(part.name)) is not None:
                numbers.add(value.low)
        numbers |= {-number for number in numbers}
        self.landmarks = sorted({near for number in numbers for near in (number - 1, number, number + 1)})

    def run(self, node: syntax.While) -> Intervals:
        """Return the hull of each variable's values; nothing if they do not settle."""
        head = {name: self.now(variable) for name, variable in self.found.items()}
        for number in range(_ROUNDS):
            self.seen, self.assigned, self.continued, self.broken = {}, {}, [], []
            inside = self.narrowed(node.condition, head, holds=True)
            after = None if inside is None else self.follow(node.body, inside)
            joined = head
            for state in (after, *self.continued):
                joined = self.join(joined, state)
            if joined == head:
                return self.join(head, {**head, **self.seen})
            head = self.widened(head, joined) if number >= _PATIENCE else joined
        return {}

    def now(self, variable: Variable) -> Interval:
        """Return what is known of a variable's value before the loop."""
        kind, data = variable.type, variable.data
        if not isinstance(data, list):
            return Interval(data, data, kind) if isinstance(data, int) else whole(kind)
        if variable in self.m.signs and kind.kind == "int":
            most = 1 << (self.m.signs[variable] - 1)
            return Interval(-most, most - 1, kind)
        bits = [self.m.resolve(bit) for bit in data]
        width = len(bits)
        while width and bits[width - 1] == 0:
            width -= 1
        if width == len(bits):
            return whole(kind)
        return Interval(0, (1 << width) - 1, kind)

    # ------------------------------------------------------------------ sets of values

    def join(self, one: Intervals, other: Intervals | None) -> Intervals:
        """Return intervals that hold the values of both; None stands for what is never reached."""
        if other is None:
            return one
        return {name: hull(interval, other[name]) for name, interval in one.items()}

    def widened(self, old: Intervals, new: Intervals) -> Intervals:
        """Return intervals whose growing ends go to the next number that the loop mentions, or all the way."""
        result = {}
        for name, interval in new.items():
            least, most, kind = whole(interval.type)
            low, high = interval.low, interval.high
            if low < old[name].low:
                beyond = least if low >= least else -1 << kind.width
                low = max((mark for mark in self.landmarks if min(least, low) <= mark <= low), default=beyond)
            if high > old[name].high:
                high = min((mark for mark in self.landmarks if high <= mark <= most), default=most)
            result[name] = fitting(low, high, kind)
        return result

    # ------------------------------------------------------------------ statements

    def follow(self, body: list[syntax.Statement], state: Intervals) -> Intervals | None:
        """Return the intervals after the statements; None if their end is never reached."""
        current: Intervals | None = state
        for node in body:
            if current is None:
                return None
            current = self.step(node, current)
        return current

    def step(self, node: syntax.Statement, state: Intervals) -> Intervals | None:  # noqa: PLR0911 a dispatch over the language
        """Return the intervals after one statement."""
        self.m.budget.spend(STATEMENT, node.at)
        if isinstance(node, syntax.Assignment):
            return self.assign(node, state)
        if isinstance(node, syntax.If):
            sides = []
            for holds, body in ((True, node.then), (False, node.otherwise)):
                inside = self.narrowed(node.condition, state, holds=holds)
                sides.append(None if inside is None else self.follow(body, inside))
            return self.either([*sides, state] if may_fail(self.m, node.condition) else sides)
        if isinstance(node, syntax.Switch):
            arms = [self.follow(body, state) for _, body in node.cases]
            return self.either([*arms, self.follow(node.default or [], state), state])
        if isinstance(node, syntax.Box | syntax.Block):
            return self.follow(node.body, state)
        if isinstance(node, syntax.For | syntax.While):
            return self.inner_loop(node, state)
        if isinstance(node, syntax.Leave):
            if node.word != "end":
                (self.continued if node.word == "continue" else self.broken).append(state)
            return None
        return None if isinstance(node, syntax.Return) else state

    def either(self, sides: list[Intervals | None]) -> Intervals | None:
        """Return intervals that hold the values of all sides that are reached."""
        reached = [side for side in sides if side is not None]
        if not reached:
            return None
        result = reached[0]
        for side in reached[1:]:
            result = self.join(result, side)
        return result

    def inner_loop(self, node: syntax.For | syntax.While, state: Intervals) -> Intervals | None:
        """Return the intervals after a loop inside; what does not settle may have any value."""
        outer = self.continued, self.broken
        test = node.condition if isinstance(node, syntax.While) else None
        head, settled = state, False
        for number in range(_ROUNDS):
            self.continued, self.broken = [], []
            inside = head if test is None else self.narrowed(test, head, holds=True)
            joined = head
            for after in (None if inside is None else self.follow(node.body, inside), *self.continued):
                joined = self.join(joined, after)
            settled = joined == head
            if settled:
                break
            head = self.widened(head, joined) if number >= _PATIENCE else joined
        broken = self.broken
        self.continued, self.broken = outer
        if settled:
            return self.either([head if test is None else self.narrowed(test, head, holds=False), *broken])
        changed = {
            part.target.name
            for part in walk(self.m, node.body)
            if isinstance(part, syntax.Assignment) and isinstance(part.target, syntax.Name)
        }
        every = {name: whole(interval.type) if name in changed else interval for name, interval in state.items()}
        self.seen |= {name: interval for name, interval in every.items() if name in changed}
        return every

    def assign(self, node: syntax.Assignment, state: Intervals) -> Intervals:
        """Return the intervals after an assignment."""
        target = node.target
        if not isinstance(target, syntax.Name) or target.name not in self.found:
            return state
        value = node.value
        if node.op != "=":
            value = syntax.Binary(node.at, node.op[:-1], target, value)
        kind = self.found[target.name].type
        interval = within(self.value(value, state), kind)
        if may_fail(self.m, value):
            interval = hull(interval, state[target.name])
        seen = self.seen.get(target.name, interval)
        self.seen[target.name] = hull(seen, interval)
        self.assigned[node] = hull(self.assigned.get(node, interval), interval)
        return {**state, target.name: interval}

    # ------------------------------------------------------------------ expressions

    def fixed(self, name: str) -> Interval | None:
        """Return the value of a number that the loop does not change, if it is known."""
        symbol = None if name in self.others or name in self.found else lookup(self.m, name)
        if not isinstance(symbol, Variable) or symbol.type.kind not in ("int", "uint", "bool"):
            return None
        if isinstance(symbol.data, int):
            return Interval(symbol.data, symbol.data, symbol.type)
        return None

    def value(self, node: syntax.Expression, state: Intervals) -> Interval | None:  # noqa: C901, PLR0911 a dispatch over the language
        """Return the interval of an expression's values; None if nothing is known of them."""
        if isinstance(node, syntax.Literal):
            if node.kind == "bool":
                return Interval(int(node.value.real), int(node.value.real), Type("bool", 1))
            number = int(node.value.real) if node.kind == "int" else -1
            return Interval(number, number, INT) if 0 <= number < 1 << (INT.width - 1) else None
        if isinstance(node, syntax.Name):
            if node.name in state:
                return state[node.name]
            return self.fixed(node.name) or self.any_of(node)
        if isinstance(node, syntax.Index):
            return self.any_of(node)
        if isinstance(node, syntax.Cast):
            return self.converted(node, state)
        if isinstance(node, syntax.Unary):
            operand = self.value(node.operand, state)
            if node.op == "!":
                return Interval(0, 1, Type("bool", 1))
            if node.op == "-" and operand is not None and operand.type.kind == "int":
                return fitting(-operand.high, -operand.low, operand.type)
            return None
        if isinstance(node, syntax.Binary):
            self.m.budget.spend(STATEMENT, node.at)
            if node.op in _TRUTH:
                return Interval(0, 1, Type("bool", 1))
            left, right = self.value(node.left, state), self.value(node.right, state)
            return None if left is None or right is None else combined(node.op, left, right)
        return None

    def any_of(self, node: syntax.Name | syntax.Index) -> Interval | None:
        """Return all values of a bit, a truth value or an integer whose own is not known."""
        if isinstance(node, syntax.Index):
            single = len(node.items) == 1 and not isinstance(node.items[0], syntax.Range | syntax.IndexSet)
            symbol = lookup(self.m, node.target.name) if single and isinstance(node.target, syntax.Name) else None
            bitwise = isinstance(symbol, Bits) or (isinstance(symbol, Variable) and symbol.type.kind in ("bit", "uint"))
            return Interval(0, 1, Type("bit", 1)) if bitwise else None
        symbol = None if node.name in self.others and node.name not in self.found else lookup(self.m, node.name)
        if isinstance(symbol, Variable) and symbol.type.kind in ("int", "uint", "bool", "bit"):
            return whole(symbol.type)
        return None

    def converted(self, node: syntax.Cast, state: Intervals) -> Interval | None:
        """Return the interval of a cast."""
        if node.type.name not in ("int", "uint", "bool"):
            return None
        try:
            kind = resolve_type(self.m, node.type)
        except SourceError:
            return None
        operand = self.value(node.operand, state)
        return Interval(0, 1, kind) if kind.kind == "bool" else within(operand, kind)

    # ------------------------------------------------------------------ tests

    def narrowed(self, node: syntax.Expression, state: Intervals, *, holds: bool) -> Intervals | None:
        """Return the intervals where a test holds, or does not; None if that cannot be."""
        if isinstance(node, syntax.Unary) and node.op == "!":
            return self.narrowed(node.operand, state, holds=not holds)
        if not isinstance(node, syntax.Binary):
            return state
        self.m.budget.spend(STATEMENT, node.at)
        if node.op == ("&&" if holds else "||"):
            first = self.narrowed(node.left, state, holds=holds)
            return None if first is None else self.narrowed(node.right, first, holds=holds)
        if node.op not in _MIRRORED:
            return state
        op = node.op if holds else _OPPOSITE[node.op]
        result: Intervals | None = state
        for name, other, way in ((node.left, node.right, op), (node.right, node.left, _MIRRORED[op])):
            if result is not None and isinstance(name, syntax.Name) and name.name in result:
                right = self.value(other, result)
                if right is not None and alike(result[name.name], right):
                    result = self.limited(result, name.name, way, right)
                elif right is not None and wraps(result[name.name], right):
                    result = self.limited_unsigned(result, name.name, way, right)
        return result

    def limited(self, state: Intervals, name: str, op: str, right: Interval) -> Intervals | None:
        """Return the intervals where a variable stands in a relation to something."""
        low, high, kind = state[name]
        if op in ("<", "<=", "=="):
            high = min(high, right.high - (op == "<"))
        if op in (">", ">=", "=="):
            low = max(low, right.low + (op == ">"))
        if op == "!=" and right.low == right.high:
            low += low == right.low
            high -= high == right.low
        return None if low > high else {**state, name: Interval(low, high, kind)}

    def limited_unsigned(self, state: Intervals, name: str, op: str, right: Interval) -> Intervals | None:
        """Return the intervals where a uint that may have gone below 0 stands in a relation to something."""
        low, high, kind = state[name]
        if op in ("==", "!="):
            return self.limited(state, name, op, right)
        if right.low < 0:
            return state
        if op in ("<", "<="):  # it has not
            return self.limited({**state, name: Interval(0, high, kind)}, name, op, right) if high >= 0 else None
        if high < right.low + (op == ">"):  # it has
            return {**state, name: Interval(low, -1, kind)}
        return state
