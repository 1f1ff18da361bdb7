"""Writes texts of another library's exporters, with the state that the library itself computes for each.

    python tests/exporters/texts.py qiskit .local/exporters

Run it in an environment with the package that it names. The file PACKAGE.json in that folder has, for each exporter,
name, text and expectation of each circuit: the amplitudes before measurement, the first qubit the most significant bit,
the one outcome of its bits, or null for an empty circuit, which leaves all qubits 0. The library's part is a module of
`writers`:

    PACKAGE, GATES          its name in the registry; its gates' names with how many angles and qubits they take
    PREPARE                 three of them: two rotations of one angle and a gate of two qubits that entangles
    build(size, calls)      a circuit of its own; `state(circuit)` its amplitudes
    PREPARES                (if one needs it) the same by an exporter's name, "" where it has no gate of two qubits
    EXPORTERS               functions from a circuit to a text, by the exporter's name
    FLAWS                   (if it has any) tests of calls that it writes wrongly, by exporter and sentence
    MEASURED                (if it can) the kinds of `Steps` that an exporter can write, by its name, and
    measured(steps)         their circuit
    REGISTERS               which of its registers have names: "both" by default, "bits" or "none"
    NAMED                   (if it has any) names of registers that it writes wrongly, by exporter and sentence
    further()               (if there is more) exporter, name, text and expectation of texts made by hand, and the
                            sentence of those that are written wrongly
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits import Call, at_random, each_gate, named, nothing, steps_at_random

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

OPEN, HELD_OUT = (
    range(20),
    range(7_000_000, 7_000_040),
)  # seeds; those held out are not looked at while something is mended
MODULES = {"amazon-braket-sdk": "braket_sdk", "mqt.core": "mqt_core"}


def expected(module: ModuleType, circuit: Any) -> list[list[float]]:
    """Return the amplitudes of a circuit, each as its real and its imaginary part."""
    return [[complex(value).real, complex(value).imag] for value in module.state(circuit)]


def collect(module: ModuleType, exporter: str) -> dict[str, Any]:
    """Return all texts of an exporter, what it writes wrongly, and what it cannot write, with the library's reason."""
    export: Callable[[Any], str] = module.EXPORTERS[exporter]
    flaws: dict[str, Callable[[Call], bool]] = getattr(module, "FLAWS", {}).get(exporter, {})
    prepare = getattr(module, "PREPARES", {}).get(exporter, module.PREPARE)
    texts: list[list[Any]] = []
    flawed: dict[str, list[list[Any]]] = {sentence: [] for sentence in flaws}
    unwritten: dict[str, str] = {}
    for title, size, calls, gate in each_gate(module.GATES, prepare):
        try:
            circuit = module.build(size, calls)
            text = export(circuit)
        except Exception as error:  # noqa: BLE001 - each library has errors of its own for what it cannot write
            unwritten[gate] = f"{type(error).__name__}: {error}"[:200]
            continue
        sentence = next((sentence for sentence, test in flaws.items() if test(calls[-1])), None)
        (flawed[sentence] if sentence else texts).append([title, text, expected(module, circuit)])
    sure = {
        gate: (angles, qubits)
        for gate, (angles, qubits) in module.GATES.items()
        if gate not in unwritten
        and not any(test(Call(gate, (0.3,) * angles, tuple(range(qubits)))) for test in flaws.values())
    }
    for kind, seeds in (("open", OPEN), ("held out", HELD_OUT)):
        for title, size, drawn in at_random(sure, prepare, seeds):
            calls = [call for call in drawn if not any(test(call) for test in flaws.values())]
            circuit = module.build(size, calls)
            texts.append([f"{kind}: {title}", export(circuit), expected(module, circuit)])
        kinds = getattr(module, "MEASURED", {}).get(exporter)
        if kinds:
            for title, steps in steps_at_random(kinds, seeds, getattr(module, "REGISTERS", "both")):
                texts.append([f"{kind}: {title}", export(module.measured(steps)), steps.outcome()])
    for title, make, outcome, sentence in unusual(module, exporter):
        try:
            text = export(make())
        except Exception as error:  # noqa: BLE001 - as above
            unwritten[title] = f"{type(error).__name__}: {error}"[:200]
            continue
        (flawed.setdefault(sentence, []) if sentence else texts).append([title, text, outcome])
    return {"texts": texts, "flawed": flawed, "unwritten": unwritten}


def unusual(module: ModuleType, exporter: str) -> Iterator[tuple[str, Callable[[], Any], str | None, str | None]]:
    """Yield title, circuit, outcome and flaw of empty circuits, with and without measurements, and of odd names."""
    yield "empty circuit", lambda: module.build(3, []), None, None
    if exporter not in getattr(module, "MEASURED", {}):
        return
    registers = getattr(module, "REGISTERS", "both")
    steps = nothing(registers)
    yield "measurements alone", lambda: module.measured(steps), steps.outcome(), None
    flaws = getattr(module, "NAMED", {}).get(exporter, {})
    for title, name, each in named(registers):
        sentence = next((sentence for sentence, names in flaws.items() if name in names), None)
        yield title, lambda each=each: module.measured(each), each.outcome(), sentence


def main(package: str, folder: Path) -> None:
    """Write the texts of all exporters of a package, which is installed."""
    module = importlib.import_module(f"writers.{MODULES.get(package, package.replace('-', '_'))}")
    found = {exporter: collect(module, exporter) for exporter in module.EXPORTERS}
    for exporter, *text in module.further() if hasattr(module, "further") else ():
        name, written, outcome, *sentence = text
        if sentence:
            found[exporter]["flawed"].setdefault(sentence[0], []).append([name, written, outcome])
        else:
            found[exporter]["texts"].append([name, written, outcome])
    record = {"version": version(module.PACKAGE), "tolerance": getattr(module, "TOLERANCE", 1e-9), "exporters": found}
    (folder / f"{package}.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
