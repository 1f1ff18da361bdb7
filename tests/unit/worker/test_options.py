"""The request's options: what is accepted, what is refused, and the way through JSON and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.options import MAX_SEED, Method, Noise, Options, Precision

PROBABILITIES = st.floats(0, 1)


def test_defaults_are_the_api_s() -> None:
    """An empty request runs 1024 shots, unseeded, with the automatic method in double precision."""
    assert Options.from_dict({}).as_dict() == {}
    assert (
        Options().shots,
        Options().seed,
        Options().method,
        Options().precision,
        Options().memory,
    ) == (1024, None, "automatic", "double", False)


@given(
    shots=st.integers(1, 100_000),
    seed=st.none() | st.integers(0, MAX_SEED),
    method=st.sampled_from(list(Method)),
    precision=st.sampled_from(list(Precision)),
    memory=st.booleans(),
    noise=st.none() | st.builds(Noise, PROBABILITIES, PROBABILITIES, PROBABILITIES, PROBABILITIES),
    observables=st.none()
    | st.lists(st.lists(st.tuples(st.text("IXYZ", min_size=2, max_size=2), st.floats(-9, 9)), min_size=1, max_size=3)),
)
def test_options_survive_json(**named: Any) -> None:
    """What as_dict writes, from_dict reads back the same, through JSON."""
    options = Options(**named)
    assert options == Options.from_dict(json.loads(json.dumps(options.as_dict())))


@pytest.mark.parametrize(
    "given",
    [
        [{"XX": 1.0, "ZI": 0.5}],
        [[["XX", 1.0], ["ZI", 0.5]]],
        ((("XX", 1), ("ZI", 0.5)),),
    ],
)
def test_observables_have_three_spellings(given: Any) -> None:
    """Mappings, lists of pairs and tuples mean the same Pauli sum."""
    assert Options(observables=given).observables == ((("XX", 1.0), ("ZI", 0.5)),)


def test_a_pauli_string_is_an_observable() -> None:
    """A bare string has the coefficient 1."""
    assert Options(observables=["ZZ"]).observables == ((("ZZ", 1.0),),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"shots": 0}, "shots must be an integer between 1 and 100000."),
        ({"shots": 100_001}, "shots must be an integer between 1 and 100000."),
        ({"shots": True}, "shots must be an integer between 1 and 100000."),
        ({"seed": -1}, f"seed must be an integer between 0 and {MAX_SEED}."),
        (
            {"method": "magic"},
            f"method must be one of {', '.join(Method)}.",
        ),
        ({"precision": "half"}, "precision must be one of double, single."),
        ({"memory": 1}, "memory must be true or false."),
        ({"inputs": 3}, "inputs must be an object of names and values, or a list of such objects."),
        ({"inputs": [{}, 3]}, "inputs must be an object of names and values, or a list of such objects."),
        ({"inputs": []}, "inputs may be a list of 1 to 1000 bindings."),
        ({"inputs": [{}] * 1_001, "shots": 1}, "inputs may be a list of 1 to 1000 bindings."),
        (
            {"inputs": [{}] * 101, "shots": 10_000},
            "shots times the number of bindings in inputs may be at most 1000000.",
        ),
        ({"noise": 3}, "noise must be an object."),
        ({"noise": {"thermal": {}}}, "noise has no 'thermal'; it takes depolarizing and readout."),
        ({"noise": {"depolarizing": 0.1}}, "noise.depolarizing must be an object."),
        (
            {"noise": {"depolarizing": {"p": 0.1}}},
            "noise.depolarizing has no 'p'; it takes one_qubit and two_qubit.",
        ),
        (
            {"noise": {"depolarizing": {"one_qubit": 1.5}}},
            "noise.one_qubit must be a probability between 0 and 1.",
        ),
        ({"observables": "ZZ"}, "observables must be a list of Pauli sums."),
        ({"observables": ["ZA"]}, "A Pauli string is made of the letters I, X, Y and Z."),
        ({"observables": [{"ZZ": float("nan")}]}, "The coefficient of a Pauli string is a finite real number."),
        ({"observables": [{"ZZ": 1, "Z": 1}]}, "All Pauli strings of one observable have the same length."),
        (
            {"observables": [[]]},
            'An observable is a Pauli string, {"XX": 1.0} or [["XX", 1.0]], with at least one term.',
        ),
        ({"observables": ["Z"] * 101}, "observables may hold at most 100 Pauli sums."),
        ({"turbo": 1}, "There is no option 'turbo'."),
    ],
)
def test_a_bad_option_is_refused_with_a_sentence(given: dict[str, Any], sentence: str) -> None:
    """Every bad option raises ValueError and says what it takes."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared below
        Options.from_dict(given)
    assert sentence == str(caught.value)


def test_no_noise_is_no_model() -> None:
    """Noise that is all zero is left out, and so cannot slow the run."""
    assert Options(noise=Noise()).noise is None
    assert Options.from_dict({"noise": {}}).noise is None


def test_a_sweep_has_a_binding_for_each_run() -> None:
    """A list of inputs is kept in order; each binding has the options and the seed with which it runs alone."""
    sweep = Options.from_dict({"inputs": [{"a": 1}, {"a": 2}], "shots": 5, "memory": True})
    assert (sweep.is_sweep, sweep.bindings) == (True, ({"a": 1}, {"a": 2}))
    assert sweep.as_dict() == {"inputs": [{"a": 1}, {"a": 2}], "shots": 5, "memory": True}
    assert sweep.of_binding(1, 7) == Options(inputs={"a": 2}, seed=100_007, shots=5, memory=True)
    assert sweep.of_binding(1, MAX_SEED).seed == 99_999


@pytest.mark.parametrize("inputs", [None, {}, {"a": 1}])
def test_one_set_of_inputs_is_no_sweep(inputs: dict[str, Any] | None) -> None:
    """Without a list there is one run, with the inputs as they are."""
    assert (Options(inputs=inputs).is_sweep, Options(inputs=inputs).bindings) == (False, (inputs or {},))
