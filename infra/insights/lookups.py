"""
`lookup`: fields of a table beside the fields of the events, where an event's fields have the values of a row's.

"The lookup command matches a field in your log events against a field in the lookup table", exactly and with regard to
case: CWL_QuerySyntax-Lookup. Of several rows that match it is the first here; where none does, the fields are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.coercions import as_text
from insights.discovery import Kind, Sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from insights.expressions import Expressions
    from insights.syntax import Field, Lookup


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table: the names of its columns, and its rows with a value for each."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]] = ()

    def column(self, name: str) -> list[str]:
        """Return the values of a column."""
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def look_up(command: Lookup, tables: Mapping[str, Table], expressions: Expressions) -> dict[str, Sql]:
    """Return the columns that a `lookup` makes, by the names of its output fields."""
    table = tables.get(command.table)
    if table is None:
        there = ", ".join(f"`{name}`" for name in tables) or "none"
        problem = f"the lookup table `{command.table}` is on CloudWatch only: the local evaluator has {there}"
        expressions.refuse(problem, command.span, there, "not_supported")
    for field in (*(there for there, _ in command.pairs), *command.output):
        _check_column(field, table, command.table, expressions)
    statement = expressions.statement
    keys = list(zip(*(table.column(there.name) for there, _ in command.pairs), strict=True))
    values = [as_text(expressions.column(field)).text for _, field in command.pairs]
    wanted = statement.bind([list(key) for key in keys])
    found = Sql(f"list_position({wanted}::VARCHAR[][], [{', '.join(values)}]::VARCHAR[])", Kind.NUMBER)
    place = statement.column(found).text
    return {
        field.name: statement.column(
            Sql(f"list_extract({statement.bind(table.column(field.name))}::VARCHAR[], {place})", Kind.ANY)
        )
        for field in command.output
    }


def _check_column(field: Field, table: Table, name: str, expressions: Expressions) -> None:
    if field.name not in table.columns:
        expected = "one of " + ", ".join(f"`{column}`" for column in table.columns)
        problem = f"the lookup table `{name}` has no column `{field.name}`: expected {expected}"
        expressions.refuse(problem, field.span, expected)
