"""
The queries an operator asks again and again, one in each file of `infra/queries`.

A file's first comment says what it answers; `{{name}}` in it is a parameter, as in an AWS::Logs::QueryDefinition.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_QueryParameter.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

QUERIES = Path(__file__).parents[1] / "queries"
PARAMETER = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}")


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A saved query: its name, what it answers, and its text with the parameters in it."""

    name: str
    purpose: str
    text: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters, in the order they occur."""
        return tuple(dict.fromkeys(PARAMETER.findall(self.text)))

    def fill(self, **values: str) -> str:
        """
        Return the query with its parameters filled in. Each stands inside a quoted string, and cannot end it.

        Raises KeyError for a parameter without a value.
        """
        return PARAMETER.sub(lambda found: re.sub(r'(["\\])', r"\\\1", values[found[1]]), self.text)


def saved_queries(directory: Path = QUERIES) -> dict[str, SavedQuery]:
    """Read the saved queries by name."""
    queries = {}
    for path in sorted(directory.glob("*.insights")):
        text = path.read_text("utf-8")
        queries[path.stem] = SavedQuery(path.stem, text.splitlines()[0].removeprefix("#").strip(), text)
    return queries
