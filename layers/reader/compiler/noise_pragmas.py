"""Noise that a program states itself: Braket's `#pragma braket noise`, a channel at its place among the operations.

The channels are those of amazon-braket-default-simulator's `noise_operations.py`: each Pauli of `depolarizing` has a
third of its probability, of `two_qubit_depolarizing` a fifteenth; the second number of `generalized_amplitude_damping`
is the chance of the way down.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from reader.compiler.coercion import evaluate_real, need_of
from reader.compiler.conversions import with_article
from reader.compiler.references import qubits_of
from reader.compiler.values import to_float
from reader.errors import fault, invalid, too_large
from reader.operations import Channel
from reader.text.pragma_parser import CHANNELS, KRAUS
from tasks.noise import channels
from tasks.noise.channels import WIDEST

if TYPE_CHECKING:
    from reader.compiler.machine import Machine
    from reader.text import syntax
    from tasks.noise.channels import Error

_ROUNDING = 1e-9  # by which probabilities may go over 1
_TOLERANCE = 1e-5  # of Braket; what runs is the nearest that preserves the trace
_PAIRS = tuple("".join(letters) for letters in product("IXYZ", repeat=2))[1:]


def apply_noise(m: Machine, node: syntax.NoisePragma) -> None:
    """Apply a channel to its qubits, the first of which is the most significant bit of Kraus operators' rows."""
    qubits = tuple([place for operand in node.operands for place in qubits_of(m, operand).places])
    error = _kraus(m, node, len(qubits)) if node.channel == KRAUS else _named(m, node)
    if error.qubits != len(qubits):
        plural = "s" * (error.qubits > 1)
        invalid(f"{node.channel} acts on {error.qubits} qubit{plural}, not on {len(qubits)}.", node.operands[0].at)
    if len(set(qubits)) < len(qubits):
        fault("The channel gets the same qubit twice.", node.at, "Use a different qubit for each operand.")
    weight = len(node.matrices) * 4 ** len(qubits) if node.matrices else len(error.terms)
    m.count(max(1, weight), node.at)
    m.ops.append(Channel(error, qubits[::-1]))


def _named(m: Machine, node: syntax.NoisePragma) -> Error:
    """Return a channel that is given by probabilities."""
    names = CHANNELS[node.channel][1]
    numbers = [
        _probability(m, argument, node.channel, name) for argument, name in zip(node.arguments, names, strict=True)
    ]
    if (total := sum(numbers)) > 1 + _ROUNDING and node.channel == "pauli_channel":
        fault(f"The probabilities of pauli_channel add up to {total:.9g}, more than 1.", node.arguments[0].at)
    return _made(node.channel, *numbers)


def _probability(m: Machine, node: syntax.Expression, channel: str, name: str) -> float:
    """Return a number from 0 to 1."""
    value = need_of(m, node, evaluate_real(m, node))
    if value.type.kind not in ("float", "int", "uint"):
        invalid(f"The {name} of {channel} is a float, not {with_article(value.type)}.", node.at)
    number = to_float(value.data)
    if not 0 <= number <= 1:
        fault(f"The {name} of {channel} is {number:.9g}; it must be from 0 to 1.", node.at)
    return number


@lru_cache(maxsize=4_096)
def _made(channel: str, *numbers: float) -> Error:
    """Return the channel of that name."""
    first = numbers[0]
    if channel == "amplitude_damping":
        return channels.amplitude_damping(first)
    if channel == "generalized_amplitude_damping":
        return channels.amplitude_damping(first, 1 - numbers[1])
    if channel == "phase_damping":
        return channels.phase_damping(first)
    if channel == "two_qubit_depolarizing":
        return channels.paulis(dict.fromkeys(_PAIRS, first / 15), 2)
    if channel == "two_qubit_dephasing":
        return channels.paulis(dict.fromkeys(("IZ", "ZI", "ZZ"), first / 3), 2)
    letters = {"bit_flip": "X", "phase_flip": "Z"}.get(channel, "XYZ")
    shares = numbers if channel == "pauli_channel" else [first / len(letters)] * len(letters)
    return channels.paulis(dict(zip(letters, shares, strict=True)), 1)


def _kraus(m: Machine, node: syntax.NoisePragma, qubits: int) -> Error:
    """Return the channel of the pragma's Kraus operators."""
    error = m.channels.get(node)
    if error is not None:
        return error
    operators = [matrix.rows for matrix in node.matrices]
    size = len(operators[0])
    if qubits > WIDEST:
        too_large(f"A channel is limited to {WIDEST} qubits.", node.at, WIDEST, qubits)
    if len(operators) > 4**WIDEST:
        too_large(f"A channel is limited to {4**WIDEST} operators.", node.at, 4**WIDEST, len(operators))
    if any(len(rows) != 2**qubits for rows in operators):
        invalid(f"Kraus operators on {qubits} qubits have {2**qubits} rows each.", node.at)
    m.budget.spend(len(operators) * size**3 >> 2, node.at)
    largest = max(max(abs(entry.real), abs(entry.imag)) for rows in operators for row in rows for entry in row)
    if not largest <= 1 + _TOLERANCE or not channels.excess(operators) <= _TOLERANCE:
        invalid(
            "The Kraus operators do not preserve the trace.",
            node.at,
            "The sum of K^dagger K over all operators must be the identity; give at least six digits.",
        )
    m.channels[node] = error = channels.kraus(operators)
    return error
