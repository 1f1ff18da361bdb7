"""The local commands: clear words when they cannot start, nothing left running, tasks kept across restarts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.ministack import listening
from local_stack import Stack, eventually
from simulated_aws import BELL

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(name="own")
def fixture_own(tmp_path: Path) -> Iterator[Stack]:
    """Give a stack that is not started yet."""
    stack = Stack(tmp_path / "own")
    yield stack
    stack.command("down")


def submit(stack: Stack) -> str:
    """Submit a Bell task."""
    with stack.http() as http:
        task_id: str = http.post("/tasks", json={"qc": BELL}).json()["task_id"]
        return task_id


@dataclass(frozen=True)
class Kept:
    """A running stack that was stopped and started again, a task that had ended before that, and one that had not."""

    stack: Stack
    finished: dict[str, Any]
    queued: str


@pytest.fixture(scope="module", name="disk")
def fixture_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """Give the mount point of a disk of 200 MB, None for those who may not mount one."""
    disk = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200m", "none", disk], check=False, capture_output=True
    )
    yield None if mounted.returncode else disk
    if mounted.returncode == 0:
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture(scope="module", name="restarted")
def fixture_restarted(disk: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Give a stack that was stopped and started again; those who break it leave it running, its finished task kept."""
    stack = Stack((disk or tmp_path_factory.mktemp("kept")) / "own")
    assert stack.command("up").returncode == 0
    finished, queued = stack.ended(submit(stack)), submit(stack)
    assert stack.command("down").stdout == "Stopped.\n"
    assert stack.command("up").returncode == 0
    yield Kept(stack, finished, queued)
    stack.command("down")


def test_tasks_are_kept_across_a_restart(restarted: Kept) -> None:
    """After a clean stop and start finished tasks can be read and queued ones are run."""
    stack = restarted.stack
    assert stack.ended(restarted.finished["task_id"]) == restarted.finished
    assert stack.ended(restarted.queued)["status"] == "completed"


def test_a_stand_in_that_ends_is_started_again(restarted: Kept) -> None:
    """Meanwhile every request, /health too, is answered as the API answers; what was kept before is there again."""
    stack = restarted.stack
    (standin,) = stack.processes("local.ministack_main")
    answers: list[httpx.Response] = []

    def asked() -> httpx.Response:
        with stack.http() as http:
            answers.append(http.get("/health"))
        return answers[-1]

    os.kill(standin, signal.SIGKILL)
    eventually(lambda: asked().status_code == 503)
    assert eventually(lambda: asked().status_code == 200)
    assert {answer.json()["code"] for answer in answers if answer.status_code != 200} == {"unavailable"}
    assert stack.ended(restarted.finished["task_id"]) == restarted.finished
    assert "MiniStack ended by itself (-9; see" in (stack.folder / "stack.log").read_text()


def test_nothing_is_left_running(restarted: Kept) -> None:
    """Neither a kill nor a clean stop leaves a process, and after a kill the stack starts again."""
    stack = restarted.stack
    stack.ended(submit(stack))
    os.kill(int((stack.folder / "lock").read_text()), signal.SIGKILL)
    eventually(lambda: stack.processes() == {})
    assert stack.command("down").stdout == "Nothing is running.\n"
    started = stack.command("up")
    assert started.returncode == 0, started.stderr
    assert stack.command("down").stdout == "Stopped.\n"
    assert stack.processes() == {}
    assert stack.command("up").returncode == 0


def test_kept_tasks_hold_on_to_their_port(restarted: Kept) -> None:
    """A stack whose tasks were kept starts on the same AWS port again, or says why it cannot."""
    stack = restarted.stack
    endpoint = stack.env["AWS_ENDPOINT_URL"]
    stack.command("down")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(endpoint.rsplit(":", 1)[1])))
        taken.listen()
        refused = stack.command("up")
    assert refused.returncode == 1
    assert "The tasks kept in" in refused.stderr
    assert stack.command("up").returncode == 0
    assert stack.env["AWS_ENDPOINT_URL"] == endpoint


