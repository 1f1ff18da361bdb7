"""Reading a function's lines into events."""

from __future__ import annotations

import pytest

from insights import Event, read_lines


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("2026-11-21 00:00:01,250+0000", 1_795_219_201_250),
        ("2026-11-21T00:00:01.250Z", 1_795_219_201_250),
        ("2026-11-21T02:00:01.250123+02:00", 1_795_219_201_250),
        ("2026-11-21T00:00:01.2", 1_795_219_201_200),
        ("2026-11-21T00:00:01", 1_795_219_201_000),
    ],
)
def test_line_tells_its_time(written: str, milliseconds: int) -> None:
    """The timestamp of a JSON line is read in Powertools' form and in ISO 8601."""
    line = f'{{"level": "INFO", "timestamp": "{written}"}}'
    assert [Event(milliseconds, line, "s", "g")] == list(read_lines([line + "\n"], "g", "s"))


def test_line_without_a_time_follows_the_one_before() -> None:
    """A line without a time, or with one that cannot be, happens when the line before it did; blank lines are none."""
    lines = ["START", '{"timestamp": "2026-11-21T00:00:00Z"}', "", "REPORT", '{"timestamp": "2026-13-41T00:00:00Z"}']
    times = [event.timestamp_ms for event in read_lines(lines, "g", "s", start_ms=5)]
    assert times == [5, 1_795_219_200_000, 1_795_219_200_000, 1_795_219_200_000]
