"""Braket's noise and result pragmas: the numbers are those of its own local simulator, and shots follow them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator
from admission import Budget
from tasks.errors import TaskError
from tasks.options import Options
from truth.comparison import faults

# `tests/exporters/pragmas.py` writes it.
RECORDED = json.loads((Path(__file__).parent / "braket_pragmas.json").read_text())
BUDGET = Budget(2**30, 60.0, 2**30, 60.0)


def program(body: str, results: list[str], size: int = 3) -> str:
    """Return a program of OpenQASM 3 as Braket writes it."""
    pragmas = [f"#pragma braket result {each}" for each in results]
    return "\n".join(["OPENQASM 3.0;", f"qubit[{size}] q;", body, *pragmas])


def run(text: str, **options: Any) -> dict[str, Any]:
    """Return a task's outcome."""
    return simulator.simulate(text, Options.from_dict({"seed": 1, **options}), BUDGET)


def numbers(entry: dict[str, Any], kind: str) -> Any:
    """Return a result's numbers."""
    if entry["type"] == "expectation":
        return entry["variance" if kind == "variance" else "value"]
    return np.array(entry["values"]) if "values" in entry else np.array(entry["real"]) + 1j * np.array(entry["imag"])


# A density matrix has no amplitudes.
@pytest.mark.parametrize(
    ("case", "method"),
    [
        pytest.param(case, method, id=f"{method} {case['body'][-40:]} {case['results'][0]}")
        for case in RECORDED["cases"]
        for method in ("automatic", "density_matrix")
        if method == "automatic" or not any(each.startswith(("state", "amplitude")) for each in case["results"])
    ],
)
def test_results_are_those_of_brakets_own_simulator(case: dict[str, Any], method: str) -> None:
    """Each number in Braket's order, to 1e-10, by the engine that is chosen and by a density matrix."""
    entries = iter(run(program(case["body"], case["results"]), method=method)["results"])
    for wanted, (real, imag) in zip(case["results"], case["values"], strict=True):
        kind = wanted.split()[0]
        expected = np.array(real) + 1j * np.array(imag)
        several = kind in ("expectation", "variance") and expected.ndim == 1
        found = [numbers(next(entries), kind) for _ in range(len(expected) if several else 1)]
        np.testing.assert_allclose(found if several else found[0], expected, atol=1e-10, err_msg=wanted)
    assert next(entries, None) is None


NOISY = (
    "h q[0];\n#pragma braket noise amplitude_damping(0.6) q[0]\ncx q[0], q[1];\n"
    "#pragma braket noise two_qubit_dephasing(0.5) q[0], q[1]\nh q[0];\n"
    "bit[2] c;\nc[0] = measure q[0];\nif (c[0]) { x q[1]; }\n#pragma braket noise bit_flip(0.2) q[1]\n"
    "c[1] = measure q[1];"
)
METHODS = ["automatic", "statevector", "density_matrix", "matrix_product_state"]
CLIFFORD = (
    "h q[0];\n#pragma braket noise depolarizing(0.6) q[0]\ncx q[0], q[1];\n"
    "#pragma braket noise two_qubit_depolarizing(0.4) q[1], q[0]\nbit[2] c;\nc = measure q;"
)


@pytest.mark.parametrize(
    ("body", "method"),
    [
        *((body, method) for body in (NOISY, CLIFFORD) for method in METHODS),
        (CLIFFORD, "stabilizer"),  # damping is no error of stabilizers
    ],
)
@pytest.mark.parametrize("noise", [None, {"rules": [{"channel": "bit_flip", "probability": 0.1, "gates": ["h"]}]}])
def test_shots_follow_the_channels_by_every_method(body: str, method: str, noise: dict[str, Any] | None) -> None:
    """Counts against the exact oracle, with and without the noise of the request beside the program's own."""
    options: dict[str, Any] = {"shots": 4_000, "method": method} | ({"noise": noise} if noise else {})
    text = program(body, [], 2)
    assert faults(text, options, run(text, **options)) == []


def test_the_requests_results_come_first() -> None:
    """What the request names is computed and nothing else; without that, the program's own and its counts."""
    text = program("x q[0];\nbit c;\nc = measure q[0];", ["probability q[0]", "expectation z(q[0])"], 1)
    own = run(text, shots=10)
    assert (own["result"], [each["type"] for each in own["results"]]) == (
        {"1": 10},
        ["probabilities", "expectation", "counts"],
    )
    assert [each["type"] for each in run(text, results=["statevector"])["results"]] == ["statevector"]
    assert "results" not in run(text, shots=10, observables=["Z"])
    (note,) = own["execution"]["notes"]
    assert note == (
        "Line 6, column 1: Result pragmas give the task's results, unless the request asks for some itself."
    )


