"""A fuzzer over the grammar: whatever it writes ends in a circuit or a coded error, the same from `check` and `read`.

Some seconds of it run with the tests. For longer: `python tests/unit/reader/test_fuzz.py SECONDS [SEED]`; it prints a
program that breaks the promise, and gives exit code 1.
"""

# ruff: noqa: E501 - a table reads best with a program to a line and the expected value first

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    root = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(root / "layers"), str(root / "tests"), str(Path(__file__).parent)]

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reader import check, read
from reader.text.tokens import KEYWORDS
from tasks.errors import TaskError

CODES = {"invalid_circuit", "unsupported_feature", "circuit_too_large", "nothing_measured", "invalid_inputs"}
SIGNS = [
    *"[]{}():;.,=+-*/%|&^@~!<>$#\"'_\\?`",
    "->",
    "++",
    "**",
    "||",
    "&&",
    "==",
    "!=",
    "+=",
    "<<=",
    ">>",
    "<=",
    "//",
    "/*",
    "*/",
]
NAMES = [
    "q",
    "r",
    "c",
    "d",
    "n",
    "u",
    "f",
    "a",
    "b",
    "t",
    "g",
    "go",
    "arr",
    "pi",
    "x",
    "h",
    "cx",
    "rx",
    "U",
    "ecr",
    "\u03b8",
]
NUMBERS = ["0", "1", "2", "3", "7", "64", "-1", "1.5", "0.1", "1e3", "1e308", "0x1F", "0b101", "9" * 30, "2im", "10ns", "5dt", '"01"',
           "true", "false", "pi", "1_0", ".5", "3."]  # fmt: skip
TYPES = ["int", "int[4]", "uint[3]", "uint", "float", "float[32]", "angle[5]", "angle", "bool", "bit", "bit[2]", "complex",
         "duration", "array[int[4], 3]"]  # fmt: skip
HEAD = (
    'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; qubit r; bit[3] c; bit d; int[4] n = 2; uint[3] u = 5; float f = 0.5; '
    "angle[5] a = pi; bool b; array[int[4], 3] arr = {1, 2, 3}; gate g(t) x0, y0 { rx(t) x0; cx x0, y0; } "
    "def go(qubit p, int[4] k) -> bit { h p; if (k > 1) { return measure p; } return 0; } "
)


