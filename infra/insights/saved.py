"""
The queries an operator asks again and again: the template's AWS::Logs::QueryDefinitions, under the same names here.

A query's first line is a comment that says what it answers; `{{name}}` in it is one of its parameters.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_QueryParameter.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def saved_queries(template: Mapping[str, Any]) -> dict[str, SavedQuery]:
    """Return a template's saved queries by name, without the folder that is the stack's."""
    queries = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Logs::QueryDefinition":
            name = resource["Properties"]["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}/")
            text = resource["Properties"]["QueryString"]
            queries[name] = SavedQuery(name, text.splitlines()[0].removeprefix("#").strip(), text)
    return queries