def test_what_could_not_be_saved_is_said(restarted: Kept) -> None:
    """Not "Stopped." alone; the next start continues from the last end that was saved."""
    stack = restarted.stack
    lost = submit(stack)
    in_the_way = stack.folder / "state" / "new"
    in_the_way.write_text("")
    stopped = stack.command("down")
    assert stopped.returncode == 1
    assert stopped.stderr.startswith("Stopped. What was done since the start could not be kept;")
    assert "File exists" in (stack.folder / "ministack.log").read_text()
    in_the_way.unlink()
    assert stack.command("up").returncode == 0
    with stack.http() as http:
        kept = {task["task_id"] for task in http.get("/tasks").json()["tasks"]}
    assert kept >= {restarted.finished["task_id"], restarted.queued}
    assert lost not in kept


def test_a_full_disk_takes_no_task_and_says_so(restarted: Kept, disk: Path | None) -> None:
    """Nothing is acknowledged that cannot be kept, and nothing starts without room; what was kept is there again."""
    if disk is None:
        pytest.skip("a disk can be mounted by root only")
    stack, filler = restarted.stack, disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - 32 * 2**20))
    with stack.http() as http:
        refused = http.post("/tasks", json={"qc": BELL})
        assert (refused.status_code, refused.json()["code"], http.get("/health").status_code) == (
            503,
            "unavailable",
            503,
        )
        assert "MB left and needs 64 to keep tasks. Nothing was stored." in refused.json()["message"]
        assert http.get(f"/tasks/{restarted.finished['task_id']}").status_code == 200
    assert stack.command("down").returncode == 0
    started = stack.command("up")
    assert (started.returncode, "MB left and needs 64 to keep tasks." in started.stderr) == (1, True)
    filler.unlink()
    assert stack.command("up").returncode == 0
    assert stack.ended(restarted.finished["task_id"]) == restarted.finished


def test_a_second_start_says_that_one_runs(stack: Stack) -> None:
    """Starting twice in one folder is refused and the first continues."""
    second = stack.command("up")
    assert second.returncode == 1
    assert "already running" in second.stderr
    assert "make down" in second.stderr
    with stack.http() as http:
        assert http.get("/health").status_code == 200


@pytest.mark.parametrize("name", ["PORT", "AWS_PORT"])
def test_a_busy_port_is_named(own: Stack, name: str) -> None:
    """A port that was asked for and is taken is an error that says so, and nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        started = own.command("up", **{name: str(port)})
    assert started.returncode == 1
    assert f"Port {port} is in use." in started.stderr
    assert own.processes() == {}


COLLIDING = """
import os, signal, socket, sys
from local import __main__ as main
free_port = main.free_port
taken = []
def free_port_then_taken(wanted, usual):
    port = free_port(wanted, usual)
    if not taken:
        taken.append(socket.create_server(("127.0.0.1", port)))
    return port
main.free_port = free_port_then_taken
main.AWS_PORT = 0
async def ready(url):
    os.kill(os.getpid(), signal.SIGTERM)
