"""Reads the rules of a request's noise, one by one: a channel with its parameters, and where it applies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tasks.noise import channels
from tasks.noise.channels import TOLERANCE, WIDEST
from tasks.noise.rules import IDLE, MEASURE, ONE_QUBIT, TWO_QUBIT, Readout, Rule, Rules
from tasks.noise.values import MAX_NAMES, NAME, duration, operators, probability, qubit, refuse_others, unitary

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.noise.channels import Error
    from tasks.noise.values import Room

_COMMON = ("channel", "gates", "qubits", "when")
_WIDEST_JOINT = 4  # qubits of a depolarizing error, whose 255 Paulis are drawn one by one


def short(depolarizing: Mapping[str, float], readout: Mapping[str, float]) -> Rules:
    """Return the rules of the short form, whose numbers have been checked."""
    rules = [
        Rule(f"noise.depolarizing.{name}", _depolarizing(depolarizing[name]), frozenset((name,)))
        for name in (ONE_QUBIT, TWO_QUBIT)
        if depolarizing.get(name)
    ]
    flips = (readout.get("prob_meas1_prep0", 0.0), readout.get("prob_meas0_prep1", 0.0))
    return Rules(tuple(rules), (Readout("noise.readout", flips),) if any(flips) else ())


def read_rule(given: object, where: str, room: Room) -> Rules:
    """Return what one rule of a request comes to."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} must be an object.")  # noqa: TRY004 - one error for every bad option
    channel = given.get("channel")
    if channel == "readout":
        return _readout(given, where)
    if not isinstance(channel, str) or channel not in _CHANNELS:
        raise ValueError(f"{where}.channel must be one of {', '.join((*_CHANNELS, 'readout'))}.")
    needed, optional, make = _CHANNELS[channel]
    refuse_others(given, (*_COMMON, *needed, *optional), where)
    for name in needed:
        if name not in given:
            raise ValueError(f"{where}.{name} is missing; {channel} needs {' and '.join(needed)}.")
    gates = _gates(given.get("gates"), f"{where}.gates")
    before = gates is not None and gates <= {MEASURE}
    if "when" in given:
        if given["when"] not in ("before", "after"):
            raise ValueError(f"{where}.when must be before or after.")
        before = given["when"] == "before"
    if gates is not None and IDLE in gates and (channel != "thermal_relaxation" or gates != {IDLE}):
        raise ValueError(f"{where}.gates: waiting (idle) has thermal_relaxation alone, in a rule of its own.")
    error = make(given, where, room)
    qubits = _qubits(given.get("qubits"), f"{where}.qubits")
    return Rules((Rule(f"{where} ({channel})", error, gates, qubits, before=before, own=True),))


def _gates(given: object, where: str) -> frozenset[str] | None:
    if given is None:
        return None
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_NAMES or not all(isinstance(n, str) for n in names):
        raise ValueError(
            f"{where} must be a list of names of gates, measure, reset, delay, idle, one_qubit, two_qubit."
        )
    return frozenset(names)


def _qubits(given: object, where: str) -> frozenset[int | tuple[int, ...]] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_NAMES:
        raise ValueError(f"{where} must be a list of 1 to {MAX_NAMES} qubits, or lists of a gate's qubits.")
    found: set[int | tuple[int, ...]] = set()
    for index, each in enumerate(given):
        if isinstance(each, list) and 1 <= len(each) <= WIDEST:
            whole = tuple(qubit(one, f"{where}[{index}]") for one in each)
            if len(set(whole)) < len(whole):
                raise ValueError(f"{where}[{index}] has a qubit twice.")
            found.add(whole)
        else:
            found.add(qubit(each, f"{where}[{index}]"))
    return frozenset(found)


def _readout(given: Mapping[str, Any], where: str) -> Rules:
    names = ("prob_meas1_prep0", "prob_meas0_prep1")
    refuse_others(given, ("channel", "qubits", *names), where)
    flips = [probability(given.get(name, 0.0), f"{where}.{name}") for name in names]
    qubits = given.get("qubits")
    if qubits is not None:
        if not isinstance(qubits, list) or not 1 <= len(qubits) <= MAX_NAMES:
            raise ValueError(f"{where}.qubits must be a list of 1 to {MAX_NAMES} qubits.")
        qubits = frozenset(qubit(each, f"{where}.qubits[{index}]") for index, each in enumerate(qubits))
    return Rules((), (Readout(f"{where} (readout)", (flips[0], flips[1]), qubits, own=True),))


# ------------------------------------------------------------------ channels

Make = "Callable[[Mapping[str, Any], str, Room], Callable[[str, int, float], Error | None]]"


def _always(error: Error) -> Callable[[str, int, float], Error | None]:
    """Return what gives one error to gates of its width, and to each qubit of any gate if it is on one."""
    return lambda _name, width, _seconds: error if error.qubits in (1, width) else None


def _depolarizing(chance: float) -> Callable[[str, int, float], Error | None]:
    made = lru_cache(maxsize=_WIDEST_JOINT)(lambda width: channels.depolarizing(chance, width))
    return lambda _name, width, _seconds: made(width) if width <= _WIDEST_JOINT else None


def _of_depolarizing(given: Mapping[str, Any], where: str, _room: Room) -> Any:  # noqa: ANN401 - see Make
    return _depolarizing(probability(given["probability"], f"{where}.probability"))


