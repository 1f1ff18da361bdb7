"""The one module that uses Stim: it samples Clifford circuits with Pauli noise, thousands of shots in a millisecond.

A Stim circuit has Clifford gates, measurements with a chance of the wrong bit, resets, Pauli channels, and Pauli gates
that a measurement record controls. `translate` accepts the programs that fit into one: a condition may be an exclusive
or of measured bits, and the operations that it guards may be stores and Paulis without noise. Classical bits that no
gate depends on may be any expression: they are computed from the samples.

Stim's samples for a seed depend on its version, the width of its vectors and the number of shots of one call.
All builds of 1.16.0 (`_stim_sse2` on x86-64, `_stim_polyfill` elsewhere) give the same, which a test checks, and the
shots of one call depend on the circuit alone. There is no wheel for Linux on arm64: there AVAILABLE is false.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from counts import Outcomes, concatenate
from logic_arrays import folded
from reader.operations import NO_FLIPS, Barrier, Channel, Gate, If, Measure, Node, Reset, Store, While

try:
    import stim
except ImportError:
    AVAILABLE = False
    VERSION = ""
else:
    AVAILABLE = True
    VERSION = stim.__version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reader.operations import AnyUnitary, Bit, Compiled, Operation
    from tasks.observables import PauliSum

Array = np.ndarray[Any, Any]

NAME = "stim"

_TOLERANCE = 1e-12  # radians
_LONGEST = 1_000  # measured bits in an exclusive or that controls a gate
_BYTES = 2**25  # of the samples dealt with at a time
_LEAST, _MOST = 256, 2**16  # shots of one call

_NAMED = {
    "id": ("I",),
    "x": ("X",),
    "y": ("Y",),
    "z": ("Z",),
    "h": ("H",),
    "s": ("S",),
    "sdg": ("S_DAG",),
    "sx": ("SQRT_X",),
    "sxdg": ("SQRT_X_DAG",),
    "cx": ("CX",),
    "cy": ("CY",),
    "cz": ("CZ",),
    "swap": ("SWAP",),
}
# Powers of a quarter turn about an axis.
_TURNS = {
    "p": ("I", "S", "Z", "S_DAG"),
    "rz": ("I", "S", "Z", "S_DAG"),
    "rx": ("I", "SQRT_X", "X", "SQRT_X_DAG"),
    "ry": ("I", "SQRT_Y", "Y", "SQRT_Y_DAG"),
    "rxx": ("II", "SQRT_XX", "XX", "SQRT_XX_DAG"),
    "ryy": ("II", "SQRT_YY", "YY", "SQRT_YY_DAG"),
    "rzz": ("II", "SQRT_ZZ", "ZZ", "SQRT_ZZ_DAG"),
}
_PAULIS = {"I": "", "X": "CX", "Y": "CY", "Z": "CZ"}


class Unfit(Exception):  # noqa: N818 - not an error: another engine takes the program
    """A Stim circuit cannot express this."""


def quarters(angle: object) -> int:
    """Return an angle in quarter turns, 0 to 3; raises Unfit for any other."""
    if not isinstance(angle, (int, float)):
        raise Unfit
    turns = round(angle / (math.pi / 2))
    if abs(angle - turns * (math.pi / 2)) > _TOLERANCE * max(1.0, abs(turns)):
        raise Unfit
    return turns % 4


def clifford(gate: AnyUnitary) -> list[tuple[str, tuple[int, ...]]]:  # noqa: PLR0911 - one for each kind
    """Return a gate as Stim's gates and their qubits, up to a global phase; raises Unfit if it is no Clifford gate."""
    if not isinstance(gate, Gate):
        raise Unfit
    name, qubits = gate.name, gate.qubits
    if name in _NAMED:
        return [(_NAMED[name][0], qubits)]
    if name in _TURNS:
        return _turn(name, quarters(gate.parameters[0]), qubits)
    if name == "u":
        return _u(gate)
    if name == "cp":
        half = quarters(gate.parameters[0])
        if half % 2:
            raise Unfit
        return [("CZ", qubits)] if half else []
    if name == "rzx":
        turn = _turn("rzz", quarters(gate.parameters[0]), qubits)
        return [("H", qubits[1:]), *turn, ("H", qubits[1:])]
    if name == "ecr":
        # ecr = x(0) sqrt_zx up to phase: a quarter turn about ZX between, then a flip of the first.
        return [("H", qubits[1:]), ("SQRT_ZZ", qubits), ("H", qubits[1:]), ("X", qubits[:1])]
    if name == "gphase":
        return []
    raise Unfit


