"""Declarations and definitions of OpenQASM 3.1: types, variables, aliases, gates and subroutines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.errors import invalid, quote
from reader.text import syntax
from reader.text.expression_parser import SCALARS
from reader.text.pragma_parser import PragmaParser
from reader.text.tokens import KEYWORDS

if TYPE_CHECKING:
    from typing import NoReturn

    from reader.text.tokens import Token

_SHOWN_SIZE = 20  # characters of a size that a hint repeats


class DefinitionParser(PragmaParser):
    """Reads what gives something a name."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.measures = False  # whether the text has a measurement
        self.remarks: list[tuple[str, int]] = []  # sentences for the owner, with their offsets

    def semicolon(self) -> None:
        """Step over the end of a statement."""
        self.expect(";", "after the statement")

    def expression_statement(self) -> syntax.Statement:
        """Read `expression;`."""
        at = self.token.at
        if self.token.kind in KEYWORDS and self.token.kind not in ("durationof", "true", "false", *SCALARS):
            self.refuse("expected a statement")
        value = self.expression()
        self.semicolon()
        return syntax.ExpressionStatement(at, value)

    def measurement(self) -> syntax.Measure:
        """Read `measure operand`."""
        at = self.expect("measure", "here").at
        self.measures = True
        return syntax.Measure(at, self.operand())

    # ------------------------------------------------------------------ declarations

    def identifier(self, where: str) -> Token:
        """Read a name that is declared here."""
        if self.token.kind in KEYWORDS:
            invalid(f"{quote(self.token.text)} is a keyword, not a name.", self.token.at, "Choose another.")
        return self.expect("name", where)

    def type_statement(self) -> syntax.Statement:
        """Read a declaration, or an expression that starts with a cast."""
        at = self.token.at
        start = self.next
        kind = self.type()
        if self.token.kind == "(":
            self.next = start
            self.token = self.tokens[start]
            return self.expression_statement()
        name = self.identifier("after the type")
        if self.token.kind == "[":
            self.refuse_size(kind.name, self.text[at : name.at].rstrip(), name.text)
        value = None
        if self.accept("="):
            value = self.declared_value()
        self.semicolon()
        if kind.name == "bit" and value is None and self.is_empty(kind.size):
            return syntax.Block(at, [])
        return syntax.Declaration(at, kind, name.text, value, "")

    def refuse_size(self, kind: str, written: str, name: str) -> NoReturn:
        """Refuse a size after the name of a declaration, as C has it."""
        size = self.text[self.token.at + 1 : self.text.find("]", self.token.at)]
        hint = None
        shown = "[" not in size and (size + written).isprintable() and len(written + name) <= 2 * _SHOWN_SIZE
        if shown and 0 < len(size) <= _SHOWN_SIZE:
            if written == kind in ("bit", "qubit"):
                hint = f"Write '{kind}[{size}] {name};'."
            elif kind not in ("bit", "qubit", "stretch"):
                hint = f"Write 'array[{written}, {size}] {name};'."
        self.refuse("the size belongs to the type", hint)

    def is_empty(self, size: syntax.Expression | None) -> bool:
        """Tell whether a register has no bits or qubits, as Qiskit writes them; it is then not there, with a note."""
        if not (isinstance(size, syntax.Literal) and size.kind == "int" and size.value == 0):
            return False
        self.remarks.append(("The language has no registers of size 0; this one is left out.", size.at))
        return True

    def declared_value(self) -> syntax.Expression:
        """Read an initial value: an array literal, a measurement or an expression."""
        if self.token.kind == "{":
            return self.array_literal()
        if self.token.kind == "measure":
            return self.measurement()
        value = self.expression()
        return self.concatenation(value) if self.token.kind == "++" else value

    def array_literal(self) -> syntax.IndexSet:
        """Read `{1, {2, 3}}`."""
        self.enter()
        at = self.advance().at
        items = self.any_number("}", self.array_value)
        self.expect("}", "after the array's values")
        self.leave()
        return syntax.IndexSet(at, items)

    def array_value(self) -> syntax.Expression:
        """Read one value of an array, or one row of them."""
        return self.array_literal() if self.token.kind == "{" else self.expression()

    def const_declaration(self) -> syntax.Statement:
        """Read `const type name = value;`."""
        at = self.advance().at
        if self.token.kind not in SCALARS:
            written = self.token.kind == "name" and self.peek() == "="
            self.refuse("expected the type of the constant", "Write its type first: 'const int'." if written else None)
        kind = self.type()
        name = self.identifier("after the type")
        if self.token.kind != "=":
            self.refuse("a constant needs a value", "Add '= value'.")
        self.advance()
        value = self.declared_value()
        self.semicolon()
        return syntax.Declaration(at, kind, name.text, value, "const")

    def io_declaration(self) -> syntax.Statement:
        """Read `input type name;` or `output type name;`."""
        token = self.advance()
        if self.token.kind in ("qreg", "qubit"):
            self.refuse(f"{token.kind} is for classical values")
        if self.token.kind not in SCALARS and self.token.kind != "array":
            self.refuse(f"expected the type of the {token.kind}")
        kind = self.type()
        name = self.identifier("after the type")
        if self.token.kind == "=":
            self.refuse(f"an {token.kind} is declared without a value")
        self.semicolon()
        return syntax.Declaration(token.at, kind, name.text, None, token.kind)

    def old_declaration(self) -> syntax.Statement:
        """Read `qreg q[2];` or `creg c[2];`."""
        token = self.advance()
        name = self.identifier(f"after {token.kind}")
        size = self.designator()
        self.semicolon()
        if token.kind == "qreg":
            return syntax.QubitDeclaration(token.at, name.text, size)
        return syntax.Declaration(token.at, syntax.TypeNode(token.at, "bit", size), name.text, None, "")

    def qubit_declaration(self) -> syntax.Statement:
        """Read `qubit[2] q;`."""
        if self.peek() == "hardware":
            return self.hardware_declaration()
        at = self.advance().at
        size = self.designator()
        name = self.identifier("after the type")
        if self.token.kind == "[":
            self.refuse_size("qubit", self.text[at : name.at].rstrip(), name.text)
        self.semicolon()
        if self.is_empty(size):
            return syntax.Block(at, [])
        return syntax.QubitDeclaration(at, name.text, size)

    def hardware_declaration(self) -> syntax.Statement:
        """Read `qubit $0;`, as IBM's compiler of OpenQASM 3 takes it: the qubit is there without it."""
        at = self.advance().at
        name = self.advance()
        self.semicolon()
        self.remarks.append(("Hardware qubits are not declared in the language; this has no effect.", name.at))
        return syntax.Block(at, [])

    def alias(self) -> syntax.Statement:
        """Read `let a = q[0:1] ++ r;`."""
        at = self.advance().at
        name = self.identifier("after let")
        self.expect("=", "after the alias")
        if self.token.kind == "{":
            return self.alias_of_set(at, name.text)
        value = self.expression()
        if self.token.kind == "++":
            value = self.concatenation(value)
        self.semicolon()
        return syntax.Alias(at, name.text, value)

    def alias_of_set(self, at: int, name: str) -> syntax.Statement:
        """Read `let a = {q, r[1]};`, as Qiskit writes registers that share their bits."""
        self.remarks.append(("The language has no aliases of sets; write a ++ b.", self.token.at))
        parts = self.array_literal()
        self.semicolon()
        return syntax.Alias(at, name, syntax.Concatenation(parts.at, parts.items))

    def concatenation(self, first: syntax.Expression) -> syntax.Expression:
        """Read `++ b ++ c` after its first part."""
        parts = [first]
        at = self.token.at
        while self.accept("++"):
            parts.append(self.expression())
        return syntax.Concatenation(at, parts)

    # ------------------------------------------------------------------ definitions

    def names(self, closing: str) -> list[str]:
        """Read any number of names."""
        return self.any_number(closing, lambda: self.identifier("in the list").text)

    def gate_parameters(self) -> list[str]:
        """Read the names of a gate's parameters, `(a, b)` or nothing."""
        if not self.accept("("):
            return []
        names = self.names(")")
        self.expect(")", "after the parameters")
        return names

    def gate_definition(self) -> syntax.Statement:
        """Read `gate name(parameters) qubits { body }`."""
        at = self.advance().at
        name = self.identifier("after gate")
        parameters = self.gate_parameters()
        qubits = self.names("{")
        if not qubits:
            self.refuse("a gate acts on at least one qubit", f"Write 'gate {name.text} q {{ ... }}'.")
        return syntax.GateDefinition(at, name.text, parameters, qubits, self.block())

    def subroutine(self) -> syntax.Statement:
        """Read `def name(parameters) -> type { body }`."""
        at = self.advance().at
        name = self.identifier("after def")
        self.expect("(", "after the subroutine's name")
        parameters = self.any_number(")", self.parameter)
        self.expect(")", "after the parameters")
        if self.token.kind in ("name", "qubit", "qreg"):
            self.refuse("expected '{' before the block", "Write qubits in the brackets: 'def f(qubit q) { ... }'.")
        returns = self.scalar_return()
        return syntax.Subroutine(at, name.text, parameters, returns, self.block())

    def scalar_return(self) -> syntax.TypeNode | None:
        """Read `-> type` if it is there."""
        if not self.accept("->"):
            return None
        if self.token.kind not in SCALARS:
            self.refuse("expected the type of the returned value")
        return self.type()

    def parameter(self) -> syntax.Parameter:
        """Read one parameter of a subroutine."""
        token = self.token
        if token.kind in ("qreg", "creg"):
            self.advance()
            name = self.identifier("in the parameter list")
            kind = "qubit" if token.kind == "qreg" else "bit"
            return syntax.Parameter(token.at, syntax.TypeNode(token.at, kind, self.designator()), name.text)
        node = self.parameter_type()
        name = self.identifier("after the parameter's type")
        return syntax.Parameter(token.at, node, name.text)

    def parameter_type(self) -> syntax.TypeNode:
        """Read the type of a parameter."""
        token = self.token
        if token.kind == "qubit":
            self.advance()
            return syntax.TypeNode(token.at, "qubit", self.designator())
        if token.kind in ("readonly", "const", "mutable"):
            self.advance()
            if self.token.kind != "array":
                self.refuse(f"{token.kind} belongs before an array")
            return self.array_type(token.kind)
        if token.kind == "array":
            self.refuse("an array parameter is readonly or mutable", "Write 'readonly array[...]'.")
        return self.type()

    def extern(self) -> syntax.Statement:
        """Read `extern name(types) -> type;`."""
        at = self.advance().at
        name = self.identifier("after extern")
        self.expect("(", "after the name")
        self.any_number(")", lambda: self.designator() if self.accept("creg") else self.parameter_type())
        if self.token.kind == "name":
            self.refuse(
                "expected ')' after the types", "The parameters have types and no names: 'extern f(int, float);'."
            )
        self.expect(")", "after the types")
        self.scalar_return()
        self.semicolon()
        return syntax.Extern(at, name.text)
