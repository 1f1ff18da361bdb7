"""Exact probabilities of a circuit that the reader built: every measurement is followed both ways.

Follows gates, resets, measurements, tests, loops and stores, the whole of what the reader emits, over statevectors. It
knows nothing of OpenQASM: what a program means is compared elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr
from qiskit.quantum_info import Operator

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

NEGLIGIBLE = 1e-13
MOST_ROUNDS = 3000


def distribution(circuit: QuantumCircuit) -> dict[str, float]:
    """Return the probability of each key of the counts, which has the registers of `metadata["outputs"]`."""
    qubits = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    clbits = {clbit: index for index, clbit in enumerate(circuit.clbits)}
    start = np.zeros((2,) * len(qubits), dtype=complex)
    start[(0,) * len(qubits)] = 1
    states = _run(circuit, {(0,) * len(clbits): [start]}, qubits, clbits, {}, {})
    outputs = [register for register in circuit.cregs if register.name in circuit.metadata["outputs"]]
    counts: dict[str, float] = {}
    for bits, vectors in states.items():
        words = ["".join(str(bits[clbits[bit]]) for bit in reversed(register)) for register in outputs]
        key = " ".join(reversed(words))
        counts[key] = counts.get(key, 0.0) + sum(float(np.vdot(vector, vector).real) for vector in vectors)
    return {key: value for key, value in counts.items() if value > 1e-9}


def _merge(states: dict[Any, list[Any]], bits: Any, vector: Any) -> None:
    if float(np.vdot(vector, vector).real) < NEGLIGIBLE:
        return
    same = states.setdefault(bits, [])
    for other in same:
        # Parallel vectors are one state: their weights add up.
        overlap = np.vdot(other, vector)
        if abs(abs(overlap) ** 2 - np.vdot(other, other).real * np.vdot(vector, vector).real) < NEGLIGIBLE**1.2:
            total = np.vdot(other, other).real + np.vdot(vector, vector).real
            other *= np.sqrt(total / np.vdot(other, other).real)  # noqa: PLW2901 - the vector in the list is meant
            return
    same.append(vector)


def _run(circuit: Any, states: dict[Any, list[Any]], qubits: Any, clbits: Any, qmap: Any, cmap: Any) -> Any:  # noqa: C901, PLR0912 a dispatch over the language
    for instruction in circuit.data:
        operation = instruction.operation
        wires = [qubits[qmap.get(qubit, qubit)] for qubit in instruction.qubits]
        places = [clbits[cmap.get(clbit, clbit)] for clbit in instruction.clbits]
        result: dict[Any, list[Any]] = {}
        if operation.name == "barrier":
            continue
        if operation.name == "while_loop":
            states = _loop(operation, states, qubits, clbits)
            continue
        for bits, vectors in states.items():
            for vector in vectors:
                if operation.name == "measure":
                    for value in (0, 1):
                        _merge(result, _with(bits, places[0], value), _project(vector, wires[0], value))
                elif operation.name == "reset":
                    zero = _project(vector, wires[0], 0)
                    one = np.flip(_project(vector, wires[0], 1), wires[0])
                    _merge(result, bits, zero)
                    _merge(result, bits, one.copy())
                elif operation.name == "store":
                    target = clbits[operation.lvalue.var]
                    _merge(result, _with(bits, target, int(_evaluate(operation.rvalue, bits, clbits))), vector)
                elif operation.name == "if_else":
                    chosen = operation.blocks[0 if _holds(operation.condition, bits, clbits) else 1 :][:1]
                    if not chosen:
                        _merge(result, bits, vector)
                        continue
                    inner = _run(chosen[0], {bits: [vector]}, qubits, clbits, {}, {})
                    for key, values in inner.items():
                        for value in values:
                            _merge(result, key, value)
                else:
                    _merge(result, bits, _apply(Operator(operation).data, vector, wires))
        states = result
    return states


def _loop(operation: Any, states: Any, qubits: Any, clbits: Any) -> Any:
    done: dict[Any, list[Any]] = {}
    for _ in range(MOST_ROUNDS):
        going: dict[Any, list[Any]] = {}
        for bits, vectors in states.items():
            for vector in vectors:
                _merge(going if _holds(operation.condition, bits, clbits) else done, bits, vector)
        if not going:
            return done
        states = _run(operation.blocks[0], going, qubits, clbits, {}, {})
    message = "the loop does not end"
    raise AssertionError(message)


def _with(bits: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    return (*bits[:place], value, *bits[place + 1 :])


def _project(vector: Any, wire: int, value: int) -> Any:
    result = np.zeros_like(vector)
    index: list[Any] = [slice(None)] * vector.ndim
    index[wire] = value
    result[tuple(index)] = vector[tuple(index)]
    return result


def _apply(matrix: Any, vector: Any, wires: list[int]) -> Any:
    count = len(wires)
    # Qiskit's first qubit is the least significant, hence the last axis of the reshaped matrix.
    tensor = np.asarray(matrix).reshape((2,) * (2 * count))
    moved = np.tensordot(tensor, vector, axes=(list(range(count, 2 * count)), list(reversed(wires))))
    return np.moveaxis(moved, list(range(count)), list(reversed(wires)))


def _holds(condition: Any, bits: tuple[int, ...], clbits: Any) -> bool:
    if isinstance(condition, tuple):
        clbit, value = condition
        assert isinstance(clbit, Clbit)
        return bits[clbits[clbit]] == int(value)
    return bool(_evaluate(condition, bits, clbits))


def _evaluate(node: Any, bits: tuple[int, ...], clbits: Any) -> bool:
    if isinstance(node, expr.Var):
        return bool(bits[clbits[node.var]])
    if isinstance(node, expr.Value):
        return bool(node.value)
    if isinstance(node, expr.Unary):
        assert node.op == expr.Unary.Op.LOGIC_NOT
        return not _evaluate(node.operand, bits, clbits)
    left, right = _evaluate(node.left, bits, clbits), _evaluate(node.right, bits, clbits)
    if node.op == expr.Binary.Op.BIT_XOR:
        return left != right
    if node.op == expr.Binary.Op.LOGIC_AND:
        return left and right
    assert node.op == expr.Binary.Op.LOGIC_OR
    return left or right
