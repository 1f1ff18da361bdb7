"""Texts of other libraries' exporters are read as the library meant them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

from reader import check, read

# As tests/exporters/texts.py wrote them: package and version, name, text and exact probabilities.
RECORDED = json.loads((Path(__file__).parent / "foreign_texts.json").read_text())
CASES = [(package, name) for package, texts in RECORDED.items() for name in texts]


@pytest.mark.parametrize(("package", "name"), CASES)
def test_a_text_means_what_its_exporter_computes(package: str, name: str) -> None:
    """The probabilities before measurement are the package's own, the first qubit the most significant bit."""
    text, exact = RECORDED[package][name]
    circuit = read(text, counted=False)
    circuit.remove_final_measurements()
    found = Statevector(circuit).reverse_qargs().probabilities()
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-7)


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
