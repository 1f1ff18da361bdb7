"""Exact results: which engine computes each, on how much of the program, and how their numbers are shown.

    program ── without final measurements ── groups of results that share a run ── engines ── entries of `results`

All are of the state that the program leaves before its final measurements. With mid-circuit measurements or resets, or
noise on gates, that is a mixture. Readout errors are in it only as far as the program acts on what was read.

| program                        | engine                                                                              |
|--------------------------------|-------------------------------------------------------------------------------------|
| gates alone, up to NARROW      | `ensemble`: one statevector for all results                                         |
| wider                          | of some qubits: on their light cone; observables: stabilizers or cones; else Aer    |
| measurements, resets, tests    | `ensemble`: every way, with its probability; on light cones where those are smaller |
| noise on gates                 | Aer's density matrix; with measurements in the middle `densities`, one for each     |
|                                | value of the bits that the program reads; of more qubits `ensemble`                 |

A named method runs the whole program by that method; what it cannot give is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import aer
import densities
import trajectory_cost
from admission import BYTES_PER_GATE, Plan, admit, check_budget, choose_method, threads
from circuit_stats import CircuitStats, read_stats
from ensemble import MOST, Ensemble, mixed, of_qubits
from pauli_sums import split, square
from planner import STEPS, STEPS_EACH, InParts, observe
from reader.operations import Channel, If, Measure, Reset, Store, While, qubits_of, walk
from reductions import GiveUp, Steps, moved
from reductions.cone import BIT, WHOLE, light_cone
from tasks.errors import ErrorCode, TaskError
from tasks.limits import WORKING_BYTES
from tasks.options import Method
from tasks.results import OF_A_PURE_STATE, ResultRequest, ResultType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from admission import Budget
    from densities import Densities
    from planner import Part
    from reader.operations import Compiled, Operation
    from tasks.observables import PauliSum
    from tasks.options import Options

Array = np.ndarray[Any, Any]
Member = tuple[int, ResultRequest]  # with its place in the request

NAME, VERSIONS = "ensemble", {"numpy": np.__version__}
NARROW = 12  # qubits of one state whose results are all taken from it; beyond, Aer is faster
WIDEST = 18  # qubits of a mixture
WIDEST_MIXED = 10  # of one as a density matrix, 16 MiB each
WIDEST_OF_STATES = 5  # in superposition at a time, of more qubits under noise: 8^n operations an error
_ERROR_S = 3e-7  # and operation that it takes to write a mixture in few states again, on one core
# What Aer's stabilizer method can give.
_OF_STABILIZERS = {ResultType.PROBABILITIES, ResultType.EXPECTATION}


@dataclass(frozen=True, slots=True)
class Group:
    """Results that one run gives: `compute` returns their values by their places in the request."""

    engine: str
    versions: dict[str, str]
    plan: Plan
    compute: Callable[[Budget], dict[int, Any]]
    width: int  # qubits of what runs
    threads: Callable[[Budget], int] = lambda _: 1


@dataclass(frozen=True, slots=True)
class Choice(InParts):
    """How exact results are computed: in these groups, one after the other."""

    groups: list[Group]
    active_qubits: int

    @property
    def parts(self) -> Sequence[Part]:
        """The groups."""
        return self.groups

    @property
    def reduced(self) -> dict[str, list[int]] | None:
        """The qubits before and after leaving out what no result depends on; None where nothing was left out."""
        width = max((group.width for group in self.groups), default=0)
        return {"qubits": [self.active_qubits, width]} if 0 < width < self.active_qubits else None

    def seconds(self, budget: Budget) -> float:
        """Return the estimated time."""
        return sum(group.plan.seconds / group.threads(budget) for group in self.groups)

    def results(self, requests: Sequence[ResultRequest], num_qubits: int, budget: Budget) -> list[dict[str, Any]]:
        """Compute the groups and return an entry for each request, in order; what takes shots has its type alone."""
        values: dict[int, Any] = {}
        for group in self.groups:
            values |= group.compute(budget)
        return [_entry(request, values.get(index), num_qubits) for index, request in enumerate(requests)]


def choose(program: Compiled, stats: CircuitStats, options: Options, budget: Budget) -> Choice:
    """Return how a request's exact results are computed.

    What is chosen depends on the program and its options, not on the machine. Raises TaskError for results that have no
    exact value, and what `admission.admit` raises.
    """
    members = [(index, each) for index, each in enumerate(options.results or ()) if not each.sampled]
    if not members:
        return Choice([], 0)
    noisy = stats.noisy
    if noisy:
        _refuse_noisy(options, members)
    body = without_final(program, stats)
    alone = replace(options, results=None, shots=1, memory=False, inputs=None)
    if options.method != Method.AUTOMATIC:
        found = [_whole(body, alone, members, budget)]
    else:
        found = _split(body, read_stats(body), alone, members, budget)
    choice = Choice(found, stats.active_qubits)
    total = Plan(choice.method, sum(each.plan.seconds for each in found), choice.bytes)
    check_budget(total, budget, "Use fewer qubits or gates.")
    return choice


def _entry(request: ResultRequest, found: Any, num_qubits: int) -> dict[str, Any]:  # noqa: ANN401 - numbers of any shape
    """Return a result as it is shown."""
    entry: dict[str, Any] = {"type": str(request.type)}
    if request.type in (ResultType.PROBABILITIES, ResultType.DENSITY_MATRIX) or request.qubits is not None:
        entry["qubits"] = list(_qubits(request, num_qubits))
    if request.states is not None:
        entry["states"] = list(request.states)
    return entry if found is None else entry | _numbers(request, found)


def _numbers(request: ResultRequest, found: Any) -> dict[str, Any]:  # noqa: ANN401 - numbers of any shape
    """Return a result's numbers as JSON; raises TaskError for one that JSON cannot hold."""
    if not np.isfinite(found).all():
        raise TaskError(ErrorCode.SIMULATION_ERROR, f"A result of type {request.type} is not finite.")
    if request.type is ResultType.EXPECTATION:
        mean = float(found[0])
        constant = split(request.observable)[1] if request.observable is not None else 0.0
        entry = {"value": mean + constant, "standard_error": 0.0}
        if request.variance:
            # Rounding must not make it negative.
            entry["variance"] = max(0.0, float(found[1]) - mean * mean)
        return entry
    if request.type is ResultType.PROBABILITIES:
        return {"values": np.asarray(found).tolist()}
    array = np.asarray(found)
    return {"real": array.real.tolist(), "imag": array.imag.tolist()}


