"""Control flow of OpenQASM 3.1: `if`, `for`, `while`, `switch` and what leaves them."""

from __future__ import annotations

from abc import abstractmethod

from reader.errors import invalid, too_large
from reader.limits import LIMITS
from reader.text import syntax
from reader.text.definition_parser import DefinitionParser
from reader.text.expression_parser import SCALARS


class ControlFlowParser(DefinitionParser):
    """Reads statements that decide which others run."""

    @abstractmethod
    def body(self) -> list[syntax.Statement]:
        """Read what a loop or branch governs: a block or one statement."""

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
                self.refuse("nothing can follow default", "Move default to the end.")
            if self.accept("case"):
                labels = self.case_labels()
                cases.append((labels, self.case_block()))
            elif self.accept("default"):
                default = self.case_block()
            else:
                self.refuse("expected case or default")
            if len(cases) > LIMITS.chain:
                too_large("A switch has too many cases.", token.at, LIMITS.chain, len(cases))
        self.advance()
        if not cases and default is None:
            invalid("A switch needs at least one case.", at, "Add 'case 0 { ... }'.")
        return syntax.Switch(at, target, cases, default)

    def case_labels(self) -> list[syntax.Expression]:
        """Read the labels of a case; `case 1: case 2: {` are two of one, as in `case_block`."""
        labels = self.one_or_more("{", self.expression)
        while self.token.kind == ":" and self.peek() == "case":
            self.advance()
            self.advance()
            labels += self.one_or_more("{", self.expression)
        return labels

    def case_block(self) -> list[syntax.Statement]:
        """Read a case's block, also as Qiskit writes it by the draft of OpenQASM: `: { ... } break;`."""
        draft = self.accept(":")
        body = self.block()
        if draft and self.token.kind == "break":
            self.advance()
            self.semicolon()
        return body

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
