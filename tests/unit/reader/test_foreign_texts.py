"""Texts of other libraries' exporters are read as the library meant them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from reader import check, read, read_each
from tasks.errors import TaskError

# As tests/exporters/judge.py wrote them: by package and exporter, the tolerance, and name, text, expectation and inputs
# of each.
RECORDED = json.loads((Path(__file__).parent / "foreign_texts.json").read_text())
JUDGED = json.loads((Path(__file__).parent / "exporters.json").read_text())
README = Path(__file__).parents[3] / "layers" / "reader" / "README.md"
CASES = [(package, exporter) for package, exporters in RECORDED.items() for exporter in exporters]


def outcomes(circuit: QuantumCircuit) -> set[str]:
    """Return the values of the registers that are counted in five shots, the last first."""
    names = [register.name for register in reversed(circuit.cregs)]
    counts = AerSimulator().run(circuit, shots=5).result().get_counts()
    kept = circuit.metadata["outputs"]
    return {"".join(value for name, value in zip(names, key.split(), strict=True) if name in kept) for key in counts}


@pytest.mark.parametrize(("package", "exporter"), CASES)
def test_a_text_means_what_its_exporter_computes(package: str, exporter: str) -> None:
    """The amplitudes before measurement, or the one outcome, are the package's own; its first qubit comes first."""
    for _, text, expected, inputs in RECORDED[package][exporter]["texts"]:
        circuit = read(text, inputs, counted=isinstance(expected, str))
        if isinstance(expected, str):
            assert outcomes(circuit) == {expected.replace(" ", "")}
            continue
        circuit.remove_final_measurements()
        found = Statevector(circuit).reverse_qargs().data.ravel()  # of no qubits it is a matrix
        exact = np.eye(1, len(found))[0] if expected is None else np.array(expected) @ [1, 1j]
        found = found * np.exp(1j * np.angle(np.vdot(found, exact)))
        np.testing.assert_allclose(found, exact, rtol=0, atol=RECORDED[package][exporter]["tolerance"])


def test_every_exporter_was_read_right() -> None:
    """Of at least 45 exporters of 30 packages every text was right, except for the exporters' own flaws."""
    every = [found for exporters in JUDGED.values() for found in exporters.values()]
    assert len(JUDGED) >= 30
    assert len(every) >= 45
    assert [found["right"] for found in every] == [found["texts"] for found in every]
    assert all(wrong for found in every for wrong in found["flaws"].values())
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


def mended(text: str, note: str) -> str:
    """Return a text changed as a note says: another definition of the gate, or a line more."""
    lines = text.splitlines()
    where = re.match(r"Line (\d+), column 1: .*?'(gate .*?\}|u1.*?;)'", note)
    assert where is not None
    number, written = int(where[1]), where[2]
    if written.startswith("gate "):
        end = next(place for place, line in enumerate(lines) if place >= number - 1 and "}" in line)
        lines[number - 1 : end + 1] = [written]
    else:
        lines.insert(number, written)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("package", "exporter", "name", "text", "expected"),
    [(package, exporter, *each[:3]) for package, exporter in CASES for each in RECORDED[package][exporter]["noted"]],
)
def test_a_flaw_that_the_text_gives_away_is_noted(
    package: str, exporter: str, name: str, text: str, expected: list[list[float]]
) -> None:
    """The text is another state than its exporter computes, and the same once it is changed as its one note says."""
    size = check(text, counted=False)
    assert size is not None
    [note] = size.notes
    assert name.partition("(")[0] in note
    assert " own" in note, "tests/exporters/judge.py knows these notes by that word, and records no others."
    exact = np.array(expected) @ [1, 1j]
    overlaps = [
        abs(np.vdot(Statevector(read(each, counted=False)).reverse_qargs().data, exact))
        for each in (text, mended(text, note))
    ]
    assert overlaps[0] < 0.999
    assert overlaps[1] == pytest.approx(1, abs=1e-5)


def test_the_noted_flaws_are_those_of_five_tools() -> None:
    """Stim, QuTiP, Qibo, qoqo and Qrisp; Cirq's is in comparisons, and the others' texts have no trace of theirs."""
    noted = Counter(package.split()[0] for package, exporter in CASES for _ in RECORDED[package][exporter]["noted"])
    assert noted == {"qibo": 1, "qoqo-qasm": 4, "qrisp": 2, "qutip-qip": 1, "stim": 16}  # of all their exporters


