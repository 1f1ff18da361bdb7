"""Each reduction, all of them together, and each engine: the distribution stays as it is, noise included."""

from __future__ import annotations

import math
import random
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import reader
import simulator
import stim_engine
from admission import Budget
from circuit_stats import read_stats
from counts import count
from integration.runner.random_programs import HEAD, Writer, alike
from planner import choose
from reader.noisy import noisy
from reader.operations import Gate, If, Measure, Reset, Store, While, kinds_of, walk
from reductions import GiveUp, Steps, cone, known, reuse
from reductions.cone import light_cone
from reductions.known import fold
from reductions.parts import split
from reductions.reuse import reuse_qubits
from tasks.options import Noise, NoiseModel, Options
from trajectories import Runner

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.operations import Compiled

BUDGET = Budget(2**30, 60.0, 2**30, 60.0)
SHOTS = 4_000
PROGRAMS = 60

REDUCTIONS: dict[str, Callable[[Compiled], Compiled]] = {
    "known values": lambda program: fold(program, Steps(10**6)),
    "light cone": lambda program: light_cone(program, Steps(10**6)),
    "reused qubits": lambda program: reuse_qubits(program, Steps(10**6)),
    "all of them": lambda program: reuse_qubits(light_cone(fold(program, Steps(10**6)), Steps(10**6)), Steps(10**6)),
}


def compiled(text: str, noise: Noise | NoiseModel | None = None) -> Compiled:
    """Return a program's operations, its noise among them."""
    if noise is None:
        return next(reader.compile_each(text, [{}]))
    return noisy(next(reader.compile_each(text, [{}], whole=True)), noise.rules())


def sampled(program: Compiled, seed: int) -> dict[str, int]:
    """Return counts of the program as it stands."""
    return count(Runner(program, np.random.default_rng(seed)).outcomes(SHOTS).distinct(), program.outputs)


RULES: list[dict[str, Any]] = [
    {"channel": "amplitude_damping", "gamma": 0.3, "gates": ["x", "h", "cx"]},
    {"channel": "thermal_relaxation", "t1": 1.0, "t2": 0.8, "time": 0.2, "excited_state_population": 0.2},
    {"channel": "kraus", "operators": [[[0.8, 0], [0, 0.8]], [[0, 0.6], [0.6, 0]]], "gates": ["measure"]},
    {"channel": "coherent", "unitary": [[0.8, -0.6], [0.6, 0.8]], "qubits": [0]},
    {"channel": "reset", "probability": 0.3, "state": 1, "gates": ["two_qubit"]},
    {"channel": "pauli", "probabilities": {"XZ": 0.2, "IY": 0.1}, "when": "before"},
    {"channel": "phase_flip", "probability": 0.3},
    {"channel": "readout", "prob_meas1_prep0": 0.2, "qubits": [1]},
]


def random_program(seed: int, *, clifford: bool = False) -> tuple[str, Noise | NoiseModel | None]:
    """Return a program and, for every second one, noise for it."""
    chance = random.Random(seed)
    text = Writer(seed, chance.choice([2, 3, 4]), clifford=clifford).program(chance.choice([4, 8, 12, 20]))
    noise: Noise | NoiseModel | None = None
    if chance.random() < 0.5:
        on_gates = (
            (0.0, 0.0) if "ccx" in text or "cswap" in text else (chance.choice([0, 0.1]), chance.choice([0, 0.2]))
        )
        noise = Noise(*on_gates, chance.choice([0, 0.1]), chance.choice([0, 0.1, 0.3]))
        if chance.random() < 0.5:
            noise = NoiseModel.from_dict({"rules": chance.sample(RULES, chance.randint(1, 3))})
    return text, noise


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_a_reduction_keeps_the_distribution(name: str, seed: int) -> None:
    """A program and what a reduction makes of it are sampled alike; one in ten million may differ by chance."""
    text, noise = random_program(seed)
    program = compiled(text, noise)
    assert alike(sampled(program, 1), sampled(REDUCTIONS[name](program), 2)), text


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_what_the_planner_chooses_is_what_aer_runs(seed: int) -> None:
    """Reduced, in parts, on whatever engine: as Aer runs the program as it is written."""
    text, noise = random_program(1_000 + seed)
    options = Options(shots=SHOTS, seed=5, noise=noise)
    ours = simulator.simulate(text, options, BUDGET)["result"]
    assert alike(ours, sampled(compiled(text, noise), 6)), text
    if "while" not in text:  # Aer 0.18.2 refuses some programs of tests after loops ("invalid cbit index")
        assert alike(ours, simulator.simulate(text, replace(options, method="statevector"), BUDGET)["result"]), text


