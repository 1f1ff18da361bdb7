"""Statements of a program without effect, or that are never meant, are noted with their place when it is checked."""

from __future__ import annotations

import pytest

from reader import check, read
from reader.errors import position
from tasks.errors import TaskError

QC = "qubit q;\nbit c;\n"
END = "\nc = measure q;"
LOST = "; write a number with a point for a fraction, such as 1.0 / 2."


def notes(body: str, inputs: dict[str, object] | None = None) -> list[str]:
    """Return the notes of a program, which check and read must agree on."""
    text = QC + body + END
    size = check(text, inputs)
    assert size is not None
    found = list(read(text, inputs).metadata["notes"])
    assert list(size.notes) == found
    return found


@pytest.mark.parametrize(
    ("body", "place", "division"),
    [
        ("pow(1/2) @ x q;", "Line 3, column 6", "1 / 2 divides integers and gives 0"),
        ("rx(3/4*pi) q;", "Line 3, column 5", "3 / 4 divides integers and gives 0"),
        ("h q;\nrx(pi * (7 / -2)) q;", "Line 4, column 12", "7 / -2 divides integers and gives -3"),
        ("gate g a { rx(1/3) a; }\ng q;", "Line 3, column 16", "1 / 3 divides integers and gives 0"),
        ("gphase(1/2);", "Line 3, column 9", "1 / 2 divides integers and gives 0"),
        ("float f = 3/4*pi; rx(f) q;", "Line 3, column 12", "3 / 4 divides integers and gives 0"),
        ("angle f = pi; f += pi * (1/2); rx(f) q;", "Line 3, column 27", "1 / 2 divides integers and gives 0"),
        ("for int i in [1:3] { rx(pi * (i / 4)) q; }", "Line 3, column 33", "1 / 4 divides integers and gives 0"),
        ("def f(float t, qubit a) { rx(t) a; } f(1/2, q);", "Line 3, column 41", "1 / 2 divides integers and gives 0"),
        ("rx(sin(1/2)) q;", "Line 3, column 9", "1 / 2 divides integers and gives 0"),
        ("rx(float(1/2)) q;", "Line 3, column 11", "1 / 2 divides integers and gives 0"),
        ("delay[1us * (1/2)] q; duration d = 1/2 * 1us;", "Line 3, column 37", "1 / 2 divides integers and gives 0"),
    ],
)
def test_a_lost_remainder_is_noted_where_a_fraction_is_meant(body: str, place: str, division: str) -> None:
    """An integer division that is not exact, in an angle, an exponent or a float, is named with line and column."""
    assert f"{place}: {division}{LOST}" in notes(body)


@pytest.mark.parametrize(
    "body",
    [
        "rx(pi/2) q; rx(3*pi/4) q; rx(4/2) q; rx(1.0/2) q; pow(1/2.) @ x q; pow(6/3) @ x q;",
        "int n = 7 / 2; int[8] k = 1; k /= 2; rx(n) q;",
        "array[float[64], 4] a = {1.0, 2.0, 3.0, 4.0}; rx(a[3/2]) q; rx(pi * int(7 / 2)) q;",
        "for int i in [0:7/2] { x q; } if (1/2 == 0) { x q; }",
    ],
)
def test_nothing_is_noted_where_integers_are_meant(body: str) -> None:
    """Exact divisions, those of floats and those of indices, bounds and integers are what they seem."""
    assert notes(body) == []


def test_openqasm_2_has_no_integers() -> None:
    """There 1/2 is a half."""
    size = check("OPENQASM 2.0; qreg q[1]; creg c[1]; rx(1/2) q[0]; measure q -> c;")
    assert size is not None
    assert size.notes == ()


def test_notes_are_few() -> None:
    """A program cannot fill the answer with them."""
    found = notes("".join(f"rx({number}/4096) q;" for number in range(1, 200)))
    assert len(found) == 21
    assert found[-1] == "There are more notes of this kind."


