"""Random programs of gates, measurements, resets, tests and stores; whether two samples can be of one distribution."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from scipy.stats import chi2

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
ONE = ["h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx"]
TWO = ["cx", "cy", "cz", "swap"]
BITS = 3
LEAST = 20  # shots of a cell in a chi-squared test
# One in ten million comparisons of equal distributions is taken for different.
SIGNIFICANT = 1e-7


class Writer:
    """Writes a random program."""

    def __init__(self, seed: int, qubits: int, *, clifford: bool = False) -> None:
        self.chance = random.Random(seed)
        self.qubits = qubits
        self.clifford = clifford

    def program(self, statements: int) -> str:
        """Return a program of so many statements, whose counts show every bit."""
        body = [self.statement(0) for _ in range(statements)]
        end = f"bit[{self.qubits}] e;\ne = measure q;" if self.chance.random() < 0.8 else "c[0] = measure q[0];"
        return f"{HEAD}qubit[{self.qubits}] q;\nbit[{BITS}] c;\n" + "\n".join([*body, end])

    def gate(self) -> str:
        """Return a gate."""
        chance = self.chance
        kind = chance.random()
        if kind < 0.4:
            return f"{chance.choice([g for g in ONE if not self.clifford or g[0] != 't'])} q[{self.qubit()}];"
        if kind < 0.55:
            angle = chance.choice([0, 0.5, 1, 1.5]) * math.pi if self.clifford else chance.uniform(-3, 3)
            return f"{chance.choice(['rx', 'ry', 'rz', 'p'])}({angle}) q[{self.qubit()}];"
        a, b, c = (*chance.sample(range(self.qubits), min(3, self.qubits)), None)[:3]
        if kind < 0.62 and c is not None and not self.clifford:
            return f"{chance.choice(['ccx', 'cswap'])} q[{a}], q[{b}], q[{c}];"
        if kind < 0.7 and not self.clifford:
            return f"{chance.choice(['cp', 'crx', 'cry', 'crz'])}({chance.uniform(-3, 3)}) q[{a}], q[{b}];"
        return f"{chance.choice(TWO)} q[{a}], q[{b}];"

    def statement(self, depth: int) -> str:  # noqa: PLR0911 - one for each kind
        """Return a statement, tests up to two deep."""
        chance = self.chance
        kind = chance.random()
        if kind < 0.5:
            return self.gate()
        if kind < 0.68:
            return f"c[{self.bit()}] = measure q[{self.qubit()}];"
        if kind < 0.75:
            return f"reset q[{self.qubit()}];"
        if kind < 0.8:
            return f"c[{self.bit()}] = c[{self.bit()}] ^ c[{self.bit()}];"
        if depth > 1:
            return self.gate()
        bit = f"c[{self.bit()}]"
        if kind < 0.85 and not depth:
            return f"while ({bit}) {{ h q[0]; {bit} = measure q[0]; {self.gate()} }}"
        condition = chance.choice([bit, f"!{bit}", f"{bit} && c[{self.bit()}]", f"c == {chance.randrange(2**BITS)}"])
        body = " ".join(self.statement(depth + 1) for _ in range(chance.randrange(1, 3)))
        other = f" else {{ {self.statement(depth + 1)} }}" if chance.random() < 0.4 else ""
        return f"if ({condition}) {{ {body} }}{other}"

    def qubit(self) -> int:
        """Return a qubit's index."""
        return self.chance.randrange(self.qubits)

    def bit(self) -> int:
        """Return a bit's index."""
        return self.chance.randrange(BITS)


def alike(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Tell whether two counts can be samples of one distribution, by a two-sample chi-squared test."""
    scale = math.sqrt(sum(other.values()) / sum(one.values()))
    pairs = [(one.get(key, 0), other.get(key, 0)) for key in {*one, *other}]
    rare = [pair for pair in pairs if sum(pair) < LEAST]
    cells = [pair for pair in pairs if sum(pair) >= LEAST]
    rest = (sum(a for a, _ in rare), sum(b for _, b in rare))
    if sum(rest) >= LEAST or (rest != (0, 0) and not cells):
        cells.append(rest)
    statistic = sum((a * scale - b / scale) ** 2 / (a + b) for a, b in cells)
    freedom = len(cells) - 1
    return bool(statistic < LEAST if freedom < 1 else chi2.sf(statistic, freedom) > SIGNIFICANT)
