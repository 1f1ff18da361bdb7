"""Exact results of programs that are too wide for the oracle: each engine against Qiskit's own states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.quantum_info import DensityMatrix, Operator, Pauli, SparsePauliOp, Statevector, partial_trace

import reader
import simulator
from admission import Budget
from oracle.interpreter import explore
from oracle.mixed import Noise
from pauli_sums import square
from tasks.errors import TaskError
from tasks.options import Options
from truth.programs import CORRELATED, FLIPS

BUDGET = Budget(2**30, 60.0, 2**30, 60.0)
HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
GHZ = HEAD + "qubit[{n}] q; h q[0]; for int i in [1:{last}] {{ cx q[i - 1], q[i]; }}"


def outcome(text: str, *results: Any, **options: Any) -> dict[str, Any]:
    """Return the outcome of a task."""
    return simulator.simulate(text, Options.from_dict({"seed": 7, "results": list(results), **options}), BUDGET)


def bricks(qubits: int, depth: int) -> str:
    """Return layers of rotations and of cx in bricks."""
    lines = []
    for layer in range(depth):
        lines += [f"ry({0.3 + i + layer}) q[{i}]; t q[{i}];" for i in range(qubits)]
        lines += [f"cx q[{i}], q[{i + 1}];" for i in range(layer % 2, qubits - 1, 2)]
    return f"{HEAD}qubit[{qubits}] q;\n" + "\n".join(lines)


def complex_of(entry: dict[str, Any]) -> Any:
    """Return an entry's numbers."""
    return np.array(entry["real"]) + 1j * np.array(entry["imag"])


@pytest.mark.parametrize("middle", ["", "measure q[1]; ry(0.3) q[1]; "])
@pytest.mark.parametrize(
    "options", [{}, {"method": "density_matrix"}, {"noise": {"readout": {"prob_meas1_prep0": 0.1}}}]
)
def test_what_is_added_or_cancels_takes_no_digits(middle: str, options: dict[str, Any]) -> None:
    """An identity of any size, and strings given twice, leave value and variance as they are, to 1e-12."""
    text = f"{HEAD}qubit[2] q; bit b; ry(0.7) q[0]; cx q[0], q[1]; {middle}"
    plain = [["ZX", 0.5], ["IZ", 2.0]]
    longer = [["II", 1e12], ["ZX", 3e9], *plain, ["ZX", -3e9], ["YY", 1e20], ["YY", -1e20]]
    requests = [
        {"type": "expectation", "observable": each, "variance": True} for each in (plain, longer, [["II", 4.0]])
    ]
    short, long, constant = outcome(text, *requests, **options)["results"]
    assert short["variance"] > 0.1
    assert long["variance"] == pytest.approx(short["variance"], rel=1e-12)
    assert long["value"] == 1e12 + short["value"]
    assert (constant["value"], constant["variance"]) == (4.0, 0.0)


@pytest.mark.parametrize("method", ["automatic", "statevector", "matrix_product_state"])
def test_results_of_fourteen_qubits_are_qiskits(method: str) -> None:
    """Of few qubits from their light cones, of all from Aer; each method has them."""
    text = bricks(14, 3)
    state = Statevector(reader.read(text, counted=False))
    pauli = "I" * 5 + "XYZ" + "I" * 6
    found = outcome(
        f"{text} bit c; c = measure q[3];",
        {"type": "probabilities", "qubits": [9, 3]},
        {"type": "density_matrix", "qubits": [0, 12]},
        {"type": "expectation", "observable": [[pauli, 2.0], ["Z" * 14, 1.0]], "variance": True},
        "statevector",
        {"type": "amplitudes", "states": ["01" * 7, "1" * 14]},
        {"type": "statevector", "qubits": [9, 0, 3]},
        method=method,
    )
    probabilities, density, expectation, vector, amplitudes, part = found["results"]
    assert probabilities["values"] == pytest.approx(state.probabilities([9, 3]), abs=1e-9)
    kept = partial_trace(state, [qubit for qubit in range(14) if qubit not in (0, 12)])
    assert np.abs(complex_of(density) - kept.data).max() < 1e-9
    operator = SparsePauliOp.from_list([(pauli, 2.0), ("Z" * 14, 1.0)])
    mean = state.expectation_value(operator).real
    assert expectation["value"] == pytest.approx(mean, abs=1e-9)
    assert expectation["variance"] == pytest.approx(
        state.expectation_value(operator @ operator).real - mean**2, abs=1e-9
    )
    assert np.abs(complex_of(vector) - state.data).max() < 1e-9
    assert np.abs(complex_of(amplitudes) - state.data[[int("01" * 7, 2), 2**14 - 1]]).max() < 1e-9
    indexes = [(n & 1) << 9 | (n >> 1 & 1) | (n >> 2 & 1) << 3 for n in range(8)]
    assert part["qubits"] == [9, 0, 3]
    assert np.abs(complex_of(part) - state.data[indexes]).max() < 1e-9


