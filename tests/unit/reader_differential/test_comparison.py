"""The comparison itself: it passes right circuits and catches wrong ones, worked out or sampled."""

from __future__ import annotations

from typing import Any

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from unit.reader_differential.comparison import disagreement, is_plain

TEXT = "qubit[2] q; bit[2] c; bit d; ry(0.5) q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } d = measure q[1];"


def circuit(angle: float, *, plain: bool, flip: int = 1) -> QuantumCircuit:
    """Return a circuit for TEXT, with a scratch register that no key may show."""
    scratch, c, d = ClassicalRegister(1, "scratch"), ClassicalRegister(2, "c"), ClassicalRegister(1, "d")
    made = QuantumCircuit(QuantumRegister(2, "q"), scratch, c, d, metadata={"outputs": ["c", "d"]})
    made.ry(angle, 0)
    if plain:
        made.cx(0, 1)
        made.measure(0, c[0])
    else:
        made.measure(0, c[0])
        with made.if_test((c[0], flip)):
            made.x(1)
    made.measure(1, d[0])
    made.measure(1, scratch[0])
    return made


def reading(made: QuantumCircuit) -> Any:
    """Return a reader that reads this circuit out of every text."""
    return lambda _text, _inputs: made


@pytest.mark.parametrize("plain", [True, False])
def test_right_circuits_agree(plain: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A right circuit has no disagreement, whatever its scratch register holds."""
    made = circuit(0.5, plain=plain)
    assert is_plain(made) is plain
    assert disagreement(reading(made), TEXT) is None


def test_small_errors_of_an_angle_show_where_probabilities_are_worked_out() -> None:
    """A thousandth in an angle is enough for a circuit without control flow."""
    assert disagreement(reading(circuit(0.501, plain=True)), TEXT) is not None


def test_wrong_logic_shows_in_samples() -> None:
    """A wrong condition is caught by sampling, outcomes that cannot happen most of all."""
    wrong = disagreement(reading(circuit(0.5, plain=False, flip=0)), TEXT)
    assert wrong is not None
    assert "cannot happen" in wrong
    assert disagreement(reading(circuit(0.8, plain=False)), TEXT) is not None


def test_resets_and_repeated_measurements_are_worked_out() -> None:
    """A reset of an entangled qubit and a register measured twice are followed exactly."""
    made = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(2, "c"), metadata={"outputs": ["c"]})
    made.h(0)
    made.cx(0, 1)
    made.measure(0, 0)
    made.reset(1)
    made.h(0)
    made.measure([0, 1], [0, 1])
    text = "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c[0] = measure q[0]; reset q[1]; h q[0]; c = measure q;"
    assert is_plain(made)
    assert disagreement(reading(made), text) is None