# ------------------------------------------------------------------ groups


def _split(body: Compiled, stats: CircuitStats, options: Options, members: list[Member], budget: Budget) -> list[Group]:
    """Return groups for members that need only part of the program, and one for the rest."""
    collapses = _collapses(body)
    if stats.active_qubits <= NARROW and not collapses:
        return [_whole(body, options, members, budget)]
    found = []
    observables = [member for member in members if member[1].type is ResultType.EXPECTATION]
    if (
        observables
        and not collapses
        and not stats.noisy
        and (group := _observed(body, stats, options, observables, budget))
    ):
        found.append(group)
        members = [member for member in members if member not in observables]
    steps = Steps(STEPS + STEPS_EACH * len(body.operations))
    cones: dict[tuple[int, frozenset[int]], list[Member]] = {}
    for member in members:
        cones.setdefault(_need(member[1], stats.num_qubits), []).append(member)
    rest: list[Member] = []
    for (level, qubits), some in cones.items():
        try:
            cone = light_cone(body, steps, qubits, level) if level else body
        except GiveUp:
            cone = body
        if len(cone.operations) == len(body.operations):
            rest += some
        else:
            found.append(_whole(cone, options, some, budget))
    return found + ([_whole(body, options, rest, budget)] if rest else [])


def _need(request: ResultRequest, num_qubits: int) -> tuple[int, frozenset[int]]:
    """Return the level and the qubits that a result needs; the level 0 is the whole program."""
    if request.type in OF_A_PURE_STATE:
        return 0, frozenset()
    if request.observable is not None:
        support = {
            qubit for pauli, _ in request.observable for qubit, letter in enumerate(reversed(pauli)) if letter != "I"
        }
        return WHOLE, frozenset(support)
    level = BIT if request.type is ResultType.PROBABILITIES else WHOLE
    return level, frozenset(_qubits(request, num_qubits))


