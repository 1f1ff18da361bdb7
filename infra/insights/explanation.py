"""Says in words what the parser complains of: the place, what was expected and what stands there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from insights.errors import QueryError, Span, shorten

if TYPE_CHECKING:
    from lark import UnexpectedInput

COMMANDS = (
    "fields",
    "display",
    "filter",
    "where",
    "stats",
    "sort",
    "limit",
    "parse",
    "dedup",
    "unnest",
    "addtotals",
    "lookup",
)
COMMANDS_OF_CLOUDWATCH_ONLY = frozenset(
    {
        "accum", "anomaly", "appendcols", "autoregress", "cidrlookup", "countfrequent", "diff", "estimate",
        "expand", "filldown", "fillmissing", "filterindex", "join", "json", "logcompare", "outlier",
        "pattern", "relevantfields", "sessionize", "source", "subqueries", "unmask",
    }
)  # fmt: skip
PARSE_MODES_OF_CLOUDWATCH_ONLY = frozenset({"logfmt", "csv", "xml"})

TERMINALS_IN_WORDS = {
    "$END": "the end of the query",
    "AND": "`and`",
    "ASC": "`asc`",
    "CARET": "`^`",
    "COMMA": "`,`",
    "DESC": "`desc`",
    "LIKE": "`like`",
    "LPAR": "`(`",
    "LSQB": "`[`",
    "NAME": "a field",
    "NOT": "`not`",
    "NUMBER": "a number",
    "OR": "`or`",
    "REGEX": "a /regular expression/",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "STAR": "`*`",
    "STRING": 'a "string"',
    "VBAR": "`|`",
    "TABLE": "a table",
    "_INTO": "`into`",
    "_OUTPUT": "`output`",
    "_AS": "`as`",
    "_BY": "`by`",
    "_IN": "`in`",
}
COMPARISONS = {"EQUAL", "UNEQUAL", "LESS", "LESS_OR_EQUAL", "GREATER", "GREATER_OR_EQUAL", "MATCHES"}
ARITHMETIC = {"PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "CARET"}


def explain(text: str, error: UnexpectedInput) -> NoReturn:
    """Turn the parser's complaint into a sentence with the place, what was expected and what stands there."""
    position: int | None = getattr(error, "pos_in_stream", None)
    start = len(text) if position is None or position < 0 else position
    found = ""
    accepted: set[str] = set()
    if isinstance(error, UnexpectedToken):
        accepted = set(error.accepts or error.expected)
        found = "" if error.token.type == "$END" else str(error.token)
    elif isinstance(error, UnexpectedCharacters):
        accepted = set(error.allowed or ())
        found = _word_at(text, start)
    if not found:
        start = len(text)
    span = Span(start, start + len(found))
    expected = _in_words(accepted)
    previous = _word_before(text, start)
    after = f" after `{shorten(previous)}`" if previous else ""
    elsewhere = _of_cloudwatch_only(found.lower(), previous, accepted)
    if elsewhere:
        problem = f"{elsewhere} runs on CloudWatch only: the local evaluator does not know it"
        raise QueryError(problem, text, span, expected, "not_supported") from None
    got = f"got '{shorten(found)}'" if found else "the query ends"
    closed = _is_closed(found) or start != text.find(found, start)
    raise QueryError(
        f"expected {expected}{after}, {got}{_hint(found, previous, closed=closed)}", text, span, expected
    ) from None


def _of_cloudwatch_only(found: str, previous: str, accepted: set[str]) -> str:
    """Name what CloudWatch knows and this evaluator does not, nothing where the query is wrong anywhere."""
    if accepted and all(name in _COMMAND_TERMINALS for name in accepted):
        return f"the command `{found}`" if found in COMMANDS_OF_CLOUDWATCH_ONLY else ""
    if "REGEX" in accepted and found in PARSE_MODES_OF_CLOUDWATCH_ONLY:
        return f"`parse ... {found}`"
    if found == "multi" and previous.endswith("/"):
        return "`parse ... multi`"
    if (previous.lower() == "in" and found == "(") or (
        previous == "(" and (found in COMMANDS or found in COMMANDS_OF_CLOUDWATCH_ONLY)
    ):
        return "a subquery"
    return ""


def _hint(found: str, previous: str, *, closed: bool) -> str:
    """Say what to write instead, where that is known."""
    if previous == "," and found.lower() in {"", "|", "by"}:
        return " (leave the last comma out)"
    if previous.lower() == "as" and found[:1] in {'"', "'"}:
        return " (a name with blanks stands in backticks)"
    if found[:1] in {'"', "'"} and not closed:
        return " (the string is not closed)"
    return ""


_COMMAND_TERMINALS = {f"_{name.upper()}" for name in COMMANDS}


def _word_at(text: str, start: int) -> str:
    found = re.match(r"[\w@.]+|[\"'`/][^\n]*|[^\s\w]", text[start:])
    return found.group() if found else text[start : start + 1]


def _word_before(text: str, end: int) -> str:
    """Return what stands before a place, to say after what something was expected."""
    found = re.search(r"(?:[@\w.]+|\"[^\"\n]*\"|'[^'\n]*'|\S)(?=\s*$)", text[:end])
    return found.group() if found else ""


def _is_closed(found: str) -> bool:
    return len(found) > 1 and found[0] == found[-1]


def _in_words(accepted: set[str]) -> str:
    """Say what a set of terminals means to the writer of a query."""
    names = set(accepted)
    words = []
    if names & _COMMAND_TERMINALS:
        words.append("a command (" + ", ".join(COMMANDS) + ")")
        names -= _COMMAND_TERMINALS
    if {"NAME", "NUMBER", "STRING"} <= names:
        words.append("a field, a value or a function")
        names -= {"NAME", "NUMBER", "STRING", "PERIOD", "MINUS", "NOT", "BANG", "LPAR", "STAR"}
        names -= {"_BY"}
    if names >= COMPARISONS:
        words.append("an operator")
        names -= COMPARISONS | ARITHMETIC | {"LIKE", "NOT", "_IN", "AND", "OR", "LPAR"}
    elif len(ARITHMETIC & names) > 1:
        words.append("an operator")
        names -= ARITHMETIC | {"AND", "OR", "LPAR"}
    elif {"AND", "OR"} <= names:
        words.append("`and`, `or`")
        names -= {"AND", "OR"}
    names -= {"_ANY", "ACCESS"}
    if "NUMBER" in names:
        names.discard("MINUS")
    words.extend(TERMINALS_IN_WORDS.get(name, f"`{name.lower()}`") for name in sorted(names, key=_position_in_words))
    if not words:
        return "nothing more"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _position_in_words(name: str) -> tuple[int, str]:
    return (1 if name in {"VBAR", "$END"} else 0, name)
