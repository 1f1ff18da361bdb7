# ruff: noqa: S608 - the SQL is put together here, from names made here; all that a query says is a bound parameter
"""
Turns a parsed query into SQL for the columnar engine, command by command.

The rules, each with its source, are the documentation's
(docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-*); where it is silent a comment explains the choice
where it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.coercions import as_number, as_text
from insights.discovery import SYSTEM_FIELDS, Kind, Sql
from insights.expressions import Expressions, Window
from insights.functions import aggregates_in
from insights.lookups import look_up
from insights.special import SPECIAL
from insights.statement import Statement
from insights.syntax import (
    AddTotals,
    Call,
    Command,
    Dedup,
    Display,
    Expression,
    Field,
    Fields,
    Filter,
    Limit,
    Lookup,
    Number,
    Ordering,
    Parse,
    Query,
    Selection,
    Sort,
    Stats,
    Unnest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from insights.errors import Span
    from insights.lookups import Table

# "If you omit limit, the query defaults to returning up to 10,000 log events": CWL_QuerySyntax-Limit.
DEFAULT_LIMIT = 10_000
# Ten in one query on the Standard log class; two on Infrequent Access, and on all in older editions of
# CWL_QuerySyntax-Stats.
MOST_STATS = 10
# The SQL engine bounds how deep the steps of a query may nest.
MOST_STEPS = 300
PERCENT = 100
# Items of one list, which keep its order.
MOST_ITEMS = 65_536


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The SQL of a query, and the regular expressions in it with their places.

    `rows` gives the result as text, `matched` how many events passed the filters (None: there are none to pass), and
    `totals` a last row (None: there is none).
    """

    rows: str
    matched: str | None
    totals: str | None
    statement: Statement
    patterns: tuple[tuple[str, Span], ...]
    columns: tuple[str, ...]
    groups: tuple[str, ...]
    time_column: str | None
    discovered: dict[str, Span]
    notes: tuple[str, ...]


def translate(query: Query, window: Window, tables: Mapping[str, Table]) -> Plan:
    """Translate a query, or raise `QueryError` at the place of what cannot be answered."""
    translation = _Translation(query, window, tables)
    for command in query.commands:
        translation.add(command)
        translation.check_size(command)
    return translation.plan()


