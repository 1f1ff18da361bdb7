"""The oracle itself: programs worked by hand, and others' simulators where they accept a program and are right."""

from __future__ import annotations

import json
import math
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import qiskit.circuit.library as gates
import qiskit_qasm3_import
from openqasm3 import ast
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from oracle import quantum
from oracle.interpreter import Run, distribution, explore, library
from oracle.values import OracleError
from truth.comparison import strays

# `tests/exporters/interpreted.py` writes it.
BRAKET = json.loads((Path(__file__).parent / "braket_programs.json").read_text())


def expect(text: str, expected: dict[str, float], inputs: dict[str, Any] | None = None) -> None:
    """Check the whole distribution of a program."""
    assert distribution(dedent(text), inputs) == pytest.approx(expected, abs=1e-8)


def matrix(name: str, *parameters: float) -> quantum.Matrix:
    """Return the oracle's matrix of a gate, its first qubit most significant."""
    return Run(ast.Program([]), {}, [], ()).gate_matrix(name, parameters)


def classical(statements: str, outputs: str) -> str:
    """Run statements without qubits and return the only key of their outputs."""
    found = distribution(f"{statements}\n{outputs}")
    assert list(found.values()) == pytest.approx([1.0])
    return next(iter(found))


# -- quantum --------------------------------------------------------------------------------------------------------


def test_bell_pair_is_half_and_half() -> None:
    """A Bell pair gives equal bits, each with one half."""
    expect("qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;", {"00": 0.5, "11": 0.5})


def test_rotation_has_the_cosine_law() -> None:
    """Rotating by theta gives 1 with probability sin(theta/2) squared."""
    expect("qubit q; bit c; rx(0.7) q; c = measure q;", {"0": math.cos(0.35) ** 2, "1": math.sin(0.35) ** 2})


def test_builtin_u_carries_half_its_angle_as_a_phase() -> None:
    """Under a control, U(theta, 0, 0) turns the control by theta/2 against ry(theta)."""
    circuit = "qubit[2] q; bit c; h q[0]; ctrl @ {} q[0], q[1]; ctrl @ ry(-pi) q[0], q[1]; h q[0]; c = measure q[0];"
    expect(circuit.format("ry(pi)"), {"0": 1.0})
    expect(circuit.format("U(pi, 0, 0)"), {"0": 0.5, "1": 0.5})


def test_teleportation_moves_a_state() -> None:
    """Whatever the two measured bits are, the corrected qubit has the sent state."""
    found = distribution("""
        qubit[3] q; bit a; bit b; bit c;
        ry(0.8) q[0]; h q[1]; cx q[1], q[2]; cx q[0], q[1]; h q[0];
        a = measure q[0]; b = measure q[1];
        if (b) x q[2];
        if (a) z q[2];
        c = measure q[2];
    """)
    assert len(found) == 8
    for key, chance in found.items():
        assert chance == pytest.approx((math.sin(0.4) if key[0] == "1" else math.cos(0.4)) ** 2 / 4)


def test_reset_of_an_entangled_qubit_leaves_a_mixture() -> None:
    """Resetting one half of a Bell pair leaves the other a fair coin and the one reset at 0."""
    expect("qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; reset q[0]; c = measure q;", {"00": 0.5, "10": 0.5})


def test_loops_that_may_never_end_are_followed_to_a_billionth() -> None:
    """Repeating until 0 is seen ends in 0; what is left out is reported."""
    found = explore("qubit q; bit c = 1; while (c) { h q; c = measure q; }")
    assert found.probabilities["0"] == pytest.approx(1.0, abs=1e-8)
    assert 0 < found.lost < 1e-9


def test_a_loop_that_never_ends_is_refused() -> None:
    """A program that cannot end has no distribution."""
    with pytest.raises(OracleError, match="end"):
        distribution("bit c; while (true) { c = 1; }")


