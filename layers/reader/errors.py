"""Where in the text an error is: turns a character offset into line, column and an excerpt with a caret."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NoReturn

from tasks.errors import ErrorCode, TaskError

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH = 80  # characters of the offending line to show around the column


class SourceError(Exception):
    """A failure at a character offset of the program; `locate` turns it into the contract's error."""

    def __init__(  # noqa: PLR0913 - the fields of the contract's error object
        self,
        code: ErrorCode,
        message: str,
        at: int,
        *,
        hint: str | None = None,
        limit: float | None = None,
        actual: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at
        self.hint = hint
        self.limit = limit
        self.actual = actual


class ValueFault(SourceError):  # noqa: N818 - as `SourceError` it is one, named for what it is
    """A mistake of a value, not of the text: a division by zero, an index out of range."""


def fault(message: str, at: int, hint: str | None = None) -> NoReturn:
    """Refuse what a value makes meaningless; where only some measured values do, the others still count."""
    raise ValueFault(ErrorCode.INVALID_CIRCUIT, message, at, hint=hint)


def invalid(message: str, at: int, hint: str | None = None) -> NoReturn:
    """Refuse the program: it breaks a rule of the language at this offset."""
    raise SourceError(ErrorCode.INVALID_CIRCUIT, message, at, hint=hint)


def unsupported(message: str, at: int, hint: str | None = None) -> NoReturn:
    """Refuse the program: legal OpenQASM that a simulator cannot run."""
    raise SourceError(ErrorCode.UNSUPPORTED_FEATURE, message, at, hint=hint)


def too_large(message: str, at: int, limit: float, actual: float, hint: str | None = None) -> NoReturn:
    """Refuse the program: it is over a limit of `reader.limits`."""
    raise SourceError(ErrorCode.CIRCUIT_TOO_LARGE, message, at, limit=limit, actual=actual, hint=hint)


def position(text: str, at: int) -> tuple[int, int]:
    """Return line and column, both from 1; CRLF, LF and CR each end a line."""
    before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def excerpt(text: str, at: int) -> str:
    """Return the line of the offset, cut to 80 characters around it, and a line with a caret below the offset."""
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    ends = [end for end in (text.find("\n", at), text.find("\r", at)) if end >= 0]
    end = min(ends, default=len(text))
    first = max(start, at - _WIDTH // 2)
    last = min(end, first + _WIDTH)
    shown = "".join(_visible(character) for character in text[first:last])
    return f"{shown}\n{' ' * (at - first)}^"


def _visible(character: str) -> str:
    if character == "\t":
        return " "
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in {"Cc", "Cs", "Cf"} else character


def locate(error: SourceError, text: str) -> TaskError:
    """Return the contract's error for this failure in this text."""
    at = min(max(error.at, 0), len(text))
    line, column = position(text, at)
    return TaskError(
        error.code,
        error.message,
        line=line,
        column=column,
        limit=error.limit,
        actual=error.actual,
        hint=error.hint,
        excerpt=excerpt(text, at),
    )


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return `Did you mean cx?` for a name close to a known one, else None."""
    import difflib  # noqa: PLC0415 - only an erring program pays for it

    names = list(known)[:2000]
    close = [each for each in names if each.lower() == name.lower()]  # `H` for `h`, which difflib calls unlike
    close = close or difflib.get_close_matches(name[:64], names, n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else None


def quote(text: str) -> str:
    """Return a piece of the program fit for a sentence: printable and at most 40 characters."""
    cut = text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - a sentence stays readable
    return "'" + "".join(_visible(character) for character in cut) + "'"
