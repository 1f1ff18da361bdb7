"""Pragmas: those of Amazon Braket that mean something (its `BraketPragmasParser.g4`), and any others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reader.errors import did_you_mean, invalid, quote, unsupported
from reader.operations import Matrix
from reader.text import syntax
from reader.text.expression_parser import ExpressionParser

if TYPE_CHECKING:
    from typing import NoReturn

    from reader.text.tokens import Token

# The channels of a noise pragma but `kraus`: how many qubits each acts on, and what its probabilities are called.
CHANNELS = {
    "bit_flip": (1, ("probability",)),
    "phase_flip": (1, ("probability",)),
    "depolarizing": (1, ("probability",)),
    "pauli_channel": (1, ("X", "Y", "Z")),
    "amplitude_damping": (1, ("gamma",)),
    "generalized_amplitude_damping": (1, ("gamma", "probability")),
    "phase_damping": (1, ("gamma",)),
    "two_qubit_depolarizing": (2, ("probability",)),
    "two_qubit_dephasing": (2, ("probability",)),
}
KRAUS = "kraus"
OF_STATES, OF_QUBITS, OF_STRINGS, OF_OBSERVABLES = (
    ("state_vector",),
    ("probability", "density_matrix"),
    ("amplitude",),
    ("expectation", "variance", "sample"),
)
_RESULTS = (*OF_STATES, *OF_QUBITS, *OF_STRINGS, *OF_OBSERVABLES)
_LETTERS = frozenset("xyzih")
_WORD = re.compile(r"[a-z]+")
# Words of pragmas that ask for another state or for other results than the program's own.
_TELLING = frozenset(
    [
        "noise",
        "noisy",
        "unitary",
        "result",
        "results",
        "kraus",
        "channel",
        "superoperator",
        "observable",
        "observables",
        "expectation",
        "variance",
        "probability",
        "probabilities",
        "sample",
        "statevector",
        "depolarizing",
        "damping",
        "readout",
        "shots",
        "initialize",
    ]
)


class PragmaParser(ExpressionParser):
    """Reads pragmas and the operands in them."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.pragmas: list[syntax.Pragma] = []  # those without effect

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

    def pragma(self) -> syntax.Statement:
        """Read a pragma that has no effect, or refuse it."""
        token = self.advance()
        content = token.text.removeprefix("#").removeprefix("pragma").strip()
        if not content:
            invalid("A pragma needs text.", token.at, "Write what the pragma says on the same line.")
        words = _WORD.findall(content.lower())
        if not _TELLING.isdisjoint(words) or (words[:1] == ["braket"] and words[1:2] != ["verbatim"]):
            unsupported(
                f"The pragma {quote(content)} would change the results, and is not supported.",
                token.at,
                "Remove it; noise and results are options of the request, or pragmas of Braket.",
            )
        pragma = syntax.Pragma(token.at, content)
        self.pragmas.append(pragma)
        return pragma

    # ------------------------------------------------------------------ Braket's

    def matrix_pragma(self) -> syntax.Statement:
        """Read `#pragma braket unitary([[a, b], [c, d]]) operands`, all on one line."""
        token = self.advance()
        self.expect("(", "after unitary")
        matrix = self.matrix(token)
        self.expect(")", "after the matrix")
        operands = self.one_or_more(";", self.operand)
        self.end_of_line(token)
        return syntax.MatrixPragma(token.at, matrix, operands)

    def noise_pragma(self) -> syntax.Statement:
        """Read `#pragma braket noise channel(probabilities) operands`, or `kraus([[...], ...], ...)`."""
        token = self.advance()
        self.go_on(token, "Name a channel and its qubits: bit_flip(0.1) q[0].")
        channel = self.expect("name", "after noise")
        name = channel.text
        if name not in CHANNELS and name != KRAUS:
            hint = did_you_mean(name, [*CHANNELS, KRAUS])
            invalid(
                f"{quote(name)} is not a noise channel of Braket's.",
                channel.at,
                hint or f"Its channels are {', '.join(CHANNELS)} and {KRAUS}.",
            )
        self.expect("(", f"after {name}")
        arguments: list[syntax.Expression] = []
        matrices: list[Matrix] = []
        if name == KRAUS:
            matrices = self.one_or_more(")", lambda: self.matrix(token))
        else:
            arguments = self.one_or_more(")", self.expression)
            wanted = CHANNELS[name][1]
            if len(arguments) != len(wanted):
                listed = f"{len(wanted)} number{'s' * (len(wanted) > 1)}: {', '.join(wanted)}"
                invalid(f"{name} takes {listed}; {len(arguments)} are given.", channel.at)
        self.expect(")", f"after what {name} takes")
        operands = self.one_or_more(";", self.operand)
        self.end_of_line(token)
        return syntax.NoisePragma(token.at, name, arguments, matrices, operands)

    def result_pragma(self) -> syntax.Statement:
        """Read `#pragma braket result kind ...`."""
        token = self.advance()
        self.go_on(token, "Name a result: probability q[0].")
        word = self.expect("name", "after result")
        kind = word.text
        operands: list[syntax.Expression] | None = None
        states: list[str] = []
        factors: list[syntax.Factor] = []
        if kind in OF_QUBITS:
            if self.goes_on(token) and not self.all_qubits():
                operands = self.one_or_more(";", self.operand)
        elif kind in OF_STRINGS:
            states = self.one_or_more(";", self.basis_state)
        elif kind in OF_OBSERVABLES:
            factors = [self.factor(token)]
            while self.accept("@"):
                factors.append(self.factor(token))
            if len(factors) > 1 and any(factor.operands is None for factor in factors):
                invalid(
                    "Each factor of a product acts on qubits that it names.", token.at, "Name them: z(q[0]) @ z(q[1])."
                )
        elif kind not in OF_STATES:
            self.refuse_result(word)
        self.end_of_line(token)
        return syntax.ResultPragma(token.at, kind, operands, states, factors)

    @staticmethod
    def refuse_result(word: Token) -> NoReturn:
        """Refuse what is none of Braket's results that there are here."""
        if word.text == "adjoint_gradient":
            unsupported(
                "The result adjoint_gradient is not supported: the simulators here give values, not derivatives.",
                word.at,
                "Ask for the result expectation E. If an input x is the angle of one rx, ry or rz, the derivative"
                " is (E(x + pi/2) - E(x - pi/2)) / 2: send both values as 'inputs' of one task.",
            )
        hint = did_you_mean(word.text, _RESULTS)
        invalid(
            f"{quote(word.text)} is not a result type of Braket's.", word.at, hint or f"Ask for {', '.join(_RESULTS)}."
        )

    def goes_on(self, token: Token) -> bool:
        """Tell whether more stands on the line of the pragma."""
        return self.token.kind != "end of text" and self.token.at < token.at + len(token.text)

    def go_on(self, token: Token, hint: str) -> None:
        """Refuse a pragma that says nothing."""
        if not self.goes_on(token):
            invalid("This pragma ends too early.", token.at, hint)

    def end_of_line(self, token: Token) -> None:
        """Refuse a pragma that does not end with its line."""
        if self.tokens[self.next - 1].at > token.at + len(token.text):
            invalid("This pragma does not end on its line.", token.at, "Write all of it on one line.")
        if self.goes_on(token):
            self.refuse("expected the end of the pragma's line")

    def all_qubits(self) -> bool:
        """Step over `all` if it is next."""
        found = self.token.kind == "name" and self.token.text == "all"
        if found:
            self.advance()
        return found

    def basis_state(self) -> str:
        """Read `"01"`."""
        if self.token.kind != "bits":
            self.refuse("expected a basis state", 'Write a bit for each qubit: "01".')
        return self.advance().text[1:-1].replace("_", "")

    def factor(self, token: Token) -> syntax.Factor:
        """Read one factor of an observable."""
        word = self.expect("name", "here; an observable is made of x, y, z, i, h and hermitian")
        if word.text == "hermitian":
            self.expect("(", "after hermitian")
            matrix = self.matrix(token)
            self.expect(")", "after the matrix")
            return syntax.Factor(word.at, word.text, matrix, self.one_or_more("@", self.operand))
        if word.text not in _LETTERS:
            invalid(
                f"{quote(word.text)} is not an observable.", word.at, "Use x, y, z, i, h or hermitian([[...], ...])."
            )
        if self.all_qubits():
            return syntax.Factor(word.at, word.text, None, None)
        self.expect("(", f"after {word.text}")
        operand = self.operand()
        self.expect(")", "after the qubit")
        return syntax.Factor(word.at, word.text, None, [operand])

    def matrix(self, token: Token) -> Matrix:
        """Read `[[a, b], [c, d]]`, a square matrix of the pragma's."""
        self.expect("[", "before the matrix")
        rows = self.one_or_more("]", self.matrix_row)
        self.expect("]", "after the matrix")
        size = len(rows)
        if any(len(row) != size for row in rows) or size.bit_count() != 1 or size == 1:
            invalid("This is not the matrix of a gate.", token.at, "Give 2, 4, 8, ... rows, each with as many numbers.")
        return Matrix(tuple(rows))

    def matrix_row(self) -> tuple[complex, ...]:
        """Read `[a, b]`."""
        self.expect("[", "before a row of the matrix")
        row = self.one_or_more("]", self.complex_number)
        self.expect("]", "after a row of the matrix")
        return tuple(row)

    def complex_number(self) -> complex:
        """Read `-0.5`, `0.5im` or `0.5 - 0.5im`."""
        value = self.signed_number()
        return value + self.signed_number() if self.token.kind in ("+", "-") else value

    def signed_number(self) -> complex:
        """Read a number after any signs."""
        sign = 1
        while self.token.kind in ("+", "-"):
            sign *= -1 if self.advance().kind == "-" else 1
        token = self.token
        if token.kind not in ("integer", "real", "imaginary"):
            self.refuse("expected a number of the matrix", "Write it as in 0.5 - 0.5im.")
        self.advance()
        number = sign * float(token.text.removesuffix("im").replace("_", ""))
        return complex(0, number) if token.kind == "imaginary" else complex(number)