@pytest.mark.parametrize(
    ("call", "same"),
    [
        ("pow(2) @ sx q[0];", "x q[0];"),
        ("pow(0.5) @ x q[0];", "sx q[0];"),
        ("pow(-0.5) @ x q[0];", "sxdg q[0];"),
        ("pow(-1) @ t q[0];", "tdg q[0];"),
        ("inv @ rx(0.3) q[0];", "rx(-0.3) q[0];"),
        ("inv @ pow(3) @ s q[0];", "s q[0];"),
        ("ctrl @ x q[0], q[1];", "cx q[0], q[1];"),
        ("ctrl(2) @ x q[2], q[0], q[1];", "ccx q[2], q[0], q[1];"),
        ("negctrl @ x q[0], q[1];", "x q[0]; cx q[0], q[1]; x q[0];"),
        ("negctrl @ ctrl @ x q[0], q[1], q[2];", "x q[0]; ccx q[0], q[1], q[2]; x q[0];"),
        ("ctrl @ gphase(0.4) q[1];", "p(0.4) q[1];"),
        ("ctrl @ pow(2) @ t q[0], q[1];", "cs q[0], q[1];"),
        ("pow(0.5) @ ctrl @ x q[0], q[1];", "csx q[0], q[1];"),
        ("inv @ ctrl @ u3(0.1, 0.2, 0.3) q[0], q[1];", "ctrl @ u3(-0.1, -0.3, -0.2) q[0], q[1];"),
        ("gphase(0.4);", ""),
    ],
)
def test_modifiers_mean_what_they_say(call: str, same: str) -> None:
    """A modified gate acts as its equivalent, up to a global phase, from a state that hides nothing."""
    text = "qubit[3] q; bit[3] c; U(0.3, 0.4, 0.5) q; cx q[0], q[1]; cry(0.6) q[1], q[2]; {} h q; c = measure q;"
    expect(text.format(call), distribution(text.format(same)))


QISKIT_NAMES = {
    "id": gates.IGate(),
    "p": gates.PhaseGate(0.3),
    "phase": gates.PhaseGate(0.3),
    "u1": gates.PhaseGate(0.3),
    "u": gates.UGate(0.3, 0.4, 0.5),
    "cu": gates.CUGate(0.3, 0.4, 0.5, 0.6),
    "cu1": gates.CU1Gate(0.3),
    "cu3": gates.CU3Gate(0.3, 0.4, 0.5),
    "CX": gates.CXGate(),
    "cphase": gates.CPhaseGate(0.3),
    "c3x": gates.C3XGate(),
    "c4x": gates.C4XGate(),
    "r": gates.RGate(0.3, 0.4),
    "xx_minus_yy": gates.XXMinusYYGate(0.3, 0.4),
    "xx_plus_yy": gates.XXPlusYYGate(0.3, 0.4),
    **{gate.name: gate for gate in (
        gates.XGate(), gates.YGate(), gates.ZGate(), gates.HGate(), gates.SGate(), gates.SdgGate(), gates.TGate(),
        gates.TdgGate(), gates.SXGate(), gates.SXdgGate(), gates.RXGate(0.3), gates.RYGate(0.3), gates.RZGate(0.3),
        gates.CXGate(), gates.CYGate(), gates.CZGate(), gates.CPhaseGate(0.3), gates.CRXGate(0.3), gates.CRYGate(0.3),
        gates.CRZGate(0.3), gates.CHGate(), gates.SwapGate(), gates.CCXGate(), gates.CSwapGate(), gates.CCZGate(),
        gates.RXXGate(0.3), gates.RYYGate(0.3), gates.RZZGate(0.3), gates.RZXGate(0.3), gates.iSwapGate(),
        gates.DCXGate(), gates.ECRGate(), gates.CSGate(), gates.CSdgGate(), gates.CSXGate(),
    )},
}  # fmt: skip


# The specification gives u2 and u3 the phase that OpenQASM 2 gave them; Qiskit leaves it out.
SPECIAL_PHASE = {"u2": (0.3, 0.4), "u3": (0.3, 0.4, 0.5)}


