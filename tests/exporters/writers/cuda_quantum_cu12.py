"""CUDA-Q writes OpenQASM 2 of kernels; where it needs a qubit more for controls, the gate is not among these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cudaq
import numpy as np

if TYPE_CHECKING:
    from circuits import Call, Steps

PACKAGE = "cuda-quantum-cu12"
TOLERANCE = 1e-5  # it writes seven digits
GATES = {
    **dict.fromkeys(["h", "x", "y", "z", "s", "sdg", "t", "tdg"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "r1"], (1, 1)),
    "u3": (3, 1),
    **dict.fromkeys(["cx", "cy", "cz", "ch", "cs", "ct", "swap"], (0, 2)),
    **dict.fromkeys(["crx", "cry", "crz", "cr1"], (1, 2)),
    "cu3": (3, 2),
    **dict.fromkeys(["ccx", "ccz", "cswap"], (0, 3)),
}
PREPARE = ("ry", "rx", "cx")
EXPORTERS = {"OpenQASM 2": lambda kernel: cudaq.translate(kernel, format="openqasm2")}
MEASURED = {"OpenQASM 2": frozenset(["x", "cx", "swap", "reset"])}
REGISTERS = "none"


def build(size: int, calls: list[Call]) -> Any:
    """Return the kernel of calls."""
    kernel = cudaq.make_kernel()
    qubits = kernel.qalloc(size)
    for name, angles, places in calls:
        each = [qubits[place] for place in places]
        if name.startswith("cc"):
            getattr(kernel, name[1:])(*angles, each[:-1], each[-1])
        else:
            getattr(kernel, name)(*angles, *each)
    return kernel


def state(kernel: Any) -> Any:
    """Return its amplitudes; its first qubit is the least significant one."""
    vector = np.array(cudaq.get_state(kernel))
    size = len(vector).bit_length() - 1
    return vector.reshape([2] * size).transpose().ravel()


def measured(steps: Steps) -> Any:
    """Return the kernel of steps; each measurement is a register of its own."""
    kernel = cudaq.make_kernel()
    qubits = kernel.qalloc(4)
    for kind, *values in steps.steps:
        places = values[:1] if kind == "measure" else values
        getattr(kernel, {"measure": "mz"}.get(kind, kind))(*(qubits[place] for place in places))
    return kernel
