"""What MiniStack keeps of one start for the next: all of it from one moment, or what was kept before; room for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from local.ministack import LocalStackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# Kept free on the disk, so that what was acknowledged can be saved when the stack stops: 5,000 tasks take 12 MB.
LEAST_FREE_MB = 64
NEW = "new"  # the folder of a save that is not complete
# Prints the first of the files in its arguments that is not JSON.
FIRST_BROKEN = """
import json, sys
for path in sys.argv[1:]:
    try:
        json.load(open(path))
    except ValueError:
        sys.exit(print(path, end=""))
"""


def save_whole(folder: Path, services: Mapping[str, Callable[[], Any]], save: Callable[[Path, str, Any], None]) -> None:
    """Save every service's state in `folder`; `save` writes one, by its name. Raises OSError when one cannot be saved.

    Then the files are as they were.
    """
    new = folder / NEW
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        for name, state in services.items():
            if (now := state()) is not None:
                save(new, name, now)
        for path in new.iterdir():
            os.replace(path, folder / path.name)  # noqa: PTH105 - the atomic one, by its name
    finally:
        shutil.rmtree(new, ignore_errors=True)


def check(folder: Path) -> None:
    """Raise LocalStackError when what is kept cannot be read whole, or there is no room to keep more."""
    if reason := shortage(folder):
        raise LocalStackError(reason)
    # In a process of its own, which gives back the memory that it takes to read them.
    command = [sys.executable, "-c", FIRST_BROKEN, *map(str, sorted(folder.glob("*.json")))]
    if broken := subprocess.run(command, check=True, capture_output=True, text=True).stdout:
        raise LocalStackError(
            f"{broken} is damaged; remove the folder {folder} to start without the tasks that are kept there."
        )


def shortage(folder: Path) -> str:
    """Return why the disk cannot keep more tasks, empty when it can."""
    free = shutil.disk_usage(folder).free // 2**20
    if free >= LEAST_FREE_MB:
        return ""
    return f"The disk of {folder} has {free} MB left and needs {LEAST_FREE_MB} to keep tasks."
