"""Sweeps side by side, and observables of wide programs: what one alone gives, and what Qiskit's own states give."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

import pure_states
import reader
import simulator
from admission import Budget
from tasks.errors import TaskError
from tasks.options import Options

BUDGET = Budget(2**30, 60.0, 2**30, 60.0)
HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'
SWEPT = f"""{HEAD}input float a; input float b; qubit[3] q; bit[3] c;
ry(a) q[0]; u(b, a, 0.3) q[1]; cx q[0], q[1]; rzz(a * b) q[1], q[2]; rx(0.4) q[2]; crx(b) q[1], q[2]; p(a) q[0]; h q[0];
c = measure q;"""
SUMS = [{"ZII": 1.0}, {"XYZ": 0.5, "IZI": -2.0, "YIX": 1.5}, {"III": 3.0}]
OBSERVABLES = [list(map(list, terms.items())) for terms in SUMS]


def simulate(text: str, **options: Any) -> dict[str, Any]:
    """Run a text with seed 7."""
    return simulator.simulate(text, Options.from_dict({"seed": 7, **options}), BUDGET)


def exact(text: str, terms: dict[str, float], inputs: dict[str, float] | None = None) -> float:
    """Return a value from Qiskit's statevector."""
    circuit = reader.read(text, inputs, counted=False)
    circuit.remove_final_measurements()
    return float(Statevector(circuit).expectation_value(SparsePauliOp.from_list(list(terms.items()))).real)


def bindings(count: int) -> list[dict[str, float]]:
    """Return random angles, the first of them all zero, where every gate is Clifford."""
    chance = random.Random(3)
    return [{"a": 0.0, "b": 0.0}, *({"a": chance.uniform(-9, 9), "b": chance.uniform(-9, 9)} for _ in range(count - 1))]


def test_a_sweeps_values_are_exact() -> None:
    """Each binding has the values of its own state, with no error."""
    swept = simulate(SWEPT, inputs=bindings(20), observables=OBSERVABLES)["expectation_values"]
    for binding, found in zip(bindings(20), swept, strict=True):
        expected = [exact(SWEPT, terms, binding) for terms in SUMS]
        assert [each["value"] for each in found] == pytest.approx(expected, abs=1e-9)
        assert {each["standard_error"] for each in found} == {0.0}


@pytest.mark.parametrize("more", [{}, {"memory": True}, {"noise": {"readout": {"prob_meas1_prep0": 0.1}}}])
def test_a_binding_alone_gives_what_it_gives_in_the_sweep(more: dict[str, Any]) -> None:
    """By the seeds rule, whatever its angles are and however many run beside it."""
    swept = simulate(SWEPT, inputs=bindings(30), shots=200, **more)
    for index in (0, 1, 17, 29):
        alone = simulate(SWEPT, inputs=bindings(30)[index], shots=200, **more | {"seed": 7 + 100_000 * index})
        assert alone["result"] == swept["result"][index]
        if more.get("memory"):
            assert alone["memory"] == swept["memory"][index]


def test_every_pauli_string_is_exact() -> None:
    """All signs of X, Y and Z together, on a state that has no symmetry, also where a qubit never left its bit."""
    strings = [first + "".join(letters) for first in "IZ" for letters in itertools.product("IXYZ", repeat=3)]
    text = SWEPT.replace("qubit[3] q", "qubit[4] q").replace("c = measure q;", "x q[3];")
    inputs = {"a": 0.7, "b": -1.1}
    found = []
    for some in (strings[:64], strings[64:]):
        sums = [[[string, 0.5]] for string in some]
        found += simulate(text, inputs=inputs, observables=sums)["expectation_values"]
    expected = [exact(text, {string: 0.5}, inputs) for string in strings]
    assert [each["value"] for each in found] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("amplitudes", [1, 24, 56, 2**16])
def test_how_many_run_at_a_time_changes_nothing(amplitudes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One, three, seven or all of them: the same counts, and values within rounding."""
    expected = simulate(SWEPT, inputs=bindings(30), shots=200, observables=OBSERVABLES)
    monkeypatch.setattr(pure_states, "AMPLITUDES", amplitudes)
    found = simulate(SWEPT, inputs=bindings(30), shots=200, observables=OBSERVABLES)
    assert found["result"] == expected["result"]
    for some, others in zip(found["expectation_values"], expected["expectation_values"], strict=True):
        assert [one["value"] for one in some] == pytest.approx([one["value"] for one in others], abs=1e-12)


def test_a_sweep_is_read_and_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bindings share one compilation, one plan and one set of states; a dry run plans each."""
    calls: list[str] = []
    for module, name in ((simulator, "choose"), (simulator, "read_stats"), (pure_states, "run"), (reader, "bound")):
        inner = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, inner=inner, name=name: (calls.append(name), inner(*given))[1])
    simulate(SWEPT, inputs=bindings(30), shots=5)
    assert sorted(calls) == ["bound", "choose", "read_stats", "run"]


