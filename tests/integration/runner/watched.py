"""A process that has children and shows what they can open of it; it imports as little as the handler does."""

from __future__ import annotations

import ast
import os

import confinement
from children import Children


def watched() -> None:
    """Without capabilities, print what a child of this process can open of it, before it has children and then."""
    confinement.drop_capabilities()
    print(_openable(), flush=True)  # noqa: T201
    with Children(1, 800, 30.0, simulate="no_such_module:simulate"):
        print(_openable(), flush=True)  # noqa: T201


def _openable() -> dict[str, bool]:
    here, (reading, writing) = os.getpid(), os.pipe()
    if os.fork() == 0:
        found = {name: os.access(f"/proc/{here}/{name}", os.R_OK) and _opens(here, name) for name in ("environ", "mem")}
        os.write(writing, repr(found).encode())
        os._exit(0)
    os.wait()
    found: dict[str, bool] = ast.literal_eval(os.read(reading, 1_000).decode())
    return found


def _opens(pid: int, name: str) -> bool:
    try:
        with open(f"/proc/{pid}/{name}", "rb"):  # noqa: PTH123
            return True
    except OSError:
        return False
