"""Braket's feed-forward: `measure_ff(key) q;` keeps a bit, `cc_prx(angle, axis, key) q;` acts where it is 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.control import branch
from reader.compiler.gate_calls import apply_gate
from reader.compiler.references import qubits_of
from reader.compiler.symbols import Variable
from reader.compiler.types import constant_integer
from reader.compiler.values import BIT, to_bits
from reader.errors import invalid
from reader.operations import Node
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine

FEEDBACK = {"measure_ff": "(key) q;", "cc_prx": "(angle, axis, key) q;"}


def apply_feedback(m: Machine, node: syntax.GateCall) -> None:
    """Execute one of the two statements."""
    form = node.name + FEEDBACK[node.name]
    if node.modifiers or len(node.arguments) != form.count(",") + 1 or len(node.operands) != 1:
        invalid(f"This is not what Braket writes for {node.name}.", node.at, f"Write '{form}'.")
    if m.in_gate:
        invalid(f"A gate cannot contain {node.name}.", node.at)
    key = constant_integer(m, node.arguments[-1], "The key")
    if node.name == "measure_ff":
        qubits = qubits_of(m, node.operands[0]).places
        if len(qubits) != 1:
            invalid("measure_ff measures one qubit.", node.at, "Write one for each, with a key of its own.")
        variable = m.feedback.setdefault(key, Variable("feedback", BIT, node.at, 0))
        m.measure(qubits[0], variable, 0, node.at)
        return
    kept = m.feedback.get(key)
    if kept is None:
        invalid(f"No measure_ff before it has the key {key}.", node.arguments[-1].at, f"Write 'measure_ff({key}) q;'.")
    gate = syntax.GateCall(node.at, [], "r", node.name_at, node.arguments[:-1], node.operands)
    (bit,) = to_bits(m.read(kept, node.at))
    if isinstance(bit, Node):
        branch(m, bit, lambda: apply_gate(m, gate), None, node.at)
    elif bit:
        apply_gate(m, gate)