@pytest.mark.parametrize(
    "pragma",
    [
        "#pragma braket noises bit_flip(0.1) q[0]",
        "#pragma braket something new",
        "pragma my.vendor Noise model",
        "pragma observable ZZ",
        "pragma shots 100",
    ],
)
@pytest.mark.parametrize("place", ["{}\nx q;", "if (false) {{\n{}\n}}", "gate g a {{\n{}\n}}"])
def test_a_pragma_that_would_change_the_counts_is_refused(pragma: str, place: str) -> None:
    """Nothing that names noise, a unitary or a result is passed over, executed or not."""
    for reading in (check, read):
        with pytest.raises(TaskError) as caught:
            reading(QC + place.format(pragma) + END)
        assert caught.value.code == "unsupported_feature"
        assert caught.value.message.startswith(f"The pragma '{pragma.removeprefix('#').removeprefix('pragma ')[:37]}")
        assert caught.value.line == (3 if place.startswith("{}") else 4)


def test_any_other_pragma_is_noted_with_its_line() -> None:
    """It is named, where it is not executed too."""
    body = "pragma say 'hi'\nx q;\nif (false) {\n#pragma braket verbatim\n}"
    assert notes(body) == [
        "Line 3, column 1: The pragma 'say 'hi'' has no effect.",
        "Line 6, column 1: The pragma 'braket verbatim' has no effect.",
    ]


def test_a_pragma_in_openqasm_2_is_read_alike() -> None:
    """The older language has no pragmas, but programs do."""
    for pragma, message in (("noise x", "'x' is not a noise channel"), ("new", "pragma 'braket new'")):
        with pytest.raises(TaskError, match=message):
            check(f"OPENQASM 2.0; qreg q[1]; creg c[1];\n#pragma braket {pragma}\nmeasure q -> c;")
    text = "OPENQASM 2.0; qreg q[1]; creg c[1];\n#pragma braket noise bit_flip(1/2) q[0]\nmeasure q -> c;"
    size = check(text)
    assert size is not None
    assert size.noisy