@pytest.mark.parametrize("name", sorted(library()))
def test_every_known_gate_has_qiskits_matrix(name: str) -> None:
    """The library's definitions, written in the language, give the well-known matrices with their phases."""
    if name in SPECIAL_PHASE:
        qiskit_gate = {"u2": gates.U2Gate, "u3": gates.U3Gate}[name](*SPECIAL_PHASE[name])
        expected = Operator(qiskit_gate).data * np.exp(-0.5j * sum(SPECIAL_PHASE[name][-2:]))
    else:
        qiskit_gate = QISKIT_NAMES[name]
        expected = Operator(qiskit_gate).reverse_qargs().data
    np.testing.assert_allclose(matrix(name, *qiskit_gate.params), expected, atol=1e-12)


def test_fractional_power_is_the_principal_one() -> None:
    """The eigenphase pi stays positive, so that the square root of Z is S and not its inverse."""
    np.testing.assert_allclose(quantum.power(np.diag([1, -1]).astype(complex), 0.5), np.diag([1, 1j]), atol=1e-12)


def test_a_users_gate_hides_the_known_one_from_then_on() -> None:
    """A gate named like a known one means its own definition; gates defined before keep the old meaning."""
    expect(
        """
        gate before a, b { ecr a, b; }
        gate ecr a, b { x b; }
        qubit[2] q; bit[2] c;
        before q[0], q[1]; inv @ ecr q[0], q[1]; c = measure q;
        """,
        distribution("qubit[2] q; bit[2] c; ecr q[0], q[1]; x q[1]; c = measure q;"),
    )


def test_broadcast_goes_through_registers_side_by_side() -> None:
    """A register operand takes part member by member; a single qubit takes part every time."""
    expect("qubit[2] a; qubit[2] b; bit[2] c; x a[1]; cx a, b; c = measure b;", {"10": 1.0})
    expect("qubit a; qubit[3] b; bit[3] c; x a; cx a, b; c = measure b;", {"111": 1.0})


def test_slices_and_aliases_name_the_same_qubits() -> None:
    """Ranges include both ends, negative indices count from the end, aliases and concatenations are the qubits."""
    expect(
        """
        qubit[4] q; qubit r; bit[5] c;
        let ends = q[{0, -1}] ++ r;
        x ends; x q[0:2:3]; x ends[1:2];
        let all = q ++ r;
        c = measure all;
        """,
        {"00100": 1.0},
    )


# -- outputs --------------------------------------------------------------------------------------------------------


def test_keys_put_the_last_register_and_the_highest_index_leftmost() -> None:
    """Registers stand as in Qiskit's counts, separated by one space."""
    expect("bit[3] a; bit b; a[0] = 1; b = 1; a[1] = 1;", {"1 011": 1.0})


def test_output_variables_hide_the_others() -> None:
    """With `output` variables, of any type made of bits, no other variable is in the key."""
    expect("output uint[3] n; bit c = 1; output bool t; n = 6; t = true;", {"1 110": 1.0})
    expect("output bit b; qubit q; bit c; x q; measure q; c = 1;", {"1 0": 1.0})


def test_measurements_without_target_make_a_register_of_their_own() -> None:
    """They come last, hence leftmost, in the order in which their qubits were declared."""
    expect("qubit[3] q; bit c; x q[2]; measure q[2]; measure q[0]; c = 1;", {"10 1": 1.0})
    expect("qubit q; bit c; h q; c = measure q; if (c) end; x q; measure q;", {"0 1": 0.5, "1 0": 0.5})
    expect("qubit[2] q; bit c = 1; if (c) end; measure q;", {"00 1": 1.0})


def test_measured_integers_are_outputs_when_there_are_no_bits() -> None:
    """A program without bits shows the variables that it measures into, at their widths."""
    expect("qubit[2] q; uint[3] n; angle[2] a; int k; x q; n[2] = measure q[0]; a = measure q;", {"11 100": 1.0})


