"""Third step of reading: a syntax tree becomes a list of operations and the registers that belong in the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.expressions import evaluate
from reader.compiler.inputs import check_names, declared
from reader.compiler.machine import Machine
from reader.compiler.references import claim_qubits
from reader.compiler.statements import execute_body, execute_program
from reader.compiler.sweeps import inputs_of_all
from reader.compiler.symbols import Variable
from reader.compiler.tree_walk import walk
from reader.compiler.unreached import check
from reader.compiler.values import Type, Value
from reader.errors import SourceError, quote
from reader.exporter_flaws import look_at_header
from reader.limits import LIMITS
from reader.operations import PHYSICAL, Compiled, Measure, Node, Output
from reader.text import syntax
from tasks.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reader.budget import Budget
    from reader.compiler.exact_numbers import Real
    from reader.outline import Outline
    from tasks.results import ResultRequest


class Compiler(Machine):
    """The machine that knows the whole language."""

    evaluate = evaluate
    execute_body = execute_body

    def sharpen(self, node: syntax.Expression, value: Value) -> Value:
        """Return the value of an expression that may be off, as it is exactly."""
        from reader.compiler.exact_values import sharpened  # noqa: PLC0415 - few programs have such numbers

        return sharpened(self, node, value)

    def exactly(self, node: syntax.Expression, kind: Type) -> Real | None:
        """Return what a constant of a type is exactly."""
        from reader.compiler.exact_values import of_constant  # noqa: PLC0415 - the same

        return of_constant(self, node, kind)


def has_inputs(program: syntax.Program) -> bool:
    """Tell whether the program needs values from the request."""
    return bool(declared(program))


def compile_program(  # noqa: PLR0913 - a program and how to read it
    program: syntax.Program,
    inputs: Mapping[str, object],
    budget: Budget,
    *,
    counted: bool = True,
    whole: bool = False,
    outline: Outline | None = None,
) -> Compiled:
    """Return the program's operations; raises `SourceError` or `TaskError`. `counted`: it must measure something."""
    check_names(program, inputs)
    m = Compiler(budget, legacy=program.version == 2, whole=whole)  # noqa: PLR2004 - the version's number
    m.outline = outline
    return _compiled(m, program, inputs, counted=counted)


def compile_together(
    program: syntax.Program,
    bindings: Sequence[Mapping[str, object]],
    budget: Budget,
    *,
    counted: bool = True,
    whole: bool = False,
) -> Compiled:
    """Return the program with the inputs of all bindings, angles that differ between them as `Swept`.

    Raises UnalikeError where the bindings decide more than angles, and what compiling one of them raises.
    """
    m = Compiler(budget, legacy=False, whole=whole)
    m.most = LIMITS.sweep_operations // len(bindings)
    inputs = inputs_of_all(bindings)
    check_names(program, inputs)
    return _compiled(m, program, inputs, counted=counted)


def _compiled(m: Compiler, program: syntax.Program, inputs: Mapping[str, object], *, counted: bool) -> Compiled:
    m.inputs = inputs
    m.notes.text = program.text
    for pragma in program.pragmas:
        m.notes.add(f"The pragma {quote(pragma.text)} has no effect.", pragma.at)
    for sentence, at in program.remarks:
        m.notes.add(sentence, at)
    look_at_header(m.notes)
    execute_program(m, program.body)
    outputs = choose_outputs(m)
    if counted and not m.measured and program.measures:
        outputs = measure_all_the_same(m, program, outputs)
    if not (m.measured and (outputs or m.bare)):
        if counted and not m.requested:
            refuse_unmeasured(m)
        if m.requested:
            outputs = []
    flush(m, outputs)
    m.pay(-1)
    registers = [Output(name, cells) for name, cells in _registers(m, outputs).items()]
    bare = tuple(_cells(m, m.bare[qubit])[0] for qubit in sorted(m.bare))
    if bare:
        registers.append(Output(_free_name("meas", m, registers), bare))
    results = _results(m) if m.requested else ()
    notes = list(m.notes.sentences)
    compiled = Compiled(m.ops, m.registers, registers, m.cells, m.phase, notes, has_inputs(program), results)
    if not program.checked:
        check(m, program.body)
        program.checked = True
    return compiled


def _results(m: Machine) -> tuple[ResultRequest, ...]:
    from reader.compiler.result_pragmas import requests  # noqa: PLC0415 - few programs have any

    return requests(m)


