"""Channels as linear maps of density matrices, from their physics: what rules of noise do, apart from the product.

A channel on one qubit is a 4 x 4 matrix on the entries (00, 01, 10, 11) of a density matrix. What decays is not given
by the usual Kraus operators, as in the product, but by the master equation, solved by a matrix exponential; so an error
in the operators' formulas shows. Matrices of a request have a gate's first qubit least significant, as in Qiskit.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import expm  # type: ignore[import-untyped]

from oracle.quantum import Matrix, apply_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}
LOWERING = np.array([[0, 1], [0, 0]])
ENDLESS = 80.0  # decay times after which nothing is left


@dataclass(frozen=True)
class Map:
    """A sum of left and right products: rho -> sum of w L rho R^dagger, on some qubits, the first least significant."""

    terms: tuple[tuple[complex, Matrix, Matrix], ...]

    def applied(self, tensor: Matrix, qubits: tuple[int, ...]) -> Matrix:
        """Return the density matrix after it; qubit k has the axes k and width + k."""
        width = tensor.ndim // 2
        # The oracle's matrices have the first axis most significant.
        rows = tuple(reversed(qubits))
        columns = tuple(width + qubit for qubit in rows)
        found = np.zeros_like(tensor)
        for weight, left, right in self.terms:
            found += weight * apply_matrix(right.conj(), apply_matrix(left, tensor, rows), columns)
        return found


def mixture(pairs: Sequence[tuple[float, Matrix]]) -> Map:
    """Return a mixture of matrices: rho -> sum of p M rho M^dagger."""
    return Map(tuple((p, np.asarray(m, complex), np.asarray(m, complex)) for p, m in pairs))


def word(letters: str) -> Matrix:
    """Return a product of Paulis, the rightmost letter least significant."""
    found = np.eye(1)
    for letter in letters:
        found = np.kron(found, PAULIS[letter])
    return found


def of_superoperator(matrix: Matrix) -> Map:
    """Return the map of one qubit whose matrix on (00, 01, 10, 11) this is."""
    units = [[np.outer(np.eye(2)[i], np.eye(2)[j]) for j in (0, 1)] for i in (0, 1)]
    terms = []
    for (i, j), (k, m) in product(product((0, 1), repeat=2), repeat=2):
        # |i><j| of what was |k><m|: left |i><k|, right |j><m|.
        terms.append((complex(matrix[2 * i + j, 2 * k + m]), units[i][k].astype(complex), units[j][m].astype(complex)))
    return Map(tuple(terms))


@cache
def decay(relaxed: float, dephased: float, excited: float) -> Map:
    """Return what relaxation for so many T1, and so much dephasing besides, do to a qubit."""

    def dissipator(jump: Matrix) -> Matrix:
        square = jump.conj().T @ jump
        one = np.eye(2)
        return np.kron(jump, jump.conj()) - (np.kron(square, one) + np.kron(one, square.T)) / 2

    generator = relaxed * ((1 - excited) * dissipator(LOWERING) + excited * dissipator(LOWERING.T))
    generator = generator + dephased / 2 * dissipator(np.diag([1, -1]))
    return of_superoperator(expm(generator))


def channel(rule: Mapping[str, Any], name: str, width: int, seconds: float = 0.0) -> Map | None:  # noqa: PLR0911 - one for each kind
    """Return the map of a rule's channel on a gate of so many qubits, or on one of them."""
    kind = rule["channel"]
    if kind == "depolarizing":
        p = rule["probability"]
        words = ["".join(letters) for letters in product("IXYZ", repeat=width)]
        return mixture([(p / len(words) + (1 - p) * (not set(each) - {"I"}), word(each)) for each in words])
    if kind in ("bit_flip", "phase_flip"):
        p = rule["probability"]
        return mixture([(1 - p, np.eye(2)), (p, PAULIS["X" if kind == "bit_flip" else "Z"])])
    if kind == "pauli":
        chances = dict(rule["probabilities"])
        size = len(next(iter(chances)))
        chances["I" * size] = 1 - math.fsum(p for each, p in chances.items() if set(each) - {"I"})
        return mixture([(p, word(each)) for each, p in chances.items()])
    if kind in ("amplitude_damping", "generalized_amplitude_damping"):
        gamma = rule["gamma"]
        return decay(ENDLESS if gamma == 1 else -math.log1p(-gamma), 0.0, rule.get("excited_state_population", 0.0))
    if kind == "phase_damping":
        kept = math.sqrt(1 - rule["gamma"])
        return of_superoperator(np.diag([1, kept, kept, 1]))
    if kind == "thermal_relaxation":
        time = rule.get("time", seconds)
        time = time.get(name, 0.0) if isinstance(time, dict) else time
        t1, t2 = rule["t1"], rule["t2"]
        return decay(time / t1, time * (1 / t2 - 0.5 / t1), rule.get("excited_state_population", 0.0))
    if kind == "kraus":
        return mixture([(1.0, numbers(each)) for each in rule["operators"]])
    if kind == "coherent":
        return mixture([(1.0, numbers(rule["unitary"]))])
    if kind == "reset":
        to = np.eye(2)[rule.get("state", 0)]
        resets = [(rule["probability"], np.outer(to, basis)) for basis in np.eye(2)]
        return mixture([(1 - rule["probability"], np.eye(2)), *resets])
    raise ValueError(kind)


