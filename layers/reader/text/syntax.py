"""The syntax tree that the parser builds and the compiler walks; every node keeps the offset where it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reader.compiler.values import Value
    from reader.operations import Matrix
    from reader.text.durations import Duration


@dataclass(slots=True, eq=False)
class Node:
    """A piece of the program that starts at the character offset `at`."""

    at: int


@dataclass(slots=True, eq=False)
class Expression(Node):
    """Something with a value."""


@dataclass(slots=True, eq=False)
class Name(Expression):
    """An identifier."""

    name: str


@dataclass(slots=True, eq=False)
class Hardware(Expression):
    """A physical qubit `$n`."""

    index: int


@dataclass(slots=True, eq=False)
class Literal(Expression):
    """A number, truth value, bit string or duration: `kind` is the type's name."""

    kind: str
    value: int | float | complex
    width: int = 0
    length: Duration | None = None  # of a duration, instead of the value
    written: str | int | None = None  # of a float: the digits, which may be more than it holds
    known: Value | None = None  # as a value, once it was asked for


@dataclass(slots=True, eq=False)
class Unary(Expression):
    """`op operand`, with op one of ~ ! -."""

    op: str
    operand: Expression


@dataclass(slots=True, eq=False)
class Binary(Expression):
    """`left op right`; `at` is the operator's offset."""

    op: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Range(Expression):
    """`start:step:stop`, each of them optional."""

    start: Expression | None
    step: Expression | None
    stop: Expression | None


@dataclass(slots=True, eq=False)
class IndexSet(Expression):
    """`{a, b, c}` as an index or as the values of a loop; an array literal too."""

    items: list[Expression]


@dataclass(slots=True, eq=False)
class Index(Expression):
    """`target[items]`; one `IndexSet` item or any number of expressions and ranges."""

    target: Expression
    items: list[Expression]


def beginning(node: Expression) -> int:
    """Return where an operand starts: an index starts at its bracket, what it indexes before that."""
    while isinstance(node, Index):
        node = node.target
    return node.at


@dataclass(slots=True, eq=False)
class Call(Expression):
    """`name(arguments)`: a built-in function, a subroutine or an extern."""

    name: str
    arguments: list[Expression]


@dataclass(slots=True, eq=False)
class Cast(Expression):
    """`type(operand)`."""

    type: TypeNode
    operand: Expression


@dataclass(slots=True, eq=False)
class DurationOf(Expression):
    """`durationof({...})`."""

    body: list[Statement]


@dataclass(slots=True, eq=False)
class Concatenation(Expression):
    """`a ++ b ++ c`."""

    parts: list[Expression]


@dataclass(slots=True, eq=False)
class Measure(Expression):
    """`measure operand`; legal only as a whole right-hand side."""

    operand: Expression


@dataclass(slots=True, eq=False)
class TypeNode(Node):
    """A type: its name, its designator, and for arrays the element type and dimensions (or their number only)."""

    name: str
    size: Expression | None = None
    element: TypeNode | None = None
    dimensions: list[Expression] = field(default_factory=list)
    rank: Expression | None = None
    access: str = ""  # readonly, const or mutable for an array parameter


@dataclass(slots=True, eq=False)
class Statement(Node):
    """Something that is executed."""


@dataclass(slots=True, eq=False)
class Include(Statement):
    """`include "file";`."""

    path: str


@dataclass(slots=True, eq=False)
class Pragma(Statement):
    """`pragma ...` to the end of the line; one that would change the counts is refused, any other has no effect."""

    text: str


@dataclass(slots=True, eq=False)
class MatrixPragma(Statement):
    """Braket's `#pragma braket unitary([[...], ...]) operands`."""

    matrix: Matrix
    operands: list[Expression]


@dataclass(slots=True, eq=False)
class NoisePragma(Statement):
    """Braket's `#pragma braket noise channel(arguments) operands`; `kraus` has matrices for arguments."""

    channel: str
    arguments: list[Expression]
    matrices: list[Matrix]
    operands: list[Expression]


@dataclass(slots=True, eq=False)
class Factor(Node):
    """`x(q[0])`, `x all` or `hermitian([[...], ...]) operands`, of an observable; `operands` is None for `all`."""

    name: str
    matrix: Matrix | None
    operands: list[Expression] | None


