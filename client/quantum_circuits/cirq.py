"""Cirq on a Quantum Circuits API: a `cirq.Sampler` whose sweep is one task; needs the extra `cirq`.

from quantum_circuits.cirq import QuantumCircuitsSampler

result = QuantumCircuitsSampler().run(circuit, repetitions=1000)
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import cirq
import numpy as np
import sympy

from quantum_circuits.client import Client
from quantum_circuits.errors import QuantumCircuitsError
from quantum_circuits.samples import samples

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROTATIONS: dict[type, str] = {
    cirq.XPowGate: "rx",
    cirq.YPowGate: "ry",
    cirq.ZPowGate: "rz",
    cirq.CZPowGate: "cp",
}
_WHOLE: dict[type, str] = {cirq.HPowGate: "h", cirq.CXPowGate: "cx", cirq.SwapPowGate: "swap", cirq.CCXPowGate: "ccx"}


class ExportError(QuantumCircuitsError):
    """The circuit has an operation that the service cannot run; the message names it."""


class QuantumCircuitsSampler(cirq.Sampler):  # type: ignore[misc]  # Cirq's types are not used here
    """Samples circuits on the service; takes a `Client`, or what `Client` takes.

    `seed`, `method` and `noise` are the service's. `task_ids` are those of the last run.
    """

    def __init__(
        self,
        client: Client | None = None,
        *,
        seed: int | None = None,
        method: str | None = None,
        noise: dict[str, Any] | None = None,
        **configuration: Any,  # noqa: ANN401 - Client's own
    ) -> None:
        self.client = client or Client(**configuration)
        given = {"seed": seed, "method": method, "noise": noise}
        self._options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self.task_ids: list[str] = []

    def run_sweep(
        self, program: cirq.AbstractCircuit, params: cirq.Sweepable, repetitions: int = 1
    ) -> Sequence[cirq.Result]:
        """Run the circuit for each resolver of `params`: one task per 1,000 of them; raises ExportError."""
        written = _Writer(program)
        text = written.text()
        resolvers = list(cirq.to_resolvers(params))
        bindings = [written.binding(resolver) for resolver in resolvers]
        tasks = self.client.sweep(text, bindings, shots=repetitions, **self._options)
        self.task_ids = [task.task_id for task in tasks]
        counts = [each for task in tasks for each in task.counts_by_binding]
        seed = tasks[0].execution.get("seed", 0)
        return [
            cirq.ResultDict(params=resolver, records=written.records(samples(each, written.width, [seed, index])))
            for index, (resolver, each) in enumerate(zip(resolvers, counts, strict=True))
        ]


class _Writer:
    """A circuit as OpenQASM 3, and where its measurements' bits are."""

    def __init__(self, circuit: cirq.AbstractCircuit) -> None:
        # Loops of known length and nested circuits are written out.
        self.circuit = cirq.unroll_circuit_op(circuit, deep=True, tags_to_check=None)
        self.qubits = {qubit: f"q[{index}]" for index, qubit in enumerate(sorted(self.circuit.all_qubits()))}
        if wider := [qubit for qubit in self.qubits if qubit.dimension != 2]:  # noqa: PLR2004 - a qubit's
            raise ExportError(f"The service has qubits, and {wider[0]} has {wider[0].dimension} levels.")
        self.bits: dict[str, list[list[int]]] = defaultdict(list)  # by key: the bits of each time it was measured
        self.width = 0
        self.inputs: dict[sympy.Expr, str] = {}
        self.lines: list[str] = []
        for operation in self.circuit.all_operations():
            self.operation(operation)

    def text(self) -> str:
        """Return the program."""
        if not self.width:
            raise ExportError("The circuit measures nothing, so there is nothing to sample.")
        head = ["OPENQASM 3.0;", 'include "stdgates.inc";']
        head += [f"input float {name};" for name in self.inputs.values()]
        head += [f"qubit[{len(self.qubits)}] q;", f"bit[{self.width}] c;"]
        return "\n".join([*head, *self.lines, ""])

    def binding(self, resolver: cirq.ParamResolver) -> dict[str, float]:
        """Return the values of the program's inputs; raises ExportError where the resolver has no value for one."""
        found = {}
        for expression, name in self.inputs.items():
            value = resolver.value_of(expression)
            if isinstance(value, sympy.Basic) and value.free_symbols:
                raise ExportError(f"The circuit's parameter {expression} has no value in {resolver}.")
            found[name] = float(value)
        return found

    def records(self, shots: np.ndarray) -> dict[str, np.ndarray]:
        """Return each key's outcomes, shape (repetitions, times it was measured, qubits).

        They are signed, as those of `cirq.Simulator` where it samples one state: `1 - 2 * outcome` is -1, not 255.
        """
        return {key: shots[:, np.array(instances)].astype(np.int8) for key, instances in self.bits.items()}

    def operation(self, operation: cirq.Operation) -> None:
        """Write one operation, or what it decomposes into."""
        operation = operation.untagged
        if isinstance(operation, cirq.ClassicallyControlledOperation):
            self.controlled(operation)
            return
        gate, places = operation.gate, [self.qubits[qubit] for qubit in operation.qubits]
        if isinstance(gate, cirq.MeasurementGate):
            self.measure(operation, gate, places)
        elif isinstance(gate, cirq.ResetChannel):
            self.lines.append(f"reset {places[0]};")
        elif isinstance(gate, cirq.IdentityGate) or not operation.qubits:
            return  # a global phase changes no counts
        elif type(gate) in _WHOLE and gate.exponent == 1:
            self.lines.append(f"{_WHOLE[type(gate)]} {', '.join(places)};")
        elif name := next((name for kind, name in _ROTATIONS.items() if isinstance(gate, kind)), None):
            self.lines.append(f"{name}({self.angle(gate.exponent)}) {', '.join(places)};")
        else:
            self.decompose(operation, places)

    def decompose(self, operation: cirq.Operation, places: Sequence[str]) -> None:
        """Write an operation by its decomposition, or by its matrix."""
        parts = cirq.decompose_once(operation, default=None)
        if parts is not None:
            for part in parts:
                self.operation(part)
            return
        matrix = cirq.unitary(operation, default=None)
        if matrix is None:
            raise ExportError(f"The service cannot run {operation!r}.")
        if len(places) == 1:
            gate = cirq.single_qubit_matrix_to_phxz(matrix, atol=0) or cirq.PhasedXZGate.from_matrix(matrix)
            for part in cirq.decompose_once(gate(*operation.qubits)):
                self.operation(part)
            return
        for part in cirq.quantum_shannon_decomposition(list(operation.qubits), matrix):
            self.operation(part)

    def angle(self, exponent: Any) -> str:  # noqa: ANN401 - a number or an expression
        """Return pi times an exponent: a number with all its digits, or the input that stands for it."""
        if isinstance(exponent, sympy.Basic) and exponent.free_symbols:
            return self.inputs.setdefault(exponent * sympy.pi, f"a{len(self.inputs)}")
        return repr(float(exponent) * math.pi)

    def measure(self, operation: cirq.Operation, gate: cirq.MeasurementGate, places: Sequence[str]) -> None:
        """Write a measurement; an inverted outcome is that of the flipped qubit."""
        if gate.confusion_map:
            raise ExportError("The service has no confusion maps. Use its `noise`.")
        bits = list(range(self.width, self.width + len(places)))
        self.width += len(places)
        self.bits[cirq.measurement_key_name(operation)].append(bits)
        mask = gate.full_invert_mask()
        for place, bit, inverted in zip(places, bits, mask, strict=True):
            flip = [f"x {place};"] if inverted else []
            self.lines += [*flip, f"c[{bit}] = measure {place};", *flip]

    def controlled(self, operation: cirq.ClassicallyControlledOperation) -> None:
        """Write an operation under conditions on measured keys: each holds when any bit of its key is set."""
        conditions = []
        for condition in operation.classical_controls:
            if not isinstance(condition, cirq.KeyCondition) or str(condition.key) not in self.bits:
                raise ExportError(f"The service cannot run the condition {condition!r}.")
            bits = self.bits[str(condition.key)][condition.index]
            conditions.append("(" + " || ".join(f"c[{bit}]" for bit in bits) + ")")
        self.lines.append(f"if ({' && '.join(conditions)}) {{")
        self.operation(operation.without_classical_controls())
        self.lines.append("}")
