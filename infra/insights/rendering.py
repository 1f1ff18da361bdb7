"""Shows a result to a person or another program: a table with bars for time bins, JSON, or CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from insights.evaluation import Result

BAR_WIDTH = 20
EIGHTHS = " ▏▎▍▌▋▊▉"
LEVELS = "▁▂▃▄▅▆▇█"
NUMBER = re.compile(r"-?\d+(\.\d+)?(E\d+)?")


def as_table(result: Result, widest: int | None = None) -> str:
    """
    Lay a result out in columns, with how many events matched below.

    Where the rows are time bins, a bar beside each shows its first value. `widest` cuts longer values short. A log
    line can hold anything, so control characters are shown, not obeyed.
    """
    columns = list(result.columns)
    cells = [[_shown(row.get(column, ""), widest) for column in columns] for row in result.rows]
    charted = charted_column(result)
    if charted is not None:
        columns.append("")
        values = [_value(row.get(charted)) for row in result.rows]
        cells = [[*row, bar] for row, bar in zip(cells, bars(values), strict=True)]
    titles = [_shown(column, None) for column in columns]
    widths = [max(map(_width, column)) for column in zip(titles, *cells, strict=True)]
    right = [
        bool(column) and any(row.get(column) for row in result.rows)
        and all(NUMBER.fullmatch(row.get(column) or "0") for row in result.rows)
        for column in columns
    ]  # fmt: skip
    lines = [_line(titles, widths, right), "  ".join("-" * width for width in widths).rstrip()]
    lines += [_line(row, widths, right) for row in cells]
    matched, scanned = result.statistics.matched, result.statistics.scanned
    rows = f"{len(result.rows)} row{'' if len(result.rows) == 1 else 's'}"
    lines.append(f"{rows}; {matched} of {scanned} log events matched")
    return "\n".join(lines)


def as_json(result: Result) -> str:
    """Write a result as JSON: `results`, one object for each row, and `statistics`."""
    statistics = {"matched": result.statistics.matched, "scanned": result.statistics.scanned}
    return json.dumps({"results": list(result.rows), "statistics": statistics}, indent=2, ensure_ascii=False)


def as_csv(result: Result) -> str:
    """Write a result as CSV (RFC 4180) with a header line; a missing value is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(result.columns)
    writer.writerows([row.get(column, "") for column in result.columns] for row in result.rows)
    return text.getvalue()


def charted_column(result: Result) -> str | None:
    """Return the column that a chart over time bins is of: the first value that is not itself a group."""
    if result.time_column is None:
        return None
    return next((column for column in result.columns if column not in result.groups), None)


def bars(values: Sequence[float | None]) -> list[str]:
    """Draw a bar for each value, the greatest one full; what is missing or not above zero has none."""
    greatest = max((value for value in values if value is not None), default=0)
    return [_bar(value / greatest) if value is not None and value > 0 else "" for value in values]


def sparkline(values: Sequence[float | None]) -> str:
    """Draw values as one line of blocks from the least to the greatest, a blank for one that is missing."""
    present = [value for value in values if value is not None]
    if not present:
        return " " * len(values)
    least = min(present)
    spread = max(present) - least
    return "".join(
        " " if value is None else LEVELS[round((value - least) / spread * (len(LEVELS) - 1)) if spread else 0]
        for value in values
    )


def _bar(share: float) -> str:
    eighths = max(1, round(share * BAR_WIDTH * 8))
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def _value(text: str | None) -> float | None:
    return float(text) if text and NUMBER.fullmatch(text) else None


def _shown(value: str, widest: int | None) -> str:
    printable = "".join(_printable(character) for character in value)
    return printable if widest is None or len(printable) <= widest else printable[: max(widest - 1, 0)] + "…"


def _printable(character: str) -> str:
    # Control, format (such as a change of writing direction) and line separators would garble the table.
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return character.encode("unicode_escape").decode()
    return character


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = []
    for cell, width, to_the_right in zip(cells, widths, right, strict=True):
        blanks = " " * (width - _width(cell))
        padded.append(blanks + cell if to_the_right else cell + blanks)
    return "  ".join(padded).rstrip()
