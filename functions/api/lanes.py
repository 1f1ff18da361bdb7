"""Which lane a new task goes to: a cheap guess from what checking the circuit has found out anyway.

A wrong guess costs money or time, never a result: the small lane passes on what is too large for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.options import Method
from tasks.task import Lane

if TYPE_CHECKING:
    from reader import Size
    from tasks.limits import Limits
    from tasks.options import Options

SECONDS_PER_AMPLITUDE = 1.5e-9  # and operation, on one core: an upper figure, see the worker's admission.estimate
SMALL_SECONDS = 5.0  # what one vCPU may be busy with one task, its batch mates waiting


def lane_of(seconds: float) -> Lane:
    """Return the large lane for what would keep one core busy for too long, the small one for all else."""
    return Lane.LARGE if seconds > SMALL_SECONDS else Lane.SMALL


def estimated_seconds(size: Size, options: Options, large: Limits) -> float:
    """Return what the circuit takes on one core by amplitudes alone; 0 where it cannot say: for other methods.

    With noise on gates a statevector is made anew for every shot, unless a density matrix is cheaper. What neither can
    hold is for other methods, or is refused; neither needs the large lane.
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
