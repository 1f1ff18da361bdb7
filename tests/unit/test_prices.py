"""The price tables' own arithmetic: the service's and the benchmark's."""

import sys
from pathlib import Path

import pytest

from tasks.bill import lambda_dollars

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import prices


def test_a_gigabyte_second_is_priced_by_architecture() -> None:
    """One second of 1,024 MB costs the table's price, and 500 ms of 2,048 MB the same."""
    assert lambda_dollars(1, 1024) == pytest.approx(0.0000166667)
    assert lambda_dollars(0.5, 2048, "arm64") == pytest.approx(0.0000133334)


def test_braket_bills_three_seconds_at_least() -> None:
    """A millisecond on SV1 costs as much as three seconds; a minute costs the price of a minute."""
    assert prices.braket_sv1_dollars(0.001) == pytest.approx(0.00375)
    assert prices.braket_sv1_dollars(60) == pytest.approx(0.075)
