"""Reads a query's text into its pipeline (`syntax`), or says where it stops being one."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, UnexpectedInput, v_args
from lark.exceptions import VisitError
from lark.visitors import Transformer_NonRecursive

from insights.errors import QueryError, Span, shorten
from insights.explanation import explain
from insights.syntax import (
    Access,
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
    Match,
    Membership,
    Negative,
    Not,
    Number,
    Operation,
    Ordering,
    Parse,
    Period,
    Query,
    Selection,
    Sort,
    Stats,
    Text,
    Unnest,
)

if TYPE_CHECKING:
    from lark.tree import Meta

# StartQuery takes a query string of at most 10,000 characters.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
LONGEST_QUERY = 10_000
# "You can specify a limit value of up to 100,000": CWL_QuerySyntax-Limit.
LARGEST_LIMIT = 100_000
# Far above any written query; keeps a hostile one from exhausting the stack here or in the SQL parser.
DEEPEST_EXPRESSION = 50

# A class may begin with a bracket that stands for itself.
PATTERN_PIECES = re.compile(r"\\.|(?P<class>\[\^?\]?)|\(\?P?<(?P<name>[^>=!]*)>|\(\?|.", re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


def parse(text: str) -> Query:
    """Read a query; `QueryError` names the place where it is malformed."""
    if len(text) > LONGEST_QUERY:
        problem = f"the query has {len(text)} characters, CloudWatch takes at most {LONGEST_QUERY}"
        raise QueryError(problem, text, Span(LONGEST_QUERY, len(text)), "a shorter query")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError("a query is Unicode text", text, Span(error.start, error.end), "text") from None
    if "\0" in text:
        at = text.index("\0")
        raise QueryError("a query cannot hold a NUL character", text, Span(at, at + 1), "text")
    try:
        tree = _parser().parse(text)
        return Query(text, _Builder(text).transform(tree))
    except UnexpectedInput as error:
        explain(text, error)
    except VisitError as error:
        if isinstance(error.orig_exc, QueryError):
            raise error.orig_exc from None
        raise


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def field_of(token: str, span: Span) -> Field:
    """Split a written name: `a.b` is two segments, a backtick keeps dots within one, and @ belongs to the first."""
    prefix = token[: len(token) - len(token.lstrip("@"))]
    segments = segments_of(token[len(prefix) :])
    segments[0] = prefix + segments[0]
    return Field(".".join(segments), tuple(segments), span, indexed="[" in re.sub("`[^`]+`", "", token))


def segments_of(written: str) -> list[str]:
    """List the segments of a written path."""
    return [quoted or plain for quoted, plain in re.findall(r"`([^`]+)`|(@?[A-Za-z0-9_]+)", written)]


def unquote(literal: str) -> str:
    """Return a string literal's value: a backslash escapes quotes, itself and line breaks, and otherwise stays."""
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[0]), literal[1:-1], flags=re.DOTALL)


def read_pattern(pattern: str) -> tuple[str, list[str]]:
    """Return a regular expression as RE2 writes it, `(?P<name>`, and its capture groups (an unnamed one as "")."""
    groups = []
    pieces = []
    in_class = False
    for found in PATTERN_PIECES.finditer(pattern):
        piece = found.group()
        if in_class:
            in_class = piece != "]"
        elif found["class"]:
            in_class = True
        elif found["name"] is not None:
            groups.append(found["name"])
            piece = f"(?P<{found['name']}>"
        elif piece == "(":
            groups.append("")
        pieces.append(piece)
    return "".join(pieces), groups


