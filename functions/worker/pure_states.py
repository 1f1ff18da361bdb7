"""Programs that never collapse: one statevector serves all shots and all observables, many bindings side by side.

A sweep whose inputs decide angles alone is one program for all bindings (`reader.swept`): their statevectors are
columns of one array, gates that differ have an array of angles, and each binding's shots are drawn with its own seed.
So binding i has the counts that it has alone, for alone it is a sweep of one.

An observable of a wide program is taken term by term, on the light cone of the term's qubits; those that act on the
same qubits share one. Law: the value of a term depends on the state of its own qubits alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import trajectory_cost
from admission import Plan
from branches import Branches
from reader.operations import Barrier, Gate, Measure, qubits_of
from reader.swept import Swept, has_swept
from reductions import GiveUp, Steps
from reductions.cone import light_cone
from trajectories import Runner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from circuit_stats import CircuitStats
    from counts import Outcomes
    from reader.operations import Compiled, Operation
    from tasks.observables import PauliSum
    from tasks.options import Options

Array = np.ndarray[Any, Any]

# The widest program whose bindings run side by side, or whose observables are all taken of one state.
WIDEST = 12
WIDEST_ONCE = 10  # of one program, whose gates Aer takes twice as long to start
# The widest cone of a term, and the longest program that has any.
WIDEST_CONE, LONGEST = 18, 5_000
STEPS = 2_000_000  # of finding the cones of all terms: half a second
AMPLITUDES = 2**16  # of the bindings that run side by side: what a core's cache holds


class Found(NamedTuple):
    """What one binding gave: its shots if it measures, and the values of its observables."""

    outcomes: Outcomes | None
    values: list[float]


def fits(program: Compiled, stats: CircuitStats, options: Options) -> bool:
    """Tell whether a program runs here; the same for all bindings of a sweep that differ in angles alone."""
    exact = options.method == "automatic" and options.precision == "double"
    swept = program.depends_on_inputs or options.observables is not None
    # Clifford programs without inputs are Stim's.
    widest = WIDEST if swept else 0 if stats.clifford else WIDEST_ONCE
    return exact and not stats.noisy and not stats.mid_circuit and stats.active_qubits <= widest


def plan(program: Compiled, stats: CircuitStats, options: Options) -> Plan:
    """Return the estimate of one binding."""
    seconds = trajectory_cost.cost(program, options.shots).seconds
    amplitudes = max(AMPLITUDES, 1 << stats.active_qubits)
    return Plan("statevector", seconds, trajectory_cost.memory(program, 0, options.shots) + 64 * amplitudes)


def run(program: Compiled, stats: CircuitStats, options: Options, seeds: Sequence[int]) -> Iterator[Found]:
    """Run a program with the angles of several bindings, see `reader.swept`, one for each seed; or of one.

    What a binding gave is yielded before the next one is sampled: all shots of a sweep together may be large.
    """
    size = max(1, AMPLITUDES >> stats.active_qubits)
    finals = [program.operations[index] for index in sorted(stats.final_measurements)]
    body = [_with_arrays(each) for each in program.operations if not isinstance(each, Measure | Barrier)]
    runner = Runner(program, np.random.default_rng(0))
    for start in range(0, len(seeds), size):
        some = seeds[start : start + size]
        branches = Branches.of(len(runner.rows), [options.shots] * len(some))
        for operation in body:
            runner.step(branches, _of_some(operation, slice(start, start + size)))
        values = expectations_of(branches, options.observables or ())
        for column, seed in enumerate(some):
            outcomes = None
            if finals:
                runner.generator = np.random.default_rng(seed)
                outcomes = runner.sample(branches, column, finals)
            yield Found(outcomes, [float(each[column]) for each in values])


def _with_arrays(gate: Operation) -> Operation:
    """Return a gate with an array for each angle that differs between bindings."""
    if not isinstance(gate, Gate) or not has_swept(gate.parameters):
        return gate
    given: tuple[Any, ...] = gate.parameters
    angles: list[Any] = [np.array(angle.values) if isinstance(angle, Swept) else angle for angle in given]
    return Gate(gate.name, tuple(angles), gate.qubits)


def _of_some(gate: Operation, some: slice) -> Operation:
    """Return a gate with the angles of some of the bindings."""
    given: tuple[Any, ...] = gate.parameters if isinstance(gate, Gate) else ()
    if not isinstance(gate, Gate) or not any(isinstance(angle, np.ndarray) for angle in given):
        return gate
    angles: list[Any] = [angle[some] if isinstance(angle, np.ndarray) else angle for angle in given]
    return Gate(gate.name, tuple(angles), gate.qubits)


# ------------------------------------------------------------------ observables


class _Term(NamedTuple):
    """A Pauli string on the array of branches: the bits that it flips, those that give a sign, how many letters are Y.

    `factor` is its coefficient, with the signs of the qubits outside of the array.
    """

    flips: int
    signs: int
    turns: int
    factor: Any
    total: int  # the number of its sum


def expectation(branches: Branches, terms: PauliSum) -> Array:
    """Return the expectation value of a Pauli sum in each branch."""
    (values,) = expectations_of(branches, [terms])
    return values


def expectations_of(branches: Branches, sums: Sequence[PauliSum]) -> list[Array]:
    """Return the expectation value of each Pauli sum in each branch."""
    by_flips: dict[int, list[_Term]] = {}
    for number, terms in enumerate(sums):
        for pauli, coefficient in terms:
            term = _term(branches, pauli, coefficient, number)
            if not isinstance(term.factor, float) or term.factor:
                by_flips.setdefault(term.flips, []).append(term)
    totals = [np.zeros(branches.amplitudes.shape[1]) for _ in sums]
    rows = np.arange(len(branches.amplitudes))
    for flips, some in by_flips.items():
        # Rows come in pairs that the term swaps, whose contributions are conjugate to each other: one of each will do.
        top = 1 << flips.bit_length() - 1 if flips else 0
        kept = rows[rows & top == 0] if flips else rows
        partners = branches.amplitudes[kept ^ flips]
        products = np.conj(partners, out=partners)
        products *= branches.amplitudes[kept] if flips else branches.amplitudes
        parts = products.view(float)
        parities = 1.0 - 2.0 * (np.bitwise_count(kept & np.array([[term.signs] for term in some])) & 1)
        found = (parities @ parts).reshape(len(some), -1, 2)
        for term, value in zip(some, found, strict=True):
            real = value[:, term.turns & 1] * (2 if flips else 1)
            # The real part of i to the power of `turns` times the sum, which is real or imaginary.
            totals[term.total] += term.factor * (-real if (term.turns + 1) & 2 else real)
    return totals


def _term(branches: Branches, pauli: str, coefficient: float, total: int) -> _Term:
    flips = signs = turns = 0
    factor: Any = float(coefficient)
    for qubit, letter in enumerate(reversed(pauli)):
        if letter == "I":
            continue
        if qubit not in branches.active:
            factor = factor * (0.0 if letter != "Z" else 1.0 - 2.0 * np.asarray(branches.bit(qubit), float))
            continue
        place = 1 << branches.active.index(qubit)
        flips |= place if letter != "Z" else 0
        signs |= place if letter != "X" else 0
        turns += letter == "Y"
    return _Term(flips, signs, turns, factor, total)


def gates(program: Compiled) -> Compiled:
    """Return the program without its measurements, all of which are final."""
    body: list[Operation] = [each for each in program.operations if not isinstance(each, Measure | Barrier)]
    return program._replace(operations=body, outputs=[])


def cones(program: Compiled, sums: Iterable[PauliSum]) -> dict[tuple[int, ...], Compiled]:
    """Return the light cone for each set of qubits that a term acts on; raises GiveUp where one is too wide."""
    if len(program.operations) > LONGEST:
        raise GiveUp
    steps = Steps(STEPS)
    found: dict[tuple[int, ...], Compiled] = {}
    for terms in sums:
        for pauli, _ in terms:
            qubits = _support(pauli)
            if qubits in found:
                continue
            cone = light_cone(program, steps, qubits)
            if len({qubit for gate in cone.operations for qubit in qubits_of(gate)}) > WIDEST_CONE:
                raise GiveUp
            found[qubits] = cone
    return found


def expectations(found: dict[tuple[int, ...], Compiled], sums: Sequence[PauliSum]) -> list[float]:
    """Return the value of each Pauli sum, from the cones of its terms."""
    by_support: dict[tuple[int, ...], dict[str, float]] = {}
    for terms in sums:
        for pauli, _ in terms:
            by_support.setdefault(_support(pauli), {})[pauli] = 0.0
    for qubits, paulis in by_support.items():
        runner = Runner(found[qubits], np.random.default_rng(0))
        branches = Branches.of(0, [1])
        runner.run(branches, found[qubits].operations)
        for pauli, values in zip(paulis, expectations_of(branches, [((each, 1.0),) for each in paulis]), strict=True):
            paulis[pauli] = float(values[0])
    return [sum(coefficient * by_support[_support(pauli)][pauli] for pauli, coefficient in terms) for terms in sums]


def _support(pauli: str) -> tuple[int, ...]:
    return tuple(qubit for qubit, letter in enumerate(reversed(pauli)) if letter != "I")