def test_few_qubits_of_many_come_from_their_light_cones() -> None:
    """No state of sixty qubits is ever made; a diagonal gate at the end is none to a measurement."""
    text = bricks(60, 3)
    (found,) = outcome(text, {"type": "probabilities", "qubits": [30]})["results"]
    cone = bricks(12, 3).replace("ry(", "ry(24 + ")  # qubit 30 is the middle of the same circuit, 24 angles on
    state = Statevector(reader.read(cone, counted=False))
    assert found["values"] == pytest.approx(state.probabilities([6]), abs=1e-9)
    execution = outcome(text, {"type": "density_matrix", "qubits": [30]})["execution"]
    before, after = execution["reduced"]["qubits"]
    assert (before, after <= 8) == (60, True)


def test_a_wide_stabilizer_state_has_its_observables_amplitudes_and_probabilities() -> None:
    """Observables from Stim, the rest from matrix product states: of 100 qubits, entangled as a whole."""
    text = GHZ.format(n=100, last=99)
    found = outcome(
        text,
        {"type": "expectation", "observable": "X" * 100, "variance": True},
        {"type": "probabilities", "qubits": [0, 99]},
        {"type": "amplitudes", "states": ["1" * 100, "0" * 99 + "1"]},
    )
    observable, probabilities, amplitudes = found["results"]
    assert (observable["value"], observable["variance"]) == (1.0, 0.0)
    assert probabilities["values"] == pytest.approx([0.5, 0, 0, 0.5], abs=1e-9)
    assert complex_of(amplitudes) == pytest.approx(np.array([0.5**0.5, 0]), abs=1e-9)
    assert (found["execution"]["engine"], found["execution"]["method"]) == (
        "stim, qiskit-aer",
        "stabilizer, matrix_product_state",
    )


def test_qubits_that_nothing_uses_cost_nothing() -> None:
    """Two of forty are used: an amplitude is 0 where another one is 1."""
    text = f"{HEAD}qubit[40] q; h q[39]; for int i in [1:20] {{ cx q[39], q[1]; ry(0.1) q[1]; }}"
    some = ["0" * 40, "1" + "0" * 39, "01" + "0" * 38]
    for method in ("automatic", "statevector"):
        amplitudes, rest = outcome(
            text, {"type": "amplitudes", "states": some}, {"type": "density_matrix", "qubits": [38]}, method=method
        )["results"]
        assert np.abs(complex_of(amplitudes)[:2]).min() > 0.1
        assert complex_of(amplitudes)[2] == 0
        assert np.abs(complex_of(rest) - [[1, 0], [0, 0]]).max() < 1e-9


def test_noise_on_gates_leaves_the_mixture() -> None:
    """Depolarizing after each gate, as Qiskit's own density matrix has it; readout errors are not in it."""
    noise = {"depolarizing": {"one_qubit": 0.1, "two_qubit": 0.2}, "readout": {"prob_meas1_prep0": 0.3}}
    text = f"{HEAD}qubit[3] q; bit[3] c; h q[0]; cx q[0], q[1]; c = measure q;"
    probabilities, density = outcome(text, "probabilities", {"type": "density_matrix", "qubits": [0]}, noise=noise)[
        "results"
    ]
    plus = np.array([[0.5, 0.45], [0.45, 0.5]])  # h, then 1 - 0.1 of it
    mixed = DensityMatrix(np.kron(np.diag([1.0, 0.0]), plus)).data
    flip = np.eye(4)[[0, 3, 2, 1]]
    after = 0.8 * flip @ mixed @ flip + 0.2 * np.eye(4) / 4
    assert probabilities["values"] == pytest.approx([*np.diag(after).real, 0, 0, 0, 0], abs=1e-12)
    assert np.abs(complex_of(density) - [[0.5, 0.0], [0.0, 0.5]]).max() < 1e-12


