"""The command line: what it prints, and its exit codes."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from quantum_circuits.cli import SHOWN_OUTCOMES, histogram, main
from scripted_server import Reply, scripted

if TYPE_CHECKING:
    from pathlib import Path

TASK_ID = "0b84f2f4-52a5-4c3c-9f3a-6a3f5f0a3b56"


def task(status: str, **fields: Any) -> dict[str, Any]:
    """Return a task as the service shows it."""
    named = {"task_id": TASK_ID, "status": status, "message": "It took too long.", "submitted_at": "t", "shots": 3}
    return {**named, **fields}


def run(reply: Reply, *arguments: str) -> tuple[int, Any]:
    """Run a command against a server that gives this reply; return the exit code and the request."""
    with scripted(reply) as server:
        code = main([*arguments, "--url", server.url, "--api-key", "k"])
    return code, server.asked[0] if server.asked else None


def test_run_sends_the_options_that_were_given_and_draws_the_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what was given is sent, inputs typed as JSON; bars are by frequency."""
    file = tmp_path / "bell.qasm"
    file.write_text("input float theta;")
    done = Reply(200, {"task": task("completed", result={"00": 1, "11": 2})})
    arguments = ("run", str(file), "--shots", "3", "--seed", "7", "--input", "theta=0.5", "--observable", "ZZ")
    code, asked = run(done, *arguments)
    assert code == 0
    assert asked.body == {
        "qc": "input float theta;",
        "shots": 3,
        "seed": 7,
        "inputs": {"theta": 0.5},
        "observables": ["ZZ"],
    }
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Task {TASK_ID}: completed"
    assert [line.split()[:3] for line in lines[1:]] == [["11", "2", "66.7%"], ["00", "1", "33.3%"]]
    assert lines[2].count("#") == round(lines[1].count("#") / 2)


