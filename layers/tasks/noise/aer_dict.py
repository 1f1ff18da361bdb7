"""Reads the noise models of Qiskit Aer, as `NoiseModel.to_dict(serializable=True)` writes them.

What Aer does with them (run with qiskit-aer 0.18.2): an error for named qubits replaces the one for all; the errors of
`measure` come before it, all others after their operation; readout errors of several qubits at once belong to
measurements of several qubits at once, which programs here do not have. Source: qiskit_aer/noise/noise_model.py.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tasks.noise.channels import TOLERANCE, WIDEST, Error, Step
from tasks.noise.rules import MEASURE, Readout, Rule, Rules
from tasks.noise.values import (
    MAX_NAMES,
    NAME,
    Room,
    operators,
    probability,
    qubit,
    refuse_others,
    unitary,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ERRORS = 10_000
MAX_TERMS = 50_000  # of all errors together
MAX_TERMS_EACH = 1_024  # of one error: two qubits' relaxation and depolarizing together have up to 256
MAX_STEPS = 150_000
_QUANTUM = ("type", "id", "operations", "instructions", "probabilities", "gate_qubits")
_READOUT = ("type", "id", "operations", "probabilities", "gate_qubits")


def read_errors(given: object, room: Room) -> Rules:
    """Return the rules of Aer's list of errors; raises ValueError."""
    if not isinstance(given, list) or len(given) > MAX_ERRORS:
        raise ValueError(f"noise.errors must be a list of at most {MAX_ERRORS:,} errors.")
    count = _Count()
    local: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    quantum: list[tuple[str, Error, list[str], list[tuple[int, ...]]]] = []
    readouts: list[Readout] = []
    for index, each in enumerate(given):
        where = f"noise.errors[{index}]"
        if not isinstance(each, Mapping) or each.get("type") not in ("qerror", "roerror"):
            raise ValueError(f"{where}.type must be qerror or roerror.")
        if each["type"] == "roerror":
            readouts += _readout(each, where)
            continue
        refuse_others(each, _QUANTUM, where)
        names = each.get("operations")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise ValueError(f"{where}.operations must be a list of names.")
        error = _error(each, where, room, count)
        qubits = _gate_qubits(each.get("gate_qubits"), where)
        if any(len(every) != error.qubits for every in qubits):
            raise ValueError(f"{where}.gate_qubits must have {error.qubits} qubits each, as its error has.")
        for name in names:
            local[name].update(qubits)
        quantum.append((where, error, names, qubits))
    rules = []
    for where, error, names, qubits in quantum:
        rules += [
            Rule(
                f"{where} ({name[:NAME]})",
                _of_width(error),
                frozenset((name,)),
                frozenset(qubits) if qubits else None,
                before=name == MEASURE,
                but=frozenset() if qubits else frozenset(local[name]),
            )
            for name in names
        ]
    # One for all qubits counts where none is for the one; the last that counts is the last in the list.
    return Rules(tuple(rules), tuple(sorted(readouts, key=lambda readout: readout.qubits is not None)))


def _of_width(error: Error) -> Callable[[str, int, float], Error | None]:
    return lambda _name, width, _seconds: error if width == error.qubits else None


class _Count:
    """What is counted over all errors of a request."""

    def __init__(self) -> None:
        self.terms = 0
        self.steps = 0

    def add(self, terms: int, steps: int, where: str) -> None:
        """Count terms and steps; raises ValueError where they are too many."""
        self.terms += terms
        self.steps += steps
        if self.terms > MAX_TERMS or self.steps > MAX_STEPS:
            raise ValueError(f"{where} exceeds the limit of {MAX_TERMS:,} terms and {MAX_STEPS:,} instructions.")


def _gate_qubits(given: object, where: str) -> list[tuple[int, ...]]:
    if given is None:
        return []
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_NAMES:
        raise ValueError(f"{where}.gate_qubits must be a list of lists of qubits.")
    found = []
    for index, each in enumerate(given):
        if not isinstance(each, list) or not each:
            raise ValueError(f"{where}.gate_qubits[{index}] must be a list of qubits.")
        found.append(tuple(qubit(one, f"{where}.gate_qubits[{index}]") for one in each))
    return found


