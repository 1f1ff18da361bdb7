"""What a circuit from the reader does, and whether that is what the oracle says of its program."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit import Barrier, Delay, Gate, Measure, Reset
from qiskit.quantum_info import Statevector
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator

from oracle.interpreter import explore
from reader import check
from reader import read as reader_read
from tasks.errors import TaskError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qiskit import QuantumCircuit

    Reader = Callable[[str, dict[str, Any] | None], QuantumCircuit]

SHOTS = 2000
# The probability that sampling noise alone makes a right circuit look wrong; the seed is fixed, so it is not a flake.
FALSE_ALARM = 1e-9
ROUNDING = 1e-6
IMPOSSIBLE = 1e-12

# Without truncation, as in the worker: Aer's dies of tests on qubits that nothing measured depends on.
_simulator = AerSimulator(max_parallel_threads=1, seed_simulator=7, enable_truncation=False)
_passes = generate_preset_pass_manager(optimization_level=0, backend=_simulator)


def disagreement(read: Reader | None, text: str, inputs: dict[str, Any] | None = None) -> str | None:
    """Read and run a program; return what is wrong with its outcomes, or None. Errors of the reader pass through."""
    assert read is not None
    circuit = read(text, inputs)
    outcomes = explore(text, inputs, tolerance=1e-3)
    plain = is_plain(circuit)
    found = exact(circuit) if plain else sampled(circuit)
    keys = outcomes.probabilities.keys() | found.keys()
    if not outcomes.lost and keys != outcomes.probabilities.keys():
        impossible = sorted(key for key in keys - outcomes.probabilities.keys() if found[key] > ROUNDING)
        if impossible:
            return f"{impossible} cannot happen; expected {rounded(outcomes.probabilities)}"
    allowed = 2 * outcomes.lost + (ROUNDING if plain else sampling_bound(len(keys)))
    distance = sum(abs(outcomes.probabilities.get(key, 0.0) - found.get(key, 0.0)) for key in keys)
    if distance <= allowed:
        return None
    return f"expected {rounded(outcomes.probabilities)}, found {rounded(found)}"


def judge_those_read(texts: Iterable[str]) -> int:
    """Assert that the programs are right, except those that `unsupported_feature` refuses; return how many are read."""
    judged = 0
    for text in texts:
        try:
            check(text)
        except TaskError as error:
            assert error.code == "unsupported_feature"  # noqa: PT017 - programs of random measured values may need too much
            continue
        judged += 1
        assert disagreement(reader_read, text) is None, text
    return judged


def rounded(probabilities: dict[str, float]) -> dict[str, float]:
    """Return the probabilities as people read them."""
    return {key: round(chance, 4) for key, chance in sorted(probabilities.items()) if chance > ROUNDING}


def sampling_bound(keys: int) -> float:
    """Return the sum of absolute errors of SHOTS samples that is exceeded with probability FALSE_ALARM at most.

    Weissman et al., "Inequalities for the L1 deviation of the empirical distribution" (2003), theorem 2.1.
    """
    return math.sqrt(2 / SHOTS * (keys * math.log(2) - math.log(FALSE_ALARM)))


def sampled(circuit: QuantumCircuit) -> dict[str, float]:
    """Return the frequencies of the output registers over SHOTS runs of Aer."""
    counts = _simulator.run(_passes.run(circuit), shots=SHOTS).result().get_counts()
    kept: Counter[str] = Counter()
    for key, times in counts.items():
        by_register = dict(zip((register.name for register in reversed(circuit.cregs)), key.split(" "), strict=True))
        kept[_key(circuit, by_register)] += times
    return {key: times / SHOTS for key, times in kept.items()}


def _key(circuit: QuantumCircuit, by_register: dict[str, str]) -> str:
    outputs = circuit.metadata["outputs"]
    return " ".join(by_register[register.name] for register in reversed(circuit.cregs) if register.name in outputs)


def is_plain(circuit: QuantumCircuit) -> bool:
    """Say whether a circuit is only gates, measurements and resets, so that its probabilities can be worked out."""
    known = (Gate, Measure, Reset, Barrier, Delay)
    return circuit.num_qubits <= 10 and all(isinstance(item.operation, known) for item in circuit.data)


def exact(circuit: QuantumCircuit) -> dict[str, float]:
    """Return the probabilities of the output registers of a plain circuit, following every outcome."""
    numbers = {bit: number for number, bit in enumerate((*circuit.qubits, *circuit.clbits))}
    branches = [(Statevector.from_int(0, 2**circuit.num_qubits), dict.fromkeys(circuit.clbits, 0))]
    for item in circuit.data:
        qubits = [numbers[qubit] for qubit in item.qubits]
        if isinstance(item.operation, Gate):
            branches = [(state.evolve(item.operation, qargs=qubits), bits) for state, bits in branches]
        elif isinstance(item.operation, Reset):
            branches = [(part, bits) for state, bits in branches for part in _parts(state, qubits[0], to_zero=True)]
        elif isinstance(item.operation, Measure):
            branches = [
                (part, bits | {item.clbits[0]: outcome})
                for state, bits in branches
                for outcome, part in enumerate(_parts(state, qubits[0], to_zero=False))
            ]
        branches = [(state, bits) for state, bits in branches if _weight(state) > IMPOSSIBLE]
    found: dict[str, float] = {}
    for state, bits in branches:
        by_register = {
            register.name: "".join(str(bits[bit]) for bit in reversed(register)) for register in circuit.cregs
        }
        key = _key(circuit, by_register)
        found[key] = found.get(key, 0.0) + _weight(state)
    return found


def _weight(state: Statevector) -> float:
    """Return the probability of a branch, which is the squared norm of its state."""
    return float(np.linalg.norm(state.data) ** 2)


def _parts(state: Statevector, qubit: int, *, to_zero: bool) -> list[Statevector]:
    """Return the parts of a state in which a qubit is 0 and 1, in the latter flipped to 0 if so wanted."""
    ones = (np.arange(len(state.data)) >> qubit & 1).astype(bool)
    zero, one = np.where(ones, 0, state.data), np.where(ones, state.data, 0)
    return [Statevector(zero), Statevector(one[np.arange(len(one)) ^ 1 << qubit] if to_zero else one)]
