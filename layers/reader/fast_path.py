"""The fast path: a program that is a plain list of gates and measurements becomes operations without a syntax tree.

Gates that it defines at its beginning are read by the parser, and each is worked out once for each set of parameters.

It takes only statements it is sure of and refuses nothing: for anything else `scan` returns None and the parser reads
the program from the start, so that results and errors are the same with and without it.
"""

from __future__ import annotations

import re
from functools import partial
from math import pi
from typing import TYPE_CHECKING

from reader.budget import EXPRESSION
from reader.compiler.gate_tables import GATES, LEGACY_GATES, is_several
from reader.compiler.values import FINE, LARGEST
from reader.errors import SourceError
from reader.limits import LIMITS
from reader.operations import Barrier, Compiled, Gate, Measure, Output, Reset, gate_from, on_qubits
from reader.text.tokens import CONSTANTS, FUNCTIONS, KEYWORDS, LEGACY_KEYWORDS, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.budget import Budget
    from reader.compiler.gates import Standard
    from reader.operations import Operation, Unitary
    from reader.text.syntax import GateDefinition

# Possessive repetition (++, *+) keeps a match of a long text linear in time.
_PLACE = r"([A-Za-z_]\w*+)\s*+(?:\[\s*+(\d{1,6})\s*+\]\s*+)?"
_GATE = re.compile(
    rf"\s*+([A-Za-z_]\w*+)(?:\s*+\(([^;@{{}}\[\]\"]*)\)\s*+|\s++){_PLACE}(?:,\s*+{_PLACE}(?:,\s*+{_PLACE})?)?", re.ASCII
)
# The parser has a note on versions such as 2.1.
_NUMBER_OF_VERSION = r"(2(?=\.0|\s|;|\Z)|3)(?:\.[0-9])?"
_VERSION = re.compile(rf"\s*+OPENQASM\s++{_NUMBER_OF_VERSION}\s*+", re.ASCII)
_INCLUDE = re.compile(r'\s*+include\s*+"(?:stdgates|qelib1|hqslib1)\.inc"\s*+', re.ASCII)
_DECLARATION = re.compile(
    r"\s*+(?:(qubit|bit)(?:\s*+\[\s*+(\d{1,6})\s*+\]\s*+|\s++)([A-Za-z_]\w*+)"
    r"|(qreg|creg)\s++([A-Za-z_]\w*+)\s*+\[\s*+(\d{1,6})\s*+\])\s*+",
    re.ASCII,
)
_MEASURE = re.compile(rf"\s*+(?:{_PLACE}=\s*+measure\s++{_PLACE}|measure\s++{_PLACE}->\s*+{_PLACE})", re.ASCII)
_BARE = re.compile(rf"\s*+(measure|reset)\s++{_PLACE}", re.ASCII)
_BARRIER = re.compile(r"\s*+barrier(?:\s++([\w\[\]\s,]+))?\s*", re.ASCII)
_ONE = re.compile(rf"\s*+{_PLACE}", re.ASCII)
_NUMBER = re.compile(r"\s*+-?\s*+(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][+-]?\d{1,3})?\s*+", re.ASCII)
_TURN = re.compile(
    r"\s*+(-?)\s*+(?:(\d{1,15}|\d{0,15}\.\d{1,15})\s*+\*\s*+)?pi\s*+(?:([*/])\s*+(\d{1,15}))?\s*+", re.ASCII
)
# What may stand up to the last brace: the version, includes and definitions of gates.
_HEAD = re.compile(
    rf"(?:\s*+(?:OPENQASM\s++{_NUMBER_OF_VERSION}\s*+;|include\s*+\"(?:stdgates|qelib1|hqslib1)\.inc\"\s*+;"
    rf"|gate\s[^{{}};#\"]*+\{{[^{{}}#\"]*+\}}))++",
    re.ASCII,
)
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_LONGEST_PARAMETER = 80
_MOST_EXPRESSIONS = 5_000
_REMEMBERED = 4_096  # statements whose operations are used again where they are repeated
_SHORT = 8  # operations of a statement that is remembered: so many a statement cannot add up to much


class _NotFlat(Exception):  # noqa: N818 - not an error: the parser takes over
    """Something the fast path is not sure of."""


