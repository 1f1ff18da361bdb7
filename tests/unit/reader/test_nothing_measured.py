"""What is counted where no measurement runs: zeros, and an error only where the text has none."""

from __future__ import annotations

import pytest
from qiskit_aer import AerSimulator

from reader import check, check_each, read, read_each
from reader_exact import distribution
from tasks.errors import TaskError

LOOP = "input int n; qubit[2] q; bit[2] c; x q; for int i in [0:n - 1] { c[i] = measure q[i]; }"
PASSED_OVER = {
    "a test that does not hold": ("qubit q; bit c; bit o; x q; if (c == 1) o = measure q;", {"0 0": 1}),
    "a bit that is set": ("qubit q; bit[2] c = 2; if (c == 1) c[0] = measure q;", {"10": 1}),
    "a loop of no rounds": ("qubit[2] q; bit[2] c; for int i in [0:-1] { c[i] = measure q[i]; }", {"00": 1}),
    "a while of no rounds": ("qubit q; bit c; while (false) { c = measure q; }", {"0": 1}),
    "behind the end": ("qubit q; bit c; x q; end; c = measure q;", {"0": 1}),
    "a switch": ("qubit q; bit c; switch (1) { case 2 { c = measure q; } }", {"0": 1}),
    "an integer": ("qubit q; uint[2] n; int[4] m; if (false) n[0] = measure q;", {"00": 1}),
    "a subroutine's": ("def f(qubit a) -> bit { return measure a; } qubit q; int[2] n; if (0) n = f(q);", {"00": 1}),
    "no target": ("qubit q; x q; if (false) { measure q; }", {"0": 1}),
    "an output": ("output int[2] k; qubit q; bit c; k = 1; if (false) c = measure q;", {"01": 1}),
    "no qubit": ("bit c; if (false) { c = measure $0; }", {"0": 1}),
    "OpenQASM 2": ("OPENQASM 2.0; qreg q[1]; creg c[1]; creg d[1]; if (c == 1) measure q -> d;", {"0 0": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSED_OVER)
def test_a_measurement_that_does_not_run_counts_zeros(name: str) -> None:
    """The registers have the values that the program leaves in them, in every shot, and Aer gives counts."""
    text, expected = PASSED_OVER[name]
    circuit = read(text)
    check(text)
    assert distribution(circuit) == expected
    counts = AerSimulator().run(circuit, shots=10).result().get_counts()
    scratch = len(circuit.cregs) - len(circuit.metadata["outputs"])
    assert {" ".join(key.split(" ")[scratch:]) for key in counts} == set(expected)


def test_a_binding_that_measures_nothing_does_not_refuse_the_sweep() -> None:
    """Each binding is counted as it stands, that of no rounds too."""
    bindings = [{"n": n} for n in (2, 0, 1)]
    assert [distribution(circuit) for circuit in read_each(LOOP, bindings)] == [{"11": 1}, {"00": 1}, {"01": 1}]
    assert len(list(check_each(LOOP, bindings))) == 3


@pytest.mark.parametrize(
    "text",
    [
        "qubit q; bit c; h q;",
        "qubit q; bit c; // measure q;\nh q;",
        "OPENQASM 2.0; qreg q[1]; creg c[1]; h q[0];",
        "def f(qubit a) { bit b = measure a; } qubit q; f(q);",
        "def f(qubit a) { bit b = measure a; } qubit q; if (false) { f(q); }",
    ],
)
def test_what_can_never_count_is_refused(text: str) -> None:
    """A text without a measurement, or whose measurements no global variable keeps, is refused with that reason."""
    for reading in (read, check):
        with pytest.raises(TaskError) as caught:
            reading(text)
        assert caught.value.code == "nothing_measured"


def test_without_counts_nothing_is_added() -> None:
    """Where only expectation values are asked for, the circuit has no measurement of ours."""
    assert [step.name for step in read("qubit q; bit c; h q; if (false) c = measure q;", counted=False).data] == ["h"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("qubit[2] q; h q;", "bit[2] c; c = measure q;"),
        ("qubit[2] q; bit[2] c; h q;", "c = measure q;"),
        ("qubit[2] q; bit c; h q;", "bit[2] c1; c1 = measure q;"),
        ("qubit c; gate c1 a { h a; } c1 c;", "bit[1] c2; c2 = measure c;"),
        ('qubit[2] q; const bit[2] c = "01"; int c1; h q;', "bit[2] c2; c2 = measure q;"),
        ("OPENQASM 2.0; qreg q[2]; creg c[2]; creg d[3];", "measure q -> c;"),
        ("OPENQASM 2.0; qreg q[2]; creg c[1];", "creg c1[2]; measure q -> c1;"),
    ],
)
def test_the_missing_line_is_one_that_can_be_added(text: str, line: str) -> None:
    """It measures into a register that is there, or into a new one with a name that is free; with it, all is well."""
    with pytest.raises(TaskError) as caught:
        check(text)
    assert caught.value.hint == f"Add '{line}' at the end."
    check(f"{text}\n{line}")
