"""Code that was not executed, held to the rules that executed code is held to: names, gates, types, places.

`check` runs when the program is compiled and its result is taken, on the same machine: the variables keep their types
and lose their values. Each statement of a body that was not reached is then executed once, whatever the conditions
around it. What only a value makes wrong is passed over, for no value is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.branching import heads
from reader.compiler.control import Mark
from reader.compiler.conversions import convert, truth
from reader.compiler.expressions import evaluate
from reader.compiler.inputs import INPUT
from reader.compiler.loops import loop_values, parts
from reader.compiler.machine import Split
from reader.compiler.statements import execute
from reader.compiler.subroutines import run_calls
from reader.compiler.symbols import CONSTANT, COUNTER, Array, Frame, Qubits, Variable
from reader.compiler.tree_walk import walk
from reader.compiler.types import constant_integer, is_constant, resolve_type
from reader.compiler.values import BIT, BOOL, Type, default
from reader.errors import SourceError, ValueFault
from reader.limits import LIMITS
from reader.swept import Swept
from reader.text import syntax
from tasks.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.compiler.machine import Machine

_WITH_BODIES = frozenset(
    [
        syntax.If,
        syntax.Switch,
        syntax.For,
        syntax.While,
        syntax.Box,
        syntax.Block,
        syntax.GateDefinition,
        syntax.Subroutine,
    ]
)


def check(m: Machine, body: list[syntax.Statement]) -> None:
    """Refuse what was not executed and would be refused if it were; raises `SourceError`. The machine is used up."""
    if everything_reached(m, body):
        return
    m.heads_only = True
    m.outline = None
    m.known, m.leaving, m.measured = {}, False, False
    m.registers = list(m.registers)
    for symbol in m.globals.scopes[0].values():
        if isinstance(symbol, Variable):
            symbol.data = _value(symbol)
        elif isinstance(symbol, Array):
            for element in symbol.elements:
                element.data = default(element.type)
    _Check(m).statements(body)


def bodies(node: syntax.If | syntax.Switch | syntax.Block) -> list[list[syntax.Statement]]:
    """Return the bodies that a statement has."""
    if isinstance(node, syntax.If):
        return [node.then, node.otherwise]
    if isinstance(node, syntax.Switch):
        return [*(body for _, body in node.cases), node.default or []]
    return [node.body]


def everything_reached(m: Machine, body: list[syntax.Statement]) -> bool:
    """Tell whether every statement was executed."""
    open_bodies = [body]
    while open_bodies:
        current = open_bodies.pop()
        m.budget.spend(len(current) >> 3, current[0].at if current else 0)
        for node in current:
            if type(node) not in _WITH_BODIES:
                continue
            for inner in bodies(node):  # type: ignore[arg-type]
                if m.reached.get(id(inner), 0) < len(inner) and not _is_chained(inner):
                    return False
                open_bodies.append(inner)
    return True


def _is_chained(body: list[syntax.Statement]) -> bool:
    """Tell whether a body is `else if`, which is executed without one."""
    return len(body) == 1 and isinstance(body[0], syntax.If)


def _value(variable: Variable) -> object:
    """Return a value of a variable's type: its own if that is fixed, in a sweep that of the first binding."""
    if variable.readonly not in (CONSTANT, INPUT):
        return default(variable.type)
    return variable.data.values[0] if isinstance(variable.data, Swept) else variable.data