@cache
def of_pragma(text: str) -> tuple[Map, str] | None:
    """Return the channel of Braket's `braket noise name(...) operands` and its operands; None for other pragmas.

    The channels are of its documentation: the chance of `depolarizing` is that of any error. The first operand is the
    most significant bit of a Kraus operator's rows.
    """
    found = re.fullmatch(r"braket noise (\w+)\s*\((.*)\)\s*([^)]*)", text.strip())
    if found is None:
        return None
    name, given, operands = found.groups()
    values = ast.literal_eval(f"[{given.replace('im', 'j')}]")
    if name == "kraus":
        width = len(values[0]).bit_length() - 1
        order = [int(f"{index:0{width}b}"[::-1], 2) for index in range(2**width)]  # with the bits reversed
        return mixture([(1.0, np.array(each)[np.ix_(order, order)]) for each in values]), operands
    chance, *rest = values
    if name in ("bit_flip", "phase_flip", "pauli_channel"):
        letters = {"bit_flip": "X", "phase_flip": "Z"}.get(name, "XYZ")
        return channel({"channel": "pauli", "probabilities": dict(zip(letters, values, strict=True))}, "", 1), operands  # type: ignore[return-value]
    if name == "two_qubit_dephasing":
        words = dict.fromkeys(("IZ", "ZI", "ZZ"), chance / 3)
        return channel({"channel": "pauli", "probabilities": words}, "", 2), operands  # type: ignore[return-value]
    if name.endswith("depolarizing"):
        width = 2 if name.startswith("two") else 1
        scrambled = chance * 4**width / (4**width - 1)  # one of the Paulis that it draws is no error
        return channel({"channel": "depolarizing", "probability": scrambled}, "", width), operands  # type: ignore[return-value]
    rule = {"channel": name, "gamma": chance} | ({"excited_state_population": 1 - rest[0]} if rest else {})
    return channel(rule, "", 1), operands  # type: ignore[return-value]


def numbers(rows: Sequence[Sequence[Any]]) -> Matrix:
    """Return a matrix as a request has it."""
    return np.array([[complex(*each) if isinstance(each, list) else complex(each) for each in row] for row in rows])


def size_of(rule: Mapping[str, Any], width: int) -> int:
    """Return how many qubits a rule's channel is on, beside a gate of so many."""
    if rule["channel"] == "depolarizing":
        return width
    if rule["channel"] == "pauli":
        return len(next(iter(rule["probabilities"])))
    matrix = rule.get("unitary") or (rule.get("operators") or [None])[0]
    return len(matrix).bit_length() - 1 if matrix else 1


@dataclass(frozen=True)
class Rules:
    """A request's list of rules."""

    given: tuple[Mapping[str, Any], ...]

    def around(
        self, when: str, name: str, qubits: tuple[int, ...], seconds: float = 0.0
    ) -> Iterator[tuple[Map, tuple[int, ...]]]:
        """Yield the channels before or after an operation, and their qubits."""
        for rule in self.given:
            if rule["channel"] == "readout":
                continue
            gates = rule.get("gates")
            plain = name not in ("measure", "reset", "delay")
            wide = {1: "one_qubit", 2: "two_qubit"}.get(len(qubits))
            if not ((plain and len(qubits) <= 2) if gates is None else name in gates or (plain and wide in gates)):
                continue
            usual = "before" if gates == ["measure"] else "after"
            if rule.get("when", usual) != when:
                continue
            places, size = rule.get("qubits"), size_of(rule, len(qubits))
            here = places is None or list(qubits) in places
            if size == len(qubits):
                where = [qubits] if here or all(qubit in places for qubit in qubits) else []
            elif size == 1:
                where = [(qubit,) for qubit in qubits if here or qubit in places]
            else:
                where = []
            for each in where:
                found = channel(rule, name, len(qubits), seconds)
                if found is not None:
                    yield found, each

    def misread(self, qubit: int) -> tuple[float, float]:
        """Return the chances of a wrong bit for a 0 and for a 1."""
        found = (0.0, 0.0)
        for rule in self.given:
            if rule["channel"] == "readout" and (rule.get("qubits") is None or qubit in rule["qubits"]):
                found = (rule.get("prob_meas1_prep0", 0.0), rule.get("prob_meas0_prep1", 0.0))
        return found
