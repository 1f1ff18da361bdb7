"""Runs every OpenQASM program of a folder through reader and simulator and prints what became of each.

    python infra/corpus.py DIR [--lines] [--shots 100] [--qubits 16]

A program ran, was refused (with code, line and message), was too big for this machine to simulate, or crashed the
reader, which is the one thing that must never happen and gives exit code 1. `--lines` feeds each line of each file
alone, comments and blank lines left out, and counts a line that is accepted as wrong. Inputs that a program declares
are given the value 0, or as many zeros.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers"))

from qiskit_aer import AerSimulator

from reader import read
from reader.compiler.inputs import declared
from reader.errors import SourceError
from reader.text.parser import parse
from tasks.errors import TaskError

_FAILED = frozenset(["crashed", "wrong"])


class Row(NamedTuple):
    """What became of one program."""

    name: str
    outcome: str
    detail: str
    milliseconds: float


def zeros(text: str) -> dict[str, object]:
    """Return a value for every input that a program declares; 0 fits every type."""
    try:
        return {node.name: 0 for node in declared(parse(text))}
    except SourceError:
        return {}


def run(name: str, text: str, shots: int, most_qubits: int) -> Row:
    """Read and simulate one program."""
    inputs = zeros(text)
    start = time.perf_counter()
    try:
        circuit = read(text, inputs)
    except TaskError as error:
        place = f"line {error.line}: " if error.line else ""
        return Row(name, "refused", f"{error.code} {place}{error.message}", _since(start))
    except Exception as error:  # noqa: BLE001 - that the reader raises nothing else is what is being looked for
        return Row(name, "crashed", f"{type(error).__name__}: {error}", _since(start))
    spent = _since(start)
    if circuit.num_qubits > most_qubits:
        return Row(name, "ran", f"read only: {circuit.num_qubits} qubits are too many for this machine", spent)
    result = AerSimulator(max_parallel_threads=1).run(circuit, shots=shots, seed_simulator=1).result()
    if not result.success:
        return Row(name, "crashed", str(result.status), spent)
    counts = sorted(result.get_counts().items(), key=lambda item: -item[1])
    shown = ", ".join(f"{key}: {count}" for key, count in counts[:3])
    return Row(name, "ran", shown + (", ..." if len(counts) > 3 else ""), spent)  # noqa: PLR2004 - as many as are shown


def run_lines(path: Path, shots: int, most_qubits: int) -> list[Row]:
    """Feed each line of a file alone; it must be refused with its own line, which is the first."""
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("//"):
            continue
        row = run(f"{path.name}:{number}", line, shots, most_qubits)
        if row.outcome == "ran" or (row.outcome == "refused" and "line 1:" not in row.detail):
            row = row._replace(outcome="wrong")
        rows.append(row)
    return rows


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


def main() -> int:
    """Print the table and the totals; 1 if anything crashed or, with --lines, was accepted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", action="store_true", help="feed each line alone; every one must be refused")
    parser.add_argument("--shots", type=int, default=100)
    parser.add_argument("--qubits", type=int, default=16, help="simulate programs of up to this many qubits")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for path in sorted(arguments.folder.rglob("*.qasm")):
        if arguments.lines:
            rows += run_lines(path, arguments.shots, arguments.qubits)
        else:
            rows.append(run(path.name, path.read_text(), arguments.shots, arguments.qubits))
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        print(f"{row.name:{width}}  {row.outcome:8} {row.milliseconds:8.1f} ms  {row.detail[:140]}")
    totals = Counter(row.outcome for row in rows)
    print(f"{len(rows)} programs: " + ", ".join(f"{count} {name}" for name, count in sorted(totals.items())))
    return int(any(row.outcome in _FAILED for row in rows))


if __name__ == "__main__":
    sys.exit(main())
