"""The limits of a worker of a given size."""

from __future__ import annotations

import json

import pytest

from tasks.limits import Limits, cores, state_bytes

MB = 2**20


@pytest.mark.parametrize(
    ("method", "precision", "qubits", "expected"),
    [
        ("statevector", "double", 20, 16 * MB),
        ("statevector", "single", 20, 8 * MB),
        ("density_matrix", "double", 10, 16 * MB),
        ("matrix_product_state", "double", 100, 0),
        ("stabilizer", "double", 1_000, 2_000_000),
    ],
)
def test_a_state_takes_the_bytes_of_its_amplitudes(method: str, precision: str, qubits: int, expected: int) -> None:
    """16 bytes for each of 2^n amplitudes, half in single precision, 4^n for a density matrix."""
    assert expected == state_bytes(method, qubits, precision)


@pytest.mark.parametrize(
    ("memory_mb", "children", "double", "single", "density"),
    [(1_769, 1, 26, 27, 13), (10_240, 6, 29, 30, 14), (512, 1, 23, 24, 11)],
)
def test_the_widest_circuit_follows_from_the_memory(
    memory_mb: int, children: int, double: int, single: int, density: int
) -> None:
    """The small worker holds 26 qubits, the large one 29, one more in single precision and half in a density matrix."""
    limits = Limits(memory_mb, 840.0, children)
    assert (double, single, density) == (
        limits.max_qubits("statevector"),
        limits.max_qubits("statevector", "single"),
        limits.max_qubits("density_matrix"),
    )


def test_children_share_the_memory_and_one_alone_has_it_all() -> None:
    """The shares of all children are what one has alone, and both leave the processes themselves their part."""
    limits = Limits(10_240, 840.0, 6)
    assert 6 * limits.shared_bytes <= limits.alone_bytes < 10_240 * MB
    assert limits.alone_bytes == (10_240 - 256 - 6 * 32) * MB


def test_cores_follow_from_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda gives a vCPU for each 1,769 MB, six at most, Fargate more; the machine's own number is the ceiling."""
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert [cores(size) for size in (128, 1_769, 3_538, 10_240)] == [1, 1, 2, 6]
    assert [cores(size) for size in (30_720, 61_440, 122_880, 249_856)] == [4, 8, 16, 32]
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert cores(10_240) == 2


def test_limits_are_published_as_json() -> None:
    """`GET /limits` shows plain numbers, qubits for each method and precision."""
    shown = json.loads(json.dumps(Limits(1_769, 60.0, 1).as_dict()))
    assert shown["max_shots"] == 100_000
    assert shown["time_limit_s"] == 60.0
    assert shown["max_qubits"]["statevector"] == {"double": 26, "single": 27}
    assert set(shown["max_qubits"]) == {
        "statevector",
        "density_matrix",
        "stabilizer",
        "matrix_product_state",
    }
