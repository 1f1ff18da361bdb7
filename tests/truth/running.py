"""Runs a task as the worker does, in this process, with the settings that a case forces on it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import aer
import simulator
from admission import Budget
from tasks.errors import ErrorCode, TaskError
from tasks.options import Options
from truth.comparison import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from truth.programs import Case


def simulate(case: Case) -> dict[str, Any]:
    """Return the outcome of a case; raises the TaskError that it ends in."""
    budget = Budget(2**30, 600.0, 2**30, 600.0, branching=case.branching)
    with fused_from(case.fusion):
        return simulator.simulate(case.text, Options.from_dict(case.options), budget)


def wrong(case: Case) -> list[str]:
    """Return what is wrong with how a case runs; nothing where it may be right, or is refused for a reason."""
    return judged(case)[0]


def judged(case: Case) -> tuple[list[str], dict[str, Any] | None]:
    """Return what is wrong with how a case runs, and its outcome where it has one."""
    try:
        outcome = simulate(case)
    except TaskError as error:
        bad = error.code in {ErrorCode.SIMULATION_ERROR, ErrorCode.INTERNAL_ERROR, ErrorCode.INVALID_CIRCUIT}
        return ([f"{error.code}: {error.message}"] if bad else []), None
    return faults(case.text, case.options, outcome, before=None if case.decided else case.before), outcome


@contextmanager
def fused_from(qubits: int) -> Iterator[None]:
    """Have Aer fuse gates from so many qubits on; its own default is 14, more than an oracle can follow."""
    backend = aer._backend()  # noqa: SLF001 - the one that the worker runs on
    before = backend.options.fusion_threshold
    backend.set_options(fusion_threshold=qubits)
    try:
        yield
    finally:
        backend.set_options(fusion_threshold=before)
