"""The executable meaning of OpenQASM 3: what outcomes a program has, and with which exact probabilities.

It walks the syntax tree of the reference parser, statement by statement, over a pure state, or a mixed one where there
is noise, and knows nothing of the product's reader: tests compare the two. A measurement picks one outcome; the program
is run again for every sequence of outcomes it can see, most probable first, so that a run itself is as plain as the
language. Slow, and meant to be read.

Where the specification is open or surprising, the product and this interpreter have decided alike:

- Qubits start in |0>. A variable without a value is zero each time its declaration runs, in every round of a loop.
- The built-in is U(t, p, l) = exp(i t/2) times Qiskit's; u2 and u3 have determinant one. It shows under `ctrl @` and
  `pow @` only, where Qiskit's importer differs. `cu` is Qiskit's; `u` and `cu3`, not in stdgates.inc, are Qiskit's too.
- A gate's body means the gates defined before it. Its parameters are real numbers: `rx(t / 2)` halves a t of 1.
- `1/2` is 0, also in `pow(1/2) @` and in rus.qasm's `arccos(3 / 5)`. A plain `int` and an integer literal have 64
  bits; of two widths the wider counts, of one width unsigned; `uint[4] + uint[4]` wraps at 16, `uint[4] + 1` does not.
- `/` and `%` truncate towards zero; signed overflow wraps; `>>` of an int keeps its sign; a shift by the width gives 0.
- `int[n](bits)` is two's complement: `int[2]("11")` is -1. A register beside an integer counts as unsigned.
- An angle is in [0, 2 pi), never negative; a float is rounded to the nearest, ties to even.
- Negative positions count from the end, in ranges too. A scope ends with its block: `let` in a loop is gone after it.
- `&&` and `||` leave out a right side that cannot matter. In a `def` globals are read-only and global qubits unseen.
- Noise follows each gate of the standard library, with its modifiers; one that the program defines is noisy gate by
  gate. What noise is on three qubits, or on modifiers of such a gate, depends on how they are taken apart, so here it
  has no meaning. Nor has it under rules, which may name a gate that modifiers make another.
- A noise pragma of Braket's is a channel at its place. Its first qubit is the most significant of Kraus operators.
- The counts hold all global bit registers in order, else what `output` names, and `meas` for measurements without a
  target. What a measured `end` or a test leaves out stays zero: every key has the same registers.
"""

from __future__ import annotations

import heapq
import math
import re
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from functools import cache, lru_cache, singledispatchmethod
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import openqasm3
from openqasm3 import ast
from openqasm3.ast import QASMNode