def test_a_program_with_results_need_not_measure() -> None:
    """Then there are no counts; a request for some is refused, as is one for the memory of shots."""
    text = program("x q[0];", ["probability q[0]"], 1)
    assert run(text)["result"] == {}
    for options, code in (({"results": ["counts"]}, "nothing_measured"), ({"memory": True}, "invalid_inputs")):
        with pytest.raises(TaskError) as caught:
            run(text, **options)
        assert caught.value.code == code


@pytest.mark.parametrize("case", RECORDED["samples"], ids=lambda case: case["observable"][:40])
def test_samples_follow_brakets_own(case: dict[str, Any]) -> None:
    """Values are eigenvalues to 1e-10, and as often as in Braket's shots: each within 6 standard errors, risk 1e-7."""
    shots, theirs = 8_000, dict(case["values"])
    entry = run(program(case["body"], [f"sample {case['observable']}"]), shots=shots)["results"][0]
    assert len(entry["values"]) == shots
    total = sum(theirs.values())
    found = Counter(min(theirs, key=lambda known, value=value: abs(known - value)) for value in entry["values"])
    for value in entry["values"]:
        assert min(abs(known - value) for known in theirs) < 1e-10
    for value, times in theirs.items():
        chance = (times + found[value]) / (total + shots)
        error = (chance * (1 - chance) * (1 / total + 1 / shots)) ** 0.5
        assert found[value] / shots == pytest.approx(times / total, abs=6 * error), value


@pytest.mark.parametrize("method", ["automatic", "density_matrix", "matrix_product_state"])
@pytest.mark.parametrize("noise", [None, {"rules": [{"channel": "depolarizing", "probability": 0.2, "gates": ["ry"]}]}])
def test_samples_of_mixed_letters_average_to_the_expectation(method: str, noise: dict[str, Any] | None) -> None:
    """By every method and under noise: the exact mean within 6 standard errors of it, by the exact variance."""
    observable = {"IXZ": 0.5, "IZX": -1.25, "IIY": 0.75, "ZXZ": 2.0}
    exact = {"type": "expectation", "observable": observable, "variance": True}
    text = program("h q[0];\ncx q[0], q[1];\nry(0.7) q[1];\nrx(1.1) q[2];\ncx q[1], q[2];", [])
    options = {"method": method} | ({"noise": noise} if noise else {})
    [known] = run(text, results=[exact], **(options | {"method": "automatic"}))["results"]
    [drawn] = run(text, results=[{"type": "samples", "observable": observable}], shots=20_000, **options)["results"]
    error = (known["variance"] / 20_000) ** 0.5
    assert np.mean(drawn["values"]) == pytest.approx(known["value"], abs=6 * error)
    assert np.var(drawn["values"]) == pytest.approx(known["variance"], rel=0.1)


def test_the_hint_on_gradients_is_right() -> None:
    """A derivative by two shifted values of an input, as the refusal of `adjoint_gradient` says."""
    body = "ry(x) q[0];\ncx q[0], q[1];\n#pragma braket result expectation z(q[1])"
    text = f"OPENQASM 3.0;\ninput float x;\nqubit[2] q;\n{body}"
    up, down = (run(text, inputs={"x": 0.3 + sign * np.pi / 2})["results"][0]["value"] for sign in (1, -1))
    assert (up - down) / 2 == pytest.approx(-np.sin(0.3), abs=1e-12)


def test_samples_are_drawn_for_each_shot() -> None:
    """`sample` has the request's shots; of a product that is certain they are all alike."""
    entry = run(program("h q[0];\ncx q[0], q[1];", ["sample x(q[0]) @ x(q[1])"], 2), shots=50)["results"][0]
    assert entry == {"type": "samples", "values": [1.0] * 50}


def test_each_binding_of_a_sweep_has_its_own_channel() -> None:
    """A channel's probability may be an input."""
    body = "input float p;\nx q[0];\n#pragma braket noise bit_flip(p) q[0]"
    outcome = run(program(body, ["expectation z(q[0])"], 1), inputs=[{"p": 0.0}, {"p": 0.25}, {"p": 1.0}])
    assert [entry["value"] for (entry,) in outcome["results"]] == pytest.approx([-1.0, -0.5, 1.0])
    with pytest.raises(TaskError) as caught:
        run(program(body, ["probability"], 1), inputs=[{"p": 0.0}, {"p": 1.5}])
    assert (caught.value.code, caught.value.line) == ("invalid_circuit", 5)
    assert caught.value.message == "Binding 1: The probability of bit_flip is 1.5; it must be from 0 to 1."
