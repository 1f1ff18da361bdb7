"""No request costs the api more than it may: a short run of the search, and what an attacker tried before it."""

from __future__ import annotations

import random

import pytest

from cost_search import MOST_MEMORY
from request_search import MAX_ANSWER_BYTES, Part, Request, Search, cost_of_event, faults

POST, BATCH = ("POST", "/tasks"), ("POST", "/tasks/batch")
FOUND = {
    "observables that are numbers": Request(POST, (Part("observables", "ones", 300_000),)),
    "unknown names": Request(POST, (Part("unknown", "names", 300_000),)),
    "a binding of many inputs": Request(POST, (Part("inputs", "complex", 200_000),)),
    "lists": Request(POST, (Part("inputs", "lists", 1_000_000),)),
    "a batch of sweeps": Request(BATCH, (Part("inputs", "bindings", 1_000),), tasks=100),
    "the longest result": Request(("GET", "/tasks/{id}"), (), stored="a sweep"),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_tried_is_bounded(name: str) -> None:
    """The answer is no error of ours, fits what Lambda sends, and takes less memory than a request may."""
    cost = cost_of_event(FOUND[name].event())
    assert cost.outcome != "ended"
    assert not cost.outcome.startswith("500")
    assert cost.work <= MAX_ANSWER_BYTES
    assert cost.memory < MOST_MEMORY


def test_a_short_search_finds_nothing_over_the_target() -> None:
    """Random requests, varied towards what costs most, stay within it; `make search WHAT=requests` looks for longer."""
    search = Search(random.Random(7))
    search.run(programs=30)
    assert all(cost.outcome != "ended" for cost in search.found.values())
    assert max(cost.memory for cost in search.found.values()) < MOST_MEMORY
    assert faults(search) == []
