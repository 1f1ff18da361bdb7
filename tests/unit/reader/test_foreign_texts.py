"""Texts of other libraries' exporters are read as the library meant them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from reader import check, read

# As tests/exporters/judge.py wrote them: by package and exporter, the tolerance, and name, text, expectation of each.
RECORDED = json.loads((Path(__file__).parent / "foreign_texts.json").read_text())
JUDGED = json.loads((Path(__file__).parent / "exporters.json").read_text())
README = Path(__file__).parents[3] / "layers" / "reader" / "README.md"
CASES = [(package, exporter) for package, exporters in RECORDED.items() for exporter in exporters]


@pytest.mark.parametrize(("package", "exporter"), CASES)
def test_a_text_means_what_its_exporter_computes(package: str, exporter: str) -> None:
    """The amplitudes before measurement, or the one outcome, are the package's own; its first qubit comes first."""
    for _, text, expected in RECORDED[package][exporter]["texts"]:
        if isinstance(expected, str):
            counts = AerSimulator().run(read(text), shots=5).result().get_counts()
            assert {key.replace(" ", "") for key in counts} == {expected.replace(" ", "")}
            continue
        circuit = read(text, counted=False)
        circuit.remove_final_measurements()
        found, exact = Statevector(circuit).reverse_qargs().data, np.array(expected) @ [1, 1j]
        found = found * np.exp(1j * np.angle(np.vdot(found, exact)))
        np.testing.assert_allclose(found, exact, rtol=0, atol=RECORDED[package][exporter]["tolerance"])


def test_every_exporter_was_read_right() -> None:
    """Of at least 22 exporters of 18 packages every text was right, but for the flaws that are the exporter's own."""
    every = [found for exporters in JUDGED.values() for found in exporters.values()]
    assert len(JUDGED) >= 18
    assert len(every) >= 22
    assert [found["right"] for found in every] == [found["texts"] for found in every]
    assert {package: list(exporters) for package, exporters in RECORDED.items()} == {
        package: list(exporters) for package, exporters in JUDGED.items()
    }


def test_the_readers_table_is_the_record() -> None:
    """Each row has the version, the texts and the flaws that were recorded."""
    _, _, table = README.read_text().partition("| Package | Exporter | Texts | Right | Its own flaws |\n")
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in table.partition("\n\n")[0].splitlines()[1:]]
    assert rows == [
        [package, exporter, str(found["texts"]), str(found["right"]), "; ".join(found["flaws"])]
        for package, exporters in JUDGED.items()
        for exporter, found in exporters.items()
    ]


@pytest.mark.parametrize(
    ("definition", "note"),
    [
        ("gate hxy q0 { U(pi/2, 0, pi/2) q0; }", "Stim writes its H_XY as this, which is another gate."),
        ("gate sydg q0 { U(pi/2, pi/2, pi/2) q0; }", "Stim writes its SQRT_Y_DAG as this, which is another gate."),
        ("gate sqrtnot a {h a; u1(-pi/2) a; h a; }", "QuTiP writes its SQRTNOT as this, which is another gate."),
    ],
)
def test_a_gate_that_its_tool_writes_wrongly_is_noted(definition: str, note: str) -> None:
    """Where the definition is the tool's to the letter; another gate of that name is the program's own affair."""
    name = definition.split()[1]
    text = f'OPENQASM 2.0;\ninclude "qelib1.inc";\n{definition}\nqreg q[1];\ncreg c[1];\n{name} q[0];\nmeasure q -> c;'
    size = check(text)
    assert size is not None
    assert size.notes == (f"Line 3, column 1: {note}",)
    size = check(text.replace("pi/2", "pi/3"))
    assert size is not None
    assert size.notes == ()
