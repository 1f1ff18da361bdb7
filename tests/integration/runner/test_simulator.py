"""Circuits on real Aer: counts, noise, observables and what the client learns beside them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

import aer
import counts
import reader
import simulator
from admission import Budget
from integration.runner.programs import BELL, HEAD, ghz, rotated
from tasks.errors import TaskError
from tasks.options import Options

BUDGET = Budget(2**30, 60.0, 2**30, 60.0)


def simulate(text: str, **options: Any) -> dict[str, Any]:
    """Run a text with seed 7, unless the options have another."""
    return simulator.simulate(text, Options.from_dict({"seed": 7, **options}), BUDGET)


def exact(text: str, terms: dict[str, float]) -> float:
    """Return the expectation value from Qiskit's own statevector, final measurements removed."""
    circuit = reader.read(text)
    circuit.remove_final_measurements()
    return float(Statevector(circuit).expectation_value(SparsePauliOp.from_list(list(terms.items()))).real)


def test_the_client_learns_how_it_ran() -> None:
    """Beside the counts stand the method, the circuit's size, the seed, the times and the versions."""
    outcome = simulate(BELL, shots=100)
    execution = outcome["execution"]
    assert execution.pop("parse_ms") > 0
    assert execution.pop("run_ms") > 0
    assert execution == {
        "engine": "stim",
        "method": "stabilizer",
        "num_qubits": 2,
        "depth": 3,
        "gates": 2,
        "seed": 7,
        "simulator": "stim",
        "versions": {"stim": "1.16.0"},
    }
    assert set(outcome["result"]) == {"00", "11"}


def test_an_unseeded_run_returns_the_seed_that_repeats_it() -> None:
    """Two runs draw different seeds, and the seed that a run returns gives its counts again."""
    first, second = (simulate(rotated(5), seed=None) for _ in range(2))
    assert first["execution"]["seed"] != second["execution"]["seed"]
    assert first["result"] == simulate(rotated(5), seed=first["execution"]["seed"])["result"]


def test_a_bare_measurement_is_counted() -> None:
    """The service's own example has no include, and its measurement has no target."""
    counts = simulate("OPENQASM 3; qubit q; h q; measure q;")["result"]
    assert set(counts) == {"0", "1"}
    assert sum(counts.values()) == 1_024


def test_registers_are_spaced_as_qiskit_does() -> None:
    """The first register stands rightmost; bit 0 of each is its rightmost letter."""
    text = f"{HEAD}qubit[3] q;\nbit[2] a;\nbit b;\nx q[0];\nx q[2];\na[0] = measure q[0];\nb = measure q[2];\n"
    assert simulate(text, shots=5)["result"] == {"1 01": 5}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("text", [rotated(17), rotated(16, 2, mid_circuit=True)])
def test_threads_do_not_change_counts(text: str, threads: int) -> None:
    """Seeded counts are those of one thread."""
    options = Options(seed=7, shots=200)
    counts = simulator.simulate(text, options, Budget(2**30, 60.0, 2**30, 60.0, threads))["result"]
    assert simulate(text, shots=200)["result"] == counts


def test_memory_lists_every_shot() -> None:
    """Per-shot outcomes have the keys of the counts, one for each shot, and add up to them."""
    outcome = simulate(rotated(4), shots=300, memory=True)
    assert len(outcome["memory"]) == 300
    assert outcome["result"] == {key: outcome["memory"].count(key) for key in sorted(set(outcome["memory"]))}


@pytest.mark.parametrize("method", ["statevector", "density_matrix", "matrix_product_state"])
@pytest.mark.parametrize("terms", [{"ZIII": 1.0}, {"XXII": 0.5, "IZZI": -2.0, "YIIY": 1.5}, {"IIII": 3.0}])
def test_observables_of_a_pure_circuit_are_exact(method: str, terms: dict[str, float]) -> None:
    """Without collapse or noise on gates, the value is the state's own and its standard error is 0."""
    (found,) = simulate(rotated(4, 2), method=method, observables=[terms])["expectation_values"]
    assert found["value"] == pytest.approx(exact(rotated(4, 2), terms), abs=1e-9)
    assert found["standard_error"] == 0.0


