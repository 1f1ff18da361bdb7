"""Decides how a program runs: reduced or as it is, in one piece or in parts, each on the engine that is cheapest.

    program ── stats ── reductions ── pieces, each with its engine and estimate ── simulator

Up to ten qubits without measurements in the middle run as one statevector in NumPy, which is there before Aer has begun
(`pure_states`), and up to fourteen on Aer as they are. Anything else is reduced, and each part of it is given to the
engine whose estimate is lowest:

- `stim` for what a Stim circuit can express: Clifford gates, Pauli noise, feedback of Paulis, as it is written where
  that takes less than reducing it;
- `trajectories` for shots that part ways on few qubits at a time;
- `qiskit-aer` for everything.

A method that the request names is obeyed: the program runs as it is written, by that method. What is chosen depends on
the program and its options, not on the machine, so that a seed gives the same counts everywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import aer
import pure_states
import stim_engine
import trajectories
import trajectory_cost
from admission import Plan, admit, check_budget, threads
from circuit_stats import CircuitStats, read_stats
from reader.operations import If, Measure, Reset, While, kinds_of
from reductions import GiveUp, Steps
from reductions.cone import light_cone
from reductions.known import fold
from reductions.parts import split, split_lives
from reductions.reuse import reuse_qubits
from tasks.errors import TaskError
from tasks.limits import SHOT_ANEW_S, WORKING_BYTES
from tasks.options import Method, refuse_unrunnable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from admission import Budget
    from reader.operations import Compiled, Store
    from reductions.parts import Parts
    from tasks.observables import PauliSum
    from tasks.options import Options

# Up to here a circuit's state is so small that Aer runs it in less time than it takes to reduce it.
NARROW = 14
# The widest state of trajectories: beyond, Aer's fused gates and threads are faster.
WIDEST = 18
# A program is reduced in at most this many steps, and so many for each operation: a third of a microsecond each.
STEPS, STEPS_EACH = 200_000, 60
# What reducing takes for an operation: a Clifford circuit that Stim runs in less is not reduced.
REDUCE_S = 1.5e-5
# Lives are taken apart in programs that take longer than this, into so many parts, if the outcomes of all measurements
# have no more bytes; planning a part and beginning to run it takes PART_S.
APART_S, MOST_PARTS, APART_BYTES, PART_S = 0.5, 4_096, 2**26, 3e-3
_ANEW = (If, While, Reset)
# What Stim takes: to start, for each line, and for each line and bit of a shot.
_STIM_S, _STIM_LINE_S, _STIM_BIT_S = 2e-4, 3e-6, 2e-9


class Part(Protocol):
    """What one engine runs of a program."""

    @property
    def engine(self) -> str:
        """The engine's name."""

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of what the engine consists of."""

    @property
    def plan(self) -> Plan:
        """The method, and what it takes."""


class InParts(ABC):
    """What runs in parts, one after the other, as `execution` shows it."""

    __slots__ = ()

    @property
    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """The parts, in their order."""

    @property
    def method(self) -> str:
        """The methods of the parts, each named once."""
        return ", ".join(dict.fromkeys(part.plan.method for part in self.parts))

    @property
    def engine(self) -> str:
        """The engines of the parts, each named once."""
        return ", ".join(dict.fromkeys(part.engine for part in self.parts))

    @property
    def versions(self) -> dict[str, str]:
        """The versions of what runs the parts."""
        return {name: version for part in self.parts for name, version in part.versions.items()}

    @property
    def bytes(self) -> int:
        """The memory it takes."""
        return max((part.plan.bytes for part in self.parts), default=WORKING_BYTES)


@dataclass(frozen=True, slots=True)
class Piece:
    """A program that runs on its own, on the engine of that name; `prepared` is what that engine made of it."""

    program: Compiled
    engine: str
    plan: Plan
    stats: CircuitStats | None = None
    prepared: Any = field(default=None, repr=False)

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of what the engine consists of."""
        return _VERSIONS[self.engine]


