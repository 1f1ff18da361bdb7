"""A noise model of Qiskit Aer as the client sends it."""

from __future__ import annotations

import json

import pytest
from qiskit_aer.noise import NoiseModel, amplitude_damping_error, depolarizing_error

from quantum_circuits.errors import QuantumCircuitsError
from quantum_circuits.qiskit.submission import task_options
from tasks.options import Options


def test_aers_model_is_sent_as_json_that_the_service_reads() -> None:
    """Complex numbers are pairs; a model and what its `to_dict` gives are the same."""
    model = NoiseModel()
    model.add_quantum_error(amplitude_damping_error(0.1).tensor(amplitude_damping_error(0.2)), "cx", [0, 1])
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), ["x", "sx"])
    model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
    noise = task_options({"noise_model": model})["noise"]
    assert json.loads(json.dumps(noise)) == noise == task_options({"noise_model": model.to_dict()})["noise"]
    assert noise == task_options({"noise_model": model.to_dict(serializable=True)})["noise"]
    read = Options.from_dict({"noise": noise}).noise
    assert read is not None
    assert (len(read.rules().rules), len(read.rules().readouts)) == (3, 1)


def test_the_services_own_noise_stays_as_it_is() -> None:
    """Its short form, a name and rules; anything else is refused by its type."""
    for noise in ({"depolarizing": {"one_qubit": 0.1}}, {"model": "ibmq_lima"}, {"rules": [{"channel": "readout"}]}):
        assert task_options({"noise_model": noise})["noise"] == noise
    assert "noise" not in task_options({})
    with pytest.raises(QuantumCircuitsError, match="noise_model is a float"):
        task_options({"noise_model": 0.1})
