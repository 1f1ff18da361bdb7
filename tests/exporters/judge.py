"""Reads the texts that other libraries wrote (`texts.py`) and records what became of them.

    python tests/exporters/judge.py .local/exporters

It needs this project's environment. `tests/unit/reader/exporters.json` has, for each exporter of each package, how many
texts it wrote and how many are right, `foreign_texts.json` a few of them; the table of the reader's README is written
from the first. What is not right is printed, and ends the command with 1. With the name of a package it only prints;
texts of seeds that are held out are not shown, so that nobody mends for them (`HELD=1` shows them).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from reader import read
from tasks.errors import TaskError

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / "tests/unit/reader"
README = ROOT / "layers/reader/README.md"
HEAD = "| Package | Exporter | Texts | Right | Its own flaws |"
_SAMPLES = (
    *("open: random circuit 0", "open: random steps 0", "empty circuit", "measurements alone"),
    *("qubits named 'Alice'", "bits named 'Alice'", "bits named 'x'", "by hand"),
)
_SHOWN = 10
_PLAIN = 0.01  # of an amplitude: a difference that is no rounding


def difference(text: str, expected: Any) -> float:
    """Return how far a text is from what its exporter computes: of amplitudes the largest, up to the global phase."""
    if isinstance(expected, str):
        counts = AerSimulator().run(read(text), shots=5).result().get_counts()
        return float({key.replace(" ", "") for key in counts} != {expected.replace(" ", "")})
    circuit = read(text, counted=False)
    circuit.remove_final_measurements()
    found = Statevector(circuit).reverse_qargs().data.ravel()  # of no qubits it is a matrix
    amplitudes = np.eye(1, len(found))[0] if expected is None else np.array(expected) @ [1, 1j]
    if len(found) != len(amplitudes):
        return float("inf")
    return float(np.max(abs(found * np.exp(1j * np.angle(np.vdot(found, amplitudes))) - amplitudes)))


def fault(text: str, expected: Any, tolerance: float) -> str | None:
    """Return what is not right about a text: its difference, or the refusal."""
    try:
        far = difference(text, expected)
    except TaskError as error:
        return f"refused, line {error.line}: {error.message}"
    return None if far <= tolerance else f"wrong by {far:.3g}"


def judge(found: dict[str, Any], tolerance: float, title: str) -> dict[str, Any]:
    """Return the record of an exporter, and print what is not right."""
    faults = [
        (name, text, problem)
        for name, text, expected in found["texts"]
        if (problem := fault(text, expected, tolerance))
    ]
    flaws = {
        sentence: sum(fault(text, expected, tolerance) is not None for _, text, expected in texts)
        for sentence, texts in found["flawed"].items()
    }
    record = {"texts": len(found["texts"]), "right": len(found["texts"]) - len(faults), "flaws": flaws}
    print(f"{title}: {record}, not written: {found['unwritten']}")
    for sentence in [sentence for sentence, wrong in flaws.items() if not wrong]:
        print(f"    no flaw any more, for its texts are right: {sentence}")
    shown = [each for each in faults if os.environ.get("HELD") or not each[0].startswith("held out")]
    for name, text, problem in shown[:_SHOWN]:
        print(f"    {name}: {problem}")
        if (name, text, problem) == shown[0]:
            print(text)
    return record


def sample(texts: list[list[Any]]) -> list[list[Any]]:
    """Return the few texts that are recorded."""
    return rounded([each for each in texts if each[0].startswith(_SAMPLES[-1]) or each[0] in _SAMPLES])


def rounded(texts: list[list[Any]]) -> list[list[Any]]:
    """Return texts with their amplitudes rounded."""
    return [
        [
            name,
            text,
            [[round(part, 12) for part in each] for each in expected] if isinstance(expected, list) else expected,
        ]
        for name, text, expected in texts
    ]


def noted(flawed: dict[str, list[list[Any]]]) -> list[list[Any]]:
    """Return the first text of each gate that is wrong and has a note of the exporter's own gate."""
    found: dict[str, list[Any]] = {}
    for texts in flawed.values():
        for name, text, expected in texts:
            try:
                notes = read(text, counted=False).metadata["notes"]
            except TaskError:
                continue
            if any(" own" in note for note in notes) and difference(text, expected) > _PLAIN:
                found.setdefault(name.partition("(")[0], [name, text, expected])
    return list(found.values())


def rows(record: dict[str, dict[str, Any]]) -> list[str]:
    """Return the table of the reader's README."""
    return [
        f"| {package} | {exporter} | {found['texts']} | {found['right']} | {'; '.join(found['flaws'])} |"
        for package, exporters in record.items()
        for exporter, found in exporters.items()
    ]


def main(folder: Path, only: list[str]) -> int:
    """Judge all texts; 1 if one is neither right nor a known flaw of its exporter, or if a flaw is none any more."""
    record: dict[str, dict[str, Any]] = {}
    samples: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        if only and path.stem not in only:
            continue
        written = json.loads(path.read_text())
        package = f"{path.stem} {written['version']}"
        record[package] = {
            exporter: judge(found, written["tolerance"], f"{package}, {exporter}")
            for exporter, found in written["exporters"].items()
        }
        samples[package] = {
            exporter: {
                "tolerance": written["tolerance"],
                "texts": sample(found["texts"]),
                "noted": rounded(noted(found["flawed"])),
            }
            for exporter, found in written["exporters"].items()
        }
    if not only:
        (RECORDS / "exporters.json").write_text(json.dumps(record, indent=1) + "\n")
        (RECORDS / "foreign_texts.json").write_text(json.dumps(samples, indent=None, separators=(",\n", ":")) + "\n")
        before, _, after = README.read_text().partition(HEAD)
        rest = after.partition("\n\n")[2]
        README.write_text(before + "\n".join([HEAD, "|---|---|---|---|---|", *rows(record)]) + "\n\n" + rest)
    every = [found for exporters in record.values() for found in exporters.values()]
    right, texts = (sum(found[key] for found in every) for key in ("right", "texts"))
    print(f"{len(every)} exporters: {right} of {texts} right")
    return int(any(found["right"] != found["texts"] or not all(found["flaws"].values()) for found in every))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
