"""Noise models as requests bring them: what is refused, by which field, and within which bounds."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import TaskError
from tasks.noise import channels
from tasks.noise.named import MODELS
from tasks.noise.reading import read
from tasks.options import NoiseModel, Options

HALF = [[0.5**0.5, 0], [0, 0.5**0.5]]


def rule(**fields: Any) -> dict[str, Any]:
    """Return a noise of one rule, by default a bit flip."""
    return {"rules": [{"channel": "bit_flip", "probability": 0.1, **fields}]}


def error(**fields: Any) -> dict[str, Any]:
    """Return a noise of one of Aer's errors, by default a bit flip after every x."""
    given = {
        "type": "qerror",
        "operations": ["x"],
        "probabilities": [0.9, 0.1],
        "instructions": [[{"name": "id", "qubits": [0]}], [{"name": "x", "qubits": [0]}]],
    }
    return {"errors": [given | fields]}


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ({"rules": 3}, "noise.rules must be a list of at most 1000 rules."),
        ({"rules": [3]}, "noise.rules[0] must be an object."),
        ({"rules": [{"channel": []}]}, "noise.rules[0].channel must be one of depolarizing, bit_flip, "),
        (rule(probability=-0.1), "noise.rules[0].probability must be a probability between 0 and 1."),
        (rule(probability=True), "noise.rules[0].probability must be a probability between 0 and 1."),
        (rule(probability=10**400), "noise.rules[0].probability must be a probability between 0 and 1."),
        (rule(p=1), "noise.rules[0] has no 'p'; it takes channel, gates, qubits, when, probability."),
        (rule(when="now"), "noise.rules[0].when must be before or after."),
        (rule(gates=[]), "noise.rules[0].gates must be a list of names of gates, measure, reset, delay, idle, "),
        (rule(gates=["idle"]), "noise.rules[0].gates: waiting (idle) has thermal_relaxation alone"),
        (rule(qubits=[-1]), "noise.rules[0].qubits[0] must be a qubit's number, from 0 to 1023."),
        (rule(qubits=[[1, 1]]), "noise.rules[0].qubits[0] has a qubit twice."),
        ({"rules": [{"channel": "bit_flip"}]}, "noise.rules[0].probability is missing; bit_flip needs probability."),
        (
            {"rules": [{"channel": "pauli", "probabilities": {"X": 0.9, "Z": 0.2}}]},
            "add up to 1.1; they may not exceed",
        ),
        ({"rules": [{"channel": "pauli", "probabilities": {"I": 0.5, "Z": 0.2}}]}, "add up to 0.7"),
        ({"rules": [{"channel": "pauli", "probabilities": {"X": 0.1, "XX": 0.1}}]}, "must have strings of 1 letters"),
        ({"rules": [{"channel": "pauli", "probabilities": {"A": 0.1}}]}, "must have strings of 1 letters"),
        (
            {"rules": [{"channel": "thermal_relaxation", "t1": 1, "t2": 2.1, "time": 1}]},
            "noise.rules[0].t2 must be at most twice t1",
        ),
        ({"rules": [{"channel": "thermal_relaxation", "t1": 1, "t2": 1}]}, "noise.rules[0].time is missing"),
        ({"rules": [{"channel": "thermal_relaxation", "t1": 0, "t2": 1, "time": 1}]}, "must be more than 0 seconds"),
        ({"rules": [{"channel": "reset", "probability": 1, "state": 2}]}, "noise.rules[0].state must be 0 or 1."),
        (
            {"rules": [{"channel": "kraus", "operators": [HALF]}]},
            "noise.rules[0].operators do not preserve the trace: the sum of K^dagger K misses the identity by 0.5; ",
        ),
        ({"rules": [{"channel": "kraus", "operators": [[[1, 0]]]}]}, "operators[0] must be a square matrix of 2, 4, 8"),
        (
            {"rules": [{"channel": "kraus", "operators": [[[1, 0], [0]]]}]},
            "operators[0][1] must be a row of 2 numbers.",
        ),
        ({"rules": [{"channel": "kraus", "operators": [[[1, 0], [0, "1"]]]}]}, "operators[0][1][1] must be a number"),
        ({"rules": [{"channel": "coherent", "unitary": HALF}]}, "noise.rules[0].unitary is not unitary"),
        ({"model": "ibmq_atlantis"}, "noise.model must be one of ibmq_lima, ibmq_mumbai."),
        ({"model": ["ibmq_lima"]}, "noise.model must be one of"),
        ({"durations": {"x": -1}}, "noise.durations.x must be seconds, from 0 to 1e+06."),
        ({"rules": [], "depolarizing": {"one_qubit": 2}}, "noise.one_qubit must be a probability"),
        (error(type="x"), "noise.errors[0].type must be qerror or roerror."),
        (error(probabilities=[1.1, -0.1]), "noise.errors[0].probabilities[0] must be a probability between 0 and 1."),
        (error(probabilities=[0.5, 0.1]), "noise.errors[0].probabilities add up to 0.6, not to 1."),
        (error(probabilities=[1.0]), "noise.errors[0] must have as many probabilities as lists of instructions"),
        (error(gate_qubits=[[0, 1]]), "noise.errors[0].gate_qubits must have 1 qubits each, as its error has."),
        (
            error(instructions=[[], [{"name": "h", "qubits": [0]}]]),
            "noise.errors[0].instructions[1][0].name must be id, x, y, z, reset, or pauli, kraus, unitary with params.",
        ),
        (
            error(instructions=[[], [{"name": "kraus", "qubits": [0], "params": [HALF]}]]),
            "noise.errors[0].instructions[1][0].params do not preserve the trace",
        ),
        (
            error(instructions=[[], [{"name": "pauli", "qubits": [0], "params": ["XX"]}]]),
            "noise.errors[0].instructions[1][0].params must have a Pauli string of 1 letters.",
        ),
        (
            {"errors": [{"type": "roerror", "probabilities": [[0.5, 0.4], [0, 1]]}]},
            "noise.errors[0].probabilities[0] add up to 0.9, not to 1.",
        ),
        (
            {"errors": [{"type": "roerror", "probabilities": [[10**400, 0.4], [0, 1]]}]},
            "noise.errors[0].probabilities[0] must be a probability",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(noise: dict[str, Any], message: str) -> None:
    """The sentence begins with the field's path."""
    with pytest.raises(ValueError, match=r"^noise\.") as caught:
        Options.from_dict({"noise": noise})
    assert message in str(caught.value)


def test_sizes_are_bounded() -> None:
    """Operators, rules, errors and their terms: each has a limit, reached before any of it is worked out."""
    operators = [[[1, 0], [0, 1]]] + [[[0, 0], [0, 0]]] * 63
    many = {"rules": [{"channel": "kraus", "operators": operators}] * 300}
    with pytest.raises(ValueError, match="exceeds the limit of 65,536 numbers"):
        read(many)
    with pytest.raises(ValueError, match="at most 1000 rules"):
        read({"rules": [{}] * 1_001})
    with pytest.raises(ValueError, match="the limit is 1,024"):
        read(error(probabilities=[1 / 2_000] * 2_000, instructions=[[]] * 2_000))
    with pytest.raises(ValueError, match="exceeds the limit of 50,000 terms"):
        read({"errors": error(probabilities=[1.0, *[0.0] * 999], instructions=[[]] * 1_000)["errors"] * 51})


def test_the_most_that_may_come_is_read_within_the_time_of_a_request() -> None:
    """The largest model in its numbers, and the largest of terms, each in less CPU than a circuit may take."""
    size = 8
    one = [[float(row == column) for column in range(size)] for row in range(size)]
    none = [[0.0] * size] * size
    numbers = {"rules": [{"channel": "kraus", "operators": [one] + [none] * 63}] * 16}
    step = [{"name": "pauli", "qubits": [0, 1], "params": ["XY"]}] * 3
    terms = {"errors": error(probabilities=[0.001] * 1_000, instructions=[step] * 1_000)["errors"] * 50}
    for noise in (numbers, terms):
        started = time.thread_time()
        read(noise)
        assert time.thread_time() - started < 5  # 0.2 and 0.5 seconds on an idle core


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text("IXcz", max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "channel",
                        "gates",
                        "qubits",
                        "when",
                        "probability",
                        "probabilities",
                        "t1",
                        "t2",
                        "time",
                        "operators",
                        "unitary",
                        "gamma",
                        "state",
                        "type",
                        "name",
                        "instructions",
                        "operations",
                        "gate_qubits",
                        "params",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
    ),
    st.sampled_from(["depolarizing", "pauli", "kraus", "coherent", "thermal_relaxation", "reset", "readout"]),
)
@settings(deadline=None, max_examples=300)
def test_any_json_is_read_or_refused(found: Any, channel: str) -> None:
    """No value raises anything but ValueError."""
    if isinstance(found, dict):
        kinds: list[dict[str, Any]] = [
            {"rules": [{"probability": 0.1, "gamma": 0.1, **found, "channel": channel}]},
            {"errors": [{"type": "qerror", **found}]},
            {"errors": [{**found, "type": "roerror"}]},
        ]
    else:
        kinds = [{"rules": found}, {"errors": found}, {"model": found}, {"durations": found}, {"rules": [found]}]
    for noise in kinds:
        try:
            Options.from_dict({"noise": noise})
        except ValueError as error:
            assert str(error).startswith("noise")  # noqa: PT017 - most of them raise


