"""The command `quantum-circuits`.

Exit codes: 0 done; 1 the task failed or was cancelled; 2 the command or the program is not valid; 3 the service refused
(key, limits, unknown task); 4 the service cannot be reached or is not configured; 5 the task has not ended in time; 130
Ctrl-C, which cancels nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from quantum_circuits.client import Client
from quantum_circuits.errors import (
    CircuitError,
    ConfigurationError,
    QuantumCircuitsError,
    RefusedError,
    ResultExpiredError,
    TaskCancelledError,
    TaskFailedError,
    UnreachableError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from quantum_circuits.task import Estimate, Task

SHOWN_OUTCOMES = 32
EXIT_CODES: Sequence[tuple[type[QuantumCircuitsError], int]] = (
    (CircuitError, 2),
    (TaskFailedError, 1),
    (TaskCancelledError, 1),
    (RefusedError, 3),
    (ResultExpiredError, 3),
    (ConfigurationError, 4),
    (UnreachableError, 4),
    (WaitTimeoutError, 5),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = command_line()
    given = parser.parse_args(arguments)
    if given.command == "completion":
        return _completion(parser, given.shell)
    try:
        with Client(given.url, given.api_key, profile=given.profile) as client:
            _run(client, given)
    except QuantumCircuitsError as error:
        if given.json and isinstance(error, (RefusedError, TaskFailedError)):
            print(json.dumps({"error": dict(error.body)}), file=sys.stderr)
        else:
            print(error, file=sys.stderr)
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    except KeyboardInterrupt:
        print("Interrupted. Submitted tasks continue; `quantum-circuits list` shows them.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more: nothing more to print
    return 0


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="quantum-circuits",
        description="Run quantum circuits on a Quantum Circuits API.",
        epilog=(__doc__ or "").partition("\n\n")[2].replace("\n", " "),
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--url", help="the service's URL (else QUANTUM_CIRCUITS_URL, else the configuration file)")
    shared.add_argument("--api-key", help="the API key (else QUANTUM_CIRCUITS_API_KEY; others can see arguments)")
    shared.add_argument("--profile", help="the section of the configuration file")
    shared.add_argument("--json", action="store_true", help="print the service's answer as JSON")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, summary: str, *also: argparse.ArgumentParser) -> argparse.ArgumentParser:
        sentence = f"{summary[0].upper()}{summary[1:]}."
        return commands.add_parser(name, help=summary, description=sentence, parents=[shared, *also])

    program, timeout, one = _program(), argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
    timeout.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="how long to wait; the task continues after that"
    )
    one.add_argument("task_id")
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("--binding", type=int, default=0, metavar="N", help="for a sweep: which binding, from 0")
    command("run", "run a program and print its counts", program, timeout)
    command("submit", "submit a program and print its task's id", program)
    command("check", "say what a program would take, or where it is wrong; nothing runs", program)
    command("wait", "wait for a task and print its counts", one, timeout)
    command("get", "print a task's status and what it has returned", one)
    result = command("result", "print one of a task's results as JSON, or save its numbers for NumPy", one, which)
    result.add_argument(
        "index", type=int, nargs="?", default=0, help="which of the requested results, from 0; default 0"
    )
    result.add_argument("--npy", metavar="FILE", help="save a file that numpy.load reads; - writes to standard output")
    command("script", "print a Python program that repeats a task on plain Qiskit and Aer", one, which)
    listed = command("list", "list your tasks, newest first")
    listed.add_argument("--status", choices=["pending", "completed", "failed", "cancelled"])
    listed.add_argument("--name", help="only tasks with exactly this name")
    listed.add_argument(
        "--tag", action="append", help="only tasks with this tag; may be repeated, for tasks that have all of them"
    )
    listed.add_argument("--limit", type=int, default=20, help="how many; default %(default)s")
    command("cancel", "cancel a task that is pending or running", one)
    command("purge", "remove a task's circuit and result; it must have ended", one)
    used = command("usage", "print what your tasks have used, by default in this month")
    used.add_argument("--from", dest="first", metavar="DAY", help="the first day, as 2026-01-31, UTC")
    used.add_argument("--to", dest="last", metavar="DAY", help="the last day, included")
    used.add_argument("--by", choices=["day", "status", "tag"], default="day", help="default %(default)s")
    command("limits", "print every limit in force")
    completion = commands.add_parser(
        "completion", help="print a shell's completion script; needs the extra `completion`"
    )
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    return parser


def _program() -> argparse.ArgumentParser:
    """Return the arguments of a program and its options."""
    program = argparse.ArgumentParser(add_help=False)
    program.add_argument("file", help="an OpenQASM 3 or 2 program; - reads standard input")
    program.add_argument("--shots", type=int)
    program.add_argument("--seed", type=int)
    program.add_argument("--method", help="how the state is represented; `limits` lists the methods")
    program.add_argument("--precision", choices=["double", "single"])
    program.add_argument("--memory", action="store_true", help="also return each shot's outcome")
    program.add_argument("--noise", type=_json_object, metavar="JSON", help='{"depolarizing": {"one_qubit": 0.001}}')
    program.add_argument("--input", type=_binding, action="append", metavar="NAME=VALUE", help="a value of an `input`")
    program.add_argument("--name", help="what you call the task")
    program.add_argument("--tag", action="append", help="a word to find it and sum up usage by; may be repeated")
    program.add_argument(
        "--result",
        type=_result_type,
        action="append",
        metavar="TYPE",
        help='such as statevector, or JSON: {"type": "probabilities", "qubits": [0]}; may be repeated',
    )
    program.add_argument("--observable", action="append", metavar="PAULIS", help="such as ZZ; qubit 0 rightmost")
    return program


def _run(client: Client, given: argparse.Namespace) -> None:
    match given.command:
        case "run":
            _show(client.run(_read(given.file), timeout=given.timeout, **_options(given)), as_json=given.json)
        case "submit":
            task = client.submit(_read(given.file), **_options(given))
            print(json.dumps(dict(task.body)) if given.json else task.task_id)
        case "check":
            _show_estimate(client.dry_run(_read(given.file), **_options(given)), as_json=given.json)
        case "wait":
            _show(client.wait(given.task_id, timeout=given.timeout), as_json=given.json)
        case "get":
            _show(client.get(given.task_id), as_json=given.json)
        case _:
            _manage(client, given)


def _manage(client: Client, given: argparse.Namespace) -> None:
    """Carry out the commands that run no program."""
    match given.command:
        case "list":
            found = client.list(status=given.status, name=given.name, tags=given.tag or (), limit=given.limit)
            _list(found, as_json=given.json)
        case "cancel":
            task = client.cancel(given.task_id)
            print(json.dumps(dict(task.body)) if given.json else f"Task {task.task_id} was cancelled.")
        case "purge":
            client.purge(given.task_id)
            print(json.dumps({"task_id": given.task_id}) if given.json else f"Task {given.task_id} was purged.")
        case "usage":
            _show_usage(client.usage(given.first, given.last, by=given.by), as_json=given.json)
        case "limits":
            print(json.dumps(client.limits(), indent=None if given.json else 2))
        case "script":
            text = client.script(given.task_id, given.binding)
            print(json.dumps({"task_id": given.task_id, "script": text}) if given.json else text, end="")
        case "result":
            _result(client, given)


def _result(client: Client, given: argparse.Namespace) -> None:
    """Print a result, or save its numbers."""
    place = given.task_id, given.index, given.binding
    if given.npy is None:
        print(json.dumps(dict(client.result(*place).body)))
        return
    content = client.result_file(*place)
    if given.npy == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        Path(given.npy).write_bytes(content)
    except OSError as error:
        print(f"{given.npy} cannot be written: {error.strerror}", file=sys.stderr)
        raise SystemExit(2) from None


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        print(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        raise SystemExit(2) from None


def _options(given: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given: what was left out has the service's default."""
    names = ("shots", "seed", "method", "precision", "noise", "name")
    options: dict[str, Any] = {name: getattr(given, name) for name in names}
    options["tags"] = given.tag
    options["inputs"] = dict(given.input) if given.input else None
    options["observables"] = given.observable
    options["results"] = given.result
    options["memory"] = given.memory or None
    return {name: value for name, value in options.items() if value is not None}