def _turn(name: str, turns: int, qubits: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    which = _TURNS[name][turns]
    if len(qubits) == 1 or which.startswith("SQRT"):
        return [(which, qubits)]
    return [(letter, (qubit,)) for letter, qubit in zip(which, qubits, strict=True)]


def _u(gate: Gate) -> list[tuple[str, tuple[int, ...]]]:
    """Return u(theta, phi, lam), which is rz(phi) ry(theta) rz(lam): with theta 0 or pi one turn about z is left."""
    theta, phi, lam = gate.parameters
    middle = quarters(theta)
    qubits = gate.qubits
    if middle == 0:
        return [(_TURNS["rz"][quarters(phi + lam)], qubits)]
    if middle == 2:  # noqa: PLR2004 - half a turn
        return [("Y", qubits), (_TURNS["rz"][quarters(phi - lam)], qubits)]
    first, last = quarters(lam), quarters(phi)
    return [(_TURNS["rz"][first], qubits), (_TURNS["ry"][middle], qubits), (_TURNS["rz"][last], qubits)]


def _gate(gate: AnyUnitary) -> list[str]:
    """Return the lines of a gate; raises Unfit if it is no Clifford gate."""
    return [f"{name} {' '.join(map(str, qubits))}" for name, qubits in clifford(gate)]


def _error(channel: Channel) -> list[str]:
    """Return the lines of an error of Paulis; raises Unfit for any other."""
    error, qubits = channel
    if not error.paulis:
        raise Unfit
    terms = error.terms
    chances = [chance for chance, _ in terms]
    kinds = 4 ** len(qubits)
    if len(qubits) <= 2 and len(terms) == kinds - 1 and max(chances) - min(chances) < _TOLERANCE:  # noqa: PLR2004 - what Stim has
        total = math.fsum(chances)
        if total <= 1 - 1 / kinds + _TOLERANCE:
            total = min(total, 1 - 1 / kinds)
            return [f"DEPOLARIZE{len(qubits)}({total!r}) {' '.join(map(str, qubits))}"]
    lines = []
    name, left = "E", 1.0
    for chance, (step,) in terms:
        product = " ".join(f"{letter}{qubits[place]}" for place, letter in zip(step.places, step.data, strict=True))
        # Each is drawn where none before it was.
        lines.append(f"{name}({min(1.0, chance / left)!r}) {product}")
        name, left = "ELSE_CORRELATED_ERROR", max(left - chance, 1e-300)
    return lines


class Affine(NamedTuple):
    """An exclusive or of measurement records, possibly negated."""

    records: frozenset[int]
    negated: bool


class Sampler(NamedTuple):
    """A program as a Stim circuit, and how its cells follow from the measurement records.

    Each of `steps` makes a value out of earlier ones: ("rec", index, 0), ("const", bit, 0), ("!", a, 0) or an operator
    of two. `outputs` are the values of the cells in the counts, in order.
    """

    text: str
    measurements: int
    steps: list[tuple[str, int, int]]
    outputs: list[int]
    lines: int
    flips: list[tuple[float, float]] | None  # of each record: chances of 0 read as 1 and 1 as 0 that Stim cannot draw


class _Translation:
    """The running state of `translate`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.measured = 0
        self.steps: list[tuple[str, int, int]] = [("const", 0, 0), ("const", 1, 0)]
        self.affine: list[Affine | None] = [Affine(frozenset(), negated=False), Affine(frozenset(), negated=True)]
        self.cells: dict[int, int] = {}
        self.flips: list[tuple[float, float]] = []
        self.known: dict[int, list[str]] = {}  # the lines of gates and errors, by identity: the program has them

    def value(self, step: tuple[str, int, int], affine: Affine | None) -> int:
        """Add a value and return its number."""
        self.steps.append(step)
        self.affine.append(affine)
        return len(self.steps) - 1

    def combine(self, op: str, a: int, b: int = 0) -> int:
        """Return the value of an operator."""
        left, right = self.affine[a], self.affine[b]
        affine = None
        if op == "!" and left is not None:
            affine = Affine(left.records, not left.negated)
        elif op == "^" and left is not None and right is not None:
            records = left.records ^ right.records
            affine = Affine(records, left.negated != right.negated) if len(records) <= _LONGEST else None
        return self.value((op, a, b), affine)

    def expression(self, bit: Bit) -> int:
        """Return the value of a Boolean expression over cells."""
        return folded(bit, lambda cell: self.cells.get(cell, 0), self.combine) if isinstance(bit, Node) else int(bit)

    def over(self, operations: Iterable[Operation]) -> None:
        """Translate operations that always run."""
        known = self.known
        for operation in operations:
            if id(operation) in known:
                self.lines += known[id(operation)]
            elif isinstance(operation, Measure):
                self.measure(operation)
            elif isinstance(operation, Reset):
                self.lines.append(f"R {operation.qubit}")
            elif isinstance(operation, Store):
                self.cells[operation.cell] = self.expression(operation.value)
            elif isinstance(operation, If):
                condition = self.expression(operation.condition)
                self.under(operation.then, condition)
                if operation.otherwise:
                    self.under(operation.otherwise, self.combine("!", condition))
            elif isinstance(operation, While):
                raise Unfit
            elif not isinstance(operation, Barrier):
                # What repeats is one object as a rule.
                lines = _error(operation) if isinstance(operation, Channel) else _gate(operation)
                known[id(operation)] = lines
                self.lines += lines

    def measure(self, operation: Measure) -> None:
        """Translate a measurement."""
        zero_as_one, one_as_zero = operation.flips
        even = zero_as_one == one_as_zero
        self.lines.append(f"M({zero_as_one!r}) {operation.qubit}" if even and zero_as_one else f"M {operation.qubit}")
        self.flips.append(NO_FLIPS if even else operation.flips)
        affine = Affine(frozenset((self.measured,)), negated=False) if even else None
        self.cells[operation.cell] = self.value(("rec", self.measured, 0), affine)
        self.measured += 1

    def under(self, operations: Iterable[Operation], condition: int) -> None:
        """Translate operations that run where a value is 1; both sides of a test see the cells as they are in turn."""
        for operation in operations:
            if isinstance(operation, Store):
                old = self.cells.get(operation.cell, 0)
                new = self.expression(operation.value)
                yes = self.combine("&", condition, new)
                no = self.combine("&", self.combine("!", condition), old)
                self.cells[operation.cell] = self.combine("|", yes, no)
            elif isinstance(operation, If):
                inner = self.expression(operation.condition)
                self.under(operation.then, self.combine("&", condition, inner))
                if operation.otherwise:
                    self.under(operation.otherwise, self.combine("&", condition, self.combine("!", inner)))
            elif isinstance(operation, Measure | Reset | Channel | While):
                raise Unfit
            elif not isinstance(operation, Barrier):
                self.feed(operation, condition)

    def feed(self, gate: AnyUnitary, condition: int) -> None:
        """Translate a gate that runs where a value is 1."""
        affine = self.affine[condition]
        parts = clifford(gate)
        if affine is None or any(name not in _PAULIS for name, _ in parts):
            raise Unfit
        for name, (qubit,) in parts:
            controlled = _PAULIS[name]
            if not controlled:
                continue
            self.lines += [f"{controlled} rec[{record - self.measured}] {qubit}" for record in sorted(affine.records)]
            if affine.negated:
                self.lines.append(f"{name} {qubit}")


def translate(program: Compiled) -> Sampler | None:
    """Return the program as a Stim circuit, or None where a Stim circuit cannot express it."""
    if not AVAILABLE:
        return None
    translation = _Translation()
    try:
        translation.over(program.operations)
    except Unfit:
        return None
    outputs = [translation.cells.get(cell, 0) for output in program.outputs for cell in output.cells]
    flips = translation.flips if any(each != NO_FLIPS for each in translation.flips) else None
    return Sampler(
        "\n".join(translation.lines),
        translation.measured,
        translation.steps,
        outputs,
        len(translation.lines),
        flips,
    )


def memory(sampler: Sampler, shots: int) -> int:
    """Return the bytes that sampling takes."""
    return 4 * _BYTES + 2_000 * sampler.lines + shots * (len(sampler.outputs) // 4 + 64)


def sample(sampler: Sampler, shots: int, seed: int) -> Outcomes:
    """Return the outcomes of `shots` shots, one by one."""
    compiled = stim.Circuit(sampler.text).compile_sampler(seed=seed)
    generator = np.random.default_rng(seed) if sampler.flips else None
    zero_as_one, one_as_zero = np.array(sampler.flips or [NO_FLIPS]).T[:, :, np.newaxis]
    needed = _needed(sampler)
    width = max(1, sampler.measurements + len(needed))
    size = min(_MOST, max(_LEAST, _BYTES // width // 256 * 256))
    parts = []
    while shots > 0:
        now = min(size, shots)
        records = compiled.sample(now).T
        if generator is not None:
            chances = np.where(records, one_as_zero, zero_as_one)
            records = records ^ (generator.random(records.shape) < chances)
        parts.append(_outcomes(sampler, needed, records))
        shots -= now
    return concatenate(parts)


def expectations(sampler: Sampler, qubits: int, sums: Sequence[PauliSum]) -> list[float]:
    """Return the exact values of Pauli sums in the state that a program of Clifford gates alone makes."""
    simulator = stim.TableauSimulator()
    simulator.set_num_qubits(qubits)
    simulator.do_circuit(stim.Circuit(sampler.text))
    return [
        sum(
            coefficient * simulator.peek_observable_expectation(stim.PauliString(pauli[::-1]))
            for pauli, coefficient in terms
        )
        for terms in sums
    ]


def _needed(sampler: Sampler) -> list[int]:
    """Return the values that the outputs depend on, in order."""
    needed = set(sampler.outputs)
    for index in range(len(sampler.steps) - 1, -1, -1):
        op, a, b = sampler.steps[index]
        if index in needed and op not in ("rec", "const"):
            needed |= {a} if op == "!" else {a, b}
    return sorted(needed)


def _outcomes(sampler: Sampler, needed: list[int], records: Array) -> Outcomes:
    """Return the outcomes of records of shape (measurements, shots)."""
    steps = [sampler.steps[index] for index in reversed(sampler.outputs)]
    if all(op == "rec" for op, _, _ in steps):
        # Stim gives shot by shot, as outcomes are: to pick columns is several times faster than to turn it around.
        return Outcomes(np.packbits(np.take(records.T, [record for _, record, _ in steps], axis=1), axis=1), None)
    return Outcomes.of(_evaluate(sampler, needed, records))


def _evaluate(sampler: Sampler, needed: list[int], records: Array) -> Array:
    """Return the output cells' bits, shape (cells, shots)."""
    values: dict[int, Any] = {}
    for index in needed:
        op, a, b = sampler.steps[index]
        if op == "rec":
            values[index] = records[a]
        elif op == "const":
            values[index] = np.full(records.shape[1], bool(a))
        elif op == "!":
            values[index] = ~values[a]
        elif op == "&":
            values[index] = values[a] & values[b]
        elif op == "|":
            values[index] = values[a] | values[b]
        else:
            values[index] = values[a] ^ values[b]
    return np.array([values[index] for index in sampler.outputs])
