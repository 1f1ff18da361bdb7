"""Runs a program on Qiskit Aer and returns the data of the run; aer_noise.py has the noise. Nothing else uses Aer.

A circuit of nothing but gates, measurements, resets and barriers goes to Aer's controller directly: `AerSimulator.run`
walks a circuit four times and makes Python objects of every gate each time, and of the result, which for small circuits
is a third of what a run costs. Here it is walked once, as Aer's own assembler does, and tests compare the outcomes
seed by seed. The modules of Aer that are used here are not documented; if an update moves them or changes their
signatures, `AerSimulator.run` runs every circuit.

Source: `assemble_circuit` and `_execute_circuits_job` in qiskit_aer/backends/aer_compiler.py and aerbackend.py.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import qiskit
import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer.jobs import utils as aer_jobs

import aer_noise
from admission import NeedsAloneError
from circuit_stats import WHILE
from reader.circuit import STANDARD, Builder, special
from reader.noisy import BASIS
from reader.operations import Gate, If, While, on_qubits
from rewrites import with_last_bit_measured, without, without_idle_qubits
from tasks.errors import ErrorCode, TaskError

try:
    from qiskit_aer.backends.aer_compiler import generate_aer_config
    from qiskit_aer.backends.backend_utils import CircuitHeader, cpp_execute_circuits
    from qiskit_aer.backends.controller_wrappers import AerCircuit, aer_controller_execute
except ImportError:
    aer_controller_execute = None

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qiskit.transpiler import PassManager

    from admission import Budget, Plan
    from circuit_stats import CircuitStats
    from reader.operations import AnyUnitary, Compiled, Operation
    from tasks.observables import PauliSum
    from tasks.options import Options

NAME = "qiskit-aer"
VERSIONS = {"qiskit": qiskit.__version__, "qiskit_aer": qiskit_aer.__version__}

# fmt: off
PLAIN = frozenset({
    "ccx", "ccz", "cp", "crx", "cry", "crz", "cswap", "csx", "cu", "cu1", "cu3", "cx", "cy", "cz", "ecr", "h", "id",
    "mcphase", "mcx", "p", "r", "rx", "rxx", "ry", "ryy", "rz", "rzx", "rzz", "s", "sdg", "swap", "sx", "sxdg", "t",
    "tdg", "u", "u1", "u2", "u3", "x", "y", "z",
    "barrier", "measure", "reset",
})
# fmt: on
_FLOW = ("if_else", "while_loop")
_CHANNEL = "qerror_loc"  # Aer's name for the place of an error that its noise model has
_ALWAYS = frozenset({"barrier", "measure", "reset", "store", _CHANNEL, *_FLOW})
_CLIFFORD_BASIS = ("cx", "cy", "cz", "ecr", "h", "id", "rz", "s", "sdg", "swap", "sx", "sxdg", "x", "y", "z")
_NO_CONDITION = -1
_NUMBER_BITS = 63


class Save(NamedTuple):
    """What to keep of the state at the end: a type of result, and its qubits, basis states or Pauli sum."""

    label: str
    kind: str
    argument: Any


class _AerRefusedError(Exception):
    """Aer did not run a circuit, for another reason than memory."""


def run(  # noqa: C901, PLR0913 - a plan and what it is for
    program: Compiled,
    stats: CircuitStats,
    options: Options,
    budget: Budget,
    plan: Plan,
    threads: int,
    saves: Sequence[Save] = (),
) -> tuple[dict[str, Any], QuantumCircuit]:
    """Run a program by an admitted plan; return the run's data under Aer's names, and the circuit that ran.

    The outcomes in the data are hexadecimal numbers whose bit i is the circuit's classical bit i; what `saves` ask for
    is under their labels. What Aer cannot run with its shortcuts, it runs without.
    """
    if stats.noisy and not _names(stats) <= _basis(plan.method):
        # Qiskit's passes know no places of errors, so it is done before there is a circuit.
        program = program._replace(operations=_within(program.operations, _translated(plan.method)))
    # In a loop, errors that are mixtures are drawn for a whole shot before it runs: all rounds have the same.
    builder = Builder(program, partial(aer_noise.place, rounds=WHILE in stats.names))
    circuit = _prepare(builder.build(), stats, options, plan, saves)
    settings: dict[str, Any] = {
        "shots": options.shots,
        "seed_simulator": options.seed,
        "method": plan.method,
        # Aer counts in MiB and takes 0 for "no limit".
        "max_memory_mb": max(1, budget.memory_bytes >> 20),
        "max_parallel_threads": threads,
    }
    if options.precision != "double":
        settings["precision"] = options.precision
    if options.memory:
        settings["memory"] = True
    if plan.branching:
        settings["shot_branching_enable"] = True
    if "store" in stats.names:
        settings["fusion_enable"] = False  # Aer's fusion loses classical assignments
    names = frozenset(circuit.count_ops())
    # Aer's truncation dies of tests on qubits that nothing measured depends on; it may also take away what keeps
    # Aer from sampling a bit that is measured twice, with both readout errors; and it gives qubits other numbers, but
    # the letters of an observable stay in the order of the old ones.
    if stats.misread or options.observables or not names.isdisjoint(_FLOW):
        circuit, settings["enable_truncation"] = without_idle_qubits(circuit), False
    if stats.noisy or stats.misread:
        settings["noise_model"] = aer_noise.noise_model(program, builder, circuit, rounds=WHILE in stats.names)
    try:
        # One circuit per run: in a batched run, seeded counts would depend on the position in the batch.
        if not stats.noisy and not stats.misread and names <= PLAIN:
            return _data(execute(circuit, settings), budget), circuit
        return _data(_run(circuit, settings), budget), circuit
    except (_AerRefusedError, qiskit.QiskitError):
        circuit = without_idle_qubits(circuit)
        if stats.misread:
            settings["noise_model"] = aer_noise.noise_model(program, builder, circuit, rounds=WHILE in stats.names)
        return _run_plainly(circuit, settings, budget), circuit


def _run_plainly(circuit: QuantumCircuit, settings: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    """Return the data of a run without Aer's optimizations."""
    bare = {"shot_branching_enable": False, "fusion_enable": False, "enable_truncation": False}
    try:
        return _data(_run(circuit, {**settings, **bare}), budget)
    except (_AerRefusedError, qiskit.QiskitError) as error:
        raise _refusal(str(error)) from error


