"""Results that a program asks for itself: Braket's `#pragma braket result`, as the `results` of its task.

Braket's first qubit is the most significant bit of an index and the leftmost of a bit string, ours the least and the
rightmost: each result names its qubits in the reverse of Braket's order, and so its numbers come in Braket's. Without
qubits, or with `all`, a result is of those that the program uses, in the order of their numbers. They are of the state
at the end of the program, before its final measurements, wherever the pragma stands.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from reader.compiler.machine import Split
from reader.compiler.references import qubits_of
from reader.errors import SourceError, fault, invalid, too_large, unsupported
from reader.limits import LIMITS
from reader.operations import qubit_numbers, walk
from reader.operations import qubits_of as touched_by
from reader.text.pragma_parser import OF_OBSERVABLES
from tasks.errors import ErrorCode
from tasks.limits import MAX_RESULTS, MAX_TERMS
from tasks.results import ResultRequest, ResultType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reader.compiler.machine import Machine
    from reader.operations import Matrix
    from reader.text import syntax

_TOLERANCE = 1e-5  # of Braket, for a matrix that is to be Hermitian
_NOTHING = 1e-15  # of the largest: a coefficient that is left out
_HALF = 0.5**0.5
_PAULIS: dict[str, dict[str, float]] = {
    "i": {"I": 1.0},
    "x": {"X": 1.0},
    "y": {"Y": 1.0},
    "z": {"Z": 1.0},
    "h": {"X": _HALF, "Z": _HALF},
}
_KINDS = {
    "state_vector": ResultType.STATEVECTOR,
    "probability": ResultType.PROBABILITIES,
    "density_matrix": ResultType.DENSITY_MATRIX,
    "amplitude": ResultType.AMPLITUDES,
    "expectation": ResultType.EXPECTATION,
    "variance": ResultType.EXPECTATION,
    "sample": ResultType.SAMPLES,
}
_Places = tuple[int, ...] | None


def ask(m: Machine, node: syntax.ResultPragma) -> None:
    """Note what a pragma asks for: the qubits of the result, or of each factor of its observable."""
    if m.frame is not m.globals or len(m.frame.scopes) > 1:
        invalid(
            "A result pragma must be at the top level of the program.", node.at, "Move the pragma out of the block."
        )
    operands = [factor.operands for factor in node.factors] if node.factors else [node.operands]
    try:
        groups: list[_Places] = [
            None if each is None else tuple(place for operand in each for place in qubits_of(m, operand).places)
            for each in operands
        ]
    except Split:
        message = "A measurement cannot decide which qubits a result is of."
        raise SourceError(ErrorCode.INVALID_CIRCUIT, message, node.at, hint="Name them by constant indices.") from None
    every = [place for group in groups for place in group or ()]
    if len(set(every)) < len(every):
        fault("The result names the same qubit twice.", node.at, "Name each qubit once.")
    m.requested[node] = groups


def requests(m: Machine) -> tuple[ResultRequest, ...]:
    """Return the results that the program asks for, one after the other; raises `SourceError`."""
    used = {qubit for operation in walk(m.ops) for qubit in touched_by(operation)}
    used.update(qubit for groups in m.requested.values() for group in groups for qubit in group or ())
    order = tuple(sorted(used, key=qubit_numbers(m.registers).__getitem__)) or tuple(range(m.qubits))
    first = next(iter(m.requested))
    if not order:
        invalid("The program has no qubits, so there is no result.", first.at)
    m.notes.add("Result pragmas give the task's results, unless the request asks for some itself.", first.at)
    found: list[ResultRequest] = []
    room = MAX_TERMS
    for node, groups in m.requested.items():
        if node.kind in OF_OBSERVABLES:
            made = _observed(m, node, groups, order, room)
        else:
            made = [_of_state(m, node, groups[0], order)]
        found += made
        room -= sum(len(request.observable or ()) for request in made)
        if len(found) >= MAX_RESULTS:  # the counts are one more
            too_large(
                f"The program asks for more than {MAX_RESULTS - 1} results.",
                node.at,
                MAX_RESULTS - 1,
                len(found),
                "A result that names no qubits counts as one result for each qubit.",
            )
    return tuple(found)


def _of_state(m: Machine, node: syntax.ResultPragma, places: _Places, order: tuple[int, ...]) -> ResultRequest:
    """Return a result that has no observable."""
    kind = _KINDS[node.kind]
    if kind is not ResultType.AMPLITUDES:
        return ResultRequest(kind, qubits=(places or order)[::-1])
    states = []
    for state in node.states:
        if len(state) != len(order):
            invalid(
                f"A basis state has {len(state)} bits; the program uses {len(order)} qubits.",
                node.at,
                "Write a bit for each qubit that a gate, a measurement or a result names, in their order.",
            )
        bits = dict(zip(order, state, strict=True))
        states.append("".join(bits.get(qubit, "0") for qubit in reversed(range(m.qubits))))
    return _checked(node, type=str(kind), states=states)


def _observed(
    m: Machine, node: syntax.ResultPragma, groups: Sequence[_Places], order: Sequence[int], room: int
) -> list[ResultRequest]:
    """Return the results of an observable: one, or one for each qubit."""
    factors = [(factor, group) for factor, group in zip(node.factors, groups, strict=True)]
    alone = factors[0][0]
    if len(factors) == 1 and alone.matrix is None and (factors[0][1] is None or len(factors[0][1]) > 1):
        qubits = factors[0][1] or order
        products: list[list[Mapping[tuple[tuple[int, str], ...], float]]] = [
            [_letters(alone.name, qubit)] for qubit in qubits
        ]
    else:
        products = [[_of_factor(m, node, factor, group or ()) for factor, group in factors]]
    terms = sum(prod(len(factor) for factor in each) for each in products)
    if terms > room:
        too_large(
            f"The observables of the program expand to more than {MAX_TERMS:,} Pauli strings.",
            node.at,
            MAX_TERMS,
            MAX_TERMS - room + terms,
        )
    found = []
    for each in products:
        whole: dict[tuple[tuple[int, str], ...], float] = {(): 1.0}
        for factor in each:
            whole = {one + other: a * b for one, a in whole.items() for other, b in factor.items()}
        observable = [("".join(_row(dict(letters), m.qubits)), weight) for letters, weight in whole.items()]
        more: dict[str, Any] = {"variance": True} if node.kind == "variance" else {}
        found.append(_checked(node, type=str(_KINDS[node.kind]), observable=observable, **more))
    return found


def _checked(node: syntax.ResultPragma, **given: Any) -> ResultRequest:  # noqa: ANN401 - the fields of a request
    """Return the request of these fields; refuses the pragma if it is none that can be computed."""
    try:
        return ResultRequest.read(given)
    except ValueError as error:
        unsupported(f"The result {node.kind} cannot be computed. {error}", node.at)


def _row(letters: Mapping[int, str], width: int) -> list[str]:
    return [letters.get(qubit, "I") for qubit in reversed(range(width))]


def _letters(name: str, qubit: int) -> dict[tuple[tuple[int, str], ...], float]:
    """Return a named observable of one qubit as a sum of Paulis, each the qubits and letters other than I."""
    return {(((qubit, letter),) if letter != "I" else ()): weight for letter, weight in _PAULIS[name].items()}


def _of_factor(
    m: Machine, node: syntax.ResultPragma, factor: syntax.Factor, places: Sequence[int]
) -> dict[tuple[tuple[int, str], ...], float]:
    """Return a factor as a sum of Paulis."""
    if factor.matrix is None:
        if len(places) != 1:
            invalid(f"{factor.name} acts on one qubit, not on {len(places)}.", factor.at)
        return _letters(factor.name, places[0])
    size = len(factor.matrix.rows)
    if len(places) > LIMITS.power_qubits:
        limit = LIMITS.power_qubits
        too_large(f"A matrix is limited to {limit} qubits.", factor.at, limit, len(places))
    if size != 2 ** len(places):
        invalid(f"A matrix of {size} rows acts on {size.bit_length() - 1} qubits, not on {len(places)}.", factor.at)
    m.budget.spend(size**3, node.at)
    if not _is_hermitian(factor.matrix):
        invalid("The matrix is not Hermitian.", factor.at, "It must be its own conjugate transpose.")
    return _decomposed(factor.matrix, places[::-1])


def _is_hermitian(matrix: Matrix) -> bool:
    """Tell whether a matrix is its own adjoint, within rounding; false for what is not finite."""
    rows = matrix.rows
    return all(
        abs(value - rows[column][row].conjugate()) <= _TOLERANCE * max(1.0, abs(value))
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
    )


def _decomposed(matrix: Matrix, places: Sequence[int]) -> dict[tuple[tuple[int, str], ...], float]:
    """Return a Hermitian matrix as a sum of Paulis; `places[j]` has bit j of a row's number."""
    rows, size = matrix.rows, len(matrix.rows)
    found: dict[tuple[tuple[int, str], ...], float] = {}
    for flips in range(size):
        for signs in range(size):
            # A string with Y where both bits are set: its entry in row r ^ flips of column r is i^Y (-1)^(r & signs).
            turn = 1j ** ((flips & signs).bit_count() % 4)
            total = sum(
                -rows[row][row ^ flips] if (row & signs).bit_count() % 2 else rows[row][row ^ flips]
                for row in range(size)
            )
            letters = tuple(
                (place, "IXZY"[(flips >> at & 1) + 2 * (signs >> at & 1)])
                for at, place in enumerate(places)
                if (flips | signs) >> at & 1
            )
            found[letters] = (turn * total).real / size
    largest = max(map(abs, found.values()))
    kept = {letters: weight for letters, weight in found.items() if abs(weight) > _NOTHING * largest}
    return kept or {(): 0.0}
