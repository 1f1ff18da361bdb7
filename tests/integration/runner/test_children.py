"""Batches in child processes: whatever one program does, its batch mates finish and every one ends once."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import schedule
from children import Children
from integration.runner.programs import BELL, ghz, rotated
from schedule import Program
from tasks.options import Options
from verdicts import Completed, Failed, Returned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HOOKS = "integration.runner.hooks:simulate"
BELL_COUNTS = {"00": 523, "11": 501}  # 1024 shots, seed 5
RANDOM_BATCHES = int(os.environ.get("RUNNER_RANDOM_BATCHES", "200"))


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    """Two children with 240 MiB each, 480 alone, and three seconds for a task."""
    with Children(2, 800, 3.0, simulate=HOOKS) as pair:
        assert pair.wait_until_ready()
        yield pair


@pytest.fixture(scope="module", name="of_size")
def fixture_of_size() -> Iterator[Callable[[int], Children]]:
    """Give the function that returns so many children, with memory and time enough; made once for all tests."""
    with contextlib.ExitStack() as stack:
        yield cache(lambda size: stack.enter_context(Children(size, 8_000, 60.0)))


def run(children: Children, texts: Iterable[str], *, within_s: float = 60.0, **more: Any) -> dict[int, Any]:
    """Run texts with seed 5, and check that each ends exactly once."""
    programs = [Program(text, Options(seed=5)) for text in texts]
    ended = list(children.run(programs, deadline=time.monotonic() + within_s, **more))
    assert sorted(index for index, _ in ended) == list(range(len(programs)))
    return dict(ended)


def code(outcome: Any) -> str:
    """Return a failure's code."""
    assert isinstance(outcome, Failed), outcome
    return str(outcome.error.code)


def alive(pid: int) -> bool:
    """Tell whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_gone(pids: Iterable[int]) -> None:
    """Return when none of them is alive; fail after ten seconds."""
    until = time.monotonic() + 10
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < until
        os.sched_yield()


def test_a_sweep_comes_back_as_lists(children: Children) -> None:
    """A child's answer to a sweep has a list of counts; its error names the binding."""
    text = "input float a; qubit q; rx(a) q; measure q;"
    sweeps = ([{"a": 0}, {"a": math.pi}], [{"a": 0}, {"a": []}])
    programs = [Program(text, Options.from_dict({"inputs": sweep, "shots": 9})) for sweep in sweeps]
    good, bad = (outcome for _, outcome in sorted(children.run(programs, deadline=time.monotonic() + 60)))
    assert isinstance(good, Completed)
    assert good.payload["result"] == [{"0": 9}, {"1": 9}]
    assert code(bad) == "invalid_inputs"
    assert bad.error.binding == 1


def test_a_bad_circuit_hurts_nobody_but_its_sender(children: Children) -> None:
    """One exhausts memory, one loops, one crashes, one does not parse: four codes, and the other six complete."""
    bad = {1: "EXHAUST", 3: "LOOP", 5: "SEGFAULT", 7: "OPENQASM 3; nonsense"}
    outcomes = run(children, [bad.get(index, BELL) for index in range(10)])
    assert {index: code(outcomes[index]) for index in bad} == {
        1: "memory_limit",
        3: "time_limit",
        5: "simulation_error",
        7: "invalid_circuit",
    }
    assert [outcomes[index].payload["result"] for index in range(10) if index not in bad] == [BELL_COUNTS] * 6


def test_each_result_belongs_to_its_program(children: Children) -> None:
    """Outcomes come out of order, and each under its own index, also when programs are sent ahead."""
    outcomes = run(children, [ghz(2 + index % 7) for index in range(40)])
    for index, outcome in outcomes.items():
        assert {"0" * (2 + index % 7), "1" * (2 + index % 7)} == set(outcome.payload["result"])


def test_counts_do_not_depend_on_company(of_size: Callable[[int], Children]) -> None:
    """The same program and seed give the same counts alone, in a batch, in one child or two, on one thread or two."""
    texts = [rotated(4), rotated(17, 2), rotated(3, 2, mid_circuit=True), ghz(14)]
    seen = []
    for some in map(of_size, (1, 2)):
        batch = run(some, texts * 2)
        seen.append([batch[index].payload["result"] for index in range(4)])
        seen.append([batch[index + 4].payload["result"] for index in range(4)])
        seen.append([run(some, [text])[0].payload["result"] for text in texts])
    assert [seen[0]] * 6 == seen


