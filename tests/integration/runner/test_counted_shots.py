"""Variational programs that count their shots themselves, as OpenQASM 3's own example does, at its size: right counts.

What they should give is worked out without the reader: one shot is a plain circuit, whose chance of an odd parity NumPy
has exactly, and the number of odd ones among the shots is binomial.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom, chi2

import simulator
from admission import Budget
from oracle.interpreter import explore
from reader import read
from reader_exact import distribution
from tasks.options import Options

BUDGET = Budget(2**30, 60.0, 2**30, 60.0)
# One in a million right runs is taken for wrong; the seeds are fixed.
FALSE_ALARM = 1e-6
PRECISION = 16  # bits of an angle
STEP = 0.1  # radians from one parameter to the next, as near as an angle of so many bits is


def variational(shots: int, qubits: int, layers: int, paulis: str, *, ring: bool = False) -> str:
    """Return a program that prepares a state and measures a Pauli string, the first qubit's letter first."""
    spec = "".join("1" if letter in letters else "0" for letters in ("ZY", "XY") for letter in reversed(paulis))
    closing = "cx q[n - 1], q[0];" if ring else ""
    return f"""OPENQASM 3.0;
        include "stdgates.inc";
        const int[32] n = {qubits};
        const int[32] layers = {layers};
        const int[32] prec = {PRECISION};
        const int[32] shots = {shots};
        def parameter(uint[prec] i) -> angle[prec] {{ angle[prec] step = {STEP}; return step * i; }}
        def entangle(qubit[n] q) {{ for uint i in [0:n-2] {{ cx q[i], q[i + 1]; }} {closing} }}
        def in_x(qubit one) -> bit {{ h one; return measure one; }}
        def in_y(qubit one) -> bit {{ sdg one; h one; return measure one; }}
        def prepare(qubit[n] q) {{
            for int[prec] l in [0:layers-1] {{
                for uint[prec] i in [0:n-1] {{ angle[prec] theta; theta = parameter(l * n + i); ry(theta) q[i]; }}
                if (l != layers - 1) entangle(q);
            }}
        }}
        def parity(bit[2*n] spec, qubit[n] q) -> bit {{
            bit odd = 0;
            for uint[prec] i in [0:n-1] {{
                bit one;
                if (spec[i] == 1 && spec[n + i] == 0) {{ one = in_x(q[i]); }}
                if (spec[i] == 0 && spec[n + i] == 1) {{ one = measure q[i]; }}
                if (spec[i] == 1 && spec[n + i] == 1) {{ one = in_y(q[i]); }}
                odd ^= one;
            }}
            return odd;
        }}
        def odd_shots(bit[2*n] spec, qubit[n] q) -> uint[prec] {{
            uint[prec] counts;
            for uint shot in [1:shots] {{
                bit odd;
                reset q;
                prepare(q);
                odd = parity(spec, q);
                counts += uint[1](odd);
            }}
            return counts;
        }}
        qubit[n] q;
        output uint[prec] counts;
        counts = odd_shots("{spec}", q);
    """


def chance_of_odd(qubits: int, layers: int, paulis: str, *, ring: bool = False) -> float:
    """Return the probability that a shot's parity is odd: (1 - <P>) / 2, of a statevector made here."""
    state = np.zeros((2,) * qubits, complex)
    state[(0,) * qubits] = 1
    turn = round(STEP / math.tau * 2**PRECISION)
    for layer in range(layers):
        for qubit in range(qubits):
            half = math.pi * (turn * (layer * qubits + qubit) % 2**PRECISION) / 2**PRECISION
            matrix = np.array([[math.cos(half), -math.sin(half)], [math.sin(half), math.cos(half)]])
            state = np.moveaxis(np.tensordot(matrix, state, (1, qubit)), 0, qubit)
        if layer != layers - 1:
            for control, target in [*((i, i + 1) for i in range(qubits - 1)), *([(qubits - 1, 0)] if ring else [])]:
                flipped = np.flip(state, target)
                ones = np.arange(2).reshape([2 if axis == control else 1 for axis in range(qubits)])
                state = np.where(ones == 1, flipped, state)
    letters = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}
    turned = state
    for qubit, letter in enumerate(paulis):
        if letter != "I":
            turned = np.moveaxis(np.tensordot(letters[letter], turned, (1, qubit)), 0, qubit)
    return float((1 - np.vdot(state, turned).real) / 2)


def is_binomial(values: dict[int, int], shots: int, chance: float) -> bool:
    """Tell whether numbers can be so many draws of a binomial distribution, by a chi-squared test of ten cells."""
    draws = sum(values.values())
    # Cells from one quantile to the next, each of the probability that it has.
    edges = sorted({int(binom.ppf(part / 10, shots, chance)) for part in range(1, 10)} | {-1, shots})
    statistic = 0.0
    for low, high in pairwise(edges):
        expected = draws * (binom.cdf(high, shots, chance) - binom.cdf(low, shots, chance))
        found = sum(times for value, times in values.items() if low < value <= high)
        statistic += (found - expected) ** 2 / expected
    return bool(chi2.sf(statistic, len(edges) - 2) > FALSE_ALARM)


@pytest.mark.parametrize(("qubits", "paulis", "ring"), [(2, "XZ", False), (2, "YY", False), (3, "ZIY", True)])
def test_a_few_counted_shots_have_their_exact_distribution(qubits: int, paulis: str, ring: bool) -> None:  # noqa: FBT001
    """Of three shots, the reader's circuit, the interpreter of the specification and the binomial agree."""
    text = variational(3, qubits, 2, paulis, ring=ring)
    chance = chance_of_odd(qubits, 2, paulis, ring=ring)
    expected = {f"{number:0{PRECISION}b}": float(binom.pmf(number, 3, chance)) for number in range(4)}
    expected = {key: value for key, value in expected.items() if value > 1e-9}
    assert distribution(read(text)) == pytest.approx(expected, abs=1e-9)
    assert explore(text, {}, tolerance=1e-9).probabilities == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("paulis", "shots"), [("ZXIIIIIIII", 1_000), ("XYZXYZXYZX", 100)])
def test_many_counted_shots_have_their_distribution(paulis: str, shots: int) -> None:
    """Ten qubits, three layers, a thousand shots: 400 runs of the program give binomial numbers, within seconds.

    However many rounds the loop has, qubits are reused in each: three are enough for these circuits.
    """
    outcome = simulator.simulate(variational(shots, 10, 3, paulis), Options(shots=400, seed=7), BUDGET)
    values = {int(key, 2): times for key, times in outcome["result"].items()}
    chance = chance_of_odd(10, 3, paulis)
    assert is_binomial(values, shots, chance)
    assert not is_binomial(values, shots, chance + 0.03)
    assert outcome["execution"]["reduced"]["qubits"] == [10, 3]


def test_counted_shots_of_entangled_qubits_run_as_parts() -> None:
    """Ten qubits in a ring need all ten at once, and each shot is a circuit of its own, wherever it is counted."""
    outcome = simulator.simulate(variational(100, 10, 3, "XYZXYZXYZX", ring=True), Options(shots=400, seed=8), BUDGET)
    values = {int(key, 2): times for key, times in outcome["result"].items()}
    assert is_binomial(values, 100, chance_of_odd(10, 3, "XYZXYZXYZX", ring=True))
    assert outcome["execution"]["reduced"]["parts"] == [1, 100]
