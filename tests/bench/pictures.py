"""Pictures of the results, as SVG: tasks a second, and what a million of them cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from figures import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The PostgreSQL queue of the older designs, on two cores: the best of its range. Measured before this system was built.
OLDER = {"completed/s": 108, "CPU ms a task": 18}
COLORS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb")


def throughput(report: Mapping[str, Any]) -> str:
    """Return a picture of tasks completed a second, by kind of load, with the older design's."""
    figures = report["figures"]["end to end"]
    rows = [
        (name.removesuffix(": completed/s"), [("tasks completed a second", figure["median"])])
        for name, figure in figures.items()
        if name.endswith(": completed/s")
    ]
    rows.append(("older design, single posts, at best", [("older", float(OLDER["completed/s"]))]))
    machine = report["machine"]
    return bars(f"Tasks completed a second, local stack, {machine['cores']} cores", rows)


def cost_picture(report: Mapping[str, Any]) -> str:
    """Return a picture of what a million tasks cost, by item."""
    rows = report["cost"]["per million tasks"]
    items = list(next(iter(rows.values()))["items"])
    largest = sorted(items, key=lambda item: -max(row["items"][item] for row in rows.values()))[: len(COLORS) - 1]
    parts = [
        (
            name,
            [(item, row["items"][item]) for item in largest]
            + [("the rest", sum(value for item, value in row["items"].items() if item not in largest))],
        )
        for name, row in rows.items()
    ]
    return bars("Dollars per million tasks", parts)


def bars(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> str:
    """Return stacked bars as SVG, readable on light and dark pages."""
    left, width, height, top = 300, 400, 26, 34
    most = max(sum(value for _, value in parts) for _, parts in rows)
    named = [name for name, _ in rows[0][1]] if len(rows[0][1]) > 1 else []
    total = top + height * len(rows) + (22 * ((len(named) + 2) // 3) + 12 if named else 8)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {total}" font-family="sans-serif" font-size="13">',
        "<style>text { fill: #24292f } @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }</style>",
        f'<text x="8" y="20" font-size="15" font-weight="bold">{title}</text>',
    ]
    for index, (name, parts) in enumerate(rows):
        y = top + index * height
        out.append(f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{name}</text>')
        x = float(left)
        for number, (_, value) in enumerate(parts):
            color = COLORS[number] if len(parts) > 1 or parts[0][0] != "older" else COLORS[-1]
            length = value / most * width
            out.append(f'<rect x="{x:.1f}" y="{y + 3}" width="{length:.1f}" height="18" fill="{color}"/>')
            x += length
        out.append(f'<text x="{x + 6:.1f}" y="{y + 16}">{plain(round(sum(value for _, value in parts), 1))}</text>')
    for number, name in enumerate(named):
        x, y = 20 + 250 * (number % 3), top + height * len(rows) + 14 + 22 * (number // 3)
        out.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{COLORS[number]}"/>')
        out.append(f'<text x="{x + 18}" y="{y}">{name}</text>')
    return "\n".join([*out, "</svg>", ""])
