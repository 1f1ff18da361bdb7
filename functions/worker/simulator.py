"""Runs one circuit on Qiskit Aer, plain ones by way of `direct`; imported in the worker's children alone."""

from __future__ import annotations

import gc
import math
import random
import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import qiskit
import qiskit_aer
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Kraus, SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer.jobs import utils as aer_jobs
from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError, depolarizing_error

import direct
import reader
from admission import Budget, NeedsAloneError, Plan, admit, threads
from facts import CONTROL_FLOW, WHILE, Facts, read_facts
from rewrites import measures_twice, with_last_bit_measured, without, without_idle_qubits
from tasks.errors import ErrorCode, TaskError
from tasks.limits import MAX_RESULT_BYTES
from tasks.options import Noise, Options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from qiskit import QuantumCircuit
    from qiskit.transpiler import PassManager

COLLECT_EVERY = 64  # bindings of a sweep
VALUE_BYTES = 96  # an expectation value and its error, as JSON

_ALWAYS = frozenset(
    {
        "barrier",
        "break_loop",
        "continue_loop",
        "delay",
        "for_loop",
        "if_else",
        "measure",
        "reset",
        "store",
        "switch_case",
        "while_loop",
    }
)
_NOISY_BASIS: tuple[str, ...] = (
    "cp",
    "cx",
    "cy",
    "cz",
    "ecr",
    "h",
    "id",
    "p",
    "rx",
    "rxx",
    "ry",
    "ryy",
    "rz",
    "rzx",
    "rzz",
)
_NOISY_BASIS += ("s", "sdg", "swap", "sx", "sxdg", "t", "tdg", "u", "u1", "u2", "u3", "x", "y", "z")
_TWO_QUBIT = frozenset({"cp", "cx", "cy", "cz", "ecr", "rxx", "ryy", "rzx", "rzz", "swap"})
_CLIFFORD_BASIS = ("cx", "cy", "cz", "ecr", "h", "id", "rz", "s", "sdg", "swap", "sx", "sxdg", "x", "y", "z")

VERSIONS = {"qiskit": qiskit.__version__, "qiskit_aer": qiskit_aer.__version__}


def simulate(qc: str, options: Options, budget: Budget) -> dict[str, Any]:
    """Read and run one program: `{"result": counts, "execution": {...}, "memory"?, "expectation_values"?}`.

    A sweep runs it once for each binding of its inputs: see `_swept` for its outcome. Raises TaskError for what will
    fail again in the same way, and admission's NeedsAloneError and NeedsTimeError.
    """
    parsing = running = 0.0
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    outcomes = []
    room = MAX_RESULT_BYTES
    circuits = reader.read_each(qc, options.bindings, counted=not options.observables)
    for index in range(len(options.bindings)):
        started = time.perf_counter()
        try:
            circuit = next(circuits)
            parsed = time.perf_counter()
            outcome, size = run(circuit, options.of_binding(index, seed), budget, room)
        except TaskError as error:
            raise (error.of_binding(index) if options.is_sweep else error) from None
        outcomes.append(outcome)
        room -= size
        parsing += parsed - started
        running += time.perf_counter() - parsed
        if index % COLLECT_EVERY == COLLECT_EVERY - 1:
            # A child collects cycles between programs only, and circuits with control flow are full of them.
            gc.collect()
    outcome = _swept(outcomes, seed) if options.is_sweep else outcomes[0]
    outcome["execution"]["parse_ms"] = _ms(parsing)
    outcome["execution"]["run_ms"] = _ms(running)
    return outcome


