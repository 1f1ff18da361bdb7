"""Sentences for a program's owner: what has no effect here, and what the language allows but is probably a mistake."""

from __future__ import annotations

from reader.errors import position

_MOST = 20
_READABLE = 80  # characters of a division, or of a number


class Notes:
    """The notes on a program, whose `text` says in which line and column they belong."""

    def __init__(self) -> None:
        self.text = ""
        self.sentences: dict[str, None] = {}
        self.divisions: set[int] = set()  # offsets of those that are noted
        self.wrapped: set[int] = set()  # offsets of numbers that did not fit
        self.located: set[tuple[str, int]] = set()  # so that a loop has no line counted in each round

    def add(self, sentence: str, at: int | None = None) -> None:
        """Add a note once; after the most that anybody would read, only one that there are more."""
        if len(self.sentences) >= _MOST:
            self.sentences["There are more notes of this kind."] = None
            return
        if at is not None:
            if (sentence, at) in self.located:
                return
            self.located.add((sentence, at))
            line, column = position(self.text, at)
            sentence = f"Line {line}, column {column}: {sentence}"
        self.sentences[sentence] = None

    def add_division(self, a: int, b: int, quotient: int, at: int) -> None:
        """Say that a division of integers lost its remainder where a fraction may be meant."""
        if at in self.divisions:
            return
        self.divisions.add(at)
        shown = f"{a} / {b} divides integers and gives {quotient}"
        if len(shown) > _READABLE:
            shown = "this divides integers and loses the remainder"
        self.add(f"{shown}; write a number with a point for a fraction, such as 1.0 / 2.", at)

    def add_wrapped(self, shown: str, kind: object, became: int, at: int) -> None:
        """Say that an integer has more bits than its type, once a place."""
        if at in self.wrapped:
            return
        self.wrapped.add(at)
        short = len(shown) <= _READABLE
        lost = f"becomes {became}" if short and len(str(became)) <= _READABLE else "loses its high bits"
        self.add(f"{shown if short else 'This number'} does not fit {kind} and {lost}.", at)
