"""The worker against the oracle: generated dynamic programs, with noise, by every method and setting."""

from __future__ import annotations

import ast
import math
import random
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import admission
import aer
import aer_noise
import simulator
from plain_qiskit import PlainQiskit, script_of
from tasks.errors import ErrorCode, TaskError
from tasks.options import Options
from truth import running
from truth.comparison import RISK, ROUNDING, entropy, exactly, faults, strays
from truth.programs import HEAD, Case, cases
from truth.running import judged, simulate, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXAMPLES = 300
SCRIPTS = 100  # of them whose scripts are judged too
READOUT = {"readout": {"prob_meas1_prep0": 0.1, "prob_meas0_prep1": 0.3}}


@dataclass(frozen=True)
class Judged:
    """A generated program, what was wrong with its run, its outcome, and the oracle's distribution of its counts."""

    case: Case
    wrong: list[str]
    outcome: dict[str, Any] | None
    right: Mapping[str, float] | None


@cache
def generated() -> list[Judged]:
    """Return programs that the worker ran and the oracle judged, each once."""
    seen: list[Judged] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def judge(case: Case) -> None:
        found, outcome = judged(case)
        right = None
        if outcome is not None and len([each for each in seen if each.right is not None]) < SCRIPTS:
            inputs = case.options.get("inputs")
            right = exactly(case.text, inputs[0] if inputs else None, case.options.get("noise")).probabilities
        seen.append(Judged(case, found, outcome, right))

    judge()
    return seen


def test_the_worker_is_right() -> None:
    """Each of these programs is judged once: a right worker would fail it in one of a million choices of seeds."""
    seen = generated()
    assert len(seen) == EXAMPLES
    assert [(each.case, each.wrong) for each in seen if each.wrong] == []


def test_scripts_of_the_same_programs_are_right() -> None:
    """Plain Qiskit gives the oracle's distribution; and the very counts where Aer ran a program as it stands."""
    some = [each for each in generated() if each.right is not None]
    assert len(some) == SCRIPTS
    with PlainQiskit() as plain:
        printed = plain.run(
            script_of(each.case.text, Options.from_dict(each.case.options), each.outcome or {}) for each in some
        )
    alike = 0
    for each, lines in zip(some, printed, strict=True):
        counts, options = ast.literal_eval(lines[0]), each.case.options
        rounding = ROUNDING[options.get("precision", "double")]
        assert list(strays(counts, each.right or {}, rounding)) == [], (each.case.text, options)
        assert each.outcome is not None
        result = each.outcome["result"][0] if options.get("inputs") else each.outcome["result"]
        alike += each.outcome["execution"]["engine"] == "qiskit-aer" and counts == result
    assert alike > SCRIPTS / 6


def a_case(statements: str, noise: dict[str, Any] | None = None, **more: Any) -> Case:
    """Return a task of 4,000 shots that runs on Aer as it is written."""
    options = {
        "shots": 4_000,
        "seed": 7,
        "memory": True,
        "method": "statevector",
        **({"noise": noise} if noise else {}),
        **more,
    }
    return Case(f"{HEAD} {statements}", f"{HEAD} {statements}", options)


def refuse(*_: object) -> None:
    """Fail as a circuit does that Aer does not run at all."""
    raise TaskError(ErrorCode.SIMULATION_ERROR, "The simulator refused the circuit.")


def as_ever() -> NoReturn:
    """End a run that no fault changes, as one that is refused for a reason."""
    raise TaskError(ErrorCode.UNSUPPORTED_FEATURE, "It runs as usual.")


def branching_with_noise(patch: pytest.MonkeyPatch) -> None:
    """Let shots branch under readout noise; programs that do not are right as usual, and need no run and no judge."""
    branches, on_aer = admission._branches, simulator._on_aer  # noqa: SLF001 - what is taken out, and what it changes
    changed = []

    def as_without_noise(stats: Any, *rest: Any) -> bool:
        found: bool = branches(replace(stats, noisy=False, misread=False), *rest)
        changed.append(found != branches(stats, *rest))
        return found

    patch.setattr(admission, "_branches", as_without_noise)
    patch.setattr(simulator, "_on_aer", lambda *given: on_aer(*given) if any(changed) else as_ever())
    patch.setattr(running, "faults", lambda *given, **more: faults(*given, **more) if any(changed) else [])