@pytest.mark.parametrize("method", ["statevector", "density_matrix", "matrix_product_state"])
@pytest.mark.parametrize("noise", [None, {"depolarizing": {"two_qubit": 1e-9}}, {"readout": {"prob_meas1_prep0": 0.1}}])
@pytest.mark.parametrize("order", [(5, 2, 7), (7, 5, 2), (2, 5, 7), (5, 7, 2)])
def test_observables_are_of_their_qubits_beside_idle_ones(
    method: str, noise: dict[str, Any] | None, order: tuple[int, ...]
) -> None:
    """Whichever of eight qubits is used first, letters stay with their qubits: Aer's truncation moves qubits."""
    first, second, third = (f"q[{qubit}]" for qubit in order)
    steps = f"sx {first};\nrx(0.4) {second};\ncx {first}, {third};\nt {third};\nry(0.9) {third};\nh {second};\n"
    text = f"{HEAD}qubit[8] q;\nbit c;\n{steps}cz {third}, {second};\nc = measure {first};\n"
    observables = [{"IIZIIYII": 1.0}, {"XIIIIYII": 1.0, "ZIYIIIII": 0.5}]
    values = simulate(text, method=method, noise=noise, shots=20, observables=observables)["expectation_values"]
    assert [each["value"] for each in values] == pytest.approx([exact(text, terms) for terms in observables], abs=1e-7)


def test_observables_of_a_clifford_circuit_are_exact() -> None:
    """The stabilizer method gives them too."""
    values = simulate(ghz(16), observables=["Z" * 16, "X" * 16, "I" * 15 + "Z"])["expectation_values"]
    assert [each["value"] for each in values] == pytest.approx([1.0, 1.0, 0.0], abs=1e-12)


def test_observables_need_no_measurement() -> None:
    """A program that measures nothing has values, exact or within five standard errors, and no counts."""
    text = f"{HEAD}qubit[2] q;\nh q[0];\ncx q[0], q[1];\n"
    outcome = simulate(text, observables=["ZZ", "XX"])
    assert outcome["result"] == {}
    assert [each["value"] for each in outcome["expectation_values"]] == pytest.approx([1.0, 1.0])
    noise = {"depolarizing": {"two_qubit": 0.2}}
    (noisy,) = simulate(text, observables=["ZZ"], noise=noise, method="statevector")["expectation_values"]
    assert abs(noisy["value"] - 0.8) < 5 * noisy["standard_error"] < 0.2


def test_observables_after_collapse_lie_within_five_standard_errors() -> None:
    """Measured and reset in the middle, the value is a mean over shots, and so near the exact one as it says."""
    steps = "ry(1.1) q[0];\nc[0] = measure q[0];\nif (c[0]) ry(0.7) q[1];\nc[1] = measure q[1];\n"
    text = f"{HEAD}qubit[2] q;\nbit[2] c;\n{steps}"
    found, across = simulate(text, shots=4_000, observables=["ZI", "XI"])["expectation_values"]
    expected = math.cos(0.55) ** 2 + math.sin(0.55) ** 2 * math.cos(0.7)
    assert 0 < found["standard_error"] < 0.02
    assert abs(found["value"] - expected) < 5 * found["standard_error"]
    # The last measurement is final, hence removed: along X it would have left nothing.
    expected = math.sin(0.55) ** 2 * math.sin(0.7)
    assert abs(across["value"] - expected) < 5 * across["standard_error"] < 0.1


@pytest.mark.parametrize("method", ["automatic", "statevector", "density_matrix", "matrix_product_state"])
@pytest.mark.parametrize(
    ("steps", "final"),
    [
        ("c = measure q[0];", True),
        ("c = measure q[0]; if (false) { if (c) x q[1]; }", True),  # the branch cannot run
        ("c = measure q[0]; if (d) { if (c) x q[1]; }", True),  # nor this one: d is never written
        ("c = measure q[0]; c = measure q[1];", True),  # as if not made
        ("c = measure q[0]; if (c) x q[1];", False),
        ("c = measure q[0]; d = measure q[0];", False),
        ("c = measure q[0]; z q[0]; c = measure q[1];", False),
    ],
)
def test_observables_come_before_the_final_measurements(steps: str, method: str, *, final: bool) -> None:
    """A measurement that is final by the document leaves the |+> state, whose X is 1; any other one leaves X at 0."""
    text = f"{HEAD}qubit[2] q; bit c; bit d; h q[0]; {steps}"
    (found,) = simulate(text, observables=["IX"], method=method, shots=50)["expectation_values"]
    assert found["value"] == pytest.approx(1.0 if final else 0.0, abs=1e-9)


