"""The story in functions/README.md: the files that one POST really runs through, in order, and no others."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_events import task_record
from test_api import call, submit
from test_worker import work

import fork_server
import simulator
from admission import Budget
from simulated_aws import BELL
from tasks import bounds
from tasks.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from children import Children
    from simulated_aws import Aws

ROOT = Path(__file__).resolve().parents[2]
OURS = (f"{ROOT}/functions/", f"{ROOT}/layers/")


def files_run(action: Callable[[], object]) -> list[str]:
    """Return our files of which a function runs in this process meanwhile, in the order in which they are come to."""
    found: dict[str, None] = {}

    def note(frame: Any, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            found.setdefault(frame.f_code.co_filename.removeprefix(f"{ROOT}/"))

    before = sys.getprofile()
    threading.setprofile(note)  # the worker's other threads
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return list(found)


def test_one_post_runs_through_the_files_of_the_story(
    in_moto: Aws, child: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In warm processes: submitted, run by the worker and in a child, read. Each part lists what is new in it."""
    monkeypatch.setattr(bounds, "time", lambda: 1.0)  # the key's row is read with the first POST, and not again

    def simulate() -> None:
        """Do what a child does with the program."""
        budget = Budget.from_dict(Budget.alone(Limits(1769, 30)).as_dict())
        assert "completed" in fork_server._answer(simulator.simulate, {"qc": BELL, "options": {}}, budget)  # noqa: SLF001 - its process cannot be traced

    first, second = submit(), submit()
    work(in_moto, [task_record(first)], child)
    call("GET", f"/tasks/{first}")
    simulate()
    parts = [
        files_run(submit),
        files_run(lambda: work(in_moto, [task_record(second)], child)),
        files_run(simulate),
        files_run(lambda: call("GET", f"/tasks/{second}")),
    ]
    story = (ROOT / "functions" / "README.md").read_text().partition("\n# Modules of the api")[0]
    listed = [re.findall(r"^\| \d+ \| \**`(.+?)`", table, re.MULTILINE) for table in story.split("|---|---|---|")[1:]]
    seen: set[str] = set()
    for ran, rows in zip(parts, listed, strict=True):
        assert set(rows) == set(ran) - seen
        seen |= set(rows)
    assert listed[0] == parts[0]  # in order; what the worker's threads do has none
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", story, re.MULTILINE)] == [*range(1, len(seen) + 1)]
    bold = re.findall(r"^\| \d+ \| \*\*`", story, re.MULTILINE)
    stated = re.search(r"the (\d+) files\sin bold.* All (\d+) run .* (\d+) of them before the POST", story, re.DOTALL)
    assert stated
    assert stated.groups() == (str(len(bold)), str(len(seen)), str(len(listed[0])))
    assert max(1 + len(bold), len(listed[0])) <= 20  # with template.yaml
