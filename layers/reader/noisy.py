"""Puts a noise model's errors into the program, where engines find them as operations like any other.

    program, compiled with its gates whole ── rules ── program with channels and readout errors ── planner

Each gate is matched by its name and qubits. A predefined gate on two qubits that is made of others (`ch`), or one with
modifiers, has its own error once, if a rule is for it; else those of its parts that rules name have theirs. A gate on
more qubits that no rule names is decomposed, if rules are for gates on one and two qubits in general. What happened to
gates, and which rules matched nothing, is in the program's notes.

Waiting qubits (`idle`): each operation begins when all its qubits and the bits it reads are ready, and takes the
model's duration for its name; a qubit that is ready earlier waits, from its first operation on. Both sides of a test
take the time of the longer one, and a loop that of one round.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import reader
from reader.compiler.gate_tables import names_of, parts_of, wide_parts_of
from reader.compiler.gates import NATIVE
from reader.operations import (
    Barrier,
    Channel,
    Delay,
    Gate,
    If,
    Measure,
    Power,
    Reset,
    Store,
    While,
    cells_read,
    cells_written,
    on_qubits,
    qubit_numbers,
    qubits_of,
    walk,
)
from reader.swept import UnalikeError, has_swept
from tasks.errors import ErrorCode, TaskError
from tasks.noise.rules import DELAY, IDLE, MEASURE, ONE_QUBIT, RESET, TWO_QUBIT, Readout, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from reader.operations import AnyUnitary, Compiled, Operation
    from tasks.noise.channels import Error
    from tasks.noise.rules import Rules

    # What takes a gate over places apart into gates of a basis, of at most two qubits.
    Unrolled: TypeAlias = Callable[[AnyUnitary, tuple[str, ...]], tuple[Gate, ...]]

MAX_CHANNELS = 400_000  # in one program
_SHOWN = 8  # names in a note
# What a gate without an own definition in the library is decomposed into.
BASIS = ("cx", "h", "p", "rx", "ry", "rz", "s", "sdg", "sx", "t", "tdg", "u", "x", "y", "z", "cz", "cp", "swap")


class _Around(NamedTuple):
    """The errors before and after an operation."""

    before: tuple[Channel, ...]
    after: tuple[Channel, ...]


_NOTHING = _Around((), ())


def noisy(program: Compiled, rules: Rules, unrolled: Unrolled | None = None) -> Compiled:
    """Return the program with the errors of these rules; it was compiled with `whole`.

    `unrolled` takes wide gates apart, as `aer.unrolled` does with Qiskit. Without it, as in the api, those whose
    parts are not known are refused. Raises TaskError (`invalid_inputs`, `circuit_too_large`, `unsupported_feature`).
    """
    numbers = qubit_numbers(program.registers)
    rules.refuse_unknown(max(numbers, default=-1) + 1, reader.gate_names())
    walker = _Walk(rules, numbers, unrolled)
    operations = walker.without_what_is_behind(walker.over(program.operations, _Clock()))
    return program._replace(operations=operations, notes=[*program.notes, *walker.notes()])


class _Clock:
    """When each qubit and cell is ready, in seconds from the start."""

    __slots__ = ("cells", "qubits")

    def __init__(self, qubits: dict[int, float] | None = None, cells: dict[int, float] | None = None) -> None:
        self.qubits = qubits or {}
        self.cells = cells or {}

    def copy(self) -> _Clock:
        return _Clock(dict(self.qubits), dict(self.cells))


class _Walk:
    """The running state of `noisy`."""

    def __init__(self, rules: Rules, numbers: Sequence[int], unrolled: Unrolled | None) -> None:
        self.rules = rules
        self.unrolled = unrolled
        self.numbers = numbers  # of the qubits, in rules
        self.there = frozenset(numbers)
        self.idle = [rule for rule in rules.rules if rule.gates is not None and IDLE in rule.gates]
        self.general: list[tuple[int, Rule]] = []
        # Rules of named qubits: a model of a device has thousands.
        self.placed: dict[int | tuple[int, ...], list[tuple[int, Rule]]] = {}
        for number, rule in enumerate(rules.rules):
            if rule in self.idle:
                continue
            if rule.qubits is None:
                self.general.append((number, rule))
            for each in rule.qubits or ():
                self.placed.setdefault(each, []).append((number, rule))
        self.general_rules = any(
            rule.gates is None or not rule.gates.isdisjoint((ONE_QUBIT, TWO_QUBIT)) for rule in rules.rules
        )
        self.around: dict[tuple[str, tuple[int, ...], float, bool], _Around] = {}
        self.readouts: dict[int, Readout | None] = {}
        self.matched: set[Rule | Readout] = set()
        self.decomposed: dict[str, str] = {}  # gates that were decomposed, and what became of their errors
        self.perfect: set[str] = set()
        self.channels = 0
        # Gates that were put down as they are, by name and qubits: where no qubit waits, so is each like them.
        self.simple: dict[tuple[str, tuple[int, ...]], _Around] = {}
        self.behind: set[int] = set()  # the errors behind measurements, by identity: `around` has them

    # ------------------------------------------------------------------ operations

    def over(self, operations: Iterable[Operation], clock: _Clock) -> list[Operation]:  # noqa: C901, PLR0912 - a kind each
        """Return operations with their errors."""
        kept: list[Operation] = []
        simple = self.simple
        for operation in operations:
            if type(operation) is Gate and (around := simple.get((operation.name, operation.qubits))) is not None:
                # Most of a program.
                before, after = around
                kept += before
                kept.append(operation)
                kept += after
                self.count(len(before) + len(after))
            elif isinstance(operation, If):
                kept.append(self.test(operation, clock, kept))
            elif isinstance(operation, While):
                self.together(operation, clock, kept)
                kept.append(While(operation.cell, self.over(operation.body, clock)))
            elif isinstance(operation, Delay):
                for qubit in operation.qubits:  # type: ignore[unreachable]  # only programs compiled for noise have any
                    self.plain(operation, DELAY, (qubit,), operation.seconds, clock, kept)
            elif isinstance(operation, Measure):
                readout = self.readout(operation.qubit)
                noisy = operation if readout is None else operation._replace(flips=readout.flips)
                self.plain(noisy, MEASURE, (operation.qubit,), self.seconds(MEASURE), clock, kept)
            elif isinstance(operation, Reset):
                self.plain(operation, RESET, (operation.qubit,), self.seconds(RESET), clock, kept)
            elif isinstance(operation, Barrier):
                self.wait(operation, clock, kept)
                kept.append(operation)
            elif isinstance(operation, Store):
                if self.idle:
                    ready = max((clock.cells.get(cell, 0.0) for cell in cells_read(operation)), default=0.0)
                    clock.cells[operation.cell] = ready
                kept.append(operation)
            elif isinstance(operation, Channel):
                kept.append(operation)
            else:
                self.gate(operation, clock, kept)
        return kept

    def without_what_is_behind(self, operations: list[Operation]) -> list[Operation]:
        """Leave out the errors after final measurements: nothing sees them, and results are of the state before.

        Final is a measurement whose qubit nothing uses afterwards, and whose bit nothing but another measurement.
        """
        if not self.behind:
            return operations
        kept: list[Operation] = []
        used: set[int] = set()
        bits: set[int] = set()
        waiting: list[Operation] = []
        for operation in reversed(operations):
            if isinstance(operation, Channel) and id(operation) in self.behind and used.isdisjoint(operation.qubits):
                waiting.append(operation)
                continue
            if waiting and isinstance(operation, Measure) and operation.cell in bits:
                kept += waiting
            waiting = []
            for inner in walk([operation]):
                used.update(() if isinstance(inner, Barrier) else qubits_of(inner))
                bits.update(cells_read(inner), () if isinstance(inner, Measure) else cells_written(inner))
            if isinstance(operation, Measure):
                bits.discard(operation.cell)
            kept.append(operation)
        return kept[::-1]

    def plain(  # noqa: PLR0913 - an operation and where it belongs
        self,
        operation: Operation,
        name: str,
        qubits: tuple[int, ...],
        seconds: float,
        clock: _Clock,
        kept: list[Operation],
    ) -> None:
        """Put an operation down with the errors around it."""
        around = self.errors(name, qubits, seconds)
        if name == MEASURE:
            self.behind.update(map(id, around.after))
        if around is _NOTHING and not self.idle:
            if name != DELAY:
                kept.append(operation)
            return
        self.wait(operation, clock, kept, seconds)
        kept += around.before
        if name != DELAY:
            kept.append(operation)
        kept += around.after
        self.count(len(around.before) + len(around.after))

    def gate(self, gate: AnyUnitary, clock: _Clock, kept: list[Operation], *, by_name: bool = False) -> None:
        """Put a gate down, as it is or as what it is made of; `by_name` with the errors of rules that name it alone."""
        name, qubits = gate.name, gate.qubits
        if not qubits:
            kept.append(gate)
            return
        wide = len(qubits) > 2  # noqa: PLR2004 - the widest that rules mean without naming it
        seconds = self.seconds(name, len(qubits))
        around = self.errors(name, qubits, seconds, by_name=by_name)
        whole = around is not _NOTHING
        parts = parts_of(gate)
        if wide and not whole and not parts and self.general_rules:
            parts = self.taken_apart(gate)
        placed = [on_qubits(part, qubits) for part in parts]
        inside = not whole and any(
            self.errors(part.name, part.qubits, 0.0, by_name=not wide) is not _NOTHING for part in placed
        )
        if inside:
            names = ", ".join(dict.fromkeys(part.name for part in parts))
            self.decomposed[name] = f"{name} was decomposed into {len(parts)} gates ({names}); each has its own error."
            for part in placed:
                self.gate(part, clock, kept, by_name=by_name or not wide)
            return
        self.wait(gate, clock, kept, seconds)
        kept += around.before
        kept += placed or [gate]
        kept += around.after
        self.count(len(around.before) + len(around.after))
        if not whole:
            self.perfect.add(name)
        if name in NATIVE and not parts and not by_name and not self.idle:
            self.simple[name, qubits] = around
        elif whole and placed:
            self.decomposed[name] = f"{name} runs as {len(parts)} gates; its error is applied once, to the whole gate."

    def taken_apart(self, gate: AnyUnitary) -> Sequence[Gate]:
        """Return a wide gate as gates on one and two qubits, over places."""
        if isinstance(gate, Gate) and has_swept(gate.parameters):
            raise UnalikeError
        if known := wide_parts_of(gate):
            return known
        if self.unrolled is None:
            raise TaskError(
                ErrorCode.UNSUPPORTED_FEATURE,
                f"The noise of {gate.name} on {len(gate.qubits)} qubits cannot be written: Qiskit decomposes the gate "
                "when the task runs.",
                hint="Define the gate in the program by gates on one and two qubits."
                if isinstance(gate, Gate | Power)
                else "Use matrices on at most two qubits; an observable with one letter for each qubit needs none.",
            )
        if isinstance(gate, Gate):
            return _apart(self.unrolled, gate.name, gate.parameters, len(gate.qubits))
        return self.unrolled(gate._replace(qubits=tuple(range(len(gate.qubits)))), BASIS)

    def count(self, channels: int) -> None:
        self.channels += channels
        if self.channels > MAX_CHANNELS:
            raise TaskError(
                ErrorCode.CIRCUIT_TOO_LARGE,
                f"The noise puts more than {MAX_CHANNELS:,} errors into the circuit.",
                limit=MAX_CHANNELS,
                hint="Use fewer rules or fewer gates.",
            )

    # ------------------------------------------------------------------ matching

    def errors(self, name: str, qubits: tuple[int, ...], seconds: float, *, by_name: bool = False) -> _Around:
        """Return the errors of an operation."""
        key = (name, qubits, seconds if name == DELAY else 0.0, by_name)
        found = self.around.get(key)
        if found is None:
            found = self.around[key] = self.matching(name, qubits, seconds, by_name=by_name)
        return found

    def matching(self, name: str, qubits: tuple[int, ...], seconds: float, *, by_name: bool) -> _Around:
        candidates = {id(rule): (number, rule) for number, rule in self.general}
        known = tuple(self.numbers[qubit] for qubit in qubits)
        places: list[int | tuple[int, ...]] = [known, *known]
        for place in places:
            candidates |= {id(rule): (number, rule) for number, rule in self.placed.get(place, ())}
        before: list[Channel] = []
        after: list[Channel] = []
        for _, rule in sorted(candidates.values(), key=lambda pair: pair[0]):
            error = None if known in rule.but else _error(rule, name, len(qubits), seconds, by_name=by_name)
            if error is None:
                continue
            named = rule.qubits or ()
            whole = rule.qubits is None or known in named
            if error.qubits == len(qubits):
                where = [qubits] if whole or all(number in named for number in known) else []
            else:
                where = [(qubits[at],) for at, number in enumerate(known) if whole or number in named]
            if where:
                self.matched.add(rule)
                (before if rule.before else after).extend(Channel(error, each) for each in where)
        return _Around(tuple(before), tuple(after)) if before or after else _NOTHING

    def readout(self, qubit: int) -> Readout | None:
        """Return the last readout error for a qubit."""
        if qubit not in self.readouts:
            number = self.numbers[qubit]
            fitting = [each for each in self.rules.readouts if each.qubits is None or number in each.qubits]
            self.readouts[qubit] = fitting[-1] if fitting else None
        found = self.readouts[qubit]
        if found is not None:
            self.matched.add(found)
        return found

    # ------------------------------------------------------------------ waiting

    def seconds(self, name: str, width: int = 1) -> float:
        durations = self.rules.durations
        if not durations:
            return 0.0
        return next((durations[each] for each in names_of(name, width) if each in durations), 0.0)

    def wait(self, operation: Operation, clock: _Clock, kept: list[Operation], seconds: float = 0.0) -> None:
        """Let the qubits of an operation wait for one another, and note when they are ready again."""
        if not self.idle:
            return
        qubits = qubits_of(operation)
        ready = max((clock.qubits.get(qubit, 0.0) for qubit in qubits), default=0.0)
        self.until(ready, qubits, clock, kept)
        for qubit in qubits:
            clock.qubits[qubit] = ready + seconds
        for cell in cells_written(operation):
            clock.cells[cell] = ready + seconds

    def until(self, ready: float, qubits: Iterable[int], clock: _Clock, kept: list[Operation]) -> None:
        """Let qubits wait until a time."""
        for qubit in qubits:
            waited = ready - clock.qubits.get(qubit, ready)
            clock.qubits[qubit] = ready
            if waited > 0:
                for rule in self.idle:
                    error = rule.error(IDLE, 1, waited)
                    number = self.numbers[qubit]
                    if error is not None and (rule.qubits is None or not rule.qubits.isdisjoint((number, (number,)))):
                        self.matched.add(rule)
                        self.count(1)
                        kept.append(Channel(error, (qubit,)))

    def together(self, operation: If | While, clock: _Clock, kept: list[Operation]) -> list[int]:
        """Let all qubits of a test or loop wait until each of them and its condition is ready."""
        if not self.idle:
            return []
        inside = [inner for inner in walk([operation]) if not isinstance(inner, If | While)]
        qubits = sorted({qubit for inner in inside for qubit in qubits_of(inner)})
        ready = [clock.qubits.get(qubit, 0.0) for qubit in qubits]
        ready += [clock.cells.get(cell, 0.0) for cell in cells_read(operation)]
        self.until(max(ready, default=0.0), qubits, clock, kept)
        return qubits

    def test(self, operation: If, clock: _Clock, kept: list[Operation]) -> If:
        """Return a test with errors on both sides, which take the same time."""
        qubits = self.together(operation, clock, kept)
        other = clock.copy() if self.idle else clock
        then = self.over(operation.then, clock)
        otherwise = self.over(operation.otherwise, other)
        if self.idle:
            last = max((each.qubits[qubit] for each in (clock, other) for qubit in qubits), default=0.0)
            self.until(last, qubits, clock, then)
            self.until(last, qubits, other, otherwise)
            for cell, ready in other.cells.items():
                clock.cells[cell] = max(ready, clock.cells.get(cell, 0.0))
        return If(operation.condition, then, otherwise)

    # ------------------------------------------------------------------ notes

    def is_about(self, rule: Rule | Readout) -> bool:
        """Tell whether a rule is for qubits of this program, at least in part; a device has more."""
        return rule.qubits is None or any(
            self.there.issuperset((each,) if isinstance(each, int) else each) for each in rule.qubits
        )

    def notes(self) -> list[str]:
        """Return what the owner should know of the noise."""
        notes = [*self.decomposed.values()][:_SHOWN]
        every: tuple[Rule | Readout, ...] = (*self.rules.rules, *self.rules.readouts)
        unmatched = [each.label for each in every if each not in self.matched and self.is_about(each)]
        if unmatched:
            more = f" and {len(unmatched) - _SHOWN} more" if len(unmatched) > _SHOWN else ""
            notes.append(f"These rules matched no operation of the program: {', '.join(unmatched[:_SHOWN])}{more}.")
        if self.perfect and self.rules.on_gates and not self.general_rules:
            names = sorted(self.perfect)
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            notes.append(f"The noise has no rule for {', '.join(names[:_SHOWN])}{more}, which ran without errors.")
        return notes


def _error(rule: Rule, name: str, width: int, seconds: float, *, by_name: bool) -> Error | None:
    """Return a rule's error for an operation, by any of its names."""
    for each in names_of(name, width):
        if rule.names(each, width, by_name=by_name):
            error = rule.error(each, width, seconds)
            if error is not None:
                return error
    return None


@lru_cache(maxsize=256)
def _apart(unrolled: Unrolled, name: str, parameters: tuple[float, ...], width: int) -> tuple[Gate, ...]:
    """Return a native gate as gates on one and two qubits, over places."""
    return unrolled(Gate(name, parameters, tuple(range(width))), BASIS)