def test_noisy_observables_lie_within_five_standard_errors() -> None:
    """Trajectories and the exact density matrix agree on a noisy circuit."""
    noise = {"depolarizing": {"one_qubit": 0.05, "two_qubit": 0.1}}
    exactly, sampled = (
        simulate(rotated(4, 2), method=method, shots=2_000, noise=noise, observables=[{"ZZII": 1.0, "IIXX": 0.5}])[
            "expectation_values"
        ][0]
        for method in ("density_matrix", "statevector")
    )
    assert exactly["standard_error"] == 0.0
    assert 0 < sampled["standard_error"] < 0.05
    assert abs(sampled["value"] - exactly["value"]) < 5 * sampled["standard_error"]


@pytest.mark.parametrize("method", ["automatic", "statevector", "density_matrix", "stabilizer"])
def test_depolarizing_noise_lowers_ghz_fidelity_as_predicted(method: str) -> None:
    """A Bell pair after one noisy cx has fidelity 1 - 3p/4: with p = 0.2, <XX> and <ZZ> are 0.8 and P(00)+P(11) 0.9."""
    outcome = simulate(BELL, method=method, shots=20_000, noise={"depolarizing": {"two_qubit": 0.2}})
    agree = (outcome["result"]["00"] + outcome["result"]["11"]) / 20_000
    assert agree == pytest.approx(0.9, abs=5 * math.sqrt(0.9 * 0.1 / 20_000))


def test_readout_noise_flips_as_predicted() -> None:
    """1 is read as 0 with the one probability and 0 as 1 with the other."""
    text = f"{HEAD}qubit[2] q;\nbit[2] c;\nx q[0];\nc = measure q;\n"
    noise = {"readout": {"prob_meas0_prep1": 0.3, "prob_meas1_prep0": 0.1}}
    counts = simulate(text, shots=20_000, noise=noise)["result"]
    assert counts["01"] / 20_000 == pytest.approx(0.7 * 0.9, abs=0.02)
    assert counts["00"] / 20_000 == pytest.approx(0.3 * 0.9, abs=0.02)
    assert counts["11"] / 20_000 == pytest.approx(0.7 * 0.1, abs=0.02)


def test_wide_gates_are_noisy_too() -> None:
    """A Toffoli gate is taken apart under noise: it fails more often than the noise of one gate would."""
    text = f"{HEAD}qubit[3] q;\nbit[3] c;\nx q[0];\nx q[1];\nccx q[0], q[1], q[2];\nc = measure q;\n"
    counts = simulate(text, shots=10_000, noise={"depolarizing": {"two_qubit": 0.1}})["result"]
    assert 0.5 < counts["111"] / 10_000 < 0.85


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (rotated(3), {"method": "stabilizer"}, "unsupported_feature"),
        (rotated(3), {"observables": ["ZZ"]}, "invalid_inputs"),
        (rotated(40), {"method": "statevector"}, "circuit_too_large"),
        ("OPENQASM 3; qubit q; h q;", {}, "nothing_measured"),
        ("OPENQASM 3; nonsense", {}, "invalid_circuit"),
        (ghz(1_000), {"method": "matrix_product_state", "shots": 100_000, "memory": True}, "circuit_too_large"),
    ],
)
def test_a_permanent_failure_has_its_code(text: str, options: dict[str, Any], code: str) -> None:
    """What fails every time is a TaskError; the result's own size is a limit too, known before the run."""
    with pytest.raises(TaskError) as caught:
        simulate(text, **options)
    assert code == caught.value.code


@pytest.mark.parametrize(
    ("method", "engine"), [("automatic", "stim"), ("stabilizer", "stim"), ("matrix_product_state", "qiskit-aer")]
)
def test_ghz_1000_runs_by_the_method_that_is_named(method: str, engine: str) -> None:
    """A thousand qubits in a chain take Stim milliseconds; a method that it does not have is Aer's."""
    outcome = simulate(ghz(1_000), shots=100, method=method)
    expected = "stabilizer" if method == "automatic" else method
    assert (outcome["execution"]["method"], outcome["execution"]["engine"]) == (expected, engine)
    assert set(outcome["result"]) == {"0" * 1_000, "1" * 1_000}


