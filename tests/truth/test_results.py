"""Exact results against the oracle: generated dynamic programs, by every method that admission may choose."""

from __future__ import annotations

import random
import re
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

import simulator
from admission import Budget
from oracle.interpreter import explore
from oracle.mixed import Noise
from tasks.errors import ErrorCode, TaskError
from tasks.options import Options
from truth.comparison import strays
from truth.programs import Case, cases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EXAMPLES = 540  # a quarter of which are decided, and not judged
BUDGET = Budget(2**30, 600.0, 2**30, 600.0)
CLOSE = {"double": 1e-9, "single": 1e-4}
PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def computed(text: str, results: Sequence[Any], **options: Any) -> list[dict[str, Any]]:
    """Return the entries of `results`."""
    found = simulator.simulate(text, Options.from_dict({"seed": 5, "results": list(results), **options}), BUDGET)
    entries: list[dict[str, Any]] = found["results"]
    return entries


def array(entry: Mapping[str, Any]) -> Any:
    """Return the complex numbers of an entry."""
    return np.array(entry["real"]) + 1j * np.array(entry["imag"])


def reduced(density: Any, qubits: Sequence[int]) -> Any:
    """Return the density matrix of some qubits, the first the lowest bit: element by element, as it is defined."""
    width = len(density).bit_length() - 1
    others = [qubit for qubit in range(width) if qubit not in qubits]
    found = np.zeros((1 << len(qubits), 1 << len(qubits)), complex)
    for row, column in product(range(len(found)), repeat=2):
        for rest in range(1 << len(others)):
            beside = sum(((rest >> at) & 1) << qubit for at, qubit in enumerate(others))
            places = [
                beside + sum(((index >> at) & 1) << qubit for at, qubit in enumerate(qubits)) for index in (row, column)
            ]
            found[row, column] += density[places[0], places[1]]
    return found


def operator(terms: Sequence[tuple[str, float]]) -> Any:
    """Return the matrix of a Pauli sum, the rightmost letter the lowest bit."""
    total: Any = 0
    for pauli, factor in terms:
        matrix = np.eye(1)
        for letter in pauli:
            matrix = np.kron(matrix, PAULIS[letter])
        total = total + factor * matrix
    return total


