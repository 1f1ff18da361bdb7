"""Noise models by every method: against the oracle's exact mixture, and against plain Aer with its own models."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3, transpile
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error, pauli_error, thermal_relaxation_error

import aer
import simulator
from admission import Budget
from integration.runner.random_programs import HEAD, alike
from reader.compiler.gate_tables import _WIDE_PARTS, wide_parts_of
from reader.noisy import BASIS
from reader.operations import Gate
from tasks.errors import TaskError
from tasks.options import Options
from truth.comparison import faults
from truth.programs import CORRELATED, FLIPS, MIXING, TURNED

if TYPE_CHECKING:
    from collections.abc import Mapping

BUDGET = Budget(2**30, 600.0, 2**30, 600.0)
SHOTS = 2_000
METHODS = ("automatic", "statevector", "density_matrix", "matrix_product_state")
HALF = 0.5**0.5

CHANNELS: dict[str, dict[str, Any]] = {
    "depolarizing": {"channel": "depolarizing", "probability": 0.2},
    "bit flip": {"channel": "bit_flip", "probability": 0.2},
    "phase flip": {"channel": "phase_flip", "probability": 0.3},
    "pauli": {"channel": "pauli", "probabilities": {"X": 0.1, "Y": 0.2, "Z": 0.05}},
    "pauli on two": {"channel": "pauli", "probabilities": {"XI": 0.2, "ZY": 0.1, "II": 0.7}},
    "amplitude damping": {"channel": "amplitude_damping", "gamma": 0.3},
    "phase damping": {"channel": "phase_damping", "gamma": 0.4},
    "generalized": {"channel": "generalized_amplitude_damping", "gamma": 0.4, "excited_state_population": 0.3},
    "relaxation, T2 below T1": {"channel": "thermal_relaxation", "t1": 1, "t2": 0.7, "time": {"cx": 0.4, "x": 0.3}},
    "relaxation, T2 above T1": {
        "channel": "thermal_relaxation", "t1": 1, "t2": 1.7, "time": 0.3, "excited_state_population": 0.2,
    },
    "kraus": {"channel": "kraus", "operators": [[[HALF, 0], [0, HALF]], [[0, HALF], [HALF, 0]]]},
    "kraus on two": {"channel": "kraus", "operators": CORRELATED},
    "coherent": {"channel": "coherent", "unitary": MIXING},
    "coherent on two": {"channel": "coherent", "unitary": TURNED},
    "reset": {"channel": "reset", "probability": 0.3, "state": 1},
    "readout": {"channel": "readout", **FLIPS, "qubits": [1]},
    "before": {"channel": "amplitude_damping", "gamma": 0.5, "when": "before", "gates": ["h", "cx"]},
    "of a qubit": {"channel": "bit_flip", "probability": 0.3, "qubits": [1]},
    "of a pair": {"channel": "depolarizing", "probability": 0.5, "qubits": [[1, 0]]},
    "at measurements": {"channel": "bit_flip", "probability": 0.2, "gates": ["measure"]},
    "after measurements": {"channel": "bit_flip", "probability": 0.2, "gates": ["measure"], "when": "after"},
    "at resets": {"channel": "reset", "probability": 0.3, "state": 1, "gates": ["reset"]},
}  # fmt: skip
DYNAMIC = (
    "qubit[2] q; bit[3] c; ry(0.8) q[0]; cx q[0], q[1]; c[0] = measure q[0]; "
    "if (c[0]) { x q[1]; h q[0]; } else { cx q[1], q[0]; } reset q[0]; x q[0]; h q[0]; cx q[1], q[0]; h q[0]; "
    "c[1] = measure q[0]; c[2] = measure q[1];"
)
LOOPED = (
    "qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; uint[2] n = 0; "
    "while (c[0] && n < 2) { n += 1; x q[1]; cx q[1], q[0]; c[0] = measure q[0]; } c[1] = measure q[1];"
)


def simulate(text: str, noise: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the outcome of a program under noise."""
    options = {"shots": SHOTS, "seed": 11, "noise": noise, **more}
    return simulator.simulate(f"{HEAD}{text}", Options.from_dict(options), BUDGET)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_is_right_by_every_method(name: str, method: str) -> None:
    """In a program of tests, resets and measurements; one of a million choices of seeds would fail."""
    noise = {"rules": [CHANNELS[name]]}
    outcome = simulate(DYNAMIC, noise, method=method)
    assert faults(f"{HEAD}{DYNAMIC}", {"shots": SHOTS, "noise": noise}, outcome) == []
    assert "matched no operation" not in str(outcome["execution"].get("notes"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["bit flip", "amplitude damping", "kraus on two", "relaxation, T2 above T1", "reset"])
def test_errors_are_drawn_in_each_round_of_a_loop(name: str, method: str) -> None:
    """A loop whose end is measured."""
    noise = {"rules": [CHANNELS[name]]}
    outcome = simulate(LOOPED, noise, method=method)
    assert faults(f"{HEAD}{LOOPED}", {"shots": SHOTS, "noise": noise}, outcome) == []


@pytest.mark.parametrize("name", [name for name, rule in CHANNELS.items() if rule["channel"] in {"bit_flip", "pauli"}])
def test_paulis_on_clifford_circuits_are_stims(name: str) -> None:
    """By the stabilizer method and by none, with feedback."""
    text = (
        "qubit[2] q; bit[3] c; h q[0]; cx q[0], q[1]; c[0] = measure q[0]; h q[0]; cx q[1], q[0]; "
        "c[1] = measure q[0]; c[2] = measure q[1];"
    )
    noise = {"rules": [CHANNELS[name], {"channel": "readout", **FLIPS, "qubits": [0]}]}
    for method in ("automatic", "stabilizer"):
        outcome = simulate(text, noise, method=method)
        assert outcome["execution"]["engine"] == "stim"
        assert faults(f"{HEAD}{text}", {"shots": SHOTS, "noise": noise}, outcome) == []


def test_the_stabilizer_method_refuses_what_is_no_pauli() -> None:
    """With a code and what to do."""
    with pytest.raises(TaskError) as caught:
        simulate("qubit q; bit c; h q; c = measure q;", {"rules": [CHANNELS["reset"]]}, method="stabilizer")
    assert (str(caught.value.code), caught.value.hint) == ("unsupported_feature", 'Use "method": "automatic".')


# ------------------------------------------------------------------ gates and notes


def test_a_gate_that_is_made_of_others_has_its_error_once() -> None:
    """`ch` is seven gates here: an error of two-qubit gates, or of `ch`, follows it once; one of `cx` its parts."""
    text = "qubit[2] q; bit[2] c; ch q[0], q[1]; c = measure q;"
    flip = {"channel": "pauli", "probabilities": {"XI": 1.0}}
    for gates in (["two_qubit"], ["ch"], None):
        rule = flip | ({"gates": gates} if gates else {})
        outcome = simulate(text, {"rules": [rule]})
        assert outcome["result"] == {"10": SHOTS}
        assert outcome["execution"]["notes"] == ["ch runs as 7 gates; its error is applied once, to the whole gate."]
    parts = simulate(text, {"rules": [flip | {"gates": ["cx"]}]})["execution"]["notes"]
    assert parts[0] == "ch was decomposed into 7 gates (s, h, t, cx, tdg, sdg); each has its own error."
    assert simulate(text, {"depolarizing": {"one_qubit": 1.0}})["result"] == {"00": SHOTS}


@pytest.mark.parametrize(
    ("modified", "plain"),
    [
        ("ctrl @ ry(0.4) q[0], q[1];", "cry(0.4) q[0], q[1];"),
        ("ctrl @ h q[1], q[0];", "ch q[1], q[0];"),
        ("ctrl @ inv @ rx(0.4) q[0], q[1];", "crx(-0.4) q[0], q[1];"),
        ("inv @ ch q[0], q[1];", "ch q[0], q[1];"),
        ("pow(3) @ h q[1];", "h q[1];"),
        ("inv @ pswap(0.3) q[0], q[1];", "pswap(-0.3) q[0], q[1];"),
        ("own q[0], q[1];", "cry(0.7) q[0], q[1];"),
    ],
)
@pytest.mark.parametrize(
    "noise", [{"depolarizing": {"one_qubit": 0.2, "two_qubit": 0.1}}, CHANNELS["amplitude damping"]]
)
def test_a_modified_gate_has_its_error_once(modified: str, plain: str, noise: dict[str, Any]) -> None:
    """However many gates it is here: the state is that of one gate with the same meaning, to 1e-12."""
    start = "gate own a, b { ctrl @ ry(0.7) a, b; } qubit[2] q; ry(0.9) q[0]; rx(1.1) q[1];"
    rules = {"rules": [noise]} if "channel" in noise else noise
    found = [
        simulate(f"{start} {gate}", rules, results=["density_matrix"], shots=0)["results"][0]
        for gate in (modified, plain)
    ]
    for part in ("real", "imag"):
        assert found[0][part] == pytest.approx(np.array(found[1][part]), abs=1e-12)


def test_a_rule_for_a_controlled_gate_is_for_a_gate_under_ctrl() -> None:
    """`ctrl @ ry` is `cry`, with its rules and notes; `negctrl @ ry` has no name, and no rule that names one."""
    flip = {"rules": [{"channel": "bit_flip", "probability": 1.0, "gates": ["cry"]}]}
    outcome = simulate("qubit[2] q; bit[2] c; ctrl @ ry(0.4) q[0], q[1]; c = measure q;", flip)
    assert outcome["result"] == {"11": SHOTS}
    assert outcome["execution"]["notes"] == ["cry runs as 5 gates; its error is applied once, to the whole gate."]
    other = simulate("qubit[2] q; bit[2] c; x q[0]; negctrl @ ry(0.4) q[0], q[1]; c = measure q;", flip)
    assert other["result"] == {"01": SHOTS}
    assert "The noise has no rule for negctrl @ ry, x, which ran without errors." in other["execution"]["notes"]


def test_phases_count_under_controls_with_noise_too() -> None:
    """A gate of the program that has `pswap` in it, whose parts have a phase, is the same under ctrl with noise."""
    text = (
        "gate own a, b { pswap(0.8) a, b; pxz(0.3, 0.2, 0.7) a; } qubit[3] q; h q; ctrl @ own q[0], q[1], q[2]; "
        "ctrl @ own q[2], q[0], q[1]; h q;"
    )
    nothing = {"rules": [{"channel": "bit_flip", "probability": 1.0, "gates": ["id"]}]}
    with_rules = simulate(text, nothing, results=["probabilities"], shots=0)["results"][0]["values"]
    without = simulator.simulate(f"{HEAD}{text}", Options.from_dict({"results": ["probabilities"]}), BUDGET)
    assert with_rules == pytest.approx(without["results"][0]["values"], abs=1e-12)


def test_wide_gates_are_taken_apart_or_named() -> None:
    """An error of gates on one and two qubits in general takes a Toffoli gate apart; one that names it does not."""
    text = "qubit[3] q; bit[3] c; x q; ccx q[0], q[1], q[2]; c = measure q;"
    notes = simulate(text, {"depolarizing": {"two_qubit": 0.1}})["execution"]["notes"]
    assert notes == ["ccx was decomposed into 15 gates (h, cx, tdg, t); each has its own error."]
    whole = simulate(text, {"rules": [{"channel": "bit_flip", "probability": 1.0, "gates": ["ccx"]}]})
    assert whole["result"] == {"100": SHOTS}
    mixed = simulate(text, {"rules": [{"channel": "depolarizing", "probability": 1.0, "gates": ["ccx"]}]})
    assert len(mixed["result"]) == 8


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi, -1.0, 2e-9, 1e3])
@pytest.mark.parametrize(("name", "width"), sorted(_WIDE_PARTS))
def test_what_is_taken_apart_without_qiskit_is_so_as_with_it(name: str, width: int, angle: float) -> None:
    """The api, which has no Qiskit, writes the parts that the worker runs."""
    parameters = (angle,) if name == "mcphase" else ()
    gate = Gate(name, parameters, tuple(range(width)))
    assert wide_parts_of(gate) == aer.unrolled(gate, BASIS)