class _Translation:
    def __init__(self, query: Query, window: Window, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._statement = Statement()
        self._expressions = Expressions(query.text, self._statement, window, SPECIAL)
        self._order: list[str] = []
        self._default_order = ["seq DESC"]
        self._limit: int | None = None
        self._dedup = False
        self._stats_seen = 0
        self._last_filter: int | None = None
        self._shown: dict[str, Sql] = {}
        self._displayed: dict[str, Sql] | None = None
        self._notes: list[str] = []
        self._unnested = False
        self._extracted: dict[str, Sql] = {}
        self._groups: tuple[str, ...] = ()
        self._time_column: str | None = None
        self._totals: frozenset[str] | None = None

    def add(self, command: Command) -> None:  # noqa: C901 - one case for each command
        self._check_position(command)
        match command:
            case Fields():
                for selection in command.selections:
                    self._shown[selection.name] = self._select(selection)
            case Display():
                # "If you specify this command more than once in your query, only the fields you specify in the last
                # occurrence are used": CWL_QuerySyntax-Display.
                self._displayed = {selection.name: self._select(selection) for selection in command.selections}
            case Filter():
                self._filter(command)
            case Stats():
                self._stats(command)
            case Sort():
                self._sort(command)
            case Limit():
                self._limit = command.count if self._limit is None else min(self._limit, command.count)
            case Dedup():
                self._remove_duplicates(command)
            case Parse():
                self._extract(command)
            case Unnest():
                self._unnest(command)
            case AddTotals():
                self._add_totals(command)
            case Lookup():
                self._look_up(command)

    def check_size(self, command: Command) -> None:
        if self._statement.depth > MOST_STEPS:
            problem = "the query has too many steps for the local evaluator"
            self._expressions.refuse(problem, command.span, "fewer commands", "too_large")

    def plan(self) -> Plan:
        shown = self._displayed if self._displayed is not None else self._shown
        if self._displayed is None and not self._stats_seen:
            if not shown:
                # "The query results display the @timestamp field and all log data in the @message field."
                shown = {name: SYSTEM_FIELDS[name] for name in ("@timestamp", "@message")}
            shown = {**shown, **{name: column for name, column in self._extracted.items() if name not in shown}}
        self._statement.close()
        limit = DEFAULT_LIMIT if self._limit is None else self._limit
        rows = self._statement.select(
            ", ".join(_shown(column) for column in shown.values()),
            len(self._statement.steps),
            f"ORDER BY {', '.join(self._order or self._default_order)} LIMIT {limit}",
        )
        matched = None
        if self._last_filter is not None:
            matched = self._statement.select("count(*)", self._last_filter)
        totals = None
        if self._totals is not None:
            sums = [
                f"shown_number(sum({as_number(column).text}))" if name in self._totals else "NULL"
                for name, column in shown.items()
            ]
            totals = self._statement.select(", ".join(sums), len(self._statement.steps), "HAVING count(*) > 0")
        return Plan(
            rows,
            matched,
            totals,
            self._statement,
            tuple(self._expressions.patterns),
            tuple(shown),
            self._groups,
            self._time_column if self._time_column in shown else None,
            self._expressions.discovered,
            tuple(self._notes),
        )

    def _check_position(self, command: Command) -> None:
        """Refuse an order of commands that CloudWatch refuses, or whose meaning it does not document."""
        refuse = self._expressions.refuse
        if self._dedup and not isinstance(command, Limit):
            # "The only query command that you can use in a query after the dedup command is limit":
            # CWL_QuerySyntax-Dedup.
            refuse("expected `limit` or the end of the query after `dedup`", command.span, "`limit`")
        if self._totals is not None and not isinstance(command, Limit):
            # What a command makes of the last row is not documented.
            refuse("expected `limit` or the end of the query after `addtotals col=true`", command.span, "`limit`")
        if self._limit is not None and isinstance(command, (Filter, Stats, Sort, Dedup)):
            # CloudWatch documents `limit` as the number of results, not as what a command after it sees.
            refuse(
                "expected `limit` after this command: it counts the rows of the result", command.span, "`limit` last"
            )
        if isinstance(command, Stats):
            self._stats_seen += 1
            if self._stats_seen > MOST_STATS:
                expected = f"at most {MOST_STATS} `stats`"
                refuse(f"expected {expected} in a query", command.span, expected)
            if self._stats_seen > 1 and self._order:
                # "If you use a sort or limit command, it must appear after the second stats command."
                refuse("expected `sort` after the last `stats`, not before it", command.span, "`sort` last")

    def _select(self, selection: Selection) -> Sql:
        column = self._expressions.structure_column(selection.expression)
        if not (isinstance(selection.expression, Field) and selection.expression.name == selection.name):
            self._expressions.columns[selection.name] = column
        return column

    def _filter(self, command: Filter) -> None:
        condition = self._expressions.condition(command.condition)
        self._statement.step(f"SELECT * FROM {{previous}} WHERE {condition}")
        if not self._stats_seen and not self._unnested:
            self._last_filter = len(self._statement.steps)

    def _sort(self, command: Sort) -> None:
        orderings = [each for each in command.orderings if not self._orders_nothing(each.expression)]
        self._order = [term for ordering in orderings for term in self._order_terms(ordering)]
        if not orderings:
            return
        # "If you sort in descending order, the sort results are the reverse", also of events that sort alike.
        backwards = command.orderings[0].descending and not self._stats_seen
        self._order.append("seq DESC" if backwards else "seq ASC")

    def _orders_nothing(self, expression: Expression) -> bool:
        """Pass over `sort @timestamp` after `stats`, as in AWS's samples: that field is missing in every row then."""
        nothing = (
            bool(self._stats_seen)
            and isinstance(expression, Field)
            and expression.name == "@timestamp"
            and expression.name not in self._expressions.columns
        )
        if nothing:
            self._notes.append("`sort @timestamp` after `stats` orders nothing: sort by a column of `stats`.")
        return nothing

    def _unnest(self, command: Unnest) -> None:
        """Make a row of each item. "Any other types are treated as a list with one item": CWL_QuerySyntax-Unnest."""
        value = self._expressions.structure_column(command.field)
        name = self._statement.name()
        self._unnested = True
        if value.kind is not Kind.STRUCTURE:
            self._expressions.columns[command.name] = value
        else:
            items = f"CASE WHEN left({value.text}::VARCHAR, 1) = '[' THEN json_extract({value.text}, '$[*]')"
            self._statement.step(
                f"SELECT * EXCLUDE (seq, items, item), seq::HUGEINT * {MOST_ITEMS} - item AS seq,"
                f" items[item] AS {name} FROM (SELECT *, unnest(range(1, len(items) + 1)) AS item"
                f" FROM (SELECT *, {items} ELSE [{value.text}] END AS items FROM {{previous}}))"
            )
            self._expressions.columns[command.name] = Sql(name, Kind.STRUCTURE, simple=True)
        self._extracted[command.name] = self._expressions.columns[command.name]

    def _look_up(self, command: Lookup) -> None:
        found = look_up(command, self._tables, self._expressions)
        self._expressions.columns |= found
        self._extracted |= found
        for shown in (self._shown, self._displayed or {}):
            shown |= {name: column for name, column in found.items() if name in shown or self._stats_seen}

    def _add_totals(self, command: AddTotals) -> None:
        """Add up numbers and skip all else: CWL_QuerySyntax-Addtotals. Times are not numbers here."""
        shown = self._displayed if self._displayed is not None else self._shown
        for field in command.fields:
            shown.setdefault(field.name, self._select(Selection(field, field.name, field.span)))
        names = [field.name for field in command.fields] or list(shown)
        summed = [name for name in dict.fromkeys(names) if shown[name].kind not in {Kind.TIMESTAMP, Kind.MILLIS}]
        if not summed:
            self._expressions.refuse("expected fields to add up: none is shown that may be a number", command.span)
        if command.row:
            numbers = ", ".join(as_number(shown[name]).text for name in summed)
            total = self._statement.column(Sql(f"list_sum([{numbers}])", Kind.NUMBER))
            self._expressions.columns[command.name] = shown[command.name] = total
            summed.append(command.name)
        if command.column:
            self._totals = frozenset(summed)

    def _order_terms(self, ordering: Ordering) -> list[str]:
        column = self._expressions.column(ordering.expression)
        direction = "DESC NULLS LAST" if ordering.descending else "ASC NULLS FIRST"
        return [f"{key} {direction}" for key in self._expressions.sort_keys(column)]

    def _extract(self, command: Parse) -> None:
        pattern = self._expressions.pattern(command.pattern, command.pattern_span)
        subject = self._statement.hold(as_text(self._expressions.value(command.subject))).text
        groups = ", ".join(f"'g{group}'" for group in range(1, max(command.groups) + 1))
        # "If a log event doesn't match the specified pattern, you still see it in the results, but without the
        # extracted fields": CWL_QuerySyntax-Parse.
        extracted = f"regexp_extract({subject}, {pattern}, [{groups}])"
        found = f"CASE WHEN regexp_matches({subject}, {pattern}) THEN {extracted} END"
        matched = self._statement.hold(Sql(found, Kind.ANY)).text
        for group, name in zip(command.groups, command.names, strict=True):
            column = self._statement.hold(Sql(f"{matched}.g{group}", Kind.ANY))
            self._expressions.columns[name] = column
            self._extracted[name] = column

    def _remove_duplicates(self, command: Dedup) -> None:
        # "Duplicates are discarded based on the sort order, with only the first result in the sort order being kept.
        # If the results are not sorted before being run through dedup, then the default descending sort order using
        # @timestamp is used. Null values are not considered duplicates for evaluation": CWL_QuerySyntax-Dedup.
        keys = [self._expressions.column(name).text for name in command.fields]
        missing = " OR ".join(f"{key} IS NULL" for key in keys)
        order = ", ".join(self._order or self._default_order)
        self._statement.step(
            f"SELECT * FROM {{previous}} QUALIFY {missing}"
            f" OR row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {order}) = 1"
        )
        self._dedup = True

    def _stats(self, command: Stats) -> None:
        expressions = self._expressions
        groups = {
            selection.name: self._statement.column(expressions.value(selection.expression)) for selection in command.by
        }
        self._groups = tuple(groups)
        self._time_column = next(
            (
                selection.name
                for selection in command.by
                if isinstance(selection.expression, Call) and groups[selection.name].kind is Kind.TIMESTAMP
            ),
            None,
        )
        aggregates = {
            id(call): (self._statement.name(), *self._aggregate(call))
            for selection in command.selections
            for call in aggregates_in(selection.expression)
        }
        selected = [f"{group.text} AS {group.text}" for group in groups.values()]
        selected += [f"{sql} AS {column}" for column, sql, _ in aggregates.values()]
        # Without `by`, no event gives no row: rows are made out of the groups that were found.
        grouping = "HAVING count(*) > 0"
        if groups:
            grouping = f"GROUP BY {', '.join(dict.fromkeys(group.text for group in groups.values()))}"
        self._statement.step(
            f"SELECT {', '.join(dict.fromkeys(selected)) or '1 AS nothing'} FROM {{previous}} {grouping}"
        )
        expressions.columns = dict(groups)
        expressions.open = False
        expressions.aggregated = {
            node: Sql(column, kind, simple=True) for node, (column, _, kind) in aggregates.items()
        }
        self._shown = dict(groups)
        self._displayed = None
        self._extracted = {}
        for selection in command.selections:
            # An alias can be used by the selections after it: AWS's overprovisioned memory sample subtracts two.
            column = expressions.column(selection.expression)
            expressions.columns[selection.name] = column
            self._shown[selection.name] = column
        expressions.aggregated = None
        # CloudWatch leaves the order of groups open; here it is that of the groups' values.
        keys = [f"{key} ASC NULLS FIRST" for group in groups.values() for key in expressions.sort_keys(group)]
        numbering = f"row_number() OVER (ORDER BY {', '.join(keys) or '1'})"
        self._statement.step(f"SELECT *, {numbering} AS seq FROM {{previous}}")
        self._order = []
        self._default_order = ["seq ASC"]

    def _aggregate(self, call: Call) -> tuple[str, Kind]:
        """Translate an aggregate over the events of a group (CWL_QuerySyntax-Stats, "Functions to use with stats")."""
        name = call.function.lower()
        if name == "count" and (call.star or not call.arguments):
            return "count(*)::DOUBLE", Kind.NUMBER
        if name in {"pct", "percentile"}:  # the second is in aws-samples/serverless-snippets
            return self._percentile(call)
        self._expressions.check_arguments(call, 1, 1)
        if name in {"avg", "sum", "stddev"}:
            # "The standard deviation of the values": of just these, not of a population they would be a sample of.
            function = "stddev_pop" if name == "stddev" else name
            number = self._statement.hold(self._expressions.number(call.arguments[0]))
            return f"{function}({number.text})", Kind.NUMBER
        value = self._expressions.column(call.arguments[0])
        if name in {"count", "count_distinct"}:
            distinct = "DISTINCT " if name == "count_distinct" else ""
            return f"count({distinct}{value.text})::DOUBLE", Kind.NUMBER
        if name in {"earliest", "latest"}:
            return self._first_in_time(call, value)
        return self._first_in_order(name, value)

    def _percentile(self, call: Call) -> tuple[str, Kind]:
        # "The value at which 95 percent of the values are lower than this value": one of the values, by nearest rank.
        self._expressions.check_arguments(call, 2, 2)
        number = self._statement.hold(self._expressions.number(call.arguments[0]))
        percent = call.arguments[1]
        if not isinstance(percent, Number) or not 0 <= percent.value <= PERCENT:
            expected = "a number from 0 to 100"
            self._expressions.refuse(f"expected {expected} as the percentile", percent.span, expected)
        return f"quantile_disc({number.text}, {percent.value / PERCENT!r})", Kind.NUMBER

    def _first_in_time(self, call: Call, value: Sql) -> tuple[str, Kind]:
        if not self._expressions.open:
            problem = f"`{call.function}` needs @timestamp, which is gone after the first `stats`"
            self._expressions.refuse(problem, call.span)
        # Of the events that have the field. A timestamp comes out as a number of milliseconds, as from min and max.
        which = "arg_min" if call.function.lower() == "earliest" else "arg_max"
        return f"{which}({value.text}, seq)", _aggregated(value.kind)

    def _first_in_order(self, name: str, value: Sql) -> tuple[str, Kind]:
        which = "arg_min" if name in {"min", "sortsfirst"} else "arg_max"
        keys = self._expressions.sort_keys(value)
        key = "{" + ", ".join(f"'k{index}': {key}" for index, key in enumerate(keys)) + "}"
        in_order = f"{which}({value.text}, {key}) FILTER ({value.text} IS NOT NULL)"
        if name in {"sortsfirst", "sortslast"} or value.kind not in {Kind.ANY, Kind.TEXT}:
            return in_order, _aggregated(value.kind)
        # The least and greatest of the numbers among the values, as it stands in its line; where there are none, by the
        # order of `sort`. Two integers may be one double.
        number = self._statement.hold(as_number(value)).text
        key = f"{{'number': {number}, 'whole': coalesce(whole_in({value.text}), 0)}}"
        return f"coalesce({which}({value.text}, {key}) FILTER ({number} IS NOT NULL), {in_order})", Kind.ANY


def _shown(column: Sql) -> str:
    """Write a column as it is shown; maps and lists as JSON."""
    if column.kind is Kind.STRUCTURE:
        return f"CASE WHEN is_structure({column.text}) THEN ({column.text})::VARCHAR ELSE leaf({column.text}) END"
    return as_text(column).text


def _aggregated(kind: Kind) -> Kind:
    return Kind.MILLIS if kind is Kind.TIMESTAMP else kind