def test_a_model_survives_its_row() -> None:
    """What `as_dict` gives is JSON that makes the same options."""
    noise = {**rule(gates="x"), **error(), "model": "ibmq_lima", "durations": {"x": 1e-8}, "readout": {}}
    options = Options.from_dict({"noise": noise})
    assert isinstance(options.noise, NoiseModel)
    assert Options.from_dict(json.loads(json.dumps(options.as_dict()))) == options
    assert (options.noise.on_gates, options.noise.on_readout) == (True, True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"qubits": [2]}, "noise.rules[0] (bit_flip) is for qubit 2; the circuit has 2 qubits."),
        ({"qubits": [[0, 5]]}, "noise.rules[0] (bit_flip) is for qubit 5; the circuit has 2 qubits."),
        ({"gates": ["hadamard"]}, "noise.rules[0] (bit_flip) is for 'hadamard', which is not a gate of the standard"),
    ],
)
def test_rules_for_what_there_is_not_are_refused(fields: dict[str, Any], message: str) -> None:
    """A rule of the request's own must be for qubits and gates that there are."""
    with pytest.raises(TaskError) as caught:
        read(rule(**fields)).refuse_unknown(2, {"x", "cx"})
    assert (str(caught.value.code), message in caught.value.message) == ("invalid_inputs", True)
    assert caught.value.hint