@dataclass(frozen=True, slots=True)
class Route(InParts):
    """How a program runs: its pieces, the stores that follow them, and what was reduced, as `execution` shows it."""

    pieces: list[Piece]
    tail: list[Store] = field(default_factory=list)
    reduced: dict[str, list[int]] | None = None
    # What gives the values of the observables, where those are not the engine's to give beside the counts.
    observed: Callable[[Sequence[PauliSum]], list[float]] | None = None

    @property
    def parts(self) -> Sequence[Part]:
        """The pieces."""
        return self.pieces

    @property
    def whole(self) -> bool:
        """Whether the outcomes of the one piece are those of the program."""
        return len(self.pieces) == 1 and not self.tail

    def seconds(self, budget: Budget) -> float:
        """Return the estimated time."""
        return sum(
            piece.plan.seconds / (threads(piece.stats, piece.plan.method, budget) if piece.stats else 1)
            for piece in self.pieces
        )


_VERSIONS = {
    aer.NAME: aer.VERSIONS,
    stim_engine.NAME: {"stim": stim_engine.VERSION},
    trajectories.NAME: trajectories.VERSIONS,
}


def choose(program: Compiled, stats: CircuitStats, options: Options, budget: Budget) -> Route:
    """Return how a program runs within the budget; raises what `admission.admit` raises."""
    refuse_unrunnable(options)
    if pure_states.fits(program, stats, options):
        piece = Piece(program, trajectories.NAME, pure_states.plan(program, stats, options), stats)
        check_budget(piece.plan, budget, "Use fewer qubits or gates.")
        return Route([piece])
    if options.observables and options.method == Method.AUTOMATIC and not stats.noisy:
        observed = observe(program, stats, options, budget)
        if observed is not None:
            return observed
    at_once = _sampled_at_once(program, stats, options)
    if at_once is not None:
        check_budget(at_once.plan, budget, "Use fewer qubits or gates.")
        return Route([at_once])
    if options.method != Method.AUTOMATIC or options.observables or not _worth_reducing(stats):
        return Route([_aer(program, stats, options, budget)])
    try:
        route = _reduced(program, stats, options, budget)
    except (GiveUp, TaskError, RecursionError):
        # Whatever goes wrong in there, the program as it is may run, or is refused in words that are about it.
        return Route([_aer(program, stats, options, budget)])
    total = Plan(route.method, sum(piece.plan.seconds for piece in route.pieces), route.bytes)
    check_budget(total, budget, "Use fewer qubits or gates.")
    return route


def _sampled_at_once(program: Compiled, stats: CircuitStats, options: Options) -> Piece | None:
    """Return the program on Stim as it is written, if its method is named or reducing it would take longer."""
    named = options.method == Method.STABILIZER
    if options.observables or not (named or (options.method == Method.AUTOMATIC and stats.clifford)):
        return None
    sampler = stim_engine.translate(program)
    if sampler is None:
        return None
    plan = _stim_plan(sampler, options)
    if not named and plan.seconds > REDUCE_S * len(program.operations):
        return None
    return Piece(program, stim_engine.NAME, plan, prepared=sampler)


def observe(program: Compiled, stats: CircuitStats, options: Options, budget: Budget) -> Route | None:
    """Return a route for observables taken by stabilizers or on light cones, None where neither applies."""
    if stats.mid_circuit or options.precision != "double":
        return None
    gates = pure_states.gates(program)
    sums = options.observables or ()
    observed: Callable[[Sequence[PauliSum]], list[float]]
    reduced = None
    try:
        # What the program measures is sampled as usual.
        counted = (
            choose(program, stats, replace(options, observables=None), budget) if stats.final_measurements else None
        )
        sampler = stim_engine.translate(gates) if stats.clifford else None
        if sampler is not None:
            observed = partial(stim_engine.expectations, sampler, stats.num_qubits)
            piece = Piece(gates, stim_engine.NAME, _stim_plan(sampler, options))
        else:
            cones = pure_states.cones(gates, sums)
            observed = partial(pure_states.expectations, cones)
            costs = [trajectory_cost.cost(cone, 1) for cone in cones.values()]
            width = max(cost.width for cost in costs)
            seconds = sum(cost.seconds for cost in costs)
            piece = Piece(
                gates, trajectories.NAME, Plan("statevector", seconds, trajectory_cost.memory(gates, width, 1))
            )
            reduced = {"qubits": [stats.active_qubits, width]} if width < stats.active_qubits else None
    except (GiveUp, TaskError):
        return None
    check_budget(piece.plan, budget, "Use fewer qubits or gates.")
    return Route([piece, *(counted.pieces if counted else [])], reduced=reduced, observed=observed)


def _worth_reducing(stats: CircuitStats) -> bool:
    return stats.mid_circuit or stats.noisy or stats.clifford or stats.active_qubits > NARROW


