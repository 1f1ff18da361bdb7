"""A deployment's parameters: all that the template has, so that what samconfig.toml no longer names is reset.

A parameter that `sam deploy` is not given keeps the value that the stack has (SAM sends UsePreviousValue).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.translate import ROOT, load
from release.package import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SAMCONFIG = ROOT / "samconfig.toml"


@dataclass(frozen=True, slots=True)
class Environment:
    """One of samconfig.toml's environments: its stack's name, and the value of each of the template's parameters.

    `given` are those that it names itself; the others have the template's defaults.
    """

    name: str
    stack: str
    parameters: Mapping[str, str]
    given: Collection[str] = ()

    @property
    def jobs(self) -> bool:
        """Whether the large lane runs in jobs."""
        return self.parameters["LargeJobMemoryMB"] != "0"


def environment(name: str) -> Environment:
    """Read an environment of samconfig.toml; raises ReleaseError when it or one of its parameters is none."""
    configured = tomllib.loads(SAMCONFIG.read_text())
    if "deploy" not in configured.get(name, {}):
        raise ReleaseError(f"samconfig.toml has no environment {name!r}.")
    options = configured[name]["deploy"]["parameters"]
    given = dict(each.split("=", 1) for each in options.get("parameter_overrides", []))
    defaults = defaults_of(load())
    if unknown := sorted(set(given) - set(defaults)):
        raise ReleaseError(f"samconfig.toml, {name}: template.yaml has no parameter {', '.join(unknown)}.")
    return Environment(name, options["stack_name"], defaults | given, given.keys())


def defaults_of(template: Mapping[str, Any]) -> dict[str, str]:
    """Return each parameter's default, as CloudFormation takes values: as text."""
    return {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """Return the words that follow `--parameter-overrides`; SAM takes an empty value in quotation marks alone."""
    return [f'{name}="{value}"' for name, value in parameters.items()]
