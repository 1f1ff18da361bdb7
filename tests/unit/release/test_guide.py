"""infra/README.md: the parameters, targets, checks and figures that it names are those that there are."""

from __future__ import annotations

import re
import sys

from local.translate import ROOT, load
from preflight.__main__ import CHECKS, LONG
from release.parameters import environment

sys.path.insert(0, str(ROOT / "tests" / "bench"))

import cost

GUIDE = (ROOT / "infra" / "README.md").read_text()


def test_its_parameters_are_the_templates() -> None:
    """Each name before an equals sign in code, and each in code that looks like one."""
    named = set(re.findall(r"`([A-Z]\w+)=", GUIDE)) | set(re.findall(r"`((?:Large|Kms|Warm)\w+)`", GUIDE))
    assert named - set(load()["Parameters"]) - {"LOCALSTACK_AUTH_TOKEN", "STACK"} == set()
    values = re.findall(r"`([A-Z]\w+)=([\w.-]+)`", GUIDE)
    allowed = {name: each.get("AllowedValues") for name, each in load()["Parameters"].items()}
    assert [pair for pair in values if allowed[pair[0]] and pair[1] not in map(str, allowed[pair[0]])] == []


def test_its_targets_are_the_makefiles() -> None:
    """Each `make` in code, in a block or in a sentence."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    blocks = re.compile(r"```.*?```", re.DOTALL)
    code = [*blocks.findall(GUIDE), *re.findall(r"`[^`]+`", blocks.sub("", GUIDE))]
    assert set(re.findall(r"make ([a-z-]+)", " ".join(code))) <= targets


def test_its_checks_are_all_that_preflight_does() -> None:
    """The table's first column."""
    table = GUIDE.split("| check |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([\w-]+)`(?=[^|]*\| )", table)) & (set(CHECKS) | set(LONG)) == set(CHECKS) | set(LONG)


def test_its_costs_are_the_models() -> None:
    """An idle month, its parts, and what the two parameters add; README has the sum too."""
    month, prod = cost.idle(), cost.idle(environment("prod").parameters)
    total = f"{sum(month.values()):.2f} US dollars a month"
    assert f"**Idle cost** is {total}" in GUIDE
    assert f"A stack costs {total}" in (ROOT / "README.md").read_text()
    sweeper = month["sweeper"] + month["schedule"]
    parts = (
        f"alarms {month['alarms']:.2f}, polling three queues {month['SQS polling']:.2f}, a secret {month['secret']:.2f}"
    )
    assert parts in GUIDE
    assert f"sweeper\n  {sweeper:.2f}" in GUIDE
    assert f"for {prod['snapshot of the api']:.2f} a month; `ShowDashboard=yes` costs {prod['dashboard']:.2f}" in GUIDE
