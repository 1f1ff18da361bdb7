"""Second step of reading, the statements: OpenQASM 3.1's grammar (`qasm3Parser.g4`) by recursive descent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reader.budget import TOKEN
from reader.errors import invalid, quote, too_large, unsupported
from reader.limits import LIMITS
from reader.text import syntax
from reader.text.expression_parser import SCALARS, ExpressionParser
from reader.text.tokens import KEYWORDS, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.budget import Budget
    from reader.text.tokens import Token

ASSIGNMENTS = frozenset(["=", "+=", "-=", "*=", "/=", "&=", "|=", "~=", "^=", "<<=", ">>=", "%=", "**="])
_OPERAND = frozenset(["name", "hardware"])
_HEADER = re.compile(r"(?>\s++|//[^\r\n]*+|/\*.*?\*/)*+OPENQASM\s+([0-9]+)(?:\.([0-9]+))?\s*;", re.DOTALL)
_PULSES = "A simulator has no pulses: remove the calibration, gates run ideally without it."


def parse(text: str, budget: Budget | None = None) -> syntax.Program:
    """Return the syntax tree of a program; raises `SourceError` where it is not OpenQASM 2 or 3."""
    header = _HEADER.match(text)
    if header and header.group(1).lstrip("0") == "2":
        from reader.text.openqasm2 import LegacyParser  # noqa: PLC0415 - which is a Parser itself

        parser: Parser = LegacyParser(text)
    else:
        parser = Parser(tokenize(text))
    if budget is not None:
        budget.spend(TOKEN * len(parser.tokens))
    return parser.program()


class Parser(ExpressionParser):
    """Reads the statements of OpenQASM 3."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.measures = False
        self.statements: dict[str, Callable[[], syntax.Statement]] = {
            "include": self.include,
            "pragma": self.pragma,
            "defcalgrammar": self.calibration_grammar,
            "cal": self.calibration,
            "defcal": self.calibration,
            "def": self.subroutine,
            "gate": self.gate_definition,
            "extern": self.extern,
            "box": self.box,
            "let": self.alias,
            "break": self.leave_statement,
            "continue": self.leave_statement,
            "end": self.leave_statement,
            "if": self.if_statement,
            "return": self.return_statement,
            "for": self.for_statement,
            "while": self.while_statement,
            "switch": self.switch,
            "input": self.io_declaration,
            "output": self.io_declaration,
            "const": self.const_declaration,
            "qreg": self.old_declaration,
            "creg": self.old_declaration,
            "qubit": self.qubit_declaration,
            "delay": self.delay,
            "reset": self.reset,
            "measure": self.measure_statement,
            "barrier": self.barrier,
            "name": self.name_statement,
            "hardware": self.expression_statement,
            "{": self.block_statement,
            "OPENQASM": self.late_version,
        }
        for kind in ("gphase", "inv", "pow", "ctrl", "negctrl"):
            self.statements[kind] = self.gate_call
        for kind in (*SCALARS, "array"):
            self.statements[kind] = self.type_statement

    def program(self) -> syntax.Program:
        """Read a whole program."""
        version = 3
        if self.token.kind == "OPENQASM":
            version = self.version()
        body = []
        while self.token.kind != "end of text":
            body.append(self.statement())
        return syntax.Program(0, version, body, self.measures)

    def version(self) -> int:
        """Read `OPENQASM 3.1;`."""
        self.advance()
        token = self.token
        if token.kind not in ("integer", "real") or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", token.text):
            self.refuse("expected a version such as 3.0", "Write 'OPENQASM 3.0;'.")
        self.advance()
        major = token.text.split(".")[0].lstrip("0")
        if major not in ("2", "3"):
            unsupported(f"OpenQASM {quote(token.text)} is not supported.", token.at, "Write 'OPENQASM 3.0;' or 2.0.")
        self.expect(";", "after the version")
        return int(major)

    def late_version(self) -> syntax.Statement:
        """Refuse a version line that is not the first statement."""
        invalid("The version must be the first statement.", self.token.at, "Move it to the top or remove it.")

    def statement(self) -> syntax.Statement:
        """Read one statement with its annotations, which have no effect here."""
        annotated = None
        while self.token.kind == "annotation":
            annotated = self.advance()
        read = self.statements.get(self.token.kind)
        if read is not None:
            if annotated and self.token.kind in ("end of text", "pragma"):
                self.refuse("expected the statement that the annotation belongs to")
            self.enter()
            statement = read()
            self.leave()
            return statement
        if annotated and self.token.kind in ("end of text", "}"):
            self.refuse("expected the statement that the annotation belongs to")
        if self.token.kind in ("else", "case", "default", "in"):
            self.refuse("expected a statement", f"Nothing before it opens '{self.token.kind}'.")
        return self.expression_statement()

    def block(self) -> list[syntax.Statement]:
        """Read `{ statements }`."""
        self.expect("{", "before the block")
        body = []
        while self.token.kind != "}":
            if self.token.kind == "end of text":
                self.refuse("expected '}'", "Add the missing }.")
            body.append(self.statement())
        self.advance()
        return body

    def body(self) -> list[syntax.Statement]:
        """Read what a loop or branch governs: a block or one statement."""
        if self.token.kind == "{":
            return self.block()
        if self.token.kind == ";":
            self.refuse("expected a statement or a block", "Write {} for nothing.")
        return [self.statement()]

    def semicolon(self) -> None:
        """Step over the end of a statement."""
        self.expect(";", "after the statement")

    # ------------------------------------------------------------------ directives

    def include(self) -> syntax.Statement:
        """Read `include "file";`."""
        at = self.advance().at
        if self.token.kind not in ("string", "bits"):
            self.refuse("expected a quoted file name", 'Write include "stdgates.inc";')
        token = self.advance()
        self.semicolon()
        return syntax.Include(at, token.text[1:-1])

    def pragma(self) -> syntax.Statement:
        """Read a pragma."""
        token = self.advance()
        content = token.text.removeprefix("#").removeprefix("pragma").strip()
        if not content:
            invalid("A pragma needs a text.", token.at, "Write what the pragma says on the same line.")
        return syntax.Pragma(token.at, content)

    def calibration_grammar(self) -> syntax.Statement:
        """Read `defcalgrammar "name";`."""
        at = self.advance().at
        if self.token.kind not in ("string", "bits"):
            self.refuse("expected the quoted name of a grammar", 'Write defcalgrammar "openpulse";')
        token = self.advance()
        self.semicolon()
        return syntax.CalibrationGrammar(at, token.text[1:-1])

    def calibration(self) -> syntax.Statement:
        """Refuse `cal` and `defcal`, whose bodies are in another language."""
        token = self.token
        unsupported(f"'{token.kind}' describes pulses, which a simulator cannot play.", token.at, _PULSES)

    def barrier(self) -> syntax.Statement:
        """Read `barrier operands;`."""
        at = self.advance().at
        operands = [] if self.token.kind == ";" else self.operands()
        self.semicolon()
        return syntax.Barrier(at, operands)

    def reset(self) -> syntax.Statement:
        """Read `reset operand;`."""
        at = self.advance().at
        operand = self.operand()
        self.semicolon()
        return syntax.Reset(at, operand)

    def delay(self) -> syntax.Statement:
        """Read `delay[duration] operands;`."""
        at = self.advance().at
        duration = self.designator()
        if duration is None:
            self.refuse("expected a duration", "Write delay[100ns] q;")
        operands = [] if self.token.kind == ";" else self.operands()
        self.semicolon()
        return syntax.Delay(at, duration, operands)

    def box(self) -> syntax.Statement:
        """Read `box[duration] { body }`."""
        at = self.advance().at
        return syntax.Box(at, self.designator(), self.block())

    def block_statement(self) -> syntax.Statement:
        """Read a block that stands by itself."""
        return syntax.Block(self.token.at, self.block())

    # ------------------------------------------------------------------ quantum statements

    def operand(self) -> syntax.Expression:  # noqa: RET503 it ends in a refusal
        """Read a qubit or register, indexed or not."""
        token = self.token
        if token.kind == "name":
            self.advance()
            return self.indexed(syntax.Name(token.at, token.text))
        if token.kind == "hardware":
            self.advance()
            return syntax.Hardware(token.at, int(token.text[1:]))
        self.refuse("expected a qubit or a register")

    def operands(self) -> list[syntax.Expression]:
        """Read operands up to the end of the statement."""
        return self.one_or_more(";", self.operand)

    def gate_call(self) -> syntax.Statement:
        """Read a gate with its modifiers."""
        at = self.token.at
        modifiers = []
        while self.token.kind in ("inv", "pow", "ctrl", "negctrl"):
            modifiers.append(self.modifier())
        token = self.token
        if token.kind not in ("name", "gphase"):
            self.refuse("expected the name of a gate")
        self.advance()
        arguments = self.arguments() if self.token.kind == "(" else []
        return self.gate_operands(at, modifiers, token, arguments)

    def gate_operands(
        self, at: int, modifiers: list[syntax.Modifier], name: Token, arguments: list[syntax.Expression]
    ) -> syntax.GateCall:
        """Read what follows a gate's arguments."""
        self.designator()  # a duration, which a simulator has no use for
        operands: list[syntax.Expression] = []
        if name.kind != "gphase" or self.token.kind != ";":
            operands = self.operands()
        self.semicolon()
        return syntax.GateCall(at, modifiers, name.text, name.at, arguments, operands)

    def modifier(self) -> syntax.Modifier:
        """Read `ctrl(2) @` and its like."""
        token = self.advance()
        argument = None
        if token.kind == "inv":
            if self.token.kind == "(":
                self.refuse("inv takes no argument")
        elif self.accept("("):
            argument = self.expression()
            self.expect(")", f"after the argument of {token.kind}")
        elif token.kind == "pow":
            self.refuse("pow needs an exponent", "Write pow(2) @.")
        if self.token.kind == "annotation":
            self.refuse("expected '@'")
        self.expect("@", f"after {token.kind}")
        return syntax.Modifier(token.at, token.kind, argument)

    def measurement(self) -> syntax.Measure:
        """Read `measure operand`."""
        at = self.expect("measure", "here").at
        self.measures = True
        return syntax.Measure(at, self.operand())

    def measure_statement(self) -> syntax.Statement:
        """Read `measure q;` or `measure q -> c;`."""
        at = self.token.at
        value = self.measurement()
        if self.accept("->"):
            token = self.expect("name", "after ->")
            target = self.indexed(syntax.Name(token.at, token.text))
            self.semicolon()
            return syntax.Assignment(at, target, "=", value)
        self.semicolon()
        return syntax.ExpressionStatement(at, value)

    # ------------------------------------------------------------------ names first

    def name_statement(self) -> syntax.Statement:
        """Read what starts with a name: a gate, an assignment or an expression."""
        token = self.token
        following = self.peek()
        if following in _OPERAND:
            self.advance()
            return self.gate_operands(token.at, [], token, [])
        if following in ("(", "["):
            return self.ambiguous_statement(token)
        if following in ASSIGNMENTS:
            self.advance()
            return self.assignment(token.at, syntax.Name(token.at, token.text))
        if following == "wrong":
            self.advance()
            self.refuse("expected the rest of the statement")
        if following == ":" or following in SCALARS:
            hint = "In OpenQASM the type stands first: 'int[8] name;'."
            self.advance()
            self.refuse("expected the rest of the statement", hint)
        return self.expression_statement()

    def ambiguous_statement(self, token: Token) -> syntax.Statement:
        """Read `f(x) ...` or `f[x] ...`, which the token after the bracket decides."""
        self.advance()
        if self.token.kind == "(":
            arguments = self.arguments()
            if self.token.kind in _OPERAND or self.token.kind == "[":  # noqa: SIM102 as it reads best
                if self.token.kind in _OPERAND or self.closes_before_operand():
                    return self.gate_operands(token.at, [], token, arguments)
            return self.rest_of_expression(self.indexed(syntax.Call(token.at, token.text, arguments)))
        if self.closes_before_operand():
            return self.gate_operands(token.at, [], token, [])
        target = self.indexed(syntax.Name(token.at, token.text))
        if self.token.kind in ASSIGNMENTS:
            return self.assignment(token.at, target)
        return self.rest_of_expression(target)

    def closes_before_operand(self) -> bool:
        """Tell whether the bracket that opens here is followed by an operand, as in `x[100ns] $0;`."""
        depth = 0
        index = self.next
        while index < len(self.tokens):
            kind = self.tokens[index].kind
            if kind == "[":
                depth += 1
            elif kind == "]":
                depth -= 1
                if depth == 0:
                    return self.tokens[min(index + 1, len(self.tokens) - 1)].kind in _OPERAND
            elif kind in (";", "{", "}", "end of text"):
                return False
            index += 1
        return False

    def assignment(self, at: int, target: syntax.Expression) -> syntax.Assignment:
        """Read `op value;` after the target."""
        op = self.advance().kind
        value: syntax.Expression
        if self.token.kind == "measure":
            value = self.measurement()
        else:
            value = self.expression()
            if self.token.kind == "++":
                value = self.concatenation(value)
        self.semicolon()
        return syntax.Assignment(at, target, op, value)

    def expression_statement(self) -> syntax.Statement:
        """Read `expression;`."""
        at = self.token.at
        if self.token.kind in KEYWORDS and self.token.kind not in ("durationof", "true", "false", *SCALARS):
            self.refuse("expected a statement")
        value = self.expression()
        self.semicolon()
        return syntax.ExpressionStatement(at, value)

    def rest_of_expression(self, left: syntax.Expression) -> syntax.Statement:
        """Read the operators after an expression statement's first operand."""
        if self.token.kind != ";":
            # Rare and without effect: read it again from its start as a whole.
            start = left.at
            if isinstance(left, syntax.Index):
                target: syntax.Expression = left
                while isinstance(target, syntax.Index):
                    target = target.target
                start = target.at
            while self.tokens[self.next].at > start:
                self.next -= 1
            self.token = self.tokens[self.next]
            return self.expression_statement()
        self.semicolon()
        return syntax.ExpressionStatement(left.at, left)

    # ------------------------------------------------------------------ declarations

    def identifier(self, where: str) -> Token:
        """Read a name that is declared here."""
        if self.token.kind in KEYWORDS:
            invalid(
                f"{quote(self.token.text)} is a word of the language, not a name.", self.token.at, "Choose another."
            )
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
            self.refuse("the size belongs to the type", f"Write '{kind.name}[8] {name.text};'.")
        value = None
        if self.accept("="):
            value = self.declared_value()
        self.semicolon()
        return syntax.Declaration(at, kind, name.text, value, "")

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
            self.refuse("expected the type of the constant")
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
        at = self.advance().at
        size = self.designator()
        name = self.identifier("after the type")
        if self.token.kind == "[":
            self.refuse("the size belongs to the type", f"Write 'qubit[2] {name.text};'.")
        self.semicolon()
        return syntax.QubitDeclaration(at, name.text, size)

    def alias(self) -> syntax.Statement:
        """Read `let a = q[0:1] ++ r;`."""
        at = self.advance().at
        name = self.identifier("after let")
        self.expect("=", "after the alias")
        value = self.expression()
        if self.token.kind == "++":
            value = self.concatenation(value)
        self.semicolon()
        return syntax.Alias(at, name.text, value)

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
        self.expect(")", "after the types")
        self.scalar_return()
        self.semicolon()
        return syntax.Extern(at, name.text)

    # ------------------------------------------------------------------ control flow

    def condition(self, word: str) -> syntax.Expression:
        """Read `(condition)`."""
        self.expect("(", f"after {word}")
        if self.token.kind in ("reset", "measure"):
            self.refuse("expected a condition", "Measure into a bit first, then test it.")
        value = self.expression()
        self.expect(")", "after the condition")
        return value

    def if_statement(self) -> syntax.Statement:
        """Read `if`; a chain of `else if` is read in a loop so that its length is no nesting."""
        first = self.one_branch()
        last = first
        while self.accept("else"):
            if self.token.kind == "if":
                following = self.one_branch()
                last.otherwise = [following]
                last = following
                continue
            last.otherwise = self.body()
            break
        return first

    def one_branch(self) -> syntax.If:
        """Read `if (condition) body`."""
        at = self.advance().at
        condition = self.condition("if")
        return syntax.If(at, condition, self.body(), [])

    def while_statement(self) -> syntax.Statement:
        """Read `while (condition) body`."""
        at = self.advance().at
        return syntax.While(at, self.condition("while"), self.body())

    def for_statement(self) -> syntax.Statement:
        """Read `for type name in values body`."""
        at = self.advance().at
        if self.token.kind not in SCALARS:
            hint = "Write 'for int i in [0:3] { ... }'."
            self.refuse("expected the type of the loop variable", hint)
        kind = self.type()
        name = self.identifier("as the loop variable")
        self.expect("in", "after the loop variable")
        values: syntax.Expression
        if self.token.kind == "{":
            values = self.index_set()
        elif self.token.kind == "[":
            self.advance()
            values = self.range_or_expression()
            if not isinstance(values, syntax.Range):
                self.refuse("expected a range such as [0:3]")
            self.expect("]", "after the range")
        else:
            values = self.expression()
        return syntax.For(at, kind, name.text, values, self.body())

    def switch(self) -> syntax.Statement:
        """Read `switch (target) { case ... }`."""
        at = self.advance().at
        target = self.condition("switch")
        self.expect("{", "after the value to switch on")
        cases: list[tuple[list[syntax.Expression], list[syntax.Statement]]] = []
        default = None
        while self.token.kind != "}":
            token = self.token
            if default is not None:
                self.refuse("nothing may follow default", "Move default to the end.")
            if self.accept("case"):
                labels = self.one_or_more("{", self.expression)
                cases.append((labels, self.block()))
            elif self.accept("default"):
                default = self.block()
            else:
                self.refuse("expected case or default")
            if len(cases) > LIMITS.chain:
                too_large("A switch has too many cases.", token.at, LIMITS.chain, len(cases))
        self.advance()
        if not cases and default is None:
            invalid("A switch needs at least one case.", at, "Add 'case 0 { ... }'.")
        return syntax.Switch(at, target, cases, default)

    def leave_statement(self) -> syntax.Statement:
        """Read `break;`, `continue;` or `end;`."""
        token = self.advance()
        self.semicolon()
        return syntax.Leave(token.at, token.kind)

    def return_statement(self) -> syntax.Statement:
        """Read `return value;`."""
        at = self.advance().at
        value: syntax.Expression | None = None
        if self.token.kind == "measure":
            value = self.measurement()
        elif self.token.kind != ";":
            value = self.expression()
        self.semicolon()
        return syntax.Return(at, value)
