"""Writes the matrices of other packages' gates: run it in an environment with one of the packages.

    python tests/exporters/matrices.py tests/unit/reader/foreign_gates.json

It replaces what the file has of that package. Of a gate it has how many of the angles 0.3, 0.7 and 1.1 it takes, and
its matrix: the size and, of all that is not 0, [row, column, real, imaginary]. The gate's first qubit is the most
significant bit of rows and columns.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

ANGLES = [0.3, 0.7, 1.1]


def rows(matrix: Any) -> list[Any]:
    """Return a matrix's size and entries, as JSON takes them."""
    entries = [
        [row, column, complex(value).real, complex(value).imag]
        for row, values in enumerate(matrix)
        for column, value in enumerate(values)
        if abs(value) > 1e-15
    ]
    return [len(matrix), *entries]


def braket() -> dict[str, Any]:
    """Return amazon-braket-sdk's gates by the names that it writes."""
    gates = importlib.import_module("braket.circuits.gates")
    found: dict[str, Any] = {}
    for name, gate in vars(gates).items():
        if not inspect.isclass(gate) or gate.__module__ != gates.__name__ or name in ("Unitary", "PulseGate", "GPhase"):
            continue
        count = len(inspect.signature(gate.__init__).parameters) - 1
        made = gate(*ANGLES[:count])
        found[made._qasm_name] = [count, rows(made.to_matrix())]  # noqa: SLF001 - the one way to it
    del found["U"]  # of the language, which fixes its phase otherwise
    return found


def quantinuum() -> dict[str, Any]:
    """Return the gates that pytket reads by the names of hqslib1.inc."""
    qasm = importlib.import_module("pytket.qasm")
    found: dict[str, Any] = {}
    for name, (count, qubits) in {"Rz": (1, 1), "U1q": (2, 1), "ZZ": (0, 2), "RZZ": (1, 2), "Rxxyyzz": (3, 2)}.items():
        values = f"({','.join(map(str, ANGLES[:count]))})" if count else ""
        places = ",".join(f"q[{number}]" for number in range(qubits))
        text = f'OPENQASM 2.0; include "hqslib1.inc"; qreg q[{qubits}]; {name}{values} {places};'
        found[name] = [count, rows(qasm.circuit_from_qasm_str(text).get_unitary())]
    return found


def mqt() -> dict[str, Any]:
    """Return mqt-core's gates by the names that it writes under OpenQASM 2, with up to three controls."""
    circuits, simulator = importlib.import_module("mqt.core.ir"), importlib.import_module("mqt.core.dd")
    sizes = dict.fromkeys(["h", "i", "p", "r", "rx", "ry", "rz", "sx", "sxdg", "u", "x", "y", "z"], 1)
    sizes |= dict.fromkeys(
        ["dcx", "ecr", "iswap", "iswapdg", "rxx", "ryy", "rzz", "rzx", "swap", "xx_minus_yy", "xx_plus_yy"], 2
    ) | {"rccx": 3}
    counts = {"u": 3} | dict.fromkeys(("r", "xx_minus_yy", "xx_plus_yy"), 2)
    counts |= dict.fromkeys(["p", "rx", "ry", "rz", "rxx", "ryy", "rzz", "rzx"], 1)
    found: dict[str, Any] = {}
    for name, size in sizes.items():
        for controls in range(4 if size == 1 else 3):
            count = counts.get(name, 0)
            # Its qubit 0 is the least significant one.
            places = list(reversed(range(size + controls)))
            circuit = circuits.QuantumComputation(size + controls)
            prefix = "mc" if controls and name != "swap" else {0: "", 1: "c"}.get(controls, "mc")
            under = [set(places[:controls])] if prefix == "mc" else places[:controls]
            getattr(circuit, prefix + name)(*ANGLES[:count], *under, *places[controls:])
            written = re.findall(r"^([A-Za-z]\w*)(?:\(.*\))? q\[", circuit.qasm2_str(), re.MULTILINE)
            found[written[-1]] = [count, rows(simulator.build_unitary(circuit))]
    del found["U"]
    return found


def bqskit() -> dict[str, Any]:
    """Return BQSKit's gates that no library defines."""
    gates = importlib.import_module("bqskit.ir.gates")
    names = ["B", "CT", "FSIM", "IToffoli", "PhasedXZ", "SqrtISwap", "SqrtT", "Sycamore", "U1q", "CCP", "Diagonal"]
    found: dict[str, Any] = {}
    for gate in [getattr(gates, f"{name}Gate")() for name in names]:
        found[gate.qasm_name] = [gate.num_params, rows(gate.get_unitary(ANGLES[: gate.num_params]).numpy)]
    return found


def qibo() -> dict[str, Any]:
    """Return Qibo's gates that no library defines."""
    package = importlib.import_module("qibo")
    package.set_backend("numpy")
    gates = package.gates
    made = {0: [gates.FSWAP(0, 1), gates.CSXDG(0, 1)], 2: [gates.PRX(0, *ANGLES[:2])], 3: [gates.MS(0, 1, *ANGLES)]}
    return {gate.qasm_label: [count, rows(gate.matrix())] for count, parts in made.items() for gate in parts}


def quict() -> dict[str, Any]:
    """Return QuICT's gates that no library defines."""
    gates = importlib.import_module("QuICT.core.gate")
    made = [gates.Hy, gates.SY, gates.SY_dagger, gates.SW]
    return {gate.qasm_name: [0, rows(gate.matrix)] for gate in made}


def qoqo() -> dict[str, Any]:
    """Return the gates of qoqo that its exporter for Braket leaves undefined and no other library means otherwise."""
    operations = importlib.import_module("qoqo.operations")
    made = {"siswap": operations.SqrtISwap, "siswapdg": operations.InvSqrtISwap}
    return {name: [0, rows(gate(0, 1).unitary_matrix())] for name, gate in made.items()}


PACKAGES = {
    "amazon-braket-sdk": braket,
    "pytket": quantinuum,
    "mqt.core": mqt,
    "bqskit": bqskit,
    "qibo": qibo,
    "quict": quict,
    "qoqo": qoqo,
}


def main(path: Path) -> None:
    """Replace what the file has of the package that is installed."""
    known = json.loads(path.read_text()) if path.exists() else {}
    for package, collect in PACKAGES.items():
        try:
            release = version(package)
            found = collect()
        except ImportError:  # not installed, or without its exporter: mqt.core has none from 4 on
            continue
        known = {name: gates for name, gates in known.items() if name.split()[0] != package}
        known[f"{package} {release}"] = found
    lines = [
        f'"{package}": {{\n' + ",\n".join(f'"{name}": {json.dumps(gate)}' for name, gate in sorted(gates.items())) + "}"
        for package, gates in sorted(known.items())
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