@pytest.mark.parametrize("method", ["matrix_product_state", "density_matrix"])
def test_gates_that_a_method_lacks_are_taken_apart(method: str) -> None:
    """Every method runs a multi-controlled gate, whether Aer has it there or not."""
    steps = "x q[0];\nx q[1];\nx q[2];\nctrl(3) @ x q[0], q[1], q[2], q[3];\nc = measure q;\n"
    text = f"{HEAD}qubit[4] q;\nbit[4] c;\n{steps}"
    assert simulate(text, method=method, shots=10)["result"] == {"1111": 10}


def test_a_classical_assignment_in_a_measured_circuit_does_not_kill_the_simulator() -> None:
    """Shot branching, of which Aer 0.18.2 dies here, stays off where a program assigns to classical bits."""
    text = HEAD + "qubit q; bit a; bit d; ry(1) q; a = measure q; d = !a; if (d) x q; bit e; e = measure q;"
    counts = simulate(text, shots=1000, method="statevector")["result"]
    assert set(counts) == {"1 1 0", "1 0 1"}
    assert sum(counts.values()) == 1000


@pytest.mark.parametrize("what", ["if (c[0]) x q[1];", "reset q[1]; ry(0.3) q[1];"])
def test_many_collapses_do_not_kill_the_simulator(what: str) -> None:
    """Shot branching, of which Aer 0.18.2 dies here, stays off where measurements part the shots again and again."""
    text = f"{HEAD}qubit[2] q; bit[2] c; for int i in [1:14] {{ h q[0]; c[0] = measure q[0]; {what} }} c = measure q;"
    assert sum(simulate(text, shots=20_000)["result"].values()) == 20_000


@pytest.mark.parametrize("gate", ["rz", "rx", "p"])
@pytest.mark.parametrize("method", ["stabilizer", "statevector"])
def test_noisy_rotations_by_quarter_turns_run(gate: str, method: str) -> None:
    """A noisy circuit that is Clifford by its angles runs by either method, each gate with its own noise."""
    text = f"{HEAD}qubit[12] q; bit[12] c; {gate}(pi/2) q; h q[0]; cx q[0], q[1]; c = measure q;"
    outcome = simulate(text, shots=50, method=method, noise={"depolarizing": {"one_qubit": 0.01}})
    assert (outcome["execution"]["method"], sum(outcome["result"].values())) == (method, 50)


def test_gates_in_control_flow_are_noisy_too() -> None:
    """A gate that no noise is defined for is taken apart inside an if as well, and its parts are noisy."""
    steps = "x q; b = measure q[0]; if (b) { ccx q[0], q[1], q[2]; } c = measure q;"
    noise = {"depolarizing": {"two_qubit": 0.5}}
    counts = simulate(f"{HEAD}qubit[3] q; bit[3] c; bit b; {steps}", shots=2_000, noise=noise)["result"]
    assert set(counts) == {f"1 {number:03b}" for number in range(8)}


READOUT = {"readout": {"prob_meas1_prep0": 0.1, "prob_meas0_prep1": 0.3}}
METHODS = ("automatic", "density_matrix", "stabilizer", "matrix_product_state")


def near(counts: dict[str, int], expected: dict[str, float]) -> bool:
    """Return whether counts are within six standard deviations of what is expected, and have nothing else."""
    shots = sum(counts.values())
    return counts.keys() <= expected.keys() and all(
        abs(counts.get(key, 0) - shots * chance) <= 6 * math.sqrt(shots * chance * (1 - chance))
        for key, chance in expected.items()
    )


