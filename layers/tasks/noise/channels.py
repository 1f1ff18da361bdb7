"""Quantum channels in the form that every engine takes: a random choice among steps on a few qubits.

    error = [(probability, [step, ...]), ...]

A step is a product of Paulis, a unitary matrix, a reset or a set of Kraus operators. Places count a gate's qubits from
0, the least significant of a matrix's rows, and the rightmost letter of a Pauli string, as in Qiskit. Plain Python: the
api checks channels without NumPy.

Sources: Nielsen and Chuang, "Quantum Computation and Quantum Information", 8.3 (the channels); thermal relaxation as a
mixture of resets and phase flips where T2 <= T1: Blank, Park, Rhee and Petruccione 2020, appendix; Qiskit Aer's
`thermal_relaxation_error`.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Matrix = tuple[tuple[complex, ...], ...]

TOLERANCE = 1e-6  # by which probabilities may miss 1, and products of matrices the identity
WIDEST = 3  # qubits of a channel given by matrices
_LETTERS = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}
_PRODUCT = {bits: letter for letter, bits in _LETTERS.items()}
# Of the Paulis on places 0 and 1, the order in which seeds have drawn them since the first version.
_DRAWN = "IXZY"


class Step(NamedTuple):
    """One step of an error: its kind, the places it acts on, and what it does there.

    `pauli`: letters, one for each place, in the places' order; `unitary`: a matrix; `kraus`: matrices; `reset`: the bit
    that its one place is reset to.
    """

    kind: str
    places: tuple[int, ...]
    data: Any


class Error:
    """A channel on `qubits` qubits as a mixture of steps; two are the same if they are one object.

    `terms` are pairs of a probability and steps, without the identity, whose probability is `stay`. Together they are
    1. Products of Paulis are worked out, and those that are equal are one term. `paulis` tells whether all are.
    """

    __slots__ = ("paulis", "qubits", "stay", "terms")

    def __init__(self, qubits: int, terms: Iterable[tuple[float, Sequence[Step]]]) -> None:
        merged: dict[Any, tuple[float, tuple[Step, ...]]] = {}
        for probability, steps in terms:
            if probability > 0:
                simple, key = _simplified(steps)
                merged[key] = (merged[key][0] + probability if key in merged else probability, simple)
        total = math.fsum(probability for probability, _ in merged.values())
        self.qubits = qubits
        self.stay = merged.pop((), (0.0, ()))[0] / total
        self.terms = tuple((probability / total, steps) for probability, steps in merged.values())
        self.paulis = all(step.kind == "pauli" for _, steps in self.terms for step in steps)


def _simplified(steps: Sequence[Step]) -> tuple[tuple[Step, ...], Any]:
    """Return the steps with identities left out and Paulis as one product, and what tells them from others."""
    kept = [step for step in steps if step.kind != "pauli" or set(step.data) != {"I"}]
    if all(step.kind == "pauli" for step in kept):
        bits: dict[int, tuple[int, int]] = {}
        for step in kept:
            for place, letter in zip(step.places, step.data, strict=True):
                x, z = bits.get(place, (0, 0))
                bits[place] = (x ^ _LETTERS[letter][0], z ^ _LETTERS[letter][1])
        letters = {place: _PRODUCT[pair] for place, pair in sorted(bits.items()) if pair != (0, 0)}
        if not letters:
            return (), ()
        one = Step("pauli", tuple(letters), "".join(letters.values()))
        return (one,), one
    return tuple(kept), object()


def pauli(letters: str) -> Step:
    """Return a product of Paulis; the rightmost letter acts on place 0."""
    return Step("pauli", tuple(range(len(letters))), letters[::-1])


# ------------------------------------------------------------------ channels


def depolarizing(probability: float, qubits: int) -> Error:
    """Return rho -> (1 - p) rho + p I/2^n: each Pauli but the identity with the chance p/4^n."""
    each = probability / 4**qubits
    words = ["".join(word) for word in product(_DRAWN, repeat=qubits)][1:]
    return Error(qubits, [(1 - each * len(words), ()), *((each, (pauli(word),)) for word in words)])


def paulis(probabilities: Mapping[str, float], qubits: int) -> Error:
    """Return a Pauli channel; what is left of 1 is the identity's."""
    rest = 1 - math.fsum(probabilities.values())
    return Error(qubits, [(max(0.0, rest), ()), *((p, (pauli(word),)) for word, p in probabilities.items())])


