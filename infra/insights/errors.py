"""What a query that cannot be answered is answered with: the place in its text and what was expected there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ErrorCode = Literal["malformed_query", "not_supported", "too_large"]

LONGEST_EXCERPT = 40


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the query's text: offsets from 0, end exclusive."""

    start: int
    end: int


class QueryError(Exception):
    """
    The query is malformed, or asks for something this evaluator does not know.

    `line` and `column` count from 1, `excerpt` is the offending text (empty at the end of the query) and `expected`
    says what would have been accepted there, in words (empty when nothing would have been). `code` tells a query that
    is wrong anywhere (`malformed_query`) from one that only this evaluator cannot answer: CloudWatch knows more
    (`not_supported`), and has more room (`too_large`).
    """

    def __init__(
        self, problem: str, query: str, span: Span, expected: str = "", code: ErrorCode = "malformed_query"
    ) -> None:
        start = min(span.start, len(query))
        self.line = query.count("\n", 0, start) + 1
        self.column = start - (query.rfind("\n", 0, start) + 1) + 1
        self.excerpt = shorten(query[start : span.end])
        self.expected = expected
        self.problem = problem
        self.code = code
        super().__init__(f"line {self.line}, column {self.column}: {problem}")


def shorten(text: str) -> str:
    """Return `text` on one line and short enough to quote in a message."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_EXCERPT else flat[: LONGEST_EXCERPT - 3] + "..."
