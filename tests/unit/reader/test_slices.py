"""What a range selects, against the specification's definition: a, a + c, a + 2c, and so on, up to b and not beyond."""

from __future__ import annotations

import pytest

from reader import compile_each
from reader.operations import Gate
from tasks.errors import TaskError

SIZE = 3
BOUNDS = [None, *range(-5, 6)]


def selected(text: str) -> list[int] | None:
    """Return the qubits that a range selects of three; None where it is refused for what it selects."""
    try:
        [compiled] = compile_each(f"OPENQASM 3.0; qubit[{SIZE}] q; let a = q[{text}]; x a;", [{}], counted=False)
    except TaskError as error:
        assert "is out of range: there are 3 qubits." in str(error) or str(error) == "This range is empty."  # noqa: PT017 - the rest is in the caller
        return None
    return [gate.qubits[0] for gate in compiled.operations if isinstance(gate, Gate)]


def meant(start: int | None, step: int, stop: int | None) -> list[int] | None:
    """Return what the definition selects; None for nothing, and for a position that there is not."""
    low, high = (0, SIZE - 1) if step > 0 else (SIZE - 1, 0)
    at = low if start is None else start + SIZE * (start < 0)
    end = high if stop is None else stop + SIZE * (stop < 0)
    found = []
    while at <= end if step > 0 else at >= end:
        found.append(at)
        at += step
    return found if found and all(0 <= each < SIZE for each in found) else None


@pytest.mark.parametrize("step", [None, 1, 2, 3, 7, -1, -2, -3, -7])
def test_a_range_selects_what_its_definition_says(step: int | None) -> None:
    """Every start, end and step: nothing is left out in silence, and nothing is counted twice."""
    for start in BOUNDS:
        for stop in BOUNDS:
            if step is not None and stop is None:
                continue  # no range of the grammar
            text = ":".join("" if part is None else str(part) for part in (start, stop))
            if step is not None:
                text = f"{'' if start is None else start}:{step}:{stop}"
            assert selected(text) == meant(start, 1 if step is None else step, stop), text
