"""Qiskit programs against the running system, with nothing changed in them but the backend."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Parameter
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2, StatevectorEstimator, StatevectorSampler
from qiskit.providers import JobStatus
from qiskit.quantum_info import SparsePauliOp

from quantum_circuits import CircuitError, Client, QuantumCircuitsError, TaskCancelledError
from quantum_circuits.qiskit import EstimatorV2, ExportError, QuantumCircuitsBackend, SamplerV2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack import Stack

SIGMAS = 6  # a right simulator is further off once in 5e8 comparisons


@pytest.fixture(name="requests")
def fixture_requests() -> list[str]:
    """Give the list of the requests that the client has made."""
    return []


@pytest.fixture(name="backend")
def fixture_backend(stack: Stack, requests: list[str]) -> Iterator[QuantumCircuitsBackend]:
    """Give a backend of the stack whose requests are noted."""
    note = {"request": [lambda request: requests.append(f"{request.method} {request.url.path}")]}
    with Client(stack.env["API_URL"], stack.env["API_KEY"], http=httpx.Client(event_hooks=note)) as client:
        yield QuantumCircuitsBackend(client)


def bell() -> QuantumCircuit:
    """Return a Bell circuit with two registers, one named like a field of Qiskit's results."""
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "left"), ClassicalRegister(1, "shape"))
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def ansatz() -> QuantumCircuit:
    """Return a circuit of two qubits and two parameters."""
    first, second = Parameter("a[0]"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.ry(first, 0)
    circuit.rx(2 * second, 1)
    circuit.cx(0, 1)
    return circuit


def test_the_backend_runs_circuits_as_aer_does(backend: QuantumCircuitsBackend) -> None:
    """`transpile` and `run` give counts, memory and registers in Qiskit's form, reproducibly."""
    circuit = transpile(bell(), backend)
    job = backend.run([circuit, circuit], shots=1000, memory=True, seed_simulator=7)
    result = job.result()
    assert job.status() is JobStatus.DONE
    counts = result.get_counts(0)
    assert (set(counts), sum(counts.values())) == ({"0 0", "1 1"}, 1000)
    assert Counter(result.get_memory(0)) == Counter(counts)
    assert counts != result.get_counts(1)
    again = backend.run(circuit, shots=1000, seed_simulator=7).result()
    assert again.get_counts() == counts
    assert len(set(job.task_ids)) == 2


def test_the_target_is_the_services(backend: QuantumCircuitsBackend) -> None:
    """The target has the statevector's width, and control flow; a circuit with it runs."""
    widest = backend.client.limits()["run"]["max_qubits"]["statevector"]["double"]
    assert backend.num_qubits == widest
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    assert backend.run(transpile(circuit, backend), shots=50).result().get_counts() == {"11": 50}


def test_an_error_names_the_circuits_instruction(backend: QuantumCircuitsBackend) -> None:
    """What the service refuses is found in the circuit, alone and in a batch, by the line written for it."""
    good = QuantumCircuit(1, 1)
    good.x(0)
    good.measure(0, 0)
    wide = QuantumCircuit(1_500, 1)
    wide.measure(0, 0)
    with pytest.raises(CircuitError) as raised:
        backend.run(wide)
    assert raised.value.code == "circuit_too_large"
    long = good.copy(name="long")
    with long.for_loop(range(10_000_000)):
        long.x(0)
    with pytest.raises(CircuitError, match=r"instruction 2 \(for_loop\) of 'long', written as: for int i0 in"):
        backend.run([good, long])
    with pytest.raises(CircuitError, match="instruction 2") as raised:
        SamplerV2(backend).run([long])


def test_what_cannot_be_counted_is_named(backend: QuantumCircuitsBackend, requests: list[str]) -> None:
    """Nothing measured, a parameter without a value, no circuit: each one sentence, before anything is sent."""
    requests.clear()
    silent = QuantumCircuit(1, name="silent")
    for run in (backend.run, lambda circuit: SamplerV2(backend).run([circuit])):
        with pytest.raises(ExportError, match=r"'silent' measures nothing. Measure it, with measure_all\(\)"):
            run(silent)
    silent.rx(Parameter("t"), 0)
    silent.measure_all()
    with pytest.raises(ExportError, match="The parameters t of 'silent' have no values"):
        backend.run(silent)
    with pytest.raises(QuantumCircuitsError, match="no circuit"):
        backend.run([])
    assert not [request for request in requests if "POST" in request]


def test_jobs_are_found_again_from_another_process(stack: Stack, backend: QuantumCircuitsBackend) -> None:
    """By task ids alone, as another process has them, jobs of the backend and of both primitives give their results."""
    with Client(stack.env["API_URL"], stack.env["API_KEY"]) as other_client:
        other = QuantumCircuitsBackend(other_client)
        job = backend.run([bell(), bell()], shots=100, seed_simulator=1)
        expected = job.result().get_counts()
        assert other.retrieve_job(job.task_ids, [bell(), bell()]).result().get_counts() == expected
        joined = {key.replace(" ", ""): count for key, count in expected[1].items()}
        assert other.retrieve_job(job.task_ids[1]).result().get_counts() == joined
        circuit = ansatz()
        circuit.measure_all()
        pubs = [(circuit, np.zeros((2, 2))), (circuit, [0.1, 0.2], 7)]
        sampled = SamplerV2(backend).run(pubs, shots=50)
        found = SamplerV2(other).retrieve_job(sampled.task_ids, pubs, shots=50).result()
        for ours, theirs in zip(sampled.result(), found, strict=True):
            assert np.array_equal(ours.data.meas.array, theirs.data.meas.array)
        estimated = EstimatorV2(backend).run([(ansatz(), ["ZZ", "IX"], [0.1, 0.2])])
        again = EstimatorV2(other).retrieve_job(estimated.task_ids, [(ansatz(), ["ZZ", "IX"], [0.1, 0.2])])
        assert np.array_equal(estimated.result()[0].data.evs, again.result()[0].data.evs)
        with pytest.raises(QuantumCircuitsError, match="The PUBs are 2 tasks, not 1"):
            SamplerV2(other).retrieve_job(sampled.task_ids[:1], pubs)


def test_a_job_can_be_cancelled(backend: QuantumCircuitsBackend) -> None:
    """A cancelled job says so, and its result is an exception."""
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.measure(0, 0)
    job = backend.run(circuit)
    assert job.cancel()
    assert job.status() is JobStatus.CANCELLED
    with pytest.raises(TaskCancelledError):
        job.result()


def test_a_pub_with_parameters_is_one_task(backend: QuantumCircuitsBackend, requests: list[str]) -> None:
    """A sampler's PUB of 3 x 2 bindings is one POST and one GET; its shapes, registers and probabilities are right."""
    circuit = ansatz()
    circuit.measure_all()
    values = np.linspace(0, 3, 12).reshape(3, 2, 2)
    sampler = SamplerV2(backend, seed=3)
    requests.clear()
    job = sampler.run([(circuit, values)], shots=4000)
    samples = job.result()[0].data.meas
    assert [request.partition(" ")[0] for request in requests if "limits" not in request] == ["POST", "GET"]
    assert (samples.shape, samples.num_shots, len(job.task_ids)) == ((3, 2), 4000, 1)
    for index in np.ndindex(3, 2):
        first = math.sin(values[index][0] / 2) ** 2
        flipped = math.sin(values[index][1]) ** 2
        second = first * (1 - flipped) + (1 - first) * flipped
        ones = np.array([samples[index].get_counts().get(key, 0) for key in ("01", "11")]).sum()
        assert abs(ones - 4000 * first) <= SIGMAS * math.sqrt(4000 * first * (1 - first)) + 1e-9
        high = np.array([samples[index].get_counts().get(key, 0) for key in ("10", "11")]).sum()
        assert abs(high - 4000 * second) <= SIGMAS * math.sqrt(4000 * second * (1 - second)) + 1e-9


def test_samples_of_two_registers_belong_together(backend: QuantumCircuitsBackend) -> None:
    """Registers of a Bell pair agree shot by shot, halves of the shots are alike, and a clashing name gets `_`."""
    data = SamplerV2(backend, seed=5).run([bell()], shots=2000).result()[0].data
    left, right = data["left"].array, data["shape_"].array
    assert np.array_equal(left, right)
    half = int(left[:1000].sum())
    assert abs(half - 500) <= SIGMAS * math.sqrt(250)


def test_registers_may_have_any_name(backend: QuantumCircuitsBackend) -> None:
    """Names that Qiskit's results have for themselves get `_`, as often as it takes to be another register's not."""
    names = ["shape", "shape_", "size", "items", "keys", "values", "ndim", "self", "_data", "plain"]
    circuit = QuantumCircuit(QuantumRegister(1), *(ClassicalRegister(1, name) for name in names))
    circuit.x(0)
    for bit in circuit.clbits[::2]:
        circuit.measure(0, bit)
    data = SamplerV2(backend).run([circuit], shots=3).result()[0].data
    fields = ["shape__", "shape_", "size_", "items_", "keys_", "values_", "ndim_", "self_", "_data_", "plain"]
    assert list(data.keys()) == fields
    assert [data[name].get_counts() for name in fields] == [{"1": 3}, {"0": 3}] * 5


def test_samples_are_distributed_as_qiskits(backend: QuantumCircuitsBackend) -> None:
    """PUBs of all shapes in one run have StatevectorSampler's shapes, shots, and frequencies of each outcome."""
    circuit = ansatz()
    circuit.measure_all()
    fixed = ansatz().assign_parameters([0.7, 0.3])
    fixed.measure_all()
    values = np.linspace(0, 3, 12).reshape(2, 1, 3, 2)
    pubs = [(circuit, values), fixed, (circuit, values[0, 0, 1], 500), (circuit, np.zeros((0, 2)))]
    ours = SamplerV2(backend, seed=8).run(pubs, shots=4000).result()
    theirs = StatevectorSampler(seed=9).run(pubs[:3], shots=4000).result()
    assert [each.data.meas.shape for each in ours] == [(2, 1, 3), (), (), (0,)]
    for mine, other in zip(ours, theirs, strict=False):
        assert mine.data.meas.num_shots == other.data.meas.num_shots
        for place in np.ndindex(mine.data.meas.shape):
            first, second = (each.data.meas[place].get_counts() for each in (mine, other))
            for key in set(first) | set(second):
                difference = first.get(key, 0) - second.get(key, 0)
                assert abs(difference) <= SIGMAS * math.sqrt(first.get(key, 0) + second.get(key, 0))


def test_a_thousand_bindings_of_five_observables_are_one_task(
    backend: QuantumCircuitsBackend, requests: list[str]
) -> None:
    """One POST and as many GETs as the service's longest wait needs; the values are right."""
    values = np.linspace(0, 6, 2000).reshape(1000, 2)
    estimator = EstimatorV2(backend)
    requests.clear()
    job = estimator.run([(ansatz(), [["ZI"], ["IZ"], ["ZZ"], ["XX"], ["IX"]], values)])
    evs = job.result()[0].data.evs
    assert (evs.shape, len(job.task_ids)) == ((5, 1000), 1)
    assert [request for request in requests if "POST" in request] == ["POST /tasks"]
    assert len(set(requests)) == 2
    np.testing.assert_allclose(evs[1], np.cos(values[:, 0]), atol=1e-12)


def test_any_precision_is_taken(backend: QuantumCircuitsBackend) -> None:
    """Exact values are one task whatever the precision; one that no shots reach is warned of; no binding is no task."""
    circuit = ansatz()
    job = EstimatorV2(backend).run([(circuit, "IZ", np.zeros((50, 2)))], precision=1e-9)
    assert (len(job.task_ids), job.result()[0].data.evs.tolist()) == (1, [1.0] * 50)
    noisy = EstimatorV2(backend, noise={"depolarizing": {"one_qubit": 0.1}}, seed=1)
    with pytest.warns(UserWarning, match=r"A precision of 1e-09 needs 1e\+18 shots"):
        data = noisy.run([(circuit, "IZ", [0.0, 0.0])], precision=1e-9).result()[0].data
    assert abs(float(data.evs) - 0.9) < 0.05
    assert float(noisy.run([(circuit, "IZ", [0.0, 0.0])], precision=0).result()[0].data.stds) < 0.04
    nothing = EstimatorV2(backend).run([(circuit, "IZ", np.zeros((0, 2)))])
    assert (nothing.task_ids, nothing.result()[0].data.evs.shape) == ([], (0,))


def test_an_estimators_pub_is_one_task_and_exact(backend: QuantumCircuitsBackend, requests: list[str]) -> None:
    """Values of a broadcast of bindings and observables agree with the exact estimator to 1e-12; errors are 0."""
    observables = [[SparsePauliOp("ZZ")], [SparsePauliOp(["XX", "IZ"], [0.5, 2.0])], [{"0+": 1.0}]]
    values = np.linspace(-1, 2, 10).reshape(5, 2)
    estimator = EstimatorV2(backend)
    requests.clear()
    ours = estimator.run([(ansatz(), observables, values)]).result()[0]
    assert [request.partition(" ")[0] for request in requests if "limits" not in request] == ["POST", "GET"]
    # Qiskit's exact estimator takes no projectors: written out for it.
    written_out = [*observables[:2], [SparsePauliOp(["II", "IX", "ZI", "ZX"], [0.25] * 4)]]
    theirs = StatevectorEstimator().run([(ansatz(), written_out, values)]).result()[0]
    assert ours.data.evs.shape == theirs.data.evs.shape == (3, 5)
    np.testing.assert_allclose(ours.data.evs, theirs.data.evs, atol=1e-12)
    assert not ours.data.stds.any()


def test_no_observables_have_no_values(backend: QuantumCircuitsBackend) -> None:
    """An empty list gives an empty result, as with Qiskit's own estimator."""
    found = [
        estimator.run([(QuantumCircuit(1), [])]).result()[0].data.evs.shape
        for estimator in (EstimatorV2(backend), StatevectorEstimator())
    ]
    assert found == [(0,), (0,)]


def test_noisy_values_have_the_precision_that_was_asked_for(stack: Stack) -> None:
    """With noise, shots follow from the precision, and the standard error is below it and true."""
    noise = {"depolarizing": {"two_qubit": 0.1}}
    with Client(stack.env["API_URL"], stack.env["API_KEY"]) as client:
        estimator = EstimatorV2(client, noise=noise, seed=1)
        circuit = QuantumCircuit(2)
        circuit.h(0)
        circuit.cx(0, 1)
        data = estimator.run([(circuit, "ZZ")], precision=0.05).result()[0].data
    assert float(data.stds) <= 0.05
    assert abs(float(data.evs) - 0.9) <= SIGMAS * 0.05


def test_qiskits_own_primitives_run_on_the_backend(backend: QuantumCircuitsBackend) -> None:
    """BackendSamplerV2 and BackendEstimatorV2, which ask for memory and commuting groups, are right too."""
    pair = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "left"), ClassicalRegister(1, "right"))
    pair.h(0)
    pair.cx(0, 1)
    pair.measure([0, 1], [0, 1])
    sampled = BackendSamplerV2(backend=backend).run([transpile(pair, backend)], shots=500).result()[0].data
    assert np.array_equal(sampled.left.array, sampled.right.array)
    circuit = transpile(ansatz().assign_parameters([0.4, 0.2]), backend)
    estimator = BackendEstimatorV2(backend=backend, options={"seed_simulator": 3})
    found: Any = estimator.run([(circuit, SparsePauliOp("ZI").apply_layout(circuit.layout))]).result()[0].data
    assert abs(float(found.evs) - math.cos(0.4) * math.cos(0.4)) <= SIGMAS * float(found.stds) + 1e-9


def test_many_bindings_are_split_and_joined(backend: QuantumCircuitsBackend) -> None:
    """1,200 bindings are two tasks, whose values come back in one array."""
    values = np.linspace(0, 6, 2400).reshape(1200, 2)
    job = EstimatorV2(backend).run([(ansatz(), "IZ", values)])
    assert len(job.task_ids) == 2
    np.testing.assert_allclose(job.result()[0].data.evs, np.cos(values[:, 0]), atol=1e-12)