main.asyncio.run(main.serve(print, ready))
"""


def test_a_port_that_another_program_takes_first_is_replaced(own: Stack) -> None:
    """Two stacks that start at the same time may choose the same free port: the later one takes another."""
    started = subprocess.run(
        [sys.executable, "-c", COLLIDING], env=own.environment(), capture_output=True, text=True, check=False
    )
    assert started.returncode == 0, started.stderr
    starts = re.findall(r"on port (\d+) \.\.\.", started.stdout)
    assert len(set(starts)) == 2
    assert (own.folder / "state" / "port").read_text() == starts[1]


def test_two_programs_never_listen_on_one_port() -> None:
    """The usual port is taken from its choice on, not from the first answer on."""
    with listening(None, 0) as first, listening(None, first.getsockname()[1]) as second:
        assert first.getsockname() != second.getsockname()


def test_a_port_that_is_no_number_is_named(own: Stack) -> None:
    """A setting that is no port says which one."""
    started = own.command("up", PORT="http")
    assert (started.returncode, "PORT is 'http', not a port number." in started.stderr) == (1, True)


def test_nothing_listens_beyond_loopback(stack: Stack) -> None:
    """No process of the stack accepts connections from another machine."""
    inodes = set()
    for table in Path("/proc/net").glob("tcp*"):  # the one of IPv6 is not there where the kernel has it off
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            listening = columns[3] == "0A"
            if listening and columns[1].split(":")[0] not in {"0100007F", "0" * 24 + "01000000"}:
                inodes.add(columns[9])
    ours = set()
    for pid in stack.processes():
        with suppress(OSError):
            ours |= {str(descriptor.readlink()) for descriptor in Path(f"/proc/{pid}/fd").iterdir()}
    assert len(ours) > 3
    assert {f"socket:[{inode}]" for inode in inodes} & ours == set()


def test_a_web_page_reaches_neither_the_stand_in_nor_another_name_of_the_api(stack: Stack) -> None:
    """What a page in the developer's browser can send is refused, and no answer lets it read one."""
    aws, api = stack.env["AWS_ENDPOINT_URL"], stack.env["API_URL"]
    key = {"X-Amz-Security-Token": stack.env["AWS_ACCESS_KEY_ID"]}
    page, rebound = {"Origin": "https://evil.test"}, {"Host": "evil.test"}
    asked = [
        ("GET", f"{aws}/2015-03-31/functions", {}),
        ("GET", f"{aws}/2015-03-31/functions", page | key),
        ("GET", f"{aws}/2015-03-31/functions", rebound | key),
        ("OPTIONS", f"{aws}/2015-03-31/functions", page),
        ("GET", f"{aws}/_ministack/health", {}),
        ("GET", f"{api}/health", rebound),
    ]
    answers = [httpx.request(method, url, headers=headers) for method, url, headers in asked]
    assert [answer.status_code for answer in answers] == [403] * len(asked)
    answers += [httpx.request(method, f"{api}/tasks", headers=page) for method in ("GET", "OPTIONS")]
    assert not [answer for answer in answers if "access-control-allow-origin" in answer.headers]
    assert answers[5].json()["code"] == "access_denied"
    assert httpx.get(f"{aws}/2015-03-31/functions", headers=key).status_code == 200


def test_dry_runs_are_bounded(stack: Stack) -> None:
    """Of twelve at once two are begun at most, in environments of their own; the others are refused with the reason."""
    layer = "for int j in [0:18] { cx q[j], q[j+1]; t q[j]; }"
    heavy = f"qubit[20] q; bit[20] c; for int i in [1:1000] {{ {layer} }} c = measure q;"

    def dry_run(_: int) -> httpx.Response:
        with stack.http() as http:
            return http.post("/tasks?dry_run=true", json={"qc": heavy})

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(dry_run, range(12)))
    assert {answer.status_code for answer in answers} == {200, 429}
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 429} == {"5"}
    assert 1 <= len(stack.processes("-DryRunFunction-", "_worker.py")) <= 2


def test_what_its_client_has_left_ends(stack: Stack) -> None:
    """Eight clients that ask to wait and go away leave no environment that waits in their place."""
    large = (
        "qubit[24] q; bit[24] c; for int i in [1:60] { h q; for int j in [0:22] { cx q[j], q[j+1]; } } c = measure q;"
    )

    def environments() -> set[int]:
        return set(stack.processes("-ApiFunction-", "_worker.py"))

    def leave(_: int) -> None:
        with stack.http() as http, suppress(httpx.ReadTimeout):
            http.get(f"/tasks/{task_id}", headers={"Prefer": "wait=20"}, timeout=1)

    with stack.http() as http:
        task_id = http.post("/tasks", json={"qc": large, "method": "statevector"}).json()["task_id"]
        idle = environments()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(leave, range(8)))
        eventually(lambda: environments() <= idle, patience=30)  # one that is idle lives for a minute
        assert http.delete(f"/tasks/{task_id}").status_code == 200


def test_what_opens_the_stand_in_is_its_owners_to_read(stack: Stack) -> None:
    """The key is drawn at each start, and no other user of the machine can read it."""
    assert (stack.folder / "env").stat().st_mode & 0o777 == 0o600
    assert len(stack.env["AWS_ACCESS_KEY_ID"]) == 32


def test_down_without_a_stack_says_so(own: Stack) -> None:
    """There is nothing to stop in a fresh folder."""
    assert own.command("down").stdout == "Nothing is running.\n"
