"""Second step of reading for OpenQASM 2 (arXiv:1707.03429): its grammar, the syntax tree that of OpenQASM 3.

Beyond the language it reads what tools write under its header: comparisons and assignments of registers as Quantinuum
has them, tests of single bits and blocks as MQT has them, PennyLane's `gphase`, QuTiP's measurements without `;`, and
`delay`, which has no effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.errors import invalid, quote, too_large, unsupported
from reader.exporter_flaws import is_qutips
from reader.limits import LIMITS
from reader.text import syntax
from reader.text.durations import Duration
from reader.text.expression_parser import UNARY
from reader.text.statement_parser import StatementParser
from reader.text.tokens import KEYWORDS, LEGACY_KEYWORDS, tokenize

if TYPE_CHECKING:
    from reader.text.tokens import Token

_NUMBER_BITS = 64  # of a register in an expression, if it has no more itself; Quantinuum's have 64 at most
_WORD_BITS = 63  # of a constant that a machine word holds
_PRECEDENCE = {"+": 9, "-": 9, "*": 10, "/": 10, "^": 12, "**": 12}
# Words of OpenQASM 3 that nothing written for OpenQASM 2 begins with.
_LATER = KEYWORDS - LEGACY_KEYWORDS - {"gphase", "delay", "nop", "pow", "inv", "ctrl", "negctrl"}
FUNCTIONS = {"sin": "sin", "cos": "cos", "tan": "tan", "exp": "exp", "ln": "log", "sqrt": "sqrt"} | {
    name: "arc" + name[1:] for name in ("asin", "acos", "atan")
}


class LegacyParser(StatementParser):
    """Reads the statements of OpenQASM 2; all its numbers are real."""

    library = "qelib1.inc"

    def __init__(self, text: str) -> None:
        super().__init__(tokenize(text, LEGACY_KEYWORDS))
        self.sizes: dict[str, int] = {}  # of the classical registers so far
        self.own: set[str] = set()  # the gates that the program defines so far
        self.lines = False  # whether a measurement ended with its line
        self.defining = False  # whether this is inside a gate's definition
        self.classical = False  # whether an expression is one of registers, not of real numbers
        self.statements = {
            "include": self.include,
            "gate": self.gate_definition,
            "opaque": self.opaque,
            "qreg": self.old_declaration,
            "creg": self.old_declaration,
            "barrier": self.barrier,
            "measure": self.measure_statement,
            "reset": self.reset,
            "if": self.if_statement,
            "name": self.name_statement,
            "pragma": self.pragma,
            "unitary": self.matrix_pragma,
            "noise": self.noise_pragma,
            "result": self.result_pragma,
            "OPENQASM": self.late_version,
            ";": self.nothing,
        }

    def statement(self) -> syntax.Statement:
        """Read one statement."""
        read = self.statements.get(self.token.kind)
        if (
            self.token.text == "operator"
            and "operator" not in self.own
            and self.peek() == "name"
            and self.peek(2) in ("name", ",")
        ):
            unsupported(
                "'operator' belongs to a dialect of OpenQASM 2 that defines observables.",
                self.token.at,
                "Give them as the request's observables.",
            )
        if self.token.kind == "name" and self.token.text in _LATER and self.token.text not in (*self.own, *self.sizes):
            self.refuse("it is a keyword of OpenQASM 3", "For the newer language start with 'OPENQASM 3.0;'.")
        if read is None:
            newer = self.token.kind == "annotation"
            hint = "For the newer language start with 'OPENQASM 3.0;'." if newer else None
            self.refuse("expected a statement of OpenQASM 2", hint)
        return read()

    def nothing(self) -> syntax.Statement:
        """Read a `;` by itself, as in `gate g q {};`: Qiskit and others pass over it."""
        return syntax.Block(self.advance().at, [])

    def name_statement(self) -> syntax.Statement:
        """Read a gate or an assignment to a register."""
        token = self.advance()
        if self.token.kind in ("=", "["):
            return self.register_assignment(token)
        arguments = self.arguments() if self.token.kind == "(" else []
        if token.text == "gphase" and token.text not in self.own and self.token.kind in (";", "name"):
            # A phase of the whole state, whatever qubits stand there.
            _ = [] if self.token.kind == ";" else self.operands()
            self.semicolon()
            return syntax.GateCall(token.at, [], token.text, token.at, arguments, [])
        if self.token.kind != "name":
            hint = "In OpenQASM 2 only gates start with a name; for more start with 'OPENQASM 3.0;'."
            self.refuse("expected the gate's qubits", None if self.token.kind in (";", "}", "-") else hint)
        operands = self.operands()
        self.semicolon()
        if token.text == "delay" and token.text not in self.own:
            length = syntax.Literal(token.at, "duration", 0, length=Duration())
            return syntax.Delay(token.at, length, operands)
        return syntax.GateCall(token.at, [], token.text, token.at, arguments, operands)

    def register_assignment(self, token: Token) -> syntax.Statement:
        """Read `c = (a | 2);` or `c[0] = a[1] ^ b[0];`: registers are unsigned numbers, cut to the target's size."""
        target = self.indexed(syntax.Name(token.at, token.text))
        self.expect("=", "after the register")
        if self.token.kind == "measure":
            self.refuse("expected a register or an integer", "A measurement has an arrow: 'measure q -> c;'.")
        value = self.register_expression()
        self.semicolon()
        width = self.width(target)
        if width is not None:
            value = _cast("bit", width, _cast("uint", width, value))
        return syntax.Assignment(token.at, target, "=", value)

    def width(self, register: syntax.Expression) -> int | None:
        """Return how many bits a register or one of its bits has; None if it is not declared."""
        if isinstance(register, syntax.Index):
            return 1
        return self.sizes.get(register.name) if isinstance(register, syntax.Name) else None

    def register_expression(self) -> syntax.Expression:
        """Read an expression of registers and integers."""
        self.classical = True
        value = self.expression()
        self.classical = False
        return value

    def measure_statement(self) -> syntax.Statement:
        """Read `measure q -> c;`, the target of which OpenQASM 2 demands."""
        at = self.token.at
        value = self.measurement()
        if self.token.kind == ";":
            self.refuse("expected '->' and a classical register", "Write 'measure q -> c;'.")
        self.expect("->", "after the measured qubits")
        token = self.expect("name", "after ->")
        target = self.indexed(syntax.Name(token.at, token.text))
        self.end_of_measurement(at, token)
        return syntax.Assignment(at, target, "=", value)

    def end_of_measurement(self, at: int, target: Token) -> None:
        """Step over the end of a measurement, which in QuTiP's texts is that of its line."""
        ended = self.token.kind == "end of text" or "\n" in self.text[target.at : self.token.at]
        if self.token.kind == ";" or not (ended and (self.lines or is_qutips(self.text))):
            self.semicolon()
        elif not self.lines:
            self.lines = True
            self.remarks.append(("QuTiP's qip 0.4.2 ends measurements without ';': each ends with its line.", at))

    def if_statement(self) -> syntax.Statement:
        """Read `if (c == 1) operation;`, or with another test, with blocks and with `else`."""
        at = self.advance().at
        self.expect("(", "after if")
        condition = self.register_test()
        self.expect(")", "after the condition")
        then = self.branch()
        otherwise: list[syntax.Statement] = []
        if self.token.text == "else":
            self.advance()
            otherwise = self.branch()
        return syntax.If(at, condition, then, otherwise)

    def register_test(self) -> syntax.Expression:
        """Read a condition: most often a register that is compared with a constant."""
        token = self.token
        register_end = 4 if self.peek() == "[" else 1
        plain = token.kind == "name" and self.peek(register_end) == "==" and self.peek(register_end + 1) == "integer"
        if not plain or self.peek(register_end + 2) != ")":
            return self.register_expression()
        self.advance()
        register = self.indexed(syntax.Name(token.at, token.text))
        at = self.advance().at
        number = self.literal()
        value, width = int(number.value.real), self.width(register)
        if width is not None and value.bit_length() > _WORD_BITS:
            if value.bit_length() > width:
                return syntax.Literal(at, "bool", 0, 1)
            number = syntax.Literal(number.at, "bit", value, width)
        return syntax.Binary(at, "==", register, number)

    def branch(self) -> list[syntax.Statement]:
        """Read what a test governs: one operation, or a block of them."""
        if self.token.kind == "{":
            return self.block()
        if self.token.kind not in ("name", "measure", "reset", "if"):
            self.refuse("expected a gate, a measurement or a reset")
        self.enter()
        body = self.statement()
        self.leave()
        return [body]

    def gate_definition(self) -> syntax.Statement:
        """Read `gate name(parameters) qubits { body }`."""
        self.own.add(self.tokens[min(self.next + 1, len(self.tokens) - 1)].text)
        self.defining = True
        definition = super().gate_definition()
        self.defining = False
        return definition

    def opaque(self) -> syntax.Statement:
        """Read `opaque name(parameters) qubits;`."""
        at = self.advance().at
        name = self.identifier("after opaque")
        parameters = self.gate_parameters()
        qubits = self.names(";")
        self.semicolon()
        if name.text == "delay" and name.text not in self.own:
            return syntax.Block(at, [])  # as Qiskit declares it: without effect, like every use of it
        return syntax.GateDefinition(at, name.text, parameters, qubits, [], opaque=True)

    def old_declaration(self) -> syntax.Statement:
        """Read `qreg q[2];` or `creg c[2];`, the size of which OpenQASM 2 demands."""
        if self.peek() == "name" and self.peek(2) != "[":
            self.advance()
            name = self.advance()
            if self.token.kind == ";":
                invalid("A register needs a size.", name.at, f"Write '{name.text}[1]'.")
            self.refuse("expected '[' and the register's size", "A name is made of letters, digits and '_'.")
        declaration = super().old_declaration()
        if isinstance(declaration, syntax.Declaration):
            size = declaration.type.size
            if isinstance(size, syntax.Literal):
                self.sizes[declaration.name] = int(size.value.real)
        else:
            assert isinstance(declaration, syntax.QubitDeclaration)  # noqa: S101 - nothing else is declared so
            size = declaration.size
        if isinstance(size, syntax.Literal) and size.value == 0:  # as some tools write what they have no bits for
            return syntax.Block(declaration.at, [])
        return declaration

    def designator(self) -> syntax.Expression | None:
        """Read `[size]`: an integer."""
        if not self.accept("["):
            return None
        if self.token.kind != "integer":
            self.refuse("expected an integer")
        size = self.literal()
        self.expect("]", "after the size")
        return size

    def index(self, target: syntax.Expression) -> syntax.Index:
        """Read `[i]`: an integer."""
        at = self.token.at
        item = self.designator()
        return syntax.Index(at, target, [item] if item else [])

    def expression(self, minimum: int = 0) -> syntax.Expression:
        """Read a real expression, whose power operator is ^, or one of registers."""
        if self.classical:
            return super().expression(minimum)
        self.enter()
        left = self.prefix()
        count = 0
        while (level := _PRECEDENCE.get(self.token.kind)) is not None and level >= minimum:
            token = self.advance()
            count += 1
            if count > LIMITS.chain:
                too_large(f"An expression has more than {LIMITS.chain:,} operators.", token.at, LIMITS.chain, count)
            power = token.kind in ("^", "**")
            right = self.expression(level if power else level + 1)
            left = syntax.Binary(token.at, "**" if power else token.kind, left, right)
        self.leave()
        return left

    def prefix(self) -> syntax.Expression:
        """Read a value with its sign."""
        if self.classical:
            return self.register_value()
        token = self.token
        if token.kind in ("-", "+"):
            self.advance()
            operand = self.expression(UNARY)
            return operand if token.kind == "+" else syntax.Unary(token.at, "-", operand)
        value = self.primary()
        if isinstance(value, syntax.Name) and value.name in self.sizes and not self.defining:
            invalid(
                f"{quote(value.name)} is a register, which a parameter cannot contain.", token.at, "Write a number."
            )
        if isinstance(value, syntax.Literal):
            if value.kind not in ("int", "float"):
                invalid("OpenQASM 2 has real numbers only.", token.at)
            if value.kind == "int":
                value.written = int(value.value.real)
            value.kind, value.value = "float", _real(value.value)
        elif isinstance(value, syntax.Call):
            if value.name not in FUNCTIONS:
                invalid(
                    f"'{value.name[:40]}' is not a function.", token.at, f"The functions are {', '.join(FUNCTIONS)}."
                )
            value.name = FUNCTIONS[value.name]
        return value

    def register_value(self) -> syntax.Expression:
        """Read an integer, or a register as an unsigned number; a bit alone stays one."""
        token = self.token
        if token.kind in ("-", "~", "!"):
            self.advance()
            return syntax.Unary(token.at, token.kind, self.expression(UNARY))
        if token.kind not in ("name", "integer", "("):
            self.refuse("expected a register or an integer")
        if token.kind == "name" and self.peek() == "(":
            self.refuse("expected a register or an integer")
        value = self.indexed(self.primary())
        width = self.width(value)
        if isinstance(value, syntax.Index) or width is None:
            return value
        return _cast("uint", max(width, _NUMBER_BITS), _cast("uint", width, value))


def _cast(kind: str, width: int, value: syntax.Expression) -> syntax.Expression:
    size = syntax.Literal(value.at, "int", width)
    return syntax.Cast(value.at, syntax.TypeNode(value.at, kind, size), value)


def _real(value: complex) -> float:
    try:
        return float(value.real)
    except OverflowError:
        return float("inf")
