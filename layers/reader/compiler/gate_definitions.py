"""Gate definitions: what may stand in them, whether the gate is used or not (spec, "Hierarchically defined gates")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.gate_calls import WITH_PHASE, arity
from reader.compiler.reserved import look_at_hidden, look_at_name
from reader.errors import did_you_mean, invalid, quote
from reader.exporter_flaws import look_at_definition
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine


def define_gate(m: Machine, node: syntax.GateDefinition) -> None:
    """Remember a gate definition; it wins over a predefined gate of the same name."""
    if m.frame is not m.globals or len(m.frame.scopes) > 1:
        invalid("A gate must be defined at the top level of the program.", node.at)
    if node.name in m.gates or node.name in m.subroutines or node.name in m.globals.scopes[0] or node.name in m.externs:
        invalid(f"{quote(node.name)} is declared twice.", node.at, "Choose another name.")
    look_at_name(m, node.name, node.at, called=True)
    if node.name == "U" or (m.legacy and node.name == "CX"):
        invalid(f"{quote(node.name)} is built into the language.", node.at, "Choose another name.")
    names = node.parameters + node.qubits
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        invalid(f"{quote(twice)} is declared twice.", node.at, "Choose another name.")
    for name in names:
        look_at_hidden(m, name, node.at, inner=True)
    check_body(m, node, node.body)
    if node.name in m.predefined:
        m.notes.add(
            f"Up to this line {quote(node.name)} was the predefined gate; this definition applies from here on.",
            node.at,
        )
    look_at_definition(m.notes, node.name, node.at)
    m.gates[node.name] = node


def check_body(m: Machine, gate: syntax.GateDefinition, body: list[syntax.Statement]) -> None:
    """Refuse in a gate's body what may not be there, whether the gate is used or not."""
    for statement in body:
        if isinstance(statement, syntax.GateCall):
            if statement.name == gate.name:
                invalid("A gate cannot use itself.", statement.name_at)
            if has_phase(m, statement):
                gate.phased = True
            if statement.name != "gphase":
                arity(m, statement, len(statement.operands) if not statement.modifiers else None)
            for operand in statement.operands:
                check_operand(gate, operand)
        elif isinstance(statement, syntax.Reset) and m.legacy:
            # As Qiskit writes `initialize`.
            check_operand(gate, statement.operand)
            m.notes.add("OpenQASM does not let a gate reset qubits; this service does.", statement.at)
        elif isinstance(statement, syntax.For | syntax.Box | syntax.Block):
            check_body(m, gate, statement.body)
        elif not isinstance(statement, syntax.Barrier | syntax.Delay | syntax.Pragma):
            elsewhere = m.hint("Use a subroutine, 'def', for anything else.", "Write it outside of the gate.")
            invalid("A gate can only contain gates.", statement.at, elsewhere)


def has_phase(m: Machine, node: syntax.GateCall) -> bool:
    """Tell whether a gate has the phase of the specification's U, which it has not for a first angle of 0."""
    if node.name in m.gates:
        return m.gates[node.name].phased
    angle = node.arguments[0] if node.arguments else None
    return node.name in WITH_PHASE and not (isinstance(angle, syntax.Literal) and angle.value == 0)


def check_operand(gate: syntax.GateDefinition, operand: syntax.Expression) -> None:
    """Refuse what is none of the gate's qubits."""
    if isinstance(operand, syntax.Index):
        invalid("A gate's qubits cannot be indexed.", operand.at, "Each operand of a gate is a single qubit.")
    if isinstance(operand, syntax.Name) and operand.name not in gate.qubits:
        invalid(
            f"{quote(operand.name)} is not a qubit of this gate.",
            operand.at,
            did_you_mean(operand.name, gate.qubits),
        )