class _Qubits(dict[tuple[str, str], int]):
    """The qubit of a register's name and an index as they are written; each pair is looked at once."""

    def __init__(self, registers: dict[str, tuple[int, int]]) -> None:
        super().__init__()
        self.registers = registers

    def __missing__(self, place: tuple[str, str]) -> int:
        name, index = place
        number = self[place] = _one(self.registers, name, index)
        return number


class _Scan:
    """The registers and operations of a flat program, statement by statement."""

    def __init__(self, budget: Budget, *, legacy: bool, whole: bool) -> None:
        self.budget = budget
        self.legacy = legacy
        self.whole = whole
        self.table: dict[str, Standard] = LEGACY_GATES if legacy else GATES
        self.own: dict[str, Standard] = {}  # the program's gates, which are in the table too
        self.check: Callable[[], None] | None = None  # looks at those that the program does not use
        self.keywords = LEGACY_KEYWORDS if legacy else KEYWORDS
        self.quantum: dict[str, tuple[int, int]] = {}  # name -> first qubit, size
        self.numbers = _Qubits(self.quantum)
        self.classical: dict[str, tuple[int, int]] = {}  # name -> first cell, size
        self.single: set[str] = set()  # declared as one qubit, not as a register
        self.qubits = 0
        self.cells = 0
        self.operations: list[Operation] = []
        self.phase = 0.0
        self.measured = False
        self.parameters: dict[str, float] = {}
        self.evaluated = 0
        self.weight = 0
        self.seen: dict[str, list[Operation]] = {}

    # ------------------------------------------------------------------ gates

    def run(self, statements: list[str]) -> None:
        """Take every statement or raise `_NotFlat`."""
        match_gate = _GATE.fullmatch
        table = self.table
        seen = self.seen
        operations = self.operations
        extend = operations.extend
        for statement in statements:
            known = seen.get(statement)
            if known is not None:
                extend(known)
                continue
            match = match_gate(statement)
            if match is None or match[1] not in table:
                self.other(statement)
                continue
            phase = self.phase
            new = self.gate(match)
            if len(new) <= _SHORT and len(seen) < _REMEMBERED and self.phase == phase:
                seen[statement] = new
            extend(new)

    def define(self, text: str, body: int) -> None:
        """Take the gates that the program's beginning defines, up to its body, as the parser reads them."""
        from reader.compiler.gate_calls import expand  # noqa: PLC0415 - programs without definitions do without
        from reader.compiler.gates import Standard  # noqa: PLC0415 - the same
        from reader.compiler.program import Compiler  # noqa: PLC0415 - the same
        from reader.compiler.statements import execute_program  # noqa: PLC0415 - the same
        from reader.compiler.unreached import check  # noqa: PLC0415 - the same
        from reader.text.parser import parse  # noqa: PLC0415 - the same

        program = parse(text[:body], self.budget)
        machine = Compiler(self.budget, legacy=self.legacy, whole=self.whole)
        machine.notes.text = text
        execute_program(machine, program.body)
        self.check = partial(check, machine, program.body)
        if machine.notes.sentences:
            raise _NotFlat

        def expander(definition: GateDefinition) -> Callable[..., list[Unitary]]:
            def expanded(*values: float) -> list[Unitary]:
                operations = expand(machine, definition, values, definition.at)
                if machine.notes.sentences or machine.asked:
                    raise _NotFlat
                return operations

            return expanded

        self.own = {
            name: Standard(len(definition.parameters), len(definition.qubits), expander(definition))
            for name, definition in machine.gates.items()
        }
        self.table = self.table | self.own

    def gate(self, match: re.Match[str]) -> list[Operation]:
        """Return the operations of a gate statement."""
        name, arguments, a, a_index, b, b_index, c, c_index = match.groups()
        standard = self.table[name]
        values: tuple[float, ...] = ()
        if arguments is not None and (standard.parameters or arguments.strip()):
            values = tuple([self.parameter(part) for part in arguments.split(",")])
        if len(values) != standard.parameters:
            raise _NotFlat
        if a_index is not None and (b is None or b_index is not None) and (c is None or c_index is not None):
            numbers = self.numbers
            if b is None:
                qubits: tuple[int, ...] = (numbers[a, a_index],)
            elif c is None:
                qubits = (numbers[a, a_index], numbers[b, b_index])
            else:
                qubits = (numbers[a, a_index], numbers[b, b_index], numbers[c, c_index])
            return self.apply(name, standard, values, qubits)
        places = [self.many(self.quantum, a, a_index)]
        if b is not None:
            places.append(self.many(self.quantum, b, b_index))
        if c is not None:
            places.append(self.many(self.quantum, c, c_index))
        sizes = {len(place) for place in places}
        if len(sizes) != 1:
            raise _NotFlat
        result: list[Operation] = []
        for qubits in zip(*places, strict=True):
            result += self.apply(name, standard, values, qubits)
        return result

    def apply(
        self, name: str, standard: Standard, values: tuple[float, ...], qubits: tuple[int, ...]
    ) -> list[Operation]:
        """Return the operations of one gate on qubits."""
        size = len(qubits)
        if size != standard.qubits or (size > 1 and len(set(qubits)) < size):
            raise _NotFlat
        if standard.native:
            if self.own:
                self.weigh(1)
            return [gate_from((standard.native, values, qubits))]
        expanded = standard.expand(*values)
        if self.whole and name not in self.own and is_several(expanded):
            expanded = [gate_from((name, values, tuple(range(size))))]
        if self.own:
            self.weigh(len(expanded))
        result: list[Operation] = []
        for operation in expanded:
            if isinstance(operation, Gate) and operation.name == "gphase":
                self.phase += operation.parameters[0]
            else:
                result.append(on_qubits(operation, qubits))
        return result

    def weigh(self, operations: int) -> None:
        """Count what one statement may come to many of, before it is made."""
        self.weight += operations
        if self.weight > LIMITS.operations:
            raise _NotFlat

    def parameter(self, text: str) -> float:
        """Return a parameter: a number as it stands, anything else as the compiler evaluates it."""
        known = self.parameters.get(text)
        if known is not None:
            return known
        if len(text) > _LONGEST_PARAMETER:
            raise _NotFlat
        if _NUMBER.fullmatch(text):
            number = float("".join(text.split()))
            if not abs(number) <= LARGEST:
                raise _NotFlat
        elif (match := _TURN.fullmatch(text)) and match[4] != "0":
            # As the compiler works it out: from left to right in floats.
            number = float(match[2]) * pi if match[2] else pi
            if match[4]:
                number = number * float(match[4]) if match[3] == "*" else number / float(match[4])
            number = -number if match[1] else number
            if not abs(number) <= FINE:
                raise _NotFlat  # the compiler looks at it more closely
        else:
            number = self.evaluate(text)
        self.parameters[text] = number
        return number

    def evaluate(self, text: str) -> float:
        """Return an expression's value by the compiler's own means."""
        from reader.compiler.coercion import evaluate_real  # noqa: PLC0415 - programs with numbers only do without
        from reader.compiler.parameters import parameter  # noqa: PLC0415 - the same
        from reader.compiler.program import Compiler  # noqa: PLC0415 - the same
        from reader.text.openqasm2 import LegacyParser  # noqa: PLC0415 - the same
        from reader.text.statement_parser import StatementParser  # noqa: PLC0415 - the same

        self.evaluated += 1
        if self.evaluated > _MOST_EXPRESSIONS:
            raise _NotFlat
        self.budget.spend(EXPRESSION)
        parser = LegacyParser(text) if self.legacy else StatementParser(tokenize(text))
        node = parser.expression()
        if parser.token.kind != "end of text":
            raise _NotFlat
        machine = Compiler(self.budget, legacy=self.legacy)
        number = parameter(machine, node, evaluate_real(machine, node))
        if machine.notes.sentences or machine.asked:
            raise _NotFlat  # the parser knows where in the program they belong, and for which gate this is
        return number

    # ------------------------------------------------------------------ places

    def many(self, registers: dict[str, tuple[int, int]], name: str, index: str | None) -> list[int]:
        """Return the qubits or cells a place names."""
        if index is not None:
            if name in self.single:
                raise _NotFlat
            return [_one(registers, name, index)]
        first, size = registers[name]
        # One statement can name many: bound what they come to before making them.
        self.weigh(size)
        return list(range(first, first + size))

    # ------------------------------------------------------------------ everything else

    def other(self, statement: str) -> None:  # noqa: C901, PLR0912 a dispatch over the language
        """Take a declaration, measurement, reset, barrier or include."""
        if match := _MEASURE.fullmatch(statement):
            c, c_index, q, q_index, q2, q2_index, c2, c2_index = match.groups()
            if c is not None and self.legacy:
                raise _NotFlat
            qubits = self.many(self.quantum, q or q2, q_index if q else q2_index)
            cells = self.many(self.classical, c or c2, c_index if c else c2_index)
            if len(qubits) != len(cells):
                raise _NotFlat
            self.operations += [Measure(qubit, cell) for qubit, cell in zip(qubits, cells, strict=True)]
            self.measured = True
        elif match := _DECLARATION.fullmatch(statement):
            self.declare(match)
        elif match := _BARE.fullmatch(statement):
            qubits = self.many(self.quantum, match[2], match[3])
            if match[1] == "measure":
                raise _NotFlat  # rare, and its bits stand behind all registers
            self.operations += [Reset(qubit) for qubit in qubits]
        elif match := _BARRIER.fullmatch(statement):
            if match[1] is None:
                qubits = list(range(self.qubits))
                self.weigh(self.qubits)
            else:
                qubits = []
                for part in match[1].split(","):
                    place = _ONE.fullmatch(part)
                    if place is None:
                        raise _NotFlat
                    qubits += self.many(self.quantum, place[1], place[2])
            if qubits:
                self.operations.append(Barrier(tuple(dict.fromkeys(qubits))))
        elif not _INCLUDE.fullmatch(statement):
            raise _NotFlat

    def declare(self, match: re.Match[str]) -> None:
        """Declare a register."""
        kind = match[1] or match[4]
        name = match[3] or match[5]
        size = match[2] if match[1] else match[6]
        taken = name in self.quantum or name in self.classical or name in self.keywords or name in self.own
        if taken or name in CONSTANTS or name in FUNCTIONS or (self.legacy and kind in ("qubit", "bit")):
            raise _NotFlat
        count = 1 if size is None else int(size)
        if count < 1:
            raise _NotFlat
        if kind in ("qubit", "qreg"):
            self.quantum[name] = (self.qubits, count)
            self.qubits += count
        else:
            self.classical[name] = (self.cells, count)
            self.cells += count
        if size is None:
            self.single.add(name)

    def compiled(self, notes: list[str]) -> Compiled:
        """Return the program, if it is within the limits and its unused gates are right."""
        if self.check is not None:
            self.check()
        within = (
            self.qubits <= LIMITS.qubits and self.cells <= LIMITS.clbits and len(self.operations) <= LIMITS.operations
        )
        if not within:
            raise _NotFlat
        outputs = [Output(name, tuple(range(first, first + size))) for name, (first, size) in self.classical.items()]
        registers = [(name, size) for name, (_, size) in self.quantum.items()]
        return Compiled(self.operations, registers, outputs, self.cells, self.phase, notes, depends_on_inputs=False)