def test_other_names_of_a_gate_are_the_gate() -> None:
    """u3, phase and CX are u, p and cx here, in rules and in programs."""
    for rule, gate in (("u", "u3(0, 0, 0)"), ("u3", "u(0, 0, 0)"), ("phase", "p(1)"), ("u1", "rz(0)")):
        outcome = simulate(
            f"qubit q; bit c; {gate} q; c = measure q;",
            {"rules": [{"channel": "bit_flip", "probability": 1.0, "gates": [rule]}]},
        )
        assert outcome["result"] == ({"0": SHOTS} if rule == "u1" else {"1": SHOTS}), rule


def test_hardware_qubits_keep_their_numbers() -> None:
    """A rule for qubit 7 is for $7, in whatever order the program names its qubits."""
    flip = {"channel": "bit_flip", "probability": 1.0, "qubits": [7]}
    text = "bit[2] c; x $9; x $7; c[0] = measure $9; c[1] = measure $7;"
    readout = {"channel": "readout", "prob_meas0_prep1": 1.0, "qubits": [9]}
    assert simulate(text, {"rules": [flip]})["result"] == {"01": SHOTS}
    assert simulate(text, {"rules": [flip, readout]}, method="density_matrix")["result"] == {"00": SHOTS}


def test_rules_that_matched_nothing_are_named() -> None:
    """And so are gates that no rule is for."""
    rules = [{"channel": "bit_flip", "probability": 0.1, "gates": ["cz"]}, {"channel": "readout", "qubits": [1]}]
    outcome = simulate("qubit[2] q; bit c; h q[0]; c = measure q[0];", {"rules": rules})
    assert outcome["execution"]["notes"] == [
        "These rules matched no operation of the program: noise.rules[0] (bit_flip), noise.rules[1] (readout).",
        "The noise has no rule for h, which ran without errors.",
    ]


