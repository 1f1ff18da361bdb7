"""`make preflight`: look for what AWS would refuse; print each breach with its place and AWS's page."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from release.package import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each is imported when it is asked for: cfn-lint alone takes a second.
CHECKS: Mapping[str, str] = {
    "stacks": "resources:check",
    "deployment": "rehearsal:check",
    "new-account": "new_account:check",
    "answers": "limits:answers",
    "signing": "signing:check",
    "workflow": "workflow:check",
}
# What takes longer; `build` needs the SAM CLI, the functions' Python, and packages from the index that pip knows.
LONG: Mapping[str, str] = {"lint": "lint:check", "calls": "calls:check", "build": "build:check"}


def main() -> int:
    """Print what the named checks find, or all of them; return the exit status."""
    found = 0
    checks = {**CHECKS, **LONG}
    for name in sys.argv[1:] or checks:
        print(f"{name} ...", file=sys.stderr)
        try:
            module, _, check = checks[name].partition(":")
            for finding in getattr(import_module(f"preflight.{module}"), check)():
                found += 1
                print(finding)
        except ReleaseError as error:
            print(f"{name} could not be looked at: {error}", file=sys.stderr)
            return 1
    print(f"{found} findings." if found else "Nothing that AWS would refuse was found.")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
