"""The local stack's calls of functions whose clients go away: each ends with its environment, whenever that is."""

from __future__ import annotations

import io
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime

from local.guard import TICKET
from local.ministack_main import Calls

if TYPE_CHECKING:
    import pytest

# No test waits for it: it stands for a function that is still at work when it is left, and is ended from outside.
HANDLER = "import time\ndef handler(event, context):\n    time.sleep(60)\n"


def environment() -> Any:
    """Return an environment, not started yet, of a function that works for a minute."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", HANDLER)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:api"
    config = {"FunctionName": "api", "FunctionArn": arn, "Runtime": "python3.13", "Handler": "index.handler"}
    return lambda_runtime.Worker("api", config, code.getvalue())


def test_a_client_that_leaves_before_there_is_a_process_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that is started after it has gone is ended, and the call with it."""
    calls, started = Calls(), []
    spawn = lambda_runtime.Worker._spawn  # noqa: SLF001 - there is no public way

    def left_meanwhile(starting: Any) -> None:
        calls.end("ticket")
        spawn(starting)
        started.append(starting._proc)  # noqa: SLF001

    monkeypatch.setattr(lambda_runtime.Worker, "_spawn", left_meanwhile)
    monkeypatch.setattr(lambda_runtime.Worker, "invoke", lambda_runtime.Worker.invoke)  # to be put back
    calls.watch()
    answer = environment().invoke({"headers": {TICKET: "ticket"}}, "id")
    assert answer["status"] == "error"
    (process,) = started
    assert isinstance(process, subprocess.Popen)
    assert process.wait(60) != 0


def test_a_client_that_leaves_while_the_process_starts_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call has ended: MiniStack learns of no failure, at which it would end all of the function's processes."""
    calls, start = Calls(), subprocess.Popen

    def ended_at_once(*command: Any, **options: Any) -> Any:
        process = start(*command, **options)
        calls.end("ticket")
        process.terminate()
        process.wait()
        return process

    monkeypatch.setattr(lambda_runtime.subprocess, "Popen", ended_at_once)
    for name in ("invoke", "_spawn"):
        monkeypatch.setattr(lambda_runtime.Worker, name, getattr(lambda_runtime.Worker, name))  # to be put back
    calls.watch()
    assert environment().invoke({"headers": {TICKET: "ticket"}}, "id")["status"] == "error"
