"""One budget for each request: what its texts and bindings cost together is bounded, by count and by the clock."""

from __future__ import annotations

import pytest

from reader import Budget, check, check_each
from tasks.errors import TaskError

FLAT = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;"
LOOP = "OPENQASM 3; qubit[2] q; bit[2] c; for int i in [0:2999] { rx(i * 0.1) q[0]; } c = measure q;"
SWEEP = "input float a; qubit q; bit c; for int i in [0:999] { rx(a * i) q; } if (a > 4) x q; c = measure q;"
ANGLES = "input float a; qubit q; bit c; for int i in [0:999] { rx(a * i) q; } c = measure q;"


def refusal(budget: Budget, text: str = LOOP) -> TaskError:
    """Return the error that the text is refused with."""
    with pytest.raises(TaskError) as caught:
        check(text, budget=budget)
    return caught.value


def test_texts_share_the_budget_of_their_request() -> None:
    """Each text of a batch is small; the one that would go over the budget of all is refused, with place and limit."""
    alone = Budget()
    check(LOOP, budget=alone)
    budget = Budget(2 * alone.spent)
    check(LOOP, budget=budget)
    check(LOOP, budget=budget)
    assert not budget.exhausted
    error = refusal(budget)
    assert ("circuit_too_large", 2 * alone.spent) == (error.code, error.limit)
    assert error.actual is not None
    assert error.actual > 2 * alone.spent
    assert budget.exhausted


def test_bindings_share_the_budget_of_their_request() -> None:
    """A sweep costs what its bindings cost together; one that they decide the angles of alone, about as much as two."""
    alone = Budget()
    list(check_each(SWEEP, [{"a": 0.5}], budget=alone))
    bindings = [{"a": 0.5 + number} for number in range(10)]
    with pytest.raises(TaskError, match="units of work"):
        list(check_each(SWEEP, bindings, budget=Budget(5 * alone.spent)))
    assert len(list(check_each(SWEEP, bindings, budget=Budget(11 * alone.spent)))) == 10
    assert len(list(check_each(ANGLES, bindings * 3, budget=Budget(15 * alone.spent)))) == 30


@pytest.mark.parametrize("statement", ["if (u == 3) { x q; }", "if (u < 3) { x q; }", "v = u / 3;"])
@pytest.mark.parametrize("width", [8, 64])
def test_operators_on_measured_numbers_count_for_what_they_cost(statement: str, width: int) -> None:
    """Tens of microseconds for each binding, though one bit alone is measured; a search found a dozen counted."""
    text = f"input int p; qubit q; bit c; uint[{width}] u; uint[{width}] v; c = measure q; u[0] = c;{statement * 100}"
    text += "if (p == 1) { x q; }"  # so that each binding is compiled by itself
    spent = []
    for bindings in (1, 11):
        budget = Budget()
        list(check_each(text, [{"p": number} for number in range(bindings)], budget=budget))
        spent.append(budget.spent)
    assert (spent[1] - spent[0]) / 10 / 100 >= 22


def test_what_is_refused_once_stays_refused() -> None:
    """An exhausted budget buys nothing more, however small."""
    budget = Budget(100)
    refusal(budget)
    assert refusal(budget, FLAT).message == "Reading this takes more than 100 units of work."


def test_the_clock_is_the_backstop() -> None:
    """A budget of no time refuses what its count would let pass, and says which limit it was."""
    error = refusal(Budget(seconds=0.0))
    assert (error.code, error.message) == ("circuit_too_large", "Reading this takes more than 0 seconds.")


def test_a_count_is_the_same_every_time() -> None:
    """What a text costs depends on nothing but the text."""
    costs = set()
    for _ in range(3):
        budget = Budget()
        check(LOOP, budget=budget)
        costs.add(budget.spent)
    assert len(costs) == 1
