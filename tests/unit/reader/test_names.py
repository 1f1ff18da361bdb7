"""A name is declared once in a scope, whatever it names, and anew in an inner one (spec, "Scoping of variables")."""

from __future__ import annotations

import pytest

from reader import check, read
from tasks.errors import TaskError

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; qubit[4] q; bit[4] c; '

# Each gives `n` a meaning, at any place of a program and at its top level only.
ANYWHERE = {
    "alias of qubits": "let n = q[0:1];",
    "alias of bits": "let n = c[0:1];",
    "alias that is measured": "let n = q[c[0] * 1];",
    "constant": "const int n = 1;",
    "variable": "int n = 1;",
    "bit": "bit[2] n;",
    "creg": "creg n[2];",
    "measured bit": "bit n = measure q[0];",
    "duration": "duration n = 1ns;",
    "stretch": "stretch n;",
}
GLOBAL = {
    "gate": "gate n a { x a; }",
    "subroutine": "def n(qubit a) { x a; }",
    "extern": "extern n(int);",
    "qubit": "qubit n;",
    "qreg": "qreg n[2];",
    "input": "input int n;",
    "output": "output bit n;",
    "array": "array[int, 2] n = {1, 2};",
}
PLACES = {
    "block": "{ BODY }",
    "if": "if (c[0]) { BODY }",
    "else": "if (c[0]) { } else { BODY }",
    "for": "for int i in [0:1] { BODY }",
    "while": "while (c[0]) { BODY }",
    "box": "box { BODY }",
    "switch": "switch (1) { case 1 { BODY } }",
    "not executed": "if (false) { BODY }",
    "subroutine": "def f() { BODY } f();",
    "uncalled subroutine": "def f() { BODY }",
    "behind a measured end": "if (c[0]) end; { BODY }",
}
# What has a name already at the beginning of a body.
HEADS = {
    "loop variable": "for int n in [0:1] { BODY }",
    "loop variable of one statement": "for int n in [0:1] BODY",
    "loop that never runs": "for int n in [1:0] { BODY }",
    "parameter": "def f(int n) { BODY } f(1);",
    "parameter of an uncalled subroutine": "def f(int n) { BODY }",
    "qubit of a subroutine": "def f(qubit n) { BODY } f(q[0]);",
}


def refused(text: str) -> tuple[str, str | None, int | None]:
    """Return the message, the hint and the column behind HEAD, from 0, that a program is refused with."""
    with pytest.raises(TaskError) as raised:
        check(HEAD + text + " c = measure q;", {"n": 1} if "input" in text else {})
    column = raised.value.column
    return str(raised.value), raised.value.hint, None if column is None else column - len(HEAD) - 1


def twice(column: int) -> tuple[str, str, int]:
    """Return how a second declaration is refused."""
    return "'n' is declared twice.", "Choose another name.", column


@pytest.mark.parametrize("second", ANYWHERE | GLOBAL)
def test_the_program_has_one_meaning_for_a_name(second: str) -> None:
    """Of two declarations at the top level, whatever they declare, the second one is refused where it stands."""
    every = ANYWHERE | GLOBAL
    for first in every.values():
        assert refused(f"{first} {every[second]}") == twice(len(first) + 1)


@pytest.mark.parametrize("place", PLACES)
def test_a_scope_has_one_meaning_for_a_name(place: str) -> None:
    """Blocks and bodies refuse a second declaration, executed or not."""
    for first in ANYWHERE.values():
        for second in ANYWHERE.values():
            text = PLACES[place].replace("BODY", f"{first} {second}")
            assert refused(text) == twice(PLACES[place].index("BODY") + len(first) + 1)


@pytest.mark.parametrize("head", HEADS)
def test_a_body_does_not_declare_its_variable_again(head: str) -> None:
    """Loop variables and parameters count as declared in the body, whose own blocks may hide them."""
    for again in ANYWHERE.values():
        assert refused(HEADS[head].replace("BODY", again)) == twice(HEADS[head].index("BODY"))
        check(f"{HEAD}{HEADS[head].replace('BODY', f'{{ {{ {again} }} }}')} c = measure q;")


@pytest.mark.parametrize("place", PLACES)
def test_an_inner_scope_gives_a_name_another_meaning(place: str) -> None:
    """Whatever a name stands for outside; behind the scope it is that again."""
    for outer in (ANYWHERE | GLOBAL).values():
        for inner in (ANYWHERE["alias of qubits"], ANYWHERE["variable"]):
            text = f"{outer} {PLACES[place].replace('BODY', inner)}"
            check(f"{HEAD}{text} c = measure q;", {"n": 1} if "input" in text else {})


def test_an_alias_of_an_inner_scope_ends_with_it() -> None:
    """As in the specification's example; the outer alias names its own qubit again."""
    text = "let n = q[0]; while (c[0] == 0) { let n = q[3]; x n; c[0] = 1; } x n;"
    assert check(f"{HEAD}{text} c = measure q;") is not None
    found = read(f"{HEAD}{text} c = measure q;")
    assert [found.find_bit(each.qubits[0]).index for each in found.data if each.operation.name == "x"] == [3, 0]


HIDDEN = "'n' is a gate or subroutine, which no variable may hide: other tools refuse it."


@pytest.mark.parametrize(
    "text",
    [
        "{ int n = 1; }",
        "for int n in [0:1] { }",
        "def f(int n) { }",
        "gate g(n) a { rx(n) a; }",
        "gate g n { x n; }",
        "{ let n = q[0]; }",
    ],
)
def test_a_name_that_hides_a_gate_is_noted(text: str) -> None:
    """Wherever it is declared; gates keep their meaning, for names of gates and of variables never meet."""
    for kind in ("gate", "subroutine", "extern"):
        notes = read(f"{HEAD}{GLOBAL[kind]} {text} c = measure q;").metadata["notes"]
        assert any(note.endswith(f": {HIDDEN}") for note in notes), notes
