"""Refuses names that are not gates, and suggests what may be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from reader.compiler.references import lookup
from reader.errors import did_you_mean, invalid, quote, unsupported
from reader.text import syntax
from reader.text.expression_parser import PULSES, WITHOUT_PULSES

if TYPE_CHECKING:
    from reader.compiler.gates import Standard
    from reader.compiler.machine import Machine

_MEANT = {
    "rxy": "qoqo's rxy(a, b) is r(a, b), QuICT's is r(b, a): write the one that you mean.",
    "toffoli": "Did you mean ccx?",
    "fredkin": "Did you mean cswap?",
}
_TYPES = ["qubit", "bit", "bool", "int", "uint", "float", "angle", "complex", "duration"]
_SHOWN = 6  # parameters, and qubits, that a hint writes out


def refuse_gate(m: Machine, node: syntax.GateCall, table: dict[str, Standard]) -> NoReturn:
    """Refuse a name that is not a gate."""
    name = node.name
    if name in m.subroutines:
        invalid(
            f"{quote(name)} is a subroutine, not a gate.",
            node.name_at,
            f"Call it with its qubits in the brackets: '{name[:40]}(...);'.",
        )
    hint = _MEANT.get(name.lower()) or did_you_mean(name, fitting(m, node, table))
    if hint is None and _declares(m, node):
        if name in PULSES:
            unsupported(f"{quote(name)} describes pulses, which a simulator cannot play.", node.name_at, WITHOUT_PULSES)
        if m.legacy:  # `reg` may be either register
            hint = "Registers are declared as 'qreg q[2];' or 'creg c[2];'."
        else:
            hint = did_you_mean(name, _TYPES) or f"Types are {', '.join(_TYPES)}."
    invalid(f"{quote(name)} is not a gate.", node.name_at, hint or _definition(node))


def _declares(m: Machine, node: syntax.GateCall) -> bool:
    """Tell whether a call looks like a declaration by a type that does not exist: its operand is nothing yet."""
    if node.modifiers or node.arguments or len(node.operands) != 1:
        return False
    operand = node.operands[0]
    while isinstance(operand, syntax.Index):
        operand = operand.target
    return isinstance(operand, syntax.Name) and not m.in_gate and lookup(m, operand.name) is None


def _definition(node: syntax.GateCall) -> str:
    """Return the hint to define a gate, its parameters and qubits written out where a sentence has place for them."""
    parameters, qubits = len(node.arguments), len(node.operands)
    if node.modifiers or max(parameters, qubits) > _SHOWN:
        return f"Define it with 'gate {node.name[:40]}'."
    brackets = f"({', '.join('abcdef'[:parameters])})" if parameters else ""
    operands = ", ".join(f"q{number}" for number in range(qubits)) if qubits > 1 else "q"
    return f"Define it: 'gate {node.name[:40]}{brackets} {operands} {{ ... }}'."


def fitting(m: Machine, node: syntax.GateCall, table: dict[str, Standard]) -> list[str]:
    """Return the names of gates that take as many parameters and qubits as are given."""
    sizes = {name: (gate.parameters, gate.qubits) for name, gate in table.items()}
    sizes |= {name: (len(gate.parameters), len(gate.qubits)) for name, gate in m.gates.items()}
    given = len(node.arguments), len(node.operands)
    return [name for name, size in sizes.items() if size == given or (node.modifiers and size[0] == given[0])]