def _observed(
    body: Compiled, stats: CircuitStats, options: Options, members: list[Member], budget: Budget
) -> Group | None:
    """Return a group for observables taken by stabilizers or on light cones of their terms, None where neither fits."""
    sums: list[PauliSum] = []
    for _, request in members:
        sums += _sums(request)
    route = observe(body, stats, replace(options, observables=tuple(sums)), budget)
    if route is None or route.observed is None:
        return None
    observed = route.observed

    def compute(_: Budget) -> dict[int, Any]:
        values = iter(observed(sums))
        return {index: [next(values) for _ in _sums(request)] for index, request in members}

    piece = route.pieces[0]
    width = (route.reduced or {}).get("qubits", [0, stats.active_qubits])[1]
    return Group(piece.engine, route.versions, piece.plan, compute, width)


def _whole(program: Compiled, options: Options, members: list[Member], budget: Budget) -> Group:
    """Return a group that one run of a program gives."""
    stats = read_stats(program)
    named = options.method != Method.AUTOMATIC
    if _collapses(program):
        used = {qubit for operation in walk(program.operations) for qubit in qubits_of(operation)}
        mixed_whole = options.method == Method.DENSITY_MATRIX or stats.noisy
        if mixed_whole and len(used) <= WIDEST_MIXED:
            return _by_densities(program, members, used)
        if options.method not in (Method.AUTOMATIC, Method.STATEVECTOR):
            raise TaskError(
                ErrorCode.UNSUPPORTED_FEATURE,
                f"The {options.method} method has no exact results after mid-circuit measurements or resets.",
                hint='Use "method": "automatic".',
            )
        return _in_numpy(program, stats, members)
    if not named and not stats.noisy and options.precision == "double" and stats.active_qubits <= NARROW:
        return _in_numpy(program, stats, members)
    return _on_aer(program, options, members, budget)


def _in_numpy(program: Compiled, stats: CircuitStats, members: list[Member]) -> Group:
    """Return a group that `ensemble` computes."""
    seconds, width = trajectory_cost.cost(program, MOST)
    phased = any(request.type in OF_A_PURE_STATE for _, request in members)
    if phased:  # with its phases, a qubit is in superposition from its first gate on
        width = stats.active_qubits
    limit = WIDEST_OF_STATES if stats.noisy else WIDEST
    if stats.noisy:
        seconds += _ERROR_S * 8 ** min(width, limit) * len(program.operations)
    if width > limit and stats.noisy:
        width, limit = stats.active_qubits, WIDEST_MIXED
    if width > limit:
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"Exact results of this program take a state of {width} qubits; "
            f"the limit is {limit} qubits where a program has mid-circuit measurements or resets"
            f"{' under noise' if stats.noisy else ''}.",
            limit=limit,
            actual=width,
            hint="Ask for counts, or for results of fewer qubits.",
        )
    num_qubits = sum(size for _, size in program.registers)

    def compute(_: Budget) -> dict[int, Any]:
        ensemble = Ensemble(program, phased=phased)
        return {index: _of_ensemble(ensemble, request, num_qubits) for index, request in members}

    # A result's own qubits are brought into the state in the end.
    widest = max(width, *(int.bit_length(request.array_bytes(num_qubits, 0)) - 4 for _, request in members))
    plan = Plan("statevector", seconds, trajectory_cost.memory(program, widest, 1))
    return Group(NAME, VERSIONS, plan, compute, stats.active_qubits)


