"""Statements of OpenQASM 3.1, by its grammar (`qasm3Parser.g4`): directives, gates, measurements and assignments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reader.errors import invalid, quote, unsupported
from reader.text import syntax
from reader.text.control_flow_parser import ControlFlowParser
from reader.text.expression_parser import SCALARS, WITHOUT_PULSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.text.tokens import Token

ASSIGNMENTS = frozenset(["=", "+=", "-=", "*=", "/=", "&=", "|=", "~=", "^=", "<<=", ">>=", "%=", "**="])
_OPERAND = frozenset(["name", "hardware"])


class StatementParser(ControlFlowParser):
    """Reads the statements of OpenQASM 3."""

    library = "stdgates.inc"  # what its programs include

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.statements: dict[str, Callable[[], syntax.Statement]] = {
            "include": self.include,
            "pragma": self.pragma,
            "unitary": self.matrix_pragma,
            "noise": self.noise_pragma,
            "result": self.result_pragma,
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
        return syntax.Program(0, version, body, self.measures, self.pragmas, self.remarks)

    def version(self) -> int:
        """Read `OPENQASM 3.1;`."""
        self.advance()
        token = self.token
        if token.kind not in ("integer", "real") or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", token.text):
            self.refuse("expected a version such as 3.0", "Write 'OPENQASM 3.0;'.")
        self.advance()
        major = token.text.split(".")[0].lstrip("0")
        if major == "2" and token.text.partition(".")[2].strip("0"):
            self.remarks.append(("OpenQASM has no such version: the program is read as 2.0.", token.at))
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
        if self.token.kind in ("}", "else", "case", "default", "in"):
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
        if self.token.kind in (";", "}"):
            self.refuse("expected a statement or a block", "Write {} for nothing.")
        return [self.statement()]

    # ------------------------------------------------------------------ directives

    def include(self) -> syntax.Statement:
        """Read `include "file";`."""
        at = self.advance().at
        if self.token.kind not in ("string", "bits"):
            self.refuse("expected a quoted file name", f'Write include "{self.library}";')
        token = self.advance()
        self.semicolon()
        return syntax.Include(at, token.text[1:-1])

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
        unsupported(f"'{token.kind}' describes pulses, which a simulator cannot play.", token.at, WITHOUT_PULSES)

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
        if (name.kind != "gphase" and name.text != "nop") or self.token.kind != ";":
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
        if following in _OPERAND or (following == ";" and token.text == "nop"):
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
            hint = "In OpenQASM the type comes first: 'int[8] name;'."
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
