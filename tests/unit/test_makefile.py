"""What `make` refuses before it makes an environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("target", "variable"),
    [("purge", "OWNER"), ("recount", "OWNER"), ("corpus", "DIR"), ("deploy", "ENV"), ("smoke", "URL")],
)
def test_a_variable_that_is_missing_is_named(target: str, variable: str) -> None:
    """A target without the variable that it needs ends at once, and says how to set it."""
    # Not as a part of the `make test` that runs this.
    environment = {
        name: value for name, value in os.environ.items() if name != variable and not name.startswith("MAKE")
    }
    done = subprocess.run(["make", target], cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    expected = f"{variable} is missing: make {target} {variable}=... (`make help` describes it)."
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (2, "", expected)