@pytest.mark.parametrize("method", METHODS)
def test_each_shot_has_a_readout_error_of_its_own(method: str) -> None:
    """Measured, reset and measured again: the errors of the two readings, and of the shots, are independent."""
    text = "OPENQASM 3; qubit q; bit a; bit b; x q; a = measure q; reset q; b = measure q;"
    counts = simulate(text, method=method, noise=READOUT, shots=10_000)["result"]
    assert near(counts, {"0 0": 0.27, "0 1": 0.63, "1 0": 0.03, "1 1": 0.07})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("qubit[2] q; bit c; x q[1]; c = measure q[1]; c = measure q[0];", {"0": 0.9, "1": 0.1}),
        ("qubit q; bit c; x q; c = measure q; c = measure q;", {"0": 0.3, "1": 0.7}),
        (
            "qubit[2] q; bit[2] c; x q[1]; c[0] = measure q[1]; c = measure q;",
            {"00": 0.27, "01": 0.03, "10": 0.63, "11": 0.07},
        ),
        (
            "qubit[2] q; bit c; bit d; x q[0]; c = measure q[0]; c = measure q[1]; d = measure q[0];",
            {"0 0": 0.27, "0 1": 0.03, "1 0": 0.63, "1 1": 0.07},
        ),
        (
            "qubit[2] q; bit c; bit d; x q[0]; c = measure q[0]; c = measure q[1]; x q[0]; d = measure q[0];",
            {"0 0": 0.81, "0 1": 0.09, "1 0": 0.09, "1 1": 0.01},
        ),
    ],
)
def test_a_bit_has_the_readout_error_of_its_last_measurement(
    steps: str, expected: dict[str, float], method: str
) -> None:
    """What an earlier measurement wrote into it is gone, and the error of that with it."""
    text = f"{HEAD}{steps}"
    assert near(simulate(text, method=method, noise=READOUT, shots=10_000)["result"], expected)
    assert near(
        simulate(text, method=method, noise=READOUT, shots=10_000, observables=["I" * (steps[5] == "[") + "I"])[
            "result"
        ],
        expected,
    )


def test_memory_has_its_shots_in_no_order() -> None:
    """Where shots branch as well: both halves of the memory are like the whole, and a seed gives it again."""
    text = "OPENQASM 3; qubit q; bit a; bit b; h q; a = measure q; h q; b = measure q;"
    outcome = simulate(text, shots=2_000, memory=True)
    memory = outcome["memory"]
    fair = dict.fromkeys(["0 0", "0 1", "1 0", "1 1"], 0.25)
    for half in (memory[:1_000], memory[1_000:], memory[::2]):
        assert near({key: half.count(key) for key in fair}, fair)
    assert memory == simulate(text, shots=2_000, memory=True)["memory"]
    assert outcome["result"] == {key: memory.count(key) for key in fair}


@pytest.mark.parametrize("method", METHODS)
def test_tests_on_qubits_that_are_never_measured_run(method: str) -> None:
    """Aer's truncation dies of them when the bit they read is measured again."""
    steps = "h q; e = measure q; if (e) { h r[0]; } h q; e = measure q; if (e) { h r[1]; }"
    counts = simulate(f"{HEAD}qubit[2] r; qubit q; bit e; {steps}", method=method, shots=2_000)["result"]
    assert near(counts, {"0": 0.5, "1": 0.5})


def test_what_aer_cannot_run_with_its_shortcuts_runs_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a rewrite leave Aer a circuit that it dies of, the run is repeated in the plainest way."""
    monkeypatch.setattr(aer, "_FLOW", ())
    test_tests_on_qubits_that_are_never_measured_run("automatic")


def test_a_coefficient_that_could_overflow_is_refused() -> None:
    """Up to the limit every sum is finite, noisy or not; above it a task that was stored before ends with a code."""
    text = f"{HEAD}qubit q; bit c; h q; c = measure q;"
    noise = {"depolarizing": {"one_qubit": 0.1}}
    for more in ({}, {"noise": noise, "method": "statevector"}, {"precision": "single"}):
        (found,) = simulate(text, observables=[[["X", 1e30], ["Z", -1e30]]], **more)["expectation_values"]
        assert all(map(math.isfinite, found.values()))
    with pytest.raises(TaskError) as caught:
        simulate(text, observables=[[["X", 1e308], ["Z", 1e308]]])
    assert (caught.value.code, caught.value.limit) == ("invalid_inputs", 1e30)


@pytest.mark.parametrize("value", [math.inf, math.nan, [1.0, -math.inf]])
def test_a_value_that_is_not_finite_is_a_failure(value: Any) -> None:
    """It could not be stored as JSON and read again."""
    with pytest.raises(TaskError) as caught:
        simulator._estimate_value(value)  # noqa: SLF001 - nothing that is admitted gets there
    assert caught.value.code == "simulation_error"


def test_the_withdrawn_method_says_what_to_use() -> None:
    """A stored task may still ask for it; it ends with a code and a hint."""
    with pytest.raises(TaskError) as caught:
        simulate(BELL, method="extended_stabilizer")
    assert caught.value.code == "unsupported_feature"
    assert "automatic" in str(caught.value.hint)


def test_bindings_of_a_sweep_are_samples_of_their_own() -> None:
    """Where every shot runs separately, equal bindings share no shots: no memory is another's, shifted."""
    text = f"{HEAD}input float a; qubit q; bit c; h q; c = measure q; h q; c = measure q;"
    first, second = simulate(text, inputs=[{"a": 0.0}] * 2, shots=1_000, memory=True)["memory"]
    assert all(first[shift : shift + 900] != second[:900] for shift in range(3))


