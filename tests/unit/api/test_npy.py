"""Files of NumPy's that the api writes without it, against NumPy's own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npy import npy

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # -0.0 and numbers below the normal ones among them


def saved(array: Any) -> bytes:
    """Return the file that NumPy itself writes."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@given(st.lists(FLOATS, max_size=70))
def test_a_list_of_floats_is_the_file_that_numpy_writes(values: Sequence[float]) -> None:
    """To the byte, header included."""
    assert npy({"type": "probabilities", "values": values}) == saved(np.array(values, float))


@given(st.lists(st.tuples(FLOATS, FLOATS), max_size=70))
def test_a_list_of_complex_numbers_is_the_file_that_numpy_writes(pairs: Sequence[tuple[float, float]]) -> None:
    """To the byte: the signs of zeros in both parts too."""
    expected = np.array([complex(*pair) for pair in pairs], complex)
    assert npy({"type": "statevector", "real": [a for a, _ in pairs], "imag": [b for _, b in pairs]}) == saved(expected)


@given(st.integers(1, 9).flatmap(lambda n: st.lists(st.lists(FLOATS, min_size=n, max_size=n), min_size=n, max_size=n)))
def test_a_matrix_is_the_file_that_numpy_writes(rows: list[list[float]]) -> None:
    """Row by row, with both sides in the shape."""
    matrix = np.array(rows, complex)
    matrix.imag = matrix.real.T
    entry = {"type": "density_matrix", "real": rows, "imag": matrix.imag.tolist()}
    assert npy(entry) == saved(matrix)


@pytest.mark.parametrize("entry", [{"type": "counts"}, {"type": "expectation", "value": 1.0, "standard_error": 0.0}])
def test_what_has_no_array_has_no_file(entry: dict[str, Any]) -> None:
    """Counts and single values are JSON alone."""
    assert npy(entry) is None