def test_errors_are_counted_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a gate that stands there many times each time: the limit is one of the whole program."""
    monkeypatch.setattr("reader.noisy.MAX_CHANNELS", 5)
    flip = {"rules": [{"channel": "bit_flip", "probability": 1.0}]}
    five = "qubit q; bit c; x q; x q; for int i in [1:3] { x q; }"
    assert simulate(f"{five} c = measure q;", flip)["result"] == {"0": SHOTS}
    with pytest.raises(TaskError, match="more than 5 errors"):
        simulate(f"{five} x q; c = measure q;", flip)


@pytest.mark.parametrize(("seconds", "t1", "t2"), [(0.5e-6, 1e-6, 1.5e-6), (2e-6, 1e-6, 0.5e-6)])
def test_delays_and_waiting_relax(seconds: float, t1: float, t2: float) -> None:
    """A delay takes its own time; a qubit that waits for another takes the difference of what both did."""
    alive = math.exp(-seconds / t1)
    expected = {"1": round(10**6 * alive), "0": 10**6 - round(10**6 * alive)}
    rule = {"channel": "thermal_relaxation", "t1": t1, "t2": t2}
    text = f"qubit q; bit c; x q; delay[{seconds * 1e9}ns] q; c = measure q;"
    for method in METHODS:
        assert alike(simulate(text, {"rules": [rule | {"gates": ["delay"]}]}, method=method)["result"], expected)
    waiting = "qubit[2] q; bit c; x q[0]; x q[1]; x q[1]; x q[1]; cz q[0], q[1]; c = measure q[0];"
    noise = {"rules": [rule | {"gates": ["idle"]}], "durations": {"x": seconds / 2}}
    assert alike(simulate(waiting, noise)["result"], expected)


def test_waiting_is_counted_through_tests() -> None:
    """A qubit that the condition waits for, and the side of a test that ends first, wait."""
    noise = {
        "rules": [{"channel": "thermal_relaxation", "t1": 1.0, "t2": 1.0, "gates": ["idle"]}],
        "durations": {"measure": 0.3, "x": 0.4, "z": 0.1},
    }
    # q[1] waits 0.3 for the measurement, and 0.4 - 0.1 for the other side, which never runs.
    text = "qubit[3] q; bit[2] c; x q[1]; c[0] = measure q[0]; if (c[0]) { x q[1]; } else { z q[1]; } x q[2];"
    outcome = simulate(f"{text} cz q[1], q[2]; c[1] = measure q[1];", noise, shots=20_000)
    ready = 0.4 - 0.3  # x takes 0.4, so that the measurement, which ends at 0.3, is waited for by nobody
    assert ready > 0
    alive = math.exp(-(0.4 - 0.1))
    assert alike(outcome["result"], {"10": round(10**6 * alive), "00": 10**6 - round(10**6 * alive)})


def test_noise_in_a_sweep_is_that_of_each_binding() -> None:
    """Binding by binding as alone, where a gate with the angle has an error or is taken apart."""
    text = "input float a; qubit[4] q; bit[4] c; h q; ctrl(3) @ p(a) q[0], q[1], q[2], q[3]; crx(a) q[0], q[1]; h q;"
    noise = {"rules": [{"channel": "amplitude_damping", "gamma": 0.05}]}
    bindings = [{"a": 0.3}, {"a": 2.0}]
    swept = simulate(f"{text} c = measure q;", noise, inputs=bindings)["result"]
    for index, binding in enumerate(bindings):
        alone = simulate(f"{text} c = measure q;", noise, inputs=binding, seed=11 + 100_000 * index)["result"]
        assert swept[index] == alone


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("text", "pauli", "value"),
    [
        ("qubit q; bit c; x q; c = measure q;", "Z", -1.0),  # nothing follows
        ("qubit[2] q; bit c; x q; c = measure q[0]; barrier q; c = measure q[1];", "IZ", -1.0),  # overwritten
        ("qubit[2] q; bit c; bit d; x q[0]; c = measure q[0]; d = c; x q[1];", "IZ", 1.0),  # its bit is used
        ("qubit[2] q; bit c; x q[0]; c = measure q[0]; if (c) { x q[1]; }", "IZ", 1.0),  # by a test
        ("qubit q; bit c; bit d; x q; c = measure q; d = measure q;", "Z", 1.0),  # behind the first of two
    ],
)
def test_errors_behind_final_measurements_are_not_in_the_state(
    text: str, pauli: str, value: float, method: str
) -> None:
    """A reset after each measurement, by observables and by results: those behind other measurements are in it."""
    noise = {"rules": [{"channel": "reset", "probability": 1.0, "gates": ["measure"], "when": "after"}]}
    (found,) = simulate(text, noise, method=method, observables=[pauli])["expectation_values"]
    assert found["value"] == pytest.approx(value)
    if method == "automatic":
        results = [{"type": "expectation", "observable": pauli}]
        assert simulate(text, noise, results=results, shots=0)["results"][0]["value"] == pytest.approx(value)


def test_exact_results_under_noise_are_those_of_the_mixture() -> None:
    """Probabilities and observables of channels that are no Paulis."""
    noise = {"rules": [{"channel": "amplitude_damping", "gamma": 0.25, "gates": ["x"]}]}
    results = [{"type": "probabilities"}, {"type": "expectation", "observable": "Z"}]
    found = simulate("qubit q; bit c; x q; c = measure q;", noise, results=results, shots=0)["results"]
    assert found[0]["values"] == pytest.approx([0.25, 0.75])
    assert found[1]["value"] == pytest.approx(-0.5)


# ------------------------------------------------------------------ Aer's own models


def as_aer(circuit: QuantumCircuit, model: NoiseModel) -> tuple[Mapping[str, int], dict[str, Any]]:
    """Return what plain Aer counts, and the model as JSON."""
    backend = AerSimulator(noise_model=model, seed_simulator=3, max_parallel_threads=1)
    counts = backend.run(circuit, shots=4 * SHOTS).result().get_counts()
    return counts, json.loads(json.dumps(model.to_dict(serializable=True)))


def sent(circuit: QuantumCircuit, noise: dict[str, Any], **more: Any) -> dict[str, int]:
    """Return the service's counts."""
    options = Options.from_dict({"shots": 4 * SHOTS, "seed": 5, "noise": noise, **more})
    result: dict[str, int] = simulator.simulate(qasm3.dumps(circuit), options, BUDGET)["result"]
    return result


