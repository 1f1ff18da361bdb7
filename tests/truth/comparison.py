"""Compares what a task came to with what the oracle says of its program: counts, memory and expectation values.

Every comparison of one program is failed by a simulator that is right with a probability of at most RISK. A *feature*
is something a shot has or has not: a key, a one in one place of the key, two places that differ. Under the oracle's
distribution a feature with probability p is had by a fraction f of N independent shots with P(f >= a) <= exp(-N D(a,
p)) for a > p, and the same below (Chernoff 1952; D is the relative entropy of two coins): no approximation, at any N.
Both sides of all M features of a program share RISK evenly, so a feature is wrong where N D(f, p) > ln(2 M / RISK). An
outcome that the oracle gives no probability is wrong at once. The mean of N numbers in [-L, L] is within L sqrt(2 ln(2
M / RISK) / N) of its expectation (Hoeffding 1963).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

from oracle.interpreter import Outcomes, explore
from oracle.mixed import Noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

RISK = 1e-6
LOST = 1e-12  # probability that the oracle may leave unfollowed
# How far from the truth a probability, and relatively a value, may be by rounding.
ROUNDING = {"double": 1e-9, "single": 1e-4}

Simulate = "Callable[[str, Mapping[str, Any]], Mapping[str, Any]]"


def faults(
    text: str, options: Mapping[str, Any], outcome: Mapping[str, Any], *, before: str | None = None
) -> list[str]:
    """Return what is wrong with the outcome of a task, sentence by sentence; nothing where it may be right.

    `options` has the fields of a request beside the program; of those `shots` must be there. `before` is the program
    without its final measurements, whose state observables are of; where it is left out, values are not looked at.
    """
    inputs = options.get("inputs")
    if not isinstance(inputs, list):
        return _of_one(text, options, inputs, outcome, before)
    lists = {name: found for name, found in outcome.items() if isinstance(found, list)}
    if any(len(found) != len(inputs) for found in lists.values()) or "result" not in lists:
        return ["a sweep has a list of results, one for each binding"]
    found = []
    for index, binding in enumerate(inputs):
        single = {name: each[index] for name, each in lists.items()}
        found += [f"binding {index}: {fault}" for fault in _of_one(text, options, binding, single, before)]
    if "memory" in lists:
        found += _shared(text, options, inputs, lists["memory"])
    return found


def _of_one(
    text: str,
    options: Mapping[str, Any],
    inputs: Mapping[str, Any] | None,
    outcome: Mapping[str, Any],
    before: str | None,
) -> list[str]:
    rounding = ROUNDING[options.get("precision", "double")]
    shots, counts = options["shots"], outcome["result"]
    exact = exactly(text, inputs, options.get("noise")).probabilities
    samples = {"counts": counts}
    found = []
    if sum(counts.values()) != shots:
        found.append(f"counts add up to {sum(counts.values())}, not to {shots} shots")
    if options.get("memory"):
        memory = outcome["memory"]
        if Counter(memory) != Counter(counts):
            found.append("memory does not add up to the counts")
        # Shots are independent, so each of these is a smaller run of the same program.
        parts = {
            "first half": memory[: shots // 2],
            "even places": memory[::2],
            "middle half": memory[shots // 4 :][: shots // 2],
        }
        samples |= {f"memory's {name}": Counter(part) for name, part in parts.items() if part}
    for name, sample in samples.items():
        found += [f"{name}: {fault}" for fault in strays(sample, exact, rounding, RISK / len(samples))]
    if before is not None and options.get("observables"):
        found += _values(before, options, inputs, outcome["expectation_values"], rounding)
    return found


def strays(
    counts: Mapping[str, int], exact: Mapping[str, float], rounding: float = ROUNDING["double"], risk: float = RISK
) -> Iterator[str]:
    """Yield the features of counts that shots of this distribution show with a probability of less than `risk`."""
    shots = sum(counts.values())
    keys = set(counts) | set(exact)
    if len(set(map(_shape, keys))) > 1:
        yield f"the keys are not alike: {sorted(keys)[:4]}"
        return
    features: dict[str, Callable[[str], bool]] = {f"key {key}": key.__eq__ for key in keys}
    places = range(len(next(iter(keys))))
    features |= {f"a one at {place}": lambda key, place=place: key[place] == "1" for place in places}  # type: ignore[misc]
    features |= {
        f"unlike at {first} and {second}": lambda key, first=first, second=second: key[first] != key[second]  # type: ignore[misc]
        for first, second in combinations(places, 2)
    }
    bound = math.log(2 * len(features) / risk)
    for name, has in features.items():
        chance = math.fsum(exact[key] for key in exact if has(key))
        times = sum(counts[key] for key in counts if has(key))
        if chance == 0.0 and times and rounding <= ROUNDING["double"]:
            yield f"{name} is impossible, but is had by {times} of {shots} shots"
        elif shots * entropy(times / shots, chance, rounding) > bound:
            yield f"{name} is had by {times / shots:.5f} of {shots} shots, {chance:.5f} is right"


def entropy(fraction: float, chance: float, rounding: float = 0.0) -> float:
    """Return D(fraction, chance), the least for any chance within `rounding`; in nats."""
    chance = min(max(fraction, chance - rounding), chance + rounding)
    nats = 0.0
    for part, whole in ((fraction, chance), (1 - fraction, 1 - chance)):
        if part > 0:
            nats += part * math.log(part / whole) if whole > 0 else math.inf
    return nats


def _values(
    before: str,
    options: Mapping[str, Any],
    inputs: Mapping[str, Any] | None,
    values: Sequence[Mapping[str, float]],
    rounding: float,
) -> Iterator[str]:
    sums = [_terms(each) for each in options["observables"]]
    exact = exactly(before, inputs, options.get("noise"), sums).values
    for index, (terms, found, right) in enumerate(zip(sums, values, exact, strict=True)):
        largest = math.fsum(abs(factor) for _, factor in terms)
        slack = rounding * largest
        nats, shots = math.log(2 * len(values) / RISK), options["shots"]
        if found["standard_error"] or shots == 1:  # a mean over shots
            slack += largest * math.sqrt(2 * nats / shots)
        elif " = measure " in before or "reset " in before:
            # All shots were alike, or it is exact: what differs has a probability q with exp(-q N) > the risk.
            slack += 2 * largest * nats / shots
        if not abs(found["value"] - right) <= slack:
            yield f"observable {index} is {found['value']:.6f}, {right:.6f} is right, {slack:.6f} is far"


def _shared(
    text: str, options: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]], memories: Sequence[Sequence[str]]
) -> Iterator[str]:
    """Yield the bindings whose shots depend on one another's: place by place, side by side or one apart."""
    pairs = [(left, right, shift) for left, right in combinations(range(len(inputs)), 2) for shift in (-1, 0, 1)]
    for left, right, shift in pairs:
        exact = [exactly(text, inputs[index], options.get("noise")).probabilities for index in (left, right)]
        alike = math.fsum(chance * exact[1].get(key, 0.0) for key, chance in exact[0].items())
        first, second = memories[left][max(0, shift) :], memories[right][max(0, -shift) :]
        found = [one == other for one, other in zip(first, second, strict=False)]
        if found and len(found) * entropy(sum(found) / len(found), alike, 1e-4) > math.log(2 * len(pairs) / RISK):
            yield f"bindings {left} and {right} are alike in {sum(found)} of {len(found)} shots, {alike:.5f} is right"


def exactly(
    text: str,
    inputs: Mapping[str, Any] | None,
    noise: Mapping[str, Any] | None,
    observables: Iterable[Iterable[tuple[str, float]]] = (),
) -> Outcomes:
    """Return what the oracle says of a program."""
    return _exactly(text, json.dumps(inputs or {}), json.dumps(noise or {}), tuple(map(tuple, observables)))


@lru_cache(maxsize=64)
def _exactly(text: str, inputs: str, noise: str, observables: tuple[tuple[tuple[str, float], ...], ...]) -> Outcomes:
    errors = Noise.from_dict(json.loads(noise)) if noise != "{}" else None
    return explore(text, json.loads(inputs), tolerance=LOST, noise=errors, observables=observables)


def _terms(given: Any) -> tuple[tuple[str, float], ...]:
    if isinstance(given, str):
        return ((given, 1.0),)
    pairs = given.items() if hasattr(given, "items") else given
    return tuple((pauli, factor) for pauli, factor in pairs)


def _shape(key: str) -> str:
    return key.replace("1", "0")