def test_a_note_in_a_loop_is_located_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are counted over the whole text: in each of thousands of rounds that would take minutes."""
    asked: list[int] = []

    def counting(text: str, at: int) -> tuple[int, int]:
        asked.append(at)
        return position(text, at)

    monkeypatch.setattr("reader.notes.position", counting)
    found = check("qubit[2] q; bit c; for int i in [1:50] { ctrl @ U(i, 0, 0) q[0], q[1]; } c = measure q[0];")
    assert found is not None
    assert len(found.notes) == len(asked) == 1


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("qubit q; v q; gate v a { x a; } v q; measure q;", 1),
        ("qubit q; gate w a { v a; } gate v a { x a; } w q; measure q;", 1),
        ("OPENQASM 2.0; qreg q[1]; creg c[1]; v q[0]; gate v a { U(pi, 0, pi) a; } measure q -> c;", 1),
        ("qubit q; gate v a { x a; } v q; measure q;", 0),
        ("qubit q; int v = 1; gate w a { x a; } w q; measure q;", 0),
        ("qubit q; def f(qubit a) { v a; } gate v a { x a; } f(q); measure q;", 0),
    ],
)
def test_a_gate_that_is_used_before_the_programs_own_definition_is_noted(text: str, notes: int) -> None:
    """Up to the definition the name means a predefined gate, which the program may not have meant."""
    size = check(text)
    assert size is not None
    assert sum("was the predefined gate" in note for note in size.notes) == notes


WRAPPED = [
    ("int[32] a = 1 << 40;", 15, "1099511627776 does not fit int[32] and becomes 0."),
    ("int[4] a = 20;", 12, "20 does not fit int[4] and becomes 4."),
    ("uint[4] a = -1;", 13, "-1 does not fit uint[4] and becomes 15."),
    ("const uint[8] a = 300;", 19, "300 does not fit uint[8] and becomes 44."),
    ("int b = 300; uint[8] a = b;", 26, "300 does not fit uint[8] and becomes 44."),
    ("int a = 1180591620717411303425;", 9, "1180591620717411303425 does not fit int[64] and becomes 1."),
    ("int[63] a = 4611686018427387904;", 13, f"{2**62} does not fit int[63] and becomes -{2**62}."),
    ("int a = -9223372036854775809;", 9, "-9223372036854775809 does not fit int[64] and becomes 9223372036854775807."),
    ("int a = 2**70;", 10, "2 ** 70 does not fit int[64] and becomes 0."),
    ("int a = pow(3, 999999999);", 9, "3 ** 999999999 does not fit int[64] and becomes 3071716933406393003."),
    ("int a = 1 << 64;", 11, "1 << 64 does not fit int[64] and becomes 0."),
    ("int[4] a = -8; a = -a;", 20, "-(-8) does not fit int[4] and becomes -8."),
    ("int[4] a = 7; a += 1;", 15, "8 does not fit int[4] and becomes -8."),
    ("int[4] a = 7; a = a + 1;", 21, "8 does not fit int[4] and becomes -8."),
    ("int[8] a = 300.0;", 12, "300.0 does not fit int[8] and becomes 44."),
    ("int a = int(1e30);", 9, "1e+30 does not fit int[64] and becomes 5076964154930102272."),
    ("for uint[2] i in [0:4] { rx(i) q; }", 19, "4 does not fit uint[2] and becomes 0."),
    ("for int[4] i in {1, 9} { rx(i) q; }", 17, "9 does not fit int[4] and becomes -7."),
    ("int[4] a; for int i in [0:9] { a += 6; }", 32, "12 does not fit int[4] and becomes -4."),
    ("array[int[4], 2] a = {20, 1};", 23, "20 does not fit int[4] and becomes 4."),
    ("def f(int[4] a) { } f(15);", 23, "15 does not fit int[4] and becomes -1."),
    ("def f() -> int[4] { return 8; } f();", 28, "8 does not fit int[4] and becomes -8."),
    ("rx(2**70*pi/3) q;", 5, "2 ** 70 does not fit int[64] and becomes 0."),
    ("rx(1180591620717411303424*2*pi/3) q;", 26, "1180591620717411303424 * 2 does not fit uint[71] and becomes 0."),
    ("int a = 1 + 9223372036854775807;", 11, f"1 + {2**63 - 1} does not fit int[64] and becomes {-(2**63)}."),
    ("uint[128] a = 1180591620717411303424 ** 100;", 38, f"{2**70} ** 100 does not fit uint[71] and becomes 0."),
    ("uint[128] a = 2 ** 1180591620717411303424;", 17, f"2 ** {2**70} does not fit uint[71] and becomes 0."),
    ("uint[128] a = 1180591620717411303424 << 1;", 38, f"{2**70} << 1 does not fit uint[71] and becomes 0."),
    ("uint a = 3; if (a > -1) x q;", 19, "-1 does not fit uint[64] and becomes 18446744073709551615."),
    (f"int[256] a = {2**255 - 1}; a += 1;", 94, "This number does not fit int[256] and loses its high bits."),
]  # fmt: skip


@pytest.mark.parametrize(("body", "column", "note"), WRAPPED)
def test_an_integer_that_does_not_fit_is_noted(body: str, column: int, note: str) -> None:
    """Where a number or what is calculated loses bits, the note has what is left, once a place."""
    if "[256] a =" in body:
        column = body.index("a +=") + 1
    assert notes(body) == [f"Line 3, column {column}: {note}"]


@pytest.mark.parametrize(
    "body",
    [
        "int[4] a = -8; int[4] b = 7; uint[4] d = 15; int e = -9223372036854775808; int f = 1 << 62;",
        "uint[4] n = 15; n += 1; n = n - 1; n = 2 * n; n <<= 3; n -= 20;",
        "uint n = 0; n = n - 1; n *= n; n = -n; n = n + (-1);",
        "uint[8] n = uint[8](300); int[8] m = int[8](n); uint[8] k = uint[8](m); int[8] l = int[8](300);",
        "uint[70] n = 1180591620717411303423; int[70] m = -n;",
        "int[8] k = -1; uint[99] n = 1180591620717411303424 + k; n = 1180591620717411303424 * 1;",
        "uint[99] n = 1 ** 1180591620717411303424;",
        "rx(-1180591620717411303425*pi/3) q; rx(2.0**70*pi/3) q; int a = (-1)**1000000001;",
        "for uint[2] i in [3:-1:0] { rx(i) q; } for int[4] i in {-8, 7} { rx(i) q; } int[8] i = 127.0;",
        "int n = 0; if (n < -1) x q; uint[8] u = 3; if (u < -1) x q; if (u == -1) x q;",
        "if (false) { int[8] n = 3; n *= 100; }",
    ],
)
def test_an_integer_that_fits_or_wraps_by_the_language_is_not_noted(body: str) -> None:
    """Casts are asked for, and unsigned numbers are calculated with modulo their width, as in C99."""
    assert [note for note in notes(body) if "fit" in note] == []
