"""Second step of reading, the expressions: a Pratt parser with the precedence table of OpenQASM 3."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from reader.errors import did_you_mean, invalid, quote, too_large, unsupported
from reader.limits import LIMITS
from reader.text import syntax
from reader.text.durations import UNITS, Duration, exact

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from reader.text.tokens import Token

PRECEDENCE = {
    "||": 1,
    "&&": 2,
    "|": 3,
    "^": 4,
    "&": 5,
    "==": 6,
    "!=": 6,
    "<": 7,
    ">": 7,
    "<=": 7,
    ">=": 7,
    "<<": 8,
    ">>": 8,
    "+": 9,
    "-": 9,
    "*": 10,
    "/": 10,
    "%": 10,
    "**": 12,
}
UNARY = 11  # ~ ! - bind tighter than * and looser than **
SCALARS = frozenset(["bit", "int", "uint", "float", "angle", "bool", "duration", "stretch", "complex"])
_Item = TypeVar("_Item")
_IMAGINARY = re.compile(r"[0-9]+\.?[0-9]*[ij]")  # as other languages write them
_PRODUCT = re.compile(r"(?!0[xXbBoO])[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?(?:[eE][0-9]+)?(?![eE_\d])[^\W\d]\w*")
_WITH_BASE = re.compile(r"0[xXbBoO]\w*")
_STRAY = {
    "#": "A comment starts with '//'.",
    "$": "A hardware qubit is a '$' and its number: $0.",
    "\\": "If the text was escaped twice, send line breaks in place of '\\n'.",
}
PULSES = frozenset(["port", "frame", "waveform"])  # types of OpenPulse, for calibrations
WITHOUT_PULSES = "A simulator has no pulses: remove the calibration, gates run ideally without it."
_BASES = {"integer": 10, "binary": 2, "octal": 8, "hex": 16}
_BEGINNINGS = frozenset(["end of text", "}", "annotation", "pragma"])  # beside words, what can follow a statement


def _hint_of_number(text: str) -> str:
    """Return what is wrong with what starts as a number does."""
    if _IMAGINARY.fullmatch(text):
        return f"An imaginary number ends in 'im': {text[:-1][:40]}im."
    if _PRODUCT.fullmatch(text):
        return "A name cannot start with a digit; a product needs a '*'."
    if _WITH_BASE.fullmatch(text):
        return f"Digits of its base must stand behind {text[:2]}."
    if "." in text.lstrip("0123456789_").removeprefix("."):
        return "A number has one '.' at most, and none in its exponent."
    if "_" in text:
        return "Digits must stand on both sides of each '_'."
    return "Digits must stand behind 'e'."


class ExpressionParser(ABC):
    """A cursor over the tokens that reads expressions and types."""

    text = ""  # of the program, for hints

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.next = 0
        self.token = tokens[0]
        self.depth = 0

    # ------------------------------------------------------------------ the cursor

    def advance(self) -> Token:
        """Step over the current token and return it."""
        token = self.token
        if token.kind == "wrong":
            self.refuse_text(token)
        if self.next + 1 < len(self.tokens):
            self.next += 1
            self.token = self.tokens[self.next]
        return token

    def peek(self, offset: int = 1) -> str:
        """Return the kind of a later token."""
        index = self.next + offset
        return self.tokens[index].kind if index < len(self.tokens) else "end of text"

    def accept(self, kind: str) -> Token | None:
        """Step over a token of this kind if it is the current one."""
        return self.advance() if self.token.kind == kind else None

    def expect(self, kind: str, where: str) -> Token:  # noqa: RET503 it ends in a refusal
        """Step over a token of this kind or refuse the program."""
        if self.token.kind == kind:
            return self.advance()
        shown = {"name": "a name", "string": "a quoted name"}.get(kind, f"'{kind}'")
        self.refuse(f"expected {shown} {where}", self._missing(kind))

    def _missing(self, kind: str) -> str | None:
        """Return the hint where a sign is expected; None where something else may be wrong as well."""
        if kind not in (";", ")", "]", "}"):
            return None
        if kind == ")" and self.token.kind == "=":
            return "Write '==' to compare."
        if kind != ";" and self._closes(kind):
            return None
        before = self.tokens[self.next - 1]
        if kind == ";" and self.token.kind == "name" and "\n" not in self.text[before.at : self.token.at]:
            return None  # a name after a name: other languages begin statements like that
        if kind == ";" and self.token.kind not in _BEGINNINGS and not self.token.text[:1].isalpha():
            return None  # what no statement begins with: the fault is before it
        return f"Add the missing {kind}."

    def _closes(self, kind: str) -> bool:
        """Tell whether a bracket is closed later in the statement, so that something before it is wrong."""
        depth = 0
        for index in range(self.next, len(self.tokens)):
            sign = self.tokens[index].kind
            if sign in ("(", "[", "{"):
                depth += 1
            elif sign in (")", "]", "}"):
                if depth == 0:
                    return sign == kind
                depth -= 1
            elif sign == ";" and depth == 0:
                return False
        return False

    def any_number(self, closing: str, read: Callable[[], _Item]) -> list[_Item]:
        """Read items between commas until `closing` is next; there may be none, or a comma after the last."""
        return [] if self.token.kind == closing else self.one_or_more(closing, read)

    def one_or_more(self, closing: str, read: Callable[[], _Item]) -> list[_Item]:
        """Read items between commas until `closing` is next; a comma may follow the last."""
        items = [read()]
        while self.accept(",") and self.token.kind != closing:
            items.append(read())
        return items

    def refuse(self, wanted: str, hint: str | None = None) -> NoReturn:
        """Refuse the program at the current token."""
        token = self.token
        if token.kind == "wrong":
            self.refuse_text(token)
        if token.kind == "end of text":
            invalid(f"The program ends too early: {wanted}.", token.at, hint)
        self._refuse_pulses(wanted)
        if token.kind == "}" and hint is None and self.tokens[self.next - 1].kind != "{":
            hint = "Is a ';' or a '{' missing before it?"
        invalid(f"{quote(token.text)} is not allowed here: {wanted}.", token.at, hint)

    def _refuse_pulses(self, wanted: str) -> None:
        """Refuse a type of OpenPulse where one of the language is wanted, or in `frame f = ...`."""
        at = self.next - 2 if self.token.kind == "=" else -1
        if "type" in wanted and self.peek() in ("name", ",", ")", ";", "{"):
            at = self.next  # not the name of a constant or of a loop's variable that lacks its type
        if at >= 0 and self.tokens[at].kind == "name" and self.tokens[at].text in PULSES:
            name = self.tokens[at]
            unsupported(f"{quote(name.text)} describes pulses, which a simulator cannot play.", name.at, WITHOUT_PULSES)

    @staticmethod
    def refuse_text(token: Token) -> NoReturn:
        """Refuse what is not a token at all."""
        text = token.text
        if text.startswith(('"', "'")):
            invalid("This string does not end on its line.", token.at, f"Close it with {text[0]}.")
        if text.startswith("/*"):
            invalid("This comment does not end.", token.at, "Close it with */.")
        if text[0].isalpha() or text[0] == "_":
            invalid(f"{quote(text)} is not a name.", token.at, "Use letters, the digits 0 to 9 and _.")
        if text[0].isdigit():
            invalid(f"{quote(text)} is not a number.", token.at, _hint_of_number(text))
        shown = quote(text) if text.isprintable() else f"the character U+{ord(text[0]):04X}"
        invalid(f"OpenQASM does not use {shown}.", token.at, _STRAY.get(text, "Remove it."))

    def enter(self) -> None:
        """Count one more level of nesting."""
        self.depth += 1
        if self.depth > LIMITS.nesting:
            too_large(
                f"The program nests deeper than {LIMITS.nesting} levels.",
                self.token.at,
                LIMITS.nesting,
                self.depth,
                "Use fewer nested brackets or blocks.",
            )

    def leave(self) -> None:
        """Come back from one level of nesting."""
        self.depth -= 1

    # ------------------------------------------------------------------ expressions

    def expression(self, minimum: int = 0) -> syntax.Expression:
        """Read an expression whose operators all bind at least as tightly as `minimum`."""
        self.enter()
        left = self.prefix()
        count = 0
        while True:
            token = self.token
            level = PRECEDENCE.get(token.kind)
            if level is None or level < minimum:
                break
            self.advance()
            count += 1
            if count > LIMITS.chain:
                too_large(f"An expression has more than {LIMITS.chain:,} operators.", token.at, LIMITS.chain, count)
            # ** is right-associative, everything else left-associative.
            right = self.expression(level if token.kind == "**" else level + 1)
            left = syntax.Binary(token.at, token.kind, left, right)
        self.leave()
        return left

    def prefix(self) -> syntax.Expression:
        """Read a unary expression, or a primary one with its indices."""
        token = self.token
        if token.kind in ("-", "~", "!"):
            self.advance()
            return syntax.Unary(token.at, token.kind, self.expression(UNARY))
        return self.indexed(self.primary())

    def indexed(self, target: syntax.Expression) -> syntax.Expression:
        """Read the index operators that follow a value."""
        count = 0
        while self.token.kind == "[":
            count += 1
            if count > LIMITS.nesting:
                too_large("A value has too many indices.", self.token.at, LIMITS.nesting, count)
            target = self.index(target)
        return target

    def index(self, target: syntax.Expression) -> syntax.Index:
        """Read one index operator."""
        at = self.advance().at
        if self.token.kind == "{":
            items: list[syntax.Expression] = [self.index_set()]
        else:
            items = self.one_or_more("]", self.range_or_expression)
        self.expect("]", "after the index")
        return syntax.Index(at, target, items)

    def index_set(self) -> syntax.IndexSet:
        """Read `{a, b, c}`."""
        self.enter()
        at = self.expect("{", "at the start of a set").at
        items = self.one_or_more("}", self.expression)
        self.expect("}", "after the set")
        self.leave()
        return syntax.IndexSet(at, items)

    def range_or_expression(self) -> syntax.Expression:
        """Read `a`, `a:b` or `a:step:b`, any part of a range missing."""
        at = self.token.at
        start = None if self.token.kind == ":" else self.expression()
        if self.token.kind != ":":
            if start is None:
                self.refuse("expected an index")
            return start
        self.advance()
        stop = None if self.token.kind in ("]", ",", ":") else self.expression()
        if not self.accept(":"):
            return syntax.Range(at, start, None, stop)
        step = stop
        if self.token.kind == "]":
            self.refuse("expected the end of the range")
        return syntax.Range(at, start, step, self.expression())

    def primary(self) -> syntax.Expression:  # noqa: PLR0911, RET503 it ends in a refusal
        """Read a value without operators around it."""
        token = self.token
        kind = token.kind
        if kind == "name" or (kind == "pow" and self.peek() == "("):
            # The grammar knows pow as a modifier only, the specification as a function too.
            self.advance()
            if self.token.kind == "(":
                return syntax.Call(token.at, token.text, self.arguments())
            return syntax.Name(token.at, token.text)
        if kind in ("integer", "real", "binary", "octal", "hex", "imaginary", "timing", "bits"):
            return self.literal()
        if kind == "(":
            self.advance()
            inner = self.expression()
            self.expect(")", "after the expression")
            return inner
        if kind in ("true", "false"):
            self.advance()
            return syntax.Literal(token.at, "bool", int(kind == "true"), 1)
        if kind == "hardware":
            self.advance()
            return syntax.Hardware(token.at, int(token.text[1:]))
        if kind in SCALARS or kind == "array":
            cast = self.type()
            self.expect("(", "after the type of a cast")
            operand = self.expression()
            self.expect(")", "after the value to cast")
            return syntax.Cast(token.at, cast, operand)
        if kind == "durationof":
            self.advance()
            self.expect("(", "after durationof")
            body = self.block()
            self.expect(")", "after the block")
            return syntax.DurationOf(token.at, body)
        if kind == "measure":
            invalid(
                "A measurement cannot be part of an expression.",
                token.at,
                "Measure into a bit first: 'bit m = measure q;', then use m.",
            )
        self.refuse("expected a value")

    def literal(self) -> syntax.Literal:
        """Read a number, bit string or duration."""
        token = self.advance()
        kind = token.kind
        digits = token.text.replace("_", "")
        if kind in _BASES:
            return syntax.Literal(token.at, "int", int(digits, _BASES[kind]))
        if kind == "real":
            return syntax.Literal(token.at, "float", float(digits), written=digits)
        if kind == "imaginary":
            return syntax.Literal(token.at, "complex", complex(0, float(digits[:-2])))
        if kind == "bits":
            digits = digits[1:-1]
            return syntax.Literal(token.at, "bit", int(digits, 2), len(digits))
        unit = next(unit for unit in ("dt", *UNITS) if digits.endswith(unit))
        try:
            number = exact(digits.removesuffix(unit).strip())
        except OverflowError:
            invalid("The exponent of this duration is out of range.", token.at, "Choose another unit.")
        length = Duration(samples=number) if unit == "dt" else Duration(number * UNITS[unit])
        return syntax.Literal(token.at, "duration", 0, length=length)

    def arguments(self) -> list[syntax.Expression]:
        """Read `(a, b)`, possibly empty."""
        self.expect("(", "before the arguments")
        arguments = self.any_number(")", self.expression)
        self.expect(")", "after the arguments")
        return arguments

    # ------------------------------------------------------------------ types

    def designator(self) -> syntax.Expression | None:
        """Read `[size]` if there is one."""
        if not self.accept("["):
            return None
        size = self.expression()
        self.expect("]", "after the size")
        return size

    def type(self) -> syntax.TypeNode:
        """Read a scalar or array type."""
        token = self.token
        if token.kind == "array":
            return self.array_type("")
        if token.kind not in SCALARS:
            hint = did_you_mean(token.text, SCALARS) if token.kind == "name" else None
            self.refuse("expected a type", hint)
        self.advance()
        if token.kind == "complex":
            element = None
            if self.accept("["):
                element = self.type()
                if element.name != "float":
                    invalid("The parts of a complex number are floats.", element.at, "Write complex[float[64]].")
                self.expect("]", "after the component type")
            return syntax.TypeNode(token.at, "complex", element=element)
        if token.kind in ("bool", "duration", "stretch"):
            if self.token.kind == "[":
                self.refuse(f"{token.kind} has no size")
            return syntax.TypeNode(token.at, token.kind)
        return syntax.TypeNode(token.at, token.kind, self.designator())

    def array_type(self, access: str) -> syntax.TypeNode:
        """Read `array[type, dimensions]`, or for a parameter `array[type, #dim = n]` too."""
        at = self.advance().at
        self.expect("[", "after array")
        if self.token.kind not in SCALARS:
            self.refuse("expected the type of the array's elements")
        element = self.type()
        self.expect(",", "after the type of the elements")
        node = syntax.TypeNode(at, "array", element=element, access=access)
        if access and self.accept("#dim"):
            self.expect("=", "after #dim")
            node.rank = self.expression()
        else:
            node.dimensions = self.any_number("]", self.expression)
            if not node.dimensions:
                self.refuse("expected a dimension")
        self.expect("]", "after the dimensions")
        return node

    @abstractmethod
    def block(self) -> list[syntax.Statement]:
        """Read `{ statements }`; the statement parser says how."""