def test_noise_and_measurements_on_the_way_are_mixed_exactly() -> None:
    """A misread bit and a noisy gate that it guards, worked out by hand; of eleven qubits it is refused."""
    noise = {"depolarizing": {"one_qubit": 0.2}, "readout": {"prob_meas1_prep0": 0.25}}
    text = f"{HEAD}qubit[2] q; bit c; h q[0]; c = measure q[0]; if (c) {{ x q[1]; }}"
    (found,) = outcome(text, {"type": "probabilities", "qubits": [1]}, noise=noise)["results"]
    read = 0.5 + 0.5 * 0.25  # c is 1
    assert found["values"][1] == pytest.approx(read * (0.8 + 0.1), abs=1e-12)
    wide = f"{HEAD}qubit[11] q; bit c; h q; c = measure q[0]; if (c) {{ cx q[1], q[2]; }} "
    wide += "for int i in [1:9] { cx q[i], q[i + 1]; }"
    with pytest.raises(
        TaskError,
        match="of 11 qubits; the limit is 10 qubits where a program has mid-circuit measurements or resets under noise",
    ):
        outcome(f"{wide} h q[0];", "probabilities", noise=noise)


HALF = (
    "ry(0.8) {q}[0]; cx {q}[0], {q}[1]; c[{at}] = measure {q}[0]; "
    "if (c[{at}]) {{ ry(1.1) {q}[1]; cz {q}[1], {q}[2]; ecr {q}[2], {q}[0]; }} else {{ reset {q}[2]; }} "
    "reset {q}[0]; h {q}[2]; cx {q}[2], {q}[0]; while (c[{at}]) {{ rx(1.4) {q}[1]; c[{at}] = measure {q}[1]; }} "
    "swap {q}[2], {q}[1]; cp(0.7) {q}[0], {q}[1]; cy {q}[0], {q}[2]; sx {q}[0];"
)


def test_wide_mixtures_under_noise_are_the_product_of_their_parts() -> None:
    """Two programs of three qubits side by side, and one more: each half is the oracle's, values multiply."""
    noise = {
        "rules": [
            {"channel": "amplitude_damping", "gamma": 0.1},
            {"channel": "depolarizing", "probability": 0.05, "gates": ["two_qubit"]},
            {"channel": "kraus", "operators": CORRELATED, "gates": ["cx"]},
            {"channel": "thermal_relaxation", "t1": 1, "t2": 1.7, "time": 0.3, "gates": ["reset"]},
            {"channel": "readout", **FLIPS},
        ]
    }
    right = explore(
        f"{HEAD}qubit[3] q; bit[1] c; {HALF.format(q='q', at=0)}",
        tolerance=1e-12,
        noise=Noise.from_dict(noise),
        states=True,
    ).density
    both = f"{HALF.format(q='q', at=0)} {HALF.format(q='r', at=1)} if (c[0] != c[1]) {{ h e; }} x e;"
    found = outcome(
        f"{HEAD}qubit[3] q; qubit e; qubit[3] r; bit[2] c; {both}",
        {"type": "density_matrix", "qubits": [0, 1, 2]},
        {"type": "density_matrix", "qubits": [4, 5, 6]},
        {"type": "expectation", "observable": "XYZIXYZ"},
        {"type": "probabilities", "qubits": [6, 0]},
        "probabilities",
        noise=noise,
    )
    first, second, value, some, every = found["results"]
    assert found["execution"]["engine"] == "densities"
    assert np.abs(complex_of(first) - right).max() < 1e-9
    assert np.abs(complex_of(second) - right).max() < 1e-9
    of_half = np.trace(right @ Operator(Pauli("XYZ")).data).real
    assert value["value"] == pytest.approx(of_half**2, abs=1e-9)
    assert sum(every["values"]) == pytest.approx(1.0)
    ones = [np.diag(right).real.reshape(2, 2, 2).sum(axis=axes)[1] for axes in ((1, 2), (0, 1))]
    assert some["values"][3] == pytest.approx(ones[0] * ones[1], abs=1e-9)