def _swept(outcomes: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Return the outcome of a sweep: lists of results, memories and values in the order of its bindings.

    `execution` has what is true of all of them, the task's seed, and in `bindings` what differs: the seed at least.
    """
    swept: dict[str, Any] = {name: [outcome[name] for outcome in outcomes] for name in outcomes[0]}
    each: list[dict[str, Any]] = swept["execution"]
    shared = {name: fact for name, fact in each[0].items() if all(facts.get(name) == fact for facts in each)}
    differing = [{name: fact for name, fact in facts.items() if name not in shared} for facts in each]
    swept["execution"] = {**shared, "seed": seed, "bindings": [{"seed": seed, **facts} for facts in differing]}
    return swept


def warm_up() -> None:
    """Pay for everything that the first circuit would wait for: lazy imports, the backend and its tables."""
    limits = Budget(2**30, 60.0, 2**30, 60.0)
    for text in (
        'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;',
        "OPENQASM 3; qubit q; bit c; c = measure q; if (c) reset q; c = measure q;",
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; h q[0]; measure q[0] -> c[0];',
    ):
        simulate(text, Options(shots=1, seed=1), limits)
    # Translating loads Qiskit's plugins from files, and the children open none (confinement.py).
    noise = Noise(one_qubit=0.1, two_qubit=0.1)
    simulate(
        "qubit[3] q; bit[3] c; ccx q[0], q[1], q[2]; c = measure q;", Options(shots=1, seed=1, noise=noise), limits
    )
    # Who warms up is forked from next, and a fork wants no second thread beside it: Aer's, which ran these, ends.
    aer_jobs.DEFAULT_EXECUTOR.shutdown()
    aer_jobs.DEFAULT_EXECUTOR = ThreadPoolExecutor(max_workers=1)


def run(circuit: QuantumCircuit, options: Options, budget: Budget, room: int) -> tuple[dict[str, Any], int]:
    """Admit, run and count a circuit that has been read; `options` have a seed, the result takes at most `room` bytes.

    Return the outcome and the bytes it takes; of a dry run, which ends before Aer, its estimates in `execution`.
    """
    facts = read_facts(circuit)
    native = facts.names <= _basis("automatic")
    if not native:
        circuit = _translate(circuit, "automatic")
        facts = read_facts(circuit)
    plan = admit(facts, options, budget)
    if circuit.num_clbits == 0 and not options.observables:
        raise TaskError(
            ErrorCode.NOTHING_MEASURED,
            "The program has no classical bit, so there is nothing to count.",
            hint="Declare `bit[n] c;` and measure into it.",
        )
    per_shot = options.shots if options.memory else 0
    check_size(per_shot, 1, circuit.num_clbits, room)
    prepared = _prepare(circuit, facts, options, plan)
    execution: dict[str, Any] = {
        "method": plan.method,
        "num_qubits": facts.num_qubits,
        "depth": facts.depth,
        "gates": facts.gates,
        "seed": options.seed,
        "simulator": "qiskit-aer",
        "versions": VERSIONS,
    }
    if notes := (circuit.metadata or {}).get("notes"):
        execution["notes"] = list(notes)
    if budget.dry_run:
        seconds = plan.seconds / threads(facts, plan.method, budget)
        estimates = {"num_clbits": circuit.num_clbits, "estimated_seconds": seconds, "memory_bytes": plan.bytes}
        return {"result": {}, "execution": execution | estimates}, 0
    data = _run_on_aer(prepared, options, budget, plan, threads(facts, plan.method, budget))
    counts = data.get("counts", {})
    size = check_size(per_shot, len(counts), circuit.num_clbits, room)
    outcome: dict[str, Any] = {"result": _count(counts, prepared), "execution": execution}
    if options.memory:
        distinct = set(data.get("memory", ()))
        shown = dict(zip(distinct, _keys(distinct, prepared), strict=True))
        memory = [shown[value] for value in data.get("memory", ())]
        # Where shots branch, Aer gives them branch by branch.
        outcome["memory"] = _shuffled(memory, options.seed) if plan.branching else memory
    if options.observables:
        outcome["expectation_values"] = [
            _estimate_value(data[f"observable_{index}"]) for index in range(len(options.observables))
        ]
    return outcome, size + VALUE_BYTES * len(options.observables or ())


def check_size(shots: int, keys: int, width: int, room: int = MAX_RESULT_BYTES) -> int:
    """Return the bytes of an outcome: `shots` lines of memory and `keys` counts of `width` bits.

    Raises TaskError when they are more than `room`: no store could take them, beside what the same sweep has already.
    """
    size = keys * (width + 12) + shots * (width + 3)
    if size > room:
        size += MAX_RESULT_BYTES - room
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"The result takes {size} bytes; the limit is {MAX_RESULT_BYTES} bytes.",
            limit=MAX_RESULT_BYTES,
            actual=size,
            hint="Use fewer shots, measure fewer qubits, or leave memory out.",
        )
    return size


def _prepare(circuit: QuantumCircuit, facts: Facts, options: Options, plan: Plan) -> QuantumCircuit:
    """Leave out dead measurements, translate what the method cannot take, put the observables before the final ones.

    Where Aer samples the outcomes of one state, a bit that several measurements write collects all their readout
    errors; the last one alone counts.

    An observable is taken on the state that the circuit leaves with its final measurements removed: those whose qubit
    and classical bit nothing uses afterwards. Earlier measurements collapse the state, and the value is their mean.
    """
    if options.observables:
        circuit = _insert_observables(circuit, facts, options)
    else:
        circuit = without(circuit, facts.dead_measurements)
    if options.noise is not None and "store" in facts.names:
        circuit = with_last_bit_measured(circuit)
    noise = options.noise
    if noise is not None and noise.on_gates:
        # Blocks of control flow included: what no noise is defined for would run without.
        if not facts.names <= _ALWAYS | set(_NOISY_BASIS):
            circuit = _translate(circuit, "noisy")
    elif not facts.names <= _basis(plan.method):
        circuit = _translate(circuit, plan.method)
    return circuit


def _insert_observables(circuit: QuantumCircuit, facts: Facts, options: Options) -> QuantumCircuit:
    every_shot = facts.mid_circuit or (options.noise is not None and options.noise.on_gates)
    body = without(circuit, facts.final_measurements | facts.dead_measurements)
    if body is circuit:
        body = circuit.copy()
    for index, terms in enumerate(options.observables or ()):
        if len(terms[0][0]) != circuit.num_qubits:
            raise TaskError(
                ErrorCode.INVALID_INPUTS,
                f"Observable {index} acts on {len(terms[0][0])} qubits; the circuit has {circuit.num_qubits}.",
                limit=circuit.num_qubits,
                actual=len(terms[0][0]),
                hint="Write one letter for every qubit, I where the observable does nothing, qubit 0 rightmost.",
            )
        operator, qubits = _restrict(terms)
        body.save_expectation_value(operator, qubits, label=f"observable_{index}", pershot=every_shot)
    for index in sorted(facts.final_measurements):
        body.append(circuit.data[index])
    return body


def _restrict(terms: Iterable[tuple[str, float]]) -> tuple[SparsePauliOp, list[int]]:
    """Return the Pauli sum on the qubits it touches, at least one: Aer's cost grows with those."""
    terms = list(terms)
    width = len(terms[0][0])
    used = [q for q in range(width) if any(pauli[width - 1 - q] != "I" for pauli, _ in terms)] or [0]
    labels = [("".join(pauli[width - 1 - q] for q in reversed(used)), coefficient) for pauli, coefficient in terms]
    return SparsePauliOp.from_list(labels), used


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


def _run_on_aer(circuit: QuantumCircuit, options: Options, budget: Budget, plan: Plan, parallel: int) -> dict[str, Any]:
    """Return the data of one run, by Aer's names; what it cannot run with its shortcuts, it runs without."""
    settings: dict[str, Any] = {
        "shots": options.shots,
        "seed_simulator": options.seed,
        "method": plan.method,
        # Aer counts in MiB and takes 0 for "no limit".
        "max_memory_mb": max(1, budget.memory_bytes >> 20),
        "max_parallel_threads": parallel,
    }
    if options.precision != "double":
        settings["precision"] = options.precision
    if options.memory:
        settings["memory"] = True
    if plan.branching:
        settings["shot_branching_enable"] = True
    names = _names(circuit)
    if options.noise is not None:
        settings["noise_model"] = _noise_model(options.noise, rounds=WHILE in names)
    # Aer's truncation dies of tests on qubits that nothing measured depends on; it may also take away what keeps
    # Aer from sampling a bit that is measured twice, with both readout errors.
    if names & CONTROL_FLOW or (options.noise is not None and options.noise.on_readout and measures_twice(circuit)):
        circuit, settings["enable_truncation"] = without_idle_qubits(circuit), False
    try:
        # One circuit per run: in a batched run, seeded counts would depend on the position in the batch.
        if options.noise is None and names <= direct.PLAIN:
            return _data(direct.execute(circuit, _backend().options, settings), budget)
        return _data(_backend().run(circuit, **settings).result().to_dict(), budget)
    except (_AerRefusedError, qiskit.QiskitError):
        return _run_plainly(circuit, settings, budget)


def _run_plainly(circuit: QuantumCircuit, settings: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    """Return the data of a run with none of what Aer can do to be faster."""
    bare = {"shot_branching_enable": False, "fusion_enable": False, "enable_truncation": False}
    try:
        return _data(_backend().run(without_idle_qubits(circuit), **{**settings, **bare}).result().to_dict(), budget)
    except (_AerRefusedError, qiskit.QiskitError) as error:
        raise _refusal(str(error)) from error


class _AerRefusedError(Exception):
    """Aer did not run a circuit, for no reason of memory."""


def _data(said: dict[str, Any], budget: Budget) -> dict[str, Any]:
    """Return the data of a run that succeeded; raises _AerRefusedError, or what a lack of memory is for the worker."""
    if not said["success"]:
        why = f"{said['status']} {' '.join(str(each['status']) for each in said['results'])}"
        raise _memory_refusal(why, budget) or _AerRefusedError(why)
    data: dict[str, Any] = said["results"][0]["data"]
    return data


def _memory_refusal(said: str, budget: Budget) -> Exception | None:
    """Translate Aer's message, if it is about memory."""
    if not any(sign in said for sign in ("Insufficient memory", "bad_alloc", "Cannot allocate memory")):
        return None
    if budget.memory_bytes < budget.alone_bytes:
        return NeedsAloneError()
    needed = re.search(r"Required memory: (\d+)M, max memory: (\d+)M", said)
    return TaskError(
        ErrorCode.MEMORY_LIMIT,
        "The simulation needs more memory than the worker has.",
        limit=int(needed[2]) * 2**20 if needed else None,
        actual=int(needed[1]) * 2**20 if needed else None,
        hint="Use fewer qubits, single precision or the matrix_product_state method.",
    )


def _refusal(said: str) -> TaskError:
    """Translate Aer's message; its text names internals, so the client gets a sentence of ours."""
    invalid = re.search(r'invalid instructions \{"(?:gates|instructions)": \{([\w, ]+)\}', said)
    if invalid:
        return TaskError(
            ErrorCode.UNSUPPORTED_FEATURE,
            f"The chosen method cannot run {invalid[1]}.",
            hint='Use "method": "automatic".',
        )
    return TaskError(ErrorCode.SIMULATION_ERROR, "The simulator refused the circuit.")


@cache
def _backend() -> AerSimulator:
    return AerSimulator(max_parallel_threads=1, max_parallel_experiments=1)


@cache
def _standard() -> frozenset[str]:
    return frozenset(get_standard_gate_name_mapping())


@cache
def _basis(method: str) -> frozenset[str]:
    """Return the operations that Aer runs as they are with this method."""
    return _ALWAYS | frozenset(AerSimulator(method=method).configuration().basis_gates)


@cache
def _pass_manager(basis: str) -> PassManager:
    """Build once what costs 20 to 50 ms to build: it only unrolls, so the circuit keeps its shape."""
    names = {"noisy": _NOISY_BASIS, "stabilizer": _CLIFFORD_BASIS}.get(basis) or sorted(_basis(basis) & _standard())
    flow = ["if_else", "while_loop", "for_loop", "switch_case"]
    return generate_preset_pass_manager(0, basis_gates=[*names, "measure", "reset", "delay", *flow])


def _translate(circuit: QuantumCircuit, basis: str) -> QuantumCircuit:
    try:
        translated = _pass_manager(basis).run(circuit)
    except qiskit.QiskitError as error:
        raise TaskError(
            ErrorCode.UNSUPPORTED_FEATURE,
            "The circuit has an operation that the simulator cannot take apart.",
        ) from error
    translated.metadata = circuit.metadata
    return translated


def _names(circuit: QuantumCircuit) -> frozenset[str]:
    return frozenset(circuit.count_ops())


@lru_cache(maxsize=16)
def _noise_model(noise: Noise, *, rounds: bool) -> NoiseModel:
    """Return the noise by Aer's names; with `rounds` so that Aer draws it in each round of a `while` loop.

    Errors that are mixtures of Pauli gates it draws for a whole shot before the shot runs, so that all rounds have the
    same; those in Kraus operators as they come.
    """
    model = NoiseModel()
    one_qubit = [name for name in _NOISY_BASIS if name not in _TWO_QUBIT]
    for chance, qubits, names in ((noise.one_qubit, 1, one_qubit), (noise.two_qubit, 2, sorted(_TWO_QUBIT))):
        if chance:
            error = depolarizing_error(chance, qubits)
            if rounds:
                error = QuantumError([(Kraus(error).to_instruction(), 1.0)])
            model.add_all_qubit_quantum_error(error, names)
    if noise.on_readout:
        flip_0, flip_1 = noise.prob_meas1_prep0, noise.prob_meas0_prep1
        model.add_all_qubit_readout_error(ReadoutError([[1 - flip_0, flip_0], [flip_1, 1 - flip_1]]))
    return model


def _places(circuit: QuantumCircuit) -> list[list[int]]:
    """Return the registers of a key, the first rightmost, each as the places of its bits in Aer's binary outcome."""
    wanted = (circuit.metadata or {}).get("outputs")
    named = {creg.name: creg for creg in circuit.cregs}
    registers = circuit.cregs if wanted is None else [named[name] for name in wanted]
    last = circuit.num_clbits - 1
    return [[last - circuit.find_bit(bit).index for bit in reversed(list(creg))] for creg in reversed(registers)]


def _key(bits: str, places: list[list[int]]) -> str:
    return " ".join("".join(bits[place] for place in register) for register in places)


def _keys(values: Iterable[str], circuit: QuantumCircuit) -> Iterator[str]:
    """Yield the keys that show these hexadecimal outcomes: registers with a space between, no hidden bits."""
    width = f"0{circuit.num_clbits}b"
    places = _places(circuit)
    outcomes = (format(int(value, 16), width) for value in values)
    if places and places != [list(range(circuit.num_clbits))]:
        return (_key(bits, places) for bits in outcomes)
    return outcomes


def _count(found: dict[str, int], circuit: QuantumCircuit) -> dict[str, int]:
    """Return the counts under the keys to show, sorted, those that differ only in hidden bits added up."""
    keyed = sorted(zip(_keys(found, circuit), found.values(), strict=True))
    counts = dict(keyed)
    if len(counts) < len(keyed):
        counts = dict.fromkeys(counts, 0)
        for key, times in keyed:
            counts[key] += times
    return counts


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