def test_counts_do_not_depend_on_cores(of_size: Callable[[int], Children]) -> None:
    """Every method gives the same counts with one, two and six threads and children, more than there are cores too."""
    texts = {
        "statevector": rotated(16),
        "density_matrix": rotated(8, 2),
        "stabilizer": ghz(20),
        "matrix_product_state": rotated(16),
    }
    programs = [Program(text, Options(seed=5, shots=100, method=method)) for method, text in texts.items()]
    seen = []
    for some in map(of_size, (1, 2, 6)):
        assert some.wait_until_ready()
        for batch in (programs, *([program] for program in programs)):
            ended = dict(some.run(batch, deadline=time.monotonic() + 60))
            seen.append([ended[index].payload["result"] for index in range(len(batch))])
    each = len(programs) + 1
    once, *alone = seen[:each]
    assert [counts for (counts,) in alone] == once
    assert seen == seen[:each] * 3


def test_children_are_forked_from_a_single_thread(children: Children) -> None:
    """The fork server has one thread when it forks: what warmed it up has ended."""
    fork_server = run(children, ["LOOK"])[0].payload["execution"]["parent"]
    assert len(list(Path(f"/proc/{fork_server}/task").iterdir())) == 1


@pytest.mark.parametrize("misdeed", ["RUBBISH", "LIE"])
def test_a_child_that_talks_rubbish_is_killed(children: Children, misdeed: str) -> None:
    """What is no frame, or no outcome, is a crash: tried twice, then the program fails and its mate completes."""
    outcomes = run(children, [misdeed, BELL])
    assert code(outcomes[0]) == "simulation_error"
    assert outcomes[1].payload["result"] == BELL_COUNTS


def test_a_crash_that_does_not_repeat_is_forgiven(children: Children) -> None:
    """A program whose child crashed once completes in a fresh one."""
    (outcome,) = run(children, [f"DIE_ONCE {int(signal.SIGSEGV)}"]).values()
    assert isinstance(outcome, Completed)


def test_a_crash_is_tried_again_without_branches(children: Children) -> None:
    """A program that the simulator dies of only because shots shared their beginnings completes without that."""
    (outcome,) = run(children, ["DIE_BRANCHING"]).values()
    assert outcome == Completed({"result": {"0": 1}, "execution": {}})


def test_the_short_start_first_and_what_has_run_last(of_size: Callable[[int], Children]) -> None:
    """Of ten programs for one child the shortest runs first, then the others as they came; one that has run, last."""
    long = f"{BELL}{'// a long comment' * 50}"
    programs = [Program(BELL, Options(seed=5), has_run=True)]
    programs += [Program(long, Options(seed=5)) for _ in range(8)] + [Program(BELL, Options(seed=5))]
    ended = [index for index, _ in of_size(1).run(programs, deadline=time.monotonic() + 120)]
    assert ended == [9, *range(1, 9), 0]


def test_what_runs_long_makes_way_for_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine endless programs in front of a Bell pair: it has its counts first; then they run, one by one."""
    monkeypatch.setattr(schedule, "SLICE_S", 0.1)
    programs = [Program("HANG", Options(seed=5)) for _ in range(9)] + [Program(BELL, Options(seed=5))]
    with Children(1, 900, 3.0, simulate=HOOKS) as one:
        assert one.wait_until_ready()
        ended = list(one.run(programs, deadline=time.monotonic() + 8.5))
    outcomes = dict(ended)
    assert [index for index, outcome in ended if isinstance(outcome, Completed)] == [9]
    assert ended[0][0] == 9
    ran_out = [index for index, outcome in ended if isinstance(outcome, Failed) and outcome.ran_out_of_time]
    assert ran_out in ([0], [0, 1])  # as many as the batch has whole time limits for
    postponed = [index for index in range(9) if index not in ran_out]
    assert [outcomes[index] for index in postponed] == [Returned("postponed", started=True)] * len(postponed)


def test_without_its_whole_time_what_has_run_is_postponed(of_size: Callable[[int], Children]) -> None:
    """A program that used up time before does not start with less than its time limit left, unless it is the first."""
    programs = [Program(BELL, Options(seed=5)), Program(BELL, Options(seed=5), has_run=True)]
    both = dict(of_size(1).run(programs, deadline=time.monotonic() + 50))
    (alone,) = of_size(1).run(programs[1:], deadline=time.monotonic() + 50)
    assert isinstance(both[0], Completed)
    assert both[1] == Returned("postponed", started=False)
    assert isinstance(alone[1], Completed)


def test_without_processes_everything_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process, socket or pipe can be had, the programs go back, and no exception takes the batch with it."""
    with Children(1, 900, 30.0, simulate=HOOKS) as one:
        assert one.wait_until_ready()

        def refuse(*_: object, **__: object) -> None:
            raise BlockingIOError

        monkeypatch.setattr(subprocess, "Popen", refuse)
        monkeypatch.setattr(os, "pipe2", refuse)
        ended = dict(
            one.run([Program("SEGFAULT", Options()), Program(BELL, Options())], deadline=time.monotonic() + 20)
        )
    assert set(ended) == {0, 1}
    assert all(isinstance(outcome, Returned) and outcome.reason == "unavailable" for outcome in ended.values())


