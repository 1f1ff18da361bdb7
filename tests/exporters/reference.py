"""Programs for tools that rewrite OpenQASM and simulate nothing, with what Qiskit makes of the same calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

if TYPE_CHECKING:
    from circuits import Call, Steps

GATES = {
    **dict.fromkeys(["id", "h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx"], (0, 1)),
    **dict.fromkeys(["rx", "ry", "rz", "p"], (1, 1)),
    "u3": (3, 1),
    **dict.fromkeys(["cx", "cy", "cz", "ch", "swap"], (0, 2)),
    **dict.fromkeys(["crx", "cry", "crz", "cp"], (1, 2)),
    **dict.fromkeys(["ccx", "cswap"], (0, 3)),
}
PREPARE = ("ry", "rx", "cx")


def amplitudes(size: int, calls: list[Call]) -> Any:
    """Return the amplitudes of calls."""
    circuit = QuantumCircuit(size)
    for name, angles, qubits in calls:
        if name == "u3":
            circuit.u(*angles, *qubits)
        else:
            getattr(circuit, name)(*angles, *qubits)
    return Statevector(circuit).reverse_qargs().data


def lines(calls: list[Call]) -> list[str]:
    """Return calls as statements of OpenQASM, on a register q."""
    found = []
    for name, angles, qubits in calls:
        values = f"({', '.join(map(repr, angles))})" if angles else ""
        found.append(f"{name}{values} {', '.join(f'q[{place}]' for place in qubits)};")
    return found


class Source:
    """A program's registers and statements, and its amplitudes."""

    def __init__(
        self, qubits: list[tuple[str, int]], bits: list[tuple[str, int]], lines: list[str], state: Any
    ) -> None:
        self.qubits, self.bits, self.lines, self.state = qubits, bits, lines, state

    def text(self, version: int) -> str:
        """Return it as a program of a version of the language."""
        head = ['OPENQASM 2.0; include "qelib1.inc";', 'OPENQASM 3.0; include "stdgates.inc";'][version - 2]
        words = [("qreg {0}[{1}];", "creg {0}[{1}];"), ("qubit[{1}] {0};", "bit[{1}] {0};")][version - 2]
        declared = [words[0].format(*each) for each in self.qubits] + [words[1].format(*each) for each in self.bits]
        return "\n".join([head, *declared, *self.lines])


def build(size: int, calls: list[Call]) -> Source:
    """Return the program of calls."""
    return Source([("q", size)], [], lines(calls), amplitudes(size, calls))


def state(source: Source) -> Any:
    """Return its amplitudes."""
    return source.state


def measured(steps: Steps) -> Source:
    """Return the program of steps."""
    qubits = [f"{name}[{place}]" for name, size in steps.qubits for place in range(size)]
    bits = [f"{name}[{place}]" for name, size in steps.bits for place in range(size)]
    found = []
    for kind, *values in steps.steps:
        if kind == "measure":
            found.append(f"measure {qubits[values[0]]} -> {bits[values[1]]};")
        elif kind == "barrier":
            found.append(f"barrier {', '.join(qubits)};")
        elif kind == "if":
            name, _ = steps.bits[values[0]]
            found.append(f"if ({name} == {values[1]}) {{ x {qubits[values[2]]}; }}")
        elif kind == "if_bit":
            value = ("false", "true")[values[1]]
            found.append(f"if ({bits[values[0]]} == {value}) {{ x {qubits[values[2]]}; }}")
        else:
            found.append(f"{kind} {', '.join(qubits[value] for value in values)};")
    return Source(list(steps.qubits), list(steps.bits), found, None)


# Many constructs, and its outcome, worked out by hand.
PROGRAM = (
    """OPENQASM 3.0; include "stdgates.inc";
const int n = 3; qubit[n] q; bit[n] c; bit[2] d;
gate flip a, b { x a; cx a, b; x a; }
def turn(qubit p, int k) { for int i in [1:k] { x p; } }
int[8] total = 0;
for int i in [0:n - 1] { total += i; }
if (total == 3) { x q[0]; }
let last = q[1:2];
flip q[0], last[0];
ctrl @ x last[0], last[1];
pow(2) @ s q[1]; inv @ t q[0]; negctrl @ x q[1], q[2];
turn(q[2], 3); c[0] = measure q[2];
switch (n) { case 3 { x q[2]; } default { x q[1]; } }
while (total > 2) { total -= 1; x q[1]; }
c[1] = measure q[1]; c[2] = measure q[2];
if (c[1]) { x q[0]; } else { x q[2]; }
d[0] = measure q[0]; d[1] = measure q[2];
""",
    "10 110",
)