def every_measurement(patch: pytest.MonkeyPatch) -> None:
    """Leave dead measurements in the circuit."""
    patch.setattr(aer, "without", lambda circuit, steps: circuit)


def memory_as_it_comes(patch: pytest.MonkeyPatch) -> None:
    """Leave the memory of branches sorted."""
    patch.setattr(simulator, "_shuffled", lambda values, seed: values)


def aers_truncation(patch: pytest.MonkeyPatch) -> None:
    """Leave truncation on, and failed runs failed."""
    patch.setattr(aer, "_FLOW", ())
    patch.setattr(aer, "_run_plainly", refuse)


def truncation_of_what_is_measured_twice(patch: pytest.MonkeyPatch) -> None:
    """Leave truncation on where bits are measured twice."""
    run = aer._run  # noqa: SLF001 - what is called with the settings
    patch.setattr(aer, "_run", lambda circuit, settings: run(circuit, {**settings, "enable_truncation": True}))


def noise_drawn_once_a_shot(patch: pytest.MonkeyPatch) -> None:
    """Let Aer draw the noise of all rounds of a loop before the shot."""
    made = aer_noise.quantum_error
    patch.setattr(aer_noise, "quantum_error", lambda error, **_: made(error, rounds=False))


def bits_as_they_are(patch: pytest.MonkeyPatch) -> None:
    """Leave stored bits above the last measured one."""
    patch.setattr(aer, "with_last_bit_measured", lambda circuit: circuit)


ONE_AFTER_ANOTHER = "qubit q; bit a; bit b; x q; a = measure q; reset q; b = measure q;"
INTO_ONE_BIT = "qubit[2] q; bit c; x q[1]; c = measure q[1]; c = measure q[0];"
ROUNDS = (
    "qubit[2] q; bit c; bit g; x q[1]; g = measure q[1]; uint[2] n = 0; while (g && n < 2) { n += 1; x q[0]; }"
    " c = measure q[0];"
)
NEVER_MEASURED = (
    "qubit[2] r; qubit q; bit e; h q; e = measure q; if (e) { h r[0]; } h q; e = measure q; if (e) { h r[1]; }"
)


@pytest.mark.parametrize(
    ("fault", "case"),
    [
        (branching_with_noise, a_case(ONE_AFTER_ANOTHER, READOUT)),
        (every_measurement, a_case(INTO_ONE_BIT, READOUT)),
        (memory_as_it_comes, a_case("qubit q; bit a; bit b; h q; a = measure q; h q; b = measure q;")),
        (aers_truncation, a_case(NEVER_MEASURED)),
        (
            truncation_of_what_is_measured_twice,
            a_case("qubit[2] q; bit c; c = measure q[0]; x q[0]; c = measure q[1];", READOUT),
        ),
        (noise_drawn_once_a_shot, a_case(ROUNDS, {"depolarizing": {"one_qubit": 0.6}})),
        (noise_drawn_once_a_shot, a_case(ROUNDS, {"depolarizing": {"one_qubit": 0.6}}, method="matrix_product_state")),
        (bits_as_they_are, a_case("qubit q; bit c; bit d; x q; c = measure q; d = !c;", READOUT)),
    ],
)
def test_a_fault_of_aers_is_seen(fault: Callable[[pytest.MonkeyPatch], None], case: Case) -> None:
    """With what guards against it taken out, the comparison finds each of the faults that were known."""
    assert wrong(case) == []
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        assert wrong(case)