def _binding(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return value


def _result_type(text: str) -> str | Mapping[str, Any]:
    return _json_object(text) if text.lstrip().startswith("{") else text


def _show(task: Task, *, as_json: bool) -> None:
    """Print a task; raises as `Task.raise_for_status` does, once what is known has been printed."""
    if as_json:
        print(json.dumps(dict(task.body)))
        task.raise_for_status()
        return
    print(f"Task {task.task_id}: {task.status}")
    result = task.body.get("result")
    if isinstance(result, dict):
        histogram(result, sys.stdout)
    elif isinstance(result, list):
        for index, counts in enumerate(result):
            print(f"Binding {index}")
            histogram(counts, sys.stdout)
    for index, value in enumerate(task.body.get("expectation_values") or []):
        if isinstance(value, dict):
            print(f"Observable {index}: {value['value']:.6g} +- {value['standard_error']:.2g}")
        else:
            print(f"Binding {index}: {', '.join(format(each['value'], '.6g') for each in value)}")
    results = task.body.get("results") or []
    swept = bool(results) and isinstance(results[0], list)
    for binding, entries in enumerate(results if swept else [results]):
        for index, entry in enumerate(entries):
            _show_result(entry, f"{index} of binding {binding}" if swept else str(index))
    for note in task.execution.get("notes", []):
        print(f"Note: {note}")
    task.raise_for_status()


def _show_result(entry: Mapping[str, Any], which: str) -> None:
    """Print a result in a line; of a long one, only how many numbers it has."""
    body = {name: value for name, value in entry.items() if name != "type"}
    if not body:
        return
    numbers = len(entry.get("values", entry.get("real", ())))
    shown = json.dumps(body) if numbers <= SHOWN_OUTCOMES else f"{numbers} rows; `result` prints them"
    print(f"Result {which} ({entry['type']}): {shown}")


def histogram(counts: Mapping[str, int], to: TextIO) -> None:
    """Print counts as bars, most frequent first; more than SHOWN_OUTCOMES are summed up in a last line."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    shown, rest = ordered[:SHOWN_OUTCOMES], ordered[SHOWN_OUTCOMES:]
    rows = [*shown, *([(f"{len(rest)} more", sum(count for _, count in rest))] if rest else [])]
    total = sum(counts.values()) or 1
    names = max((len(name) for name, _ in rows), default=0)
    digits = max((len(str(count)) for _, count in rows), default=0)
    room = max(10, shutil.get_terminal_size().columns - names - digits - 14)
    most = max((count for _, count in rows), default=1)
    for name, count in rows:
        bar = "#" * round(room * count / most)
        print(f"  {name:>{names}}  {count:>{digits}}  {100 * count / total:5.1f}%  {bar}", file=to)


def _show_estimate(estimate: Estimate, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(dict(estimate.body)))
        return
    body = estimate.body
    megabytes = estimate.memory_bytes / 2**20
    print(f"The program is valid: {body['num_qubits']} qubits, {body['gates']} gates, depth {body['depth']}.")
    print(
        f"It would take about {estimate.estimated_seconds:g} s and {megabytes:.0f} MB by the method {estimate.method}."
    )
    print(f"It would cost about ${estimate.cost_usd:g}.")
    for note in body.get("notes", []):
        print(f"Note: {note}")


def _list(tasks: Sequence[Task], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([dict(task.body) for task in tasks]))
        return
    for task in tasks:
        labels = "".join([f"  {task.name}" if task.name else "", *(f"  #{tag}" for tag in task.tags)])
        print(f"{task.task_id}  {task.submitted_at}  {task.status:<9}  {task.shots:>6} shots{labels}")


def _show_usage(usage: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(usage))
        return
    total = {usage["by"]: f"{usage['from']} to {usage['to']}", **usage["total"]}
    for each in [*usage["usage"], total]:
        print(
            f"{each[usage['by']] or '(other tags)':<24}  {each['tasks']:>8} tasks  {each['shots']:>11} shots"
            f"  {each['compute_seconds']:>12.3f} s  ${each['cost_usd']:.6f}"
        )


def _completion(parser: argparse.ArgumentParser, shell: str) -> int:
    try:
        import shtab  # noqa: PLC0415 - an extra
    except ImportError:
        print("Completion needs an extra: pip install 'quantum-circuits-client[completion]'", file=sys.stderr)
        return 4
    print(shtab.complete(parser, shell))
    return 0
