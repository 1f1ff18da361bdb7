"""Reads the texts that other libraries wrote (`texts.py`) and records what became of them.

    python tests/exporters/judge.py .local/exporters

It needs this project's environment. `tests/unit/reader/exporters.json` has, for each exporter of each package, how many
texts it wrote and how many are right, `foreign_texts.json` a few of them; the table of the reader's README is written
from the first. What is not right is printed, and ends the command with 1. With names of packages only these are
judged, and what the records have of others stays. Texts of seeds that are held out are not shown, so that nobody mends
for them (`HELD=1` shows them).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from reader import check, read
from tasks.errors import TaskError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qiskit import QuantumCircuit

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


def difference(text: str, expected: Any, inputs: Mapping[str, object]) -> float:
    """Return how far a text is from what its exporter computes: of amplitudes the largest, up to the global phase."""
    circuit = read(text, inputs, counted=isinstance(expected, str))
    if isinstance(expected, str):
        return float(outcomes(circuit) != {expected.replace(" ", "")})
    circuit.remove_final_measurements()
    found = Statevector(circuit).reverse_qargs().data.ravel()  # of no qubits it is a matrix
    amplitudes = np.eye(1, len(found))[0] if expected is None else np.array(expected) @ [1, 1j]
    if len(found) != len(amplitudes):
        return float("inf")
    return float(np.max(abs(found * np.exp(1j * np.angle(np.vdot(found, amplitudes))) - amplitudes)))


def outcomes(circuit: QuantumCircuit) -> set[str]:
    """Return the values of the registers that are counted in five shots, the last first."""
    names = [register.name for register in reversed(circuit.cregs)]
    counts = AerSimulator().run(circuit, shots=5).result().get_counts()
    kept = circuit.metadata["outputs"]
    return {"".join(value for name, value in zip(names, key.split(), strict=True) if name in kept) for key in counts}


def fault(tolerance: float, text: str, expected: Any, inputs: Mapping[str, object]) -> str | None:
    """Return what is not right about a text: its difference, or the refusal by what the api checks or the worker."""
    try:
        check(text, inputs, counted=isinstance(expected, str))
        far = difference(text, expected, inputs)
    except TaskError as error:
        return f"refused, line {error.line}: {error.message}"
    return None if far <= tolerance else f"wrong by {far:.3g}"


def judge(found: dict[str, Any], tolerance: float, title: str) -> dict[str, Any]:
    """Return the record of an exporter, and print what is not right."""
    faults = [
        (name, text, problem) for name, text, *rest in found["texts"] if (problem := fault(tolerance, text, *rest))
    ]
    flaws = {
        sentence: sum(fault(tolerance, *each) is not None for _, *each in texts)
        for sentence, texts in found["flawed"].items()
    }
    record = {"texts": len(found["texts"]), "right": len(found["texts"]) - len(faults), "flaws": flaws}
    print(f"{title}: {record['right']} of {record['texts']} right")
    for sentence, wrong in flaws.items():
        print(f"    its own flaw, {wrong} texts: {sentence}" if wrong else f"    NO FLAW ANY MORE: {sentence}")
    for reason, names in refusals(found["unwritten"]).items():
        print(
            f"    it refuses {', '.join(names[:4])}{f' and {len(names) - 4} more' if len(names) > 4 else ''}: {reason}"
        )
    shown = [each for each in faults if os.environ.get("HELD") or not each[0].startswith("held out")]
    for name, text, problem in shown[:_SHOWN]:
        print(f"    NOT RIGHT: {name}: {problem}")
        if (name, text, problem) == shown[0]:
            print(text)
    return record


def refusals(unwritten: dict[str, str]) -> dict[str, list[str]]:
    """Return what a library does not write, by its reason's beginning."""
    found: dict[str, list[str]] = {}
    for name, reason in unwritten.items():
        found.setdefault(" ".join(reason.split())[:60], []).append(name)
    return found


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
            inputs,
        ]
        for name, text, expected, inputs in texts
    ]


def noted(flawed: dict[str, list[list[Any]]]) -> list[list[Any]]:
    """Return the first text of each gate that is wrong and has a note of the exporter's own gate."""
    found: dict[str, list[Any]] = {}
    for texts in flawed.values():
        for name, text, expected, inputs in texts:
            try:
                notes = read(text, inputs, counted=False).metadata["notes"]
            except TaskError:
                continue
            if any(" own" in note for note in notes) and difference(text, expected, inputs) > _PLAIN:
                found.setdefault(name.partition("(")[0], [name, text, expected, inputs])
    return list(found.values())


def merged(path: Path, found: dict[str, Any]) -> dict[str, Any]:
    """Return a file's entries by package and version, those of the same packages replaced."""
    packages = {title.split()[0] for title in found}
    kept = {title: each for title, each in json.loads(path.read_text()).items() if title.split()[0] not in packages}
    return dict(sorted((kept | found).items()))


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
    if only:
        record = merged(RECORDS / "exporters.json", record)
        samples = merged(RECORDS / "foreign_texts.json", samples)
    (RECORDS / "exporters.json").write_text(json.dumps(record, indent=1) + "\n")
    (RECORDS / "foreign_texts.json").write_text(json.dumps(samples, indent=None, separators=(",\n", ":")) + "\n")
    before, _, after = README.read_text().partition(HEAD)
    rest = after.partition("\n\n")[2]
    README.write_text(before + "\n".join([HEAD, "|---|---|---|---|---|", *rows(record)]) + "\n\n" + rest)
    every = [found for exporters in record.values() for found in exporters.values()]
    right, texts = (sum(found[key] for found in every) for key in ("right", "texts"))
    flaws = [wrong for found in every for wrong in found["flaws"].values()]
    print(
        f"{len(every)} exporters of {len(record)} packages: {right} of {texts} texts are right; {sum(flaws)} more are"
        f" flaws of the exporters, in {len(flaws)} kinds."
    )
    well = right == texts and all(flaws)
    print("All is as it should be." if well else "Not all is: look for NOT RIGHT and NO FLAW ANY MORE above.")
    return int(not well)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