def phase_damping(gamma: float) -> Error:
    """Return the channel that keeps sqrt(1 - gamma) of the coherence: a phase flip."""
    return paulis({"Z": (1 - math.sqrt(1 - gamma)) / 2}, 1)


def amplitude_damping(gamma: float, excited: float = 0.0) -> Error:
    """Return the channel towards the state whose population of |1> is `excited`."""
    kept, lost = math.sqrt(1 - gamma), math.sqrt(gamma)
    down: list[Matrix] = [((1, 0), (0, kept)), ((0, lost), (0, 0))]
    up: list[Matrix] = [((kept, 0), (0, 1)), ((0, 0), (lost, 0))]
    sides = [(1 - excited, down), (excited, up)]
    return kraus([_times(math.sqrt(share), each) for share, side in sides if share > 0 for each in side])


def thermal_relaxation(t1: float, t2: float, time: float, excited: float = 0.0) -> Error:
    """Return what T1 and T2 do in some time: populations decay by exp(-t/T1), coherence by exp(-t/T2); T2 <= 2 T1."""
    decay = -math.expm1(-time / t1)
    if t2 <= t1:
        flip = (1 - decay) * -math.expm1(-time * (1 / t2 - 1 / t1)) / 2
        return Error(
            1,
            [
                (max(0.0, 1 - decay - flip), ()),
                (flip, (pauli("Z"),)),
                (decay * (1 - excited), (Step("reset", (0,), 0),)),
                (decay * excited, (Step("reset", (0,), 1),)),
            ],
        )
    flip = -math.expm1(time * (0.5 / t1 - 1 / t2)) / 2
    # A flip after a jump changes nothing, so that one set of operators has both.
    kept, lost = math.sqrt(1 - decay), math.sqrt(decay)
    found: list[Matrix] = []
    for share, (first, second), jump in (
        (1 - excited, (1.0, kept), ((0, lost), (0, 0))),
        (excited, (kept, 1.0), ((0, 0), (lost, 0))),
    ):
        stays, flips, jumps = math.sqrt(share * (1 - flip)), math.sqrt(share * flip), math.sqrt(share)
        if share > 0:
            found += [((stays * first, 0), (0, stays * second)), ((flips * first, 0), (0, -flips * second))]
            found.append(_times(jumps, jump))
    return kraus(found)


def reset(probability: float, state: int) -> Error:
    """Return a reset with some chance, to |0> or |1>."""
    return Error(1, [(1 - probability, ()), (probability, (Step("reset", (0,), state),))])


def kraus(operators: Sequence[Matrix]) -> Error:
    """Return the channel of these Kraus operators."""
    qubits = len(operators[0]).bit_length() - 1
    return Error(qubits, [(1.0, (Step("kraus", tuple(range(qubits)), tuple(operators)),))])


def unitary(matrix: Matrix) -> Error:
    """Return a coherent error: a unitary matrix, always."""
    qubits = len(matrix).bit_length() - 1
    return Error(qubits, [(1.0, (Step("unitary", tuple(range(qubits)), matrix),))])


def _times(factor: float, matrix: Matrix) -> Matrix:
    return tuple(tuple(factor * entry for entry in row) for row in matrix)


# ------------------------------------------------------------------ checks


def excess(operators: Sequence[Matrix]) -> float:
    """Return by how much the sum of K^dagger K misses the identity, in its worst entry: 0 preserves the trace."""
    size = len(operators[0])
    # By columns, for a column's product with another's conjugate is an entry.
    columns = [[[row[index] for row in matrix] for index in range(size)] for matrix in operators]
    worst = 0.0
    for left in range(size):
        for right in range(left, size):
            entry = sum(
                a.conjugate() * b for matrix in columns for a, b in zip(matrix[left], matrix[right], strict=True)
            )
            worst = max(worst, abs(entry - (left == right)))
    return worst
