"""The direct way to Aer's controller: what comes out is what `AerSimulator.run` gives, to the last count."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import MCPhaseGate, MCXGate
from qiskit.circuit.library import get_standard_gate_name_mapping as standard_gates
from qiskit_aer import AerSimulator

import aer

if TYPE_CHECKING:
    from qiskit.circuit import Gate

NO_GATES = {"barrier", "measure", "reset"}
CLIFFORD = ["h", "s", "sdg", "x", "y", "z", "sx", "sxdg", "cx", "cy", "cz", "swap", "ecr", "id"]
WIDTH = 5


def gate(name: str, angles: random.Random) -> Gate:
    """Return the gate of this name with random angles."""
    if name == "mcx":
        return MCXGate(4)
    if name == "mcphase":
        return MCPhaseGate(angles.uniform(-4, 4), 3)
    known = standard_gates()[name]
    return known.base_class(*(angles.uniform(-4, 4) for _ in known.params))


def dense(names: list[str], seed: int) -> QuantumCircuit:
    """Return a circuit of random gates of these names, with resets, barriers and measurements among them."""
    chosen = random.Random(seed)
    circuit = QuantumCircuit(WIDTH, WIDTH + 2, global_phase=chosen.uniform(0, 6))
    for number in range(60):
        step = gate(chosen.choice(names), chosen)
        circuit.append(step, chosen.sample(range(WIDTH), step.num_qubits))
        if number % 20 == 19:
            circuit.barrier()
            circuit.measure(chosen.randrange(WIDTH), chosen.randrange(WIDTH + 2))
            circuit.reset(chosen.randrange(WIDTH))
    circuit.measure(range(WIDTH), range(2, WIDTH + 2))
    return circuit


def both(circuit: QuantumCircuit, **settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data of a run by each way, with one seed."""
    simulator = AerSimulator(max_parallel_threads=1)
    settings |= {"shots": 300, "seed_simulator": 11, "memory": True}
    printed = aer.execute(circuit, settings)
    assert printed["success"], printed
    return printed["results"][0]["data"], simulator.run(circuit, **settings).result().data(0)


@pytest.mark.parametrize("name", sorted(aer.PLAIN - NO_GATES))
def test_each_gate_is_the_same_either_way(name: str) -> None:
    """A gate between others of superposition gives the same outcome of every shot."""
    angles = random.Random(name)
    circuit = QuantumCircuit(WIDTH, WIDTH)
    for qubit in range(WIDTH):
        circuit.u(0.3 + qubit, 1.1 * qubit, 0.7, qubit)
    for first in (0, 1):
        step = gate(name, angles)
        circuit.append(step, range(first, first + step.num_qubits) if step.num_qubits < WIDTH else range(WIDTH))
        for qubit in range(WIDTH):
            circuit.ry(1 + qubit, qubit)
    circuit.measure(range(WIDTH), range(WIDTH))
    ours, theirs = both(circuit, method="statevector")
    assert len(theirs["counts"]) > 1
    assert ours == theirs


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("statevector", sorted(aer.PLAIN - NO_GATES)),
        ("matrix_product_state", ["h", "t", "u", "rx", "rz", "cx", "cp", "swap", "ccx"]),
        ("density_matrix", ["h", "t", "u", "rx", "rz", "cx", "cp", "swap", "ccx"]),
        ("stabilizer", CLIFFORD),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_whole_circuits_are_the_same_either_way(method: str, names: list[str], seed: int) -> None:
    """Circuits of all gates, measured and reset on the way, give the same counts and memory by every method."""
    ours, theirs = both(dense(names, seed), method=method)
    assert ours == theirs


def test_what_aer_refuses_is_said_the_same_way() -> None:
    """Too little memory is refused in the words that the simulator's errors are made from."""
    circuit = QuantumCircuit(24, 24)
    circuit.h(0)
    for qubit in range(23):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(24), range(24))
    simulator = AerSimulator(max_parallel_threads=1)
    settings = {"shots": 1, "seed_simulator": 1, "method": "statevector", "max_memory_mb": 16}
    printed = aer.execute(circuit, settings)
    theirs = simulator.run(circuit, **settings).result().to_dict()
    assert not printed["success"]
    assert (printed["status"], printed["results"][0]["status"]) == (theirs["status"], theirs["results"][0]["status"])
    assert "Insufficient memory" in f"{printed['status']} {printed['results'][0]['status']}"


@pytest.mark.parametrize("moved", ["aer_controller_execute", "generate_aer_config", "AerCircuit"])
def test_where_the_private_modules_have_moved_the_public_way_takes_over(
    moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, or with another signature: the outcomes are those of `AerSimulator.run`, which then runs the circuit."""

    def changed(_: object, /) -> None:
        """Take other arguments than it did."""

    monkeypatch.setattr(aer, moved, None if moved == "aer_controller_execute" else changed)
    ours, theirs = both(dense(["h", "t", "cx", "u"], 4), method="statevector")
    assert ours == theirs
