"""PennyLane on a Quantum Circuits API: `qml.device("quantum_circuits")`; needs the extra `pennylane`.

Circuits of one shape, such as those of a gradient by parameter shift, are the bindings of one task.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pennylane as qml
from pennylane.devices import Device
from pennylane.devices.preprocess import (
    decompose,
    validate_device_wires,
    validate_measurements,
)
from pennylane.measurements import DensityMatrixMP, ExpectationMP, ProbabilityMP, StateMP, VarianceMP
from pennylane.transforms import broadcast_expand, defer_measurements, split_non_commuting
from pennylane.transforms.core import CompilePipeline

from quantum_circuits.client import Client
from quantum_circuits.errors import QuantumCircuitsError
from quantum_circuits.samples import samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pennylane.devices import ExecutionConfig
    from pennylane.tape import QuantumScript

    from quantum_circuits.task import Result

# PennyLane's gates by the service's names.
GATES = {
    "CCZ": "ccz",
    "CH": "ch",
    "CNOT": "cx",
    "CRX": "crx",
    "CRY": "cry",
    "CRZ": "crz",
    "CSWAP": "cswap",
    "CY": "cy",
    "CZ": "cz",
    "ControlledPhaseShift": "cp",
    "ECR": "ecr",
    "Hadamard": "h",
    "ISWAP": "iswap",
    "IsingXX": "rxx",
    "IsingYY": "ryy",
    "IsingZZ": "rzz",
    "PauliX": "x",
    "PauliY": "y",
    "PauliZ": "z",
    "PhaseShift": "p",
    "RX": "rx",
    "RY": "ry",
    "RZ": "rz",
    "S": "s",
    "SWAP": "swap",
    "SX": "sx",
    "T": "t",
    "Toffoli": "ccx",
    "U1": "u1",
    "U2": "u2",
    "U3": "u3",
}
ADJOINTS = {"Adjoint(S)": "sdg", "Adjoint(T)": "tdg", "Adjoint(SX)": "sxdg"}
WIDEST_MATRIX = 6  # wires of an observable that is decomposed by its matrix, of 4^n Pauli words
NO_EFFECT = {"Barrier", "GlobalPhase", "Identity", "Snapshot", "WireCut"}


class QuantumCircuitsDevice(Device):  # type: ignore[misc]  # PennyLane's types are not used here
    """A device whose circuits run on the service; takes a `Client`, or what `Client` takes.

    Without shots, expectation values, variances, probabilities, states and density matrices are exact; counts and
    samples need shots. `seed`, `method` and `noise` are the service's. Gradients are by parameter shift. `task_ids` are
    those of the last execution.
    """

    name = "quantum_circuits"

    def __init__(  # noqa: PLR0913 - options of the service
        self,
        wires: Any = None,  # noqa: ANN401 - a number or labels, as PennyLane has it
        shots: int | None = None,
        *,
        client: Client | None = None,
        seed: int | None = None,
        method: str | None = None,
        noise: dict[str, Any] | None = None,
        **configuration: Any,  # noqa: ANN401 - Client's own
    ) -> None:
        super().__init__(wires=wires, shots=shots)
        self.client = client or Client(**configuration)
        given = {"seed": seed, "method": method, "noise": noise}
        self._options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self.task_ids: list[str] = []

    def preprocess_transforms(
        self,
        execution_config: ExecutionConfig | None = None,  # noqa: ARG002 - PennyLane's
    ) -> CompilePipeline:
        """Return what makes any circuit one of known gates: measurements deferred, observables commuting."""
        pipeline = CompilePipeline()
        pipeline.add_transform(validate_device_wires, self.wires, name=self.name)
        pipeline.add_transform(validate_measurements, name=self.name, analytic_measurements=_is_exact)
        pipeline.add_transform(broadcast_expand)
        pipeline.add_transform(defer_measurements, allow_postselect=False)
        pipeline.add_transform(decompose, stopping_condition=_is_known, skip_initial_state_prep=False, name=self.name)
        pipeline.add_transform(_split)
        return pipeline

    def setup_execution_config(
        self, config: ExecutionConfig | None = None, circuit: QuantumScript | None = None
    ) -> ExecutionConfig:
        """Choose parameter shift where PennyLane leaves the choice of the gradient to the device."""
        found = super().setup_execution_config(config, circuit)
        if found.gradient_method == "best":
            found = replace(found, gradient_method="parameter-shift")
        return found

    def execute(
        self,
        circuits: QuantumScript | Sequence[QuantumScript],
        execution_config: ExecutionConfig | None = None,  # noqa: ARG002 - PennyLane's
    ) -> Any:  # noqa: ANN401 - what the circuits measure
        """Run circuits, those of one shape as one task, and return their measurements' values."""
        alone = not isinstance(circuits, (list, tuple))
        scripts = [circuits] if alone else list(circuits)
        shapes: dict[tuple[Any, ...], list[int]] = {}
        programs = [_Program(script) for script in scripts]
        for index, program in enumerate(programs):
            shapes.setdefault((program.text, program.shots, repr(program.results)), []).append(index)
        results: list[Any] = [None] * len(scripts)
        self.task_ids = []
        for indexes in shapes.values():
            first = programs[indexes[0]]
            options = {**self._options, "shots": first.shots or 0}
            if first.results:
                options["results"] = first.results
            bindings = [programs[index].binding for index in indexes]
            tasks = self.client.sweep(first.text, bindings, **options)
            self.task_ids += [task.task_id for task in tasks]
            if first.results:
                values = [each for task in tasks for each in task.results_by_binding]
                for index, found in zip(indexes, values, strict=True):
                    results[index] = programs[index].exact(found)
            else:
                counts = [each for task in tasks for each in task.counts_by_binding]
                seed = tasks[0].execution.get("seed", 0)
                for number, (index, each) in enumerate(zip(indexes, counts, strict=True)):
                    results[index] = programs[index].sampled(each, seed, number)
        return results[0] if alone else tuple(results)