QIBO = """// Generated by QIBO 0.3.6
OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg register0[2];
cu3(0.5, 0.25, 0.5) q[0],q[1];
cu3(0.5, 0.5, 0.5) q[1],q[0];
measure q[0] -> register0[0];
measure q[1] -> register0[1];"""
QIBOS_NOTE = (
    "Line 6, column 1: Qibo 0.3.6 computes CU3 without a phase that cu3 has; 'u1(-0.375) q[0];' after this makes it"
    " Qibo's own gate. Each cu3 needs one: its angle is minus half the sum of the last two angles."
)
CIRQ = """// Generated from Cirq v1.7.0

OPENQASM 3.0;
include "stdgates.inc";


// Qubits: [q(0), q(1), q(2)]
qubit[3] q;
bit[2] m_a;
bit[1] m_z;


x q[0];

// Gate: cirq.MeasurementGate(2, cirq.MeasurementKey(name='a'), ())
m_a[0] = measure q[0];
m_a[1] = measure q[1];

if (m_a==2) x q[2];
m_z[0] = measure q[2];
"""
CIRQS_NOTE = (
    "Line 19, column 5: As Cirq 1.7.0 writes comparisons, m_a==2 is meant as m_a==1: a key's first bit is its highest"
    " there, a register's is its lowest here."
)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (QIBO, (QIBOS_NOTE,)),
        ("\n\n" + QIBO, (QIBOS_NOTE.replace("Line 6", "Line 8"),)),
        ("// Mine.\n" + QIBO, (QIBOS_NOTE.replace("Line 6", "Line 7"),)),
        (QIBO.replace("qreg", "gate mine a { x a; }\nqreg"), (QIBOS_NOTE.replace("Line 6", "Line 7"),)),
        (QIBO.replace("measure q[0] ->", "if (register0==1) x q[0];\nmeasure q[0] ->"), (QIBOS_NOTE,)),
        (QIBO.replace("0.25, 0.5", "-0.5, 0.5").replace("0.5, 0.5) q[1]", "-0.5, 0.5) q[1]"), ()),
        (
            QIBO.replace("q[0],q[1];", "q[0],q[1];\nu1(-0.375) q[0];").replace("0.5, 0.5) q[1]", "-0.5, 0.5) q[1]"),
            (),
        ),
        (QIBO.replace("// Generated by QIBO 0.3.6", "// cu3 is not QIBO's"), ()),
        (QIBO.replace("qreg", "gate cu3(a, b, c) x, y { cx x, y; }\nqreg"), ()),
        (QIBO.replace("cu3", "// cu3"), ()),
        (QIBO.replace("cu3", "/*\ncu3", 1).replace("measure", "*/\nmeasure", 1), ()),
        (QIBO.partition("\n")[2] + "\n// Generated by QIBO 0.3.6", ()),
        (CIRQ, (CIRQS_NOTE,)),
        (CIRQ.replace("m_a==2", "m_z!=0 && m_a==2"), (CIRQS_NOTE.replace("column 5", "column 15"),)),
        (CIRQ.replace("x q[2];", "x q[2];\nif (m_a==2) y q[2];"), (CIRQS_NOTE,)),
        *((CIRQ.replace("m_a==2", each), ()) for each in ("m_a!=0", "m_a==3", "m_a==0", "m_a==7", "m_a!=2")),
        (CIRQ.replace("bit[2] m_a;", "bit[1] m_a;").replace("m_a[1] = ", "// "), ()),
        (CIRQ.replace("// Generated from Cirq v1.7.0", "// as Cirq"), ()),
        (CIRQ.replace("2.0", "3.0").replace("if (", "// if ("), ()),
    ],
)
def test_what_a_tool_means_otherwise_is_noted_where_its_name_and_the_construct_are(
    text: str, notes: tuple[str, ...]
) -> None:
    """Qibo's cu3 and Cirq's comparisons, on the fast path and beside it; never without the header or the construct."""
    size = check(text)
    assert size is not None
    assert size.notes == notes


def test_cirqs_comparison_is_what_its_note_says() -> None:
    """Cirq's own simulator ends in z = 1, as in findings/cirq_compares_keys_backwards.sh; the text in 0."""
    for text, outcome in ((CIRQ, "0 01"), (CIRQ.replace("m_a==2", "m_a==1"), "1 01")):
        assert AerSimulator().run(read(text), shots=5).result().get_counts() == {outcome: 5}