SWEPT = "input float a; qubit[2] q; bit[2] c; rx(a) q[0]; cx q[0], q[1]; c = measure q;"
ANGLES = [{"a": angle} for angle in (0.0, 0.3, 1.2, 3.0)]


@pytest.mark.parametrize("more", [{}, {"memory": True}, {"observables": ["ZZ", "XX"]}])
def test_a_bindings_result_in_a_sweep_is_its_own_alone(more: dict[str, Any]) -> None:
    """Binding i gives what it gives alone with the task's seed + 100,000 i: counts, memory and expectation values."""
    sweep = simulate(SWEPT, inputs=ANGLES, shots=50, **more)
    alone = [
        simulate(SWEPT, inputs=angle, shots=50, seed=7 + 100_000 * index, **more) for index, angle in enumerate(ANGLES)
    ]
    for name in sweep.keys() - {"execution"}:
        assert sweep[name] == [outcome[name] for outcome in alone]
    assert sweep.keys() == alone[0].keys()


def test_a_sweep_says_what_differs_between_its_bindings() -> None:
    """What is true of all stands once, what differs in `bindings`, in order; a sweep of one has that list too."""
    text = "input int n; qubit[3] q; bit[3] c; for int i in [0:n] { x q[i]; } c = measure q;"
    execution = simulate(text, inputs=[{"n": 0}, {"n": 2}])["execution"]
    differing = [(each["seed"], each["gates"]) for each in execution["bindings"]]
    assert differing == [(7, 1), (100_007, 3)]
    assert (execution["seed"], execution["method"], execution["num_qubits"]) == (7, "statevector", 3)
    assert execution["parse_ms"] > 0
    assert simulate(text, inputs=[{"n": 1}])["execution"]["bindings"] == [{"seed": 7}]


def test_an_unseeded_sweep_returns_the_seed_that_repeats_it() -> None:
    """The drawn seed is the first binding's, and the others count on from it."""
    first = simulate(SWEPT, inputs=ANGLES, seed=None)
    again = simulate(SWEPT, inputs=ANGLES, seed=first["execution"]["seed"])
    assert first["result"] == again["result"]


def test_a_bad_binding_fails_the_sweep_by_its_index() -> None:
    """An error of one binding is the task's, whether reading or running finds it."""
    text = "input int n; qubit[4] q; bit[4] c; x q[n]; if (n == 1) t q[0]; c = measure q;"
    for inputs, more, code, index in (
        ([{"n": 0}, {"n": 4}], {}, "invalid_circuit", 1),
        ([{"n": 0}, {"n": 2}, {"n": 1}], {"method": "stabilizer"}, "unsupported_feature", 2),
    ):
        with pytest.raises(TaskError) as caught:
            simulate(text, inputs=inputs, **more)
        assert (caught.value.code, caught.value.binding) == (code, index)
        assert caught.value.message.startswith(f"Binding {index}: ")


def test_a_sweeps_result_is_bounded_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each result takes from the room that is left for the next ones."""
    monkeypatch.setattr(simulator, "MAX_RESULT_BYTES", 60)
    monkeypatch.setattr(counts, "MAX_RESULT_BYTES", 60)
    simulate(SWEPT, inputs=ANGLES[:1])
    with pytest.raises(TaskError) as caught:
        simulate(SWEPT, inputs=[ANGLES[2]] * 3)
    assert (caught.value.code, caught.value.binding, caught.value.limit, caught.value.actual) == (
        "circuit_too_large",
        2,
        60,
        70,
    )