@pytest.mark.parametrize("seed", range(4 * PROGRAMS))
def test_what_stim_can_say_it_says_right(seed: int) -> None:
    """A Clifford program that fits Stim's language, feedback and noise included, is sampled as by statevectors."""
    text, noise = random_program(2_000 + seed, clifford=True)
    program = compiled(text, noise)
    sampler = stim_engine.translate(program)
    if sampler is not None:
        theirs = count(stim_engine.sample(sampler, SHOTS, 3).distinct(), program.outputs)
        assert alike(sampled(program, 4), theirs), text


CORRECTED = """ry(1) q[1]; h q[2]; cx q[2], q[0]; c[0] = measure q[0]; if (c[0]) x q[1];
c[1] = measure q[1]; c[2] = measure q[2];"""


@pytest.mark.parametrize(
    ("module", "name", "wrong", "body"),
    [
        (cone, "is_diagonal_on", lambda *_: True, "h q[0]; c[0] = measure q[0];"),
        (cone, "MONOMIAL", frozenset({"h"}), "h q[0]; t q[0]; h q[0]; c[0] = measure q[0];"),
        (known, "DIAGONAL", frozenset({"h"}), "h q[0]; c[0] = measure q[0];"),
        (known, "_FEWER", {"cx": ("z",)}, "x q[0]; cx q[0], q[1]; c = measure q;"),
        (reuse, "cells_read", lambda _: (), CORRECTED),
    ],
)
def test_a_reduction_broken_on_purpose_is_caught(
    module: Any, name: str, wrong: object, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison above passes, and fails once a rule is wrong."""
    program = compiled(f"{HEAD}qubit[3] q; bit[3] c; {body}")
    expected = sampled(program, 1)
    assert alike(expected, sampled(REDUCTIONS["all of them"](program), 2))
    monkeypatch.setattr(module, name, wrong)
    assert not alike(expected, sampled(REDUCTIONS["all of them"](program), 2))


def test_the_cone_keeps_what_reaches_the_counts() -> None:
    """Gates before nothing, diagonal gates before measurements and unread measurements go; noisy ones stay."""
    text = f"{HEAD}qubit[3] q; output bit a; bit b; h q[0]; t q[0]; cz q[0], q[1]; h q[2]; b = measure q[2];"
    program = compiled(f"{text} a = measure q[0];")
    kept = light_cone(program, Steps(1_000)).operations
    assert [(each.name, each[-1] if each.name != "measure" else each[0]) for each in kept] == [
        ("h", (0,)),
        ("measure", 0),
    ]
    erring = compiled(f"{text} a = measure q[0];", Noise(one_qubit=0.1, two_qubit=0.1))
    kept = light_cone(erring, Steps(1_000)).operations
    assert [each.name for each in kept] == ["h", "channel", "channel", "channel", "measure"]


def test_known_values_fold() -> None:
    """Controls on |0>, tests on known bits, swaps and repeated measurements leave assignments and what is unknown."""
    text = f"{HEAD}qubit[3] q; bit[3] c; cx q[0], q[1]; x q[0]; cx q[0], q[1]; swap q[1], q[2]; c[0] = measure q[2];"
    folded = fold(compiled(f"{text} if (c[0]) {{ h q[1]; }} c[1] = measure q[1]; c[2] = measure q[1];"), Steps(1_000))
    assert [each.name for each in folded.operations] == ["x", "x", "store", "h", "measure", "store"]


def test_a_chain_of_teleportations_needs_three_qubits() -> None:
    """Of 21 qubits that fall free one after the other, three are in use at a time."""
    steps = ["ry(0.4) q[0];"]
    for pair in range(10):
        a, b, c = 2 * pair, 2 * pair + 1, 2 * pair + 2
        steps += [f"h q[{b}]; cx q[{b}], q[{c}]; cx q[{a}], q[{b}]; h q[{a}]; c[{a}] = measure q[{a}];"]
        steps += [f"c[{b}] = measure q[{b}]; if (c[{b}]) x q[{c}]; if (c[{a}]) z q[{c}];"]
    text = f"{HEAD}qubit[21] q; bit[20] c; output bit o; {' '.join(steps)} o = measure q[20];"
    outcome = simulator.simulate(text, Options(shots=2_000, seed=3), BUDGET)
    assert outcome["execution"]["reduced"]["qubits"] == [21, 3]
    assert alike(outcome["result"], {"0": 9_605, "1": 395})  # sin(0.2)^2 = 0.0395


def test_independent_parts_run_apart() -> None:
    """Two halves of 12 qubits are two parts, and their shots are joined without a trace of either in the other."""
    half = "".join(f"ry(0.9) q[{{0}}+{i}]; cx q[{{0}}+{i}], q[{{0}}+{(i + 1) % 12}];" for i in range(12))
    text = f"{HEAD}qubit[24] q; bit[24] c; {half.replace('{0}', '0')} {half.replace('{0}', '12')} c = measure q;"
    program = compiled(text)
    options = Options(shots=SHOTS, seed=3)
    route = choose(program, read_stats(program), options, BUDGET)
    assert route.reduced is not None
    assert (route.reduced["parts"], len(route.pieces)) == ([1, 2], 2)
    assert route.bytes < 16 * 2**24 / 2
    found = simulator.simulate(text, Options(shots=SHOTS, seed=3, memory=True), BUDGET)["memory"]
    pairs: dict[str, int] = {}
    expected: dict[str, int] = {}
    for shot, (one, other) in enumerate(zip(found, [*found[1:], found[0]], strict=True)):
        assert len(one) == 24, shot
        pairs[one[0] + one[-1]] = pairs.get(one[0] + one[-1], 0) + 1
        expected[one[0] + other[-1]] = expected.get(one[0] + other[-1], 0) + 1
    assert alike(pairs, expected)


def test_two_halves_take_a_hundredth_of_the_memory_of_one_state() -> None:
    """Of the 256 MiB that a state of 24 qubits takes, two entangled halves of 12 need less than 2.56, all in all."""
    half = "".join(f"ry(0.9) q[{{0}}+{i}]; cx q[{{0}}+{i}], q[{{0}}+{(i + 5) % 12}];" for i in range(12))
    halves = "".join(half.replace("{0}", str(first)) for first in (0, 12))
    text = f"{HEAD}qubit[24] q; bit[24] c; {halves * 2} c = measure q;"
    simulator.simulate(text, Options(seed=3), BUDGET)  # what is loaded once is no part of it
    tracemalloc.start()
    try:
        execution = simulator.simulate(text, Options(seed=3), BUDGET)["execution"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert execution["engine"] == "trajectories"  # whose memory is NumPy's, which is traced
    assert peak <= 16 * 2**24 / 100


def test_stores_that_nothing_needs_wait_until_the_end() -> None:
    """A parity of two parts does not join them."""
    text = f"{HEAD}qubit[2] q; bit[2] c; output bit p; h q; c = measure q; p = c[0] ^ c[1];"
    parts, tail = split(compiled(text), Steps(1_000))
    assert (len(parts), [each.name for each in tail]) == (2, ["store"])


def test_reductions_end() -> None:
    """Where the work would be more than is allowed they give up, and the planner runs the program as it is."""
    program = compiled(Writer(7, 4).program(200))
    for reduction in (fold, light_cone):
        with pytest.raises(GiveUp):
            reduction(program, Steps(50))
    with pytest.raises(GiveUp):
        reuse_qubits(program, Steps(50))
    with pytest.raises(GiveUp):
        split(program, Steps(50))


def test_what_goes_wrong_while_planning_fails_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program then runs on Aer as it is written."""

    def gives_up(*_: object) -> None:
        raise GiveUp

    monkeypatch.setattr("planner.fold", gives_up)
    text = f"{HEAD}qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; if (c[0]) x q[1]; c[1] = measure q[1];"
    outcome = simulator.simulate(text, Options(shots=100, seed=3), BUDGET)
    assert (outcome["execution"]["engine"], set(outcome["result"])) == ("qiskit-aer", {"00", "11"})


def test_lives_are_reset_where_a_place_was_used() -> None:
    """A qubit that takes another's place starts in |0>."""
    text = f"{HEAD}qubit[2] q; bit[2] c; x q[0]; c[0] = measure q[0]; c[1] = measure q[1];"
    operations = reuse_qubits(compiled(text), Steps(1_000)).operations
    assert [type(each) for each in operations] == [Gate, Measure, Reset, Measure]


def test_lives_apart_keep_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each life of a qubit and each measurement apart, noise included: programs without tests are sampled alike."""
    monkeypatch.setattr("planner.APART_S", 0.0)
    monkeypatch.setattr("planner.PART_S", -1.0)
    apart = 0
    for seed in range(3_000, 3_300):
        text, noise = random_program(seed)
        program = compiled(text, noise)
        stats = read_stats(program)
        if {If, While} & kinds_of(program.operations) or Reset not in kinds_of(program.operations) or stats.clifford:
            continue
        apart += 1
        ours = simulator.simulate(text, Options(shots=SHOTS, seed=5, noise=noise), BUDGET)["result"]
        assert alike(ours, sampled(program, 6)), text
    assert apart > 20


@pytest.mark.parametrize(
    ("bound", "parts"), [({}, 40), ({"APART_BYTES": 1_000}, None), ({"MOST_PARTS": 39}, None), ({"PART_S": 1.0}, None)]
)
def test_rounds_that_are_added_up_are_parts(
    bound: dict[str, float], parts: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounds of one qubit, whose results go into one bit, are parts, unless that takes too much memory or time."""
    for name, value in ({"APART_S": 0.0, "PART_S": 0.0} | bound).items():
        monkeypatch.setattr(f"planner.{name}", value)
    body = "reset q; ry(0.1) q; rx(0.1) q; c = measure q; p ^= c;"
    text = f"{HEAD}qubit q; bit c; output bit p; p = 0; for int i in [0:39] {{ {body} }}"
    outcome = simulator.simulate(text, Options(shots=SHOTS, seed=1), BUDGET)
    assert outcome["execution"]["reduced"].get("parts") == (parts and [1, parts])
    odd = (1 - math.cos(0.1) ** 80) / 2
    assert abs(outcome["result"]["1"] / SHOTS - odd) < 5.5 * math.sqrt(0.25 / SHOTS)  # one in 26 million is further off


def test_each_round_of_resets_reuses_qubits_by_itself() -> None:
    """Ten times the rounds take ten times the work, not a hundred times, and as few qubits."""
    spent = []
    for rounds in (30, 300):
        body = "reset q; h q[0]; for int i in [0:2] { cx q[i], q[i + 1]; } b = measure q; p ^= b[0] ^ b[3];"
        text = f"{HEAD}qubit[4] q; bit[4] b; output bit p; p = 0; for int j in [1:{rounds}] {{ {body} }}"
        steps = Steps(10**9)
        assert reuse_qubits(compiled(text), steps).registers == [("q", 2)]
        spent.append(10**9 - steps.left)
    assert spent[1] < 11 * spent[0]


def test_a_program_is_reduced_though_reusing_its_qubits_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs with all else that was done to it."""

    def gives_up(*_: object) -> None:
        raise GiveUp

    monkeypatch.setattr("planner.reuse_qubits", gives_up)
    body = "ry(1) q; cx q[0], q[1]; cx q[1], q[2]; c = measure q[2]; if (c) x q[1]; c = measure q[1];"
    text = f"{HEAD}qubit[5] q; bit c; {body}"
    execution = simulator.simulate(text, Options(shots=100, seed=3), BUDGET)["execution"]
    assert execution["reduced"]["qubits"] == [5, 3]


def test_a_named_method_runs_the_program_as_it_is_written() -> None:
    """Two qubits that nothing measures stay where the sender asks for a statevector."""
    text = f"{HEAD}qubit[3] q; bit c; t q; h q; c = measure q[0];"
    execution = simulator.simulate(text, Options(shots=5, seed=1, method="statevector"), BUDGET)["execution"]
    assert (execution["engine"], execution["method"], "reduced" in execution) == ("qiskit-aer", "statevector", False)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("memory", [2**28, 2**32])
def test_the_machine_does_not_decide_the_counts(threads: int, memory: int) -> None:
    """Threads and memory are what the budget says, counts what the seed says."""
    text = Writer(11, 4).program(20)
    options = Options(shots=500, seed=9)
    reference = simulator.simulate(text, options, BUDGET)["result"]
    assert simulator.simulate(text, options, Budget(memory, 60.0, memory, 60.0, threads))["result"] == reference


def test_stims_samples_are_those_of_every_build() -> None:
    """A seed's samples are pinned: another version or vector width of Stim that samples otherwise is noticed here."""
    noise = Noise(one_qubit=0.01 * 4 / 3, prob_meas1_prep0=0.02, prob_meas0_prep1=0.02)
    program = compiled(f"{HEAD}qubit[3] q; bit[3] c; h q; cx q[0], q[1]; c = measure q;", noise)
    sampler = stim_engine.translate(program)
    assert sampler is not None
    found = count(stim_engine.sample(sampler, 100, 7).distinct(), program.outputs)
    assert found == {"000": 9, "001": 11, "010": 13, "011": 15, "100": 15, "101": 8, "110": 16, "111": 13}


def test_reductions_make_no_operation_of_another_kind() -> None:
    """What comes out is the reader's own records."""
    kinds = (Gate, If, Measure, Reset, Store)
    program = REDUCTIONS["all of them"](compiled(Writer(5, 4).program(20)))
    assert all(isinstance(each, kinds) or each.name == "while" for each in walk(program.operations))
