"""Writes the numbers of a result as a NumPy file, without NumPy, which the api does not have.

The format is version 1.0 of numpy.lib.format: a magic, the length of a header, the header, which ends at a multiple of
64 bytes, and the numbers row by row.
"""

from __future__ import annotations

import sys
from array import array
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC = b"\x93NUMPY\x01\x00"
_ORDER = "<" if sys.byteorder == "little" else ">"


def npy(entry: Mapping[str, Any]) -> bytes | None:
    """Return the file of an entry of `results`, float64 or complex128 as in its shape; None where it has no array."""
    if "values" in entry:
        numbers = array("d", entry["values"])
        return _file("f8", (len(numbers),), numbers)
    if "real" not in entry:
        return None
    real, shape = _flat(entry["real"])
    imag, _ = _flat(entry["imag"])
    numbers = array("d", bytes(2 * 8 * len(real)))
    numbers[0::2], numbers[1::2] = real, imag
    return _file("c16", shape, numbers)


def _flat(rows: list[Any]) -> tuple[array[float], tuple[int, ...]]:
    """Return the numbers of a list or a list of lists one after another, and its shape."""
    if rows and isinstance(rows[0], list):
        return array("d", chain.from_iterable(rows)), (len(rows), len(rows[0]))
    return array("d", rows), (len(rows),)


def _file(kind: str, shape: tuple[int, ...], numbers: array[float]) -> bytes:
    header = f"{{'descr': '{_ORDER}{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    length = -(-(len(_MAGIC) + 2 + len(header) + 1) // 64) * 64 - len(_MAGIC) - 2
    return _MAGIC + length.to_bytes(2, "little") + header.ljust(length - 1) + b"\n" + numbers.tobytes()