def test_wide_gates_act_on_density_matrices_as_on_states() -> None:
    """Controls, powers and matrices: an error that does nothing leaves what there is without noise."""
    text = (
        f"{HEAD}qubit[5] q; bit c; h q; t q; c = measure q[0]; if (c) {{ ctrl(3) @ ry(0.3) q[4], q[1], q[2], q[0]; }} "
        "ccx q[3], q[0], q[1]; cswap q[2], q[4], q[0]; ctrl(4) @ x q[1], q[0], q[2], q[4], q[3]; "
        "ctrl(2) @ p(0.4) q[0], q[4], q[2]; pow(0.5) @ swap q[0], q[3]; crz(0.3) q[3], q[1]; rzx(0.4) q[4], q[2]; "
        "U(0.1, 0.2, 0.3) q[1]; x q[0];"
    )
    nothing = {"rules": [{"channel": "pauli", "probabilities": {"I": 1.0}, "gates": ["x"]}]}
    ways: list[dict[str, Any]] = [{}, {"noise": nothing}, {"method": "density_matrix"}]
    plain, *others = (outcome(text, "density_matrix", **way) for way in ways)
    for found in others:
        assert (plain["execution"]["engine"], found["execution"]["engine"]) == ("ensemble", "densities")
        assert np.abs(complex_of(found["results"][0]) - complex_of(plain["results"][0])).max() < 1e-9


def test_density_matrices_have_no_amplitudes() -> None:
    """By that method even where there is one state."""
    text = f"{HEAD}qubit[2] q; x q[0]; reset q[0]; h q[1];"
    for request in ("statevector", {"type": "amplitudes", "states": ["00"]}):
        with pytest.raises(TaskError, match="The density_matrix method has no"):
            outcome(text, request, method="density_matrix")


def test_bits_that_nobody_reads_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty measured bits, of which one is read at a time, are two density matrices; all at once are refused."""
    monkeypatch.setattr("densities.LARGEST", 2**10)
    noise = {"depolarizing": {"one_qubit": 0.2}}
    text = f"{HEAD}qubit[3] q; bit[30] c; for int i in [0:29] {{ h q[0]; c[i] = measure q[0]; "
    text += "if (c[i]) { x q[0]; cx q[0], q[2]; } }"
    (found,) = outcome(text, {"type": "probabilities", "qubits": [0]}, noise=noise)["results"]
    assert found["values"][1] == pytest.approx(0.5 * 0.1, abs=1e-9)  # x after a 1, which errs as every gate does
    late = f"{text} for int i in [0:29] {{ if (c[i]) {{ z q[2]; h q[2]; }} }}"
    with pytest.raises(TaskError, match="one for each value of the measured bits that it still reads"):
        outcome(late, {"type": "density_matrix", "qubits": [0, 2]}, noise=noise)


def test_a_loop_until_success_has_its_limit() -> None:
    """Repeated until a measurement gives 1: the state is that of success, whatever the number of rounds."""
    text = f"{HEAD}qubit[2] q; bit c; while (!c) {{ reset q; ry(1.0) q[0]; cx q[0], q[1]; c = measure q[1]; }} h q[0];"
    probabilities, values = outcome(text, "probabilities", {"type": "expectation", "observable": "IX"})["results"]
    assert probabilities["values"] == pytest.approx([0, 0, 0.5, 0.5], abs=1e-9)
    assert values["value"] == pytest.approx(-1.0, abs=1e-9)


def test_more_ways_than_can_be_gone_are_refused() -> None:
    """With the number of states that there may be, and what to ask for instead; ways that few qubits see are few."""
    text = f"{HEAD}qubit[24] q; bit[24] c; qubit r; for int i in [0:23] {{ h q[i]; c[i] = measure q[i]; "
    text += "if (c[i]) { x q[i]; x r; } }"
    with pytest.raises(TaskError, match="more than 65,536 states") as caught:
        outcome(text, {"type": "probabilities", "qubits": [24]})
    assert caught.value.limit == 2**16
    (seen,) = outcome(text, {"type": "density_matrix", "qubits": [3]})["results"]
    assert np.abs(complex_of(seen) - [[1, 0], [0, 0]]).max() < 1e-9


def test_the_square_of_a_pauli_sum_is_its_square() -> None:
    """As Qiskit multiplies it out, whatever terms commute."""
    chance = np.random.default_rng(3)
    for _ in range(20):
        strings = {"".join(chance.choice(list("IXYZ"), 4)) for _ in range(6)}
        terms = tuple((pauli, float(chance.normal())) for pauli in sorted(strings))
        right = SparsePauliOp.from_list(list(terms))
        assert SparsePauliOp.from_list(list(square(terms))).equiv(right @ right)
