"""Errors on branches: how a run by trajectories draws what happens to the shots of each branch, and applies it.

Of each branch a binomial number of shots leaves its way; what they meet is drawn from a multinomial distribution. The
Kraus operators of a channel are drawn with the probabilities that they have in the branch's own state: the squared
norm of what each makes of it, from the state of the channel's qubits alone (Dalibard, Castin and Molmer 1992).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from branches import merge
from reader.operations import Matrix, MatrixGate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from branches import Branches
    from tasks.noise.channels import Error, Step

Array = np.ndarray[Any, Any]

_TINY = 1e-300


def apply(branches: Branches, error: Error, qubits: tuple[int, ...], generator: np.random.Generator) -> None:
    """Draw an error for each shot."""
    if error.stay == 0.0 and len(error.terms) == 1:
        run(branches, error.terms[0][1], qubits, generator)
        return
    wrong = generator.binomial(branches.times, 1 - error.stay)
    if not wrong.any():
        return
    which = np.flatnonzero(wrong)
    chances = np.array([chance for chance, _ in error.terms])
    each = generator.multinomial(wrong[which], chances / chances.sum())
    stay = np.flatnonzero(branches.times - wrong)
    columns, times, ends = [stay], [(branches.times - wrong)[stay]], [len(stay)]
    for term in range(len(error.terms)):
        hit = np.flatnonzero(each[:, term])
        columns.append(which[hit])
        times.append(each[hit, term])
        ends.append(ends[-1] + len(hit))
    if error.paulis:
        forked = branches.take(np.concatenate(columns), np.concatenate(times))
        for term, (_, steps) in enumerate(error.terms):
            at = slice(ends[term], ends[term + 1])
            if at.start < at.stop:
                for step in steps:
                    _pauli(forked, step, qubits, at)
        branches.become(forked)
        return
    parts = [branches.take(columns[0], times[0])]
    for term, (_, steps) in enumerate(error.terms):
        if len(columns[term + 1]):
            part = branches.take(columns[term + 1], times[term + 1])
            run(part, steps, qubits, generator)
            parts.append(part)
    branches.become(merge(parts))


def run(branches: Branches, steps: Sequence[Step], qubits: tuple[int, ...], generator: np.random.Generator) -> None:
    """Apply the steps of an error to all shots."""
    for step in steps:
        if step.kind == "pauli":
            _pauli(branches, step, qubits, slice(None))
        elif step.kind == "reset":
            qubit = qubits[step.places[0]]
            branches.collapse(qubit, generator)
            branches.values[qubit] = step.data
        elif step.kind == "unitary":
            branches.gate(MatrixGate(_unitary(step.data), tuple(qubits[place] for place in step.places)))
        else:
            _jump(branches, step, tuple(qubits[place] for place in step.places), generator)


@lru_cache(maxsize=256)
def _unitary(rows: tuple[tuple[complex, ...], ...]) -> Matrix:
    return Matrix(rows)


def _pauli(branches: Branches, step: Step, qubits: tuple[int, ...], at: slice) -> None:
    """Apply Paulis to some branches."""
    for place, letter in zip(step.places, step.data, strict=True):
        if letter in "XY":
            branches.flip(qubits[place], at)
        if letter in "YZ":
            branches.sign(qubits[place], at)


# ------------------------------------------------------------------ Kraus operators


@lru_cache(maxsize=4_096)
def _operators(operators: tuple[Any, ...]) -> tuple[Array, Array, bool]:
    """Return the operators, shape (k, d, d), and their K^dagger K, and whether all of those are diagonal.

    What was rounded is made to preserve the trace.
    """
    given = np.array(operators, complex)
    values, vectors = np.linalg.eigh(np.einsum("kji,kjl->il", given.conj(), given))
    exact = given @ ((vectors * values**-0.5) @ vectors.conj().T)
    squares = np.einsum("kji,kjl->kil", exact.conj(), exact)
    diagonal = bool(np.allclose(squares, squares * np.eye(len(given[0])), atol=1e-12))
    return exact, squares, diagonal


def preserving(operators: tuple[Any, ...]) -> Array:
    """Return Kraus operators as numbers can best preserve the trace, shape (k, d, d)."""
    return _operators(operators)[0]


def _jump(branches: Branches, step: Step, qubits: tuple[int, ...], generator: np.random.Generator) -> None:
    """Apply to each shot one of the Kraus operators."""
    operators, squares, diagonal = _operators(step.data)
    if len(qubits) == 1 and qubits[0] not in branches.active and _monomial(operators):
        _hop(branches, operators, qubits[0], generator)
        return
    for qubit in qubits:
        if qubit not in branches.active:
            branches.activate(qubit)
    weights = _weights(branches, qubits, squares, diagonal=diagonal)
    shots = branches.times
    weights = np.maximum(weights, 0.0)
    weights /= np.maximum(weights.sum(axis=0), _TINY)
    if len(operators) == 2:  # noqa: PLR2004 - the common channels have two
        second = generator.binomial(shots, np.minimum(weights[1], 1.0))
        drawn = np.stack((shots - second, second))
    else:
        drawn = generator.multinomial(shots, weights.T).T
    if len(qubits) == 1:
        _fork(branches, operators, qubits[0], drawn, weights)
        return
    parts: list[Branches] = []
    for operator, times, weight in zip(operators, drawn, weights, strict=True):
        hit = np.flatnonzero(times)
        if len(hit):
            part = branches.take(hit, times[hit])
            _multiply(part, operator, qubits)
            part.amplitudes *= weight[hit] ** -0.5
            parts.append(part)
    branches.become(merge(parts))


def _fork(branches: Branches, operators: Array, qubit: int, drawn: Array, weights: Array) -> None:
    """Give the shots that an operator of one qubit is drawn for branches of their own, and apply it there."""
    hits = [np.flatnonzero(times) for times in drawn]
    if len(hits[0]) < len(branches.times) or any(len(hit) for hit in hits[1:]):
        times = np.concatenate([each[hit] for each, hit in zip(drawn, hits, strict=True)])
        branches.become(branches.take(np.concatenate(hits), times))
    view = branches.amplitudes.reshape(-1, 2, 1 << branches.active.index(qubit), len(branches.times))
    end = 0
    for operator, hit, weight in zip(operators, hits, weights, strict=True):
        start, end = end, end + len(hit)
        if start == end:
            continue
        zero, one = view[:, 0, :, start:end], view[:, 1, :, start:end]
        norm = weight[hit] ** -0.5
        (m00, m01), (m10, m11) = operator if operator.imag.any() else operator.real
        kept = zero * (m10 * norm) if m10 else None
        zero *= m00 * norm
        if m01:
            zero += one * (m01 * norm)
        one *= m11 * norm
        if kept is not None:
            one += kept


def _weights(branches: Branches, qubits: tuple[int, ...], squares: Array, *, diagonal: bool) -> Array:
    """Return the probability of each operator in each branch, shape (k, branches)."""
    count = branches.amplitudes.shape[1]
    if diagonal and len(qubits) == 1:
        # Only how much there is of 0 and 1 counts, and together they are 1.
        half = branches.halves(qubits[0])[:, 1].reshape(-1, count)
        ones = np.einsum("ij,ij->j", half.real, half.real) + np.einsum("ij,ij->j", half.imag, half.imag)
        return np.asarray(np.einsum("kii->ki", squares).real @ np.stack((1 - ones, ones)))
    psi = _front(branches, qubits)
    size = len(psi)
    if diagonal:
        parts = psi.reshape(size, -1, count).view(float).reshape(size, -1, count, 2)
        shares = np.einsum("iacd,iacd->ic", parts, parts)
        return np.asarray(np.einsum("kii->ki", squares).real @ shares)
    flat = psi.reshape(size, -1, count)
    state = np.einsum("iac,jac->ijc", flat, flat.conj())
    return np.asarray(np.einsum("kji,ijc->kc", squares, state).real)


def _front(branches: Branches, qubits: tuple[int, ...]) -> Array:
    """Return the amplitudes with the qubits' number first, the first qubit its least significant bit; a copy."""
    view = branches.axes()
    last = len(branches.active) - 1
    spots = [last - branches.active.index(qubit) for qubit in reversed(qubits)]
    moved = np.moveaxis(view, spots, range(len(spots)))
    return np.ascontiguousarray(moved).reshape(2 ** len(qubits), -1)


def _multiply(branches: Branches, operator: Array, qubits: tuple[int, ...]) -> None:
    """Apply a matrix to active qubits."""
    entries = operator.real.tolist() if not operator.imag.any() else operator.tolist()
    branches.multiply(qubits, entries)


def _monomial(operators: Array) -> bool:
    """Tell whether each operator turns basis states into basis states."""
    return bool((np.count_nonzero(operators, axis=1) <= 1).all())


def _hop(branches: Branches, operators: Array, qubit: int, generator: np.random.Generator) -> None:
    """Apply operators that turn bits into bits to a qubit that is one."""
    # The chance of 1 after 0, and after 1.
    up = [min(1.0, float((abs(operators[:, 1, bit]) ** 2).sum())) for bit in (0, 1)]
    bit = branches.bit(qubit)
    ones = generator.binomial(branches.times, np.where(bit, up[1], up[0]))
    forked, stayed = branches.fork(ones)
    forked.values[qubit] = (np.arange(len(forked.times)) >= stayed).astype(np.uint8)
    branches.become(forked)
