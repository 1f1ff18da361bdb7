"""Reads a request's noise: the short form, a list of rules, a named model, Qiskit Aer's own; or all of them together.

    {"depolarizing": {...}, "readout": {...}, "model": "name", "errors": [...], "rules": [...], "durations": {...}}

Whatever is wrong raises ValueError with the field's path, before anything is worked out that could take long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.limits import MAX_RULES
from tasks.noise.rule_list import read_rule, short
from tasks.noise.rules import Rules
from tasks.noise.values import MAX_NAMES, NAME, Room, duration, refuse_others


def read(given: Mapping[str, Any]) -> Rules:
    """Return the rules of a request's noise; raises ValueError."""
    known = ("depolarizing", "readout", "model", "errors", "rules", "durations")
    refuse_others(given, known, "noise")
    room = Room()
    found = Rules()
    if "model" in given:
        found = _joined(found, _named(given["model"]))
    if "errors" in given:
        from tasks.noise.aer_dict import read_errors  # noqa: PLC0415 - most requests have none

        found = _joined(found, read_errors(given["errors"], room))
    found = _joined(found, short(given.get("depolarizing", {}), given.get("readout", {})))
    rules = given.get("rules", [])
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        raise ValueError(f"noise.rules must be a list of at most {MAX_RULES} rules.")
    for index, rule in enumerate(rules):
        found = _joined(found, read_rule(rule, f"noise.rules[{index}]", room))
    durations = given.get("durations", {})
    if not isinstance(durations, Mapping) or len(durations) > MAX_NAMES:
        raise ValueError(f"noise.durations must be an object of at most {MAX_NAMES} gates and their seconds.")
    seconds = {name: duration(value, f"noise.durations.{name[:NAME]}") for name, value in durations.items()}
    return Rules(found.rules, found.readouts, {**found.durations, **seconds})


def _joined(one: Rules, other: Rules) -> Rules:
    return Rules(one.rules + other.rules, one.readouts + other.readouts, {**one.durations, **other.durations})


def _named(name: object) -> Rules:
    from tasks.noise.named import MODELS, rules_of  # noqa: PLC0415 - most requests have none

    if not isinstance(name, str) or name not in MODELS:
        raise ValueError(f"noise.model must be one of {', '.join(MODELS)}.")
    return rules_of(name)
