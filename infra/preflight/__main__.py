"""`make preflight`: look for what AWS would refuse; print each breach with its place and AWS's page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from preflight import build, calls, limits, lint, names, new_account, rehearsal, roles, signing, workflow
from preflight.stacks import VARIANTS, stack
from release.package import ReleaseError

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
    "new-account": new_account.check,
    "answers": limits.answers,
    "signing": signing.check,
    "workflow": workflow.check,
}
# What takes longer; `build` needs the SAM CLI, the functions' Python, and packages from the index that pip knows.
LONG: Mapping[str, Callable[[], Iterator[Finding]]] = {"lint": lint.check, "calls": calls.check, "build": build.check}


def main() -> int:
    """Print what the named checks find, or all of them; return the exit status."""
    found = 0
    checks = {**CHECKS, **LONG}
    for name in sys.argv[1:] or checks:
        print(f"{name} ...", file=sys.stderr)
        try:
            for finding in checks[name]():
                found += 1
                print(finding)
        except ReleaseError as error:
            print(f"{name} could not be looked at: {error}", file=sys.stderr)
            return 1
    print(f"{found} findings." if found else "Nothing that AWS would refuse was found.")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
