"""A gate given by its matrix runs on every engine that a program with it may take."""

from __future__ import annotations

from typing import Any

import pytest
from scipy.stats import chisquare

import simulator
from admission import Budget
from tasks.options import Options

BUDGET = Budget(2**30, 60.0, 2**30, 60.0)
# exp(-0.3i ZX) after rx(1.1): entangling, no Clifford gate, complex; its rows are rounded as Braket's SDK rounds them.
C, S = 0.955336489125606, 0.2955202066613396
MATRIX = f"[[{C}, -{S}im, 0, 0], [-{S}im, {C}, 0, 0], [0, 0, {C}, {S}im], [0, 0, {S}im, {C}]]"
TEXT = f"""OPENQASM 3.0;
bit[2] b;
qubit[2] q;
rx(1.1) q[0];
#pragma braket unitary({MATRIX}) q[0], q[1]
b = measure q;"""
MIDDLE = TEXT.replace("b = measure q;", "b[1] = measure q[1];\nif (b[1] == 1) {\nx q[0];\n}\nb[0] = measure q[0];")
ONE, OTHER = S**2, 0.27320193928720006  # the chances of 1 for the second qubit, and sin(0.55)**2 for the first


def simulate(text: str, **options: Any) -> dict[str, Any]:
    """Run a text with seed 7."""
    return simulator.simulate(text, Options.from_dict({"seed": 7, **options}), BUDGET)


@pytest.mark.parametrize("method", ["automatic", "statevector", "density_matrix", "matrix_product_state"])
@pytest.mark.parametrize(("text", "middle"), [(TEXT, False), (MIDDLE, True)])
def test_counts_follow_the_matrix(method: str, text: str, *, middle: bool) -> None:
    """A chi-squared test at 1e-6: a false alarm in a million runs, and the seed is fixed."""
    counts = simulate(text, method=method, shots=20_000)["result"]
    chances = {
        "00": (1 - OTHER) * (1 - ONE),
        "01": OTHER * (1 - ONE),
        "10": ONE * (OTHER if middle else 1 - OTHER),
        "11": ONE * (1 - OTHER if middle else OTHER),
    }
    found = [counts.get(key, 0) for key in chances]
    assert chisquare(found, [20_000 * chance for chance in chances.values()]).pvalue > 1e-6


def test_an_expectation_value_follows_the_matrix() -> None:
    """The exact value of ZZ is the product of the qubits' own here."""
    outcome = simulate(TEXT, observables=["ZZ", "IZ"])
    values = [float(value["value"] if isinstance(value, dict) else value) for value in outcome["expectation_values"]]
    assert values == pytest.approx([(1 - 2 * ONE) * (1 - 2 * OTHER), 1 - 2 * OTHER])


def test_the_stabilizer_method_names_what_it_cannot_run() -> None:
    """A matrix is no Clifford gate to it."""
    with pytest.raises(Exception, match="'unitary'"):
        simulate(TEXT.replace("rx(1.1)", "h"), method="stabilizer", shots=10)