@v_args(meta=True)
class _Builder(Transformer_NonRecursive[Token, tuple[Command, ...]]):
    """Makes the pipeline out of the parse tree."""

    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query

    def start(self, _meta: Meta, commands: list[Command]) -> tuple[Command, ...]:
        return tuple(commands)

    def fields(self, meta: Meta, selections: list[Selection]) -> Fields:
        return Fields(tuple(selections), _span(meta))

    def display(self, meta: Meta, selections: list[Selection]) -> Display:
        return Display(tuple(selections), _span(meta))

    def filter(self, meta: Meta, conditions: list[Expression]) -> Filter:
        return Filter(conditions[0], _span(meta))

    def stats(self, meta: Meta, parts: list[Any]) -> Stats:
        *selections, by = parts
        return Stats(tuple(selections), by or (), _span(meta))

    def by(self, _meta: Meta, selections: list[Selection]) -> tuple[Selection, ...]:
        return tuple(selections)

    def sort(self, meta: Meta, orderings: list[Ordering]) -> Sort:
        return Sort(tuple(orderings), _span(meta))

    def limit(self, meta: Meta, parts: list[Token]) -> Limit:
        token = parts[0]
        value = float(token)
        if not value.is_integer() or not 1 <= value <= LARGEST_LIMIT:
            expected = f"a whole number from 1 to {LARGEST_LIMIT}"
            raise QueryError(
                f"expected {expected} after `limit`, got '{token}'", self._query, _token_span(token), expected
            )
        return Limit(int(value), _span(meta))

    def dedup(self, meta: Meta, fields: list[Field]) -> Dedup:
        return Dedup(tuple(fields), _span(meta))

    def parse(self, meta: Meta, parts: list[Any]) -> Parse:
        span = _span(meta)
        # "If fieldName is omitted, @message is used by default": CWL_QuerySyntax-Parse.
        subject = parts[0] if len(parts) > 1 and parts[0] is not None else Field("@message", ("@message",), span)
        pattern, groups, names, pattern_span = parts[-1]
        return Parse(subject, pattern, groups, names, pattern_span, span)

    def glob(self, _meta: Meta, parts: list[Any]) -> tuple[str, tuple[int, ...], tuple[str, ...], Span]:
        token, *fields = parts
        pieces = unquote(token).split("*")
        span = _token_span(token)
        wildcards = len(pieces) - 1
        if wildcards != len(fields):
            # "The number of * wildcards must equal the number of aliases": CWL_QuerySyntax-Parse.
            problem = f"the pattern has {wildcards} `*` but `as` names {len(fields)} fields: one name for each `*`"
            raise QueryError(problem, self._query, span, f"{wildcards} names")
        # A last wildcard takes the rest; the others stop where the text that follows them first occurs.
        closing = ["(.*?)"] * (wildcards - 1) + ["(.*)" if not pieces[-1] else "(.*?)"]
        body = _escape(pieces[0]) + "".join(
            group + _escape(piece) for group, piece in zip(closing, pieces[1:], strict=False)
        )
        return "(?s)" + body, tuple(range(1, wildcards + 1)), tuple(field.name for field in fields), span

    def regex(self, _meta: Meta, parts: list[Any]) -> tuple[str, tuple[int, ...], tuple[str, ...], Span]:
        token, *rest = parts
        fields = [field for field in rest if field is not None]
        span = _token_span(token)
        pattern, groups = read_pattern(_regex(token))
        names = [field.name for field in fields] if fields else groups
        numbers = range(1, len(groups) + 1)
        if fields and len(fields) != len(groups):
            problem = f"the pattern has {len(groups)} groups but `as` names {len(fields)} fields"
            raise QueryError(problem, self._query, span, "one group for each name after `as`")
        if not fields:
            numbers = [number for number in numbers if groups[number - 1]]  # type: ignore[assignment]
            names = [name for name in groups if name]
        if not names:
            expected = "a named group, `(?<name>...)`, for each field to extract"
            raise QueryError(f"expected {expected}, got '{shorten(token)}'", self._query, span, expected)
        return pattern, tuple(numbers), tuple(names), span

    def selection(self, meta: Meta, parts: list[Any]) -> Selection:
        expression, alias = parts
        span = _span(meta)
        if alias is not None:
            name = alias.name
        elif isinstance(expression, Field):
            name = expression.name
        else:
            name = text_of(self._query, expression.span)
        return Selection(expression, name, span)

    def ordering(self, _meta: Meta, parts: list[Any]) -> Ordering:
        expression, direction = parts
        return Ordering(expression, direction is not None and direction.type == "DESC")

    def operation(self, meta: Meta, parts: list[Any]) -> Operation:
        left, operator, right = parts
        span = _span(meta)
        return Operation(
            "=" if operator == "==" else str(operator).lower(), left, right, span, self._deeper(span, left, right)
        )

    def not_(self, meta: Meta, parts: list[Any]) -> Not:
        span = _span(meta)
        return Not(parts[-1], span, self._deeper(span, parts[-1]))

    def negative(self, meta: Meta, parts: list[Any]) -> Negative:
        span = _span(meta)
        return Negative(parts[-1], span, self._deeper(span, parts[-1]))

    def match(self, meta: Meta, parts: list[Any]) -> Match:
        subject, negation, _like, pattern = parts
        span = _span(meta)
        regex = pattern.type == "REGEX"
        value = read_pattern(_regex(pattern))[0] if regex else unquote(pattern)
        depth = self._deeper(span, subject)
        return Match(subject, value, regex, negation is not None, _token_span(pattern), span, depth)

    def matches(self, meta: Meta, parts: list[Any]) -> Match:
        subject, like, pattern = parts
        return self.match(meta, [subject, None, like, pattern])

    def membership(self, meta: Meta, parts: list[Any]) -> Membership:
        subject, negation, *options = parts
        span = _span(meta)
        return Membership(subject, tuple(options), negation is not None, span, self._deeper(span, subject))

    def call(self, meta: Meta, parts: list[Any]) -> Call:
        name, *arguments = parts
        span = _span(meta)
        star = any(isinstance(argument, Token) for argument in arguments)
        given = tuple(argument for argument in arguments if argument is not None and not isinstance(argument, Token))
        return Call(str(name), given, star, span, self._deeper(span, *given))

    def access(self, meta: Meta, parts: list[Any]) -> Access:
        subject, path = parts
        span = _span(meta)
        return Access(subject, tuple(segments_of(path)), span, self._deeper(span, subject))

    def unnest(self, meta: Meta, parts: list[Field]) -> Unnest:
        return Unnest(parts[0], parts[1].name, _span(meta))

    def addtotals(self, meta: Meta, parts: list[Any]) -> AddTotals:
        options = {"fieldname": "Total", "row": "true", "col": "false"}
        fields = []
        for part in parts:
            if not isinstance(part, tuple):
                fields.append(part)
                continue
            option, value = part
            name = str(option).lower()
            if name not in options or (name != "fieldname" and value.lower() not in {"true", "false"}):
                expected = "`fieldname=` and a name, `row=` or `col=` and true or false"
                span = Span(_token_span(option).start, _token_span(value).end)
                raise QueryError(f"expected {expected}", self._query, span, expected)
            options[name] = field_of(value, _token_span(value)).name
        row, column = (options[name].lower() == "true" for name in ("row", "col"))
        return AddTotals(tuple(filter(None, fields)), options["fieldname"], row, column, _span(meta))

    def totals_option(self, _meta: Meta, parts: list[Token]) -> tuple[Token, Token]:
        return parts[0], parts[-1]

    def lookup(self, meta: Meta, parts: list[Any]) -> Lookup:
        table, *pairs, output = parts
        return Lookup(str(table), tuple(pairs), output, _span(meta))

    def lookup_pair(self, _meta: Meta, fields: list[Field]) -> tuple[Field, Field]:
        return fields[0], fields[1]

    def lookup_output(self, _meta: Meta, fields: list[Field]) -> tuple[Field, ...]:
        return tuple(fields)

    def number(self, meta: Meta, parts: list[Token]) -> Number:
        value = float(parts[-1])
        if not math.isfinite(value):
            raise QueryError(f"the number {shorten(parts[-1])} is too large", self._query, _span(meta), "a number")
        long = re.fullmatch(r"\d{16,38}", parts[-1])
        return Number(value, _span(meta), whole=int(parts[-1]) if long else None)

    def negative_number(self, meta: Meta, parts: list[Token]) -> Number:
        number = self.number(meta, parts)
        return Number(-number.value, _span(meta), whole=None if number.whole is None else -number.whole)

    def text(self, meta: Meta, parts: list[Token]) -> Text:
        return Text(unquote(parts[0]), _span(meta))

    def period(self, meta: Meta, parts: list[Token]) -> Period:
        found = re.fullmatch(r"(\d+)([A-Za-z]+)", parts[0])
        assert found is not None  # noqa: S101 - the terminal has this shape
        return Period(int(found[1]), found[2].lower(), _span(meta))

    def field(self, meta: Meta, parts: list[Token]) -> Field:
        return field_of(parts[0], _span(meta))

    def _deeper(self, span: Span, *children: Expression) -> int:
        depth = max((child.depth for child in children), default=0) + 1
        if depth > DEEPEST_EXPRESSION:
            problem = f"the expression is nested more than {DEEPEST_EXPRESSION} levels deep"
            raise QueryError(problem, self._query, span, "a simpler expression", "too_large")
        return depth


def text_of(query: str, span: Span) -> str:
    """Return an expression as written, on one line: the name of the column it makes."""
    return " ".join(query[span.start : span.end].split())


def _escape(literal: str) -> str:
    """Quote a literal for RE2, which refuses some of the escapes `re.escape` writes."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", literal)


def _regex(token: str) -> str:
    return token[1:-1].replace("\\/", "/")


def _span(meta: Meta) -> Span:
    return Span(getattr(meta, "start_pos", 0), getattr(meta, "end_pos", 0))


def _token_span(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)
