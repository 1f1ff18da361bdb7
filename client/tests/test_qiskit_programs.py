"""Programs of Qiskit's ecosystem as people write them, with nothing changed but the backend or the primitive.

Each is compared with the same program on its local simulator: exactly where it is exact, else within a bound that a
right service exceeds less than once in ten thousand runs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from mitiq import zne
from pytket import Circuit as PytketCircuit
from pytket.qasm import circuit_to_qasm_str
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import efficient_su2, real_amplitudes
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, state_fidelity
from qiskit_addon_cutting import generate_cutting_experiments, partition_problem, reconstruct_expectation_values
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel
from qiskit_algorithms import VQE
from qiskit_algorithms.optimizers import SLSQP
from qiskit_experiments.library import StandardRB, StateTomography
from qiskit_ibm_runtime.fake_provider import FakeLimaV2, FakeMumbaiV2
from qiskit_machine_learning.algorithms import NeuralNetworkClassifier
from qiskit_machine_learning.neural_networks import EstimatorQNN
from qiskit_machine_learning.optimizers import COBYLA
from scipy.stats import chi2_contingency

from quantum_circuits.qiskit import EstimatorV2, QuantumCircuitsBackend, SamplerV2

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from quantum_circuits import Client

HYDROGEN = SparsePauliOp(
    ["II", "IZ", "ZI", "ZZ", "XX"],
    [-1.052373245772859, 0.39793742484318, -0.39793742484318, -0.01128010425624, 0.18093119978423],
)


def test_randomized_benchmarking_finds_the_noise(client: Client) -> None:
    """qiskit-experiments' StandardRB measures the error per Clifford that the depolarizing noise makes."""
    backend = QuantumCircuitsBackend(client)
    noise = 0.01
    backend.set_options(noise_model={"depolarizing": {"one_qubit": noise}}, seed_simulator=11)
    experiment = StandardRB([0], [1, 20, 50, 100, 150], num_samples=4, seed=3)
    experiment.set_transpile_options(basis_gates=["rz", "sx"], optimization_level=1)
    found = experiment.run(backend, shots=2000).block_for_results()
    assert not found.errors()
    measured = found.analysis_results("EPC", dataframe=False).value
    # Each gate depolarizes with p: a Clifford of g gates has the error (1 - (1 - p)^g) / 2; between 1.5 and 5 gates.
    assert (1 - (1 - noise) ** 1.5) / 2 < measured.nominal_value < (1 - (1 - noise) ** 5) / 2


