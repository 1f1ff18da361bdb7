"""Writes the Python program that repeats a task on plain Qiskit and Aer, from its program's operations.

The operations are those that the service runs, written out: Qiskit's importer reads a part of OpenQASM 3 only. Whatever
of Aer's own would change the outcomes is turned off as in the worker (functions/worker/aer.py has the reasons).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError

import reader
from channel_lines import definitions
from last_measurements import final, without_overwritten
from reader.noisy import noisy
from reader.operations import (
    NO_FLIPS,
    Barrier,
    Channel,
    Gate,
    If,
    MatrixGate,
    Measure,
    Node,
    Power,
    Reset,
    Store,
    While,
    cells_read,
    cells_written,
    qubits_of,
    walk,
)
from sample_lines import TURN, measuring, tallied, turned
from submission import reading_budget
from tasks.errors import ErrorCode, TaskError
from tasks.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reader.operations import Bit, Compiled, Operation
    from tasks.task import Task

# What a script asks for where the task did not run on them: the worker's own (its requirements.txt; a test compares).
PINS = {"qiskit": "2.6.2", "qiskit-aer": "0.18.2"}
MAX_OPERATIONS = 20_000  # a line each
EXACT_SHOTS = 10_000  # where the task takes none, and the mixture of a program is an average
WIDE = 24  # qubits in use; beyond, a statevector is no choice for a desk
_ONE_QUBIT = ("h", "id", "p", "rx", "ry", "rz", "s", "sdg", "sx", "sxdg", "t", "tdg", "u", "x", "y", "z")
_TWO_QUBIT = ("cp", "cx", "cy", "cz", "ecr", "rxx", "ryy", "rzx", "rzz", "swap")
_CLIFFORD = ("cx", "cy", "cz", "ecr", "h", "id", "rz", "s", "sdg", "swap", "sx", "sxdg", "x", "y", "z")
_FLOW = ("measure", "reset", "if_else", "while_loop")
_IMPORTS = (
    ("Counter(", "from collections import Counter\n"),
    ("np.", "import numpy as np"),
    ("ClassicalRegister(", "from qiskit import ClassicalRegister"),
    ("QuantumCircuit(", "from qiskit import QuantumCircuit"),
    ("transpile(", "from qiskit import transpile"),
    ("expr.", "from qiskit.circuit.classical import expr"),
    ("UnitaryGate(", "from qiskit.circuit.library import UnitaryGate"),
    ("Kraus(", "from qiskit.quantum_info import Kraus"),
    ("Operator", "from qiskit.quantum_info import Operator"),
    ("Pauli(", "from qiskit.quantum_info import Pauli"),
    ("SuperOp(", "from qiskit.quantum_info import SuperOp"),
    ("SparsePauliOp.", "from qiskit.quantum_info import SparsePauliOp"),
    ("AerSimulator(", "from qiskit_aer import AerSimulator"),
    ("NoiseModel(", "from qiskit_aer.noise import NoiseModel"),
    ("ReadoutError(", "from qiskit_aer.noise import ReadoutError"),
)


def script(task: Task, binding: int) -> str:
    """Return the program that repeats one binding of a task, its circuit and options read.

    Raises RequestValidationError for a binding that there is not, and TaskError for a program that is too long or that
    could not be run at all.
    """
    options = Options.from_dict({**task.options, "shots": task.shots})
    if binding >= len(options.bindings):
        problem = {"type": "no_such_binding", "loc": ("query", "binding")}
        raise RequestValidationError([{**problem, "msg": f"The task has {len(options.bindings)}, counted from 0"}])
    inputs, whole = [options.bindings[binding]], options.noise is not None
    budget = reading_budget()
    program = next(reader.compile_each(task.circuit, inputs, counted=options.counted, whole=whole, budget=budget))
    if options.noise is not None:
        program = noisy(program, options.noise.rules())
    options = options.of_program(program.results, measured=bool(program.outputs))
    size = sum(1 for _ in walk(program.operations))
    if size > MAX_OPERATIONS:
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"The program has {size:,} operations; a script has at most {MAX_OPERATIONS:,}.",
            limit=MAX_OPERATIONS,
            actual=size,
            hint="Read the program as it was sent, at /circuit.",
        )
    execution = dict(task.outcome.get("execution") or {})
    if options.is_sweep and "bindings" in execution:
        execution |= execution.pop("bindings")[binding]
    return "\n".join(_Writer(task, options, program, execution, binding).lines()) + "\n"


class _Writer:
    """Writes the lines of one script."""

    def __init__(
        self, task: Task, options: Options, program: Compiled, execution: Mapping[str, Any], binding: int
    ) -> None:
        self.task, self.options, self.program, self.execution = task, options, program, execution
        self.binding = binding
        self.width = sum(size for _, size in program.registers)
        self.samples = {
            index: list(measuring(program, options, request.observable or ()))
            for index, request in enumerate(options.results or ())
            if request.type == "samples"
        }
        everything = list(walk([*program.operations, *(each for made in self.samples.values() for each in made)]))
        used = {qubit for each in everything for qubit in qubits_of(each)}
        if options.results is not None or options.observables is not None:
            used |= set(range(self.width))
        self.place = {qubit: index for index, qubit in enumerate(sorted(used or {0}))}
        self.names = {each.name for each in everything}
        self.flow = not self.names.isdisjoint({"if", "while"})
        self.cell: dict[int, int] = {}
        for output in program.outputs:
            self.cell |= {cell: len(self.cell) + at for at, cell in enumerate(output.cells)}
        cells = {cell for each in everything for cell in (*cells_read(each), *cells_written(each))}
        self.scratch = sorted(cells - set(self.cell))
        self.cell |= {cell: len(self.cell) + at for at, cell in enumerate(self.scratch)}
        # Under noise Aer keeps classical bits up to the last that a measurement writes.
        measured = [each for each in everything if isinstance(each, Measure)]
        self.flips = {each.qubit: each.flips for each in measured if each.flips != NO_FLIPS}
        errors = dict.fromkeys(each.error for each in everything if isinstance(each, Channel))
        self.errors = {error: f"error_{number}" for number, error in enumerate(errors, start=1)}
        self.noisy = bool(self.flips or self.errors)
        self.last = len(self.cell) if self.noisy and "store" in self.names else None
        self.powers = 0

    def lines(self) -> list[str]:
        """Return the lines."""
        made = [*definitions(self.errors), *self.circuit(), "", *self.run()]
        text = "\n".join(made)
        used = [line for name, line in _IMPORTS if name in text]
        return [*self.head(), "", *used, "", *made]

    def head(self) -> Iterator[str]:
        """Yield what it is, what it needs, and how its outcomes compare with the task's."""
        versions = self.execution.get("versions", {})
        pins = [f"{name}=={versions.get(name.replace('-', '_'), pinned)}" for name, pinned in PINS.items()]
        of_binding = f", binding {self.binding}" if self.options.is_sweep else ""
        yield f'"""Repeats task {self.task.task_id}{of_binding} on plain Qiskit and Aer.'
        yield ""
        yield f"    python3 -m pip install {' '.join(pins)}"
        yield ""
        engine = self.execution.get("engine")
        if engine is None:
            yield f"The task is {self.task.status}; how it ran is not known here."
        elif self.errors:  # drawn as Kraus operators here
            yield f"The task ran on {engine}; errors are drawn otherwise here, so counts agree within sampling."
        elif engine == "qiskit-aer" and "reduced" not in self.execution:
            yield f"The task ran on qiskit-aer by the {self.execution['method']} method, with the seed below."
        else:
            yield f"The task ran on {engine}: counts agree within sampling, not shot by shot."
        if self.options.results or self.options.observables:
            yield "Results beside counts are averages over shots here; the task's are exact."
        yield '"""'

    # ------------------------------------------------------------------ circuit

    def circuit(self) -> Iterator[str]:
        """Yield the lines that build the circuit."""
        yield f"circuit = QuantumCircuit({len(self.place)})"
        for output in self.program.outputs:
            yield f"circuit.add_register(ClassicalRegister({len(output.cells)}, {output.name!r}))"
        if extra := len(self.scratch) + (self.last is not None):
            yield f"circuit.add_register(ClassicalRegister({extra}, {_free_name(self.program)!r}))"
        if self.program.phase:
            yield f"circuit.global_phase = {self.program.phase!r}"
        if self.last is not None:
            yield f"circuit.measure(0, {self.last})"
        operations = without_overwritten(self.program.operations)
        last = final(operations) if self.options.results or self.options.observables else set()
        yield from self.body([each for at, each in enumerate(operations) if at not in last], "")
        if basis := self.method()[1]:
            # What saves results cannot be translated.
            yield f"circuit = transpile(circuit, basis_gates={[*basis, *_FLOW]!r}, optimization_level=0)"
        if self.samples:
            yield "before = circuit.copy()"
        yield from self.saves()
        yield from self.body([each for at, each in enumerate(operations) if at in last], "")

    def body(self, operations: Iterable[Operation], indent: str) -> Iterator[str]:
        """Yield the lines of operations."""
        for operation in operations:
            if isinstance(operation, If):
                other = f"otherwise_{len(indent) // 4}"  # a test inside has one of its own
                named = f" as {other}" if operation.otherwise else ""
                yield f"{indent}with circuit.if_test({self.condition(operation.condition)}){named}:"
                yield from self.block(operation.then, indent)
                if operation.otherwise:
                    yield f"{indent}with {other}:"
                    yield from self.block(operation.otherwise, indent)
            elif isinstance(operation, While):
                yield f"{indent}with circuit.while_loop((circuit.clbits[{self.cell[operation.cell]}], 1)):"
                yield from self.block(operation.body, indent)
            elif isinstance(operation, Store):
                target = self.cell[operation.cell]
                yield f"{indent}circuit.store(circuit.clbits[{target}], {self.expression(operation.value)})"
            elif isinstance(operation, Measure):
                yield f"{indent}circuit.measure({self.place[operation.qubit]}, {self.cell[operation.cell]})"
            else:
                for line in self.calls(operation, "circuit", self.place):
                    yield indent + line

    def block(self, operations: Iterable[Operation], indent: str) -> Iterator[str]:
        """Yield the body of a test or a loop."""
        indent += "    "
        operations = list(operations)
        if not any(qubits_of(inner) for inner in walk(operations)):
            # Aer passes over a test without a qubit, and over what is assigned in it.
            yield f"{indent}circuit.barrier(0)"
        yield from self.body(operations, indent)

    def calls(  # noqa: PLR0911 - one for each kind
        self, operation: Operation, circuit: str, place: Mapping[int, int]
    ) -> list[str]:
        """Return the calls that append a gate, a reset or a barrier."""
        places = [place[qubit] for qubit in qubits_of(operation)]
        match operation:
            case Channel():
                return [f"{circuit}.append({self.errors[operation.error]}.to_instruction(), {places})"]
            case Reset() | Barrier():
                return [f"{circuit}.{operation.name}({', '.join(map(str, places))})"]
            case MatrixGate():
                rows = [list(row) for row in operation.matrix.rows]
                return [f"{circuit}.append(UnitaryGate({rows!r}, check_input=False), {places})"]
            case Power():
                self.powers += 1
                inner = f"inner_{self.powers}"
                same = {place: place for place in range(len(places))}
                lines = [f"{inner} = QuantumCircuit({len(places)})"]
                for each in operation.operations:
                    lines += self.calls(each, inner, same)
                matrix = f"Operator({inner}).power({operation.exponent!r}, assume_unitary=True)"
                return [*lines, f"{circuit}.append(UnitaryGate({matrix}), {places})"]
            case Gate(name="gphase"):
                return [f"{circuit}.global_phase += {operation.parameters[0]!r}"]
            case Gate(name="mcx" | "mcphase"):
                name = "mcx" if operation.name == "mcx" else "mcp"
                arguments = [*map(repr, operation.parameters), str(places[:-1]), str(places[-1])]
                return [f"{circuit}.{name}({', '.join(arguments)})"]
            case Gate():
                return [
                    f"{circuit}.{operation.name}({', '.join([*map(repr, operation.parameters), *map(str, places)])})"
                ]
        raise AssertionError(operation)  # what has a body or a cell is written by `body`

    def condition(self, condition: Node) -> str:
        """Return a condition of a test."""
        if condition.op == "bit":
            return f"(circuit.clbits[{self.cell[condition.cell]}], 1)"
        return self.expression(condition)

    def expression(self, bit: Bit) -> str:
        """Return a Boolean expression over classical bits."""
        if not isinstance(bit, Node):
            return f"expr.lift({bool(bit)})"
        if bit.op == "bit":
            return f"expr.lift(circuit.clbits[{self.cell[bit.cell]}])"
        assert isinstance(bit.a, Node)  # noqa: S101 - only `bit` has a cell there
        if bit.op == "!":
            return f"expr.logic_not({self.expression(bit.a)})"
        assert bit.b is not None  # noqa: S101 - every other operator has two sides
        name = {"^": "bit_xor", "&": "logic_and", "|": "logic_or"}[bit.op]
        return f"expr.{name}({self.expression(bit.a)}, {self.expression(bit.b)})"

    def saves(self) -> list[str]:
        """Return the lines that save the state's results, each under the label `result <its place>`."""
        sums = [(f"observable {at}", terms, False) for at, terms in enumerate(self.options.observables or ())]
        lines = []
        every = list(range(self.width))
        for index, request in enumerate(self.options.results or ()):
            label = f"label='result {index}'"
            if request.type == "probabilities":
                lines.append(f"circuit.save_probabilities({list(request.qubits or every)}, {label})")
            elif request.type == "density_matrix":
                lines.append(f"circuit.save_density_matrix({list(request.qubits or every)}, {label})")
            elif request.type == "statevector":
                lines.append(f"circuit.save_statevector({label})")
            elif request.states is not None:
                lines.append(f"circuit.save_amplitudes({[int(bits, 2) for bits in request.states]}, {label})")
            elif request.type == "expectation" and request.observable is not None:
                sums.append((f"result {index}", request.observable, request.variance))
        for name, terms, variance in sums:
            # On the qubits that it acts on: of others, Aer 0.18.2's stabilizer method can crash under readout noise.
            width = len(terms[0][0])
            acted = [at for at in range(width) if any(pauli[width - 1 - at] != "I" for pauli, _ in terms)] or [0]
            given = [["".join(pauli[width - 1 - at] for at in reversed(acted)), factor] for pauli, factor in terms]
            operator = f"SparsePauliOp.from_list({given!r})"
            lines.append(f"circuit.save_expectation_value({operator}, {acted}, label={name!r})")
            if variance:
                square = f"{operator}.power(2).simplify()"
                lines.append(f"circuit.save_expectation_value({square}, {acted}, label={f'{name} squared'!r})")
        return lines

    # ------------------------------------------------------------------ run

    def run(self) -> Iterator[str]:
        """Yield the lines that run the circuit and print what came of it."""
        method, _ = self.method()
        if self.flips:
            yield "readout = NoiseModel()"
            for qubit, (flip_0, flip_1) in sorted(self.flips.items()):
                chances = f"[[1 - {flip_0!r}, {flip_0!r}], [{flip_1!r}, 1 - {flip_1!r}]]"
                yield f"readout.add_readout_error(ReadoutError({chances}), [{self.place[qubit]}])"
        # Beside observables there are counts if anything is measured.
        counted = self.options.counted or (self.options.results is None and "measure" in self.names)
        if counted or self.saves():
            yield f"result = AerSimulator().run(circuit, {', '.join(self.settings(method))}).result()"
        if counted:
            yield "counts = Counter()"
            yield "for key, times in result.get_counts().items():"
            key = "key.partition(' ')[2]" if self.scratch or self.last is not None else "key"
            yield f"    counts[{key}] += times"
            yield "print(dict(sorted(counts.items())))"
        if saves := self.saves():
            names = [line.rpartition("label='")[2].removesuffix("')") for line in saves]
            ordered = self.ordered()
            plain = [name for name in names if not name.endswith(" squared") and name not in ordered]
            yield f"for name in {plain!r}:"
            yield "    print(name, np.asarray(result.data()[name]).tolist())"
            for name, qubits in ordered.items():
                yield f"state, qubits = np.asarray(result.data()[{name!r}]), {qubits}"
                yield "order = [sum((i >> j & 1) << q for j, q in enumerate(qubits)) for i in range(2 ** len(qubits))]"
                yield f"print({name!r}, state[order].tolist())"
            for name in names:
                if f"{name} squared" in names:
                    mean = f"result.data()[{name!r}]"
                    yield f"print('{name} variance', result.data()['{name} squared'] - {mean} ** 2)"
        for index in self.samples:
            yield from self.sampled(index)

    def ordered(self) -> dict[str, list[int]]:
        """Return the labels of the statevectors that were asked for in an order of their own, and their qubits."""
        return {
            f"result {index}": list(request.qubits)
            for index, request in enumerate(self.options.results or ())
            if request.type == "statevector" and request.qubits is not None
        }

    def sampled(self, index: int) -> Iterator[str]:
        """Yield the lines that measure the observable of a result in a copy of the circuit."""
        method, _ = self.method()
        operations, terms = self.samples[index], (self.options.results or ())[index].observable or ()
        measured = [each for each in operations if isinstance(each, Measure)]
        yield from ("", "circuit = before.copy()")
        yield f"circuit.add_register(ClassicalRegister({len(measured)}, {_free_name(self.program, 'sampled')!r}))"
        clbits = len(self.cell) + (self.last is not None)
        for each in operations:
            if isinstance(each, Measure):
                yield f"circuit.measure({self.place[each.qubit]}, {clbits + measured.index(each)})"
            elif isinstance(each, MatrixGate) and each.matrix is TURN:
                yield from turned(terms, self.place)
            else:
                yield from self.calls(each, "circuit", self.place)
        yield f"result = AerSimulator().run(circuit, {', '.join(self.settings(method, index))}).result()"
        yield from tallied(terms, [each.qubit for each in measured])
        yield f"print('result {index}', dict(sorted(values.items())))"

    def settings(self, method: str, sampled: int | None = None) -> list[str]:
        """Return the arguments of Aer's run, of that for the samples of a result if its place is given."""
        settings = [f"method={method!r}", f"shots={self.options.shots or EXACT_SHOTS}"]
        seed = self.execution.get("seed", self.options.seed)
        if seed is not None and self.options.is_sweep and "seed" not in self.execution:
            seed = self.options.of_binding(self.binding, seed).seed
        if seed is not None and sampled is not None:
            # Far from the seeds of the counts and of other samples, whose shots it may share else.
            seed = int.from_bytes(hashlib.sha256(f"{seed} {sampled}".encode()).digest()[:4]) >> 1
        if seed is not None:
            settings.append(f"seed_simulator={seed}")
        if self.options.precision != "double":
            settings.append(f"precision={self.options.precision!r}")
        if self.flow or self.noisy:
            settings.append("enable_truncation=False")
        if "store" in self.names:
            settings.append("fusion_enable=False")
        if self.flips:
            settings.append("noise_model=readout")
        return settings

    def method(self) -> tuple[str, tuple[str, ...]]:
        """Return Aer's method, and the gates that the circuit must be decomposed into, if it must."""
        named = str(self.options.method)
        wide = len(self.place) > WIDE
        if named == "automatic":
            engine, ran = self.execution.get("engine", ""), self.execution.get("method", "")
            if engine == "qiskit-aer" and "," not in ran:
                named = ran
            elif self.errors and self.saves():
                named = "density_matrix"
            elif wide:
                named = "stabilizer" if engine == "stim" else "matrix_product_state"
        known = {*_ONE_QUBIT, *_TWO_QUBIT, "measure", "reset", "barrier", "if", "while", "store", "gphase", "channel"}
        if self.errors and named == "stabilizer":  # which has no errors in Kraus operators, as a script has them
            named = "matrix_product_state" if wide else "automatic"
        apart = named in ("density_matrix", "matrix_product_state") and not self.names <= known
        if self.errors and apart:
            return "automatic", ()  # what takes gates apart has no errors among them
        if named == "stabilizer":
            return named, _CLIFFORD
        return named, (*_ONE_QUBIT, *_TWO_QUBIT) if apart else ()


def _free_name(program: Compiled, name: str = "scratch") -> str:
    """Return a name that no register has."""
    taken = {output.name for output in program.outputs}
    while name in taken:
        name += "_"
    return name