@pytest.mark.parametrize("fault", [branching_with_noise, bits_as_they_are])
def test_generated_programs_find_the_faults(fault: Callable[[pytest.MonkeyPatch], None]) -> None:
    """A fault, put back, is found by programs that nobody wrote for it, among the first thousand.

    So are the others, in the first thousand too; that takes minutes.
    """

    @settings(
        max_examples=1_000,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(cases())
    def search(case: Case) -> None:
        with pytest.MonkeyPatch.context() as patch:
            fault(patch)
            assert wrong(case) == []

    with pytest.raises(AssertionError):
        search()


@pytest.mark.parametrize(
    ("statements", "keys"),
    [
        ("qubit[1] q; bit[2] c; c[0] = measure q[0]; sx q[0]; if (c != 0) { reset q[0]; } c[0] = measure q[0];", 2),
        ("qubit[1] q; bit[2] c; bit[2] d; bit e; sx q[0]; d[0] = measure q[0]; reset q[0]; d[1] = measure q[0];", 7),
    ],
)
def test_constant_bits_stay_in_the_keys(statements: str, keys: int) -> None:
    """What reducing has found to be constant is counted, with the registers' spaces, whatever engine runs the rest."""
    noise = {"readout": {"prob_meas1_prep0": 0.05, "prob_meas0_prep1": 0.05}}
    case = Case(f"{HEAD} {statements}", f"{HEAD} {statements}", {"shots": 2000, "seed": 2, "noise": noise})
    assert wrong(case) == []
    single = Case(case.text, case.before, {**case.options, "precision": "single"})
    assert wrong(single) == []
    assert {len(key) for key in simulate(single)["result"]} == {keys}


@pytest.mark.parametrize(
    "statements",
    [
        "qubit[4] q; bit[1] c; bit[2] d; reset q[0]; reset q[0]; t q[3]; x q[1]; c = measure q[1]; c = measure q[3];",
        "qubit[2] q; bit[1] c; bit[1] d; c = measure q[0]; if (!c[0]) { t q[0]; } ry(1) q[0]; d = measure q[0];",
        "qubit[3] q; bit[3] c; for int i in [0:2] { ry(1) q[i]; c[i] = measure q[i]; h q[i]; c[i] = measure q[i]; }",
    ],
)
def test_shots_that_forked_are_mixed(statements: str) -> None:
    """Shots of several branches have no order, in the memory and where independent parts are put side by side."""
    noise = {**READOUT, "depolarizing": {"one_qubit": 0.3, "two_qubit": 0.05}}
    case = Case(
        f"{HEAD} {statements}", f"{HEAD} {statements}", {"shots": 2000, "seed": 5, "memory": True, "noise": noise}
    )
    assert wrong(case) == []


def test_fusion_keeps_what_is_assigned() -> None:
    """Two-qubit gates that are fused around a classical assignment do not take it away."""
    case = a_case("qubit[2] q; bit c; bit b; c = measure q[0]; b = !c; ch q[1], q[0]; c = measure q[1];")
    for method in ("statevector", "density_matrix"):
        assert wrong(replace(case, fusion=1, options={**case.options, "method": method})) == []


def test_a_right_sampler_passes_and_a_slightly_wrong_one_does_not() -> None:
    """Of 2,000 draws of 1,000 shots none is called wrong; a bias of a few hundredths in 10,000 shots is seen."""
    chance = random.Random(5)
    exact = {"00": 0.5, "01": 0.25, "10": 0.125, "11": 0.125}

    def drawn(shots: int, weights: dict[str, float]) -> dict[str, int]:
        keys = chance.choices(list(weights), list(weights.values()), k=shots)
        return {key: keys.count(key) for key in weights}

    assert [found for _ in range(2_000) for found in strays(drawn(1_000, exact), exact)] == []
    assert list(strays(drawn(10_000, {"00": 0.5, "01": 0.25, "10": 0.16, "11": 0.09}), exact))


def test_the_bound_is_kept_by_coins_of_any_bias() -> None:
    """exp(-N D) is above the exact tail of the binomial distribution, which is what RISK rests on."""
    shots = 60
    for chance in (0.01, 0.2, 0.5, 0.9):
        point = [math.comb(shots, k) * chance**k * (1 - chance) ** (shots - k) for k in range(shots + 1)]
        for seen in range(math.ceil(shots * chance), shots + 1):
            assert math.fsum(point[seen:]) <= math.exp(-shots * entropy(seen / shots, chance)) * (1 + 1e-9)


def test_what_is_impossible_is_wrong_at_once() -> None:
    """One shot of an outcome that cannot be is enough, as are keys of another shape and shots that are missing."""
    options = {"shots": 3}
    text = f"{HEAD} qubit q; bit[2] c; x q; c[1] = measure q;"
    assert faults(text, options, {"result": {"10": 3}}) == []
    assert faults(text, options, {"result": {"10": 2, "00": 1}})
    assert faults(text, options, {"result": {"1 0": 3}})
    assert faults(text, options, {"result": {"10": 2}})
    assert RISK == 1e-6
