"""First step of reading: the text becomes tokens (OpenQASM 3 grammar, `qasm3Lexer.g4`); errors wait for the parser."""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import category

from reader.errors import too_large
from reader.limits import LIMITS

KEYWORDS = frozenset(
    [
        "OPENQASM",
        "include",
        "defcalgrammar",
        "def",
        "cal",
        "defcal",
        "gate",
        "extern",
        "box",
        "let",
        "break",
        "continue",
        "if",
        "else",
        "end",
        "return",
        "for",
        "while",
        "in",
        "switch",
        "case",
        "default",
        "nop",
        "input",
        "output",
        "const",
        "readonly",
        "mutable",
        "qreg",
        "qubit",
        "creg",
        "bool",
        "bit",
        "int",
        "uint",
        "float",
        "angle",
        "complex",
        "array",
        "void",
        "duration",
        "stretch",
        "gphase",
        "inv",
        "pow",
        "ctrl",
        "negctrl",
        "durationof",
        "delay",
        "reset",
        "measure",
        "barrier",
        "true",
        "false",
    ]
)
# Names of the language that are not keywords: the grammar takes them for any name.
CONSTANTS = frozenset(["pi", "π", "tau", "τ", "euler", "ℇ"])
FUNCTIONS = frozenset(
    [
        "arccos",
        "arcsin",
        "arctan",
        "ceiling",
        "cos",
        "exp",
        "floor",
        "imag",
        "log",
        "mod",
        "popcount",
        "pow",
        "real",
        "rotl",
        "rotr",
        "sin",
        "sizeof",
        "sqrt",
        "tan",
    ]
)
NOT_RESERVED = frozenset({"nop"})  # of a later version than 3.1: an ordinary name

# Possessive repetition (++, *+) keeps a match of a long text linear in time and memory.
_DIGITS = r"[0-9]++(?:_[0-9]++)*+"
_EXPONENT = rf"[eE][+-]?{_DIGITS}"
_FLOAT = rf"(?:{_DIGITS}\.(?:{_DIGITS})?(?:{_EXPONENT})?|\.{_DIGITS}(?:{_EXPONENT})?|{_DIGITS}{_EXPONENT})"
_TOKEN = re.compile(
    rf"""
    (?P<skip>[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)
  | (?P<braket>\#?pragma[ \t]++braket[ \t]++(?:unitary|noise|result)\b)
  | (?P<pragma>\#?pragma\b[^\r\n]*)
  | (?P<word>[^\W\d]\w*)
  | (?P<annotation>@[^\W\d]\w*)
  | (?P<timing>(?:{_FLOAT}|{_DIGITS})[ \t]*(?:dt|ns|us|[µμ]s|ms|s)(?!\w))
  | (?P<imaginary>(?:{_FLOAT}|{_DIGITS})[ \t]*im(?!\w))
  | (?P<binary>0[bB][01]++(?:_[01]++)*+(?!\w))
  | (?P<octal>0o[0-7]++(?:_[0-7]++)*+(?!\w))
  | (?P<hex>0[xX][0-9a-fA-F]++(?:_[0-9a-fA-F]++)*+(?!\w))
  | (?P<real>{_FLOAT}(?![\w.]))
  | (?P<integer>{_DIGITS}(?![\w.]))
  | (?P<bits>"[01]++(?:_[01]++)*+")
  | (?P<string>"[^"\r\t\n]+"|'[^'\r\t\n]+')
  | (?P<hardware>\$[0-9]+(?!\w))
  | (?P<sign>\#dim(?!\w)|\*\*=|<<=|>>=|->|\+\+|\*\*|\|\||&&|==|!=|<=|>=|<<|>>
      |[-+*/%&|~^]=|[-+*%&|~^!<>=@.,:;(){{}}\[\]]|/(?!\*))
  | (?P<wrong>[0-9][\w.]*|"[^"\r\n]*|'[^'\r\n]*|/\*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LETTERS = frozenset(["Lu", "Ll", "Lt", "Lm", "Lo", "Nl"])  # Unicode's classes that a name is made of, beyond ASCII
_LINE_END = re.compile(r"[\r\n]")
_BEFORE_ANNOTATION = frozenset({"", ";", "{", "}", "annotation", "pragma"})


class Token(NamedTuple):
    """A token: `kind` is the word or sign itself for keywords and signs, else its class; `at` its offset."""

    kind: str
    text: str
    at: int


LEGACY_KEYWORDS = frozenset(
    ["OPENQASM", "include", "gate", "opaque", "qreg", "creg", "barrier", "measure", "reset", "if"]
)


def tokenize(text: str, keywords: frozenset[str] = KEYWORDS - NOT_RESERVED) -> list[Token]:  # noqa: C901, PLR0912 - one kind of token after the other
    """Return the program's tokens, the last of kind `end of text`, or `wrong` where something is not a token.

    Raises `SourceError` over the limits on tokens and on literal lengths.
    """
    tokens: list[Token] = []
    append = tokens.append
    kind = ""
    start: int | None = 0
    owned = 0  # where the last line ends that is a pragma of Braket
    while start is not None:
        resume = None
        for match in _TOKEN.finditer(text, start):
            group = match.lastgroup
            if group == "skip":
                continue
            word = match.group()
            at = match.start()
            if group == "sign":
                kind = word
            elif group == "braket":
                # What Braket's pragma says goes up to the end of its line: the token is all of that as well.
                kind = word.split()[-1]
                if at >= owned:  # another on its line is none: a token of the line for each would be quadratic
                    word = _line(text, at)
                    owned = at + len(word)
            elif group == "word":
                kind = word if word in keywords else "name" if word.isascii() or _is_name(word) else "wrong"
            elif group == "annotation":
                # At the beginning of a statement it owns its line, whatever stands there; elsewhere it is a sign.
                if kind not in _BEFORE_ANNOTATION and not tokens[-1].at < owned <= at:
                    kind = word = "@"
                else:
                    kind, word = group, _line(text, at)
                resume = at + len(word)
            else:
                kind = group or "wrong"
                _bound(kind, word, at)
            append(Token(kind, word, at))
            if kind == "wrong":
                return tokens  # the parser refuses it; scanning on could cost quadratic time
            if len(tokens) > LIMITS.tokens:
                too_large(
                    f"The program has more than {LIMITS.tokens:,} tokens.",
                    at,
                    LIMITS.tokens,
                    len(tokens),
                    "Use loops and gate definitions, or send plain gate lines, which have no such limit.",
                )
            if resume:
                break
        start = resume
    append(Token("end of text", "", len(text)))
    return tokens


def _line(text: str, at: int) -> str:
    """Return the rest of a line."""
    end = _LINE_END.search(text, at)
    return text[at : end.start() if end else len(text)]


def _is_name(word: str) -> bool:
    """Tell whether the language's letters make up a word; not so in `q²` and `q٣`."""
    return all(character.isascii() or category(character) in _LETTERS for character in word)


def _bound(kind: str, word: str, at: int) -> None:
    if kind in ("string", "bits"):
        if len(word) > LIMITS.string_characters:
            limit = LIMITS.string_characters
            too_large(f"A string has more than {limit:,} characters.", at, limit, len(word))
    elif kind not in ("pragma", "wrong") and len(word) > LIMITS.literal_digits:
        too_large(f"A number has more than {LIMITS.literal_digits} digits.", at, LIMITS.literal_digits, len(word))
