"""The state of a compilation: what is emitted, which variables exist and what is known about measured bits.

A classical bit of the circuit is a *cell*, an int. A variable's value is known while compiling, or its bits are nodes
over its own cells; `control` keeps that sound where control depends on measurements.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from reader.budget import OPERATION, PLACE, SHRINK, STEP
from reader.compiler.logic import Arithmetic, effective
from reader.compiler.symbols import Frame, Select, Variable
from reader.compiler.values import BITLIKE, BOOL, Type, Value, from_bits
from reader.errors import too_large
from reader.limits import LIMITS
from reader.notes import Notes
from reader.operations import Bit, Measure, Node, Store, cells, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reader.budget import Budget
    from reader.compiler.exact_numbers import Real
    from reader.operations import Matrix, Operation, Power, Unitary
    from reader.outline import Outline
    from reader.text import syntax
    from tasks.noise.channels import Error


WIDE = 64  # bits that one step deals with
GONE = 1 << 30  # the depth of variables that no longer exist: inside of any branch
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


class Decision(NamedTuple):
    """What a span decided, and numbers, linear in the span's ends, that are at least 0 as long as it decides so."""

    answer: tuple[str | int, ...]
    margins: tuple[int, ...]


class Machine(ABC):
    """Everything a compilation knows; `ops` is the operation list that is being filled.

    With `whole`, predefined gates that are made of others are left as they are, and delays are operations.
    """

    idle = vague = False  # in a length that has no effect; whether only hardware knows it

    def __init__(self, budget: Budget, *, legacy: bool, whole: bool = False) -> None:  # noqa: PLR0915 - the whole state
        self.budget = budget
        # Of the budget, by this compilation; the step at which to pay next; operations, those taken back included.
        self.paid = self.pause = self.emitted = 0
        self.legacy, self.whole = legacy, whole
        self.ops: list[Operation] = []
        self.known: dict[int, int] = {}
        self.journal: list[tuple[Variable, int, Any]] = []
        self.here = 0  # where the running statement starts
        self.reached: dict[int, int] = {}  # id of a body -> how many of its statements were executed
        self.heads_only = False  # whether bodies are left alone, see `unreached`
        self.depth = self.nesting = 0  # open branches; bodies and calls in each other
        self.steps = self.iterations = self.operations = 0
        self.elements = self.splits = self.cells = self.qubits = 0
        self.most = LIMITS.operations
        self.free: list[int] = []  # single cells to use again
        self.rows: dict[int, list[int]] = {}  # width -> first cells of rows to use again
        self.dirty: set[int] = set()
        self.registers: list[tuple[str, int]] = []
        self.physical: dict[int, int] = {}
        self.phase = 0.0
        self.notes = Notes()
        self.real = False  # whether what is being worked out becomes an angle, an exponent or a float
        # Whether the running statement had a float over `FINE`, which may be off; how often that was looked at.
        self.large, self.asked = False, 0
        self.gates: dict[str, syntax.GateDefinition] = {}
        self.predefined: set[str] = set()  # the names of those gates that are not the program's and were used so far
        self.gates_before: float = math.inf  # where the gate that is being expanded was defined, else nowhere
        self.sizes: dict[syntax.Assignment, int] = {}  # how many low bits of what they assign may be set
        # How many low bits hold a variable, the last of them its sign: until it is assigned to, or throughout a loop.
        self.signs: dict[Variable, int] = {}
        self.spans: dict[Variable, tuple[int, int]] = {}  # what sums of measured bits can be, until assigned to anew
        self.decisions: list[Decision] = []  # what spans have decided so far, see `spans`
        self.looped: frozenset[Variable] = frozenset()  # those of `signs` in the loops that are being compiled
        self.named: dict[syntax.For, bool] = {}  # whether a loop's body uses the loop's variable
        self.gate_cache: dict[tuple[str, tuple[Any, ...]], list[Unitary]] = {}
        self.outline: Outline | None = None  # where there is one, calls of gates stay calls
        self.powers: set[Power] = set()  # those whose matrices are paid for
        self.matrices: set[Matrix] = set()  # those known to be unitary
        self.channels: dict[syntax.NoisePragma, Error] = {}  # those of Kraus operators, made once
        self.requested: dict[syntax.ResultPragma, list[tuple[int, ...] | None]] = {}  # by Braket's result pragmas
        self.subroutines: dict[str, syntax.Subroutine] = {}
        self.externs: dict[str, int] = {}
        self.globals = self.frame = Frame(None)
        self.in_gate = self.measured = False
        self.calls: dict[int, list[syntax.Call]] = {}
        self.results: dict[int, Variable] = {}
        self.old_calls: dict[int, syntax.Call] = {}
        self.temporaries: list[int] = []
        self.before = 0, 0  # how many cells and temporaries there were when the running statement began
        self.kept: dict[syntax.Expression, tuple[Part, Variable]] = {}  # parts of it, worked out first
        self.owned: list[Variable] = []  # what the running statement made and gives back: results of calls
        self.feedback: dict[int, Variable] = {}  # bits that Braket's feed-forward keeps, by key
        self.bare: dict[int, Variable] = {}  # qubit -> the implicit bit of a target-less measurement
        self.outputs: list[tuple[Variable, str]] = []  # global variables and their role
        self.measured_into: set[Variable] = set()
        self.inputs: Mapping[str, object] = {}
        self.arithmetic = Arithmetic(self.shrink)
        self.leaving, self.ended = False, Variable("end", BOOL, 0, 0)  # `leaving`: whether any exit flag was ever set

    # ------------------------------------------------------------------ the language

    # Statements and expressions stand inside each other: their modules call one another through the machine.
    # `program.Compiler` is the machine that can do both.

    @abstractmethod
    def evaluate(self, node: syntax.Expression) -> Value:
        """Return the value of an expression."""

    @abstractmethod
    def sharpen(self, node: syntax.Expression, value: Value) -> Value:
        """Return the value of an expression that may be off, see `exact_values`."""

    @abstractmethod
    def exactly(self, node: syntax.Expression, kind: Type) -> Real | None:
        """Return what a constant of a type is exactly; None if that is not known."""

    @abstractmethod
    def execute_body(self, body: list[syntax.Statement]) -> int:
        """Execute statements in order; returns how many there are before a sure end."""

    def execute_block(self, body: list[syntax.Statement]) -> None:
        """Execute a block in a scope of its own."""
        self.frame.scopes.append({})
        self.enter(body[0].at if body else 0)
        self.execute_body(body)
        self.leave()
        self.give_back(self.frame.scopes.pop().values())

    def hint(self, current: str, older: str) -> str:
        """Return a hint in the words of the program's language: OpenQASM 3, or 2."""
        return older if self.legacy else current

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
                f"Compiling this program takes more than {LIMITS.steps:,} steps.",
                at,
                LIMITS.steps,
                self.steps,
                "Use fewer loop iterations or fewer nested gate definitions.",
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
        if self.operations > self.most:
            too_large(
                f"The program expands to more than {self.most:,} operations.",
                at,
                self.most,
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
            if self.signs and (size := self.signs.get(variable)):
                data = data[:size] + data[size - 1 : size] * (len(data) - size)
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
        """Let the cells of variables that nothing can name any more be used again; no test merges what they were."""
        for variable in variables:
            if not isinstance(variable, Variable):
                continue
            variable.depth = GONE
            if variable.base is not None:
                self.rows.setdefault(variable.type.width, []).append(variable.base)
                variable.base = None
                self.signs.pop(variable, None)
                self.spans.pop(variable, None)

    def log(self, variable: Variable, index: int = -1) -> None:
        """Remember what a variable, or one of its bits, was."""
        if self.signs or self.spans:
            self.forget_sign(variable)
        if index < 0:
            data = variable.data
            self.journal.append((variable, -1, list(data) if isinstance(data, list) else data))
        else:
            self.journal.append((variable, index, variable.data[index]))

    def forget_sign(self, variable: Variable) -> None:
        """Know no more of a variable's high bits, unless a loop around says what they are at every place."""
        self.spans.pop(variable, None)
        if variable not in self.looped:
            self.signs.pop(variable, None)

    def undo(self, mark: int) -> None:
        """Take back every assignment since the mark."""
        journal = self.journal
        while len(journal) > mark:
            variable, index, old = journal.pop()
            if self.signs or self.spans:
                self.forget_sign(variable)
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
        if isinstance(data[-1], Node) and variable.type.kind in ("int", "uint") and variable not in self.looped:
            size = effective(data, signed=True)
            if size < len(data):
                self.signs[variable] = size

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

    def is_own(self, cell: int) -> bool:
        """Tell whether the running statement made the cell, so that nothing is in it before."""
        cells_before, temporaries = self.before
        return cell >= cells_before or cell in self.temporaries[temporaries:]