def _one(registers: dict[str, tuple[int, int]], name: str, index: str) -> int:
    """Return one qubit or cell of a register."""
    first, size = registers[name]
    number = int(index)
    if number >= size:
        raise _NotFlat
    return first + number


def _noted(text: str) -> list[str]:
    """Return the notes on the tool that the comments name."""
    from reader.exporter_flaws import notes_on_header  # noqa: PLC0415 - other programs do without

    return notes_on_header(text)


def scan(text: str, budget: Budget, *, counted: bool = True, whole: bool = False) -> Compiled | None:
    """Return a flat program's operations, or None where the parser must decide."""
    # What may not end is looked for up to the text's end; the gates are those of `TURNS`.
    endless = "/*" in text and text.rfind("/*") > text.rfind("*/")
    if endless or "@" in text or "\f" in text or "\v" in text or "gpi" in text or "ms(" in text:
        return None
    notes: list[str] = []
    if "//" in text or "/*" in text:
        notes = _noted(text) if "// Generated " in text else notes
        text = _COMMENT.sub(" ", text)
    body = text.rfind("}") + 1
    tests = "if (" in text or "if(" in text  # at the first one, all that was taken up to there would be for nothing
    if tests or ("{" in text and not _HEAD.fullmatch(text, 0, body)):
        return None
    statements = text[body:].split(";")
    if statements.pop().strip(" \t\r\n") or not statements:
        return None
    legacy = False
    if match := _VERSION.match(text):
        legacy = match[1] == "2"
        if not body:
            if not _VERSION.fullmatch(statements[0]):
                return None
            del statements[0]
    flat = _Scan(budget, legacy=legacy, whole=whole)
    try:
        if body:
            flat.define(text, body)
        flat.run(statements)
        return flat.compiled(notes) if flat.measured or not counted else None
    except (_NotFlat, KeyError, SourceError):
        return None
