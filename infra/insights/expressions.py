"""
Turns expressions into SQL: fields, operators, functions, comparisons and their coercions.

The rules, each with its source, are the documentation's
(docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-*); where it is silent the choice is said where it
is made.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from insights.discovery import SYSTEM_FIELDS, Kind, Sql, json_pointers
from insights.errors import QueryError, Span
from insights.functions import (
    AGGREGATES,
    CALENDAR_UNITS,
    CAPS,
    LONGEST_TEXT,
    MANY,
    MILLISECONDS,
    OF_CLOUDWATCH_ONLY,
    SCALARS,
    SPECIAL,
    UNIT_BY_NAME,
    Function,
    Takes,
)
from insights.grammar import text_of
from insights.syntax import (
    Call,
    Expression,
    Field,
    Match,
    Membership,
    Negative,
    Not,
    Number,
    Operation,
    Period,
    Text,
)

if TYPE_CHECKING:
    from insights.errors import ErrorCode
    from insights.statement import Statement

LATEST_TIME = 253_402_300_799_999  # 9999-12-31, the last date a timestamp is shown as

COMPARISONS = {"=": "=", "!=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
ARITHMETIC = {
    "+": "({} + {})",
    "-": "({} - {})",
    "*": "({} * {})",
    "/": "({} / {})",
    "%": "({} % {})",
    "^": "pow({}, {})",
}
# As fields, these words would quietly match nothing.
BARE_WORDS = {
    "true": "1, which is what true is in a log field",
    "false": "0, which is what false is in a log field",
    "null": "`ispresent(...)`, which tells a missing field",
}
NUMERIC = frozenset({Kind.NUMBER, Kind.BOOLEAN, Kind.MILLIS, Kind.TIMESTAMP})


class Expressions:
    """
    Translates expressions at one place of the pipeline after another.

    `columns` are the fields that commands made; while `open`, any other name is looked up in the events. `aggregated`
    holds the columns of the aggregates of a `stats` while its selections are translated, by the identity of their
    nodes.
    """

    def __init__(self, query: str, statement: Statement, now_ms: int) -> None:
        self.query = query
        self.statement = statement
        self.columns: dict[str, Sql] = {}
        self.open = True
        self.aggregated: dict[int, Sql] | None = None
        self.patterns: list[tuple[str, Span]] = []
        self.discovered: dict[str, Span] = {}
        self._now_ms = now_ms

    def refuse(self, problem: str, span: Span, expected: str = "", code: ErrorCode = "malformed_query") -> NoReturn:
        """Say what is wrong with the query at a place."""
        raise QueryError(problem, self.query, span, expected, code)

    def column(self, expression: Expression) -> Sql:
        """Translate an expression and hold its value in a column."""
        return self.statement.hold(self.value(expression))

    def value(self, expression: Expression) -> Sql:  # noqa: PLR0911 - one for each shape of an expression
        """Translate an expression."""
        match expression:
            case Number() | Text() | Period():
                return self._literal(expression)
            case Field():
                return self._field(expression)
            case Call():
                return self._call(expression)
            case Negative():
                return Sql(f"(-{self.number(expression.operand).text})", Kind.NUMBER)
            case Not():
                return Sql(f"(NOT {self.condition(expression.operand)})", Kind.BOOLEAN)
            case Operation():
                return self._operation(expression)
            case Match():
                return self._match(expression)
            case Membership():
                return self._membership(expression)

    def condition(self, expression: Expression) -> str:
        """Translate an expression that must be true or false."""
        value = self.value(expression)
        if value.kind is not Kind.BOOLEAN:
            # Boolean operators are for functions that return TRUE or FALSE only, says the documentation.
            expected = f"a condition, such as `{text_of(self.query, expression.span)} = 1`"
            self.refuse(f"expected {expected}", expression.span, expected)
        return value.text

    def number(self, expression: Expression) -> Sql:
        """Translate an expression as a number; what is none is missing."""
        value = self.value(expression)
        if value.kind is Kind.TIMESTAMP:
            self.refuse("a timestamp is no number: use `toMillis(...)`", expression.span, "`toMillis(...)`")
        return as_number(value)

    def pattern(self, pattern: str, span: Span) -> str:
        """Bind a regular expression, to be checked before the query runs."""
        self.patterns.append((pattern, span))
        return self.statement.bind(pattern)

    def sort_keys(self, value: Sql) -> list[str]:
        """
        Return what puts a column's values in natural order: missing ones, text, numbers (CWL_QuerySyntax-Sort).

        The documentation does not place missing values: here they are the least, so a descending "top N" ends with
        them.
        """
        if value.kind not in {Kind.ANY, Kind.TEXT}:
            return [value.text]
        number = self.statement.hold(as_number(value)).text
        is_number = f"CASE WHEN {value.text} IS NOT NULL THEN {number} IS NOT NULL END"
        # 0, 01, 1: numbers alike are ordered as text.
        text = f"CASE WHEN {number} IS NULL THEN natural_key({value.text}) ELSE {value.text} END"
        return [is_number, number, self.statement.hold(Sql(text, Kind.TEXT)).text]

    def check_arguments(self, call: Call, fewest: int, most: int) -> None:
        """Refuse a call with too few or too many arguments."""
        given = len(call.arguments)
        if fewest <= given <= most and not call.star:
            return
        if most == MANY:
            expected = f"at least {fewest} argument{'s' if fewest > 1 else ''}"
        elif fewest == most:
            expected = f"{fewest or 'no'} argument{'s' if fewest != 1 else ''}"
        else:
            expected = f"{fewest} or {most} arguments"
        got = "`*`" if call.star else str(given)
        self.refuse(f"expected {expected} for `{call.function}`, got {got}", call.span, expected)

    def _literal(self, literal: Number | Text | Period) -> Sql:
        match literal:
            case Number():
                return Sql(f"{self.statement.bind(literal.value)}::DOUBLE", Kind.NUMBER, simple=True)
            case Text():
                return Sql(f"{self.statement.bind(literal.value)}::VARCHAR", Kind.TEXT, simple=True)
            case Period():
                return self.refuse("a period such as 5m goes into bin, datefloor or dateceil only", literal.span)

    def _field(self, name: Field) -> Sql:
        known = self.columns.get(name.name)
        if known is not None:
            return known
        if not self.open:
            # "You can refer only to fields that are defined in the first stats command": CWL_QuerySyntax-Stats.
            expected = "one of " + ", ".join(f"`{column}`" for column in self.columns)
            problem = f"there is no field `{name.name}` after `stats`: expected {expected}"
            if self.aggregated is not None:
                problem = f"the field `{name.name}` can only stand inside an aggregate or after `by`"
            return self.refuse(problem, name.span, expected)
        if name.name in SYSTEM_FIELDS:
            system = SYSTEM_FIELDS[name.name]
            return system if system.simple else self.statement.find(name.name, system.text)
        if name.name.startswith("@") and not name.name.startswith("@@"):
            expected = "one of " + ", ".join(sorted(SYSTEM_FIELDS))
            return self.refuse(f"there is no field `{name.name}`: expected {expected}", name.span, expected)
        if name.name.lower() in BARE_WORDS and self.query[name.span.start] != "`":
            expected = BARE_WORDS[name.name.lower()]
            return self.refuse(f"`{name.name}` is no value: expected {expected}", name.span, expected)
        self.discovered.setdefault(name.name, name.span)
        if name.name not in self.statement.found:
            leaves = self.statement.point(json_pointers(name))
            self.statement.find(name.name, leaves[0] if len(leaves) == 1 else f"coalesce({', '.join(leaves)})")
        return self.statement.find(name.name, "")

    def _call(self, call: Call) -> Sql:  # noqa: PLR0911 - what a name can stand for, in order
        name = call.function.lower()
        if self.aggregated is not None and id(call) in self.aggregated:
            return self.aggregated[id(call)]
        made = self.columns.get(text_of(self.query, call.span))
        if made is not None:
            # `sort count(*) desc` names the column that `stats count(*)` made.
            return made
        if name in SCALARS:
            return self._scalar(call)
        if name in SPECIAL:
            return {
                "bin": self._bin,
                "coalesce": self._coalesce,
                "dateceil": self._rounded_date,
                "datefloor": self._rounded_date,
                "frommillis": self._from_millis,
                "now": self._now,
                "tomillis": self._to_millis,
            }[name](call)
        if name in AGGREGATES:
            problem = f"`{call.function}` is an aggregate: it belongs in `stats`, and not inside another one"
            return self.refuse(problem, call.span)
        if name in OF_CLOUDWATCH_ONLY:
            problem = f"the function `{call.function}` runs on CloudWatch only: the local evaluator does not know it"
            return self.refuse(problem, call.span, code="not_supported")
        near = get_close_matches(name, [*SCALARS, *SPECIAL, *AGGREGATES], 1)
        expected = f"`{near[0]}`" if near else "a function of the query language"
        return self.refuse(f"there is no function `{call.function}`: expected {expected}", call.span, expected)

    def _scalar(self, call: Call) -> Sql:
        function = SCALARS[call.function.lower()]
        self.check_arguments(call, function.fewest, function.most)
        arguments = []
        for index, argument in enumerate(call.arguments):
            takes = function.takes[min(index, len(function.takes) - 1)]
            value = self.number(argument) if takes is Takes.NUMBER else self.value(argument)
            arguments.append(as_text(value) if takes is Takes.TEXT else value)
        if function.length is not None:
            return self._guarded(call, function, [self.statement.hold(argument).text for argument in arguments])
        made = function.sql(*[argument.text for argument in arguments])
        return self._finite(made) if made.kind is Kind.NUMBER else made

    def _guarded(self, call: Call, function: Function, arguments: list[str]) -> Sql:
        """Refuse a string that gets too long, before it is made."""
        made = function.sql(*arguments)
        length = function.length(*arguments) if function.length else "0"
        refused = f"error('too long:{call.span.start}:{call.span.end}')"
        return Sql(f"CASE WHEN {length} > {LONGEST_TEXT} THEN {refused} ELSE {made.text} END", made.kind)

    def _now(self, call: Call) -> Sql:
        """Translate now(): "the time that the query processing was started, in epoch seconds"."""
        self.check_arguments(call, 0, 0)
        return Sql(f"{self.statement.bind(float(self._now_ms // 1000))}::DOUBLE", Kind.NUMBER, simple=True)

    def _coalesce(self, call: Call) -> Sql:
        self.check_arguments(call, 1, MANY)
        values = [self.value(argument) for argument in call.arguments]
        kinds = {value.kind for value in values}
        if len(kinds) == 1:
            return Sql(f"coalesce({', '.join(value.text for value in values)})", kinds.pop())
        return Sql(f"coalesce({', '.join(as_text(value).text for value in values)})", Kind.ANY)

    def _bin(self, call: Call) -> Sql:
        self.check_arguments(call, 1, 1)
        if not self.open:
            # "You can't use bin in the second stats command without using the first stats command to propagate the
            # timestamp field": CWL_QuerySyntax-Stats.
            self.refuse("`bin` needs @timestamp, which is gone after `stats`: use dateceil or datefloor", call.span)
        return self._rounded(SYSTEM_FIELDS["@timestamp"], call.arguments[0], "floor")

    def _rounded_date(self, call: Call) -> Sql:
        self.check_arguments(call, 2, 2)
        moment = self._moment(call.arguments[0])
        return self._rounded(moment, call.arguments[1], "floor" if call.function.lower() == "datefloor" else "ceil")

    def _from_millis(self, call: Call) -> Sql:
        self.check_arguments(call, 1, 1)
        number = self.statement.hold(self.number(call.arguments[0])).text
        # What is no date is missing.
        return Sql(f"CASE WHEN {number} BETWEEN 0 AND {LATEST_TIME} THEN floor({number})::BIGINT END", Kind.TIMESTAMP)

    def _to_millis(self, call: Call) -> Sql:
        self.check_arguments(call, 1, 1)
        return Sql(f"({self._moment(call.arguments[0]).text})::DOUBLE", Kind.NUMBER)

    def _moment(self, argument: Expression) -> Sql:
        value = self.value(argument)
        if value.kind is Kind.TIMESTAMP:
            return value
        if value.kind is Kind.MILLIS:
            # AWS's sample groups by `dateceil(@t, 5m)` where @t is `max(@timestamp)` of the `stats` before.
            return Sql(f"({value.text})::BIGINT", Kind.TIMESTAMP)
        expected = "a timestamp, such as @timestamp or fromMillis(...)"
        return self.refuse(f"expected {expected}", argument.span, expected)

    def _rounded(self, moment: Sql, period: Expression, rounding: str) -> Sql:
        if not isinstance(period, Period) or period.unit not in UNIT_BY_NAME or period.amount == 0:
            expected = "a period such as 5m, 1h or 1d"
            self.refuse(f"expected {expected}", period.span, expected)
        unit = UNIT_BY_NAME[period.unit]
        if unit in MILLISECONDS:
            size = min(period.amount, CAPS.get(unit, period.amount), 100_000) * MILLISECONDS[unit]
            return Sql(f"({rounding}({moment.text} / {size})::BIGINT * {size})", Kind.TIMESTAMP)
        if unit not in CALENDAR_UNITS or period.amount != 1:
            problem = "CloudWatch does not say where such a period starts: the local evaluator does not know it"
            self.refuse(problem, period.span, "a period such as 5m, 1h, 1d, 1mo or 1y", "not_supported")
        calendar = CALENDAR_UNITS[unit]
        if rounding == "floor":
            return Sql(f"epoch_ms(date_trunc('{calendar}', make_timestamp({moment.text} * 1000)))", Kind.TIMESTAMP)
        before = f"make_timestamp({moment.text} * 1000 - 1)"
        interval = "3 MONTH" if calendar == "quarter" else f"1 {calendar.upper()}"
        return Sql(f"epoch_ms(date_trunc('{calendar}', {before}) + INTERVAL {interval})", Kind.TIMESTAMP)

    def _operation(self, operation: Operation) -> Sql:
        if operation.operator in {"and", "or"}:
            left_truth = self.condition(operation.left)
            right_truth = self.condition(operation.right)
            return Sql(f"({left_truth} {operation.operator.upper()} {right_truth})", Kind.BOOLEAN)
        if operation.operator in COMPARISONS:
            return self._comparison(operation)
        left = self.number(operation.left)
        right = self.number(operation.right)
        # What has no finite result, such as a division by zero, is missing.
        return self._finite(Sql(ARITHMETIC[operation.operator].format(left.text, right.text), Kind.NUMBER))

    def _comparison(self, operation: Operation) -> Sql:
        """
        Compare two values.

        A number and a value that reads as one compare as numbers, two other values as text; a number and a text are
        unequal, and neither is less. A quoted string equals the very same text only ("1.0" is not 1).

        A comparison with a missing value is false, and so `!=`, `not in` and `not like` are true for an event without
        the field: "log events that do not have `Type` fields with values of foo, bar, or 1" are what `not in` returns,
        and `@type != "REPORT"` is how people drop Lambda's own lines from those that have no @type.
        """
        left, right = self.value(operation.left), self.value(operation.right)
        for value, side, other in ((left, operation.left, operation.right), (right, operation.right, operation.left)):
            if value.kind is Kind.TIMESTAMP and isinstance(other, Text):
                # "Currently, CloudWatch Logs Insights doesn't support filtering logs with human readable timestamps."
                expected = f"a number, as in `toMillis({text_of(self.query, side.span)})`"
                problem = "a timestamp is compared with milliseconds since 1970, not with a string"
                self.refuse(problem, other.span, expected)
        operator = COMPARISONS[operation.operator]
        if left.kind in NUMERIC or right.kind in NUMERIC:
            sql = f"({as_number(left).text} {operator} {as_number(right).text})"
        elif operator == "=" and Kind.TEXT in {left.kind, right.kind}:
            sql = f"({left.text} = {right.text})"
        else:
            left, right = self.statement.hold(left), self.statement.hold(right)
            left_number = self.statement.hold(as_number(left)).text
            right_number = self.statement.hold(as_number(right)).text
            sql = (
                f"(CASE WHEN {left_number} IS NOT NULL AND {right_number} IS NOT NULL"
                f" THEN {left_number} {operator} {right_number}"
                f" WHEN {left_number} IS NULL AND {right_number} IS NULL"
                f" THEN {left.text} {operator} {right.text} END)"
            )
        return _truth(sql, negated=operation.operator == "!=")

    def _match(self, match: Match) -> Sql:
        subject = as_text(self.value(match.subject)).text
        if match.regex:
            sql = f"regexp_matches({subject}, {self.pattern(match.pattern, match.pattern_span)})"
        else:
            sql = f"contains({subject}, {self.statement.bind(match.pattern)}::VARCHAR)"
        return _truth(sql, negated=match.negated)

    def _membership(self, membership: Membership) -> Sql:
        """Look a value up in a list: each option equals it as it would with `=`."""
        subject = self.column(membership.subject)
        if subject.kind is Kind.TIMESTAMP:
            self.refuse("a timestamp cannot be looked up in a list: compare `toMillis(...)`", membership.subject.span)
        numbers = [option.value for option in membership.options if isinstance(option, Number)]
        texts = [option.value for option in membership.options if isinstance(option, Text)]
        number = as_number(subject).text
        tests = []
        if numbers:
            tests.append(f"coalesce(list_contains({self.statement.bind(numbers)}::DOUBLE[], {number}), false)")
        if texts:
            options, sought = f"{self.statement.bind(texts)}::VARCHAR[]", subject.text
            if subject.kind in NUMERIC:
                options, sought = f"list_transform({options}, lambda option: number_in(option))", number
            tests.append(f"coalesce(list_contains({options}, {sought}), false)")
        return _truth(f"({' OR '.join(tests)})", negated=membership.negated)

    def _finite(self, value: Sql) -> Sql:
        return Sql(f"finite({self.statement.hold(value).text})", value.kind)


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


def _truth(sql: str, *, negated: bool) -> Sql:
    truth = f"coalesce({sql}, false)"
    return Sql(f"(NOT {truth})" if negated else truth, Kind.BOOLEAN)