def end_threads() -> None:
    """End the thread that Aer runs circuits in: a process must have one thread only when it forks."""
    aer_jobs.DEFAULT_EXECUTOR.shutdown()
    aer_jobs.DEFAULT_EXECUTOR = ThreadPoolExecutor(max_workers=1)


# ------------------------------------------------------------------ circuits


def _prepare(
    circuit: QuantumCircuit, stats: CircuitStats, options: Options, plan: Plan, saves: Sequence[Save]
) -> QuantumCircuit:
    """Leave out dead measurements, translate what the method cannot take, put the observables before the final ones.

    Where Aer samples the outcomes of one state, a bit that several measurements write collects all their readout
    errors; the last one alone counts.

    An observable is taken on the state that the circuit leaves with its final measurements removed: those whose qubit
    and classical bit nothing uses afterwards. Earlier measurements collapse the state, and the value is their mean.
    """
    if options.observables:
        circuit = _insert_observables(circuit, stats, options)
    else:
        circuit = without(circuit, stats.dead_measurements)
    for save in saves:
        _insert_save(circuit, save)
    if (stats.noisy or stats.misread) and "store" in stats.names:
        circuit = with_last_bit_measured(circuit)
    if not stats.noisy and not _names(stats) <= _basis(plan.method):
        circuit = _translate(circuit, plan.method)
    return circuit


def _insert_observables(circuit: QuantumCircuit, stats: CircuitStats, options: Options) -> QuantumCircuit:
    every_shot = stats.mid_circuit or stats.noisy
    body = without(circuit, stats.final_measurements | stats.dead_measurements)
    if body is circuit:
        body = circuit.copy()
    for index, terms in enumerate(options.observables or ()):
        operator, qubits = _restrict(terms)
        body.save_expectation_value(operator, qubits, label=f"observable_{index}", pershot=every_shot)
    for index in sorted(stats.final_measurements):
        body.append(circuit.data[index])
    return body


def _insert_save(circuit: QuantumCircuit, save: Save) -> None:
    """Save something of the state that a circuit of gates alone ends in."""
    label, kind, argument = save
    if kind == "probabilities":
        circuit.save_probabilities(list(argument), label=label)
    elif kind == "density_matrix":
        circuit.save_density_matrix(list(argument), label=label)
    elif kind == "amplitudes":
        _insert_amplitudes(circuit, label, argument)
    elif kind == "statevector":
        circuit.save_statevector(label=label)
    else:
        operator, qubits = _restrict(argument)
        circuit.save_expectation_value(operator, qubits, label=label)


