"""What each statement does: one function per kind, most of them in the file named after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from reader.compiler.assignments import assign, measure_bare
from reader.compiler.branching import execute_if, execute_switch
from reader.compiler.control import Mark, attempt, branch, ended_by
from reader.compiler.declarations import declare_alias, declare_qubits, declare_variable
from reader.compiler.expressions import evaluate
from reader.compiler.feedback import FEEDBACK, apply_feedback
from reader.compiler.gate_calls import apply_gate
from reader.compiler.gate_definitions import define_gate
from reader.compiler.loops import execute_for, execute_while, leave_loop, parts
from reader.compiler.matrices import apply_matrix
from reader.compiler.references import qubits_of
from reader.compiler.reserved import look_at_name
from reader.compiler.subroutines import define, return_from, run_calls, set_flag
from reader.errors import ValueFault, invalid, quote, unsupported
from reader.operations import Barrier, Delay, Node, Reset
from reader.text import syntax
from reader.text.durations import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.compiler.machine import Machine
    from reader.operations import Operation

# Their gates are known here: nothing is read. The last is Quantinuum's.
_INCLUDES = ("stdgates.inc", "qelib1.inc", "hqslib1.inc")


def execute(m: Machine, node: syntax.Statement) -> None:
    """Execute one statement."""
    m.step(node.at)
    m.here = node.at
    m.large = False
    temporaries, owned = len(m.temporaries), len(m.owned)
    _EXECUTE[type(node)](m, node)
    if len(m.temporaries) > temporaries:
        m.free += m.temporaries[temporaries:]
        del m.temporaries[temporaries:]
    if len(m.owned) > owned:
        m.give_back(m.owned[owned:])
        del m.owned[owned:]


def execute_program(m: Machine, body: list[syntax.Statement]) -> None:
    """Execute a program; what follows a sure `end` is read without effect, for its registers are in the counts.

    So the keys are the same whether a measurement decides about the `end` or not.
    """
    done = execute_body(m, body)
    if done == len(body):
        return
    end, operations, measured = Mark(m), m.operations, m.measured
    m.ops = []
    for statement in body[done:]:
        set_flag(m, m.ended, 0)
        start = Mark(m)
        try:
            execute(m, statement)
        except ValueFault:
            start.restore(m)  # the `end` may be there to prevent just this
    end.restore(m)
    m.operations, m.measured = operations, measured


def execute_body(m: Machine, body: list[syntax.Statement]) -> int:
    """Execute statements in order; once a measured condition may have ended them, under a test that it has not.

    Returns how many there are before a sure end.
    """
    if m.heads_only:
        return len(body)
    done = _execute_body(m, body)
    if m.reached.get(id(body), 0) < done:
        m.reached[id(body)] = done
    return done


def _execute_body(m: Machine, body: list[syntax.Statement]) -> int:
    index = 0
    while index < len(body):
        state = ended_by(m)
        if state == 1:
            return index
        if not isinstance(state, Node):
            execute(m, body[index])
            index += 1
            continue
        done = 0

        def rest(start: int = index) -> None:
            nonlocal done
            for statement in body[start:]:
                execute(m, statement)
                done += 1
                if ended_by(m) != 0:
                    return

        branch(m, state, None, rest, body[index].at, inner=False)
        index += max(done, 1)
    return index


def _include(m: Machine, node: syntax.Include) -> None:
    if node.path == "stdgates.qasm":
        m.notes.add("stdgates.qasm is an older name of stdgates.inc, which is read in its place.", node.at)
    elif node.path not in _INCLUDES:
        unsupported(
            f"{quote(node.path)} cannot be included: programs cannot read files.",
            node.at,
            f'Write include "{m.hint("stdgates", "qelib1")}.inc"; and define other gates in the program.',
        )


def _pragma(_m: Machine, _node: syntax.Pragma) -> None:
    """Do nothing: the notes have every pragma already, executed or not."""


def _matrix(m: Machine, node: syntax.MatrixPragma) -> None:
    run_calls(m, *node.operands)
    attempt(m, lambda: apply_matrix(m, node), node.at)


def _noise(m: Machine, node: syntax.NoisePragma) -> None:
    from reader.compiler.noise_pragmas import apply_noise  # noqa: PLC0415 - few programs have any

    run_calls(m, *node.arguments, *node.operands)
    attempt(m, lambda: apply_noise(m, node), node.at)


def _result(m: Machine, node: syntax.ResultPragma) -> None:
    from reader.compiler.result_pragmas import ask  # noqa: PLC0415 - few programs have any

    ask(m, node)


def _calibration_grammar(m: Machine, _node: syntax.CalibrationGrammar) -> None:
    m.notes.add("defcalgrammar has no effect on an ideal simulator.")


def _assignment(m: Machine, node: syntax.Assignment) -> None:
    if m.in_gate:
        invalid("A gate cannot assign.", node.at)
    run_calls(m, node.value, node.target)
    attempt(m, lambda: assign(m, node), node.at)


def _expression(m: Machine, node: syntax.ExpressionStatement) -> None:
    value = node.value
    run_calls(m, value)
    if isinstance(value, syntax.Measure):
        attempt(m, lambda: measure_bare(m, value), node.at)
        return
    if isinstance(value, syntax.Call) and value.name in m.subroutines:
        return
    attempt(m, lambda: void(m, value), node.at)


def void(m: Machine, value: syntax.Expression) -> None:
    """Work out an expression whose value nobody uses, for its errors."""
    evaluate(m, value)


def _gate(m: Machine, node: syntax.GateCall) -> None:
    if node.name in m.subroutines and not node.modifiers:
        # Before OpenQASM 3.0 was final, qubits stood behind the brackets: 'f(x) q;'.
        call = m.old_calls.setdefault(id(node), syntax.Call(node.at, node.name, node.arguments + node.operands))
        run_calls(m, call)
        return
    if node.name == "nop" and not (node.modifiers or node.arguments or "nop" in m.gates):
        # Of a later version of the language: qubits that a box is about.
        run_calls(m, *node.operands)
        attempt(m, lambda: look_at_qubits(m, node.operands), node.at)
        return
    if node.name in FEEDBACK and node.name not in m.gates:
        attempt(m, lambda: apply_feedback(m, node), node.at)
        return
    if m.subroutines:
        run_calls(m, *node.arguments, *node.operands, *(modifier.argument for modifier in node.modifiers))
    attempt(m, lambda: apply_gate(m, node), node.at)


def look_at_qubits(m: Machine, operands: list[syntax.Expression]) -> None:
    """Refuse what are not qubits."""
    for operand in operands:
        qubits_of(m, operand)


def _reset(m: Machine, node: syntax.Reset) -> None:
    if m.in_gate and not m.legacy:
        invalid("A gate cannot reset.", node.at, "Use a subroutine: 'def'.")

    def reset() -> None:
        for qubit in qubits_of(m, node.operand).places:
            m.emit(Reset(qubit), node.at)

    run_calls(m, node.operand)
    attempt(m, reset, node.at)


def _barrier(m: Machine, node: syntax.Barrier) -> None:
    def barrier() -> None:
        qubits = [place for operand in node.operands for place in qubits_of(m, operand).places]
        if not m.in_gate:
            if not node.operands:
                qubits = list(range(m.qubits))
            if qubits:
                m.count(len(qubits) >> 3, node.at)
                m.emit(Barrier(tuple(dict.fromkeys(qubits))), node.at)

    run_calls(m, *node.operands)
    attempt(m, barrier, node.at)


def _delay(m: Machine, node: syntax.Delay) -> None:
    def delay() -> None:
        length = length_of(m, node.duration)
        if length is None:
            invalid("A delay needs a duration.", node.duration.at, "Write a unit: delay[100ns] q;")
        places = [place for operand in node.operands for place in qubits_of(m, operand).places]
        if not m.whole or m.in_gate:
            m.notes.add("delay has no effect on an ideal simulator.")
        elif length.samples or length.stretch:
            m.notes.add("A delay in dt or by a stretch has no duration here, and therefore no noise.", node.at)
        else:
            qubits = dict.fromkeys(places or range(m.qubits))
            m.count(len(qubits) >> 3, node.at)
            # No engine sees it: the noise model that asked for it takes it out.
            m.emit(cast("Operation", Delay(float(length.nanoseconds) * 1e-9, tuple(qubits))), node.at)

    run_calls(m, node.duration, *node.operands)
    attempt(m, delay, node.at)


def _box(m: Machine, node: syntax.Box) -> None:
    size = node.duration
    if size is not None:
        run_calls(m, size)
        attempt(m, lambda: look_at_size(m, size), node.at)
    m.notes.add("box has no effect on an ideal simulator.")
    m.execute_block(node.body)


def length_of(m: Machine, node: syntax.Expression) -> Duration | None:
    """Return the duration of what has no effect, a stretch where hardware decides it; None if it is not a duration."""
    m.idle, m.vague = True, False
    try:
        length = evaluate(m, node).data
    finally:
        m.idle = False
    if isinstance(length, Duration):
        return Duration(stretch=True) if m.vague else length
    return None


def look_at_size(m: Machine, size: syntax.Expression) -> None:
    """Refuse a size of a box that is not a duration."""
    if length_of(m, size) is None:
        invalid("The size of a box is a duration.", size.at, "Write a unit: box[100ns] { ... }")


def _block(m: Machine, node: syntax.Block) -> None:
    m.execute_block(node.body)


def _extern(m: Machine, node: syntax.Extern) -> None:
    if m.frame is not m.globals or len(m.frame.scopes) > 1:
        invalid("An extern must be declared at the top level of the program.", node.at, "Move it out of the block.")
    if node.name in m.subroutines or node.name in m.globals.scopes[0] or node.name in m.gates or node.name in m.externs:
        invalid(f"{quote(node.name)} is declared twice.", node.at, "Choose another name.")
    look_at_name(m, node.name, node.at, called=True)
    m.externs[node.name] = node.at


def _if(m: Machine, node: syntax.If) -> None:
    run_calls(m, node.condition)
    attempt(m, lambda: execute_if(m, node), node.at)


def _switch(m: Machine, node: syntax.Switch) -> None:
    run_calls(m, node.target)
    attempt(m, lambda: execute_switch(m, node), node.at)


def _for(m: Machine, node: syntax.For) -> None:
    run_calls(m, *parts(node.values))
    attempt(m, lambda: execute_for(m, node), node.at)


_EXECUTE: dict[type, Callable[[Machine, Any], None]] = {
    syntax.Include: _include,
    syntax.Pragma: _pragma,
    syntax.MatrixPragma: _matrix,
    syntax.NoisePragma: _noise,
    syntax.ResultPragma: _result,
    syntax.CalibrationGrammar: _calibration_grammar,
    syntax.QubitDeclaration: declare_qubits,
    syntax.Declaration: declare_variable,
    syntax.Alias: declare_alias,
    syntax.Assignment: _assignment,
    syntax.ExpressionStatement: _expression,
    syntax.GateCall: _gate,
    syntax.Reset: _reset,
    syntax.Barrier: _barrier,
    syntax.Delay: _delay,
    syntax.Box: _box,
    syntax.Block: _block,
    syntax.If: _if,
    syntax.While: execute_while,
    syntax.For: _for,
    syntax.Switch: _switch,
    syntax.Leave: leave_loop,
    syntax.Return: return_from,
    syntax.GateDefinition: define_gate,
    syntax.Subroutine: define,
    syntax.Extern: _extern,
}
