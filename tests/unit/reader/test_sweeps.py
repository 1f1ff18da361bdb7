"""Sweeps compiled once: each binding gets what the text with its values alone is compiled to, to the last bit."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import pytest

from reader import LIMITS, Budget, check, check_each, compile_each, compile_sweep
from reader.operations import Compiled, If, Node, Store, While
from reader.swept import Swept, UnalikeError, of_binding
from tasks.errors import TaskError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reader.operations import Bit, Operation

HEAD = "input float a; input float b; input angle[32] t; input int k; qubit[3] q; bit[3] c; "
# Programs whose inputs decide angles alone.
ANGLES = {
    "gates": "rx(a) q[0]; ry(2 * b - a / 3) q[1]; U(a, -b, pi / 2) q[2];",
    "angle": "rz(t) q[0]; rz(t * 2) q[1]; rz(-t) q; rx(angle[32](a) + t) q[0];",
    "integer": "rz(k * pi / 8) q[0]; p(2.0 ** k) q[1];",
    "functions": "rx(sin(a)) q[0]; ry(sqrt(b * b)) q[1]; rz(arctan(a * b)) q[2];",
    "user gates": "gate g(x, y) p, r { ry(x / 2) p; crz(y) p, r; } g(a, b - 1) q[0], q[1]; inv @ g(b, t) q[1], q[2];",
    "modifiers": "ctrl @ rz(a) q[0], q[1]; negctrl @ rx(b) q[1], q[2]; ctrl(2) @ ry(a) q; pow(2) @ rx(a) q[0];",
    "library": "cu(a, b, 1, 2) q[0], q[1]; crx(a) q[1], q[2]; rzz(b) q[0], q[2]; xx_plus_yy(a, b) q[0], q[1];",
    "variables": "float x = a; for int i in [0:3] { x += b * i; rx(x) q[i % 3]; }",
    "array": "array[float, 2] y = {a, b}; rx(y[1]) q[0]; y[0] *= 2; ry(y[0]) q[1];",
    "subroutine": "def f(qubit p, float x) { rx(x * a) p; } f(q[0], b); f(q[1], 2.5);",
    "phase": "gphase(a); ctrl @ gphase(b) q[0];",
    "test agreed on": "if (a < 100) { rx(a) q[0]; } else { x q[0]; } while (b > 1e9) { x q[0]; }",
    "measured": "c[0] = measure q[0]; if (c[0]) { rx(a) q[1]; } float x = a; if (c[0]) { x = b; } ry(x) q[2];",
    "measured angle": "c[0] = measure q[0]; rz(c[0] * a) q[1];",
    "loop": "c[0] = measure q[0]; while (c[0]) { rx(a) q[1]; c[0] = measure q[1]; }",
}
# Programs whose inputs decide more than that, for these bindings.
STRUCTURE = {
    "test": "if (a > 0) x q[0]; rx(b) q[1];",
    "rounds": "for int i in [0:k] { rx(a) q[0]; }",
    "place": "x q[k % 3];",
    "power": "pow(a) @ rx(b) q[0];",
    "note": "rx(k / 4) q[0];",
    "output": "output float z; z = a; bit d = bool(k > 2);",
}


def bindings(count: int = 7) -> list[dict[str, float]]:
    """Return bindings, one of them with a negative zero."""
    chance = random.Random(count)
    found: list[dict[str, float]] = []
    for _ in range(count):
        a, b, t = (chance.uniform(*bounds) for bounds in ((-4, 4), (-4, 4), (0, 6)))
        found.append({"a": a, "b": b, "t": t, "k": chance.randrange(-3, 9)})
    found[1] |= {"a": -0.0, "b": 1}
    return found


def written(operations: Sequence[Operation]) -> list[object]:
    """Return operations in words in which 0.0 and -0.0 differ, and all that a test or loop has in it."""
    found: list[object] = []
    for each in operations:
        if isinstance(each, If):
            found.append(("if", bit_of(each.condition), written(each.then), written(each.otherwise)))
        elif isinstance(each, While):
            found.append(("while", each.cell, written(each.body)))
        elif isinstance(each, Store):
            found.append(("store", each.cell, bit_of(each.value)))
        else:
            found.append((each.name, repr(each)))
    return found


def bit_of(bit: Bit | None) -> object:
    """Return a Boolean expression as nested tuples."""
    return (bit.op, bit_of(bit.a), bit_of(bit.b)) if isinstance(bit, Node) else bit


def alone(text: str, binding: Mapping[str, object]) -> Compiled:
    """Return the program compiled with one binding."""
    return next(compile_each(text, [binding]))


def same(one: Compiled, other: Compiled) -> bool:
    """Tell whether two programs are the same, operation by operation and bit by bit."""
    return written(one.operations) == written(other.operations) and repr(one[1:]) == repr(other[1:])


@pytest.mark.parametrize("name", ANGLES)
def test_angles_are_compiled_once(name: str) -> None:
    """What decides angles alone is compiled once, and each binding has exactly the operations that it has alone."""
    text = f"{HEAD}{ANGLES[name]} c = measure q;"
    together = compile_sweep(text, bindings())
    assert isinstance(together, Compiled)
    for index, binding in enumerate(bindings()):
        assert same(of_binding(together, index), alone(text, binding))
    assert list(check_each(text, bindings())) == [check(text, binding) for binding in bindings()]


@pytest.mark.parametrize("name", STRUCTURE)
def test_structure_is_compiled_one_by_one(name: str) -> None:
    """Where bindings disagree about anything else, each is compiled alone, and comes out as it does alone."""
    text = f"{HEAD}{STRUCTURE[name]} c = measure q;"
    assert not isinstance(compile_sweep(text, bindings()), Compiled)
    for program, binding in zip(compile_each(text, bindings()), bindings(), strict=True):
        assert same(program, alone(text, binding))


def expression(chance: random.Random, depth: int) -> str:
    """Return a random expression over the inputs."""
    if depth == 0 or chance.random() < 0.2:
        return chance.choice(["a", "b", "t", "k", "pi", "0.0", "1", "3", "2.5", "-a", "-0.5"])
    left, right = expression(chance, depth - 1), expression(chance, depth - 1)
    kind = chance.randrange(8)
    if kind < 5:
        return f"({left} {chance.choice('+-*/')} {right})"
    if kind == 5:
        return f"{chance.choice(['sin', 'cos', 'exp', 'sqrt', 'arctan', 'floor'])}({left})"
    if kind == 6:
        return f"{chance.choice(['float', 'float[32]', 'angle[20]', 'int'])}({left})"
    return f"{chance.choice(['mod', 'pow'])}({left}, {right})"


def outcomes(text: str, some: Sequence[Mapping[str, object]]) -> Iterator[object]:
    """Yield what a program is compiled to with each binding, up to the words in which one is refused."""
    try:
        for program in compile_each(text, some):
            yield [written(program.operations), repr(program[1:])]
    except TaskError as error:
        yield f"{error.message} {error.line} {error.column}"


def test_random_expressions_have_the_same_bits() -> None:
    """Random expressions of inputs come out, or are refused, binding by binding as they are alone."""
    chance = random.Random(19)
    compiled_once = 0
    for _ in range(800):
        text = f"{HEAD}rx({expression(chance, 3)}) q[0]; c = measure q;"
        some = [{**binding, "k": chance.choice([1, binding["k"]])} for binding in bindings(3)]
        compiled_once += isinstance(compile_sweep(text, some), Compiled)
        found = list(outcomes(text, some))
        assert found == [next(outcomes(text, [binding])) for binding in some][: len(found)]
        assert len(found) == len(some) or isinstance(found[-1], str)
    assert compiled_once > 300


def test_a_bad_binding_is_found_where_it_stands() -> None:
    """A value that does not fit, or is missing, or divides by zero, is refused for its binding, in the same words."""
    text = HEAD + "rx(1 / a) q[0]; c = measure q;"
    good = {"a": 1.0, "b": 2.0, "t": 0.5, "k": 3}
    for bad in ({"a": "x"}, {"a": math.inf}, {"k": 2**70}, {"a": 0.0}, {"z": 1}):
        some = [good, good, {**good, **bad}, good]
        sizes = check_each(text, some)
        assert next(sizes) == next(sizes) == check(text, good)
        with pytest.raises(TaskError) as caught:
            next(sizes)
        with pytest.raises(TaskError) as wanted:
            check(text, some[2])
        assert str(caught.value) == str(wanted.value)


USES: list[Callable[[Any], object]] = [float, int, bool, hash, str, math.sin, range, [1, 2].__getitem__]
USES += [lambda n: f"{n}", lambda n: n % 2, lambda n: n << 1, lambda n: 2**n, lambda n: n == 1.0, lambda n: n > 0.5]
USES += [lambda n: n + 1j, lambda n: 1 / n, lambda n: n in (1.0, 2.0), lambda n: n and 1, list, len]


@pytest.mark.parametrize("use", USES)
def test_a_number_of_all_bindings_is_nothing_else(use: Callable[[Any], object]) -> None:
    """It cannot become a number, a key, a text or bits unnoticed: whatever is not foreseen ends the attempt."""
    with pytest.raises(UnalikeError):
        use(Swept([0.0, 1.0]))


def test_a_thousand_bindings_cost_as_much_as_a_few() -> None:
    """Forty-eight angles of a thousand bindings are read within a fiftieth of the budget."""
    names = [f"t{number}" for number in range(48)]
    text = "".join(f"input float {name}; " for name in names) + "qubit[12] q; bit[12] c; "
    text += "".join(f"ry({name}) q[{number % 12}]; " for number, name in enumerate(names)) + "c = measure q;"
    some = [{name: 0.001 * (at + place) for place, name in enumerate(names)} for at in range(1_000)]
    budget = Budget()
    assert len(set(check_each(text, some, budget=budget))) == 1
    assert budget.spent < LIMITS.work / 50


def test_an_attempt_in_vain_costs_nothing_later() -> None:
    """A sweep that is compiled one by one is charged for that alone: what was accepted before still is."""
    text = "input float a; qubit q; bit c; for int i in [0:99] { rx(a * i) q; } if (a > 0) x q; c = measure q;"
    some = [{"a": number - 4.5} for number in range(10)]
    costs = []
    for binding in some:
        budget = Budget()
        check(text, binding, budget=budget)
        costs.append(budget.spent)
    budget = Budget(seconds=60.0)
    started = budget.started
    list(check_each(text, some, budget=budget))
    assert budget.spent <= sum(costs)
    assert budget.started > started  # of the clock neither
