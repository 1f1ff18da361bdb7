"""Reading a value of any kind as a number or as text, in SQL."""

from __future__ import annotations

from insights.discovery import Kind, Sql


def as_number(value: Sql) -> Sql:
    """Read a value as a number; what is none is missing."""
    match value.kind:
        case Kind.NUMBER:
            return value
        case Kind.MILLIS | Kind.TIMESTAMP:
            return Sql(f"({value.text})::DOUBLE", Kind.NUMBER)
        case Kind.BOOLEAN:
            return Sql(f"({value.text})::INTEGER::DOUBLE", Kind.NUMBER)
        case _:
            return Sql(f"number_in({value.text})", Kind.NUMBER)


def as_text(value: Sql) -> Sql:
    """Write a value as text, as it is shown."""
    match value.kind:
        case Kind.ANY | Kind.TEXT:
            return value
        case Kind.TIMESTAMP:
            return Sql(f"shown_time({value.text})", Kind.TEXT)
        case Kind.BOOLEAN:
            return Sql(f"({value.text})::INTEGER::VARCHAR", Kind.TEXT)
        case _:
            return Sql(f"shown_number(({value.text})::DOUBLE)", Kind.TEXT)
