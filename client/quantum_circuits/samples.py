"""Counts as single shots, for frameworks that want arrays; needs NumPy, which every framework brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def samples(counts: Mapping[str, int], width: int, seed: Sequence[int]) -> np.ndarray:
    """Return the shots of counts as Booleans, shape (shots, width), bit 0 first.

    Counts have no order. The rows are shuffled, reproducibly by `seed`, so that one half of them is a sample like the
    other. A circuit without bits has `width` 0.
    """
    if not width:
        return np.zeros((sum(counts.values()), 0), dtype=bool)
    keys = [[letter == "1" for letter in reversed(key.replace(" ", ""))] for key in counts]
    rows = np.repeat(np.array(keys, dtype=bool), list(counts.values()), axis=0)
    np.random.default_rng(list(seed)).shuffle(rows, axis=0)
    return rows
