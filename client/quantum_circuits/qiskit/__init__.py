"""Qiskit on a Quantum Circuits API: `backend()`, `SamplerV2` and `EstimatorV2`; needs the extra `qiskit`.

    from quantum_circuits.qiskit import QuantumCircuitsBackend

    backend = QuantumCircuitsBackend()
    counts = backend.run(circuit, shots=1000).result().get_counts()

`program.py` writes circuits, `backend.py` runs them one by one, `primitives.py` runs one PUB as one task.
"""

from quantum_circuits.qiskit.backend import QuantumCircuitsBackend, QuantumCircuitsJob
from quantum_circuits.qiskit.primitives import EstimatorV2, SamplerV2
from quantum_circuits.qiskit.program import ExportError

__all__ = ["EstimatorV2", "ExportError", "QuantumCircuitsBackend", "QuantumCircuitsJob", "SamplerV2"]
