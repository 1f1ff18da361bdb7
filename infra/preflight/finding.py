"""A breach of one of AWS's rules, and the place in the sources to mend it at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import yaml

from local.translate import ROOT, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` and `line` are the place, `property` what is wrong there, `page` where AWS says so."""

    path: str
    line: int
    property: str
    sentence: str
    page: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.property}: {self.sentence}\n    {self.page}"


def in_template(*keys: str | int, sentence: str, page: str, shown: str = "") -> Finding:
    """Return a finding at these keys of template.yaml, or at the deepest of them that it has."""
    node: yaml.Node | None = _template()
    line = 1
    for key in keys:
        for name, value in _children(node):
            if name == key:
                node, line = value, value.start_mark.line + 1
                break
        else:
            break
    return Finding(TEMPLATE.name, line, shown or ".".join(map(str, keys)), sentence, page)


def in_code(path: str, text: str, *, shown: str, sentence: str, page: str) -> Finding:
    """Return a finding at the first line of a file that has this text, at its first line when none has."""
    lines = (ROOT / path).read_text().splitlines()
    line = next((number for number, each in enumerate(lines, 1) if text in each), 1)
    return Finding(path, line, shown, sentence, page)


@cache
def _template() -> yaml.Node | None:
    return yaml.compose(TEMPLATE.read_text(), Loader=yaml.CSafeLoader)


def _children(node: yaml.Node | None) -> Iterator[tuple[str | int, yaml.Node]]:
    match node:
        case yaml.MappingNode():
            for key, value in node.value:
                yield key.value, value
        case yaml.SequenceNode():
            yield from enumerate(node.value)