def test_a_device_may_have_more_qubits_and_gates() -> None:
    """Rules of a named model and of Aer's are for a device, of which a program uses a part."""
    read({"model": "ibmq_mumbai", **error(operations=["my_gate"], gate_qubits=[[26]])}).refuse_unknown(1, {"x"})


@pytest.mark.parametrize("name", MODELS)
def test_a_named_model_states_where_it_comes_from(name: str) -> None:
    """Its rules are what a request may send, and its source, day and licence are there."""
    shown = MODELS[name].as_dict()
    assert all(shown[field] for field in ("source", "date", "license"))
    assert len(read({"rules": shown["rules"]}).rules) == len(read({"model": name}).rules)
    assert shown["num_qubits"] == {"ibmq_lima": 5, "ibmq_mumbai": 27}[name]


def test_errors_merge_equal_paulis_and_leave_the_identity_out() -> None:
    """XY times ZY is iY on one place and the identity on the other; probabilities add up."""
    product = [channels.pauli("XY"), channels.pauli("ZY")]
    made = channels.Error(2, [(0.5, ()), (0.2, product), (0.2, [channels.pauli("YI")]), (0.1, [channels.pauli("II")])])
    assert made.stay == pytest.approx(0.6)
    assert made.terms == ((pytest.approx(0.4), (channels.Step("pauli", (1,), "Y"),)),)
