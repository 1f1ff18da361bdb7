"""A child that an attacker has taken over: it tries everything from inside, and must fail at all of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from children import Children
from integration.runner.programs import BELL, HEAD, rotated
from integration.runner.test_noise import CHANNELS
from schedule import Program
from tasks.errors import ErrorCode
from tasks.noise.named import MODELS
from tasks.options import Options
from unit.reader.test_constructs import CONSTRUCTS
from verdicts import Completed, Failed, Returned

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

ATTACKS = "integration.runner.attacks:simulate"


def attacked(children: Children) -> dict[str, Any]:
    """Let a child attack this process, its fork server and the other child; return what it says of that."""
    assert children.wait_until_ready()
    fork_server = int(_stat(children.pids[0])[1])
    victims = f"{os.getpid()} {fork_server} {' '.join(map(str, children.pids))}"
    ((_, outcome),) = children.run([Program(victims, Options())], deadline=time.monotonic() + 60)
    assert isinstance(outcome, Completed), outcome
    printed: dict[str, Any] = outcome.payload["execution"]
    return printed


def _stat(pid: int) -> list[str]:
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return file.read().rpartition(")")[2].split()


def test_a_child_that_was_taken_over_can_do_nothing() -> None:
    """Files, sockets, other processes, programs, higher limits, any other system call: each is refused.

    A child may signal and limit itself: of the victims it is one.
    """
    with Children(2, 800, 30.0, simulate=ATTACKS) as pair:
        printed = attacked(pair)
        own = {f"{what} {pid}" for pid in pair.pids for what in ("signal", "signal thread", "limit")}
    done = {name for name, outcome in printed["outcomes"].items() if outcome == "done"}
    assert done - own == set()
    assert len(done) <= 3
    assert len(printed["outcomes"]) > 60
    assert printed["descriptors"] == [0, 1, 2, 3, 4]  # the fourth is its socket, the fifth shows how much memory it has


NOISE = {"depolarizing": {"one_qubit": 0.01, "two_qubit": 0.02}, "readout": {"prob_meas1_prep0": 0.05}}
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"memory": True, "precision": "single"},
    {"noise": NOISE},
    {"observables": ["ZZ", {"XX": 0.5}]},
    {"noise": NOISE, "observables": ["ZZ"]},
)
ERRORS = [
    {"type": "qerror", "operations": ["h"], "instructions": [[{"name": "x", "qubits": [0]}]], "probabilities": [1]}
]
NOISES: tuple[dict[str, Any], ...] = (
    *({"rules": [rule]} for rule in CHANNELS.values()),
    *({"model": name} for name in MODELS),
    {"errors": ERRORS},
    {
        "rules": [{"channel": "thermal_relaxation", "t1": 1.0, "t2": 1.5, "gates": ["idle"]}],
        "durations": {"cx": 0.1, "measure": 0.2},
    },
)
RESULTS: tuple[dict[str, Any], ...] = (
    {"results": ["statevector", {"type": "amplitudes", "states": ["01"]}], "shots": 0},
    {"results": ["probabilities", "density_matrix"], "shots": 0},
    {"results": ["counts", {"type": "expectation", "observable": "XZ", "variance": True}]},
    {"results": [{"type": "samples", "observable": "YX"}]},
    {"results": [{"type": "samples", "observable": {"YX": 0.5, "ZZ": 1.0}}]},
)
# What some method, or noise, has Qiskit take apart.
TAKEN_APART = (
    "cswap q[0], q[1], q[2];",
    "ctrl(4) @ x q[0], q[1], q[2], q[3], q[4];",
    "ctrl(3) @ p(0.3) q[0], q[1], q[2], q[3];",
    "ctrl(2) @ pow(0.5) @ swap q[0], q[1], q[2], q[3];",
    "pow(0.3) @ cswap q[0], q[1], q[2]; pow(0.3) @ iswap q[0], q[1];",
    "ctrl @ ch q[0], q[1], q[2];",
    "crx(0.3) q[0], q[1]; cu(0.1, 0.2, 0.3, 0.4) q[1], q[2];",
    "ecr q[0], q[1]; iswap q[1], q[2]; gpi2(0.3) q[0];",
)
METHODS = ("automatic", "statevector", "density_matrix", "stabilizer", "matrix_product_state", "extended_stabilizer")


def test_every_construct_and_every_option_runs_in_confinement() -> None:
    """None of them imports, opens or asks for what a child may not: that would be an error of ours."""
    programs = [
        Program(text, Options.from_dict({"shots": 10, "seed": 5, **({"inputs": inputs} if inputs else {})}))
        for _, text, _, inputs in CONSTRUCTS
    ]
    programs += [
        Program(text, Options.from_dict({"shots": 10, "seed": 5, "method": method, **options}))
        for text in (BELL, rotated(2, 2), rotated(2, 2, mid_circuit=True), "nonsense", "qubit[2] q; bit c; c = q;")
        for options in OPTIONS
        for method in METHODS
    ]
    programs += [
        Program(text, Options.from_dict({"shots": 10, "seed": 5, "method": method, **options}))
        for text in (rotated(2, 2), rotated(2, 2, mid_circuit=True))
        for options in [
            *({"noise": noise} for noise in NOISES),
            *RESULTS,
            *({**results, "noise": NOISES[0]} for results in RESULTS),
        ]
        for method in ("automatic", "density_matrix", "matrix_product_state")
    ]
    programs += [
        Program(
            f"{'' if 'ecr' in steps else HEAD} qubit[5] q; bit[5] c; {steps} c = measure q;",
            Options.from_dict({"shots": 5, "seed": 5, "method": method, **options}),
        )
        for steps in TAKEN_APART
        for options in ({}, {"noise": NOISE}, {"noise": NOISE, "observables": ["XXXXX"]})  # X on each of five qubits
        for method in ("automatic", "density_matrix", "matrix_product_state")
    ]
    with Children(2, 2_000, 60.0) as pair:
        outcomes = dict(pair.run(programs, deadline=time.monotonic() + 120))
    ours = {ErrorCode.INTERNAL_ERROR, ErrorCode.SIMULATION_ERROR}
    assert [
        (programs[index].qc, outcome)
        for index, outcome in outcomes.items()
        if isinstance(outcome, Returned) or (isinstance(outcome, Failed) and outcome.error.code in ours)
    ] == []
    assert sum(isinstance(outcome, Completed) for outcome in outcomes.values()) > len(programs) / 2


def test_the_worker_closes_itself_to_other_processes_of_its_user() -> None:
    """Even where no filter can be had, the handler's memory and environment are out of a child's reach (prctl(2))."""
    script = "from integration.runner.watched import watched\nwatched()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    printed = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
    )
    assert printed.stdout == "{'environ': True, 'mem': True}\n{'environ': False, 'mem': False}\n"


def test_a_kernel_that_refuses_is_named_once_and_circuits_run(
    monkeypatch: pytest.MonkeyPatch, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """Without seccomp the worker goes on, and one line of its log says that children are not confined."""
    import child_processes

    start = child_processes.subprocess.Popen

    def refused(command: list[str], **more: Any) -> Any:
        """Start the fork server where no system call of that name is known."""
        before = "import confinement; confinement._SECCOMP = (4_000, 4_000); "
        run = f"import runpy, sys; {before}sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
        return start([command[0], "-c", run, *command[1:]], **more)

    monkeypatch.setattr(child_processes.subprocess, "Popen", refused)
    with Children(2, 800, 30.0) as pair:
        outcomes = dict(pair.run([Program(BELL, Options(seed=5))] * 3, deadline=time.monotonic() + 60))
    assert {type(outcome) for outcome in outcomes.values()} == {Completed}
    (line,) = log_lines()
    assert (line["event"], line["reason"]) == (
        "children_unconfined",
        "[Errno 38] The kernel refuses a seccomp filter: Function not implemented",
    )
