"""The attacks of a child that was taken over, in the real image: its Python, its C library, its user."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from image.container import run_to_end

if TYPE_CHECKING:
    from image.buildah import Built

ATTACKS = Path(__file__).resolve().parents[1] / "integration" / "runner"
# What the handler is to the children, with a credential as Lambda gives it. It is process 1, which they know.
HANDLER = """
import json, os, sys, time
sys.path.insert(0, "/lent")
from children import Children
from schedule import Program
from tasks.options import Options
with Children(2, 1769, 30.0, simulate="attacks:simulate") as pair:
    assert pair.wait_until_ready()
    fork_server = open(f"/proc/{pair.pids[0]}/stat").read().rpartition(")")[2].split()[1]
    victims = f"{os.getpid()} {fork_server} {pair.pids[0]} {pair.pids[1]}"
    ((_, outcome),) = pair.run([Program(victims, Options())], deadline=time.monotonic() + 60)
    print(json.dumps({"pids": pair.pids, "uid": os.getuid(), **outcome.payload["execution"]}))
"""


def test_a_child_that_was_taken_over_can_do_nothing(image: Built) -> None:
    """Neither the handler's credentials nor a file, a socket, a program or another process is in its reach."""
    credentials = {"AWS_SECRET_ACCESS_KEY": "of nobody", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}
    printed = json.loads(
        run_to_end(image, ["python3", "-c", HANDLER], credentials, 1_769, lent=ATTACKS).splitlines()[-1]
    )
    own = {f"{what} {pid}" for pid in printed["pids"] for what in ("signal", "signal thread", "limit")}
    done = {name for name, outcome in printed["outcomes"].items() if outcome == "done"}
    assert printed["uid"] == 993
    assert (done - own, printed["outcomes"]["open /proc/1/environ"]) == (set(), "EPERM")
    assert printed["descriptors"] == [0, 1, 2, 3, 4]
