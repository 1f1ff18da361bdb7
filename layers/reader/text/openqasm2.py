"""Second step of reading for OpenQASM 2 (arXiv:1707.03429): its grammar, the syntax tree that of OpenQASM 3."""

from __future__ import annotations

from reader.errors import invalid, too_large
from reader.limits import LIMITS
from reader.text import syntax
from reader.text.expression_parser import UNARY
from reader.text.statement_parser import StatementParser
from reader.text.tokens import LEGACY_KEYWORDS, tokenize

_PRECEDENCE = {"+": 9, "-": 9, "*": 10, "/": 10, "^": 12, "**": 12}
FUNCTIONS = {"sin": "sin", "cos": "cos", "tan": "tan", "exp": "exp", "ln": "log", "sqrt": "sqrt"} | {
    name: "arc" + name[1:] for name in ("asin", "acos", "atan")
}


class LegacyParser(StatementParser):
    """Reads the statements of OpenQASM 2; all its numbers are real."""

    def __init__(self, text: str) -> None:
        super().__init__(tokenize(text, LEGACY_KEYWORDS))
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
            "OPENQASM": self.late_version,
        }

    def statement(self) -> syntax.Statement:
        """Read one statement."""
        read = self.statements.get(self.token.kind)
        if read is None:
            self.refuse("expected a statement of OpenQASM 2", "For the newer language start with 'OPENQASM 3.0;'.")
        return read()

    def name_statement(self) -> syntax.Statement:
        """Read a gate: the only statement that starts with a name."""
        token = self.advance()
        arguments = self.arguments() if self.token.kind == "(" else []
        if self.token.kind != "name":
            self.refuse(
                "expected the gate's qubits",
                "In OpenQASM 2 only gates start with a name; for more start with 'OPENQASM 3.0;'.",
            )
        operands = self.operands()
        self.semicolon()
        return syntax.GateCall(token.at, [], token.text, token.at, arguments, operands)

    def measure_statement(self) -> syntax.Statement:
        """Read `measure q -> c;`, the target of which OpenQASM 2 demands."""
        at = self.token.at
        value = self.measurement()
        if self.token.kind == ";":
            self.refuse("expected '->' and a classical register", "Write 'measure q -> c;'.")
        self.expect("->", "after the measured qubits")
        token = self.expect("name", "after ->")
        target = self.indexed(syntax.Name(token.at, token.text))
        self.semicolon()
        return syntax.Assignment(at, target, "=", value)

    def if_statement(self) -> syntax.Statement:
        """Read `if (c == 1) operation;`."""
        at = self.advance().at
        self.expect("(", "after if")
        token = self.expect("name", "after the bracket")
        register = self.indexed(syntax.Name(token.at, token.text))
        op = self.expect("==", "after the register").at
        if self.token.kind != "integer":
            self.refuse("expected an integer")
        number = self.literal()
        self.expect(")", "after the condition")
        if self.token.kind not in ("name", "measure", "reset", "if"):
            self.refuse("expected a gate, a measurement or a reset")
        self.enter()
        body = self.statement()
        self.leave()
        condition = syntax.Binary(op, "==", register, number)
        return syntax.If(at, condition, [body], [])

    def opaque(self) -> syntax.Statement:
        """Read `opaque name(parameters) qubits;`."""
        at = self.advance().at
        name = self.identifier("after opaque")
        parameters = self.gate_parameters()
        qubits = self.names(";")
        self.semicolon()
        return syntax.GateDefinition(at, name.text, parameters, qubits, [], opaque=True)

    def old_declaration(self) -> syntax.Statement:
        """Read `qreg q[2];` or `creg c[2];`, the size of which OpenQASM 2 demands."""
        if self.peek(2) == ";":
            self.advance()
            name = self.advance()
            invalid("A register needs a size.", name.at, f"Write '{name.text}[1]'.")
        return super().old_declaration()

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
        """Read a real expression; its power operator is ^."""
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
        token = self.token
        if token.kind in ("-", "+"):
            self.advance()
            operand = self.expression(UNARY)
            return operand if token.kind == "+" else syntax.Unary(token.at, "-", operand)
        value = self.primary()
        if isinstance(value, syntax.Literal):
            if value.kind not in ("int", "float"):
                invalid("OpenQASM 2 has real numbers only.", token.at)
            value.kind, value.value = "float", _real(value.value)
        elif isinstance(value, syntax.Call):
            if value.name not in FUNCTIONS:
                invalid(f"'{value.name[:40]}' is not a function.", token.at, f"There are {', '.join(FUNCTIONS)}.")
            value.name = FUNCTIONS[value.name]
        return value


def _real(value: complex) -> float:
    try:
        return float(value.real)
    except OverflowError:
        return float("inf")
