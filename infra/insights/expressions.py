"""
Turns expressions into SQL: fields, operators, functions, comparisons and their coercions.

The rules, each with its source, are the documentation's
(docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-*); where it is silent a comment explains the choice
where it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from insights.coercions import as_number, as_text
from insights.discovery import SYSTEM_FIELDS, Kind, Sql, json_pointers, pointer
from insights.errors import QueryError, Span
from insights.functions import (
    AGGREGATES,
    LONGEST_TEXT,
    MANY,
    OF_CLOUDWATCH_ONLY,
    SCALARS,
    Function,
    Takes,
)
from insights.grammar import text_of
from insights.syntax import (
    Access,
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
    from collections.abc import Callable, Mapping

    from insights.errors import ErrorCode
    from insights.statement import Statement

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
LARGEST_EXACT = 2**53  # from here on a double does not hold every integer
BARE_WORDS = {
    "true": "1, which is what true is in a log field",
    "false": "0, which is what false is in a log field",
    "null": "`ispresent(...)`, which tells a missing field",
}
NUMERIC = frozenset({Kind.NUMBER, Kind.BOOLEAN, Kind.MILLIS, Kind.TIMESTAMP})


@dataclass(frozen=True, slots=True)
class Window:
    """When a query was asked, and the time range it is about (milliseconds since the epoch)."""

    now_ms: int
    start_ms: int
    end_ms: int


class Expressions:
    """
    Translates expressions at one place of the pipeline after another.

    `columns` are the fields that commands made; while `open`, any other name is looked up in the events. `aggregated`
    holds the columns of the aggregates of a `stats` while its selections are translated, by the identity of their
    nodes. `special` has by name how the functions with rules of their own are translated (special.py).
    """

    def __init__(
        self,
        query: str,
        statement: Statement,
        window: Window,
        special: Mapping[str, Callable[[Expressions, Call], Sql]],
    ) -> None:
        self.query = query
        self.statement = statement
        self.columns: dict[str, Sql] = {}
        self.open = True
        self.aggregated: dict[int, Sql] | None = None
        self.patterns: list[tuple[str, Span]] = []
        self.discovered: dict[str, Span] = {}
        self.window = window
        self._special = special

    def refuse(self, problem: str, span: Span, expected: str = "", code: ErrorCode = "malformed_query") -> NoReturn:
        """Say what is wrong with the query at a place."""
        raise QueryError(problem, self.query, span, expected, code)

    def column(self, expression: Expression) -> Sql:
        """Translate an expression and hold its value in a column."""
        return self.statement.hold(self.value(expression))

    def structure_column(self, expression: Expression) -> Sql:
        """Translate an expression and hold its value, which may be a map or a list, in a column."""
        return self.statement.hold(self.structure(expression))

    def value(self, expression: Expression) -> Sql:
        """Translate an expression. "Maps and lists are treated as null": of a JSON value only a leaf counts."""
        value = self.structure(expression)
        return Sql(f"leaf({value.text})", Kind.ANY) if value.kind is Kind.STRUCTURE else value

    def structure(self, expression: Expression) -> Sql:  # noqa: C901, PLR0911 - one for each shape of an expression
        """Translate an expression, maps and lists too."""
        match expression:
            case Number() | Text() | Period():
                return self._literal(expression)
            case Field():
                return self._field(expression)
            case Call():
                return self._call(expression)
            case Access():
                found = self._call(expression.subject)
                if found.kind is not Kind.STRUCTURE:
                    expected = "`jsonParse(...)`"
                    self.refuse("only a map or a list has members", expression.span, expected)
                return Sql(
                    f"json_extract({found.text}, {self.statement.bind(pointer(expression.path))}::VARCHAR)",
                    Kind.STRUCTURE,
                )
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
            self.refuse("a timestamp is not a number: use `toMillis(...)`", expression.span, "`toMillis(...)`")
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
        member = self._member(name)
        if member is not None:
            return member
        if name.indexed:
            expected = f"`{name.name}`"
            self.refuse("an item of a log field's array is written with a dot", name.span, expected)
        if not self.open:
            # "You can refer only to fields that are defined in the first stats command": CWL_QuerySyntax-Stats.
            expected = "one of " + ", ".join(f"`{column}`" for column in self.columns)
            problem = f"there is no field `{name.name}` after `stats`: expected {expected}"
            if self.aggregated is not None:
                problem = f"the field `{name.name}` can only stand inside an aggregate or after `by`"
            return self.refuse(problem, name.span, expected)
        if name.name.startswith("@") and not name.name.startswith("@@"):
            return self._system_field(name)
        if name.name.lower() in BARE_WORDS and self.query[name.span.start] != "`":
            expected = BARE_WORDS[name.name.lower()]
            return self.refuse(f"`{name.name}` is not a value: expected {expected}", name.span, expected)
        self.discovered.setdefault(name.name, name.span)
        if name.name not in self.statement.found:
            leaves = self.statement.point(json_pointers(name))
            self.statement.find(name.name, leaves[0] if len(leaves) == 1 else f"coalesce({', '.join(leaves)})")
        return self.statement.find(name.name, "")

    def _member(self, name: Field) -> Sql | None:
        """Return a member of a map or list that a command made, None where the name is of no such."""
        for cut in range(len(name.path) - 1, 0, -1):
            base = self.columns.get(".".join(name.path[:cut]))
            if base is not None and base.kind is Kind.STRUCTURE:
                place = self.statement.bind(pointer(name.path[cut:]))
                return Sql(f"json_extract({base.text}, {place}::VARCHAR)", Kind.STRUCTURE)
        return None

    def _system_field(self, name: Field) -> Sql:
        if name.name in SYSTEM_FIELDS:
            system = SYSTEM_FIELDS[name.name]
            return system if system.simple else self.statement.find(name.name, system.text)
        if name.name.startswith("@entity."):
            return Sql("NULL::VARCHAR", Kind.ANY, simple=True)  # nothing here has an entity
        expected = "one of " + ", ".join(sorted(SYSTEM_FIELDS))
        return self.refuse(f"there is no field `{name.name}`: expected {expected}", name.span, expected)

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
        if name in self._special:
            return self._special[name](self, call)
        if name in AGGREGATES:
            problem = f"`{call.function}` is an aggregate: it belongs in `stats`, and not inside another one"
            return self.refuse(problem, call.span)
        if name in OF_CLOUDWATCH_ONLY:
            problem = f"the function `{call.function}` runs on CloudWatch only: the local evaluator does not know it"
            return self.refuse(problem, call.span, code="not_supported")
        near = get_close_matches(name, [*SCALARS, *self._special, *AGGREGATES], 1)
        expected = f"`{near[0]}`" if near else "a function of the query language"
        return self.refuse(f"there is no function `{call.function}`: expected {expected}", call.span, expected)

    def _scalar(self, call: Call) -> Sql:
        function = SCALARS[call.function.lower()]
        self.check_arguments(call, function.fewest, function.most)
        arguments = []
        for index, argument in enumerate(call.arguments):
            takes = function.takes[min(index, len(function.takes) - 1)]
            if takes is Takes.JSON:
                raw = self.structure(argument)
                text = raw.text if raw.kind is Kind.STRUCTURE else f"parsed_json({as_text(raw).text})"
                arguments.append(self.statement.hold(Sql(text, Kind.STRUCTURE)))
                continue
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
            wholes = [self._whole(operation.left, left), self._whole(operation.right, right)]
            if None not in wholes:
                sql = f"coalesce({wholes[0]} {operator} {wholes[1]}, {sql})"
        elif operator == "=" and Kind.TEXT in {left.kind, right.kind}:
            sql = f"({left.text} = {right.text})"
        else:
            left, right = self.statement.hold(left), self.statement.hold(right)
            left_number = self.statement.hold(as_number(left)).text
            right_number = self.statement.hold(as_number(right)).text
            sql = (
                f"(CASE WHEN {left_number} IS NOT NULL AND {right_number} IS NOT NULL"
                f" THEN CASE WHEN {left_number} = {right_number} AND abs({left_number}) >= {LARGEST_EXACT} THEN"
                f" coalesce(whole_in({left.text}) {operator} whole_in({right.text}), {left_number} {operator}"
                f" {right_number}) ELSE {left_number} {operator} {right_number} END"
                f" WHEN {left_number} IS NULL AND {right_number} IS NULL"
                f" THEN {left.text} {operator} {right.text} END)"
            )
        return _truth(sql, negated=operation.operator == "!=")

    def _whole(self, expression: Expression, value: Sql) -> str | None:
        """Return SQL for a value as an exact integer, where the other side may be one that no double holds."""
        if isinstance(expression, Number):
            return None if expression.whole is None else f"{self.statement.bind(str(expression.whole))}::HUGEINT"
        return f"whole_in({value.text})" if value.kind in {Kind.ANY, Kind.TEXT} else None

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
        numbers = [option.value for option in membership.options if isinstance(option, Number) and option.whole is None]
        wholes = [str(option.whole) for option in membership.options if isinstance(option, Number) and option.whole]
        texts = [option.value for option in membership.options if isinstance(option, Text)]
        number = as_number(subject).text
        tests = []
        if wholes:
            exact = f"whole_in({as_text(subject).text})"
            tests.append(f"coalesce(list_contains({self.statement.bind(wholes)}::HUGEINT[], {exact}), false)")
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


def _truth(sql: str, *, negated: bool) -> Sql:
    truth = f"coalesce({sql}, false)"
    return Sql(f"(NOT {truth})" if negated else truth, Kind.BOOLEAN)