@pytest.mark.parametrize(
    ("definition", "preamble", "noted"),
    [
        ("gate hxy q0 { U(pi/2, 0, pi/2) q0; }", "", 1),
        ("gate hxy q0 { U(pi/2, 0, pi/3) q0; }", "", 0),
        ("gate sy a { u3(pi/2,0,0) a; }", "", 0),
        ("gate sy a { u3(pi/2,0,0) a; }", "gate u3(theta,phi,lambda) q { U(theta,phi,lambda) q; }\n", 1),
        ("gate r(param0,param1) q0 { u(param0,-pi/2 + param1,pi/2 - param1) q0; }", "", 0),
    ],
)
def test_a_definition_is_noted_only_where_it_is_a_tools_own(definition: str, preamble: str, noted: int) -> None:
    """Another gate of that name is the program's own affair, and so is one that others write alike."""
    name = definition.split()[1].partition("(")[0]
    angles = "(0.1, 0.2)" if "(param0" in definition else ""
    head = preamble or 'include "qelib1.inc";\n'
    size = check(f"OPENQASM 2.0;\n{head}{definition}\nqreg q[1];\ncreg c[1];\n{name}{angles} q[0];\nmeasure q -> c;")
    assert size is not None
    assert len(size.notes) == noted


def test_a_name_of_two_meanings_is_hinted_with_both() -> None:
    """Neither qoqo's nor QuICT's `rxy` is taken for another gate, and both are what the hint says."""
    with pytest.raises(TaskError) as caught:
        check("OPENQASM 3.0; qubit q; bit c; rxy(0.3, 0.7) q; c = measure q;")
    assert caught.value.hint == "qoqo's rxy(a, b) is r(a, b), QuICT's is r(b, a): write the one that you mean."


def test_an_angle_that_qutip_leaves_out_has_a_hint() -> None:
    """It is refused where it stands, with what QuTiP means."""
    body = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\nrx q[0];\nmeasure q -> c;'
    for text, line, hint in (
        (
            f"// QASM 2.0 file generated by QuTiP\n\n{body}",
            7,
            "QuTiP's qip 0.4.2 leaves out an angle of 0: write 'rx(0) ...'.",
        ),
        (body, 5, "Write 'rx(a) ...'."),
    ):
        with pytest.raises(TaskError) as caught:
            check(text)
        assert (caught.value.line, caught.value.column, caught.value.hint) == (line, 1, hint)


@pytest.mark.parametrize(
    "function",
    ["arccos", "arcsin", "arctan", "abs", "sign", "conjugate", "sin", "cos", "tan", "exp", "log", "__neg__"],
)
def test_a_function_of_a_parameter_has_qiskits_value(function: str) -> None:
    """Qiskit writes `asin`, `acos`, `atan`, `abs`, `sign` and `conj`, which the language lacks: read, with a note."""
    angle = Parameter("a")
    expression: ParameterExpression = getattr(angle, function)()
    circuit = QuantumCircuit(1)
    circuit.rx(expression, 0)
    circuit.rx(2 * expression - 1, 0)
    text = qasm3.dumps(circuit)
    values = (0.4, 1.0) if function == "log" else (0.4, -0.7, 0.0)
    for value, read_one in zip(values, read_each(text, [{"a": each} for each in values], counted=False), strict=True):
        expected = [float(each.operation.params[0]) for each in circuit.assign_parameters({angle: value}).data]
        found = [each.operation.params[0] for each in read_one.data]
        assert found == pytest.approx(expected, abs=1e-12)
    size = check(text, {"a": 0.4}, counted=False)
    assert size is not None
    assert len(size.notes) == 2 * (function in ("arccos", "arcsin", "arctan", "abs", "sign", "conjugate"))


def test_a_programs_own_function_is_not_qiskits() -> None:
    """A subroutine named `abs` is what the program says, without a note."""
    text = "OPENQASM 3.0; def abs(float a) -> float { return a + 1.0; } qubit q; float f = abs(-0.5); rx(f) q;"
    circuit = read(text, counted=False)
    assert circuit.data[0].operation.params == [0.5]
    assert circuit.metadata["notes"] == []