def _insert_amplitudes(circuit: QuantumCircuit, label: str, states: Sequence[int]) -> None:
    """Save the amplitudes of basis states: under the label, or with more than 63 qubits each under its own.

    Aer takes the number of a basis state as 64 bits. A wider one is turned into the first, and back again.
    """
    if circuit.num_qubits <= _NUMBER_BITS:
        circuit.save_amplitudes(list(states), label=label)
        return
    for state in states:
        ones = [qubit for qubit in range(circuit.num_qubits) if state >> qubit & 1]
        for qubit in ones:
            circuit.x(qubit)
        circuit.save_amplitudes([0], label=f"{label} {state}")
        for qubit in ones:
            circuit.x(qubit)


def amplitudes(data: Mapping[str, Any], label: str, states: Sequence[int]) -> dict[int, complex]:
    """Return the amplitudes of the basis states that a save of that label asked for."""
    if label in data:
        return dict(zip(states, map(complex, data[label]), strict=True))
    return {state: complex(data[f"{label} {state}"][0]) for state in states}


def _restrict(terms: PauliSum) -> tuple[SparsePauliOp, list[int]]:
    """Return the Pauli sum on the qubits it touches, at least one: Aer's cost grows with those."""
    width = len(terms[0][0])
    used = [q for q in range(width) if any(pauli[width - 1 - q] != "I" for pauli, _ in terms)] or [0]
    labels = [("".join(pauli[width - 1 - q] for q in reversed(used)), coefficient) for pauli, coefficient in terms]
    return SparsePauliOp.from_list(labels), used


@cache
def _basis(method: str) -> frozenset[str]:
    """Return the operations that Aer runs as they are with this method."""
    return _ALWAYS | frozenset(AerSimulator(method=method).configuration().basis_gates)


def _names(stats: CircuitStats) -> frozenset[str]:
    """Return the names of a program's operations as Aer has them, apart from control flow."""
    return frozenset("unitary" if name == "power" else name for name in stats.names) - {"if", "while", "store"}


@cache
def _translated(method: str) -> tuple[str, ...]:
    """Return the gates that others are translated to for a method."""
    standard = frozenset(get_standard_gate_name_mapping())
    return _CLIFFORD_BASIS if method == "stabilizer" else tuple(sorted(_basis(method) & standard))


@cache
def _pass_manager(basis: tuple[str, ...]) -> PassManager:
    """Build once what costs 20 to 50 ms to build: it only unrolls, so the circuit keeps its shape."""
    return generate_preset_pass_manager(0, basis_gates=[*basis, "measure", "reset", *_FLOW])


def _translate(circuit: QuantumCircuit, method: str) -> QuantumCircuit:
    try:
        translated = _pass_manager(_translated(method)).run(circuit)
    except qiskit.QiskitError as error:
        raise TaskError(
            ErrorCode.UNSUPPORTED_FEATURE,
            "The circuit has an operation that the simulator cannot decompose.",
        ) from error
    translated.metadata = circuit.metadata
    return translated


def warm_up() -> None:
    """Build every pass manager, and have each take apart what makes it load more.

    Qiskit's plugins are found by reading folders, which a child may not. No matrix is decomposed: that starts threads,
    which a child would wait for without having them.
    """
    for basis in (BASIS, *map(_translated, ("statevector", "density_matrix", "matrix_product_state", "stabilizer"))):
        _pass_manager(basis)
    unrolled(Gate("mcx", (), tuple(range(5))), BASIS)
    unrolled(Gate("mcphase", (0.1,), tuple(range(4))), BASIS)


# ------------------------------------------------------------------ gates of a basis


def unrolled(gate: AnyUnitary, basis: tuple[str, ...]) -> tuple[Gate, ...]:
    """Return a gate over places as gates of a basis of at most two qubits."""
    circuit = QuantumCircuit(len(gate.qubits))
    if isinstance(gate, Gate) and gate.name in STANDARD:
        circuit._append(CircuitInstruction.from_standard(STANDARD[gate.name], circuit.qubits, gate.parameters))  # noqa: SLF001 - an object for each gate takes longer
    else:
        circuit.append(special(gate), circuit.qubits)
    found = _pass_manager(basis).run(circuit)
    place = {qubit: index for index, qubit in enumerate(found.qubits)}
    return tuple(
        Gate(step.name, tuple(float(angle) for angle in step.params), tuple(place[qubit] for qubit in step.qubits))
        for step in found.data
    )