def _is_known(operator: qml.operation.Operator) -> bool:
    return operator.name in GATES or operator.name in ADJOINTS or operator.name in NO_EFFECT


def _is_exact(measurement: Any) -> bool:  # noqa: ANN401 - a measurement
    if isinstance(measurement, (ExpectationMP, VarianceMP)):
        return measurement.obs is not None
    if isinstance(measurement, ProbabilityMP):
        return measurement.obs is None and measurement.mv is None
    return isinstance(measurement, StateMP)


def _sentence(observable: Any) -> Any:  # noqa: ANN401 - PennyLane's operators
    """Return an observable as a sum of Pauli words, by its matrix where it has others; raises QuantumCircuitsError."""
    if observable.pauli_rep is not None:
        return observable.pauli_rep
    if len(observable.wires) > WIDEST_MATRIX:
        raise QuantumCircuitsError(
            f"{observable} is not a sum of Pauli words, and has too many wires to be converted to one."
        )
    matrix = qml.matrix(observable, wire_order=observable.wires)
    return qml.pauli_decompose(matrix, wire_order=observable.wires, pauli=True)


@qml.transform
def _split(script: QuantumScript) -> Any:  # noqa: ANN401 - PennyLane's transforms
    """Split what cannot be sampled from one circuit, and turn its bases; exact values need neither."""
    if not script.shots:
        return [script], lambda results: results[0]
    parts, join = split_non_commuting(script)
    turned = []
    for part in parts:
        # The measurements stay as they are: `process_samples` takes the eigenvalues of an observable in its basis. What
        # `diagonalize_measurements` makes of them leaves those that are no Paulis in their own, unturned.
        each = part.copy(operations=[*part.operations, *part.diagonalizing_gates])
        (known,), _ = decompose(each, stopping_condition=_is_known, skip_initial_state_prep=False)
        turned.append(known)
    return turned, join