@pytest.mark.parametrize(
    ("reply", "code", "text"),
    [
        (Reply(200, task("failed", error={"code": "time_limit"})), 1, "It took too long."),
        (Reply(200, task("cancelled")), 1, "was cancelled"),
        (
            Reply(404, {"message": "Task not found.", "code": "task_not_found", "hint": "Use its key."}),
            3,
            "Task not found.\nHint: Use its key.",
        ),
        (Reply(403, {"message": "No valid key.", "code": "invalid_api_key"}), 3, "No valid key."),
        (Reply(410, {"message": "Gone.", "code": "payload_gone"}), 3, "can no longer be read"),
        (Reply(403, {"message": "Forbidden"}), 4, "Check the URL"),
        (Reply(200, b"<html>"), 4, "Check the URL"),
    ],
)
def test_each_kind_of_end_has_an_exit_code(
    reply: Reply, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code tells a failed task, a refusal and a wrong URL apart, and stderr says what happened."""
    assert run(reply, "get", TASK_ID)[0] == code
    assert text in capsys.readouterr().err


def test_a_wrong_program_is_shown_with_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` of standard input prints the sentence, the line with a caret and the hint, and exits with 2."""
    monkeypatch.setattr("sys.stdin", io.StringIO("hh q;"))
    body = {
        "message": "QASM3 code is not valid",
        "code": "invalid_circuit",
        "detail": "'hh' is not a gate.",
        "line": 1,
        "column": 1,
        "excerpt": "hh q;\n^",
        "hint": "Did you mean h?",
    }
    code, asked = run(Reply(400, body), "check", "-")
    assert (code, asked.path) == (2, "/tasks?dry_run=true")
    assert capsys.readouterr().err == (
        "QASM3 code is not valid: 'hh' is not a gate (line 1, column 1).\n  hh q;\n  ^\nHint: Did you mean h?\n"
    )


def test_json_is_what_the_service_said(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints the answer as it stands, and errors as JSON on stderr."""
    done = task("completed", result={"0": 3})
    assert run(Reply(200, done), "get", TASK_ID, "--json")[0] == 0
    assert json.loads(capsys.readouterr().out) == done
    unknown = {"message": "Task not found.", "code": "task_not_found"}
    assert run(Reply(404, unknown), "get", TASK_ID, "--json")[0] == 3
    assert json.loads(capsys.readouterr().err) == {"error": unknown}


def test_many_outcomes_are_summed_up() -> None:
    """What is beyond the most frequent outcomes stands in one last line."""
    written = io.StringIO()
    histogram({f"{index:06b}": 1 for index in range(40)}, written)
    lines = written.getvalue().splitlines()
    assert len(lines) == SHOWN_OUTCOMES + 1
    assert lines[-1].split()[:3] == ["8", "more", "8"]


def test_a_file_that_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file ends with the code 2 and its name; nothing is sent."""
    with pytest.raises(SystemExit) as ended:
        run(Reply(200), "run", "nowhere.qasm")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "nowhere.qasm cannot be read: No such file or directory\n"


def test_labels_are_sent_listed_and_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By flags of submit and list."""
    file = tmp_path / "bell.qasm"
    file.write_text("qubit q;")
    accepted = Reply(200, {"task_id": TASK_ID, "submitted_at": "t"})
    code, asked = run(accepted, "submit", str(file), "--name", "run 7", "--tag", "a", "--tag", "b")
    assert (code, asked.body) == (0, {"qc": "qubit q;", "name": "run 7", "tags": ["a", "b"]})
    listed = Reply(200, {"tasks": [task("failed", name="run 7", tags=["a", "b"])]})
    code, asked = run(listed, "list", "--name", "run 7", "--tag", "a", "--tag", "b")
    assert (code, asked.query) == (0, {"limit": "100", "name": "run 7", "tag": "a,b"})
    assert capsys.readouterr().out.endswith("3 shots  run 7  #a  #b\n")


def test_usage_is_a_table_and_purge_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each and the total; tags that are not summed up by themselves have one in common."""
    sums = {"tasks": 2, "shots": 20, "compute_seconds": 0.004, "cost_usd": 1.2e-07}
    used = {"from": "2026-11-01", "to": "2026-11-28", "by": "tag", "total": sums, "usage": [{"tag": "", **sums}]}
    assert run(Reply(200, used), "usage", "--by", "tag")[0] == 0
    first, total = capsys.readouterr().out.splitlines()
    assert first.split() == ["(other", "tags)", "2", "tasks", "20", "shots", "0.004", "s", "$0.000000"]
    assert total.split()[:5] == ["2026-11-01", "to", "2026-11-28", "2", "tasks"]
    code, asked = run(Reply(200, {"task_id": TASK_ID, "message": "Task purged."}), "purge", TASK_ID)
    assert (code, asked.method, asked.query) == (0, "DELETE", {"purge": "true"})
    assert capsys.readouterr().out == f"Task {TASK_ID} was purged.\n"


ENTRY = {"type": "probabilities", "qubits": [0], "values": [0.25, 0.75]}


def test_results_are_asked_for_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By a type's name or as JSON; a line each, of a long one how long it is."""
    file = tmp_path / "bell.qasm"
    file.write_text("qubit q;")
    long = {"type": "statevector", "real": [0.0] * 64, "imag": [0.0] * 64}
    done = Reply(200, {"task": task("completed", result={}, results=[{"type": "counts"}, ENTRY, long])})
    asked_for = '{"type": "probabilities", "qubits": [0]}'
    code, asked = run(done, "run", str(file), "--result", "counts", "--result", asked_for, "--result", "statevector")
    assert (code, asked.body["results"]) == (0, ["counts", json.loads(asked_for), "statevector"])
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines == [
        'Result 1 (probabilities): {"qubits": [0], "values": [0.25, 0.75]}',
        "Result 2 (statevector): 64 rows; `result` prints them",
    ]
    swept = Reply(200, task("completed", result=[{}, {}], results=[[ENTRY], [ENTRY]]))
    assert run(swept, "get", TASK_ID)[0] == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Result 0 of binding 1 (probabilities)")


def test_one_result_is_printed_or_saved(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """As JSON, from the storage too; as NumPy's file by its name or on standard output, bytes as they are."""
    assert run(Reply(200, ENTRY), "result", TASK_ID, "1", "--binding", "2")[0] == 0
    assert json.loads(capfdbinary.readouterr().out) == ENTRY
    with scripted(Reply(200, ENTRY)) as storage:
        code, asked = run(Reply(303, b"", {"Location": f"{storage.url}/file"}), "result", TASK_ID)
    assert (code, json.loads(capfdbinary.readouterr().out)) == (0, ENTRY)
    assert (asked.path, asked.headers["accept"]) == (f"/tasks/{TASK_ID}/results/0", "application/json")
    assert "x-api-key" not in {name.lower() for name in storage.asked[0].headers}
    data = b"\x93NUMPY\r\n\x00"
    for to in (str(tmp_path / "found.npy"), "-"):
        with scripted(Reply(200, data)) as storage:
            code, asked = run(Reply(303, b"", {"Location": f"{storage.url}/file"}), "result", TASK_ID, "--npy", to)
        assert (code, asked.headers["accept"]) == (0, "application/x-npy")
    assert (tmp_path / "found.npy").read_bytes() == capfdbinary.readouterr().out == data
    with scripted(Reply(200, data)) as storage, pytest.raises(SystemExit) as ended:
        run(Reply(303, b"", {"Location": f"{storage.url}/file"}), "result", TASK_ID, "--npy", str(tmp_path))
    assert (ended.value.code, b"cannot be written" in capfdbinary.readouterr().err) == (2, True)


def test_a_result_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the code 3 and the service's sentence; one without an array likewise."""
    for status, code in ((404, "result_not_found"), (406, "not_acceptable")):
        refusal = {"message": "There is no such result.", "code": code}
        assert run(Reply(status, refusal), "result", TASK_ID, "7", "--npy", "-")[0] == 3
        assert "There is no such result." in capsys.readouterr().err


def test_a_script_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """To be saved by the shell; as JSON with the task's id."""
    code, asked = run(Reply(200, b"print(1)\n"), "script", TASK_ID, "--binding", "3")
    assert (code, asked.path, asked.query) == (0, f"/tasks/{TASK_ID}/script?binding=3", {"binding": "3"})
    assert capsys.readouterr().out == "print(1)\n"
    assert run(Reply(200, b"print(1)\n"), "script", TASK_ID, "--json")[0] == 0
    assert json.loads(capsys.readouterr().out) == {"task_id": TASK_ID, "script": "print(1)\n"}
