"""Linux on arm64 has no wheel of Stim: there Aer and trajectories run what it would, with the same distribution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import simulator
from admission import Budget
from integration.runner.random_programs import HEAD, alike
from tasks.options import Options

ROOT = Path(__file__).parents[3]
BUDGET = Budget(2**30, 60.0, 2**30, 60.0)
CODE = """import json, sys
sys.modules["stim"] = None  # what importing it finds where it is not installed
import simulator, stim_engine
from admission import Budget
from tasks.options import Options
budget = Budget(2**30, 60.0, 2**30, 60.0)
found = {}
for name, (text, options) in json.load(sys.stdin).items():
    found[name] = simulator.simulate(text, Options.from_dict({"seed": 5, **options}), budget)
print(json.dumps([stim_engine.AVAILABLE, found]))"""
NOISE = {"depolarizing": {"one_qubit": 0.05, "two_qubit": 0.05}, "readout": {"prob_meas1_prep0": 0.02}}
CHAIN = "".join(f"cx q[{at}], q[{at + 1}];" for at in range(39))
CODE_ROUND = "cx q[0], q[1]; cx q[2], q[1]; s = measure q[1]; reset q[1]; if (s) x q[0];"
PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "wide": (f"{HEAD}qubit[40] q; bit[40] c; h q[0]; {CHAIN} c = measure q;", {"shots": 2_000}),
    "noisy": (f"{HEAD}qubit[3] q; bit[3] c; h q[0]; cx q[0], q[1]; cx q[1], q[2]; c = measure q;", {"noise": NOISE}),
    "fed forward": (
        f"{HEAD}qubit[3] q; bit s; bit[3] c; h q[0]; cx q[0], q[2]; {CODE_ROUND * 3} c = measure q;",
        {"shots": 2_000},
    ),
    "named method": (f"{HEAD}qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;", {"method": "stabilizer"}),
    "observables": (f"{HEAD}qubit[14] q; h q[0]; {CHAIN[: CHAIN.index('cx q[13]')]}", {"observables": ["X" * 14]}),
}


@pytest.fixture(scope="module")
def without() -> dict[str, dict[str, Any]]:
    """Return the outcomes of a process in which there is no Stim."""
    paths = os.pathsep.join(str(ROOT / path) for path in ("layers", "functions/worker"))
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        input=json.dumps(PROGRAMS),
        env={"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    available, found = json.loads(done.stdout.splitlines()[-1])
    assert available is False
    outcomes: dict[str, dict[str, Any]] = found
    return outcomes


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_stim_would_run_runs_without_it(name: str, without: dict[str, dict[str, Any]]) -> None:
    """The distribution and the values are those that Stim gives; one in ten million counts may differ by chance."""
    text, options = PROGRAMS[name]
    ours, theirs = without[name], simulator.simulate(text, Options.from_dict({"seed": 6, **options}), BUDGET)
    assert "stim" not in ours["execution"]["engine"]
    if "observables" in options:
        assert ours["expectation_values"][0]["value"] == pytest.approx(theirs["expectation_values"][0]["value"])
    else:
        assert alike(ours["result"], theirs["result"])


def test_these_programs_are_stims_where_it_is() -> None:
    """Otherwise the test above would compare an engine with itself."""
    pytest.importorskip("stim")
    engines = {
        name: simulator.simulate(text, Options.from_dict({"seed": 6, **options}), BUDGET)["execution"]["engine"]
        for name, (text, options) in PROGRAMS.items()
    }
    assert engines == dict.fromkeys(PROGRAMS, "stim")
