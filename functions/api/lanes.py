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


def lane_of(size: Size, options: Options, large: Limits) -> Lane:
    """Return the large lane for a statevector that would keep one core busy, the small one for all else.

    What no statevector can hold is for other methods, or is refused; neither needs the large lane.
    """
    if options.method not in {Method.AUTOMATIC, Method.STATEVECTOR}:
        return Lane.SMALL
    if size.num_qubits > large.max_qubits(Method.STATEVECTOR, options.precision):
        return Lane.SMALL
    seconds = SECONDS_PER_AMPLITUDE * size.operations * 2.0**size.num_qubits
    return Lane.LARGE if seconds > SMALL_SECONDS else Lane.SMALL
