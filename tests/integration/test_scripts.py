"""Scripts that repeat tasks: run in a process with nothing of ours, compared with the oracle and with the worker."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from test_api import call, submit

import simulator
from admission import Budget
from oracle.interpreter import explore
from scripts import PINS, script
from simulated_aws import BELL
from submitted import TaskRequest
from tasks.errors import TaskError
from tasks.options import Options
from tasks.task import Status, Task
from truth.comparison import exactly, strays
from truth.programs import HEAD, Case, cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulated_aws import Aws

ROOT = Path(__file__).resolve().parents[2]
BUDGET = Budget(2**30, 600.0, 2**30, 600.0)
RUN_ALL = """
import contextlib, io, json, sys
for text in json.load(sys.stdin):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "script", "exec"), {"__name__": "__main__"})
    print(json.dumps(printed.getvalue()))
"""


def examples() -> list[dict[str, Any]]:
    """Return the requests of the page, the READMEs and the OpenAPI document that are accepted."""
    page = (ROOT / "functions/api/page/examples.js").read_text()
    found = [{"qc": program} for program in re.findall(r"program: `(.*?)`", page, re.DOTALL)]
    for readme in ("README.md", "functions/api/README.md"):
        text = (ROOT / readme).read_text().replace("\\\n", "")
        found += [
            json.loads(body) for body in re.findall(r"-d '(\{\"qc\".*?\})'", text, re.DOTALL) if "hh q" not in body
        ]
    found += TaskRequest.model_json_schema()["examples"]
    return [each for each in found if "input " not in each["qc"] or each.get("inputs")]  # the page asks for them


def repeated(requests: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], list[str]]]:
    """Return what the worker makes of each request, and the lines that its script prints."""
    outcomes, texts = [], []
    for request in requests:
        options = Options.from_dict({"seed": 5, **{name: value for name, value in request.items() if name != "qc"}})
        outcome = simulator.simulate(request["qc"], options, BUDGET)
        stored = {name: value for name, value in options.as_dict().items() if name != "shots"}
        task = Task("id", "me", Status.COMPLETED, "", "", request["qc"], options.shots, stored, outcome=outcome)
        outcomes.append(outcome)
        texts.append(script(task, 0))
    environment = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN_ALL],
        input=json.dumps(texts),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    printed = [json.loads(line).splitlines() for line in done.stdout.splitlines()]
    return list(zip(outcomes, printed, strict=True))


def counts_of(lines: Sequence[str]) -> dict[str, int]:
    """Return the counts that a script prints first."""
    counts: dict[str, int] = ast.literal_eval(lines[0])
    return counts


def test_every_example_of_the_repository_has_its_script() -> None:
    """What the page, the READMEs and the document show gives the program's distribution on plain Qiskit."""
    requests = examples()
    assert len(requests) >= 9
    for request, (_, lines) in zip(requests, repeated(requests), strict=True):
        binding = request["inputs"][0] if isinstance(request.get("inputs"), list) else request.get("inputs")
        if "counts" in request.get("results", ["counts"]):
            right = explore(request["qc"], binding, tolerance=1e-9).probabilities
            assert list(strays(counts_of(lines), right)) == [], request


def test_generated_programs_have_theirs() -> None:
    """Dynamic programs with noise: the oracle's distribution; and the very counts where Aer ran them as they stand."""
    drawn: list[Case] = []

    @settings(
        max_examples=150,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def draw(case: Case) -> None:
        if "observables" not in case.options:
            try:
                simulator.simulate(case.text, Options.from_dict(case.options), BUDGET)
            except TaskError:
                return
            drawn.append(case)

    draw()
    assert len(drawn) > 50
    alike = 0
    for case, (outcome, lines) in zip(
        drawn, repeated([{"qc": case.text, **case.options} for case in drawn]), strict=True
    ):
        inputs = case.options.get("inputs")
        right = exactly(case.text, inputs[0] if inputs else None, case.options.get("noise")).probabilities
        rounding = 1e-4 if case.options.get("precision") == "single" else 1e-9
        found = counts_of(lines)
        assert list(strays(found, right, rounding)) == [], (case.text, case.options)
        result = outcome["result"][0] if inputs else outcome["result"]
        alike += outcome["execution"]["engine"] == "qiskit-aer" and found == result
    assert alike > 15


def test_a_task_that_aer_ran_has_the_same_counts() -> None:
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
    for outcome, lines in repeated(requests):
        assert outcome["execution"]["engine"] == "qiskit-aer"
        assert counts_of(lines) == outcome["result"]


def test_results_are_saved_too() -> None:
    """A script prints the state's results by their place in the request; those of a pure state are exact."""
    results = [
        "probabilities",
        "statevector",
        {"type": "expectation", "observable": "ZZ"},
        {"type": "amplitudes", "states": ["11"]},
    ]
    ((outcome, lines),) = repeated([{"qc": BELL, "results": results}])
    assert [line.split()[1] for line in lines if line.startswith("result")] == ["0", "1", "3", "2"]
    assert outcome["results"][3]["real"][0] == pytest.approx(0.5**0.5)
    assert "0.707" in lines[-2]
    assert lines[-1].startswith("result 2 1.0") or lines[-1].startswith("result 2 0.99999")


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


def test_the_pins_are_the_workers() -> None:
    """A script asks for the versions that the worker has."""
    locked = (ROOT / "functions/worker/requirements.txt").read_text()
    assert all(f"{name}=={version} " in locked for name, version in PINS.items())