def test_bits_that_are_assigned_are_counted() -> None:
    """In every binding, beside those that are measured."""
    text = f"{HEAD}input float a; qubit q; bit[3] c; c[2] = 1; rx(a) q; c[0] = measure q; bit d = c[2];"
    swept = simulate(text, inputs=[{"a": 0.0}, {"a": math.pi}], shots=5)
    assert swept["result"] == [{"1 100": 5}, {"1 101": 5}]


def test_inputs_that_decide_structure_run_one_by_one() -> None:
    """Each is read and run alone, and an error names its binding."""
    text = f"{HEAD}input int n; input float a; qubit[3] q; bit[3] c;"
    text += "for int i in [0:n] { x q[i]; rz(a) q[i]; } c = measure q;"
    inputs = [{"n": n, "a": 0.1 * n} for n in (0, 0, 0, 2, 1, 1)]
    swept = simulate(text, inputs=inputs, shots=5)
    assert [list(each) for each in swept["result"]] == [["001"], ["001"], ["001"], ["111"], ["011"], ["011"]]
    with pytest.raises(TaskError) as caught:
        simulate(text, inputs=[*inputs, {"n": 7, "a": 0.0}], shots=5)
    assert caught.value.binding == 6


@pytest.mark.parametrize(
    "options",
    [{"method": "statevector"}, {"noise": {"depolarizing": {"one_qubit": 0.05}}}, {"precision": "single"}],
)
def test_what_runs_one_by_one_is_compiled_once_all_the_same(options: dict[str, Any]) -> None:
    """Aer and trajectories get each binding's own program: the counts are those of the binding alone."""
    swept = simulate(SWEPT, inputs=bindings(6), shots=100, **options)
    for index, inputs in enumerate(bindings(6)):
        alone = simulate(SWEPT, inputs=inputs, shots=100, **options | {"seed": 7 + 100_000 * index})
        assert alone["result"] == swept["result"][index]


def test_gates_without_angles_of_their_own_run_side_by_side() -> None:
    """A fractional power has a matrix, and no angles that bindings could differ in."""
    text = f"{HEAD}input float a; qubit[2] q; bit[2] c; rx(a) q[0]; pow(0.5) @ swap q[0], q[1]; c = measure q;"
    swept = simulate(text, inputs=[{"a": 0.0}, {"a": 1.0}], shots=50)
    assert swept["result"][0] == {"00": 50}
    assert swept["result"][1] == simulate(text, inputs={"a": 1.0}, shots=50, seed=7 + 100_000)["result"]


def two_local(qubits: int, depth: int) -> str:
    """Return layers of rotations and a chain of cx in bricks."""
    lines = []
    for layer in range(depth):
        lines += [f"ry({0.3 + i + layer}) q[{i}];" for i in range(qubits)]
        lines += [f"cx q[{i}], q[{i + 1}];" for i in range(layer % 2, qubits - 1, 2)]
    return f"{HEAD}qubit[{qubits}] q;\n" + "\n".join(lines)


def test_observables_on_light_cones_are_exact() -> None:
    """A program of 14 qubits has its values from the cones of the terms, and the counts of what it measures as well."""
    text = two_local(14, 3)
    sums = [{"I" * i + "ZX" + "I" * (12 - i): 1.0 + i, "I" * 13 + "Y": 0.5} for i in range(13)]
    outcome = simulate(f"{text} bit c; c = measure q[0];", observables=[list(map(list, each.items())) for each in sums])
    values = [each["value"] for each in outcome["expectation_values"]]
    assert values == pytest.approx([exact(text, terms) for terms in sums], abs=1e-9)
    assert sum(outcome["result"].values()) == 1_024


def test_hundreds_of_terms_of_forty_qubits_are_taken_apart() -> None:
    """No state of forty qubits is ever made."""
    terms = [["I" * i + pair + "I" * (38 - i), 1.0] for pair in ("ZZ", "XX", "YY", "XZ", "ZX") for i in range(39)]
    outcome = simulate(two_local(40, 4), observables=[terms])
    before, after = outcome["execution"]["reduced"]["qubits"]
    assert (before, after <= 12) == (40, True)
    assert abs(outcome["expectation_values"][0]["value"]) < len(terms)


def test_clifford_observables_are_the_stabilizers() -> None:
    """Those of a GHZ state of 200 qubits are 1, 0 and -1, exactly."""
    steps = "h q[0]; " + "".join(f"cx q[{i}], q[{i + 1}];" for i in range(199))
    outcome = simulate(
        f"{HEAD}qubit[200] q; {steps} z q[0];", observables=["X" * 200, "Z" + "I" * 199, "ZZ" + "I" * 198]
    )
    assert [each["value"] for each in outcome["expectation_values"]] == [-1.0, 0.0, 1.0]
    assert outcome["execution"]["engine"] == "stim"
