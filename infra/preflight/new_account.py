"""A new account's quotas, which no schema has: what the template's defaults and `dev` become there must fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.translate import load
from preflight.finding import Finding, in_code
from preflight.stacks import stack
from release.account import (
    NEW_ACCOUNT_ENVIRONMENTS,
    NEW_ACCOUNT_MEMORY_MB,
    fitted,
    most_environments,
)
from release.parameters import Environment, defaults_of, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
RESERVED = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"


def check() -> Iterator[Finding]:
    """Yield what Lambda would refuse of them in an account of 10 environments and 3,008 MB, or what would not run."""
    defaults = Environment("defaults", "", defaults_of(load()))
    for each in (defaults, environment("dev")):
        parameters = fitted(each, NEW_ACCOUNT_ENVIRONMENTS, free=0).parameters
        resources = stack(parameters)
        for name, resource in resources.items():
            if resource["Type"] == "AWS::Lambda::Function":
                yield from _function(each, name, resource["Properties"])
        if (waits := int(parameters["MaxWaits"])) >= NEW_ACCOUNT_ENVIRONMENTS:
            yield _at(each, "MaxWaits", f"{waits} waits may keep all {NEW_ACCOUNT_ENVIRONMENTS} busy.", PAGE)
    # By default workers wait for each other there, and nothing is refused; `dev` is what is deployed first.
    if (most := most_environments(load(), environment("dev").parameters)) > NEW_ACCOUNT_ENVIRONMENTS:
        sentence = f"{most} environments; a new account has {NEW_ACCOUNT_ENVIRONMENTS}."
        yield _at(environment("dev"), "WorkerMaximumConcurrency", sentence, PAGE)


def _function(each: Environment, name: str, properties: Mapping[str, Any]) -> Iterator[Finding]:
    if reserved := properties.get("ReservedConcurrentExecutions"):
        sentence = f"{reserved} reserved; a new account has too few to reserve any."
        yield _at(each, f"{name}.ReservedConcurrentExecutions", sentence, RESERVED)
    if (memory := int(properties["MemorySize"])) > NEW_ACCOUNT_MEMORY_MB:
        yield _at(each, f"{name}.MemorySize", f"{memory} MB; a new account has {NEW_ACCOUNT_MEMORY_MB}.", PAGE)


def _at(each: Environment, shown: str, sentence: str, page: str) -> Finding:
    """Return a finding in what `make deploy` makes of the defaults, or at the environment in samconfig.toml."""
    if each.given:
        return in_code("samconfig.toml", f"[{each.name}.deploy", shown=shown, sentence=sentence, page=page)
    return in_code("infra/release/account.py", "def fitted(", shown=shown, sentence=sentence, page=page)
