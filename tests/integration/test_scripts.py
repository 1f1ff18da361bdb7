"""Scripts that repeat tasks: run in a process with nothing of ours, compared with the oracle and with the worker.

Those of generated programs are judged in tests/truth, beside the worker.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright._impl._driver import compute_driver_executable
from test_api import call, submit

import simulator
from admission import Budget
from integration.runner.random_programs import alike
from oracle.interpreter import explore
from oracle.mixed import Noise
from plain_qiskit import PlainQiskit, script_of
from scripts import PINS
from simulated_aws import BELL
from submitted import NoiseRequest, TaskRequest
from tasks.options import Options
from truth.comparison import strays
from truth.programs import FLIPS, HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simulated_aws import Aws

ROOT = Path(__file__).resolve().parents[2]
BUDGET = Budget(2**30, 600.0, 2**30, 600.0)


@pytest.fixture(name="plain", scope="module")
def fixture_plain() -> Iterator[PlainQiskit]:
    """Give a process with plain Qiskit."""
    with PlainQiskit() as plain:
        yield plain


def of_page() -> list[dict[str, Any]]:
    """Return the requests of the page's examples, read by the JavaScript engine that Playwright brings."""
    code = f"import {{ EXAMPLES }} from '{ROOT}/functions/api/page/examples.js'; console.log(JSON.stringify(EXAMPLES))"
    node, _ = compute_driver_executable()
    printed = subprocess.run(
        [node, "--input-type=module", "--eval", code], capture_output=True, text=True, check=True
    ).stdout
    found = []
    for example in json.loads(printed):
        options = example.get("options", {})
        if "observables" in options:
            read = (json.loads(each) if each.startswith("{") else each for each in options["observables"])
            options["observables"] = list(read)
        found.append({"qc": example["program"], **options})
    return found


def examples() -> list[dict[str, Any]]:
    """Return what the page, the READMEs and the OpenAPI document show as requests, except for those with a mistake."""
    found = of_page()
    for name in ("README.md", "functions/api/README.md", "functions/api/page/llms.txt"):
        text = (ROOT / name).read_text().replace("\\\n", "").replace("$bell", json.dumps(BELL)[1:-1])
        found += [json.loads(body) for body in re.findall(r"-d '(\{\"qc\".*?\})'", text, re.DOTALL)]
    shown = re.findall(r"```json\n(.*?)```", (ROOT / "functions/api/README.md").read_text(), re.DOTALL)[0].strip()
    while shown:
        noise, end = json.JSONDecoder().raw_decode(shown)
        found.append({"qc": BELL, "noise": noise})
        shown = shown[end:].strip()
    schema = TaskRequest.model_json_schema()
    found += schema["examples"]
    for name in ("results", "observables"):
        found += [{"qc": BELL, name: example} for example in schema["properties"][name]["examples"]]
    for name, field in NoiseRequest.model_json_schema()["properties"].items():
        found += [{"qc": BELL, "noise": {name: example}} for example in field.get("examples", ())]
    return [each for each in found if "hh q" not in each["qc"]]


def repeated(plain: PlainQiskit, requests: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], list[str]]]:
    """Return what the worker makes of each request, and the lines that its script prints."""
    outcomes, texts = [], []
    for request in requests:
        options = Options.from_dict({"seed": 5, **{name: value for name, value in request.items() if name != "qc"}})
        outcomes.append(simulator.simulate(request["qc"], options, BUDGET))
        texts.append(script_of(request["qc"], options, outcomes[-1]))
    return list(zip(outcomes, plain.run(texts), strict=True))


def counts_of(lines: Sequence[str]) -> dict[str, int]:
    """Return the counts that a script prints first."""
    counts: dict[str, int] = ast.literal_eval(lines[0])
    return counts


def results_of(lines: Sequence[str]) -> dict[str, Any]:
    """Return what a script prints of results, by their labels: `result 0`, `observable 1`, `result 2 variance`."""
    matches = [re.fullmatch(r"((?:result|observable) \d+(?: variance)?) (.*)", line) for line in lines]
    return {match[1]: ast.literal_eval(match[2]) for match in matches if match}


def oracles(noise: Mapping[str, Any]) -> Noise:
    """Return a request's noise as the oracle has it, a model by name as its rules."""
    named = {model["name"]: model for model in call("GET", "/noise-models")[2]["models"]}
    return Noise.from_dict({"rules": named[noise["model"]]["rules"]} if "model" in noise else noise)