def _error(given: Mapping[str, Any], where: str, room: Room, count: _Count) -> Error:
    """Return an error: probabilities, and for each of them a list of instructions."""
    chances, circuits = given.get("probabilities"), given.get("instructions")
    if not isinstance(chances, list) or not isinstance(circuits, list) or not len(chances) == len(circuits) > 0:
        raise ValueError(f"{where} must have as many probabilities as lists of instructions, at least one.")
    if len(chances) > MAX_TERMS_EACH:
        raise ValueError(f"{where}.probabilities has {len(chances):,} members; the limit is {MAX_TERMS_EACH:,}.")
    count.add(len(chances), 0, where)
    numbers = [probability(chance, f"{where}.probabilities[{index}]") for index, chance in enumerate(chances)]
    if abs(math.fsum(numbers) - 1) > TOLERANCE:
        raise ValueError(f"{where}.probabilities add up to {math.fsum(numbers):.9g}, not to 1.")
    terms = []
    known: dict[str, Step] = {}  # what repeats in a model is mostly the same Kraus operators
    widest = 0
    for at, circuit in enumerate(circuits):
        path = f"{where}.instructions[{at}]"
        if not isinstance(circuit, list):
            raise ValueError(f"{path} must be a list.")  # noqa: TRY004 - one error for every bad option
        count.add(0, len(circuit), path)
        steps = []
        for place, instruction in enumerate(circuit):
            step = _step(instruction, f"{path}[{place}]", room, known)
            widest = max(widest, *step.places)
            steps.append(step)
        terms.append((numbers[at], steps))
    return Error(widest + 1, terms)


def _step(  # noqa: C901, PLR0912 - one for each kind
    given: object, where: str, room: Room, known: dict[str, Step]
) -> Step:
    """Return one instruction of an error."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} must be an object.")  # noqa: TRY004 - one error for every bad option
    refuse_others(given, ("name", "qubits", "params"), where)
    name, qubits, params = given.get("name"), given.get("qubits"), given.get("params", [])
    if not isinstance(qubits, list) or not 1 <= len(qubits) <= WIDEST or len(set(map(str, qubits))) < len(qubits):
        raise ValueError(f"{where}.qubits must be 1 to {WIDEST} places.")
    places = tuple(qubit(each, f"{where}.qubits") for each in qubits)
    if max(places) >= WIDEST:
        raise ValueError(f"{where}.qubits must be places of a gate, from 0 to {WIDEST - 1}.")
    if name in ("id", "x", "y", "z") and len(places) == 1:
        return Step("pauli", places, "I" if name == "id" else name.upper())
    if name == "reset" and len(places) == 1:
        return Step("reset", places, 0)
    if not isinstance(params, list) or not params:
        raise ValueError(f"{where}.name must be id, x, y, z, reset, or pauli, kraus, unitary with params.")
    if name == "pauli":
        word = params[0]
        if not isinstance(word, str) or len(word) != len(places) or set(word) - set("IXYZ"):
            raise ValueError(f"{where}.params must have a Pauli string of {len(places)} letters.")
        return Step("pauli", places, word[::-1])
    if name not in ("kraus", "unitary"):
        raise ValueError(f"{where}.name must be id, x, y, z, reset, pauli, kraus or unitary.")
    key = f"{name}{places}{params}"
    if key not in known:
        path = f"{where}.params"
        if name == "unitary":
            data: Any = unitary(params[0], f"{path}[0]", room)
            size = len(data)
        else:
            data = tuple(operators(params, path, room))
            size = len(data[0])
        if size != 2 ** len(places):
            raise ValueError(f"{path} must have matrices of {2 ** len(places)} rows for {len(places)} qubits.")
        known[key] = Step(name, places, data)
    return known[key]


def _readout(given: Mapping[str, Any], where: str) -> list[Readout]:
    """Return the readout error of each of its qubits."""
    refuse_others(given, _READOUT, where)
    rows = given.get("probabilities")
    if not isinstance(rows, list) or not 2 <= len(rows) <= 2**WIDEST:  # noqa: PLR2004 - the outcomes of one qubit
        raise ValueError(f"{where}.probabilities must be a square matrix.")
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(rows):
            raise ValueError(f"{where}.probabilities[{index}] must have {len(rows)} probabilities.")
        for each in row:
            probability(each, f"{where}.probabilities[{index}]")
        if abs(math.fsum(row) - 1) > TOLERANCE:
            raise ValueError(f"{where}.probabilities[{index}] add up to {math.fsum(row):.9g}, not to 1.")
    qubits = _gate_qubits(given.get("gate_qubits"), where)
    if len(rows) != 2:  # noqa: PLR2004 - the outcomes of one qubit
        raise ValueError(f"{where} is for several qubits at once; measurements here are of one qubit each.")
    if any(len(each) != 1 for each in qubits):
        raise ValueError(f"{where}.gate_qubits must have one qubit each, as its error has.")
    flips = (min(1.0, float(rows[0][1])), min(1.0, float(rows[1][0])))
    if not qubits:
        return [Readout(where, flips)]
    return [Readout(where, flips, frozenset(each[0] for each in qubits))]
