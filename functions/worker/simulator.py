"""Runs one program: read, planned, run piece by piece, counted; imported in the worker's children alone."""

from __future__ import annotations

import gc
import hashlib
import json
import math
import random
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import aer
import exact
import observable_samples
import pure_states
import reader
import stim_engine
import trajectories
from admission import Budget, threads
from circuit_stats import read_stats
from counts import Outcomes, check_size, count, count_hexadecimal, keys, keys_of_hexadecimal
from logic_arrays import evaluate
from planner import Piece, Route, choose
from reader.noisy import noisy
from reader.operations import Compiled, cells_read
from reader.swept import UnalikeError, of_binding
from tasks.errors import ErrorCode, TaskError
from tasks.limits import MAX_RESULT_BYTES
from tasks.options import Noise, Options, seed_of_binding
from tasks.results import ResultType, check_results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuit_stats import CircuitStats
    from tasks.noise.rules import Rules

COLLECT_EVERY = 64  # bindings of a sweep
VALUE_BYTES = 96  # an expectation value and its error, as JSON


def simulate(qc: str, options: Options, budget: Budget) -> dict[str, Any]:
    """Read and run one program: `{"result": counts, "execution": {...}, "memory"?, "expectation_values"?, "results"?}`.

    A sweep runs it once for each binding of its inputs: see `_swept` for its outcome. Raises TaskError for what will
    fail again in the same way, and admission's NeedsAloneError and NeedsTimeError.
    """
    started = time.perf_counter()
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    try:
        whole = options.noise is not None
        compiled = reader.compile_sweep(qc, options.bindings, counted=options.counted, whole=whole)
        if options.noise is not None:
            compiled = _noisy(compiled, options.noise.rules(), len(options.bindings))
    except TaskError as error:
        raise (error.of_binding(0) if options.is_sweep else error) from None
    parsing = time.perf_counter() - started
    outcome = None
    if isinstance(compiled, Compiled) and len(options.bindings) > 1:
        outcome = _side_by_side(compiled, options, seed, budget)
    if outcome is None:
        outcome, more = _one_by_one(compiled, options, seed, budget)
        parsing += more
    outcome["execution"]["parse_ms"] = _ms(parsing)
    outcome["execution"]["run_ms"] = _ms(time.perf_counter() - started - parsing)
    return outcome


def _noisy(compiled: Compiled | Iterator[Compiled], rules: Rules, bindings: int) -> Compiled | Iterator[Compiled]:
    """Return the program, or each of them, with the errors of a noise model."""
    if not isinstance(compiled, Compiled):
        return (noisy(each, rules, aer.unrolled) for each in compiled)
    try:
        return noisy(compiled, rules, aer.unrolled)
    except UnalikeError:  # a gate is decomposed, whose angles differ
        return (noisy(of_binding(compiled, at), rules, aer.unrolled) for at in range(bindings))


def _one_by_one(
    compiled: Compiled | Iterator[Compiled], options: Options, seed: int, budget: Budget
) -> tuple[dict[str, Any], float]:
    """Run the bindings one after another; return their outcome and the seconds that reading them took."""
    count = len(options.bindings)
    programs = compiled
    if isinstance(compiled, Compiled):
        programs = (of_binding(compiled, at) for at in range(count)) if count > 1 else iter([compiled])
    assert not isinstance(programs, Compiled)  # noqa: S101 - see above
    outcomes: list[dict[str, Any]] = []
    parsing = 0.0
    room = MAX_RESULT_BYTES
    for index in range(count):
        started = time.perf_counter()
        try:
            program = next(programs)
            parsing += time.perf_counter() - started
            own = options.of_binding(index, seed).of_program(program.results, measured=bool(program.outputs))
            outcome, size = run(program, own, budget, room)
        except TaskError as error:
            raise (error.of_binding(index) if options.is_sweep else error) from None
        outcomes.append(outcome)
        room -= size
        if index % COLLECT_EVERY == COLLECT_EVERY - 1:
            # A child collects cycles between programs only, and circuits with control flow are full of them.
            gc.collect()
    return _swept(outcomes, seed) if options.is_sweep else outcomes[0], parsing