@dataclass(slots=True, eq=False)
class ResultPragma(Statement):
    """Braket's `#pragma braket result kind ...`: what follows its kind; `operands` is None for all qubits."""

    kind: str
    operands: list[Expression] | None
    states: list[str]
    factors: list[Factor]


@dataclass(slots=True, eq=False)
class CalibrationGrammar(Statement):
    """`defcalgrammar "name";`; has no effect without a calibration."""

    grammar: str


@dataclass(slots=True, eq=False)
class QubitDeclaration(Statement):
    """`qubit[size] name;` or `qreg name[size];`."""

    name: str
    size: Expression | None


@dataclass(slots=True, eq=False)
class Declaration(Statement):
    """A classical variable; `role` is "", const, input or output."""

    type: TypeNode
    name: str
    value: Expression | None
    role: str


@dataclass(slots=True, eq=False)
class Alias(Statement):
    """`let name = value;`."""

    name: str
    value: Expression


@dataclass(slots=True, eq=False)
class Assignment(Statement):
    """`target op value;` and `measure a -> target;`; op is = or a compound assignment."""

    target: Expression
    op: str
    value: Expression


@dataclass(slots=True, eq=False)
class ExpressionStatement(Statement):
    """`value;`, of which only a call or a target-less measurement has an effect."""

    value: Expression


@dataclass(slots=True, eq=False)
class Modifier(Node):
    """`inv @`, `pow(argument) @`, `ctrl(argument) @` or `negctrl(argument) @`."""

    name: str
    argument: Expression | None


@dataclass(slots=True, eq=False)
class GateCall(Statement):
    """`modifiers name(arguments) operands;`; `gphase` too."""

    modifiers: list[Modifier]
    name: str
    name_at: int
    arguments: list[Expression]
    operands: list[Expression]


@dataclass(slots=True, eq=False)
class Reset(Statement):
    """`reset operand;`."""

    operand: Expression


@dataclass(slots=True, eq=False)
class Barrier(Statement):
    """`barrier operands;`."""

    operands: list[Expression]


@dataclass(slots=True, eq=False)
class Delay(Statement):
    """`delay[duration] operands;`."""

    duration: Expression
    operands: list[Expression]


@dataclass(slots=True, eq=False)
class Box(Statement):
    """`box[duration] { body }`."""

    duration: Expression | None
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Block(Statement):
    """`{ body }`: a scope of its own."""

    body: list[Statement]


@dataclass(slots=True, eq=False)
class If(Statement):
    """`if (condition) then else otherwise`."""

    condition: Expression
    then: list[Statement]
    otherwise: list[Statement]


@dataclass(slots=True, eq=False)
class While(Statement):
    """`while (condition) body`."""

    condition: Expression
    body: list[Statement]


@dataclass(slots=True, eq=False)
class For(Statement):
    """`for type name in values body`."""

    type: TypeNode
    name: str
    values: Expression
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Switch(Statement):
    """`switch (target) { case a, b {...} default {...} }`."""

    target: Expression
    cases: list[tuple[list[Expression], list[Statement]]]
    default: list[Statement] | None


@dataclass(slots=True, eq=False)
class Leave(Statement):
    """`break;`, `continue;` or `end;`."""

    word: str


@dataclass(slots=True, eq=False)
class Return(Statement):
    """`return value;`."""

    value: Expression | None


@dataclass(slots=True, eq=False)
class GateDefinition(Statement):
    """`gate name(parameters) qubits { body }`."""

    name: str
    parameters: list[str]
    qubits: list[str]
    body: list[Statement]
    opaque: bool = False  # OpenQASM 2 only
    phased: bool = False  # whether it is made of U, whose phase shows under ctrl


@dataclass(slots=True, eq=False)
class Parameter(Node):
    """A parameter of a subroutine; its type's name is `qubit` for quantum ones."""

    type: TypeNode
    name: str


@dataclass(slots=True, eq=False)
class Subroutine(Statement):
    """`def name(parameters) -> returns { body }`."""

    name: str
    parameters: list[Parameter]
    returns: TypeNode | None
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Extern(Statement):
    """`extern name(types) -> type;`."""

    name: str


@dataclass(slots=True, eq=False)
class Program(Node):
    """A whole program: `version` is 2 or 3; `measures` if a measurement stands anywhere in it."""

    version: int
    body: list[Statement]
    measures: bool
    pragmas: list[Pragma]
    remarks: list[tuple[str, int]] = field(default_factory=list)
    text: str = ""
    checked: bool = False  # whether what no execution reaches has been looked at