@pytest.mark.parametrize("device", [FakeLimaV2(), FakeMumbaiV2()], ids=["5 qubits", "27 qubits"])
def test_a_fake_devices_noise_is_that_of_aer(client: Client, device: BackendV2) -> None:
    """The NoiseModel that Aer makes of it, as it is: counts as plain Aer's, by a chi-squared test of one in 10,000."""
    model = NoiseModel.from_backend(device)
    circuit = QuantumCircuit(5)
    circuit.h(0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
        circuit.ry(0.4 + qubit, qubit)
    circuit.measure_all()
    laid = transpile(circuit, device, seed_transpiler=1)
    shots = 10_000
    theirs = AerSimulator(noise_model=model).run(laid, shots=shots, seed_simulator=3).result().get_counts()
    job = QuantumCircuitsBackend(client).run(laid, shots=shots, seed_simulator=5, noise_model=model)
    ours = job.result().get_counts()
    keys = [key for key in {*ours, *theirs} if ours.get(key, 0) + theirs.get(key, 0) >= 10]
    table = [[counts.get(key, 0) for key in keys] for counts in (ours, theirs)]
    rest = [shots - sum(row) for row in table]
    if sum(rest) >= 10:
        table = [[*row, other] for row, other in zip(table, rest, strict=True)]
    assert chi2_contingency(table).pvalue > 1e-4
    # The same test sees a model that is not there.
    perfect = AerSimulator().run(laid, shots=shots, seed_simulator=3).result().get_counts()
    assert chi2_contingency([[row.get(key, 0) + 1 for key in keys] for row in (ours, perfect)]).pvalue < 1e-6


def test_state_tomography_finds_the_state(client: Client) -> None:
    """qiskit-experiments' StateTomography reconstructs a Bell state from its nine circuits."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    backend = QuantumCircuitsBackend(client)
    found = StateTomography(circuit).run(backend, shots=2000, seed_simulator=5).block_for_results()
    assert not found.errors()
    state = found.analysis_results("state", dataframe=False).value
    assert state_fidelity(DensityMatrix(state), DensityMatrix(circuit)) > 0.97


def test_zero_noise_extrapolation_takes_noise_away(client: Client) -> None:
    """Mitiq's execute_with_zne comes closer to the ideal value than the noisy run."""
    circuit = QuantumCircuit(1)
    for _ in range(10):
        circuit.x(0)
    backend = QuantumCircuitsBackend(client)

    def executor(given: QuantumCircuit) -> float:
        measured = given.copy()
        if not measured.clbits:
            measured.measure_all()
        noise = {"depolarizing": {"one_qubit": 0.02}}
        counts = backend.run(measured, shots=20_000, seed_simulator=9, noise_model=noise).result().get_counts()
        return (counts.get("0", 0) - counts.get("1", 0)) / 20_000

    noisy = executor(circuit)
    mitigated = zne.execute_with_zne(circuit, executor)
    assert abs(noisy - 0.98**10) < 6 * math.sqrt(0.4 / 20_000)
    assert abs(1 - mitigated) < abs(1 - noisy) / 2


def test_a_variational_eigensolver_takes_the_same_steps(client: Client) -> None:
    """qiskit-algorithms' VQE ends at the local estimator's energy, by the same evaluations."""
    ansatz = real_amplitudes(2, reps=1)
    start = np.linspace(0.1, 0.4, ansatz.num_parameters)
    energies = []
    for estimator in (EstimatorV2(client), StatevectorEstimator()):
        found = VQE(estimator, ansatz, SLSQP(maxiter=30), initial_point=start).compute_minimum_eigenvalue(HYDROGEN)
        energies.append((found.eigenvalue.real, found.cost_function_evals))
    assert energies[0][1] == energies[1][1]
    assert energies[0][0] == pytest.approx(energies[1][0], abs=1e-8)
    assert energies[0][0] == pytest.approx(-1.857275, abs=1e-4)


def test_a_classifier_learns_the_same(client: Client) -> None:
    """qiskit-machine-learning's classifier over an EstimatorQNN has the same loss and weights as locally."""
    points = np.random.default_rng(2).normal(size=(8, 2))
    labels = np.sign(points.sum(axis=1))
    features = efficient_su2(2, su2_gates=["ry"], reps=0, parameter_prefix="x")
    weights = real_amplitudes(2, reps=1)
    circuit = QuantumCircuit(2)
    circuit.compose(features, inplace=True)
    circuit.compose(weights, inplace=True)
    learnt = []
    for estimator in (EstimatorV2(client), StatevectorEstimator()):
        network = EstimatorQNN(
            circuit=circuit,
            estimator=estimator,
            input_params=features.parameters,
            weight_params=weights.parameters,
            default_precision=0.0,
        )
        start = np.linspace(-0.2, 0.3, weights.num_parameters)
        classifier = NeuralNetworkClassifier(network, optimizer=COBYLA(maxiter=10), initial_point=start)
        classifier.fit(points, labels)
        learnt.append(classifier.weights)
    np.testing.assert_allclose(learnt[0], learnt[1], atol=1e-7)


def test_a_cut_circuit_is_put_together_again(client: Client) -> None:
    """qiskit-addon-cutting reconstructs an expectation value of a circuit that was cut in two."""
    circuit = efficient_su2(4, entanglement="linear", reps=1)
    bound = circuit.assign_parameters(np.linspace(0.2, 0.9, circuit.num_parameters)).decompose()
    observable = SparsePauliOp(["ZZII", "IZZI", "XIXI"])
    problem = partition_problem(circuit=bound, partition_labels="AABB", observables=observable.paulis)
    experiments, coefficients = generate_cutting_experiments(
        circuits=problem.subcircuits, observables=problem.subobservables, num_samples=np.inf
    )
    sampler = SamplerV2(client, seed=4)
    shots = 4_000
    results = {label: sampler.run(each, shots=shots).result() for label, each in experiments.items()}
    found = np.dot(reconstruct_expectation_values(results, coefficients, problem.subobservables), observable.coeffs)
    exact = float(StatevectorEstimator().run([(bound, observable)]).result()[0].data.evs)
    # Cutting one gate multiplies the standard error by the norm of its coefficients, 3 for a controlled gate.
    error = 3 * math.sqrt(3) / math.sqrt(shots)
    assert abs(np.real(found) - exact) < 4 * error


def test_a_pytket_circuit_runs_by_way_of_openqasm(client: Client) -> None:
    """What pytket writes as OpenQASM 2 has the counts that pytket's own simulation gives."""
    circuit = PytketCircuit(2, 2).H(0).Rx(0.3, 1).CX(0, 1).Rz(0.1, 1).measure_all()
    text = circuit_to_qasm_str(circuit, header="qelib1")
    counts = client.run(text, shots=20_000, seed=3).counts
    turned = math.sin(0.3 * math.pi / 2) ** 2
    for key, probability in {
        "00": (1 - turned) / 2,
        "10": turned / 2,
        "11": (1 - turned) / 2,
        "01": turned / 2,
    }.items():
        assert abs(counts.get(key, 0) - 20_000 * probability) < 6 * math.sqrt(20_000 * probability * (1 - probability))