def test_an_early_end_keeps_later_registers() -> None:
    """Every run has the same registers, those after an `end` at zero."""
    expect("qubit q; bit a; h q; a = measure q; if (a) end; const int n = 2; bit[n] b = 3;", {"11 0": 0.5, "00 1": 0.5})


def test_nothing_measured_is_refused() -> None:
    """A program without outputs has no distribution."""
    with pytest.raises(OracleError, match="nothing"):
        distribution("qubit q; h q;")


# -- classical ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("uint[4] a = 15; a += 1; bit[4] c = a;", "0000"),
        ("int[4] a = 7; a += 1; bit[4] c = a;", "1000"),
        ("int[4] a = -7; a = a / 2; bit[4] c = a;", "1101"),
        ("int[4] a = -7; a = a % 3; bit[4] c = a;", "1111"),
        ("uint[4] a = 2; a = a ** 3 ** 1; bit[4] c = a;", "1000"),
        ("uint[4] a = 9; bit[4] c = a << 1;", "0010"),
        ("uint[4] a = 9; bit[4] c = a >> 3;", "0001"),
        ('bit[4] a = "1010"; bit[4] c = ~a;', "0101"),
        ('bit[4] a = "1010"; bit[4] c = a ^ "0110";', "1100"),
        ('bit[4] c = rotl("1001", 1);', "0011"),
        ('bit[4] c = rotr("1001", 1);', "1100"),
        ('bit[4] c = popcount("1011");', "0011"),
        ("bit[4] c = mod(11, 4);", "0011"),
        ("bit[4] c = int(floor(2.7) + ceiling(2.2));", "0101"),
        ("bit[4] c = int(3 / 2 + 3.0 / 2);", "0010"),
        ("bit[4] c = uint[4](int[4](-1));", "1111"),
        ('bit[4] c; c[0] = int[2]("11") == -1; c[1] = uint[2]("11") == 3;', "0011"),
        ("angle[4] a = pi / 2; bit[4] c = a;", "0100"),
        ("angle[4] a = 7 * (pi / 8); angle[4] b = pi / 8; bit[4] c = a + b;", "1000"),
        ("angle[4] a = pi / 8; angle[4] b = 7 * (pi / 8); bit[4] c = a - b;", "1010"),
        ("angle[4] a = 7 * (pi / 8); uint[4] two = 2; bit[4] c = a / two;", "0011"),
        ("angle[4] a = 5 * (pi / 4); uint[4] two = 2; bit[4] c = two * a;", "0100"),
        ("angle[4] a = 5 * (pi / 4); angle[4] b = pi / 8; bit[4] c = a / b;", "1010"),
        ("angle[4] a = pi / 4; bit[4] c = -a;", "1110"),
        ("angle[4] a = 9 * (pi / 8); bit[4] c = a << 2;", "0100"),
        ("angle[8] a = 6.283185307179586 * (127. / 512.); bit[4] c = bit[8](a)[4:7];", "0100"),
        ("angle[3] a = -pi / 2; bit[4] c; c[0] = a == 3 * pi / 2; c[1] = sin(a) < 0;", "0011"),
        ('int[8] n = 15; n[4:7] = "1010"; bit[4] c = n[{0, 4, 5, 7}];', "1101"),
        ('bit[4] a = "0111"; let swapped = a[2:3] ++ a[0:1]; bit[4] c = swapped;', "1101"),
        ('bit[4] a = "0001"; bit[4] c = a[3:-1:0];', "1000"),
        ("bit[4] c; let low = c[0:1]; let mixed = c[3] ++ low; mixed[0] = 1; low[1] = 1;", "1010"),
        ('bit[4] c; c[{3, 1}] = "01";', "1000"),
        ("const int n = 2 ** 2; bit[n] c = 5;", "0101"),
        ("bool t = 2; bit[4] c; c[0] = t; c[1] = !t; c[2] = t && true; c[3] = t ^ true;", "0101"),
        ("bit[4] c; c[0] = 1 < 2; c[1] = 2 <= 1; c[2] = 0.5 >= 0.5; c[3] = 3 != 3;", "0101"),
        ("float[32] f = 0.1; bit[4] c; c[0] = f == 0.1; c[1] = f == float[32](0.1);", "0010"),
        ("complex z = 2.0 + 3.0im; bit[4] c = int(imag(z * z));", "1100"),
        ("bit[4] c = int(round_trip(2.0)); def round_trip(float f) -> float { return f; }", None),
    ],
)  # fmt: skip
def test_expressions(statements: str, expected: str | None) -> None:
    """The last variable gets the value that the specification works out, or the program is refused."""
    if expected is None:
        with pytest.raises(OracleError):
            distribution(statements)
    else:
        assert [key.split()[0] for key in distribution(statements)] == [expected]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("uint[4] n = 0; for int i in [0:3] { n += i; }", "0110"),
        ("uint[4] n = 0; for uint[4] i in [6:-2:1] n = n * 2 + i;", "0010"),
        ("uint[4] n = 0; for int i in {1, 5, 3} { if (i == 5) { continue; } n += i; }", "0100"),
        ('uint[4] n = 0; for bit b in "1011" { n = n * 2 + b; }', "1101"),
        ("array[uint[4], 3] a = {1, 2, 4}; uint[4] n = 0; for uint[4] v in a[1:2] { n += v; }", "0110"),
        ("uint[4] n = 0; while (true) { n += 3; if (n > 7) { break; } }", "1001"),
        ("uint[4] n = 2; switch (n) { case 0, 1 { n = 9; } case 2 { n = 5; } default { n = 7; } }", "0101"),
        ("uint[4] n = 3; switch (n) { case 0, 1 { n = 9; } default { n = 7; } }", "0111"),
        ("uint[4] n = 3; if (n == 3) { uint[4] n = 1; n += 1; } n += 1;", "0100"),
        ("array[int[8], 2, 3] a = {{1, 2, 3}, {4, 5, 6}}; uint[4] n = a[1, -1] + a[0][1] + sizeof(a, 1);", "1011"),
        ("array[int, 3] a = {1, 2, 3}; array[int, 3] b = a; a[0:1] = a[1:2]; uint[4] n = a[0] + a[1] + b[0];", "0110"),
        ("array[uint[4], 4] a = {1, 2, 3, 4}; uint[4] n = 0; for uint[4] v in a[3:-2:0] { n = n * 2 + v; }", "1010"),
        ("array[uint[4], 2] a = {1, 2}; a[1][0] = 1; uint[4] n = a[1];", "0011"),
    ],
)  # fmt: skip
def test_statements(statements: str, expected: str) -> None:
    """Loops, branches, scopes and arrays leave the number that the specification works out."""
    assert distribution(f"output uint[4] result;\n{statements}\nresult = n;") == {expected: pytest.approx(1.0)}


