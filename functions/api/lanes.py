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
    """Return what a statevector of the circuit takes on one core; 0 where none is used, for then this cannot say.

    What no statevector can hold is for other methods, or is refused; neither needs the large lane.
    """
    if options.method not in {Method.AUTOMATIC, Method.STATEVECTOR}:
        return 0.0
    if size.num_qubits > large.max_qubits(Method.STATEVECTOR, options.precision):
        return 0.0
    return SECONDS_PER_AMPLITUDE * size.operations * 2.0**size.num_qubits
