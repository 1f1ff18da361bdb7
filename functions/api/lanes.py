"""Chooses the lane of a new task by a cheap estimate from the size that checking the circuit has found.

A wrong choice costs money or time, never a result: the small lane passes on tasks that are too large for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.options import Method
from tasks.task import Lane

if TYPE_CHECKING:
    from reader import Size
    from tasks.limits import Limits
    from tasks.options import Options

SECONDS_PER_AMPLITUDE = 1.5e-9  # and operation, on one core: an upper bound, see the worker's admission.estimate
SMALL_SECONDS = 5.0  # for which one task may occupy a vCPU while the others of its batch wait


def lane_of(seconds: float) -> Lane:
    """Return the large lane for a task that would occupy one core for too long, else the small lane."""
    return Lane.LARGE if seconds > SMALL_SECONDS else Lane.SMALL


def estimated_seconds(size: Size, options: Options, large: Limits) -> float:
    """Return the seconds that the circuit takes on one core, from its amplitudes; 0 for methods without amplitudes.

    With noise on gates every shot computes a statevector of its own, unless a density matrix is cheaper. A circuit that
    fits neither is run by another method or refused, so it does not need the large lane.
    """
    if options.method not in {Method.AUTOMATIC, Method.STATEVECTOR, Method.DENSITY_MATRIX}:
        return 0.0
    exact = options.method == Method.DENSITY_MATRIX
    method = Method.DENSITY_MATRIX if exact else Method.STATEVECTOR
    if size.num_qubits > large.max_qubits(method, options.precision):
        return 0.0
    states = 4.0**size.num_qubits if exact else 2.0**size.num_qubits
    if not exact and options.noise is not None and options.noise.on_gates:
        states *= min(options.shots, states) if options.method == Method.AUTOMATIC else options.shots
    return SECONDS_PER_AMPLITUDE * size.operations * states
