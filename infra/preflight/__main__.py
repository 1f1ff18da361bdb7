"""`make preflight`: look for what AWS would refuse; print each breach with its place and AWS's page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from preflight import calls, limits, names, rehearsal, roles, signing, workflow
from preflight.stacks import VARIANTS, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from preflight.finding import Finding


def stacks() -> Iterator[Finding]:
    """Yield what is wrong with the stack that the template makes of each set of parameters, each breach once."""
    seen = set()
    for variant in VARIANTS.values():
        resources = stack(variant)
        for finding in (*names.check(resources), *limits.check(resources), *roles.check(resources)):
            if finding not in seen:
                seen.add(finding)
                yield finding


CHECKS: Mapping[str, Callable[[], Iterator[Finding]]] = {
    "stacks": stacks,
    "deployment": rehearsal.check,
    "answers": limits.answers,
    "signing": signing.check,
    "workflow": workflow.check,
}
# What takes longer.
LONG: Mapping[str, Callable[[], Iterator[Finding]]] = {"calls": calls.check}


def main() -> int:
    """Print what the named checks find, or all of them; return the exit status."""
    found = 0
    for name in sys.argv[1:] or [*CHECKS, *LONG]:
        print(f"{name} ...", file=sys.stderr)
        for finding in (CHECKS | LONG)[name]():  # type: ignore[operator]  # both are dictionaries
            found += 1
            print(finding)
    print(f"{found} findings." if found else "Nothing that AWS would refuse was found.")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
