"""Texts of other libraries' exporters are read as the library meant them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

from reader import read

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