class _Check:
    """A walk over the program that keeps the scopes of what was executed and looks into everything else."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.vague: set[str] = set()  # names of what has another size at each time
        self.qubits = m.qubits

    def statements(self, body: list[syntax.Statement]) -> None:
        """Check a body in the scope that is open."""
        m = self.m
        reached = len(body) if self.is_global() else m.reached.get(id(body), 0)
        m.budget.spend(len(body) >> 2, m.here)
        for number, node in enumerate(body):
            self.statement(node, executed=number < reached)

    def statement(self, node: syntax.Statement, *, executed: bool) -> None:  # noqa: C901, PLR0912 a dispatch over the language
        """Check a statement and what stands in it."""
        m = self.m
        if isinstance(node, syntax.GateDefinition | syntax.Subroutine):
            if executed:
                self.definition(node)
            else:
                self.attempt(node, lambda: execute(m, node))
        elif isinstance(node, syntax.If):
            self.branches(node, executed=executed)
        elif isinstance(node, syntax.For):
            self.counted_loop(node, executed=executed)
        elif isinstance(node, syntax.While):
            self.condition(node, executed=executed)
            self.loop(node.body)
        elif isinstance(node, syntax.Switch):
            if not executed:
                self.attempt(node, lambda: self.target(node))
            for inner in bodies(node):
                self.block(inner)
        elif isinstance(node, syntax.Box | syntax.Block):
            if not executed:
                self.attempt(node, lambda: execute(m, node))
            self.block(node.body)
        elif not executed:
            self.attempt(node, lambda: execute(m, node))
            self.name(node)
        elif isinstance(node, syntax.Declaration | syntax.Alias) and not self.is_global():
            self.attempt(node, lambda: execute(m, node), executed=True)
            self.name(node)

    def is_global(self) -> bool:
        """Tell whether the program's own scope is the innermost one."""
        return self.m.frame is self.m.globals and len(self.m.frame.scopes) == 1

    def attempt(self, node: syntax.Statement, run: Callable[[], object], *, executed: bool = False) -> None:
        """Execute something without effect; refuse what the text makes wrong, whatever the values."""
        m = self.m
        start = Mark(m)
        m.ops, m.operations, m.measured = [], 0, False
        try:
            run()
        except (ValueFault, Split):
            pass
        except SourceError as error:
            if error.code == ErrorCode.INVALID_CIRCUIT and not executed and not self.is_vague(node):
                raise
        start.restore(m)

    def is_vague(self, node: syntax.Statement) -> bool:
        """Tell whether a part of a register whose size is not known takes part in a statement."""
        for part in walk(self.m, [node]):
            if isinstance(part, syntax.Name) and part.name in self.vague:
                return True
            if isinstance(part, syntax.Range) and not all(
                bound is None or is_constant(self.m, bound) for bound in (part.start, part.step, part.stop)
            ):
                return True
        return False

    def name(self, node: syntax.Statement) -> None:
        """Make sure that a declared name stands for something, and for nothing certain if its statement does not."""
        if not isinstance(node, syntax.Declaration | syntax.Alias):
            return
        scope = self.m.frame.scopes[-1]
        if node.name not in scope:
            scope[node.name] = Variable(node.name, BIT, node.at, 0)
            self.vague.add(node.name)
        elif isinstance(node, syntax.Alias) and self.is_vague(node):
            self.vague.add(node.name)

    def block(self, body: list[syntax.Statement], variable: Variable | None = None) -> None:
        """Check a block in a scope of its own, that of a loop with its variable."""
        scopes = self.m.frame.scopes
        scopes.append({} if variable is None else {variable.name: variable})
        self.statements(body)
        scopes.pop()

    def loop(self, body: list[syntax.Statement], variable: Variable | None = None) -> None:
        """Check a loop's body."""
        flag = Variable("break", BOOL, 0, 0)
        self.m.frame.loops.append((flag, flag))
        self.block(body, variable)
        self.m.frame.loops.pop()

    def condition(self, node: syntax.If | syntax.While, *, executed: bool) -> None:
        """Check what a test looks at."""
        m = self.m

        def look() -> None:
            run_calls(m, node.condition)
            truth(m, evaluate(m, node.condition), node.condition.at)

        if not executed:
            test = syntax.ExpressionStatement(node.at, node.condition)
            self.attempt(test, look)

    def branches(self, node: syntax.If, *, executed: bool) -> None:
        """Check a chain of `else if`."""
        while True:
            self.condition(node, executed=executed)
            self.block(node.then)
            following = node.otherwise
            if not _is_chained(following):
                self.block(following)
                return
            inner = following[0]
            assert isinstance(inner, syntax.If)  # noqa: S101 - see `_is_chained`
            node, executed = inner, False

    def counted_loop(self, node: syntax.For, *, executed: bool) -> None:
        """Check a `for` with the first of its values."""
        m = self.m
        variable = Variable(node.name, Type("int", 64), node.at, 0)
        variable.readonly = COUNTER

        def look() -> None:
            run_calls(m, *parts(node.values))
            variable.type = resolve_type(m, node.type)
            variable.data = default(variable.type)
            first = next(iter(loop_values(m, node, variable.type)), None)
            if first is not None:
                convert(m, first, variable.type, node.values.at)

        head = syntax.For(node.at, node.type, node.name, node.values, [])
        self.attempt(head, look, executed=executed)
        self.loop(node.body, variable)

    def target(self, node: syntax.Switch) -> None:
        """Check what a `switch` looks at."""
        run_calls(self.m, node.target)
        heads(self.m, node)

    def definition(self, node: syntax.GateDefinition | syntax.Subroutine) -> None:
        """Check the body of a gate or a subroutine with operands of the declared types."""
        m = self.m
        if m.reached.get(id(node.body), 0) == len(node.body) and everything_reached(m, node.body):
            return
        outer, vague = m.frame, set(self.vague)
        if isinstance(node, syntax.GateDefinition):
            frame = Frame(None)
            frame.scopes[0].update({name: Variable(name, Type("float", 64), node.at, 0) for name in node.parameters})
            for variable in frame.scopes[0].values():
                assert isinstance(variable, Variable)  # noqa: S101 - there are only parameters so far
                variable.data, variable.readonly = 1.0, "a parameter of the gate"
            frame.scopes[0].update({name: self.operand(1, scalar=True) for name in node.qubits})
            m.in_gate, m.gates_before = True, node.at
        else:
            frame = Frame(node)
            self.attempt(syntax.Block(node.at, []), lambda: self.parameters(node, frame))
            frame.result = frame.result or Variable(node.name, BOOL, node.at, 0)
            frame.returned = Variable("return", BOOL, node.at, 0)
        m.frame = frame
        self.statements(node.body)
        m.frame, m.in_gate, m.gates_before = outer, False, float("inf")
        self.vague = vague

    def operand(self, count: int, *, scalar: bool) -> Qubits:
        """Return qubits that nothing else has."""
        self.qubits += count
        return Qubits(list(range(self.qubits - count, self.qubits)), scalar=scalar)

    def parameters(self, node: syntax.Subroutine, frame: Frame) -> None:
        """Give each parameter of a subroutine something of its type, and the call a place for its result."""
        m = self.m
        for parameter in node.parameters:
            # Whatever goes wrong below, the name is there.
            frame.scopes[0][parameter.name] = Variable(parameter.name, BIT, parameter.at, 0)
        for parameter in node.parameters:
            kind = parameter.type
            if kind.name == "qubit":
                count = 1 if kind.size is None else constant_integer(m, kind.size)
                frame.scopes[0][parameter.name] = self.operand(min(count, LIMITS.qubits), scalar=kind.size is None)
            elif kind.name == "array":
                frame.scopes[0][parameter.name] = self.array(parameter)
            else:
                frame.scopes[0][parameter.name] = Variable(parameter.name, resolve_type(m, kind), parameter.at, 0)
        if node.returns is not None:
            frame.result = Variable(node.name, resolve_type(m, node.returns), node.at, 0)

    def array(self, parameter: syntax.Parameter) -> Array:
        """Return an array of a parameter's type; where its dimensions are open, of one element."""
        m, node = self.m, parameter.type
        assert node.element is not None  # noqa: S101 - what the parser puts there
        element = resolve_type(m, node.element)
        dimensions = tuple(constant_integer(m, size) for size in node.dimensions)
        if node.rank is not None:
            dimensions = (1,) * constant_integer(m, node.rank)
            self.vague.add(parameter.name)
        total = 1
        for size in dimensions:
            total *= min(size, LIMITS.array_elements)
        m.budget.spend(total, parameter.at)
        elements = [Variable(parameter.name, element, parameter.at, 0) for _ in range(total)]
        return Array(element, dimensions, elements, "" if node.access == "mutable" else "a readonly array")