def _by_densities(program: Compiled, members: list[Member], used: set[int]) -> Group:
    """Return a group that `densities` computes."""
    _refuse_of_method(Method.DENSITY_MATRIX, members)
    num_qubits = sum(size for _, size in program.registers)

    def compute(_: Budget) -> dict[int, Any]:
        found = densities.Densities(program, used)
        return {index: _of_mixture(found, request, num_qubits) for index, request in members}

    cost = densities.cost(program, len(used))
    memory = WORKING_BYTES + cost.bytes + BYTES_PER_GATE * len(program.operations)
    plan = Plan("density_matrix", cost.seconds, memory)
    return Group(densities.NAME, VERSIONS, plan, compute, len(used))


def _of_mixture(mixture: Ensemble | Densities, request: ResultRequest, num_qubits: int) -> Any:  # noqa: ANN401 - numbers of any shape
    """Return a result's numbers, of those that a mixture has."""
    if request.type is ResultType.EXPECTATION:
        return [mixture.expectation(terms) for terms in _sums(request)]
    if request.type is ResultType.PROBABILITIES:
        return mixture.probabilities(_qubits(request, num_qubits))
    return mixture.density_matrix(_qubits(request, num_qubits))


def _of_ensemble(ensemble: Ensemble, request: ResultRequest, num_qubits: int) -> Any:  # noqa: ANN401 - numbers of any shape
    """Return a result's numbers."""
    if request.type not in OF_A_PURE_STATE:
        return _of_mixture(ensemble, request, num_qubits)
    if request.states is not None:
        return np.array([ensemble.amplitude(state) for state in request.states])
    return ensemble.statevector(_qubits(request, num_qubits))


def _on_aer(program: Compiled, options: Options, members: list[Member], budget: Budget) -> Group:
    """Return a group that Aer computes, on the qubits that anything uses."""
    num_qubits = sum(size for _, size in program.registers)
    used = {qubit for operation in walk(program.operations) for qubit in qubits_of(operation)}
    for _, request in members:
        used |= _need(request, num_qubits)[1]
        if request.type is ResultType.STATEVECTOR:
            used |= set(_qubits(request, num_qubits))
    place = {qubit: index for index, qubit in enumerate(sorted(used or {0}))}
    steps = Steps(2 * len(program.operations))
    operations = [moved(operation, place, steps) for operation in program.operations]
    smaller = program._replace(operations=operations, registers=[("q", len(place))])
    stats = replace(read_stats(smaller), active_qubits=len(place))
    # Stabilizers have no amplitudes.
    method = choose_method(replace(stats, clifford=False), options, budget.alone_bytes)
    if stats.noisy and options.method == Method.AUTOMATIC:
        method = Method.DENSITY_MATRIX.value
    _refuse_of_method(method, members)
    options = replace(options, method=method)
    plan = admit(stats, options, budget)
    saves = [save for member in members for save in _saves(member, place, num_qubits)]

    def compute(now: Budget) -> dict[int, Any]:
        data, _ = aer.run(smaller, stats, options, now, plan, threads(stats, method, now), saves)
        return {index: _of_data(data, index, request, place) for index, request in members}

    return Group(aer.NAME, aer.VERSIONS, plan, compute, len(place), partial(threads, stats, method))


def _saves(member: Member, place: dict[int, int], num_qubits: int) -> list[aer.Save]:
    """Return what Aer is to save for a result."""
    index, request = member
    if request.type is ResultType.EXPECTATION:
        kept = [num_qubits - 1 - qubit for qubit in sorted(place, reverse=True)]
        sums = [[("".join(pauli[at] for at in kept), factor) for pauli, factor in terms] for terms in _sums(request)]
        return [aer.Save(f"{index} {number}", "expectation", tuple(terms)) for number, terms in enumerate(sums)]
    if request.states is not None:
        return [aer.Save(str(index), "amplitudes", _numbered(request, place))]
    if request.type is ResultType.STATEVECTOR:
        return [aer.Save(str(index), "statevector", None)]
    return [aer.Save(str(index), str(request.type), [place[qubit] for qubit in _qubits(request, num_qubits)])]


