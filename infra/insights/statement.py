# ruff: noqa: S608 - the SQL is put together here, from names made here; all that a query says is a bound parameter
"""The SQL under construction: steps, columns and bound parameters. Nothing of a query's text gets into its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from insights.discovery import Kind, Sql

PARAMETER = re.compile(r"\$(\w+)")
COLUMN = re.compile(r"\bc\d+\b")


@dataclass(slots=True)
class Statement:
    """
    One common table expression for each step of the pipeline, over the events.

    Columns made since the last step wait in layers, each column above the ones it reads: however many there are, they
    nest only as deep as they build on each other.
    """

    parameters: dict[str, object] = field(default_factory=dict)
    pointers: list[str] = field(default_factory=list)
    found: dict[str, tuple[str, str]] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    layers: list[list[str]] = field(default_factory=list)
    layer_of: dict[str, int] = field(default_factory=dict)
    names: int = 0

    def name(self) -> str:
        """Make up a column's name."""
        self.names += 1
        return f"c{self.names}"

    def bind(self, value: object) -> str:
        """Bind a value; return the parameter that stands for it."""
        name = f"p{len(self.parameters) + 1}"
        self.parameters[name] = value
        return f"${name}"

    @property
    def depth(self) -> int:
        """How many steps there are, with the columns that wait."""
        return len(self.steps) + len(self.layers)

    def step(self, sql: str) -> None:
        """Add a step, which reads the one before it as `{previous}`."""
        self.flush()
        self.steps.append(sql)

    def flush(self) -> None:
        """Make steps of the columns that wait."""
        self.steps.extend(f"SELECT *, {', '.join(layer)} FROM {{previous}}" for layer in self.layers)
        self.layers.clear()
        self.layer_of.clear()

    def hold(self, value: Sql) -> Sql:
        """Put a value in a column of its own, so that writing it twice neither computes it nor grows the SQL twice."""
        return value if value.simple else self.column(value)

    def column(self, value: Sql) -> Sql:
        """Put a value in a column of its own, unless it is one."""
        if value.text.isidentifier():
            return value
        name = self.name()
        layer = max((self.layer_of.get(read, -1) for read in COLUMN.findall(value.text)), default=-1) + 1
        if layer == len(self.layers):
            self.layers.append([])
        self.layers[layer].append(f"{value.text} AS {name}")
        self.layer_of[name] = layer
        return Sql(name, value.kind, simple=True)

    def find(self, field_name: str, sql: str) -> Sql:
        """Return the column of a field that is found in the events by `sql`."""
        if field_name not in self.found:
            self.found[field_name] = (self.name(), sql)
        return Sql(self.found[field_name][0], Kind.ANY, simple=True)

    def point(self, pointers: list[str]) -> list[str]:
        """Return SQL for the leaves of a JSON line that the pointers lead to."""
        first = len(self.pointers) + 1
        self.pointers.extend(pointers)
        return [f"leaf(json[{index}])" for index in range(first, first + len(pointers))]

    def close(self) -> None:
        """Finish the steps, and bind what the events are searched for. No field can be found after that."""
        self.flush()
        if self.pointers:
            self.parameters["pointers"] = self.pointers

    def select(self, what: str, last: int, ending: str = "") -> str:
        """Write the statement: `what` out of step number `last`."""
        source = "events"
        tables = []
        if self.pointers:
            # The line is read as JSON once, for all the fields.
            source = "parsed"
            tables.append(
                "parsed AS (SELECT *, json_extract(coalesce(fragment, substr(message, json_at)),"
                " $pointers::VARCHAR[]) AS json FROM events)"
            )
        columns = "".join(f", {sql} AS {column}" for column, sql in self.found.values())
        tables.append(f"s0 AS (SELECT *{columns} FROM {source})")
        for number, step in enumerate(self.steps[:last], 1):
            tables.append(f"s{number} AS ({step.replace('{previous}', f's{number - 1}')})")
        return f"WITH {', '.join(tables)} SELECT {what} FROM s{last} {ending}"

    def used(self, sql: str) -> dict[str, object]:
        """Return the parameters that stand in `sql`, which are the ones DuckDB accepts with it."""
        return {name: self.parameters[name] for name in PARAMETER.findall(sql)}