from oracle import quantum
from oracle.arithmetic import binary, call, unary
from oracle.channels import of_pragma
from oracle.mixed import MixedState, Noise
from oracle.quantum import Matrix, State, Unitary
from oracle.references import (
    ArrayView,
    Bits,
    Qubits,
    Range,
    Reference,
    Subscript,
    Variable,
    bits_of,
    index_qubits,
    index_reference,
)
from oracle.standard_gates import QISKIT_GATES, STANDARD_GATES
from oracle.values import (
    BIT,
    BOOL,
    COMPLEX,
    DURATION,
    FLOAT,
    INT,
    MACHINE_WIDTH,
    UINT,
    ArrayType,
    ArrayValue,
    OracleError,
    Scalar,
    ScalarType,
    Type,
    Value,
    cast,
    cast_scalar,
    number,
    truth,
    wrap,
    zero,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


# An outcome less likely than this is rounding error of a state that cannot give it.
IMPOSSIBLE = 1e-12
# A sequence of outcomes less likely than this is given up, its probability counted as lost.
NEGLIGIBLE = 1e-14
MOST_STATEMENTS = 20_000
MOST_RUNS = 20_000

_CONSTANTS = {"pi": math.pi, "π": math.pi, "tau": math.tau, "τ": math.tau, "euler": math.e, "ℇ": math.e}
_SECONDS = {unit: Fraction(1, 10**place) for unit, place in (("dt", 9), ("ns", 9), ("us", 6), ("ms", 3), ("s", 0))}
_INCLUDES = ("stdgates.inc", "qelib1.inc")


@dataclass(frozen=True)
class Outcomes:
    """The probability of every key, and how much probability belongs to runs that were not followed to their end.

    `values` are the means of the observables over the states that the runs end in, `density` is the mean of the states
    themselves. `state` is the one of a program that has one run, its phase included. Qubit 0 is the lowest bit of an
    index. Both are None where they were not asked for.
    """

    probabilities: dict[str, float]
    lost: float
    values: tuple[float, ...] = ()
    density: Matrix | None = None
    state: Matrix | None = None


def distribution(text: str, inputs: dict[str, Any] | None = None) -> dict[str, float]:
    """Return the probability of every key that counts can have, up to 1e-9; OracleError if the program has no meaning.

    A key has one bit string per output register, as in Qiskit: the last declared leftmost, the highest index leftmost.
    """
    return explore(text, inputs).probabilities


def explore(
    text: str,
    inputs: dict[str, Any] | None = None,
    *,
    tolerance: float = 1e-9,
    noise: Noise | None = None,
    observables: Sequence[Sequence[tuple[str, float]]] = (),
    states: bool = False,
) -> Outcomes:
    """Return the outcomes, following runs until at most `tolerance` of probability is left.

    With `noise` or `observables` over mixed states, on which resets part no runs. Observables are Pauli sums; with
    them a program need not measure, nor with `states`, which asks for the states that runs end in.
    """
    mixed = (noise or Noise()) if noise or observables or "braket noise" in text else None
    program = parsed(text)
    physical = sorted({int(digits) for digits in re.findall(r"\$(\d+)", text)})
    finished: list[Run] = []
    order = count()
    pending: list[tuple[float, int, tuple[int, ...]]] = [(-1.0, next(order), ())]
    lost = 0.0
    left = 1.0
    for _ in range(MOST_RUNS):
        if not pending or left + lost <= tolerance:
            break
        chance, _, choices = heapq.heappop(pending)
        run = Run(program, inputs or {}, physical, choices, mixed)
        try:
            run.all()
        except _TooUnlikely:
            lost += run.probability
        else:
            finished.append(run)
        left += chance
        for other, alternative in run.forks:
            heapq.heappush(pending, (-other, next(order), alternative))
            left += other
    lost += sum(-chance for chance, _, _ in pending)
    if lost > tolerance:
        raise OracleError(f"{lost} of the probability belongs to more runs than can be followed")
    unassigned = sorted({qubit for run in finished for qubit in run.unassigned})
    probabilities: dict[str, float] = {}
    values = [0.0] * len(observables)
    density = sum(run.probability * run.state.density() for run in finished) if states else None
    state = finished[0].state.vector() if states and mixed is None and len(finished) == 1 else None  # type: ignore[union-attr]
    for run in finished:
        if not (observables or states) or unassigned or output_names(program):
            key = run.key(unassigned)
            probabilities[key] = probabilities.get(key, 0.0) + run.probability
        for index, terms in enumerate(observables):
            assert isinstance(run.state, MixedState)
            values[index] += run.probability * sum(factor * run.state.expectation(pauli) for pauli, factor in terms)
    return Outcomes(probabilities, lost, tuple(values), density, state)


@lru_cache(maxsize=64)
def parsed(text: str) -> ast.Program:
    """Return the syntax tree of a program, which nothing changes: the reference parser takes longer than many runs."""
    try:
        return openqasm3.parse(text)
    except Exception as error:  # the parser raises whatever its tree builder trips over
        raise OracleError("the program does not parse") from error


class _ByNode(singledispatchmethod):
    """A method for each kind of node. Python's own makes a function at each call, a fifth of what a program takes."""

    def __init__(self, func: Any) -> None:
        super().__init__(func)
        self._method_of = cache(self.dispatcher.dispatch)

    def __get__(self, run: Any, cls: Any = None) -> Any:
        method_of = self._method_of
        return lambda node: method_of(type(node))(run, node)


class _Break(Exception):  # noqa: N818 - these four are jumps, not errors
    pass


class _Continue(Exception):  # noqa: N818
    pass


class _End(Exception):  # noqa: N818
    pass


class _Return(Exception):  # noqa: N818
    def __init__(self, value: Value | None) -> None:
        super().__init__()
        self.value = value


class _TooUnlikely(Exception):  # noqa: N818
    pass


@dataclass(frozen=True, eq=False)
class Gate:
    """A gate definition with the gates that were defined before it, the only ones its body can mean."""

    definition: ast.QuantumGateDefinition
    known: dict[str, Gate]


@cache
def library() -> dict[str, Gate]:
    """Return the gates that need no definition."""
    gates: dict[str, Gate] = {}
    for statement in openqasm3.parse(STANDARD_GATES + QISKIT_GATES).statements:
        assert isinstance(statement, ast.QuantumGateDefinition)
        gates[statement.name.name] = Gate(statement, dict(gates))
    return gates


class Scope:
    """The names declared in a block, and the block around it. A subroutine does not see the program's qubits."""

    def __init__(self, parent: Scope | None = None, *, sees_qubits: bool = True) -> None:
        self.names: dict[str, Reference | Qubits] = {}
        self.parent = parent
        self.sees_qubits = sees_qubits

    def find(self, name: str) -> Reference | Qubits | None:
        """Return what the name means here, if anything."""
        if name in self.names:
            return self.names[name]
        found = self.parent.find(name) if self.parent else None
        if isinstance(found, Qubits) and not self.sees_qubits and not name.startswith("$"):
            return None
        return found

    def can_assign(self, name: str) -> bool:
        """Say whether the variable may be written here; a subroutine may only read those of the program."""
        if name in self.names or self.parent is None:
            return True
        return self.sees_qubits and self.parent.can_assign(name)

    def declare(self, name: str, thing: Reference | Qubits) -> None:
        """Give the name a meaning in this block, hiding outer ones."""
        if name in self.names:
            raise OracleError(f"{name} is declared twice")
        self.names[name] = thing


class Run:
    """One run of a program along one sequence of measurement outcomes.

    `choices` are the outcomes to take at the first forks; after them the likelier outcome is taken, and what was not
    taken is left in `forks` as (probability, choices).
    """

    def __init__(
        self,
        program: ast.Program,
        inputs: dict[str, Any],
        physical: list[int],
        choices: tuple[int, ...],
        noise: Noise | None = None,
    ) -> None:
        self.program = program
        self.inputs = inputs
        self.choices = choices
        self.taken: list[int] = []
        self.forks: list[tuple[float, tuple[int, ...]]] = []
        self.probability = 1.0
        self.state: State | MixedState = State() if noise is None else MixedState(noise)
        self.target: State | MixedState | Unitary = self.state
        self.scope = self.globals = Scope()
        self.gates = dict(library())
        self.subroutines: dict[str, ast.SubroutineDefinition] = {}
        self.unassigned: dict[int, int] = {}  # outcome by qubit of each `measure q;` without a target
        self.statements = 0
        for label in physical:
            self.globals.declare(f"${label}", Qubits(self.state.add(1), register=False))

    def all(self) -> None:
        """Run the whole program."""
        for position, statement in enumerate(self.program.statements):
            try:
                self.execute(statement)
            except _End:
                self._declare_rest(self.program.statements[position + 1 :])
                return
            except (_Break, _Continue, _Return) as jump:
                raise OracleError(f"{type(jump).__name__[1:].lower()} outside of what it belongs to") from None

    def _declare_rest(self, statements: Sequence[QASMNode]) -> None:
        """Declare the outputs that come after an `end`, so that every run has the same ones."""
        outputs = output_names(self.program)
        for statement in statements:
            if isinstance(statement, ast.ConstantDeclaration | ast.QubitDeclaration | ast.AliasStatement):
                self.execute(statement)
            elif isinstance(statement, ast.QuantumMeasurementStatement) and statement.target is None:
                for qubit in self.qubits(statement.measure.qubit).numbers:
                    self.unassigned.setdefault(qubit, 0)
            elif isinstance(statement, ast.ClassicalDeclaration | ast.IODeclaration):
                name = statement.identifier.name
                if name in outputs:
                    type_ = self.type(statement.type)
                    self.globals.declare(name, Variable(type_, zero(type_)))

    # -- outcomes -------------------------------------------------------------------------------------------------

    def measure_qubit(self, qubit: int) -> int:
        """Return the outcome of this run's measurement of the qubit, and leave the state in it."""
        if isinstance(self.state, MixedState):
            self.state.err("before", "measure", (qubit,))
        one = self.state.chance_of_one(qubit)
        certain = one < IMPOSSIBLE or one > 1 - IMPOSSIBLE
        outcome = round(one) if certain else self._choose(one)
        self.state.project(qubit, outcome)
        if isinstance(self.state, MixedState):
            self.state.err("after", "measure", (qubit,))
        return outcome

    def _choose(self, one: float) -> int:
        fork = len(self.taken)
        outcome = self.choices[fork] if fork < len(self.choices) else int(one > 0.5)
        if fork >= len(self.choices):
            other = self.probability * (one if outcome == 0 else 1 - one)
            self.forks.append((other, (*self.taken, 1 - outcome)))
        self.taken.append(outcome)
        self.probability *= one if outcome else 1 - one
        if self.probability < NEGLIGIBLE:
            raise _TooUnlikely
        return outcome

    def key(self, unassigned: list[int]) -> str:
        """Return this run's outcome as a key of counts; the qubits are those that any run measures without a target."""
        registers = []
        for name in output_names(self.program):
            value = self._variable(name).read()
            if not isinstance(value, Scalar):
                raise OracleError(f"{name} is an array and cannot be an output")
            registers.append(f"{value.pattern:0{value.type.bits}b}")
        if unassigned:
            registers.append("".join(str(self.unassigned.get(qubit, 0)) for qubit in reversed(unassigned)))
        if not registers:
            raise OracleError("nothing is measured")
        return " ".join(reversed(registers))

    def _variable(self, name: str) -> Reference:
        found = self.scope.find(name)
        if isinstance(found, Reference):
            return found
        raise OracleError(f"{name} is not a variable here")

    # -- statements -----------------------------------------------------------------------------------------------

    def block(self, statements: Sequence[ast.Statement], scope: Scope | None = None) -> None:
        """Run statements in a scope of their own."""
        outside = self.scope
        self.scope = scope or Scope(outside)
        try:
            for statement in statements:
                self.execute(statement)
        finally:
            self.scope = outside

    def execute(self, statement: QASMNode) -> None:
        """Run one statement."""
        self.statements += 1
        if self.statements > MOST_STATEMENTS:
            raise OracleError("the program does not seem to end")
        self._execute(statement)

    @_ByNode
    def _execute(self, statement: QASMNode) -> None:
        raise OracleError(f"a {type(statement).__name__} has no meaning on a simulator")

    @_execute.register
    def _(self, statement: ast.Pragma) -> None:
        """Apply the channel of a noise pragma; any other has no effect here."""
        found = of_pragma(statement.command)
        if found is not None:
            channel, operands = found
            (barrier,) = parsed(f"barrier {operands};").statements
            qubits = [qubit for operand in barrier.qubits for qubit in self.qubits(operand).numbers]
            assert isinstance(self.state, MixedState)
            self.state.pass_through(channel, tuple(qubits))

    @_execute.register(ast.QuantumBarrier)
    @_execute.register(ast.CalibrationGrammarDeclaration)
    def _(self, _: QASMNode) -> None:
        """Do nothing: time and scheduling do not exist on an ideal simulator."""

    @_execute.register
    def _(self, statement: ast.DelayInstruction) -> None:
        """Let qubits wait, of which only rules of noise make anything."""
        if isinstance(self.state, MixedState):
            seconds = float(self.scalar(statement.duration).payload)
            for operand in statement.qubits:
                for qubit in self.qubits(operand).numbers:
                    self.state.err("before", "delay", (qubit,), seconds)
                    self.state.err("after", "delay", (qubit,), seconds)

    @_execute.register
    def _(self, statement: ast.Include) -> None:
        if statement.filename not in _INCLUDES:
            raise OracleError(f"{statement.filename} cannot be included")

    @_execute.register
    def _(self, statement: ast.Box) -> None:
        self.block(statement.body)

    @_execute.register
    def _(self, statement: ast.CompoundStatement) -> None:
        self.block(statement.statements)

    @_execute.register
    def _(self, statement: ast.QubitDeclaration) -> None:
        size = 1 if statement.size is None else self.integer(statement.size)
        qubits = Qubits(self.state.add(size), register=statement.size is not None)
        self.scope.declare(statement.qubit.name, qubits)

    @_execute.register
    def _(self, statement: ast.ConstantDeclaration) -> None:
        type_ = self.type(statement.type)
        value = self.value_for(statement.init_expression, type_)
        self.scope.declare(statement.identifier.name, Variable(type_, value, constant=True))

    @_execute.register
    def _(self, statement: ast.ClassicalDeclaration) -> None:
        type_ = self.type(statement.type)
        value = zero(type_) if statement.init_expression is None else self.value_for(statement.init_expression, type_)
        self.scope.declare(statement.identifier.name, Variable(type_, value))

    @_execute.register
    def _(self, statement: ast.IODeclaration) -> None:
        type_ = self.type(statement.type)
        name = statement.identifier.name
        if statement.io_identifier is ast.IOKeyword.output:
            self.scope.declare(name, Variable(type_, zero(type_)))
        elif name in self.inputs:
            self.scope.declare(name, Variable(type_, _given(self.inputs[name], type_), constant=True))
        else:
            raise OracleError(f"the input {name} is not given")

    @_execute.register
    def _(self, statement: ast.AliasStatement) -> None:
        self.scope.declare(statement.target.name, self.place(statement.value))

    @_execute.register
    def _(self, statement: ast.QuantumGateDefinition) -> None:
        self.gates[statement.name.name] = Gate(statement, dict(self.gates))

    @_execute.register
    def _(self, statement: ast.SubroutineDefinition) -> None:
        self.subroutines[statement.name.name] = statement

    @_execute.register
    def _(self, statement: ast.ExpressionStatement) -> None:
        if isinstance(statement.expression, ast.FunctionCall):
            self.call(statement.expression)
        else:
            self.evaluate(statement.expression)

    @_execute.register
    def _(self, statement: ast.ClassicalAssignment) -> None:
        place = self.assigned(statement.lvalue)
        value = self.value_for(statement.rvalue, place.type)
        if statement.op.name != "=":
            old = place.read()
            if not isinstance(old, Scalar):
                raise OracleError("an array has no arithmetic")
            value = binary(statement.op.name.removesuffix("="), old, self.scalar(statement.rvalue))
        place.write(value)

    @_execute.register
    def _(self, statement: ast.QuantumMeasurementStatement) -> None:
        if statement.target is None:
            qubits = self.qubits(statement.measure.qubit)
            self.unassigned.update({qubit: self.measure_qubit(qubit) for qubit in qubits.numbers})
            return
        outcome = self.measure(statement.measure)
        place = self.assigned(statement.target)
        if not isinstance(place.type, ScalarType) or place.type.bits != outcome.type.bits:
            raise OracleError("as many bits are needed as qubits are measured")
        place.write(wrap(outcome.pattern, place.type))

    @_execute.register
    def _(self, statement: ast.QuantumReset) -> None:
        for qubit in self.qubits(statement.qubits).numbers:
            if isinstance(self.state, MixedState):
                self.state.reset(qubit)
            elif self.measure_qubit(qubit):
                self.state.apply(np.array([[0, 1], [1, 0]], dtype=complex), (qubit,))

    @_execute.register
    def _(self, statement: ast.BranchingStatement) -> None:
        self.block(statement.if_block if self.scalar(statement.condition).truth else statement.else_block)

    @_execute.register
    def _(self, statement: ast.SwitchStatement) -> None:
        wanted = self.integer(statement.target)
        for labels, body in statement.cases:
            if wanted in [self.integer(label) for label in labels]:
                self.block(body.statements)
                return
        if statement.default is not None:
            self.block(statement.default.statements)

    @_execute.register
    def _(self, statement: ast.WhileLoop) -> None:
        while self.scalar(statement.while_condition).truth:
            self.statements += 1
            if self.statements > MOST_STATEMENTS:
                raise OracleError("the program does not seem to end")
            try:
                self.block(statement.block)
            except _Continue:
                continue
            except _Break:
                break

    @_execute.register
    def _(self, statement: ast.ForInLoop) -> None:
        type_ = self.type(statement.type)
        for value in self.members(statement.set_declaration):
            scope = Scope(self.scope)
            scope.declare(statement.identifier.name, Variable(type_, value))
            try:
                self.block(statement.block, scope)
            except _Continue:
                continue
            except _Break:
                break

    @_execute.register
    def _(self, _: ast.BreakStatement) -> None:
        raise _Break

    @_execute.register
    def _(self, _: ast.ContinueStatement) -> None:
        raise _Continue

    @_execute.register
    def _(self, _: ast.EndStatement) -> None:
        raise _End

    @_execute.register
    def _(self, statement: ast.ReturnStatement) -> None:
        expression = statement.expression
        if isinstance(expression, ast.QuantumMeasurement):
            raise _Return(self.measure(expression))
        raise _Return(None if expression is None else self.evaluate(expression))

    @_execute.register
    def _(self, statement: ast.QuantumGate) -> None:
        arguments = tuple(self.scalar(argument).real for argument in statement.arguments)
        name = statement.name.name
        if isinstance(self.target, MixedState) and self.target.noise.on_gates:
            gate = self.gates.get(name)
            own = gate is not None and gate is not library().get(name)
            if statement.modifiers and (own or self.target.noise.rules.given):
                raise OracleError("noise on this modified gate has no meaning here")
            if own:
                for qubits in broadcast([self.qubits(operand) for operand in statement.qubits]):
                    self._inside_gate(gate, arguments, qubits, self.target)
                return
            if len(statement.qubits) > 2:
                raise OracleError("noise on three qubits has no meaning here")
        self._apply(self.gate_matrix(name, arguments), statement.modifiers, statement.qubits, name)

    @_execute.register
    def _(self, statement: ast.QuantumPhase) -> None:
        self._apply(quantum.phase(self.scalar(statement.argument).real), statement.modifiers, statement.qubits)

    # -- gates ----------------------------------------------------------------------------------------------------

    def _apply(
        self,
        matrix: Matrix,
        modifiers: Sequence[ast.QuantumGateModifier],
        operands: Sequence[QASMNode],
        name: str = "gphase",
    ) -> None:
        """Apply a gate with its modifiers, the last of them first, to each set of qubits that its operands name."""
        for modifier in reversed(modifiers):
            matrix = self._modify(matrix, modifier)
        for qubits in broadcast([self.qubits(operand) for operand in operands]):
            if isinstance(self.target, MixedState):
                self.target.apply(matrix, qubits, name)
            else:
                self.target.apply(matrix, qubits)

    def _modify(self, matrix: Matrix, modifier: ast.QuantumGateModifier) -> Matrix:
        kind = modifier.modifier.name
        if kind == "inv":
            return quantum.inverse(matrix)
        if kind == "pow":
            exponent = self.scalar(modifier.argument)
            return quantum.power(matrix, exponent.payload if isinstance(exponent.payload, int) else exponent.real)
        controls = 1 if modifier.argument is None else self.integer(modifier.argument)
        if controls < 1:
            raise OracleError(f"{kind} needs at least one control")
        for _ in range(controls):
            matrix = quantum.control(matrix, when=int(kind == "ctrl"))
        return matrix

    def gate_matrix(self, name: str, arguments: tuple[float, ...]) -> Matrix:
        """Return the matrix of a gate by its name."""
        if name == "U":
            if len(arguments) != 3:
                raise OracleError("U takes three angles")
            return quantum.u(*arguments)
        if name not in self.gates:
            raise OracleError(f"there is no gate {name}")
        gate = self.gates[name]
        return _library_matrix(name, arguments) if gate is library().get(name) else self.define(gate, arguments)

    def define(self, gate: Gate, arguments: tuple[float, ...]) -> Matrix:
        """Return the matrix of a gate by its definition; its parameters are real numbers whatever was passed."""
        unitary = Unitary(len(gate.definition.qubits))
        self._inside_gate(gate, arguments, tuple(range(len(gate.definition.qubits))), unitary)
        return unitary.matrix()

    def _inside_gate(
        self, gate: Gate, arguments: tuple[float, ...], qubits: tuple[int, ...], target: MixedState | Unitary
    ) -> None:
        """Apply the body of a gate's definition to the target's qubits."""
        definition = gate.definition
        if len(arguments) != len(definition.arguments):
            raise OracleError(f"{definition.name.name} takes {len(definition.arguments)} parameters")
        scope = Scope(self.globals, sees_qubits=False)
        for parameter, value in zip(definition.arguments, arguments, strict=True):
            scope.declare(parameter.name, Variable(FLOAT, number(value), constant=True))
        for qubit, place in zip(definition.qubits, qubits, strict=True):
            scope.declare(qubit.name, Qubits((place,), register=False))
        outside = self.target, self.gates
        self.target, self.gates = target, gate.known
        try:
            self.block(definition.body, scope)
        finally:
            self.target, self.gates = outside

    def measure(self, measurement: ast.QuantumMeasurement) -> Scalar:
        """Measure a qubit to a `bit`, or a register to a `bit[n]`."""
        if self.target is not self.state:
            raise OracleError("a gate cannot measure")
        qubits = self.qubits(measurement.qubit)
        pattern = sum(self.measure_qubit(qubit) << position for position, qubit in enumerate(qubits.numbers))
        return Scalar(ScalarType("bit", len(qubits.numbers)) if qubits.register else BIT, pattern)

    # -- places ---------------------------------------------------------------------------------------------------

    def place(self, node: QASMNode) -> Reference | Qubits:
        """Return what a name, an index or a concatenation refers to."""
        if isinstance(node, ast.Identifier):
            found = self.scope.find(node.name)
            if found is None:
                raise OracleError(f"{node.name} has no meaning here")
            return found
        if isinstance(node, ast.IndexExpression):
            collection = node.collection
            inner = self.place(collection) if _is_place(collection) else _held(self.evaluate(collection))
            return self._indexed(inner, node.index)
        if isinstance(node, ast.IndexedIdentifier):
            found = self.place(node.name)
            for index in node.indices:
                found = self._indexed(found, index)
            return found
        if isinstance(node, ast.Concatenation):
            return _joined(self.place(node.lhs), self.place(node.rhs))
        raise OracleError(f"a {type(node).__name__} does not refer to anything")

    def _indexed(self, place: Reference | Qubits, index: QASMNode | Sequence[QASMNode]) -> Reference | Qubits:
        subscripts = [self._subscript(item) for item in ([index] if isinstance(index, QASMNode) else index)]
        if isinstance(place, Reference):
            return index_reference(place, subscripts)
        for subscript in subscripts:
            place = index_qubits(place, subscript)
        return place

    def _subscript(self, node: QASMNode) -> Subscript:
        if isinstance(node, ast.DiscreteSet):
            return tuple(self.integer(value) for value in node.values)
        if isinstance(node, ast.RangeDefinition):
            return self._range(node)
        return self.integer(node)

    def _range(self, node: ast.RangeDefinition) -> Range:
        start, end = (None if at is None else self.integer(at) for at in (node.start, node.end))
        return Range(start, 1 if node.step is None else self.integer(node.step), end)

    def qubits(self, node: QASMNode) -> Qubits:
        """Return the qubits that an operand names."""
        found = self.place(node)
        if not isinstance(found, Qubits):
            raise OracleError("a qubit is needed here")
        return found

    def assigned(self, node: ast.Identifier | ast.IndexedIdentifier) -> Reference:
        """Return the place that is written to."""
        name = node.name.name if isinstance(node, ast.IndexedIdentifier) else node.name
        if not self.scope.can_assign(name):
            raise OracleError(f"{name} may only be read here")
        found = self.place(node)
        if isinstance(found, Qubits):
            raise OracleError("a qubit cannot be assigned to")
        return found

    # -- values ---------------------------------------------------------------------------------------------------

    def type(self, node: ast.ClassicalType) -> Type:
        """Return the type that a declaration names."""
        if isinstance(node, ast.ArrayType):
            shape = tuple(self.integer(size) for size in node.dimensions)
            return ArrayType(self._scalar_type(node.base_type), shape)
        return self._scalar_type(node)

    def _scalar_type(self, node: ast.ClassicalType) -> ScalarType:
        plain = {ast.BoolType: BOOL, ast.DurationType: DURATION, ast.StretchType: DURATION, ast.ComplexType: COMPLEX}
        if type(node) in plain:
            return plain[type(node)]
        sized = {ast.BitType: "bit", ast.IntType: "int", ast.UintType: "uint", ast.AngleType: "angle"}
        size = getattr(node, "size", None)
        width = None if size is None else self.integer(size)
        if width is not None and width < 1:
            raise OracleError("a type needs a width of at least one bit")
        if isinstance(node, ast.FloatType):
            return ScalarType("float", width or 64)
        if isinstance(node, ast.BitType):
            return ScalarType("bit", width)
        if type(node) in sized:
            return ScalarType(sized[type(node)], width or MACHINE_WIDTH)  # type: ignore[arg-type]
        raise OracleError(f"a {type(node).__name__} has no meaning here")

    def scalar(self, node: QASMNode | None) -> Scalar:
        """Return the value of an expression that must not be an array."""
        value = self.evaluate(node)
        if not isinstance(value, Scalar):
            raise OracleError("an array cannot be used here")
        return value

    def integer(self, node: QASMNode) -> int:
        """Return the value of an expression that must be an integer."""
        return self.scalar(node).integer

    def value_for(self, node: QASMNode, type_: Type) -> Value:
        """Return the value of an initialiser or right-hand side for a place of that type."""
        if isinstance(node, ast.QuantumMeasurement):
            outcome = self.measure(node)
            if not isinstance(type_, ScalarType) or type_.bits != outcome.type.bits:
                raise OracleError("as many bits are needed as qubits are measured")
            return wrap(outcome.pattern, type_)
        if isinstance(node, ast.ArrayLiteral) and isinstance(type_, ArrayType):
            return self._array(node, type_)
        return self.evaluate(node)

    def _array(self, node: ast.ArrayLiteral, type_: ArrayType) -> ArrayValue:
        if len(node.values) != type_.shape[0]:
            raise OracleError("an array's initialiser must have its shape")
        cells = np.empty(type_.shape, dtype=object)
        for row, item in enumerate(node.values):
            if len(type_.shape) == 1:
                cells[row] = cast_scalar(self.scalar(item), type_.base).payload
            else:
                inner = ArrayType(type_.base, type_.shape[1:])
                value = cast(self.value_for(item, inner), inner)
                assert isinstance(value, ArrayValue)
                cells[row] = value.cells
        return ArrayValue(type_.base, cells)

    def members(self, node: QASMNode) -> list[Scalar]:
        """Return what a `for` goes through: a range, a set, the bits of a register or the elements of an array."""
        if isinstance(node, ast.RangeDefinition):
            values = self._range(node)
            if values.start is None or values.end is None:
                raise OracleError("the range of a loop needs both ends")
            return [Scalar(INT, value) for value in values.positions()]
        if isinstance(node, ast.DiscreteSet):
            return [self.scalar(value) for value in node.values]
        found = self.evaluate(node)
        if isinstance(found, ArrayValue):
            return [Scalar(found.base, payload) for payload in found.cells.tolist()]
        if not found.type.is_register:
            raise OracleError("a loop goes through a range, a set, a register or an array")
        return [Scalar(BIT, found.pattern >> position & 1) for position in range(found.type.bits)]

    @_ByNode
    def evaluate(self, node: QASMNode | None) -> Value:
        """Return the value of an expression."""
        raise OracleError(f"a {type(node).__name__} is not a value")

    @evaluate.register
    def _(self, node: ast.IntegerLiteral) -> Value:
        return wrap(node.value, INT if node.value < 1 << (MACHINE_WIDTH - 1) else UINT)

    @evaluate.register
    def _(self, node: ast.FloatLiteral) -> Value:
        return number(node.value)

    @evaluate.register
    def _(self, node: ast.ImaginaryLiteral) -> Value:
        return Scalar(COMPLEX, complex(0, node.value))

    @evaluate.register
    def _(self, node: ast.BooleanLiteral) -> Value:
        return truth(node.value)

    @evaluate.register
    def _(self, node: ast.BitstringLiteral) -> Value:
        return Scalar(ScalarType("bit", node.width), node.value)

    @evaluate.register
    def _(self, node: ast.DurationLiteral) -> Value:
        return Scalar(DURATION, Fraction(repr(node.value)) * _SECONDS[node.unit.name])

    @evaluate.register
    def _(self, _: ast.DurationOf) -> Value:
        return Scalar(DURATION, Fraction())

    @evaluate.register
    def _(self, node: ast.Identifier) -> Value:
        if self.scope.find(node.name) is None and node.name in _CONSTANTS:
            return number(_CONSTANTS[node.name])
        return self._read(node)

    @evaluate.register(ast.IndexExpression)
    def _read(self, node: QASMNode) -> Value:
        found = self.place(node)
        if isinstance(found, Qubits):
            raise OracleError("a qubit has no value before it is measured")
        return found.read()

    @evaluate.register
    def _(self, node: ast.Concatenation) -> Value:
        left, right = self.evaluate(node.lhs), self.evaluate(node.rhs)
        if isinstance(left, ArrayValue) and isinstance(right, ArrayValue) and left.base == right.base:
            return ArrayValue(left.base, np.concatenate([left.cells, right.cells]))
        joined = _joined(_held(left), _held(right))
        assert isinstance(joined, Reference)
        return joined.read()

    @evaluate.register
    def _(self, node: ast.UnaryExpression) -> Value:
        return unary(node.op.name, self.scalar(node.expression))

    @evaluate.register
    def _(self, node: ast.BinaryExpression) -> Value:
        left = self.scalar(node.lhs)
        if node.op.name == "&&":
            return truth(left.truth and self.scalar(node.rhs).truth)
        if node.op.name == "||":
            return truth(left.truth or self.scalar(node.rhs).truth)
        return binary(node.op.name, left, self.scalar(node.rhs))

    @evaluate.register
    def _(self, node: ast.Cast) -> Value:
        return cast(self.evaluate(node.argument), self.type(node.type))

    @evaluate.register
    def _(self, node: ast.SizeOf) -> Value:
        value = self.evaluate(node.target)
        if not isinstance(value, ArrayValue):
            raise OracleError("sizeof works on arrays")
        dimension = 0 if node.index is None else self.integer(node.index)
        return Scalar(UINT, value.cells.shape[dimension])

    @evaluate.register
    def _(self, node: ast.FunctionCall) -> Value:
        result = self.call(node)
        if result is None:
            raise OracleError(f"{node.name.name} returns nothing")
        return result

    # -- subroutines ----------------------------------------------------------------------------------------------

    def call(self, node: ast.FunctionCall) -> Value | None:
        """Call a subroutine or a built-in function."""
        definition = self.subroutines.get(node.name.name)
        if definition is None:
            return call(node.name.name, [self.scalar(argument) for argument in node.arguments])
        if len(definition.arguments) != len(node.arguments):
            raise OracleError(f"{node.name.name} takes {len(definition.arguments)} arguments")
        scope = Scope(self.globals, sees_qubits=False)
        for parameter, argument in zip(definition.arguments, node.arguments, strict=True):
            scope.declare(parameter.name.name, self._argument(parameter, argument))
        returned: Value | None = None
        try:
            self.block(definition.body, scope)
        except _Return as jump:
            returned = jump.value
        if definition.return_type is None:
            return None
        if returned is None:
            raise OracleError(f"{node.name.name} ends without its return")
        return cast(returned, self.type(definition.return_type))

    def _argument(
        self, parameter: ast.ClassicalArgument | ast.QuantumArgument, argument: QASMNode
    ) -> Reference | Qubits:
        """Pass qubits and arrays by reference, everything else by value."""
        if isinstance(parameter, ast.QuantumArgument):
            qubits = self.qubits(argument)
            size = 1 if parameter.size is None else self.integer(parameter.size)
            if len(qubits.numbers) != size:
                raise OracleError(f"{parameter.name.name} needs {size} qubits")
            return Qubits(qubits.numbers, register=parameter.size is not None)
        if isinstance(parameter.type, ast.ArrayReferenceType):
            return self._array_argument(parameter, argument)
        type_ = self.type(parameter.type)
        return Variable(type_, self.evaluate(argument))

    def _array_argument(self, parameter: ast.ClassicalArgument, argument: QASMNode) -> Reference:
        value = self.evaluate(argument)
        declared = parameter.type
        assert isinstance(declared, ast.ArrayReferenceType)
        base = self._scalar_type(declared.base_type)
        if not isinstance(value, ArrayValue) or value.base != base:
            raise OracleError(f"{parameter.name.name} needs an array of its own type")
        dimensions = declared.dimensions
        if isinstance(dimensions, list):
            fits = value.cells.shape == tuple(self.integer(size) for size in dimensions)
        else:
            fits = value.cells.ndim == self.integer(dimensions)
        if not fits:
            raise OracleError(f"{parameter.name.name} needs an array of its own shape")
        return ArrayView(base, value.cells, constant=parameter.access is ast.AccessControl.readonly)


@cache
def _library_matrix(name: str, arguments: tuple[float, ...]) -> Matrix:
    """Return a library gate's matrix; the definitions see nothing of any program."""
    return Run(ast.Program([]), {}, [], ()).define(library()[name], arguments)


def broadcast(operands: list[Qubits]) -> list[tuple[int, ...]]:
    """Return the sets of qubits that a gate goes through: registers side by side, single qubits with each of them."""
    sizes = {len(operand.numbers) for operand in operands if operand.register}
    if len(sizes) > 1:
        raise OracleError("registers of different sizes cannot be broadcast")
    rounds = sizes.pop() if sizes else 1
    return [tuple(operand.numbers[at if operand.register else 0] for operand in operands) for at in range(rounds)]


def output_names(program: ast.Program) -> list[str]:
    """Return the variables whose values make up the counts, in the order of their declaration.

    The `output` variables if there are any; else every global bit and register of bits; else, if a measurement goes
    into other global variables, those.
    """
    declared = [node for node in program.statements if isinstance(node, ast.IODeclaration)]
    outputs = [node.identifier.name for node in declared if node.io_identifier is ast.IOKeyword.output]
    if outputs:
        return outputs
    variables = [node for node in program.statements if isinstance(node, ast.ClassicalDeclaration)]
    bits = [node.identifier.name for node in variables if isinstance(node.type, ast.BitType)]
    if bits:
        return bits
    measured = set(_measured_into(program))
    return [node.identifier.name for node in variables if node.identifier.name in measured]


def _measured_into(node: object) -> Iterator[str]:
    """Yield the names that measurements are assigned to, anywhere below a node."""
    if isinstance(node, ast.QuantumMeasurementStatement) and node.target is not None:
        name = node.target
        yield name.name if isinstance(name, ast.Identifier) else name.name.name
    if isinstance(node, ast.ClassicalDeclaration) and isinstance(node.init_expression, ast.QuantumMeasurement):
        yield node.identifier.name
    if isinstance(node, list | tuple):
        for item in node:
            yield from _measured_into(item)
    elif is_dataclass(node) and not isinstance(node, ast.SubroutineDefinition):
        for field in fields(node):
            yield from _measured_into(getattr(node, field.name))


def _is_place(node: QASMNode) -> bool:
    if isinstance(node, ast.IndexExpression):
        return _is_place(node.collection)
    if isinstance(node, ast.Concatenation):
        return _is_place(node.lhs) and _is_place(node.rhs)
    return isinstance(node, ast.Identifier)


def _held(value: Value) -> Reference:
    """Return a place that holds a value which has none of its own."""
    return Variable(value.type, value)


def _joined(left: Reference | Qubits, right: Reference | Qubits) -> Reference | Qubits:
    """Return `left ++ right`: the left side has the low indices."""
    if isinstance(left, Qubits) and isinstance(right, Qubits):
        if set(left.numbers) & set(right.numbers):
            raise OracleError("a register cannot be joined with a part of itself")
        return Qubits(left.numbers + right.numbers, register=True)
    if isinstance(left, Qubits) or isinstance(right, Qubits):
        raise OracleError("qubits join only with qubits")
    return Bits(bits_of(left) + bits_of(right), single=False)


def _given(value: object, type_: Type) -> Value:
    """Return the value of an `input` from what the caller of the program gave for it."""
    if isinstance(type_, ArrayType):
        cells = np.empty(type_.shape, dtype=object)
        given = np.array(value, dtype=object)
        if given.shape != type_.shape:
            raise OracleError("the input has another shape")
        for place in np.ndindex(type_.shape):
            inner = _given(given[place], type_.base)
            assert isinstance(inner, Scalar)
            cells[place] = inner.payload
        return ArrayValue(type_.base, cells)
    if isinstance(value, str):
        return cast_scalar(Scalar(ScalarType("bit", len(value)), int(value, 2)), type_)
    if isinstance(value, bool):
        return cast_scalar(truth(value), type_)
    if isinstance(value, int) and type_.kind != "angle":
        return wrap(value, type_) if type_.kind != "float" else number(value)
    if isinstance(value, int | float):
        return cast_scalar(number(value), type_)
    raise OracleError("an input is a number, a truth value or a string of bits")
