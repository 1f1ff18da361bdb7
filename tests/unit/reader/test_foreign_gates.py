"""Gates of other libraries: each known name does what the package that writes it computes, and yields to all others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import Operator

from reader import check, read
from reader.circuit import power_matrix
from reader.compiler.foreign_gates import FOREIGN
from reader.compiler.gate_tables import GATES, LEGACY_GATES
from reader.compiler.gates import BUILTIN, EXTRAS, NATIVE, STDGATES
from tasks.errors import TaskError

ANGLES = (0.3, 0.7, 1.1)
# As tests/exporters/matrices.py wrote them: package and version, name, number of angles, matrix.
RECORDED = json.loads((Path(__file__).parent / "foreign_gates.json").read_text())
_HALF = 0.5**0.5
# Quartz has no package: from the headers of src/quartz/gate/ at github.com/quantum-compiler/quartz.
RECORDED["quartz"] = {
    name: [
        0,
        [2, *[[row, column, *entry] for row, column, entry in zip((0, 0, 1, 1), (0, 1, 0, 1), entries, strict=True)]],
    ]
    for name, entries in {
        "rx1": [(_HALF, 0), (0, -_HALF), (0, -_HALF), (_HALF, 0)],
        "rx3": [(_HALF, 0), (0, _HALF), (0, _HALF), (_HALF, 0)],
        "ry1": [(_HALF, 0), (-_HALF, 0), (_HALF, 0), (_HALF, 0)],
        "ry3": [(-_HALF, 0), (-_HALF, 0), (_HALF, 0), (-_HALF, 0)],
    }.items()
}
# The headers have two entries of 1 more, and no unitary.
RECORDED["quartz"] |= {
    name: [0, [4, *[[n, n, real, 0] for n in range(4)], *[[n, 3 - n, 0, -_HALF] for n in range(4)]]]
    for name, real in (("rxx1", _HALF), ("rxx3", -_HALF))
}
# What TOQM and OLSQ2 write for a swap.
RECORDED["toqm, olsq2"] = {
    name: [0, [4, [0, 0, 1, 0], [1, 2, 1, 0], [2, 1, 1, 0], [3, 3, 1, 0]]] for name in ("swp", "SWAP")
}
CASES = [(package, name) for package, gates in RECORDED.items() for name in gates]
# pytket and Qibo choose determinant-free phases of their own; OpenQASM 2, which they write, cannot tell.
PHASELESS = ("pytket", "qibo")


def matrix(name: str) -> np.ndarray:
    """Return our matrix of a gate, its first qubit the most significant bit."""
    gate = LEGACY_GATES[name]
    operations = tuple(gate.expand(*ANGLES[: gate.parameters]))
    return np.asarray(Operator(power_matrix(1.0, operations, gate.qubits)).reverse_qargs().data)


@pytest.mark.parametrize(("package", "name"), CASES)
def test_a_name_of_another_library_has_that_librarys_matrix(package: str, name: str) -> None:
    """The matrix is the package's own to 1e-12, phase included."""
    angles, (size, *entries) = RECORDED[package][name]
    theirs = np.zeros((size, size), dtype=complex)
    for row, column, real, imaginary in entries:
        theirs[row, column] = complex(real, imaginary)
    ours = matrix(name)
    assert angles == LEGACY_GATES[name].parameters
    if package.startswith(PHASELESS):
        theirs = theirs * np.exp(1j * np.angle(np.vdot(theirs, ours)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_every_other_librarys_name_is_checked() -> None:
    """A gate of the table is in the record, or has more controls than the record goes to."""
    recorded = {name for _, name in CASES}
    assert {
        name for name in FOREIGN if name not in recorded and not name.startswith("cc") and name not in GATES
    } == set()
    unchecked = {name for name in set(FOREIGN) - recorded if not name.startswith(("ccc", "cccc"))}
    assert unchecked == set()


@pytest.mark.parametrize("name", sorted(FOREIGN))
def test_another_librarys_gate_uses_native_operations_only(name: str) -> None:
    """Whatever a program calls, the simulator is given the few operations it is known to run right."""
    gate = FOREIGN[name]
    assert {part[0] for part in gate.expand(*ANGLES[: gate.parameters])} <= NATIVE


def test_a_standard_name_wins() -> None:
    """A name of the standard libraries or of Qiskit means what they define."""
    assert {name: gate for name, gate in GATES.items() if name in {**EXTRAS, **STDGATES, **BUILTIN}} == {
        **EXTRAS,
        **STDGATES,
        **BUILTIN,
    }


@pytest.mark.parametrize("name", ["v", "zz", "iswapdg", "U1q"])
def test_a_programs_own_gate_wins(name: str) -> None:
    """A definition in the program is used, on both paths of reading."""
    for tail in ("", "if (c == 2) x q[0];"):
        text = (
            f"OPENQASM 3.0; gate {name} a, b {{ x a; }} qubit[2] q; bit[2] c; {name} q[0], q[1]; c = measure q; {tail}"
        )
        assert read(text).count_ops()["x"] == 1


@pytest.mark.parametrize(
    "text",
    [
        'OPENQASM 3.0; include "hqslib1.inc"; qubit[2] q; bit[2] c; ZZ q[0], q[1]; c = measure q;',
        'OPENQASM 2.0; include "hqslib1.inc"; qreg q[2]; creg c[2]; U1q(pi, 0.25*pi) q[0]; measure q -> c;',
        'OPENQASM 3.0; include "hqslib1.inc"; qubit[2] q; bit[2] c; if (true) { ZZ q[0], q[1]; } c = measure q;',
    ],
)
def test_quantinuums_include_is_known_by_name(text: str) -> None:
    """No file is read for it; any other name is still refused."""
    assert check(text) is not None
    with pytest.raises(TaskError, match="programs cannot read files"):
        check(text.replace("hqslib1", "hqslib2"))


def test_brakets_bell_pair_is_read() -> None:
    """The text that amazon-braket-sdk 1.127.5 writes for its first example."""
    text = (
        "OPENQASM 3.0;\nbit[2] b;\nqubit[2] q;\nh q[0];\ncnot q[0], q[1];\nb[0] = measure q[0];\nb[1] = measure q[1];"
    )
    assert read(text).count_ops() == {"measure": 2, "h": 1, "cx": 1}
