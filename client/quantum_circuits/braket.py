"""Amazon Braket's SDK on a Quantum Circuits API: a simulator for `LocalSimulator`; needs the extra `braket`.

device = LocalSimulator("quantum_circuits")
counts = device.run(circuit, shots=1000).result().measurement_counts
"""

from __future__ import annotations

import itertools
import math
import re
import sys
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NoReturn

from braket.device_schema import DeviceActionType
from braket.device_schema.simulators import GateModelSimulatorDeviceCapabilities
from braket.ir.jaqcd import Expectation, Probability, Sample, Variance
from braket.ir.openqasm import Program
from braket.simulator import BraketSimulator
from braket.task_result import AdditionalMetadata, GateModelTaskResult, ResultTypeValue, TaskMetadata

from quantum_circuits.client import Client
from quantum_circuits.errors import QuantumCircuitsError
from quantum_circuits.samples import samples

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = "quantum_circuits"
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_RESULT = re.compile(r"^[ \t]*#?pragma[ \t]+braket[ \t]+result[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_QUBITS = re.compile(r"\bqubit\s*(?:\[\s*(\d+)\s*\])?\s*(\w+)\s*;|\bqreg\s+(\w+)\s*\[\s*(\d+)\s*\]\s*;")
_BITS = re.compile(r"\bbit\s*(?:\[\s*(\d+)\s*\])?\s*(\w+)\s*[;=]|\bcreg\s+(\w+)\s*\[\s*(\d+)\s*\]\s*;")
_PLACE = r"(\$\d+|[A-Za-z_]\w*(?:\s*\[\s*\d+\s*\])?)"
_MEASURE = re.compile(rf"{_PLACE}\s*=\s*measure\s+{_PLACE}\s*;|\bmeasure\s+{_PLACE}\s*->\s*{_PLACE}\s*;")
_OBSERVABLE = re.compile(rf"([xyzih])\s*\(\s*{_PLACE}\s*\)")
_ROTATIONS = {"x": "h {0};", "y": "sdg {0}; h {0};", "h": f"ry({-math.pi / 4!r}) {{0}};"}
# An observable as a sum of Paulis.
_PAULIS = {"i": {"I": 1.0}, "x": {"X": 1.0}, "y": {"Y": 1.0}, "z": {"Z": 1.0}, "h": {"X": 0.5**0.5, "Z": 0.5**0.5}}
_KINDS: dict[str, Any] = {"expectation": Expectation, "variance": Variance, "sample": Sample}
_NOISE = (
    "amplitude_damping bit_flip depolarizing generalized_amplitude_damping kraus pauli_channel phase_damping "
    "phase_flip two_qubit_dephasing two_qubit_depolarizing"
)
_OPERATIONS = (
    "U GPhase ccnot cnot cphaseshift cphaseshift00 cphaseshift01 cphaseshift10 cswap cv cy cz ecr gpi gpi2 h i "
    "iswap ms phaseshift prx pswap rx ry rz s si swap t ti unitary v vi x xx xy y yy z zz"
)


class ProgramError(QuantumCircuitsError):
    """The program, or a result that it asks for, is none that the service gives; the message names it."""


class QuantumCircuitsSimulator(BraketSimulator):  # type: ignore[misc]  # Braket's types are not used here
    """Runs Braket's programs on the service; takes a `Client`, or what `Client` takes.

    `seed`, `method` and `noise` are the service's. `task_ids` are those of the last run. With shots there are
    measurements, and expectation, variance, sample and probability from them; without, exact expectation values and
    variances. Observables are products of the named ones.
    """

    DEVICE_ID = _NAME

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

    def run(self, ir: Any, *_: Any, shots: int = 0, **__: Any) -> GateModelTaskResult:  # noqa: ANN401 - Braket's programs
        """Run one OpenQASM program; raises ProgramError for what the service does not give."""
        self.task_ids = []
        return self._run(ir, shots)

    def run_multiple(
        self,
        programs: Sequence[Any],
        max_parallel: int | None = None,  # noqa: ARG002 - the service runs them
        *_: Any,  # noqa: ANN401 - Braket's
        shots: int = 0,
        **__: Any,  # noqa: ANN401 - Braket's
    ) -> list[GateModelTaskResult]:
        """Run some OpenQASM programs one after the other; raises as `run` does."""
        self.task_ids = []
        return [self._run(program, shots) for program in programs]

    def _run(self, ir: Any, shots: int) -> GateModelTaskResult:  # noqa: ANN401 - Braket's programs
        if not isinstance(ir, Program):
            raise ProgramError(f"The service runs OpenQASM programs, no {type(ir).__name__}.")
        started = _now()
        program = _Program(ir.source)
        options = dict(self._options)
        if ir.inputs:
            options["inputs"] = dict(ir.inputs)
        found = self._sampled(program, shots, options) if shots else self._exact(program, options)
        # As Braket's own simulators make it: the schema has no place for result types that the SDK is to work out.
        return GateModelTaskResult.construct(
            taskMetadata=TaskMetadata(
                id=str(uuid.uuid4()), shots=shots, deviceId=_NAME, createdAt=started, endedAt=_now()
            ),
            additionalMetadata=AdditionalMetadata(action=ir),
            **found,
        )

    def _sampled(self, program: _Program, shots: int, options: dict[str, Any]) -> dict[str, Any]:
        """Return measurements, and the result types for the SDK to work out of them."""
        text, columns, qubits = program.measured()
        task = self.client.run(text, shots=shots, **options)
        self.task_ids.append(task.task_id)
        width = max(len(key.replace(" ", "")) for key in task.counts)
        rows = samples(task.counts, width, [task.execution.get("seed", 0)])[:, columns].astype(int).tolist()
        return {"measurements": rows, "measuredQubits": qubits, "resultTypes": [wish.type() for wish in program.wishes]}

    def _exact(self, program: _Program, options: dict[str, Any]) -> dict[str, Any]:
        """Return exact expectation values and variances."""
        if not program.wishes:
            raise ProgramError("A program that runs without shots needs a result type, such as an expectation value.")
        if _MEASURE.search(program.text) or "measure" in program.text.split():
            raise ProgramError("A program with result types must not measure.")
        sums: list[list[list[Any]]] = []
        for wish in program.wishes:
            if wish.kind not in ("expectation", "variance"):
                raise ProgramError(f"{wish.kind} needs shots; without them there are expectation values and variances.")
            sums += [
                [[pauli, weight] for pauli, weight in program.paulis(product)] for product in wish.products(program)
            ]
        task = self.client.run(program.text, shots=1, observables=sums, **options)
        self.task_ids.append(task.task_id)
        values = iter([each.value for each in task.expectation_values])
        results = []
        for wish in program.wishes:
            # Every named observable squares to the identity, and so does a product of them.
            own = [next(values) for _ in wish.products(program)]
            numbers = own if wish.kind == "expectation" else [max(0.0, 1.0 - value * value) for value in own]
            results.append(
                ResultTypeValue.construct(type=wish.type(), value=numbers if wish.targets is None else numbers[0])
            )
        return {"resultTypes": results}

    @property
    def properties(self) -> GateModelSimulatorDeviceCapabilities:
        """Return what the SDK asks before it sends a program."""
        limits = self.client.limits()
        shots = [0, int(limits.get("shots", sys.maxsize))]
        kinds = [{"name": name.capitalize(), "observables": list("xyzhi"), "minShots": 0} for name in _KINDS]
        action = {
            "actionType": DeviceActionType.OPENQASM,
            "version": ["1"],
            "supportedOperations": [*_OPERATIONS.split(), *_NOISE.split()],
            "supportedModifiers": [{"name": name} for name in ("ctrl", "negctrl", "inv")],
            "supportedPragmas": [f"braket_result_type_{name}" for name in (*_KINDS, "probability")]
            + ["braket_unitary_matrix", *(f"braket_noise_{name}" for name in _NOISE.split())],
            "supportedResultTypes": [*kinds, {"name": "Probability", "minShots": 1}],
        }
        window = {"executionDay": "Everyday", "windowStartHour": "00:00", "windowEndHour": "23:59:59"}
        return GateModelSimulatorDeviceCapabilities.parse_obj(
            {
                "service": {"executionWindows": [window], "shotsRange": shots},
                "action": {DeviceActionType.OPENQASM.value: action},
                "paradigm": {"qubitCount": 33},
                "deviceParameters": {},
            }
        )


@dataclass
class _Wish:
    """A result that a program asks for: `targets` are qubits, None for each one by itself."""

    kind: str
    names: list[str]
    targets: list[int] | None

    def type(self) -> Any:  # noqa: ANN401 - one of Braket's result types
        """Return it as Braket's SDK has it."""
        if self.kind == "probability":
            return Probability(targets=self.targets)
        return _KINDS[self.kind](observable=self.names, targets=self.targets)

    def products(self, program: _Program) -> list[dict[int, str]]:
        """Return the observables to take, each by its qubits."""
        if self.targets is None:
            return [{qubit: self.names[0]} for qubit in program.used]
        return [dict(zip(self.targets, self.names, strict=True))]


class _Program:
    """An OpenQASM program of Braket without its result pragmas, and what they ask for."""

    def __init__(self, source: str) -> None:
        plain = _COMMENT.sub(" ", source)
        self.text = _RESULT.sub("", source)
        self.places = _places(plain)
        self.used = self._used(plain)
        self.wishes = [self._wish(match[1]) for match in _RESULT.finditer(plain)]

    def _used(self, plain: str) -> list[int]:
        """Return the qubits that the program names, all of a register that is named as a whole or by a variable."""
        body = _QUBITS.sub(" ", _RESULT.sub("", plain))
        registers = {name.split("[")[0] for name in self.places}
        used = {number for name, number in self.places.items() if name.startswith("$")}
        for name in registers - {name for name in registers if name.startswith("$")}:
            for index in re.findall(rf"\b{re.escape(name)}\b\s*(?:\[\s*(\d+)\s*\])?", body):
                mine = (
                    [index]
                    if index
                    else [place[len(name) + 1 : -1] for place in self.places if place.startswith(f"{name}[")]
                )
                used |= {self.places[f"{name}[{each}]"] for each in mine if f"{name}[{each}]" in self.places}
        return sorted(used)

    def _wish(self, text: str) -> _Wish:
        kind, _, rest = text.partition(" ")
        rest = rest.strip()
        if kind == "probability":
            targets = None if rest in ("", "all") else [self._qubit(place) for place in rest.split(",")]
            return _Wish(kind, [], targets)
        if kind not in _KINDS:
            raise ProgramError(f"The service has no result type {kind!r}.")
        if match := re.fullmatch(r"([xyzih])\s+all", rest):
            return _Wish(kind, [match[1]], None)
        factors = [_OBSERVABLE.fullmatch(part.strip()) for part in rest.split("@")]
        if not all(factors):
            raise ProgramError(f"The service takes products of x, y, z, i and h, not {rest[:80]!r}.")
        found = [factor for factor in factors if factor is not None]
        targets = [self._qubit(factor[2]) for factor in found]
        if len(set(targets)) < len(targets):
            raise ProgramError(f"An observable has each qubit once: {rest[:80]!r}.")
        return _Wish(kind, [factor[1] for factor in found], targets)

    def _qubit(self, place: str) -> int:
        name = "".join(place.split())
        number = self.places.get(name, self.places.get(f"{name}[0]") if f"{name}[1]" not in self.places else None)
        if number is None:
            raise ProgramError(f"{place.strip()[:40]!r} is not a qubit of the program.")
        return number

    def paulis(self, product: dict[int, str]) -> list[tuple[str, float]]:
        """Return a product of observables as the sum of Pauli strings, the highest qubit first."""
        width = max(self.places.values()) + 1
        options = [_PAULIS[product.get(qubit, "i")].items() for qubit in reversed(range(width))]
        return [
            ("".join(letter for letter, _ in choice), math.prod(weight for _, weight in choice))
            for choice in itertools.product(*options)
        ]

    def measured(self) -> tuple[str, list[int], list[int]]:
        """Return the program to sample, the columns of its bits that count, and the qubits measured into them."""
        measures = _COMMENT.sub(" ", self.text).count("measure")
        if not self.wishes and measures:
            return self.text, *self._own_measurements(measures)
        if measures:
            raise ProgramError("A program with result types must not measure.")
        if _BITS.search(_COMMENT.sub(" ", self.text)):
            raise ProgramError("A program with result types and classical registers is not supported.")
        bases: dict[int, str] = {}
        for wish in self.wishes:
            for product in wish.products(self) if wish.names else []:
                for qubit, name in product.items():
                    if name != "i" and bases.setdefault(qubit, name) != name:
                        raise ProgramError("Observables cannot be sampled simultaneously.")
        names = {number: name for name, number in self.places.items()}
        register = "measured"
        while register in self.text:
            register += "_"
        lines = [self.text, f"bit[{len(self.used)}] {register};"]
        for qubit, name in sorted(bases.items()):
            lines += [_ROTATIONS[name].format(names[qubit])] if name in _ROTATIONS else []
        lines += [f"{register}[{index}] = measure {names[qubit]};" for index, qubit in enumerate(self.used)]
        return "\n".join(lines), list(range(len(self.used))), self.used

    def _own_measurements(self, measures: int) -> tuple[list[int], list[int]]:
        plain = _COMMENT.sub(" ", self.text)
        if re.search(r"\boutput\b", plain):
            raise ProgramError("A program with an output has no measurements of its qubits in order.")
        columns = {place: number for number, place in enumerate(_bits(plain))}
        found: dict[int, int] = {}
        matches = list(_MEASURE.finditer(plain))
        if len(matches) < measures:
            raise ProgramError("Measure single qubits into single bits: 'b[0] = measure q[0];'.")
        for match in matches:
            bit, qubit = (match[1], match[2]) if match[1] else (match[4], match[3])
            bit = "".join(bit.split())
            column = columns.get(bit, columns.get(f"{bit}[0]") if f"{bit}[1]" not in columns else None)
            if column is None:
                raise ProgramError("Measure single qubits into single bits: 'b[0] = measure q[0];'.")
            found[column] = self._qubit(qubit)
        return sorted(found), [found[column] for column in sorted(found)]


def _places(plain: str) -> dict[str, int]:
    """Return the number of every qubit by its name: those of the registers in order, or physical ones."""
    places: dict[str, int] = {}
    for size, name, old, old_size in _QUBITS.findall(plain):
        places |= {f"{name or old}[{index}]": len(places) + index for index in range(int(size or old_size or 1))}
    physical = {name: int(name[1:]) for name in re.findall(r"\$\d+", plain)}
    if physical and places:
        _refuse_mixed()
    return places or physical


def _refuse_mixed() -> NoReturn:
    raise ProgramError("A program names its qubits or uses physical ones, not both.")


def _bits(plain: str) -> list[str]:
    return [
        f"{name or old}[{index}]"
        for size, name, old, old_size in _BITS.findall(plain)
        for index in range(int(size or old_size or 1))
    ]


def _now() -> str:
    moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")
