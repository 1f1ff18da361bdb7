"""Last step of a run: outcomes of many shots become the counts and the memory that the client reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from tasks.errors import ErrorCode, TaskError
from tasks.limits import MAX_RESULT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qiskit import QuantumCircuit

    from reader.operations import Output

Array = np.ndarray[Any, Any]

NUMBER_BYTES = 25  # of JSON at most, for a number of 8 bytes
_WORD = 8  # bytes that sort as one number


class Outcomes(NamedTuple):
    """The outcomes of shots: each row of `rows` has the bits of one, eight a byte; `times` its shots, by default one.

    The bits are in the order of a key: the most significant bit of the last register first, zeros after the last bit.
    An outcome can occur in several rows.
    """

    rows: Array  # uint8, shape (k, bytes)
    times: Array | None  # int64, shape (k,)

    @classmethod
    def of(cls, bits: Array, times: Array | None = None) -> Self:
        """Return the outcomes of bits of shape (width, k), in the order of the registers and their cells."""
        return cls(np.ascontiguousarray(np.packbits(bits[::-1], axis=0).T), times)

    def bits(self, width: int) -> Array:
        """Return the bits as `of` takes them, shape (width, k)."""
        return np.unpackbits(self.rows, axis=1, count=width).T[::-1]

    def distinct(self) -> Outcomes:
        """Return each outcome once, sorted as its key is."""
        numbers = _numbers(self.rows)
        order = np.argsort(numbers, kind="stable")
        if not len(order):
            return Outcomes(self.rows, np.zeros(0, np.int64))
        ranked = numbers[order]
        starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
        times = (
            np.diff(np.append(starts, len(order))) if self.times is None else np.add.reduceat(self.times[order], starts)
        )
        return Outcomes(self.rows[order[starts]], times)

    def shots(self, generator: np.random.Generator) -> Outcomes:
        """Return the shots one by one in a random order, independent of their values."""
        if self.times is None:
            return self
        return Outcomes(np.repeat(self.rows, self.times, axis=0)[generator.permutation(int(self.times.sum()))], None)


def concatenate(parts: Sequence[Outcomes]) -> Outcomes:
    """Return the outcomes of all parts, which are parts of the shots."""
    rows = np.concatenate([part.rows for part in parts])
    if all(part.times is None for part in parts):
        return Outcomes(rows, None)
    times = [np.ones(len(part.rows), np.int64) if part.times is None else part.times for part in parts]
    return Outcomes(rows, np.concatenate(times))


def _numbers(rows: Array) -> Array:
    """Return something to sort for each row."""
    if rows.shape[1] <= _WORD:
        padded = np.zeros((len(rows), _WORD), np.uint8)
        padded[:, _WORD - rows.shape[1] :] = rows
        return padded.view(">u8").ravel().astype(np.uint64)
    return np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").ravel()


def keys(rows: Array, outputs: Sequence[Output]) -> list[str]:
    """Return the rows as keys: the last register first, a space between registers."""
    sizes = [len(output.cells) for output in reversed(outputs)]
    width = sum(sizes)
    length = width + max(0, len(sizes) - 1)
    text = np.full((len(rows), length), ord(" "), np.uint8)
    bits = np.unpackbits(rows, axis=1, count=width)
    bits += ord("0")
    at = 0
    for index, size in enumerate(sizes):
        text[:, at + index : at + index + size] = bits[:, at : at + size]
        at += size
    whole = text.tobytes().decode("ascii")
    return [whole[start : start + length] for start in range(0, len(whole), length)] if length else [""] * len(rows)


def count(distinct: Outcomes, outputs: Sequence[Output]) -> dict[str, int]:
    """Return the counts of distinct outcomes by key, sorted."""
    assert distinct.times is not None  # noqa: S101 - `distinct` has counted
    return dict(zip(keys(distinct.rows, outputs), distinct.times.tolist(), strict=True))


def check_size(shots: int, keys: int, width: int, room: int = MAX_RESULT_BYTES, array_bytes: int = 0) -> int:
    """Return the bytes of an outcome: `shots` lines of memory and `keys` counts of `width` bits, and arrays' numbers.

    Raises TaskError when they are more than `room`: no store could take them, beside what the same sweep has already.
    """
    size = keys * (width + 12) + shots * (width + 3) + array_bytes // 8 * NUMBER_BYTES
    if size > room:
        size += MAX_RESULT_BYTES - room
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"The result takes {size} bytes; the limit is {MAX_RESULT_BYTES} bytes.",
            limit=MAX_RESULT_BYTES,
            actual=size,
            hint="Use fewer shots, measure fewer qubits, or leave memory out.",
        )
    return size


# ------------------------------------------------------------------ of Aer


def _places(circuit: QuantumCircuit) -> list[list[int]]:
    """Return the registers of a key, the first rightmost, each as the places of its bits in Aer's binary outcome."""
    wanted = (circuit.metadata or {}).get("outputs")
    named = {creg.name: creg for creg in circuit.cregs}
    registers = circuit.cregs if wanted is None else [named[name] for name in wanted]
    last = circuit.num_clbits - 1
    return [[last - circuit.find_bit(bit).index for bit in reversed(list(creg))] for creg in reversed(registers)]


def _key(bits: str, places: list[list[int]]) -> str:
    return " ".join("".join(bits[place] for place in register) for register in places)


def keys_of_hexadecimal(values: Iterable[str], circuit: QuantumCircuit) -> Iterator[str]:
    """Yield the keys that show these hexadecimal outcomes: registers with a space between, no hidden bits."""
    width = f"0{circuit.num_clbits}b"
    places = _places(circuit)
    outcomes = (format(int(value, 16), width) for value in values)
    if places and places != [list(range(circuit.num_clbits))]:
        return (_key(bits, places) for bits in outcomes)
    return outcomes


def count_hexadecimal(found: dict[str, int], circuit: QuantumCircuit) -> dict[str, int]:
    """Return the counts under the keys to show, sorted, those that differ only in hidden bits added up."""
    keyed = sorted(zip(keys_of_hexadecimal(found, circuit), found.values(), strict=True))
    counts = dict(keyed)
    if len(counts) < len(keyed):
        counts = dict.fromkeys(counts, 0)
        for key, times in keyed:
            counts[key] += times
    return counts