def _flip(letter: str) -> Any:  # noqa: ANN401 - see Make
    def make(given: Mapping[str, Any], where: str, _room: Room) -> Any:  # noqa: ANN401 - see Make
        return _always(channels.paulis({letter: probability(given["probability"], f"{where}.probability")}, 1))

    return make


def _pauli(given: Mapping[str, Any], where: str, room: Room) -> Any:  # noqa: ANN401 - see Make
    where = f"{where}.probabilities"
    pairs = given["probabilities"]
    if not isinstance(pairs, Mapping) or not pairs:
        raise ValueError(f"{where} must be an object of Pauli strings and their probabilities.")
    room.take(len(pairs), where)
    width = len(next(iter(pairs)))
    if not 1 <= width <= WIDEST:
        raise ValueError(f"{where} must have strings of 1 to {WIDEST} letters.")
    found = {}
    for word, chance in pairs.items():
        if len(word) != width or set(word) - set("IXYZ"):
            raise ValueError(f"{where} must have strings of {width} letters I, X, Y and Z, not {word[:NAME]!r}.")
        found[word] = probability(chance, f"{where}.{word}")
    total = math.fsum(found.values())
    whole = "I" * width in found
    if total > 1 + TOLERANCE or (whole and total < 1 - TOLERANCE):
        raise ValueError(f"{where} add up to {total:.9g}; they may not exceed 1, and must be 1 with {'I' * width}.")
    return _always(channels.paulis({word: chance for word, chance in found.items() if set(word) != {"I"}}, width))


def _damping(given: Mapping[str, Any], where: str, _room: Room) -> Any:  # noqa: ANN401 - see Make
    gamma = probability(given["gamma"], f"{where}.gamma")
    excited = probability(given.get(_EXCITED, 0.0), f"{where}.{_EXCITED}")
    return _always(channels.amplitude_damping(gamma, excited))


def _dephasing(given: Mapping[str, Any], where: str, _room: Room) -> Any:  # noqa: ANN401 - see Make
    return _always(channels.phase_damping(probability(given["gamma"], f"{where}.gamma")))


def _thermal(given: Mapping[str, Any], where: str, _room: Room) -> Any:  # noqa: ANN401 - see Make
    t1, t2 = (duration(given[name], f"{where}.{name}") for name in ("t1", "t2"))
    if not (t1 > 0 and t2 > 0):
        raise ValueError(f"{where}.t1 and t2 must be more than 0 seconds.")
    if t2 > 2 * t1:
        raise ValueError(f"{where}.t2 must be at most twice t1.")
    excited = probability(given.get(_EXCITED, 0.0), f"{where}.{_EXCITED}")
    times = given.get("time")
    if isinstance(times, Mapping):
        by_name = {name: duration(value, f"{where}.time.{name[:NAME]}") for name, value in times.items()}
    elif times is not None:
        always = duration(times, f"{where}.time")
    own = given.get("gates") in ("delay", "idle", ["delay"], ["idle"])
    if times is None and not own:
        raise ValueError(f"{where}.time is missing: seconds, or an object of gates and their seconds.")
    made = lru_cache(maxsize=4_096)(lambda seconds: channels.thermal_relaxation(t1, t2, seconds, excited))

    def error(name: str, width: int, seconds: float) -> Error | None:
        if isinstance(times, Mapping):
            general = by_name.get((ONE_QUBIT, TWO_QUBIT)[width - 1], 0.0) if width in (1, 2) else 0.0
            seconds = by_name.get(name, general)
        elif times is not None:
            seconds = always
        return made(seconds) if seconds > 0 else None

    return error


def _kraus(given: Mapping[str, Any], where: str, room: Room) -> Any:  # noqa: ANN401 - see Make
    return _always(channels.kraus(operators(given["operators"], f"{where}.operators", room)))


def _coherent(given: Mapping[str, Any], where: str, room: Room) -> Any:  # noqa: ANN401 - see Make
    return _always(channels.unitary(unitary(given["unitary"], f"{where}.unitary", room)))


def _reset(given: Mapping[str, Any], where: str, _room: Room) -> Any:  # noqa: ANN401 - see Make
    state = given.get("state", 0)
    if state not in (0, 1) or isinstance(state, (bool, float)):
        raise ValueError(f"{where}.state must be 0 or 1.")
    return _always(channels.reset(probability(given["probability"], f"{where}.probability"), state))


_EXCITED = "excited_state_population"
# For each channel: its parameters, those that may be left out, and what makes its errors.
_CHANNELS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Any]] = {
    "depolarizing": (("probability",), (), _of_depolarizing),
    "bit_flip": (("probability",), (), _flip("X")),
    "phase_flip": (("probability",), (), _flip("Z")),
    "pauli": (("probabilities",), (), _pauli),
    "amplitude_damping": (("gamma",), (), _damping),
    "phase_damping": (("gamma",), (), _dephasing),
    "generalized_amplitude_damping": (("gamma", _EXCITED), (), _damping),
    "thermal_relaxation": (("t1", "t2"), ("time", _EXCITED), _thermal),
    "kraus": (("operators",), (), _kraus),
    "coherent": (("unitary",), (), _coherent),
    "reset": (("probability",), ("state",), _reset),
}
