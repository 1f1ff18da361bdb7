"""Writes texts of another library's exporters, with the state that the library itself computes for each.

    python tests/exporters/texts.py qiskit .local/exporters

Run it in an environment with the package that it names. The file PACKAGE.json in that folder has, for each exporter,
name, text, expectation and inputs of each circuit. What is expected are the amplitudes before measurement, the first
qubit the most significant bit; the one outcome of its bits; several outcomes with their probabilities; or null for an
empty circuit, which leaves all qubits 0. The library's part is a module of `writers`:

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
    SYMBOLIC                (if it can) the exporters that write symbols; for each, what it writes wrongly: names and
                            titles of `circuits.EXPRESSIONS`, by sentence
    symbol(name)            a symbol of the library, which `build` takes for an angle
    further()               (if there is more) exporter, name, text and expectation of texts made by hand, and the
                            sentence of those that are written wrongly; for inputs, None and they stand in its place
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits import Call, at_random, each_gate, named, nothing, steps_at_random, symbolic

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping
    from types import ModuleType

OPEN, HELD_OUT = (
    range(20),
    range(7_000_000, 7_000_040),
)  # seeds; those held out are not looked at while something is mended
_INPUT = re.compile(r"^input \w+(?:\[\d+\])? (.*);$", re.MULTILINE)
MODULES = {"amazon-braket-sdk": "braket_sdk", "mqt.core": "mqt_core"}


def expected(module: ModuleType, circuit: Any) -> list[list[float]]:
    """Return the amplitudes of a circuit, each as its real and its imaginary part."""
    return [[complex(value).real, complex(value).imag] for value in module.state(circuit)]


class Found:
    """What an exporter wrote: texts, what it writes wrongly by sentence, and what it cannot write, with its reason.

    A text is its name, itself, what is expected and the values of its inputs.
    """

    def __init__(self, module: ModuleType, exporter: str) -> None:
        self.module = module
        self.export: Callable[[Any], str] = module.EXPORTERS[exporter]
        self.flaws: dict[str, Callable[[Call], bool]] = getattr(module, "FLAWS", {}).get(exporter, {})
        self.texts: list[list[Any]] = []
        self.flawed: dict[str, list[list[Any]]] = {sentence: [] for sentence in self.flaws}
        self.unwritten: dict[str, str] = {}

    def add(self, title: str, text: str, outcome: Any, sentence: str | None = None, inputs: Any = None) -> None:
        """Add a text, to those of a flaw if it has one."""
        each = [title, text, outcome, dict(inputs or {})]
        (self.flawed.setdefault(sentence, []) if sentence else self.texts).append(each)

    def written(self, make: Callable[[], Any], title: str) -> tuple[Any, str] | None:
        """Return a circuit and its text, or nothing where the library refuses it, with the reason kept."""
        try:
            circuit = make()
            return circuit, self.export(circuit)
        except Exception as error:  # noqa: BLE001 - each library has errors of its own for what it cannot write
            self.unwritten[title] = f"{type(error).__name__}: {error}"[:200]
            return None

    def flaw_of(self, call: Call) -> str | None:
        """Return the sentence of the flaw that a call shows."""
        return next((sentence for sentence, test in self.flaws.items() if test(call)), None)


def collect(module: ModuleType, exporter: str) -> Found:
    """Return all texts of an exporter."""
    found = Found(module, exporter)
    prepare = getattr(module, "PREPARES", {}).get(exporter, module.PREPARE)
    for title, size, calls, gate in each_gate(module.GATES, prepare):
        if written := found.written(lambda size=size, calls=calls: module.build(size, calls), gate):
            found.add(title, written[1], expected(module, written[0]), found.flaw_of(calls[-1]))
    sure = {
        gate: (angles, qubits)
        for gate, (angles, qubits) in module.GATES.items()
        if gate not in found.unwritten and not found.flaw_of(Call(gate, (0.3,) * angles, tuple(range(qubits))))
    }
    for kind, seeds in (("open", OPEN), ("held out", HELD_OUT)):
        for title, size, drawn in at_random(sure, prepare, seeds):
            circuit = module.build(size, [call for call in drawn if not found.flaw_of(call)])
            found.add(f"{kind}: {title}", found.export(circuit), expected(module, circuit))
        if kinds := getattr(module, "MEASURED", {}).get(exporter):
            for title, steps in steps_at_random(kinds, seeds, getattr(module, "REGISTERS", "both")):
                found.add(f"{kind}: {title}", found.export(module.measured(steps)), steps.outcome())
    for title, make, outcome, sentence in unusual(module, exporter):
        if written := found.written(make, title):
            found.add(title, written[1], outcome, sentence)
    add_symbolic(found, getattr(module, "SYMBOLIC", {}).get(exporter), prepare)
    return found


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


def add_symbolic(found: Found, flaws: Mapping[str, Container[str]] | None, prepare: tuple[str, str, str]) -> None:
    """Add texts of two rotations by an angle of symbols: its inputs have the names that the text declares."""
    if flaws is None:
        return
    build = found.module.build

    def calls(angle: Any) -> list[Call]:
        return [Call(prepare[0], (angle,), (0,)), Call(prepare[1], (angle,), (1,))]

    for title, known_as, make, value, values in symbolic(found.module.symbol):
        written = found.written(lambda make=make: build(2, calls(make())), title)
        if written is None:
            continue
        declared = _INPUT.findall(written[1])
        inputs = dict(zip(declared, values.values(), strict=False)) if len(values) == 1 else values
        inputs = {name: inputs[name] for name in declared if name in inputs}
        sentence = next((sentence for sentence, names in flaws.items() if known_as in names), None)
        found.add(title, written[1], expected(found.module, build(2, calls(value))), sentence, inputs)


def main(package: str, folder: Path) -> None:
    """Write the texts of all exporters of a package, which is installed."""
    module = importlib.import_module(f"writers.{MODULES.get(package, package.replace('-', '_'))}")
    found = {exporter: collect(module, exporter) for exporter in module.EXPORTERS}
    for exporter, *text in module.further() if hasattr(module, "further") else ():
        found[exporter].add(*text)
    exporters = {
        exporter: {"texts": each.texts, "flawed": each.flawed, "unwritten": each.unwritten}
        for exporter, each in found.items()
    }
    record = {
        "version": version(module.PACKAGE),
        "tolerance": getattr(module, "TOLERANCE", 1e-9),
        "exporters": exporters,
    }
    (folder / f"{package}.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