def _side_by_side(program: Compiled, options: Options, seed: int, budget: Budget) -> dict[str, Any] | None:
    """Run all bindings of a program at once; None where they must run one by one."""
    stats = read_stats(program)
    named = options.results is not None or program.results
    if named or budget.dry_run or not pure_states.fits(program, stats, options):
        return None
    seeds = [seed_of_binding(index, seed) for index in range(len(options.bindings))]
    try:
        route = _route(program, stats, options, budget)
    except TaskError as error:
        raise error.of_binding(0) from None
    execution = _execution(program, stats, options, route)
    outcomes: list[dict[str, Any]] = []
    room = MAX_RESULT_BYTES
    for index, found in enumerate(pure_states.run(program, stats, options, seeds)):
        try:
            outcome, size = _of_state(found, program, options, seeds[index], room)
        except TaskError as error:
            raise error.of_binding(index) from None
        outcomes.append(outcome)
        room -= size
    swept: dict[str, Any] = {name: [outcome[name] for outcome in outcomes] for name in outcomes[0]}
    return swept | {"execution": execution | {"seed": seed, "bindings": [{"seed": each} for each in seeds]}}


def _swept(outcomes: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Return the outcome of a sweep: lists of results, memories and values in the order of its bindings.

    `execution` has what is true of all of them, the task's seed, and in `bindings` what differs: the seed at least.
    """
    swept: dict[str, Any] = {name: [outcome[name] for outcome in outcomes] for name in outcomes[0]}
    each: list[dict[str, Any]] = swept["execution"]
    shared = {name: value for name, value in each[0].items() if all(own.get(name) == value for own in each)}
    differing = [{name: value for name, value in own.items() if name not in shared} for own in each]
    swept["execution"] = {**shared, "seed": seed, "bindings": [{"seed": seed, **own} for own in differing]}
    return swept


def warm_up() -> None:
    """Pay for everything that the first circuit would wait for: lazy imports, the backend and its tables.

    What translating and sampling load from files is loaded here, for the children open none (confinement.py).
    """
    limits = Budget(2**30, 60.0, 2**30, 60.0)
    noise = Noise(one_qubit=0.1, two_qubit=0.1, prob_meas1_prep0=0.1)
    bell = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
    dynamic = "OPENQASM 3; qubit q; bit c; U(1, 1, 1) q; c = measure q; if (c) reset q; c = measure q;"
    for text, options in (
        (bell, Options(shots=1, seed=1)),
        (bell, Options(shots=1, seed=1, method="statevector", observables=((("ZZ", 1.0),),))),
        (bell, Options(shots=1, seed=1, noise=noise)),
        (dynamic, Options(shots=1, seed=1)),
        (dynamic, Options(shots=1, seed=1, method="matrix_product_state")),
        ("qubit[3] q; bit[3] c; ccx q[0], q[1], q[2]; c = measure q;", Options(shots=1, seed=1, noise=noise)),
        ('OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; t q[0]; measure q[0] -> c[0];', Options(shots=1)),
    ):
        simulate(text, options, limits)
    aer.warm_up()
    aer.end_threads()


def run(program: Compiled, options: Options, budget: Budget, room: int) -> tuple[dict[str, Any], int]:
    """Plan, run and count a program that has been read; `options` have a seed, the result takes at most `room` bytes.

    Return the outcome and the bytes it takes; of a dry run, which ends before any engine, its estimates in `execution`.
    """
    assert options.seed is not None  # noqa: S101 - see above
    if options.results is not None:
        return _run_results(program, options, budget, room)
    stats = read_stats(program)
    route = _route(program, stats, options, budget)
    execution = _execution(program, stats, options, route)
    if budget.dry_run:
        check_size(options.shots if options.memory else 0, 1, _width(program), room)
        estimates = {"estimated_seconds": route.seconds(budget), "memory_bytes": route.bytes}
        return {"result": {}, "execution": execution | {"num_clbits": stats.clbits} | estimates}, 0
    if pure_states.fits(program, stats, options):
        (found,) = pure_states.run(program, stats, options, [options.seed])
        outcome, size = _of_state(found, program, options, options.seed, room)
        return outcome | {"execution": execution}, size
    per_shot = options.shots if options.memory else 0
    check_size(per_shot, 1, _width(program), room)
    outcome = {"result": {}, "execution": execution}
    if route.observed is not None:
        if stats.final_measurements:
            outcome |= run(program, replace(options, observables=None), budget, room)[0] | {"execution": execution}
        outcome |= _values(route.observed(options.observables or ()), options)
    elif _as_it_is(program, route) and route.pieces[0].engine == aer.NAME:
        outcome |= _on_aer(route.pieces[0], options, budget)
    else:
        outcome |= _shown(_outcomes(program, route, options, budget), program, options, options.seed, room)
    size = check_size(per_shot, len(outcome["result"]), _width(program), room)
    return outcome, size + VALUE_BYTES * len(options.observables or ())


def _route(program: Compiled, stats: CircuitStats, options: Options, budget: Budget) -> Route:
    """Return how a program runs; raises TaskError for what cannot be counted or estimated, too."""
    _check_observables(options, stats)
    route = choose(program, stats, options, budget)
    if not stats.clbits and not options.observables:
        raise TaskError(
            ErrorCode.NOTHING_MEASURED,
            "The program has no classical bit, so there is nothing to count.",
            hint="Declare `bit[n] c;` and measure into it.",
        )
    return route


def _execution(program: Compiled, stats: CircuitStats, options: Options, route: Route | exact.Choice) -> dict[str, Any]:
    """Return what `execution` has of any run."""
    execution: dict[str, Any] = {
        "engine": route.engine,
        "method": route.method,
        "num_qubits": stats.num_qubits,
        "depth": stats.depth,
        "gates": stats.gates,
        "seed": options.seed,
        "simulator": route.engine,
        "versions": route.versions,
    }
    if options.noise is not None:
        noise = json.dumps(options.noise.as_dict(), sort_keys=True)
        execution["noise_digest"] = f"sha256:{hashlib.sha256(noise.encode()).hexdigest()}"
    if route.reduced:
        execution["reduced"] = route.reduced
    if program.notes:
        execution["notes"] = list(program.notes)
    return execution


def _run_results(program: Compiled, options: Options, budget: Budget, room: int) -> tuple[dict[str, Any], int]:
    """Do as `run` does for a request that names its results: counts and samples as usual, the others exactly."""
    requests = options.results or ()
    stats = read_stats(program)
    array_bytes = check_results(requests, [stats.num_qubits], options.shots)
    size = check_size(0, 0, 0, room, array_bytes)
    choice = exact.choose(program, stats, options, budget)
    execution = _execution(program, stats, options, choice)
    outcome: dict[str, Any] = {"result": {}}
    if budget.dry_run:
        execution["num_clbits"] = stats.clbits
        execution |= {"estimated_seconds": choice.seconds(budget), "memory_bytes": choice.bytes}
    if options.counted:
        outcome, counted = run(program, replace(options, results=None), budget, room - size)
        size += counted
        execution = _joined(execution, outcome["execution"])
    entries = [] if budget.dry_run else choice.results(requests, stats.num_qubits, budget)
    for index, request in enumerate(requests):
        if request.type == ResultType.SAMPLES:
            sampled, its_execution = _sample(program, stats, options, index, budget)
            execution = _joined(execution, its_execution)
            if entries:
                entries[index]["values"] = sampled
    if budget.dry_run:
        return {"result": {}, "execution": execution | {"result_bytes": array_bytes}}, 0
    return outcome | {"execution": execution, "results": entries}, size


def _sample(
    program: Compiled, stats: CircuitStats, options: Options, index: int, budget: Budget
) -> tuple[list[float], dict[str, Any]]:
    """Return what each shot measures of a result's observable, nothing in a dry run, and the run's `execution`."""
    assert options.results is not None  # noqa: S101 - whose result it is
    assert options.seed is not None  # noqa: S101 - `run` is given one
    terms = options.results[index].observable or ()
    rules = options.noise.rules() if options.noise is not None else None
    measuring = observable_samples.measuring(exact.without_final(program, stats), terms, rules)
    # Neither the counts nor other samples may follow from these.
    seed = int(np.random.SeedSequence((options.seed, 2, index)).generate_state(1, np.uint64)[0] >> 1)
    options = replace(options, results=None, memory=False, seed=seed)
    found = read_stats(measuring)
    route = choose(measuring, found, options, budget)
    execution = _execution(program, stats, options, route)
    if budget.dry_run:
        return [], execution | {"estimated_seconds": route.seconds(budget), "memory_bytes": route.bytes}
    outcomes = _outcomes(measuring, route, options, budget).shots(np.random.default_rng((seed, 1)))
    return observable_samples.values(outcomes.bits(len(measuring.outputs[0].cells)), terms), execution


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the `execution` of two runs of one program: names of engines and methods of both, sums of time."""
    joined = {**other, **one}
    for name in ("engine", "method", "simulator"):
        joined[name] = ", ".join(name for name in dict.fromkeys(f"{one[name]}, {other[name]}".split(", ")) if name)
    joined["versions"] = one["versions"] | other["versions"]
    if "estimated_seconds" in one:
        joined["estimated_seconds"] = one["estimated_seconds"] + other["estimated_seconds"]
        joined["memory_bytes"] = max(one["memory_bytes"], other["memory_bytes"])
    return joined


def _width(program: Compiled) -> int:
    return sum(len(output.cells) for output in program.outputs)


def _of_state(
    found: pure_states.Found, program: Compiled, options: Options, seed: int, room: int
) -> tuple[dict[str, Any], int]:
    """Return what a statevector gave, and the bytes that it takes."""
    per_shot = options.shots if options.memory else 0
    width = _width(program)
    check_size(per_shot, 1, width, room)
    outcome: dict[str, Any] = {"result": {}}
    if found.outcomes is not None:
        outcome |= _shown(found.outcomes, program, options, seed, room)
    outcome |= _values(found.values, options)
    size = check_size(per_shot, len(outcome["result"]), width, room)
    return outcome, size + VALUE_BYTES * len(options.observables or ())


def _shown(outcomes: Outcomes, program: Compiled, options: Options, seed: int, room: int) -> dict[str, Any]:
    """Return the result, and the memory if the options ask for it."""
    distinct = outcomes.distinct()
    check_size(options.shots if options.memory else 0, len(distinct.rows), _width(program), room)
    shown: dict[str, Any] = {"result": count(distinct, program.outputs)}
    if options.memory:
        shown["memory"] = keys(outcomes.shots(np.random.default_rng((seed, 1))).rows, program.outputs)
    return shown


def _values(values: list[float], options: Options) -> dict[str, Any]:
    """Return exact expectation values, if the options ask for any."""
    return {"expectation_values": [_estimate_value(value) for value in values]} if options.observables else {}


def _check_observables(options: Options, stats: CircuitStats) -> None:
    for index, terms in enumerate(options.observables or ()):
        if len(terms[0][0]) != stats.num_qubits:
            raise TaskError(
                ErrorCode.INVALID_INPUTS,
                f"Observable {index} acts on {len(terms[0][0])} qubits; the circuit has {stats.num_qubits}.",
                limit=stats.num_qubits,
                actual=len(terms[0][0]),
                hint="Write one letter for every qubit, I where the observable does nothing, qubit 0 rightmost.",
            )


# ------------------------------------------------------------------ pieces


def _outcomes(program: Compiled, route: Route, options: Options, budget: Budget) -> Outcomes:
    """Run the pieces of a route and put their shots side by side."""
    assert options.seed is not None  # noqa: S101 - `run` is given one
    if _as_it_is(program, route):
        return _run_piece(route.pieces[0], options, options.seed, budget)
    wanted = [cell for output in program.outputs for cell in output.cells]
    used = {cell for store in route.tail for cell in (store.cell, *cells_read(store))}
    rows = {cell: row for row, cell in enumerate(sorted({*wanted, *used}))}
    bits = np.zeros((len(rows), options.shots), np.uint8)
    for number, piece in enumerate(route.pieces):
        # Neither may a piece's samples follow from another's, nor the order of its shots from their values.
        seed = int(np.random.SeedSequence((options.seed, number)).generate_state(1, np.uint64)[0] >> 1)
        outcomes = _run_piece(piece, options, seed, budget).shots(np.random.default_rng((seed, 1)))
        cells = piece.program.outputs[0].cells
        bits[[rows[cell] for cell in cells]] = outcomes.bits(len(cells))
    for store in route.tail:
        bits[rows[store.cell]] = evaluate(store.value, bits, rows)
    return Outcomes.of(bits[[rows[cell] for cell in wanted]])


def _as_it_is(program: Compiled, route: Route) -> bool:
    """Return whether the outcomes of the route's one piece are those of the program, constant bits included."""
    return route.whole and route.pieces[0].program.outputs == program.outputs


def _run_piece(piece: Piece, options: Options, seed: int, budget: Budget) -> Outcomes:
    """Return the outcomes of one piece."""
    if piece.engine == stim_engine.NAME:
        return stim_engine.sample(piece.prepared, options.shots, seed)
    if piece.engine == trajectories.NAME:
        generator = np.random.default_rng(seed)
        return trajectories.Runner(piece.program, generator).outcomes(options.shots)
    options = Options(options.shots, seed, options.method, options.precision, memory=True)
    outcome = _on_aer(piece, options, budget)
    whole = "".join(key.replace(" ", "") for key in outcome["memory"]).encode()
    width = sum(len(output.cells) for output in piece.program.outputs)
    bits = (np.frombuffer(whole, np.uint8) - ord("0")).reshape(-1, width).T[::-1]
    return Outcomes.of(bits)


def _on_aer(piece: Piece, options: Options, budget: Budget) -> dict[str, Any]:
    """Return the result of a piece on Aer, and its memory and expectation values if the options ask for them."""
    assert piece.stats is not None  # noqa: S101 - the planner gives them to what runs on Aer
    count_threads = threads(piece.stats, piece.plan.method, budget)
    data, circuit = aer.run(piece.program, piece.stats, options, budget, piece.plan, count_threads)
    outcome: dict[str, Any] = {"result": count_hexadecimal(data.get("counts", {}), circuit)}
    if options.memory:
        distinct = set(data.get("memory", ()))
        shown = dict(zip(distinct, keys_of_hexadecimal(distinct, circuit), strict=True))
        memory = [shown[value] for value in data.get("memory", ())]
        # Where shots branch, Aer gives them branch by branch.
        outcome["memory"] = _shuffled(memory, options.seed) if piece.plan.branching else memory
    if options.observables:
        outcome["expectation_values"] = [
            _estimate_value(data[f"observable_{index}"]) for index in range(len(options.observables))
        ]
    return outcome


def _shuffled(values: list[str], seed: int | None) -> list[str]:
    """Return the values in an order that the seed decides: by `random()`, which no version of Python changes."""
    draw = random.Random(seed).random  # noqa: S311 - an order, no secret
    places = [draw() for _ in values]
    return [values[index] for index in sorted(range(len(values)), key=places.__getitem__)]


def _estimate_value(found: Any) -> dict[str, float]:  # noqa: ANN401 - a number, or an array of one per shot
    """Return the value and its standard error: 0 for one exact number, s/sqrt(shots) for one number a shot."""
    values = [float(found)] if isinstance(found, (int, float)) else [float(value) for value in found]
    if not all(map(math.isfinite, values)):
        # JSON has no such numbers: stored, the task could not be read again.
        raise TaskError(ErrorCode.SIMULATION_ERROR, "The value of an observable is not a finite number.")
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return {"value": mean, "standard_error": 0.0}
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return {"value": mean, "standard_error": math.sqrt(variance / len(values))}


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
