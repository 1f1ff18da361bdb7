"""The state of a compilation: what is emitted, which variables exist and what is known about measured bits.

A classical bit of the circuit is a *cell*, an int. A variable's value is known while compiling, or its bits are nodes
over its own cells. Three mechanisms keep that sound where control depends on measurements:

- `branch` compiles both sides of a test on measured bits and merges what they assigned, bit by bit;
- `attempt` runs a statement that needs a number where only measured bits are: it is compiled once per value of those
  bits, each under a test (`Split`), within the limit `splits`;
- an *exit flag* is a variable that says whether a loop, subroutine or program has ended; what follows a statement that
  may have set it is guarded by it.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from reader.budget import ATTEMPT, BRANCH, KNOWN, OPERATION, PLACE, SHRINK, STEP
from reader.compiler.logic import Arithmetic, Bit, Node, cells, replaced
from reader.compiler.values import BITLIKE, BOOL, Type, Value, default, from_bits
from reader.errors import SourceError, ValueFault, too_large, unsupported
from reader.limits import LIMITS
from reader.notes import Notes
from reader.operations import If, Measure, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reader.budget import Budget
    from reader.operations import Operation, Power, Unitary
    from reader.text import syntax


WIDE = 64  # bits that one step deals with
_TEST = 20  # operations that a test counts for
_PAUSE = 250  # steps after which to pay for them


class Split(Exception):  # noqa: N818 - a request to the enclosing `attempt`, not an error
    """A statement needs to know this cell while compiling.

    `part` is the expression in it whose value depends on cells that are the statement's own.
    """

    def __init__(self, cell: int, at: int) -> None:
        super().__init__(cell)
        self.cell = cell
        self.at = at
        self.part: Part | None = None


class Part(NamedTuple):
    """An expression to work out before its statement: its node and type, and how to work it out in fewer bits."""

    node: syntax.Expression
    kind: Type
    narrow: Type
    evaluate: Callable[[], Value]


class Select:
    """The value of a variable that Aer cannot hold (a float, say): one of two, decided by a cell."""

    __slots__ = ("cell", "no", "yes")

    def __init__(self, cell: int, yes: Any, no: Any) -> None:  # noqa: ANN401 - any kind of value
        self.cell = cell
        self.yes = yes
        self.no = no


serials = itertools.count()  # tells which of two variables is the older one


class Variable:
    """A classical variable: `data` is its known value, a list of its bits, or a `Select`."""

    __slots__ = ("at", "base", "data", "depth", "name", "readonly", "serial", "type")

    def __init__(self, name: str, kind: Type, at: int, depth: int) -> None:
        self.name = name
        self.type = kind
        self.at = at
        self.depth = depth  # how many branches were open where it was declared
        self.data: Any = default(kind)
        self.base: int | None = None  # its first cell, once it has cells
        self.readonly = ""  # why it cannot be assigned to
        self.serial = next(serials)


class Array:
    """A view of an array: its dimensions and its elements, one variable each, row by row."""

    __slots__ = ("dimensions", "elements", "kind", "readonly")

    def __init__(self, kind: Type, dimensions: tuple[int, ...], elements: list[Variable], readonly: str = "") -> None:
        self.kind = kind
        self.dimensions = dimensions
        self.elements = elements
        self.readonly = readonly


class Bits:
    """A reference to single bits of variables: an index, a slice, or an alias."""

    __slots__ = ("places", "scalar")

    def __init__(self, places: list[tuple[Variable, int]], *, scalar: bool) -> None:
        self.places = places
        self.scalar = scalar


class Qubits:
    """A reference to qubits of the circuit; `scalar` when it is a single qubit and not a register of one."""

    __slots__ = ("places", "scalar")

    def __init__(self, places: list[int], *, scalar: bool) -> None:
        self.places = places
        self.scalar = scalar


Symbol = Variable | Array | Bits | Qubits


class Choice:
    """What an alias stands for where a cell decides: one of two symbols, or the fault of naming one."""

    __slots__ = ("cell", "no", "yes")

    def __init__(self, cell: int, yes: Symbol | Choice | ValueFault, no: Symbol | Choice | ValueFault) -> None:
        self.cell = cell
        self.yes = yes
        self.no = no


class Frame:
    """The scopes of the program or of a running subroutine, innermost last."""

    __slots__ = ("loops", "result", "returned", "scopes", "subroutine")

    def __init__(self, subroutine: syntax.Subroutine | None) -> None:
        self.subroutine = subroutine
        self.scopes: list[dict[str, Symbol | Choice]] = [{}]
        self.loops: list[tuple[Variable, Variable]] = []  # break flag and continue flag of each open loop
        self.result: Variable | None = None
        self.returned: Variable | None = None


class Machine:
    """Everything a compilation knows; `ops` is the operation list that is being filled."""

    def __init__(self, budget: Budget, *, legacy: bool) -> None:
        self.budget = budget
        # Of the budget, by this compilation; the step at which to pay next; operations, those taken back included.
        self.paid = self.pause = self.emitted = 0
        self.legacy = legacy
        self.ops: list[Operation] = []
        self.known: dict[int, int] = {}
        self.journal: list[tuple[Variable, int, Any]] = []
        self.here = 0  # where the running statement starts
        self.depth = 0  # open branches
        self.nesting = 0
        self.steps = 0
        self.iterations = 0
        self.operations = 0
        self.elements = 0
        self.splits = 0
        self.cells = 0
        self.free: list[int] = []  # single cells to use again
        self.rows: dict[int, list[int]] = {}  # width -> first cells of rows to use again
        self.dirty: set[int] = set()
        self.qubits = 0
        self.registers: list[tuple[str, int]] = []
        self.physical: dict[int, int] = {}
        self.phase = 0.0
        self.measured = False
        self.notes = Notes()
        self.real = False  # whether what is being worked out becomes an angle, an exponent or a float
        self.gates: dict[str, syntax.GateDefinition] = {}
        self.gates_before: float = math.inf  # where the gate that is being expanded was defined, else nowhere
        self.named: dict[syntax.For, bool] = {}  # whether a loop's body uses the loop's variable
        self.gate_cache: dict[tuple[str, tuple[Any, ...]], list[Unitary]] = {}
        self.powers: set[Power] = set()  # those whose matrices are paid for
        self.subroutines: dict[str, syntax.Subroutine] = {}
        self.externs: dict[str, int] = {}
        self.globals = Frame(None)
        self.frame = self.globals
        self.in_gate = False
        self.calls: dict[int, list[syntax.Call]] = {}
        self.results: dict[int, Variable] = {}
        self.old_calls: dict[int, syntax.Call] = {}
        self.temporaries: list[int] = []
        self.before = 0, 0  # how many cells and temporaries there were when the running statement began
        self.kept: dict[syntax.Expression, tuple[Part, Variable]] = {}  # parts of it, worked out first
        self.owned: list[Variable] = []  # what the running statement made and gives back: results of calls
        self.bare: dict[int, Variable] = {}  # qubit -> the implicit bit of a target-less measurement
        self.outputs: list[tuple[Variable, str]] = []  # global variables and their role
        self.measured_into: set[Variable] = set()
        self.inputs: Mapping[str, object] = {}
        self.arithmetic = Arithmetic(self.shrink)
        self.leaving = False  # whether any exit flag was ever set
        self.ended = Variable("end", BOOL, 0, 0)

    # ------------------------------------------------------------------ the language

    # Statements and expressions stand inside each other: their modules call one another through the machine.
    # `program.Compiler` is the machine that can do both.

    def evaluate(self, node: syntax.Expression) -> Value:
        """Return the value of an expression."""
        raise NotImplementedError

    def execute_body(self, body: list[syntax.Statement]) -> int:
        """Execute statements in order; returns how many there are before a sure end."""
        raise NotImplementedError

    def execute_block(self, body: list[syntax.Statement]) -> None:
        """Execute a block in a scope of its own."""
        self.frame.scopes.append({})
        self.enter(body[0].at if body else 0)
        self.execute_body(body)
        self.leave()
        self.give_back(self.frame.scopes.pop().values())

    # ------------------------------------------------------------------ limits

    def step(self, at: int) -> None:
        """Count one statement or expression."""
        self.steps += 1
        if self.steps > self.pause:
            self.look(at)

    def look(self, at: int) -> None:
        """Refuse too many steps, and pay for what was done since the last look."""
        if self.steps > LIMITS.steps:
            too_large(
                f"Working out this program takes more than {LIMITS.steps:,} steps.",
                at,
                LIMITS.steps,
                self.steps,
                "Use fewer loop iterations or gate definitions inside each other.",
            )
        self.pay(at)
        self.pause = min(self.steps + _PAUSE, LIMITS.steps)

    def pay(self, at: int) -> None:
        """Take from the request's budget what was done since the last time."""
        work = STEP * self.steps + OPERATION * self.emitted
        self.budget.spend(work - self.paid, at)
        self.paid = work

    def spend(self, steps: int, at: int) -> None:
        """Count work that one statement does many times over."""
        self.steps += steps
        self.step(at)

    def enter(self, at: int) -> None:
        """Count one more block, subroutine or gate inside another."""
        self.nesting += 1
        if self.nesting > LIMITS.nesting:
            too_large(
                f"Blocks, subroutines and gates nest deeper than {LIMITS.nesting} levels.",
                at,
                LIMITS.nesting,
                self.nesting,
                "A subroutine that calls itself cannot be compiled.",
            )

    def leave(self) -> None:
        """Come back from a block, subroutine or gate."""
        self.nesting -= 1

    def count(self, operations: int, at: int) -> None:
        """Count operations before they are emitted."""
        self.operations += operations
        self.emitted += operations
        if self.operations > LIMITS.operations:
            too_large(
                f"The program expands to more than {LIMITS.operations:,} operations.",
                at,
                LIMITS.operations,
                self.operations,
                "Use fewer gates, loop iterations or a smaller exponent of pow.",
            )

    def emit(self, operation: Operation, at: int) -> None:
        """Add an operation to the circuit."""
        self.count(1, at)
        self.ops.append(operation)

    # ------------------------------------------------------------------ cells

    def allocate(self, count: int, at: int) -> int:
        """Return the first of `count` new cells in a row."""
        first = self.cells
        self.cells += count
        if self.cells > LIMITS.clbits:
            too_large(
                f"The program needs more than {LIMITS.clbits:,} classical bits.",
                at,
                LIMITS.clbits,
                self.cells,
                "Declare smaller registers or narrower integers.",
            )
        return first

    def scratch(self, at: int) -> int:
        """Return a cell for an intermediate result; `release` gives it back when the statement is done."""
        cell = self.free.pop() if self.free else self.allocate(1, at)
        self.known.pop(cell, None)
        self.temporaries.append(cell)
        return cell

    def store(self, cell: int, bit: Bit, at: int) -> None:
        """Emit the assignment of a bit to a cell."""
        self.emit(Store(cell, bit), at)
        self.written(cell)
        if not isinstance(bit, Node):
            self.known[cell] = bit

    def written(self, cell: int) -> None:
        """Forget what was known about a cell."""
        self.known.pop(cell, None)
        self.dirty.add(cell)

    def shrink(self, bit: Bit) -> Bit:
        """Return the bit, stored in a scratch cell."""
        self.budget.spend(SHRINK, self.here)
        cell = self.scratch(self.here)
        self.store(cell, bit, self.here)
        return Node("bit", cell)

    def resolve(self, bit: Bit) -> Bit:
        """Return the bit, known if its cell is."""
        if isinstance(bit, Node) and bit.op == "bit":
            return self.known.get(bit.cell, bit)
        return bit

    # ------------------------------------------------------------------ variables

    def read(self, variable: Variable, at: int) -> Value:
        """Return a variable's value."""
        data = variable.data
        if isinstance(data, list):
            if len(data) > WIDE:
                self.spend(len(data) // WIDE, at)
            if self.known:
                known = self.known
                return from_bits(
                    variable.type,
                    tuple(known.get(b.cell, b) if isinstance(b, Node) else b for b in data),
                )
            return from_bits(variable.type, tuple(data))
        while isinstance(data, Select):
            which = self.known.get(data.cell)
            if which is None:
                raise Split(data.cell, at)
            data = data.yes if which else data.no
        return Value(variable.type, data)

    def read_bit(self, variable: Variable, index: int) -> Bit:
        """Return one bit of a bit-like variable."""
        data = variable.data
        if isinstance(data, list):
            return self.resolve(data[index])
        known: int = (data >> index) & 1
        return known

    def cell_of(self, variable: Variable, index: int, at: int) -> int:
        """Return the cell of a variable's bit."""
        base = variable.base
        if base is None:
            width = variable.type.width
            row = self.rows.get(width)
            variable.base = base = row.pop() if row else self.allocate(width, at)
            for cell in range(base, base + width):
                self.known.pop(cell, None)
        return base + index

    def give_back(self, variables: Iterable[object]) -> None:
        """Let the cells of variables that nothing can name any more be used again."""
        for variable in variables:
            if isinstance(variable, Variable) and variable.base is not None:
                self.rows.setdefault(variable.type.width, []).append(variable.base)
                variable.base = None

    def log(self, variable: Variable, index: int = -1) -> None:
        """Remember what a variable, or one of its bits, was."""
        if index < 0:
            data = variable.data
            self.journal.append((variable, -1, list(data) if isinstance(data, list) else data))
        else:
            self.journal.append((variable, index, variable.data[index]))

    def undo(self, mark: int) -> None:
        """Take back every assignment since the mark."""
        journal = self.journal
        while len(journal) > mark:
            variable, index, old = journal.pop()
            if index < 0:
                variable.data = old
            else:
                variable.data[index] = old

    def spread(self, variable: Variable) -> list[Bit]:
        """Return a bit-like variable's bits as the list that it holds from now on."""
        if not isinstance(variable.data, list):
            self.log(variable)
            number = variable.data
            variable.data = [(number >> index) & 1 for index in range(variable.type.width)]
        bits: list[Bit] = variable.data
        return bits

    def set_bit(self, variable: Variable, index: int, bit: Bit, at: int) -> None:
        """Assign one bit."""
        bits = self.spread(variable)
        if isinstance(bit, Node):
            cell = self.cell_of(variable, index, at)
            if not (bit.op == "bit" and bit.cell == cell):
                self.store(cell, bit, at)
                bit = Node("bit", cell)
        self.log(variable, index)
        bits[index] = bit

    def set(self, variable: Variable, value: Value, at: int) -> None:
        """Assign a value of the variable's own type."""
        data = value.data
        if variable.type.kind not in BITLIKE or not isinstance(data, tuple):
            self.log(variable)
            variable.data = data
            return
        self.set_bits([(variable, index) for index in range(variable.type.width)], data, at)

    def set_bits(self, places: list[tuple[Variable, int]], data: tuple[Bit, ...], at: int) -> None:
        """Assign bits to places."""
        self.spend(len(places) >> 2, at)
        self.budget.spend(PLACE * len(places), at)
        # A place may be overwritten before another bit reads it: such bits are copied first.
        targets = {
            variable.base + index: number
            for number, (variable, index) in enumerate(places)
            if variable.base is not None
        }
        copies: dict[int, Bit] = {}
        if targets:
            for number, bit in enumerate(data):
                for cell in cells(bit):
                    if targets.get(cell, number) < number and cell not in copies:
                        copies[cell] = self.shrink(Node("bit", cell))
        for (variable, index), bit in zip(places, data, strict=True):
            self.set_bit(variable, index, replaced(bit, copies) if copies else bit, at)

    def measure(self, qubit: int, variable: Variable, index: int, at: int) -> None:
        """Measure a qubit into a variable's bit."""
        cell = self.cell_of(variable, index, at)
        self.emit(Measure(qubit, cell), at)
        self.measured = True
        if variable.type.kind != "bit":
            self.measured_into.add(variable)
        self.written(cell)
        bits = self.spread(variable)
        self.log(variable, index)
        bits[index] = Node("bit", cell)

    # ------------------------------------------------------------------ control that depends on measurements

    def assume(self, bit: Bit, value: int) -> None:
        """Know from here on what a test has told."""
        if not isinstance(bit, Node):
            return
        if bit.op == "bit":
            self.known[bit.cell] = value
        elif isinstance(bit.a, Node):
            if bit.op == "!":
                self.assume(bit.a, 1 - value)
            elif bit.b is not None and ((bit.op == "&" and value) or (bit.op == "|" and not value)):
                self.assume(bit.a, value)
                self.assume(bit.b, value)

    def branch(  # noqa: C901 a dispatch over the language
        self,
        condition: Node,
        then: Callable[[], None] | None,
        otherwise: Callable[[], None] | None,
        at: int,
        *,
        inner: bool = True,
    ) -> None:
        """Compile both sides of a test and merge what they assigned; `inner` if the sides are scopes of their own."""
        self.budget.spend(BRANCH, at)
        self.enter(at)
        outer_ops, outer_known = self.ops, self.known
        sides: list[tuple[list[Operation], dict[Variable, Any], dict[int, int]]] = []
        self.depth += inner
        for value, run in ((1, then), (0, otherwise)):
            self.ops = []
            self.budget.spend(len(outer_known) >> KNOWN, at)
            self.known = dict(outer_known)
            self.assume(condition, value)
            mark = len(self.journal)
            if run is not None:
                run()
            changed: dict[Variable, Any] = {}
            for variable, _, _ in self.journal[mark:]:
                if variable.depth <= self.depth - inner and variable not in changed:
                    data = variable.data
                    changed[variable] = list(data) if isinstance(data, list) else data
            self.undo(mark)
            sides.append((self.ops, changed, self.known))
        self.depth -= inner
        (yes_ops, yes_changed, yes_known), (no_ops, no_changed, no_known) = sides
        merged: list[tuple[Variable, Any]] = []
        for variable in {**yes_changed, **no_changed}:
            yes, no = yes_changed.get(variable, variable.data), no_changed.get(variable, variable.data)
            self.ops, self.known = yes_ops, yes_known
            yes_bits, no_bits = _as_bits(variable, yes), _as_bits(variable, no)
            if yes_bits is None or no_bits is None:
                merged.append((variable, self._merge_other(yes, no, (yes_ops, yes_known), (no_ops, no_known), at)))
                continue
            result: list[Bit] = []
            for index, (yes_bit, no_bit) in enumerate(zip(yes_bits, no_bits, strict=True)):
                if yes_bit is no_bit or (not isinstance(yes_bit, Node) and yes_bit == no_bit):
                    result.append(yes_bit)
                    continue
                cell = self.cell_of(variable, index, at)
                for ops, known, bit in ((yes_ops, yes_known, yes_bit), (no_ops, no_known, no_bit)):
                    if not isinstance(bit, Node):
                        self.ops, self.known = ops, known
                        self.store(cell, bit, at)
                result.append(Node("bit", cell))
            merged.append((variable, result))
        self.ops = outer_ops
        self.known = {cell: value for cell, value in yes_known.items() if no_known.get(cell) == value}
        for variable, data in merged:
            self.log(variable)
            variable.data = data
        if yes_ops or no_ops:
            # A test is a circuit of its own to Qiskit and costs as much as many gates.
            self.count(_TEST, at)
            self.emit(If(condition, yes_ops, no_ops), at)
        self.leave()

    def _merge_other(
        self,
        yes: Any,  # noqa: ANN401 - any kind of value
        no: Any,  # noqa: ANN401 - any kind of value
        yes_side: tuple[list[Operation], dict[int, int]],
        no_side: tuple[list[Operation], dict[int, int]],
        at: int,
    ) -> Any:  # noqa: ANN401 - any kind of value
        """Return one value for two that a test decided between: a `Select` on a cell that remembers the test."""
        if yes is no or (not isinstance(yes, Select) and not isinstance(no, Select) and yes == no):
            return yes
        cell = self.allocate(1, at)
        for (ops, known), bit in ((yes_side, 1), (no_side, 0)):
            self.ops, self.known = ops, known
            self.store(cell, bit, at)
        return Select(cell, yes, no)

    def attempt(self, run: Callable[[], None], at: int) -> None:
        """Run a statement; where it needs measured bits while compiling, once per value of each under a test."""
        if not self.measured:  # no bit can be unknown yet
            try:
                run()
            except Split as split:
                _refuse_own(split)
            return
        self.budget.spend(ATTEMPT, at)
        start = Mark(self)
        before, self.before = self.before, (self.cells, len(self.temporaries))
        try:
            run()
        except Split as split:
            own, same_frame = self.is_own(split.cell), self.frame is start.frame
            start.restore(self)
            if not own:
                self.specialise(run, split, at)
            elif split.part is not None and same_frame:
                self.keep(split.part, run, at)
            else:
                _refuse_own(split)
        finally:
            self.before = before

    def specialise(self, run: Callable[[], None], split: Split, at: int) -> None:
        """Run a statement once for each value of a measured bit, under a test of that bit."""
        if self.splits >= LIMITS.splits:
            unsupported(
                f"This statement needs the values of more than {LIMITS.splits} measured bits.",
                split.at,
                "Use fewer measured bits here.",
            )
        self.spend(_TEST, at)
        faults: list[SourceError] = []

        def side() -> None:
            start = Mark(self)
            try:
                self.attempt(run, at)
            except ValueFault as error:
                # These measured values make the statement meaningless; most likely they never occur.
                start.restore(self)
                faults.append(error)

        self.splits += 1
        self.branch(Node("bit", split.cell), side, side, at, inner=False)
        self.splits -= 1
        if len(faults) > 1:
            raise faults[0] from None
        if faults:
            self.notes.add("Where a measured value divides by zero or is no index, its statement has no effect.")

    def is_own(self, cell: int) -> bool:
        """Tell whether the running statement made the cell, so that nothing is in it before."""
        cells_before, temporaries = self.before
        return cell >= cells_before or cell in self.temporaries[temporaries:]

    def keep(self, part: Part, run: Callable[[], None], at: int) -> None:
        """Run a statement after a part of it has been worked out and put into a variable."""
        self.spend(_TEST, at)
        variable = Variable("value", part.narrow, at, self.depth)
        self.owned.append(variable)
        self.attempt(lambda: self.set(variable, part.evaluate(), at), at)
        self.kept[part.node] = part, variable
        try:
            self.attempt(run, at)
        finally:
            self.kept.pop(part.node, None)

    def ended_by(self) -> Bit:
        """Return whether a loop, the subroutine or the program has been left at this point."""
        state: Bit = 0
        if not self.leaving:
            return state
        for flag in self.exits():
            data = flag.data
            if isinstance(data, list):
                bit = self.resolve(data[0])
                if isinstance(bit, Node):
                    state = Node("|", state, bit) if isinstance(state, Node) else (state or bit)
                    continue
                data = bit
            if data:
                return 1
        return state

    def exits(self) -> list[Variable]:
        """Return the flags that end what is running now."""
        frame = self.frame
        flags = [self.ended]
        if frame.returned is not None:
            flags.append(frame.returned)
        for pair in frame.loops:
            flags += pair
        return flags


class Mark:
    """Where a statement begins: what taking it back needs."""

    def __init__(self, m: Machine) -> None:
        self.journal = len(m.journal)
        self.ops, self.emitted = m.ops, len(m.ops)
        m.budget.spend(len(m.known) >> KNOWN, m.here)
        self.known, self.phase, self.splits = dict(m.known), m.phase, m.splits
        self.frame, self.nesting, self.depth, self.in_gate = m.frame, m.nesting, m.depth, m.in_gate
        self.scopes, self.loops = len(m.frame.scopes), len(m.frame.loops)

    def restore(self, m: Machine) -> None:
        """Take back everything since."""
        m.frame, m.nesting, m.depth, m.in_gate = self.frame, self.nesting, self.depth, self.in_gate
        del m.frame.scopes[self.scopes :], m.frame.loops[self.loops :]
        m.ops = self.ops
        del m.ops[self.emitted :]
        m.undo(self.journal)
        m.known, m.phase, m.splits = self.known, self.phase, self.splits


def _refuse_own(split: Split) -> NoReturn:
    unsupported(
        "This statement needs a value that it measures itself.",
        split.at,
        "Assign the measured value to a variable in a statement before.",
    )


def _as_bits(variable: Variable, data: Any) -> list[Bit] | None:  # noqa: ANN401 - any kind of value
    if variable.type.kind not in BITLIKE or variable.type.dimensions:
        return None
    if isinstance(data, list):
        return data
    return [(data >> index) & 1 for index in range(variable.type.width)]