def test_subroutines_take_qubits_and_arrays_by_reference_and_the_rest_by_value() -> None:
    """What a subroutine does to qubits and mutable arrays stays; its other parameters are its own."""
    expect(
        """
        def work(qubit[2] pair, mutable array[uint[4], #dim = 1] all, uint[4] n) -> bit[2] {
            n += 1;
            all[0] = n;
            x pair[1];
            return measure pair;
        }
        qubit[3] q; bit[2] c; output bit[2] d; output uint[4] e; output uint[4] f;
        array[uint[4], 3] a = {1, 2, 3};
        uint[4] n = 7;
        d = work(q[1:2], a[1:2], n);
        e = a[1];
        f = n;
        """,
        {"0111 1000 10": 1.0},
    )


def test_subroutines_read_but_do_not_write_the_programs_variables() -> None:
    """A global variable is constant inside a subroutine, and a readonly array everywhere in it."""
    expect("uint[2] n = 1; def f() -> uint[2] { return n + 1; } n = 2; bit[2] c = f();", {"11": 1.0})
    with pytest.raises(OracleError, match="only be read"):
        distribution("bit c; def f() { c = 1; } f();")
    with pytest.raises(OracleError, match="readonly"):
        distribution("bit c; array[int, 1] b = {1}; def f(readonly array[int, 1] a) { a[0] = 1; } f(b);")