def at_measurements(noise: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return the rules that are for measurements."""
    return [rule for rule in (noise or {}).get("rules", []) if "measure" in (rule.get("gates") or ())]


def has_state(case: Case, errors: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether `before` leaves the state that results are of, with errors behind measurements.

    It lacks errors before final measurements, and of two final ones of a qubit the error behind the first.
    """
    if not all(rule.get("when") == "after" for rule in errors):
        return False
    measured = [f" = measure q[{qubit}]" for qubit in range(4)]
    return all(case.text.count(each) <= case.before.count(each) + 1 for each in measured)


def wrong(case: Case, chance: random.Random) -> list[str]:
    """Return what is wrong with the exact results of a program, by the state that the oracle has of it."""
    noise, inputs = case.options.get("noise"), case.options.get("inputs")
    errors = at_measurements(noise)
    if any(rule.get("when") == "after" for rule in errors):
        if not has_state(case, errors):
            return []
        errors = []  # those behind final measurements are not in the state, those behind others are in both programs
    binding = inputs[2] if inputs else None
    options = {name: case.options[name] for name in ("method", "precision", "noise") if name in case.options}
    close = CLOSE[options.get("precision", "double")]
    # An error before a final measurement is in the state. What the measurement itself does leaves probabilities alone.
    right = explore(
        case.text if errors else case.before,
        binding,
        tolerance=1e-11,
        noise=Noise.from_dict(noise) if noise else Noise(),
        states=True,
    ).density
    width = len(right).bit_length() - 1
    some = chance.sample(range(width), chance.randint(1, width))
    terms = [
        ("".join(chance.choice("IZ" if errors else "IXYZ") for _ in range(width)), chance.uniform(-2, 2))
        for _ in range(chance.randint(1, 4))
    ]
    requests = [
        "probabilities",
        {"type": "probabilities", "qubits": some},
        {"type": "density_matrix", "qubits": some},
        "density_matrix",
        {"type": "expectation", "observable": terms, "variance": True},
    ]
    if options.get("method") == "stabilizer" or errors:
        requests = [requests[0], requests[1], requests[4]]
    try:
        entries = computed(case.text, requests, **options, **({"inputs": binding} if binding else {}))
    except TaskError as error:
        return [] if error.code is ErrorCode.UNSUPPORTED_FEATURE else [f"{error.code}: {error.message}"]
    matrix = operator(terms)
    mean = np.trace(right @ matrix).real
    expected = {
        "probabilities": [np.diag(right).real, np.diag(reduced(right, some)).real],
        "density_matrix": [reduced(right, some), right],
        "expectation": [(mean, np.trace(right @ matrix @ matrix).real - mean**2)],
    }
    faults = []
    for request, entry in zip(requests, entries, strict=True):
        if entry["type"] == "probabilities":
            found = np.array(entry["values"])
        elif entry["type"] == "density_matrix":
            found = array(entry)
        else:
            found = np.array([entry["value"], entry["variance"]])
        if not np.abs(found - expected[entry["type"]].pop(0)).max() < close * (
            50 if entry["type"] == "expectation" else 1
        ):
            faults.append(f"{request}: {found}")
    return faults


def stray(case: Case, chance: random.Random) -> list[str]:
    """Return what is wrong with the samples of an observable: how often each sign comes, within sampling bounds."""
    noise, inputs, shots = case.options.get("noise"), case.options.get("inputs"), 2_000
    if at_measurements(noise):
        return []  # what comes before a final measurement is in the state, which `before` has not
    binding = inputs[2] if inputs else None
    width = int(re.findall(r"qubit\[(\d)\] q;", case.before)[0])
    pauli = "".join(chance.choice("IXYZ") for _ in range(width - 1)) + chance.choice("XYZ")
    basis = [(qubit, letter) for qubit, letter in enumerate(reversed(pauli)) if letter != "I"]
    turns = {"X": "h q[{0}];", "Y": "sdg q[{0}]; h q[{0}];", "Z": ""}
    measured = " ".join(turns[letter].format(qubit) for qubit, letter in basis)
    measured += f" bit[{len(basis)}] o; " + " ".join(
        f"o[{at}] = measure q[{qubit}];" for at, (qubit, _) in enumerate(basis)
    )
    exact = explore(
        f"{case.before} {measured}", binding, tolerance=1e-11, noise=Noise.from_dict(noise) if noise else None
    ).probabilities
    signs = {"0": 0.0, "1": 0.0}
    for key, probability in exact.items():
        signs[str(key.split(" ")[0].count("1") % 2)] += probability
    options = {name: case.options[name] for name in ("method", "precision", "noise") if name in case.options}
    request = {"type": "samples", "observable": {pauli: -1.5, "I" * width: 0.5}}
    try:
        (entry,) = computed(case.text, [request], shots=shots, **options, **({"inputs": binding} if binding else {}))
    except TaskError as error:
        return [] if error.code is ErrorCode.UNSUPPORTED_FEATURE else [f"{error.code}: {error.message}"]
    if set(entry["values"]) - {-1.0, 2.0}:
        return [f"values {set(entry['values'])}"]
    counts = {"0": entry["values"].count(-1.0), "1": entry["values"].count(2.0)}
    return [f"{pauli}: {fault}" for fault in strays(counts, signs)] + (
        [] if sum(counts.values()) == shots else ["shots"]
    )


def unlike(case: Case, chance: random.Random) -> list[str]:
    """Return what is wrong with the statevector and amplitudes of a program: its phase counts, and only one has any."""
    inputs = case.options.get("inputs")
    binding = inputs[2] if inputs else None
    method, precision = case.options["method"], case.options.get("precision", "double")
    state = explore(case.before, binding, tolerance=1e-11, states=True).state
    width = int(re.findall(r"qubit\[(\d)\] q;", case.before)[0])
    some = ["".join(chance.choice("01") for _ in range(width)) for _ in range(3)]
    requests = ["statevector", {"type": "amplitudes", "states": some}, "probabilities"]
    options = {"method": method, "precision": precision, **({"inputs": binding} if binding else {})}
    try:
        entries = computed(case.text, requests, **options)
    except TaskError as error:
        allowed = state is None or method not in ("automatic", "statevector")
        return [] if allowed and error.code is ErrorCode.UNSUPPORTED_FEATURE else [f"{error.code}: {error.message}"]
    if state is None:
        return ["a mixture has a statevector"]
    found = array(entries[0])
    wrong_by = [np.abs(found - state).max(), np.abs(array(entries[1]) - state[[int(bits, 2) for bits in some]]).max()]
    wrong_by.append(np.abs(np.array(entries[2]["values"]) - np.abs(state) ** 2).max())
    return [f"{by}: {found}, {state} is right" for by in wrong_by if not by < CLOSE[precision]]


def judged(examples: int, judge_one: Callable[[Case, random.Random], list[str]]) -> list[tuple[Case, list[str]]]:
    """Return generated programs and what is wrong with each."""
    seen: list[tuple[Case, list[str]]] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def judge(case: Case) -> None:
        seen.append((case, [] if case.decided else judge_one(case, random.Random(len(seen)))))

    judge()
    return seen


def test_exact_results_are_right() -> None:
    """Each is the oracle's within rounding: of all qubits and of some, mixtures and noise, whatever engine has it."""
    seen = judged(EXAMPLES, wrong)
    assert len(seen) == EXAMPLES
    assert [(case, found) for case, found in seen if found] == []


def test_samples_of_observables_are_right() -> None:
    """Each sign comes as often as the oracle says of the program that measures in the observable's basis."""
    seen = judged(EXAMPLES // 4, stray)
    assert [(case, found) for case, found in seen if found] == []


def test_statevectors_are_right_to_the_phase() -> None:
    """Each amplitude is the oracle's, the global phase of OpenQASM's gates included; a mixture is refused."""
    seen = judged(EXAMPLES // 2, unlike)
    assert [(case, found) for case, found in seen if found] == []
