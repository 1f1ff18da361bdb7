"""The resources of each stack that the template makes: their names, their sizes and what their roles allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from preflight import limits, names, roles
from preflight.stacks import VARIANTS, stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from preflight.finding import Finding


def check() -> Iterator[Finding]:
    """Yield what is wrong with the stack that the template makes of each set of parameters, each breach once."""
    seen = set()
    for variant in VARIANTS.values():
        resources = stack(variant)
        for finding in (*names.check(resources), *limits.check(resources), *roles.check(resources)):
            if finding not in seen:
                seen.add(finding)
                yield finding