def choose_outputs(m: Machine) -> list[Variable]:
    """Return the variables that belong in the counts."""
    outputs = [variable for variable, role in m.outputs if role == "output"]
    if not outputs:
        outputs = [variable for variable, _ in m.outputs if variable.type.kind == "bit"]
        if not outputs and not m.bare:
            outputs = [
                variable
                for variable, _ in m.outputs
                if variable in m.measured_into
                or (isinstance(variable.data, list) and any(isinstance(bit, Node) for bit in variable.data))
            ]
    return outputs


def measure_all_the_same(m: Machine, program: syntax.Program, outputs: list[Variable]) -> list[Variable]:
    """Let a program count whose measurements are all passed over, by a loop of no rounds, say; returns its outputs.

    The simulator gives no counts without a measurement, so one is made into a bit that nobody sees. Where no variable
    is known to be counted, those are that the text measures into; where it measures into none, there is one bit.
    """
    bare, names = measured_names(m, program.body)
    outputs = outputs or [variable for variable, _ in m.outputs if variable.name in names]
    if not outputs and bare:
        outputs = [Variable("meas", Type("bit", 1), 0, 0)]
    if outputs:
        qubit = 0 if m.qubits else claim_qubits(m, f"{PHYSICAL}0", 1, 0)
        m.emit(Measure(qubit, m.allocate(1, 0)), 0)
        m.measured = True
    return outputs


def measured_names(m: Machine, body: list[syntax.Statement]) -> tuple[bool, set[str]]:
    """Return whether a measurement has no target, and what the others, and subroutines that may measure, go into."""
    bare = False
    names: set[str] = set()
    for node in walk(m, body):
        if isinstance(node, syntax.ExpressionStatement):
            bare = bare or isinstance(node.value, syntax.Measure)
        elif isinstance(node, syntax.Assignment | syntax.Declaration):
            target: syntax.Node = node.target if isinstance(node, syntax.Assignment) else node
            while isinstance(target, syntax.Index):
                target = target.target
            if isinstance(node.value, syntax.Measure | syntax.Call):
                names.add(getattr(target, "name", ""))
    return bare, names


def _target(m: Machine, size: int) -> tuple[str, bool]:
    """Return the name of a register of so many bits and True, else a name that is free and False."""
    for variable, _ in m.outputs:
        if variable.type == Type("bit", size) and not variable.readonly:
            return variable.name, True
    taken = {*m.globals.scopes[0], *m.gates, *m.subroutines, *m.externs}
    names = (f"c{number or ''}" for number in range(len(taken) + 1))
    return next(name for name in names if name not in taken), False


def refuse_unmeasured(m: Machine) -> None:
    """Refuse a program that can give no counts, with the line that is missing."""
    if m.measured:
        message = "The program measures, but no global variable keeps the result, so there is nothing to count."
    else:
        message = "The program measures nothing, so there is nothing to count."
    if m.registers:
        name, size = m.registers[-1] if len(m.registers) == 1 else m.registers[0]
        name = name.replace(PHYSICAL, "$")
        target, declared = _target(m, size)
        if m.legacy:
            hint = f"Add '{'' if declared else f'creg {target}[{size}]; '}measure {name} -> {target};' at the end."
        else:
            hint = f"Add '{'' if declared else f'bit[{size}] {target}; '}{target} = measure {name};' at the end."
    else:
        lines = m.hint("qubit q; bit c; c = measure q;", "qreg q[1]; creg c[1]; measure q -> c;")
        hint = f"Declare qubits and measure them: '{lines}'."
    # No line is at fault: the error points at nothing.
    raise SourceError(ErrorCode.NOTHING_MEASURED, message, -1, hint=hint)


def flush(m: Machine, outputs: list[Variable]) -> None:
    """Put into the outputs' cells what is known while compiling and not there yet."""
    for variable in outputs:
        for index in range(variable.type.width):
            cell = m.cell_of(variable, index, variable.at)
            data = variable.data
            bit = data[index] if isinstance(data, list) else (data >> index) & 1
            if not isinstance(bit, Node) and (bit or cell in m.dirty):
                m.store(cell, bit, variable.at)


def _registers(m: Machine, outputs: list[Variable]) -> dict[str, tuple[int, ...]]:
    """Return the cells of each output by its name; an array's elements have one name, the first the lowest bits."""
    registers: dict[str, tuple[int, ...]] = {}
    for variable in outputs:
        registers[variable.name] = registers.get(variable.name, ()) + _cells(m, variable)
    return registers


def _cells(m: Machine, variable: Variable) -> tuple[int, ...]:
    first = m.cell_of(variable, 0, variable.at)
    return tuple(range(first, first + variable.type.width))


def _free_name(name: str, m: Machine, registers: list[Output]) -> str:
    taken = {register.name for register in registers} | {register for register, _ in m.registers}
    while name in taken:
        name += "_"
    return name