def _of_data(data: dict[str, Any], index: int, request: ResultRequest, place: dict[int, int]) -> Any:  # noqa: ANN401 - numbers of any shape
    """Return a result's numbers from what Aer has saved."""
    if request.type is ResultType.EXPECTATION:
        return [data[f"{index} {number}"] for number, _ in enumerate(_sums(request))]
    if request.states is None:
        array = np.asarray(data[str(index)])
        if request.type is ResultType.STATEVECTOR and request.qubits is not None:
            return of_qubits(array, [place[qubit] for qubit in request.qubits])
        return array
    found = aer.amplitudes(data, str(index), _numbered(request, place))
    # A qubit that nothing uses is 0.
    idle = [qubit for qubit in range(len(request.states[0])) if qubit not in place]
    return [
        0j if any(bits[-1 - qubit] == "1" for qubit in idle) else found[_number(bits, place)] for bits in request.states
    ]


def _numbered(request: ResultRequest, place: dict[int, int]) -> list[int]:
    """Return the basis states of a request by their numbers, each once."""
    return sorted({_number(bits, place) for bits in request.states or ()})


def _number(bits: str, place: dict[int, int]) -> int:
    return sum(1 << at for qubit, at in place.items() if bits[-1 - qubit] == "1")


# ------------------------------------------------------------------ refusals


def _refuse_noisy(options: Options, members: list[Member]) -> None:
    """Raise TaskError for results that have no exact value under noise on gates."""
    if any(request.type in OF_A_PURE_STATE for _, request in members):
        raise mixed("has noise on gates, which leaves a mixture")
    if options.method not in (Method.AUTOMATIC, Method.DENSITY_MATRIX):
        raise TaskError(
            ErrorCode.UNSUPPORTED_FEATURE,
            f"The {options.method} method has no exact results under noise on gates.",
            hint='Use "method": "automatic" or "density_matrix".',
        )


def _refuse_of_method(method: str, members: list[Member]) -> None:
    """Raise TaskError for what Aer's method cannot save."""
    for _, request in members:
        if (method == Method.STABILIZER and request.type not in _OF_STABILIZERS) or (
            method == Method.DENSITY_MATRIX and request.type in OF_A_PURE_STATE
        ):
            raise TaskError(
                ErrorCode.UNSUPPORTED_FEATURE,
                f"The {method} method has no {request.type}.",
                hint='Use "method": "automatic".',
            )


# ------------------------------------------------------------------ programs and observables


def without_final(program: Compiled, stats: CircuitStats) -> Compiled:
    """Return the program without the measurements that nothing follows, and without outputs.

    Errors that follow such a measurement go with it; those before it stay.
    """
    kept: list[Operation] = []
    measured: set[int] = set()
    for index, operation in enumerate(program.operations):
        if index in stats.final_measurements or index in stats.dead_measurements:
            measured |= set(qubits_of(operation)) if index in stats.final_measurements else set()
        elif not (isinstance(operation, Channel) and measured.issuperset(operation.qubits)):
            kept.append(operation)
    return program._replace(operations=kept, outputs=[])


def _collapses(program: Compiled) -> bool:
    """Tell whether a program without final measurements does anything but apply gates and errors."""
    return any(isinstance(operation, Measure | Reset | Store | If | While) for operation in program.operations)


def _qubits(request: ResultRequest, num_qubits: int) -> Sequence[int]:
    return range(num_qubits) if request.qubits is None else request.qubits


def _sums(request: ResultRequest) -> list[PauliSum]:
    """Return the observable of a request without the identity, and its square where the variance is asked for."""
    assert request.observable is not None  # noqa: S101 - an expectation has one
    terms, _ = split(request.observable)
    return [terms, square(terms)] if request.variance else [terms]