class Writer:
    """Writes programs by walking the grammar at random; most are legal except for their types and bounds."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.budget = rng.randint(3, 60)

    def pick(self, *options: str) -> str:
        """Return one of the options."""
        return self.rng.choice(options)

    def expression(self, depth: int = 0) -> str:  # noqa: PLR0911 a dispatch over the language
        """Write an expression."""
        self.budget -= 1
        if depth > 4 or self.budget < 0 or self.rng.random() < 0.35:
            return self.rng.choice([*NUMBERS[:20], "n", "u", "f", "a", "b", "c", "d", "c[0]", "u[1]", "arr[1]", "n"])
        inner = lambda: self.expression(depth + 1)  # noqa: E731 - a name for what every branch repeats
        kind = self.rng.randrange(9)
        if kind < 4:
            sign = self.pick(
                "+", "-", "*", "/", "%", "**", "==", "!=", "<", ">", "<=", ">=", "&&", "||", "&", "|", "^", "<<", ">>"
            )
            return f"({inner()} {sign} {inner()})"
        if kind == 4:
            return f"{self.pick('-', '~', '!')}{inner()}"
        if kind == 5:
            return f"{self.rng.choice(TYPES[:-1])}({inner()})"
        if kind == 6:
            return f"{self.pick('sin', 'sqrt', 'popcount', 'arccos', 'exp', 'log', 'floor')}({inner()})"
        if kind == 7:
            return f"{self.pick('mod', 'pow', 'rotl', 'rotr')}({inner()}, {inner()})"
        return self.pick(
            f"c[{inner()}]", f"arr[{inner()}]", f"go(q[{inner()}], {inner()})", "sizeof(arr)", f"u[{inner()}]"
        )

    def qubit(self) -> str:
        """Write an operand."""
        return self.pick(
            "q[0]", "q[1]", "q[2]", "r", "q", "q[0:1]", f"q[{self.expression(3)}]", "q[{0, 2}]", "$0", "q[-1]"
        )

    def statements(self, depth: int) -> str:
        """Write some statements."""
        return " ".join(self.statement(depth) for _ in range(self.rng.randint(0, 3)))

    def statement(self, depth: int = 0) -> str:  # noqa: C901, PLR0911 - one branch per statement
        """Write a statement."""
        self.budget -= 2
        kind = self.rng.randrange(20 if depth < 4 and self.budget > 0 else 9)
        if kind <= 2:
            modifier = self.pick(
                "", "", "", "inv @ ", "ctrl @ ", "negctrl @ ", f"pow({self.expression(3)}) @ ", "ctrl(2) @ "
            )
            gate = self.pick(
                "h",
                "x",
                "cx",
                "swap",
                "ccx",
                f"rx({self.expression(2)})",
                f"g({self.expression(3)})",
                "U(1, f, a)",
                "iswap",
            )
            return f"{modifier}{gate} {', '.join(self.qubit() for _ in range(self.rng.randint(1, 3)))};"
        if kind <= 4:
            return self.pick(
                "c = measure q;",
                "measure r -> d;",
                "c[1] = measure q[1];",
                "measure q[2];",
                "d = measure r;",
                "b = measure r;",
            )
        if kind == 5:
            target = self.pick("n", "u", "f", "a", "b", "c", "d", "c[0]", "c[0:1]", "arr[1]", "arr", "u[0]")
            return f"{target} {self.pick('=', '=', '+=', '-=', '*=', '^=', '<<=', '/=')} {self.expression()};"
        if kind == 6:
            return f"{self.rng.choice(TYPES)} {self.rng.choice(NAMES)} = {self.expression()};"
        if kind == 7:
            return self.pick(
                "reset q;",
                "barrier q;",
                "barrier;",
                f"delay[{self.expression(3)}] q;",
                "let w = q[0:1] ++ r;",
                "end;",
                "pragma x\n",
            )
        if kind == 8:
            return self.pick(
                "break;", "continue;", f"return {self.expression(3)};", f"{self.expression()};", "nop;", "@note\n"
            )
        body = "{ " + self.statements(depth + 1) + " }"
        if kind <= 12:
            tail = f" else {{ {self.statements(depth + 1)} }}" if self.rng.random() < 0.4 else ""
            return f"if ({self.expression()}) {body}{tail}"
        if kind <= 14:
            values = self.pick(
                "[0:2]", "{0, 1}", "c", "arr", f"[{self.expression(3)}:{self.expression(3)}]", "[3:-1:0]"
            )
            return f"for int i in {values} {body}"
        if kind <= 16:
            return f"while ({self.expression()}) {body}"
        if kind == 17:
            return f"switch ({self.expression()}) {{ case 0 {body} case {self.pick('1', '2, 3', 'n')} {{ }} default {{ x r; }} }}"
        if kind == 18:
            return f"box {body}"
        return body

    def program(self) -> str:
        """Write a program, and sometimes break it."""
        style = self.rng.random()
        if style < 0.1:
            words = [
                self.rng.choice([*sorted(KEYWORDS), *SIGNS, *NAMES, *NUMBERS, " ", "\n"])
                for _ in range(self.rng.randint(1, 60))
            ]
            return self.pick("", "OPENQASM 3.0; ", "OPENQASM 2.0; ") + " ".join(words)
        text = HEAD + " ".join(self.statement() for _ in range(self.rng.randint(1, 8))) + " c = measure q;"
        if style < 0.4:
            pieces = re.findall(r"\w+|\s+|[^\w\s]", text)
            for _ in range(self.rng.randint(1, 4)):
                place = self.rng.randrange(len(pieces))
                action = self.rng.randrange(4)
                if action == 0:
                    del pieces[place]
                elif action == 1:
                    pieces.insert(place, pieces[self.rng.randrange(len(pieces))])
                elif action == 2:
                    pieces[place] = self.rng.choice([*SIGNS, *NUMBERS, *sorted(KEYWORDS)])
                else:
                    pieces[place] *= self.rng.randint(2, 30)
            text = "".join(pieces)
        return text


def outcome(text: str) -> str:
    """Read a program and return its code, or `circuit`; asserts what must hold of every text."""
    try:
        check(text)
        checked = None
    except TaskError as error:
        checked = error.as_dict()
    try:
        circuit = read(text)
    except TaskError as error:
        found = error.as_dict()
        assert found["code"] in CODES
        assert found["message"]
        assert "Error" not in found["message"]
        assert found == checked or checked is None
        if checked is None:
            assert "input" in text
        return str(found["code"])
    assert checked is None
    assert circuit.metadata["outputs"]
    return "circuit"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_whatever_is_written_ends_in_a_circuit_or_a_coded_error(rng: random.Random) -> None:
    """No program the grammar can write, whole or broken, makes the reader raise anything but a `TaskError`."""
    outcome(Writer(rng).program())


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_ends_in_a_coded_error_or_a_circuit(text: str) -> None:
    """Text that was never a program is refused like one with a mistake."""
    outcome(text)


def main(seconds: float, seed: int) -> int:
    """Fuzz for some time and print what came out."""
    end = time.monotonic() + seconds
    seen: Counter[str] = Counter()
    slowest = (0.0, "")
    number = seed
    while time.monotonic() < end:
        text = Writer(random.Random(number)).program()
        start = time.process_time()
        try:
            seen[outcome(text)] += 1
        except Exception as error:  # noqa: BLE001 - any of them is a finding
            seen["broken"] += 1
            print(f"seed {number}: {type(error).__name__}: {error}\n{text}\n")  # noqa: T201 - a command
        slowest = max(slowest, (time.process_time() - start, text))
        number += 1
    print(f"{number - seed} programs: {dict(seen)}; slowest {slowest[0]:.2f} s:\n{slowest[1][:2000]}")  # noqa: T201 - a command
    return int(seen["broken"] > 0)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
