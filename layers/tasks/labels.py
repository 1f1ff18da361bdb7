"""A task's name and tags: what its owner calls it by. They mean nothing to the service, and may be hostile text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NAME = 128  # characters
MAX_TAGS = 10  # of one task
MAX_TAG = 64  # characters


def check_name(name: str) -> str:
    """Return a name; raises ValueError unless it has 1 to MAX_NAME characters that print.

    No line ends and other control characters, no marks that turn the direction of writing or cannot be seen, and no
    space at an end: what is read in a list, a log or a terminal is then what was sent.
    """
    return _checked(name, MAX_NAME)


def check_tags(tags: Sequence[str]) -> Sequence[str]:
    """Return tags; raises ValueError unless they are at most MAX_TAGS, as names are, without commas, no two alike."""
    if len(tags) > MAX_TAGS:
        raise ValueError(f"a task has at most {MAX_TAGS} tags")
    if any("," in _checked(tag, MAX_TAG) for tag in tags):
        raise ValueError("a tag must not have a comma")
    if len(set(tags)) < len(tags):
        raise ValueError("the same tag is given twice")
    return tags


def _checked(text: str, most: int) -> str:
    if not 1 <= len(text) <= most:
        raise ValueError(f"it must have 1 to {most} characters")
    if not text.isprintable() or text != text.strip():
        raise ValueError("it must have printable characters only, and no space at either end")
    return text