@pytest.mark.parametrize("method", METHODS)
def test_aers_model_does_what_it_does_in_aer(method: str) -> None:
    """Errors for all qubits and for some, at measurements and resets, of Paulis, resets and Kraus operators."""
    model = NoiseModel()
    relaxed = thermal_relaxation_error(50, 70, 20).tensor(thermal_relaxation_error(50, 30, 20))
    model.add_quantum_error(relaxed.compose(depolarizing_error(0.1, 2)), "cx", [0, 1])
    model.add_all_qubit_quantum_error(depolarizing_error(0.3, 2), "cx", warnings=False)
    model.add_all_qubit_quantum_error(pauli_error([("X", 0.2), ("I", 0.8)]), ["x", "measure"])
    model.add_quantum_error(pauli_error([("Y", 0.5), ("I", 0.5)]), "x", [1], warnings=False)
    model.add_all_qubit_quantum_error(thermal_relaxation_error(50, 60, 30, excited_state_population=0.5), "reset")
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]))
    model.add_readout_error(ReadoutError([[0.6, 0.4], [0, 1]]), [1], warnings=False)
    circuit = QuantumCircuit(3, 3)
    circuit.reset(2)
    circuit.x([0, 1])
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 0)
    circuit.cx(0, 2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    theirs, noise = as_aer(circuit, model)
    assert alike(sent(circuit, noise, method=method), theirs)


@pytest.mark.parametrize("qubits", [5, 27])
def test_a_fake_devices_model_gives_what_plain_aer_gives(qubits: int) -> None:
    """The model that Aer makes of a backend with calibrated gates, on a circuit laid out and translated for it."""
    line = CouplingMap.from_line(qubits)
    backend = GenericBackendV2(qubits, basis_gates=["cx", "id", "rz", "sx", "x"], coupling_map=line, seed=7)
    model = NoiseModel.from_backend(backend)
    circuit = QuantumCircuit(5)
    circuit.h(0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
        circuit.ry(0.4 + qubit, qubit)
    circuit.measure_all()
    laid = transpile(
        circuit, backend, optimization_level=1, seed_transpiler=1, initial_layout=range(qubits - 5, qubits)
    )
    theirs, noise = as_aer(laid, model)
    assert alike(sent(laid, noise), theirs)
    options = Options.from_dict({"shots": 10, "noise": noise})
    notes = str(simulator.simulate(qasm3.dumps(laid), options, BUDGET)["execution"]["notes"])
    assert "The noise has no rule for rz, which ran without errors." in notes  # turns about z cost nothing there


def test_the_noise_digest_names_the_noise() -> None:
    """SHA-256 of the request's noise as sorted JSON: the same for every run of it, another for another, else none."""

    def digest(noise: Any, **options: Any) -> str | None:
        given = Options.from_dict({"shots": 10, **({"noise": noise} if noise else {}), **options})
        execution = simulator.simulate(f"{HEAD}qubit q; bit c; h q; c = measure q;", given, BUDGET)["execution"]
        found: str | None = execution.get("noise_digest")
        return found

    short = {"depolarizing": {"one_qubit": 0.1, "two_qubit": 0.2}, "readout": {"prob_meas1_prep0": 0.1}}
    turned = {"readout": {"prob_meas1_prep0": 0.1}, "depolarizing": {"two_qubit": 0.2, "one_qubit": 0.1}}
    rules = {"rules": [{"channel": "bit_flip", "probability": 0.1}]}
    text = '{"rules": [{"channel": "bit_flip", "probability": 0.1}]}'
    assert digest(rules, seed=1) == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    assert digest(rules, seed=2, shots=99, results=["probabilities", "counts"]) == digest(rules)
    assert digest(short) == digest(turned)
    others = [short, rules, {"rules": [{"channel": "bit_flip", "probability": 0.2}]}, {"model": "ibmq_lima"}]
    assert len({digest(noise) for noise in others}) == len(others)
    assert digest(None) is None
