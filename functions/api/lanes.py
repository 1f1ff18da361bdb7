"""Chooses the lane of a new task by a cheap estimate from the size that checking the circuit has found.

A wrong choice costs money or time, never a result: the small lane passes on tasks that are too large for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.options import Method
from tasks.run_time import run_seconds
from tasks.task import Lane

if TYPE_CHECKING:
    from reader import Size
    from tasks.limits import Limits
    from tasks.options import Options

SMALL_SECONDS = 5.0  # for which one task may occupy a vCPU while the others of its batch wait


def lane_of(seconds: float) -> Lane:
    """Return the large lane for a task that would occupy one core for too long, else the small lane."""
    return Lane.LARGE if seconds > SMALL_SECONDS else Lane.SMALL


def estimated_seconds(size: Size, options: Options, large: Limits) -> float:
    """Return the seconds that the circuit takes on one core; 0 for methods without amplitudes, which depend on more.

    With noise on gates every shot computes a statevector of its own, unless a density matrix is cheaper. A circuit that
    fits neither is run by another method or refused, so it does not need the large lane.
    """
    if options.method not in {Method.AUTOMATIC, Method.STATEVECTOR, Method.DENSITY_MATRIX}:
        return 0.0
    noisy = options.noise is not None and options.noise.on_gates
    methods = [Method.STATEVECTOR if options.method == Method.AUTOMATIC else options.method]
    if size.num_qubits > large.max_qubits(methods[0], options.precision):
        return 0.0
    if noisy and options.method == Method.AUTOMATIC:
        methods.append(Method.DENSITY_MATRIX)
    return min(run_seconds(each, size.num_qubits, size.operations, options.shots, noisy=noisy) for each in methods)
