"""The reader against the oracle: every accepted program has the outcomes that the specification gives it."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from oracle.programs import Program, programs
from reader import read
from tasks.errors import ErrorCode, TaskError
from unit.reader_differential.comparison import disagreement
from unit.reader_differential.handwritten import HANDWRITTEN
from unit.reader_differential.plausible import PLAUSIBLE

# How many generated programs to compare; more find more, at several a second.
EXAMPLES = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "60"))
# A refusal is honest, but a reader that refuses more than this share of legal programs is not much of a reader.
MOST_REFUSED = 0.1
REFUSALS = (ErrorCode.UNSUPPORTED_FEATURE, ErrorCode.CIRCUIT_TOO_LARGE)


@pytest.mark.parametrize(("text", "inputs"), HANDWRITTEN.values(), ids=HANDWRITTEN)
def test_handwritten_programs_mean_what_the_specification_says(text: str, inputs: dict[str, Any] | None) -> None:
    """Each construct alone is accepted and has its own exact outcomes."""
    assert disagreement(read, text, inputs) is None


@pytest.mark.parametrize("text", PLAUSIBLE.values(), ids=PLAUSIBLE)
def test_plausible_programs_mean_what_the_specification_says(text: str) -> None:
    """What people write is accepted and has its exact outcomes."""
    assert disagreement(read, text) is None


def test_generated_programs_mean_what_the_specification_says() -> None:
    """No generated program differs from the oracle, and few are refused."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def compare(program: Program) -> None:
        try:
            wrong = disagreement(read, program.text, program.inputs)
        except TaskError as error:
            if error.code not in REFUSALS:
                raise
            seen[error.message] += 1
        else:
            seen["compared"] += 1
            assert wrong is None, f"{wrong}\n{program.text}{program.inputs}"

    compare()
    assert seen.total() - seen["compared"] <= MOST_REFUSED * seen.total(), seen
