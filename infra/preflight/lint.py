"""cfn-lint on what SAM makes of the template for each set of parameters: what it cannot see in the template itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cfnlint import api
from cfnlint.config import ManualArgs

from local.translate import REGION
from preflight.finding import Finding, in_template
from preflight.stacks import VARIANTS, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md"
# The translation uses parameters up, and repeats variables in functions that have a condition of their own; an empty
# network goes with no jobs.
PASSED_OVER = ["W2001", "W1028", "W1030"]


def check() -> Iterator[Finding]:
    """Yield cfn-lint's errors and warnings, each once."""
    seen = set()
    for parameters in VARIANTS.values():
        config = ManualArgs(regions=[REGION], ignore_checks=PASSED_OVER)
        for match in api.lint(json.dumps(translated(parameters)), config=config):
            keys = [key for key in match.path or [] if isinstance(key, str | int)]
            sentence = f"{match.rule.id}, {match.message}"
            if (tuple(keys), sentence) not in seen:
                seen.add((tuple(keys), sentence))
                yield in_template(*keys, sentence=sentence, page=PAGE)