def test_nothing_starts_while_it_is_held(children: Children) -> None:
    """Programs wait while `wait` says so, then all of them run; each outcome has its size in bytes."""
    assert children.wait_until_ready()
    answers = iter([True] * 20)
    outcomes = run(children, [BELL] * 4, hold=lambda: next(answers, False))
    assert next(answers, None) is None
    assert [outcome.payload["result"] for outcome in outcomes.values()] == [BELL_COUNTS] * 4
    assert all(100 < outcome.size < 1_000 for outcome in outcomes.values())


def test_a_held_batch_still_ends_at_its_deadline(children: Children) -> None:
    """What was held until the time is up is returned, not started."""
    outcomes = run(children, [BELL] * 2, within_s=2.0, hold=lambda: True)
    assert outcomes == {0: Returned("deadline"), 1: Returned("deadline")}


def test_a_kill_from_outside_is_not_held_against_the_program(children: Children) -> None:
    """SIGKILL without a sign of memory: tried once more, then back to the queue rather than failed."""
    outcomes = run(children, ["DIE", f"DIE_ONCE {int(signal.SIGKILL)}"])
    assert outcomes[0] == Returned("killed", started=True)
    assert isinstance(outcomes[1], Completed)


def test_an_unexpected_error_is_ours_and_stays_in_the_log(
    children: Children, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """The client gets internal_error and none of the exception's text; the log has the trace."""
    outcomes = run(children, ["STUMBLE", BELL])
    assert code(outcomes[0]) == "internal_error"
    assert "secret" not in str(outcomes[0].error.as_dict())
    (line,) = log_lines()
    assert line["event"] == "child_faulty"
    assert "the secret of the house" in line["exception"]
    assert outcomes[1].payload["result"] == BELL_COUNTS


def test_an_abort_for_memory_is_a_memory_limit(children: Children) -> None:
    """C++ says bad_alloc on its way out: the program is tried with all the memory, then fails with the limit."""
    (outcome,) = run(children, ["ABORT_OF_MEMORY"]).values()
    assert code(outcome) == "memory_limit"
    assert outcome.error.limit == children.limits.alone_bytes


def test_a_large_circuit_gets_the_worker_alone() -> None:
    """24 qubits take 256 MiB: over one child's share, so it runs after its mates, and completes."""
    programs = [Program(rotated(24), Options(seed=5, shots=1, method="statevector")), Program(BELL, Options(seed=5))]
    with Children(2, 900, 60.0) as pair:
        ended = dict(pair.run(programs, deadline=time.monotonic() + 120))
    assert [isinstance(ended[index], Completed) for index in range(2)] == [True, True]
    assert list(ended) == [1, 0]


def test_a_program_alone_is_not_starved_by_later_mates(children: Children) -> None:
    """At the last moment that leaves it its whole time limit, what stands later in the batch makes way for it."""
    assert children.wait_until_ready()
    outcomes = run(children, ["NEED_EVERYTHING", "HANG", BELL], within_s=4.2)
    assert outcomes[0] == Completed({"result": {"0": 1}, "execution": {"threads": 2}})
    assert outcomes[1] == Returned("deadline", started=True)
    assert outcomes[2].payload["result"] == BELL_COUNTS


def test_a_program_alone_waits_for_earlier_mates(children: Children) -> None:
    """The order of the batch is the order of rights: an earlier program runs to its own end first."""
    outcomes = run(children, ["HANG", "NEED_EVERYTHING"], within_s=5.5)
    assert code(outcomes[0]) == "time_limit"
    assert isinstance(outcomes[1], Completed)


def test_40_qubits_as_a_statevector_are_refused(children: Children) -> None:
    """16 TiB are refused before anything runs, with limit, actual and hint; GHZ and MPS of that width run."""
    wide = rotated(40)
    programs = [
        Program(wide, Options(seed=5, method="statevector")),
        Program(ghz(40), Options(seed=5)),
        Program(wide, Options(seed=5, method="matrix_product_state", shots=10)),
        Program(wide, Options(seed=5, shots=10)),
    ]
    outcomes = dict(children.run(programs, deadline=time.monotonic() + 60))
    assert outcomes[0].error.as_dict() == {
        "code": "circuit_too_large",
        "message": "The circuit uses 40 qubits; the limit of the statevector method in double precision is 24 qubits.",
        "limit": 24,
        "actual": 40,
        "hint": 'Use "method": "matrix_product_state", or fewer qubits.',
    }
    methods = [outcomes[index].payload["execution"]["method"] for index in (1, 2, 3)]
    assert methods == ["stabilizer", "matrix_product_state", "statevector"]


def test_the_deadline_returns_what_runs_and_what_waits(children: Children) -> None:
    """At the deadline running programs are killed, and both kinds go back to the queue, marked as begun or not."""
    outcomes = run(children, ["HANG", "HANG", BELL], within_s=2.0)
    assert [outcomes[index] for index in range(3)] == [
        Returned("deadline", started=True),
        Returned("deadline", started=True),
        Returned("deadline", started=False),
    ]


def test_nothing_starts_without_time(children: Children) -> None:
    """A batch that comes too late is returned whole, unstarted."""
    outcomes = run(children, [BELL, BELL], within_s=0.1)
    assert list(outcomes.values()) == [Returned("deadline")] * 2


def test_tick_hears_what_is_unfinished_and_stops_what_it_names(children: Children) -> None:
    """A cancelled program's child is killed at the next tick, a waiting one is dropped, the rest completes."""
    assert children.wait_until_ready()
    heard = []

    def tick(indices: Any) -> list[int]:
        heard.append(list(indices))
        return [0, 1, 4]

    outcomes = run(children, ["HANG", "HANG", BELL, BELL, BELL], tick=tick, tick_every_s=0.1)
    assert heard[0] == [0, 1, 2, 3, 4]
    assert [outcomes[index] for index in (0, 1, 4)] == [
        Returned("stopped", started=True),
        Returned("stopped", started=True),
        Returned("stopped", started=False),
    ]
    assert [outcomes[index].payload["result"] for index in (2, 3)] == [BELL_COUNTS] * 2


def test_a_consumer_that_leaves_early_leaves_nothing_running(children: Children) -> None:
    """Closing the iterator kills what still runs; the next batch is not disturbed."""
    batch = children.run([Program(BELL, Options(seed=5)), Program("HANG", Options())], deadline=time.monotonic() + 60)
    assert next(batch)[0] == 0
    batch.close()  # type: ignore[attr-defined]
    assert run(children, [BELL])[0].payload["result"] == BELL_COUNTS


def test_children_that_died_in_the_freeze_are_replaced(children: Children) -> None:
    """Between batches every child dies: the next batch runs in new ones, and no program is blamed."""
    assert children.wait_until_ready()
    before = children.pids
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_gone(before)
    outcomes = run(children, [BELL] * 4)
    assert [outcomes[index].payload["result"] for index in range(4)] == [BELL_COUNTS] * 4
    assert not set(before) & set(children.pids)


def test_a_dead_fork_server_is_replaced() -> None:
    """The fork server dies under a batch: a new one is started, and the batch completes."""
    with Children(2, 800, 30.0, simulate=HOOKS) as pair:
        looked = run(pair, ["LOOK"])[0].payload["execution"]
        os.kill(looked["parent"], signal.SIGKILL)
        outcomes = run(pair, [BELL] * 4)
    assert [outcomes[index].payload["result"] for index in range(4)] == [BELL_COUNTS] * 4


def test_a_simulator_that_cannot_be_loaded_returns_the_batch() -> None:
    """Nothing hangs and nothing fails when the fork server cannot import: the programs go back to the queue."""
    with Children(1, 800, 30.0, simulate="no_such_module:simulate") as broken:
        outcomes = run(broken, [BELL, BELL])
    assert {outcome.reason for outcome in outcomes.values()} <= {"unavailable", "killed"}


def test_a_child_sees_no_secret(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials are in a child's environment, nor anything that says where the tables are."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with Children(1, 800, 30.0, simulate=HOOKS) as one:
        seen = run(one, ["LOOK"])[0].payload["execution"]
    assert not [name for name in seen["environment"] if name.startswith("AWS")]
    assert children.limits.children == 2


def test_a_lone_program_gets_every_thread(children: Children) -> None:
    """Alone, a program may use all threads; in company one each."""
    assert run(children, ["LOOK"])[0].payload["execution"]["threads"] == 2
    outcomes = run(children, ["LOOK", "LOOK", "LOOK"])
    assert outcomes[0].payload["execution"]["threads"] == 1


_PARENT = f"""
import json, sys, time
from children import Children
from schedule import Program
from tasks.options import Options
children = Children(2, 800, 60.0, simulate={HOOKS!r})
(_, looked), = children.run([Program("LOOK", Options())], deadline=time.monotonic() + 60)
children.wait_until_ready()
print(json.dumps([looked.payload["execution"]["parent"], *children.pids]), flush=True)
list(children.run([Program("LOOP", Options())] * 2, deadline=time.monotonic() + 60))
"""


def test_a_killed_parent_leaves_no_process() -> None:
    """SIGKILL to the handler's process, in the middle of a batch, ends the fork server and its children."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pids = json.loads(parent.stdout.readline())
        assert [alive(pid) for pid in pids] == [True] * 3
        parent.kill()
    wait_gone(pids)


_READ_ONLY = f"""
import os, sys, time
assert not os.access("/dev/shm", os.W_OK) or os.statvfs("/dev/shm").f_flag & os.ST_RDONLY
from children import Children
from schedule import Program
from tasks.options import Options
with Children(2, 800, 60.0) as children:
    outcomes = list(children.run([Program({BELL!r}, Options(seed=5))] * 3, deadline=time.monotonic() + 60))
assert not [name for name in sys.modules if name in ("multiprocessing.synchronize", "qiskit", "numpy")]
print([outcome.payload["result"] for _, outcome in outcomes])
"""


def test_it_runs_where_shared_memory_is_read_only() -> None:
    """As in Lambda: /dev/shm cannot be written; nor does the parent ever import Qiskit or NumPy."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = 'mount -t tmpfs -o ro tmpfs /dev/shm && exec "$0" "$@"'
    probe = subprocess.run([*unshare, mount, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("user namespaces are not to be had here")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [*unshare, mount, sys.executable, "-c", _READ_ONLY],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{[BELL_COUNTS] * 3}\n", "")


def test_random_kills_lose_nothing() -> None:
    """Many batches while children are killed at random: every program ends once, and every count is right.

    After up to eight kills a delivery is left alone; as many return a part of its programs, which are delivered again.
    Without an end to them the children of a busy machine, which need longer for a program, would hardly end one.
    """
    chance = random.Random(20_261_120)
    struck = 0
    with Children(2, 800, 30.0, simulate=HOOKS) as pair:
        for _ in range(RANDOM_BATCHES):
            left = set(range(10))
            for _attempt in range(200):  # each one is a delivery
                indices = sorted(left)
                most = struck + chance.randrange(9)

                def strike(_indices: Any, most: int = most) -> list[int]:
                    nonlocal struck
                    if struck < most and chance.random() < 0.2 and pair.pids:
                        struck += 1
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(chance.choice(pair.pids), signal.SIGKILL)
                    return []

                programs = [Program(ghz(2 + index), Options(seed=5)) for index in indices]
                deadline = time.monotonic() + 60
                for at, outcome in pair.run(programs, deadline=deadline, tick=strike, tick_every_s=0.001):
                    index = indices[at]
                    if isinstance(outcome, Returned):
                        continue
                    assert index in left
                    left.remove(index)
                    counts = outcome.payload["result"]
                    assert sum(counts.values()) == 1_024
                    assert set(counts) == {"0" * (2 + index), "1" * (2 + index)}
                if not left:
                    break
            assert not left
    assert struck >= RANDOM_BATCHES / 2
