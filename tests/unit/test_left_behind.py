"""The local stack leaves nothing behind when what started it, or itself, is killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from local import __main__ as main
from local import ministack

if TYPE_CHECKING:
    import pytest


def ended() -> int:
    """Return the id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def stopped(owner: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether a stack that its stand-in has left is to stop, and not to start again."""
    monkeypatch.setenv(main.OWNER, str(owner))
    looks = iter([None, 0])  # the stand-in runs when it is looked at first, and then no longer
    standin: Any = SimpleNamespace(poll=lambda: next(looks))

    async def look() -> bool:
        stop, showing = asyncio.Event(), asyncio.create_task(asyncio.sleep(0))
        await main._first(stop, standin, showing)  # noqa: SLF001 - what looks
        return stop.is_set()

    return asyncio.run(look())


def test_a_stack_ends_with_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that are killed before they stop their stacks leave none running."""
    assert stopped(ended(), monkeypatch)
    assert not stopped(os.getpid(), monkeypatch)


def test_a_start_removes_what_a_kill_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of environments that nobody could remove is gone when the stand-in starts."""
    left = tmp_path / "tmp" / "ministack-lambda-api-1" / "code"
    left.mkdir(parents=True)
    monkeypatch.setattr(ministack.sys, "executable", "/bin/true")  # in place of the stand-in
    with ministack.ministack(1, tmp_path / "state", tmp_path / "log", "key") as standin:
        standin.process.wait()
        assert list((tmp_path / "tmp").iterdir()) == []


def test_a_start_goes_on_beside_an_environment_that_is_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that something still writes to, and so cannot be removed, is used as it is."""
    left = tmp_path / "tmp" / "ministack-lambda-api-1"
    left.mkdir(parents=True)
    monkeypatch.setattr(ministack.sys, "executable", "/bin/true")  # in place of the stand-in
    monkeypatch.setattr(ministack.shutil, "rmtree", lambda *_, **__: None)  # as where files are made meanwhile
    with ministack.ministack(1, tmp_path / "state", tmp_path / "log", "key") as standin:
        assert standin.process.wait() == 0
        assert left.is_dir()


def test_what_tests_leave_is_in_a_folder_of_pytests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Temporary files of tests and their processes are removed with a run's other folders."""
    ours = tmp_path_factory.getbasetemp()
    script = "import tempfile; print(tempfile.gettempdir())"
    elsewhere = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert [Path(folder).parent for folder in (tempfile.gettempdir(), elsewhere.strip())] == [ours, ours]