def _within(operations: Iterable[Operation], basis: tuple[str, ...]) -> list[Operation]:
    """Return operations with gates of a basis alone, those inside of tests and loops too."""
    kept: list[Operation] = []
    made: dict[tuple[str, tuple[float, ...], int], tuple[Gate, ...]] = {}
    for operation in operations:
        if isinstance(operation, If):
            then, otherwise = _within(operation.then, basis), _within(operation.otherwise, basis)
            kept.append(If(operation.condition, then, otherwise))
        elif isinstance(operation, While):
            kept.append(While(operation.cell, _within(operation.body, basis)))
        elif isinstance(operation, Gate) and operation.qubits and operation.name not in basis:
            key = (operation.name, operation.parameters, len(operation.qubits))
            if key not in made:
                made[key] = unrolled(operation._replace(qubits=tuple(range(len(operation.qubits)))), basis)
            kept += [on_qubits(part, operation.qubits) for part in made[key]]
        else:
            kept.append(operation)
    return kept


# ------------------------------------------------------------------ running


@cache
def _backend() -> AerSimulator:
    return AerSimulator(max_parallel_threads=1, max_parallel_experiments=1)


@cache
def _controller() -> Any:  # noqa: ANN401 - Aer ships no types
    return aer_controller_execute()


def _run(circuit: QuantumCircuit, settings: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = _backend().run(circuit, **settings).result().to_dict()
    return result


def execute(circuit: QuantumCircuit, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Run a circuit of PLAIN operations, without noise; return Aer's result in the form of `Result.to_dict`.

    `settings` are the arguments that `AerSimulator.run` would get.
    """
    if aer_controller_execute is None:
        return _run(circuit, settings)
    try:
        assembled = _assemble(circuit)
        config = generate_aer_config([circuit], _backend().options, **settings)
    except (AttributeError, TypeError):  # what a signature that has changed raises; nothing has run
        return _run(circuit, settings)
    result: dict[str, Any] = cpp_execute_circuits(_controller(), [assembled], None, config)
    return result


def _assemble(circuit: QuantumCircuit) -> Any:  # noqa: ANN401 - Aer ships no types
    """Return the circuit in the form that Aer's controller takes."""
    qubits = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    clbits = {clbit: index for index, clbit in enumerate(circuit.clbits)}
    assembled = AerCircuit()
    assembled.set_header(CircuitHeader(name=circuit.name))
    assembled.circ_id = 0
    assembled.num_qubits = len(qubits)
    assembled.num_memory = len(clbits)
    assembled.global_phase_angle = float(circuit.global_phase)
    gate = assembled.gate
    for step in circuit.data:
        name = step.name
        places = [qubits[qubit] for qubit in step.qubits]
        if name == "measure":
            assembled.measure(places, [clbits[clbit] for clbit in step.clbits], [])
        elif name == "reset":
            assembled.reset(places, _NO_CONDITION)
        elif name != "barrier":
            gate(name, places, step.params, [], _NO_CONDITION, None, name)
    return assembled


def _data(result: dict[str, Any], budget: Budget) -> dict[str, Any]:
    """Return the data of a run that succeeded; raises _AerRefusedError, or the worker's error for a lack of memory."""
    if not result["success"]:
        why = f"{result['status']} {' '.join(str(each['status']) for each in result['results'])}"
        raise _memory_refusal(why, budget) or _AerRefusedError(why)
    data: dict[str, Any] = result["results"][0]["data"]
    return data


def _memory_refusal(text: str, budget: Budget) -> Exception | None:
    """Translate Aer's message, if it is about memory."""
    if not any(sign in text for sign in ("Insufficient memory", "bad_alloc", "Cannot allocate memory")):
        return None
    if budget.memory_bytes < budget.alone_bytes:
        return NeedsAloneError()
    needed = re.search(r"Required memory: (\d+)M, max memory: (\d+)M", text)
    return TaskError(
        ErrorCode.MEMORY_LIMIT,
        "The simulation needs more memory than the worker has.",
        limit=int(needed[2]) * 2**20 if needed else None,
        actual=int(needed[1]) * 2**20 if needed else None,
        hint="Use fewer qubits, single precision or the matrix_product_state method.",
    )


def _refusal(text: str) -> TaskError:
    """Translate Aer's message; its text names internals, so the client gets another sentence."""
    invalid = re.search(r'invalid instructions \{"(?:gates|instructions)": \{([\w, ]+)\}', text)
    if invalid:
        return TaskError(
            ErrorCode.UNSUPPORTED_FEATURE,
            f"The chosen method cannot run {invalid[1]}.",
            hint='Use "method": "automatic".',
        )
    return TaskError(ErrorCode.SIMULATION_ERROR, "The simulator refused the circuit.")
