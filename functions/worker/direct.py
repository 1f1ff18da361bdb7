"""Runs a plain circuit on Aer's controller directly: what `AerSimulator.run` does, with less around it.

`AerSimulator.run` walks a circuit four times and makes Python objects of every gate each time, and of the result: for
small circuits a third of what a run costs. A circuit of nothing but gates, measurements, resets and barriers needs none
of it. Here it is walked once, as Aer's own assembler does, and tests hold the outcomes together, seed by seed. The
modules of Aer's that this takes are not documented; should an update move them, `AerSimulator.run` takes every circuit.

Source: `assemble_circuit` and `_execute_circuits_job` in qiskit_aer/backends/aer_compiler.py and aerbackend.py.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from qiskit_aer.backends.aer_compiler import generate_aer_config
from qiskit_aer.backends.backend_utils import CircuitHeader, cpp_execute_circuits
from qiskit_aer.backends.controller_wrappers import AerCircuit, aer_controller_execute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qiskit import QuantumCircuit
    from qiskit.providers import Options

# fmt: off
PLAIN = frozenset({
    "ccx", "ccz", "cp", "crx", "cry", "crz", "cswap", "csx", "cu", "cu1", "cu3", "cx", "cy", "cz", "ecr", "h", "id",
    "mcphase", "mcx", "p", "r", "rx", "rxx", "ry", "ryy", "rz", "rzx", "rzz", "s", "sdg", "swap", "sx", "sxdg", "t",
    "tdg", "u", "u1", "u2", "u3", "x", "y", "z",
    "barrier", "measure", "reset",
})
# fmt: on
_NO_CONDITION = -1


@cache
def _controller() -> Any:  # noqa: ANN401 - Aer ships no types
    return aer_controller_execute()


def execute(circuit: QuantumCircuit, defaults: Options, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Run a circuit of PLAIN operations, without noise; return what Aer says, in the form of `Result.to_dict`.

    `defaults` are a simulator's options and `settings` the arguments that its `run` would get.
    """
    qubits = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    clbits = {clbit: index for index, clbit in enumerate(circuit.clbits)}
    assembled = AerCircuit()
    assembled.set_header(CircuitHeader(name=circuit.name))
    assembled.circ_id = 0
    assembled.num_qubits = len(qubits)
    assembled.num_memory = len(clbits)
    assembled.global_phase_angle = float(circuit.global_phase)
    gate = assembled.gate
    for step in circuit.data:
        name = step.name
        places = [qubits[qubit] for qubit in step.qubits]
        if name == "measure":
            assembled.measure(places, [clbits[clbit] for clbit in step.clbits], [])
        elif name == "reset":
            assembled.reset(places, _NO_CONDITION)
        elif name != "barrier":
            gate(name, places, step.params, [], _NO_CONDITION, None, name)
    config = generate_aer_config([circuit], defaults, **settings)
    said: dict[str, Any] = cpp_execute_circuits(_controller(), [assembled], None, config)
    return said
