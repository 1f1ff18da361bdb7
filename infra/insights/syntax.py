"""The shape of a parsed query: a pipeline of commands over expressions. Built by `grammar`, read by `translation`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insights.errors import Span


@dataclass(frozen=True, slots=True)
class Number:
    """A number written in the query; `whole` where it is an integer that a double does not hold exactly."""

    value: float
    span: Span
    depth: int = 1
    whole: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string."""

    value: str
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time such as `5m`: only the date functions take one."""

    amount: int
    unit: str
    span: Span
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field's name, flattened with dots, and its segments as written (a backtick keeps dots inside a segment).

    `indexed` says that one of them is an index in brackets.
    """

    name: str
    path: tuple[str, ...]
    span: Span
    depth: int = 1
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to arguments; `star` for `count(*)`."""

    function: str
    arguments: tuple[Expression, ...]
    star: bool
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Access:
    """A member of the map or list that a function returns."""

    subject: Call
    path: tuple[str, ...]
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Negative:
    """Unary minus."""

    operand: Expression
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Not:
    """Boolean negation."""

    operand: Expression
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Operation:
    """A binary operator: arithmetic, comparison, `and` or `or`."""

    operator: str
    left: Expression
    right: Expression
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Match:
    """`like`, `not like` or `=~` against a substring or a regular expression."""

    subject: Expression
    pattern: str
    regex: bool
    negated: bool
    pattern_span: Span
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Membership:
    """`in` or `not in` a list of literals."""

    subject: Expression
    options: tuple[Number | Text, ...]
    negated: bool
    span: Span
    depth: int


Expression = Number | Text | Period | Field | Call | Access | Negative | Not | Operation | Match | Membership


@dataclass(frozen=True, slots=True)
class Selection:
    """An expression and the column it makes: its alias, or else its own text."""

    expression: Expression
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Fields:
    """`fields`: columns to show, which later commands can use."""

    selections: tuple[Selection, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Display:
    """`display`: the only columns to show."""

    selections: tuple[Selection, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Filter:
    """`filter`: the condition that events must meet."""

    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Stats:
    """`stats`: aggregates, for each combination of the `by` values."""

    selections: tuple[Selection, ...]
    by: tuple[Selection, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Ordering:
    """One key of a `sort`."""

    expression: Expression
    descending: bool


@dataclass(frozen=True, slots=True)
class Sort:
    """`sort`: the order of the result."""

    orderings: tuple[Ordering, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Limit:
    """`limit`: how many rows at most."""

    count: int
    span: Span


@dataclass(frozen=True, slots=True)
class Dedup:
    """`dedup`: one event for each combination of values."""

    fields: tuple[Field, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Parse:
    """`parse`: fields cut out of another field by a regular expression; capture group i fills `names[i]`."""

    subject: Field
    pattern: str
    groups: tuple[int, ...]
    names: tuple[str, ...]
    pattern_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Unnest:
    """`unnest`: one row for each item of a list, with the item as a field."""

    field: Field
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class AddTotals:
    """
    `addtotals`: the sum of each row's numbers as a column named `name`, where `row`.

    Where `column`, the sum of each column is a last row. Without `fields` all columns count that are shown.
    """

    fields: tuple[Field, ...]
    name: str
    row: bool
    column: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Lookup:
    """`lookup`: of a table's row the fields `output`, where for each pair its column is equal to the event's field."""

    table: str
    pairs: tuple[tuple[Field, Field], ...]
    output: tuple[Field, ...]
    span: Span


Command = Fields | Display | Filter | Stats | Sort | Limit | Dedup | Parse | Unnest | AddTotals | Lookup


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query and its text."""

    text: str
    commands: tuple[Command, ...] = field(default=())
