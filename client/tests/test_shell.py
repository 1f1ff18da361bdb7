"""What the extras add in a terminal: a progress bar, and completion of the command."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from quantum_circuits.cli import main

if TYPE_CHECKING:
    import pytest

    from quantum_circuits import Client


def test_progress_counts_the_bindings_that_have_ended(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bar on stderr ends at all bindings of a sweep of two tasks."""
    limits = client.limits()
    monkeypatch.setattr(client, "_limits", {**limits, "run": {**limits["run"], "max_bindings": 2}})
    program = "input float a; qubit q; bit c; rx(a) q; c = measure q;"
    client.sweep(program, [{"a": 0.1 * index} for index in range(3)], progress=True)
    assert "3/3" in capsys.readouterr().err


def test_completion_is_a_script_that_bash_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """The script has no syntax error and completes the commands."""
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    asked = "COMP_WORDS=(quantum-circuits can) COMP_CWORD=1; _shtab_quantum_circuits; echo ${COMPREPLY[@]}"
    ran = subprocess.run(["bash"], input=f"{script}\n{asked}\n", capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.split()) == (0, ["cancel"]), ran.stderr