def test_every_example_of_the_repository_has_its_script(plain: PlainQiskit) -> None:
    """What the page, the READMEs and the document show gives the program's distribution on plain Qiskit."""
    requests = examples()
    every = json.dumps(requests)
    assert len(requests) >= 24
    assert all(f'"{name}"' in every for name in ("noise", "rules", "model", "results", "inputs", "observables"))
    for request, (_, lines) in zip(requests, repeated(plain, requests), strict=True):
        binding = request["inputs"][0] if isinstance(request.get("inputs"), list) else request.get("inputs")
        noise = oracles(request["noise"]) if "noise" in request else None
        given = {name: value for name, value in request.items() if name != "qc"}
        assert lines[0].startswith("{") or not Options.from_dict(given).counted
        if lines[0].startswith("{"):
            right = explore(request["qc"], binding, tolerance=1e-9, noise=noise).probabilities
            assert list(strays(counts_of(lines), right)) == [], request


def test_a_task_that_aer_ran_has_the_same_counts(plain: PlainQiskit) -> None:
    """By a named method, with its seed; gates by a matrix and powers are written out as well."""
    steps = "qubit[3] q; bit[3] c; h q[0]; cu(0.3, 0.1, 0.2, 0.5) q[0], q[1]; pow(0.5) @ swap q[1], q[2];"
    steps += " ctrl(2) @ x q[0], q[1], q[2];"
    requests = [
        {"qc": f"{HEAD} {steps} c = measure q;", "method": "statevector", "shots": 500},
        {"qc": f"{HEAD} {steps} c = measure q;", "method": "matrix_product_state", "shots": 500},
        {
            "qc": f"{HEAD} {steps} c[0] = measure q[0]; if (c[0]) {{ x q[1]; }} c[1] = measure q[1];",
            "method": "statevector",
        },
    ]
    for outcome, lines in repeated(plain, requests):
        assert outcome["execution"]["engine"] == "qiskit-aer"
        assert counts_of(lines) == outcome["result"]


def close(text: str, results: list[Any], plain: PlainQiskit, shots: int = 0, **options: Any) -> None:
    """Compare what a script prints of results with the task's: exact ones by their numbers, samples by frequencies."""
    ((outcome, lines),) = repeated(plain, [{"qc": text, "results": results, "shots": shots, **options}])
    printed = results_of(lines)
    for index, entry in enumerate(outcome["results"]):
        if entry["type"] == "counts":
            assert alike(counts_of(lines), outcome["result"])
            continue
        found = printed[f"result {index}"]
        if entry["type"] == "samples":
            times = Counter(entry["values"])
            total = sum(found.values())
            right = {value: count / shots for value, count in times.items()}
            assert set(found) <= set(right)
            # Both are samples: six standard deviations of their difference.
            assert all(abs(found[value] / total - right[value]) < 6 * (0.5 / shots) ** 0.5 for value in found)
            continue
        exact = "value" in entry or "values" in entry
        right = (
            entry.get("value", entry.get("values")) if exact else np.array(entry["real"]) + 1j * np.array(entry["imag"])
        )
        assert np.abs(np.array(found) - right).max() < 1e-9, (entry, found)
        if "variance" in entry:
            assert printed[f"result {index} variance"] == pytest.approx(entry["variance"], abs=1e-9)


def test_results_of_every_type_are_repeated(plain: PlainQiskit) -> None:
    """Exact ones to the digit, of pure states and of noise; samples of observables as often."""
    text = f"{HEAD} qubit[2] q; bit[2] c; ry(0.7) q[0]; cx q[0], q[1]; t q[1]; h q[1]; c = measure q;"
    observable = {"XY": 0.5, "IY": -1.5}
    mixture = [
        "probabilities",
        {"type": "probabilities", "qubits": [1]},
        {"type": "density_matrix", "qubits": [1, 0]},
        {"type": "expectation", "observable": {"ZZ": 0.5, "XI": 2.0}, "variance": True},
    ]
    pure = ["statevector", {"type": "statevector", "qubits": [1, 0]}, {"type": "amplitudes", "states": ["11", "01"]}]
    close(text, mixture + pure, plain)
    noise = {"rules": [{"channel": "amplitude_damping", "gamma": 0.2}, {"channel": "readout", **FLIPS}]}
    samples = [{"type": "samples", "observable": observable}, {"type": "samples", "observable": "ZI"}]
    close(text, [*mixture, *samples], plain, shots=4_000, noise=noise)
    close(text, ["counts", *samples], plain, shots=4_000)
    dynamic = f"{HEAD} qubit[2] q; bit c; h q[0]; c = measure q[0]; if (c) {{ x q[1]; }} h q[0];"
    close(dynamic, samples, plain, shots=4_000, method="statevector")
    together = [{"type": "samples", "observable": {"XY": 0.5, "ZX": 2.0}}]  # no turn of each qubit alone measures it
    close(text, together, plain, shots=4_000)
    close(text, together, plain, shots=4_000, noise=noise)