def test_inputs_take_their_declared_type() -> None:
    """A given value is converted as an assignment would; a missing one is an error."""
    text = "input angle[4] a; input uint[2] n; input bit[2] b; bit[4] c = a; bit[2] d = n; bit[2] e = b;"
    expect(text, {"01 11 0100": 1.0}, {"a": math.pi / 2, "n": 3, "b": "01"})
    with pytest.raises(OracleError, match="not given"):
        distribution(text)


@pytest.mark.parametrize(
    "text",
    [
        "qubit q; bit c; nosuch q; c = measure q;",
        "qubit[2] q; bit c; cx q[0], q[0]; c = measure q[0];",
        "qubit[2] q; bit[3] c; c = measure q;",
        "qubit[2] q; bit c; x q[2]; c = measure q[0];",
        "bit c = 1 / 0;",
        "const int n = 1; n = 2; bit c;",
        "bit c; break;",
        "extern f(int) -> int; bit c;",
        'include "other.inc"; bit c;',
        "qubit q; bit c; x(0.1) q; c = measure q;",
        "bit c; bit c;",
        "bit c",
    ],
)  # fmt: skip
def test_programs_without_a_meaning_are_refused(text: str) -> None:
    """What breaks a rule ends in an OracleError, not in some distribution."""
    with pytest.raises(OracleError):
        distribution(text)


# -- against others -------------------------------------------------------------------------------------------------

FLAT = [
    "h q[0]; cx q[0], q[1]; rz(0.3) q[1]; ch q[1], q[2]; ry(0.7) q[0]; swap q[0], q[2]; crx(1.1) q[2], q[1];",
    "u3(0.1, 0.2, 0.3) q[0]; u2(0.4, 0.5) q[1]; cp(0.6) q[0], q[1]; h q; ccx q[0], q[1], q[2]; sx q[1]; h q[0];",
    "gate g(a, b) c, d { rx(a / 2) c; cry(b) c, d; } h q[2]; g(0.9, 1.2) q[2], q[0]; inv @ g(0.2, 2) q[0], q[1];",
    "h q; ctrl @ rx(0.4) q[0], q[1]; negctrl @ ry(0.8) q[2], q[0]; pow(3) @ t q[1]; cu(1, 2, 3, 4) q[1], q[2]; h q;",
]  # fmt: skip


@pytest.mark.parametrize("body", FLAT)
def test_flat_programs_agree_with_qiskits_importer(body: str) -> None:
    """Where Qiskit's importer accepts a program, the probabilities are those of Qiskit's statevector."""
    text = f'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; {body}'
    circuit: QuantumCircuit = qiskit_qasm3_import.parse(text)
    amplitudes = Operator(circuit).data[:, 0]
    expected = {f"{index:03b}": abs(amplitude) ** 2 for index, amplitude in enumerate(amplitudes)}
    found = distribution(f"{text} bit[3] c; c = measure q;")
    assert {key: found.get(key, 0.0) for key in expected} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("statements", "number"), BRAKET["classical"].items())
def test_classical_programs_agree_with_brakets_interpreter(statements: str, number: int) -> None:
    """Amazon's interpreter finds the same number."""
    assert classical(f"OPENQASM 3.0; output int[16] result; {statements}", "") == f"{number:016b}"


@pytest.mark.parametrize(("text", "counts"), BRAKET["measured"].items())
def test_measured_control_flow_agrees_with_brakets_simulator(text: str, counts: dict[str, int]) -> None:
    """What Amazon's simulator has sampled can be samples of the distribution, by a test of one in a million."""
    assert list(strays(counts, distribution(text))) == []
