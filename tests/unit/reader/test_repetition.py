"""Loops whose iterations are all the same are compiled once: that must make no difference but time."""

# ruff: noqa: E501 - a table reads best with a program to a line

from __future__ import annotations

import pytest

from reader import read
from reader.compiler import loops, repetition
from reader_exact import distribution

BITS = "qubit[3] q; bit[3] c; "
# program, and whether an iteration can be repeated as it stands
LOOPS = [
    (BITS + "for int i in [0:4] { rx(0.3) q[0]; cx q[0], q[1]; } c = measure q;", True),
    (BITS + "for int i in [0:4] { rx(i) q[0]; } c = measure q;", False),
    (BITS + "for int i in [0:2] { for int j in [0:3] { ry(0.1 * i) q[0]; gphase(1); } } c = measure q;", True),
    (BITS + "gate g a { for int i in [0:2] { t a; gphase(0.1); } } ctrl @ g q[0], q[1]; h q[0]; c = measure q;", True),
    (BITS + "for int i in [0:4] { ry(1) q[0]; c[0] = measure q[0]; if (c[0]) ry(0.2) q[1]; } c = measure q;", True),
    (BITS + "bit p; for int i in [0:4] { ry(1) q[0]; c[0] = measure q[0]; p = p ^ c[0]; } c[1] = p;", True),
    (BITS + "int n = 1; for int i in [0:4] { n = 1 - n; if (n == 1) ry(1) q[0]; } c = measure q;", False),
    (BITS + "uint[4] n; for int i in [0:3] { h q[0]; c[0] = measure q[0]; n += c[0]; } c[1] = n == 3;", False),
    (BITS + "for int i in [0:4] { h q[0]; c[0] = measure q[0]; if (c[0]) break; ry(1) q[1]; } c[1] = measure q[1];", False),
    (BITS + "for int i in [0:4] { h q[0]; c[0] = measure q[0]; if (c[0]) continue; ry(1) q[1]; } c[1] = measure q[1];", True),
    (
        "def f(qubit a) -> bit { bit r; ry(1) a; r = measure a; if (r) return 0; return 1; } "
        + BITS
        + "for int i in [0:4] { c[0] = f(q[0]); if (c[0]) ry(0.2) q[1]; } c[1] = measure q[1];",
        True,
    ),
    (BITS + "for int i in [0:4] { { int i = 2; i += 1; x q[i - 3]; } } c = measure q;", False),
    (BITS + "for int i in [0:4] { measure q[0]; ry(1) q[0]; }", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "repeats"), LOOPS)
def test_a_repeated_iteration_is_the_iteration(text: str, repeats: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a column
    """A loop gives the same counts and as many operations whether its iterations are repeated or compiled each."""
    repeated = []
    repeat = repetition.Round.repeat
    monkeypatch.setattr(repetition.Round, "repeat", lambda *given: (repeated.append(1), repeat(*given)))
    short = read(text)
    monkeypatch.setattr(loops, "TRIES", 0)
    long = read(text)
    assert repeats == bool(repeated)
    assert distribution(long) == pytest.approx(distribution(short))
    assert long.count_ops() == short.count_ops()
    assert long.global_phase == pytest.approx(short.global_phase)