def _reduced(program: Compiled, stats: CircuitStats, options: Options, budget: Budget) -> Route:
    """Return the cheapest route of the reduced program."""
    steps = Steps(STEPS + STEPS_EACH * len(program.operations))
    smaller = light_cone(fold(program, steps), steps)
    parts, tail = _apart(smaller, stats, options, steps) or split(smaller, steps)
    if not parts:
        # All of it is known; it runs in no time, and is counted like any other.
        parts, tail = [smaller], []
    elif len(parts) == 1 and not tail and len(parts[0].outputs[0].cells) == sum(len(o.cells) for o in program.outputs):
        parts = [parts[0]._replace(outputs=program.outputs)]
    pieces = [_cheapest(part, options, budget, steps) for part in parts]
    reduced = {}
    width = max((sum(size for _, size in piece.program.registers) for piece in pieces), default=0)
    if width < stats.active_qubits:
        reduced["qubits"] = [stats.active_qubits, width]
    kept = sum(len(piece.program.operations) for piece in pieces)
    if kept < len(program.operations):
        reduced["operations"] = [len(program.operations), kept]
    if len(pieces) > 1:
        reduced["parts"] = [1, len(pieces)]
    return Route(pieces, tail, reduced or None)


def _apart(program: Compiled, stats: CircuitStats, options: Options, steps: Steps) -> Parts | None:
    """Return the lives of a program apart, if it runs for long and that takes less."""
    kinds = kinds_of(program.operations)
    if stats.clifford or Reset not in kinds or If in kinds or While in kinds:
        return None
    measured = sum(isinstance(operation, Measure) for operation in program.operations)
    together = trajectory_cost.cost(program, options.shots).seconds
    if together < APART_S or measured * options.shots > APART_BYTES:
        return None
    apart = split_lives(program, steps)
    costs = [trajectory_cost.cost(part, options.shots) for part in apart.parts]
    if len(costs) > MOST_PARTS or sum(cost.seconds + PART_S for cost in costs) > together:
        return None
    return apart if max((cost.width for cost in costs), default=0) <= WIDEST else None


def _cheapest(program: Compiled, options: Options, budget: Budget, steps: Steps) -> Piece:
    """Return the part with the engine whose estimate is lowest."""
    sampler = stim_engine.translate(program)
    if sampler is not None:
        return Piece(program, stim_engine.NAME, _stim_plan(sampler, options), prepared=sampler)
    options = replace(options, memory=True)
    found = _ways(program, options, budget)
    if sum(size for _, size in program.registers) > 2:  # noqa: PLR2004 - what fewer qubits can be made of
        with suppress(GiveUp):  # it runs on as many qubits as it has
            found += _ways(reuse_qubits(program, steps), options, budget)
    if not found:
        raise GiveUp
    return min(found, key=lambda piece: piece.plan.seconds)


def _ways(program: Compiled, options: Options, budget: Budget) -> list[Piece]:
    """Return the part once for each engine that may run it, with the engine's estimate."""
    found = []
    if options.precision == "double":
        seconds, width = trajectory_cost.cost(program, options.shots)
        if width <= WIDEST:
            plan = Plan("statevector", seconds, trajectory_cost.memory(program, width, options.shots))
            found.append(Piece(program, trajectories.NAME, plan))
            # Where every shot runs separately, Aer takes this at least, whatever the program.
            if seconds < SHOT_ANEW_S * options.shots and any(isinstance(each, _ANEW) for each in program.operations):
                return found
    stats = read_stats(program)
    if stats.uneven:  # a model of Aer's has one readout error for a qubit, which may stand for several here
        return found
    try:
        found.append(_aer(program, stats, options, replace(budget, time_limit_s=float("inf"), time_s=float("inf"))))
    except TaskError:
        if not found:
            raise
    return found


def _aer(program: Compiled, stats: CircuitStats, options: Options, budget: Budget) -> Piece:
    return Piece(program, aer.NAME, admit(stats, options, budget), stats)


def _stim_plan(sampler: stim_engine.Sampler, options: Options) -> Plan:
    bits = options.shots * (sampler.lines + len(sampler.outputs))
    seconds = _STIM_S + _STIM_LINE_S * sampler.lines + _STIM_BIT_S * bits
    return Plan("stabilizer", seconds, WORKING_BYTES + stim_engine.memory(sampler, options.shots))
