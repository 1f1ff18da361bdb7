"""Which texts are programs at all: the reader's parser against the reference parser, on whole and broken programs."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from typing import TYPE_CHECKING, NoReturn

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from openqasm3.parser import qasm3Lexer, qasm3Parser

from reader.errors import SourceError
from reader.text.parser import parse
from tasks.errors import ErrorCode
from unit.reader.test_constructs import CONSTRUCTS
from unit.reader.test_fuzz import Writer
from unit.reader_differential.handwritten import HANDWRITTEN
from unit.reader_differential.plausible import PLAUSIBLE

if TYPE_CHECKING:
    from collections.abc import Iterator

# How many mutated programs to compare; the reference parser takes some 10 ms for each.
MUTANTS = int(os.environ.get("ACCEPTANCE_MUTANTS", "1500"))
PROGRAMS = [
    *(text for text, _ in HANDWRITTEN.values()),
    *PLAUSIBLE.values(),
    *(text for _, text, _, _ in CONSTRUCTS),
    "OPENQASM 3.1; cal { play(x); } defcal rz(angle[20] t) $0 { shift(t); } defcal measure $0 -> bit { return 1; }",
    "extern f(int[8], readonly array[float, #dim = 1], creg) -> float[32]; extern g(); let a = b ++ c[1:2] ++ d;",
    "def f(qreg q[2], creg c, mutable array[int, 2, 3] a, array[bit] b) -> bit[2] { return measure q; } end; break;",
]
TOKEN = re.compile(
    r'"[^"\n]*"|//[^\n]*|/\*.*?\*/|[#@]\w+|[^\W\d]\w*|\$?\d[\w.]*|[-+*/%&|^~!<>=]=|->|\*\*|&&|\|\||\S', re.DOTALL
)
WORDS = """
; , ( ) [ ] { } = == + - * / ** ++ -> : . @ ! ~ < <= << && 0 1 1.5 2im 10ns 0x1f $0 pi q a int uint[4] bit qubit
float angle complex duration stretch bool array void creg const input output readonly let measure reset barrier
delay gphase ctrl negctrl inv pow if else for in while switch case default break end return def gate box
durationof include "101" "x" sizeof OPENQASM extern #dim cal pragma
""".split()  # noqa: SIM905 - a list of 80 would fill the page


class Refused(Exception):  # noqa: N818 - a verdict
    """The reference parser's verdict."""


class Raise(ErrorListener):  # type: ignore[misc]  # the runtime has no types
    """Ends at the first error, of the lexer's too."""

    def syntaxError(self, *given: object) -> NoReturn:  # noqa: N802 - the runtime's name
        """Refuse."""
        raise Refused(str(given[4]))


def reference(text: str) -> bool:
    """Tell whether the grammar of the reference parser (openqasm3 1.0, OpenQASM 3.1) has the text."""
    lexer = qasm3Lexer(InputStream(text))
    parser = qasm3Parser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(Raise())
    try:
        parser.program()
    except Refused:
        return False
    return True


def ours(text: str) -> tuple[bool, str]:
    """Tell whether the reader takes the text for a program, and what it says if not."""
    try:
        parse(text)
    except SourceError as error:
        return error.code != ErrorCode.INVALID_CIRCUIT, error.message
    return True, ""


def mutants(number: int) -> Iterator[str]:
    """Yield programs with one to three tokens dropped, doubled, swapped, replaced or put in."""
    rng = random.Random(7)
    for _ in range(number):
        tokens = TOKEN.findall(rng.choice(PROGRAMS))
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            at = rng.randrange(len(tokens))
            match rng.randrange(5):
                case 0:
                    tokens[at : at + 1] = []
                case 1:
                    tokens[at:at] = [tokens[at]]
                case 2:
                    tokens[at : at + 2] = reversed(tokens[at : at + 2])
                case 3:
                    tokens[at] = rng.choice(WORDS)
                case _:
                    tokens[at:at] = [rng.choice(WORDS)]
            tokens = tokens or [";"]
        yield "".join(token + ("\n" if token.startswith(("//", "#", "@", "pragma")) else " ") for token in tokens)


def excused(text: str, accepted: bool, message: str) -> str:  # noqa: FBT001 - the verdict
    """Return why the two may differ on a text."""
    if "describes pulses" in message or message.startswith("OpenQASM"):
        return "calibrations and unknown versions are refused where they stand, and what follows is not read"
    if message == "The parts of a complex number are floats.":
        return "a rule of types that the reader's parser knows and the grammar leaves to the compiler"
    if accepted and re.search(r"\bpow\s*\(", text):
        return "the grammar has pow as a modifier only, the specification's table of functions has it too"
    if accepted and re.search(r"\+\s*\+", text):
        return "the grammar has ++ in aliases only, the specification initialises arrays with it too"
    return ""


def test_programs_are_programs_to_both_or_to_neither() -> None:
    """The reader accepts and refuses what the reference parser does, except for the differences that are meant."""
    seen: Counter[str] = Counter()
    generated = [Writer(random.Random(seed)).program() for seed in range(MUTANTS // 5)]
    for text in [*PROGRAMS, *generated, *mutants(MUTANTS)]:
        accepted, message = ours(text)
        expected = reference(text)
        reason = "" if accepted == expected else excused(text, accepted, message)
        seen[reason or str(accepted)] += 1
        assert accepted == expected or reason, f"{'accepted' if accepted else 'refused'}, {message}: {text}"
    assert min(seen["True"], seen["False"]) > MUTANTS // 10, seen
