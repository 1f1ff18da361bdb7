"""Measured figures: samples under a name and a unit, shown as median and spread."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Figures:
    """Samples by name, in the order in which they came."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, unit: str, *values: float) -> None:
        """Add samples of one figure."""
        self.samples.setdefault(name, []).extend(values)
        self.units[name] = unit

    def merge(self, other: Figures) -> None:
        """Add all samples of another run."""
        for name, values in other.samples.items():
            self.add(name, other.units[name], *values)

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Return {name: {unit, median, low, high, p95, samples}}, `samples` being their number."""
        return {
            name: {
                "unit": self.units[name],
                "median": _round(statistics.median(values)),
                "low": _round(min(values)),
                "high": _round(max(values)),
                "p95": _round(sorted(values)[int(len(values) * 0.95)]),
                "samples": len(values),
            }
            for name, values in self.samples.items()
        }


def _round(value: float) -> float:
    """Keep three significant digits: more would be noise."""
    return float(f"{value:.3g}")


def plain(number: float) -> str:
    """Return a number as the page shows it."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:g}"


def span(figure: Mapping[str, Any]) -> str:
    """Return a figure's median, and its spread if it has one."""
    if figure["low"] == figure["high"]:  # of one sample: no spread to tell
        return plain(figure["median"])
    return f"{plain(figure['median'])} ({plain(figure['low'])} to {plain(figure['high'])})"