def test_a_wide_noisy_circuit_needs_no_statevector(plain: PlainQiskit) -> None:
    """26 qubits, whose statevector takes a gigabyte: the script stays with a method that does without."""
    entangle = " ".join(f"cx q[{qubit}], q[{qubit + 1}];" for qubit in range(25))
    text = f"{HEAD} qubit[26] q; bit[2] c; h q[0]; {entangle} c[0] = measure q[0]; c[1] = measure q[25];"
    noise = {"depolarizing": {"one_qubit": 0.2}}
    for request in ({"shots": 200}, {"shots": 200, "method": "stabilizer"}):
        options = Options.from_dict({"seed": 5, "noise": noise, **request})
        outcome = simulator.simulate(text, options, BUDGET)
        script = script_of(text, options, outcome)
        assert "method='matrix_product_state'" in script
        assert "counts agree within sampling." in script
        (lines,) = plain.run([script])
        assert alike(counts_of(lines), outcome["result"])


def test_brakets_pragmas_are_in_the_script(plain: PlainQiskit) -> None:
    """The program's own noise and results; a statevector is printed in the order of its qubits."""
    noise = "#pragma braket noise bit_flip(1.0) q[1]\n"
    requests = [
        {"qc": f"qubit[2] q;\n{noise}#pragma braket result probability q[0], q[1]\n"},
        {"qc": "qubit[2] q;\nx q[1];\nx q[0];\nx q[0];\n#pragma braket result state_vector\n"},
        {"qc": f"qubit[2] q; bit[2] c;\n{noise}c = measure q;"},
    ]
    (_, noisy), (_, pure), (counted, counts) = repeated(plain, requests)
    for lines in (noisy, pure):
        assert results_of(lines)["result 0"] == pytest.approx([0, 1, 0, 0])
    assert counts_of(counts) == counted["result"] == {"10": 1024}


def test_the_api_gives_the_script_to_the_owner_alone(in_moto: Aws) -> None:
    """As text, of one binding, with the versions to install; a binding that there is not is refused at its place."""
    task_id = submit(
        {"qc": "input float a; qubit q; rx(a) q; measure q;", "inputs": [{"a": 0.25}, {"a": 0.5}], "seed": 7}
    )
    status, headers, text = call("GET", f"/tasks/{task_id}/script", query={"binding": "1"})
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "circuit.rx(0.5, 0)" in text
    assert f"qiskit=={PINS['qiskit']} qiskit-aer=={PINS['qiskit-aer']}" in text
    assert "seed_simulator=100007" in text
    status, _, body = call("GET", f"/tasks/{task_id}/script", query={"binding": "2"})
    assert (status, body["detail"][0]["loc"]) == (422, ["query", "binding"])
    assert call("GET", f"/tasks/{task_id}/script", api_key_id="bob")[0] == 404


def test_the_noise_of_wide_gates_needs_nothing_of_the_workers(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The api has no Qiskit: what takes a gate apart that has no fixed parts is refused, and says what to do."""
    monkeypatch.setitem(sys.modules, "aer", None)  # not in the api's package
    noise = {"depolarizing": {"one_qubit": 0.1}}
    task_id = submit({"qc": "qubit[3] q; bit[3] c; ccx q[0], q[1], q[2]; c = measure q;", "noise": noise})
    status, _, text = call("GET", f"/tasks/{task_id}/script")
    assert (status, text.count(".cx("), text.count(".tdg(")) == (200, 6, 3)
    task_id = submit(
        {"qc": "qubit[5] q; bit[5] c; ctrl(4) @ x q[0], q[1], q[2], q[3], q[4]; c = measure q;", "noise": noise}
    )
    status, _, body = call("GET", f"/tasks/{task_id}/script")
    assert (status, body["code"]) == (400, "unsupported_feature")
    assert body["detail"] == (
        "The noise of mcx on 5 qubits cannot be written: Qiskit decomposes the gate when the task runs."
    )
    assert body["hint"] == "Define the gate in the program by gates on one and two qubits."


def test_the_pins_are_the_workers() -> None:
    """A script asks for the versions that the worker has."""
    locked = (ROOT / "functions/worker/requirements.txt").read_text()
    assert all(f"{name}=={version} " in locked for name, version in PINS.items())