class _Program:
    """A circuit as OpenQASM 3 whose angles are all inputs, and how its measurements' values are made of what ran."""

    def __init__(self, script: QuantumScript) -> None:
        self.script = script
        self.wires = script.wires
        places = {wire: index for index, wire in enumerate(self.wires)}
        self.places = places
        self.shots: int | None = script.shots.total_shots
        self.binding: dict[str, float] = {}
        lines = []
        for operation in script.operations:
            if operation.name == "GlobalPhase" and self.shots is None:
                lines.append(f"gphase({-float(operation.data[0])!r});")  # a state has it
            if operation.name in NO_EFFECT:
                continue
            name = GATES.get(operation.name) or ADJOINTS[operation.name]
            names = []
            for value in operation.data:
                names.append(f"a{len(self.binding)}")
                self.binding[names[-1]] = float(value)
            given = f"({', '.join(names)})" if names else ""
            lines.append(f"{name}{given} {', '.join(f'q[{places[wire]}]' for wire in operation.wires)};")
            if operation.name in ("U2", "U3") and self.shots is None:
                lines.append(f"gphase(({names[-2]} + {names[-1]}) / 2);")  # OpenQASM's u2 and u3 have another phase
        head = ["OPENQASM 3.0;", 'include "stdgates.inc";', *(f"input float {name};" for name in self.binding)]
        head.append(f"qubit[{max(1, len(self.wires))}] q;")
        self.results: list[dict[str, Any]] = []
        if self.shots is None:
            for measurement in script.measurements:
                self.results += self.needed(measurement)
        else:
            lines += [f"bit[{max(1, len(self.wires))}] c;", "c = measure q;"]
        self.text = "\n".join([*head, *lines, ""])

    def needed(self, measurement: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a measurement
        """Return the service's results that give a measurement's: of a variance the square's value too."""
        if not _is_exact(measurement):
            raise QuantumCircuitsError(f"{measurement} needs shots; without them there are exact results.")
        # PennyLane's first wire is the highest bit of an index, the service's first qubit the lowest.
        qubits = [self.places[wire] for wire in reversed(measurement.wires or self.wires)]
        if isinstance(measurement, ProbabilityMP):
            return [{"type": "probabilities", "qubits": qubits}]
        if isinstance(measurement, DensityMatrixMP):
            return [{"type": "density_matrix", "qubits": qubits}]
        if isinstance(measurement, StateMP):
            return [{"type": "statevector"}]
        sentence = _sentence(measurement.obs)
        sums = [self.terms(sentence)]
        if isinstance(measurement, VarianceMP):
            square = sentence @ sentence
            square.simplify()
            sums.append(self.terms(square))
        return [{"type": "expectation", "observable": terms} for terms in sums]

    def terms(self, sentence: Any) -> list[tuple[str, float]]:  # noqa: ANN401 - a Pauli sentence
        """Return a Pauli sum as strings, qubit 0 rightmost, and real coefficients."""
        width = max(1, len(self.wires))
        found = []
        for word, coefficient in sentence.items():
            letters = ["I"] * width
            for wire, letter in word.items():
                letters[width - 1 - self.places[wire]] = letter
            found.append(("".join(letters), float(np.real(coefficient))))
        return found or [("I" * width, 0.0)]

    def exact(self, results: Sequence[Result]) -> Any:  # noqa: ANN401 - a value or a tuple of them
        """Return the measurements' values from the service's results."""
        found, rest = [], iter(results)
        for measurement in self.script.measurements:
            result = next(rest)
            if isinstance(measurement, VarianceMP):
                found.append(np.float64(next(rest).value - result.value**2))
            elif isinstance(measurement, ExpectationMP):
                found.append(np.float64(result.value))
            elif isinstance(measurement, StateMP) and not isinstance(measurement, DensityMatrixMP):
                found.append(self.ordered(result.array, measurement.wires or self.wires))
            else:
                found.append(result.array)
        return found[0] if len(found) == 1 else tuple(found)

    def ordered(self, state: Any, wires: Any) -> Any:  # noqa: ANN401 - an array, and PennyLane's wires
        """Return the amplitudes of all qubits, the first of the wires the highest bit of an index."""
        width = len(self.wires)
        axes = [width - 1 - self.places[wire] for wire in wires]
        return state.reshape((2,) * width).transpose(axes).reshape(-1)

    def sampled(self, counts: Any, seed: int, number: int) -> Any:  # noqa: ANN401 - a value or a tuple of them
        """Return the measurements' values from counts, for each part of the shots where there are several."""
        rows = samples(counts, max(1, len(self.wires)), [seed, number]).astype(np.int64)
        parts = []
        for first, last in self.script.shots.bins():
            values = tuple(
                measurement.process_samples(rows[first:last], self.wires) for measurement in self.script.measurements
            )
            parts.append(values[0] if len(values) == 1 else values)
        return tuple(parts) if self.script.shots.has_partitioned_shots else parts[0]
