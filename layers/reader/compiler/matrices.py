"""Gates that a program gives by their matrix: Braket's `#pragma braket unitary`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.references import qubits_of
from reader.errors import fault, invalid, too_large
from reader.limits import LIMITS
from reader.operations import MatrixGate

if TYPE_CHECKING:
    from reader.compiler.machine import Machine
    from reader.operations import Matrix
    from reader.text import syntax

_TOLERANCE = 1e-5  # of Braket too; the circuit gets the nearest unitary matrix


def apply_matrix(m: Machine, node: syntax.MatrixPragma) -> None:
    """Apply the matrix to the qubits, the first of which is the most significant bit of its rows, as Braket has it."""
    qubits = tuple([place for operand in node.operands for place in qubits_of(m, operand).places])
    size = len(node.matrix.rows)
    if len(qubits) > LIMITS.power_qubits:
        limit = LIMITS.power_qubits
        too_large(f"A matrix is limited to {limit} qubits.", node.at, limit, len(qubits))
    if 2 ** len(qubits) != size:
        invalid(f"A matrix of {size} rows acts on {size.bit_length() - 1} qubits, not on {len(qubits)}.", node.at)
    if len(set(qubits)) < len(qubits):
        fault("The matrix gets the same qubit twice.", node.at, "Use a different qubit for each operand.")
    if node.matrix not in m.matrices:
        m.budget.spend(size**3 >> 3, node.at)
        if not is_unitary(node.matrix):
            invalid("The matrix is not unitary.", node.at, "Give its numbers with at least six digits.")
        m.matrices.add(node.matrix)
    # It is copied for each use, and weighs as much as it has elements.
    m.count(size * size, node.at)
    m.ops.append(MatrixGate(node.matrix, qubits[::-1]))


def is_unitary(matrix: Matrix) -> bool:
    """Tell whether the rows are orthogonal and of length one, within rounding; false for what is not finite."""
    rows = matrix.rows
    conjugated = [[value.conjugate() for value in row] for row in rows]
    for index, row in enumerate(rows):
        for other in range(index + 1):
            product = sum([a * b for a, b in zip(row, conjugated[other], strict=True)])
            if not abs(product - (index == other)) <= _TOLERANCE:
                return False
    return True
