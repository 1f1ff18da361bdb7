"""Writes what Braket's local simulator makes of its noise and result pragmas: run it where amazon-braket-sdk is.

    python tests/exporters/pragmas.py tests/integration/runner/braket_pragmas.json

For each program the file has its body, the results that it asks for, and the value of each: real and imaginary parts.
Of a sampled observable it has each value and how often its shots gave it.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

STATE = ["h q[0];", "cnot q[0], q[1];", "ry(0.7) q[1];", "rx(1.1) q[2];"]
STAY = "[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.6, 0], [0, 0, 0, 1]]"
JUMP = "[[0, 0, 0.8im, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]"
CHANNELS = [
    "bit_flip(0.2) q[0]",
    "bit_flip(0.9) q[1]",
    "phase_flip(0.3) q[0]",
    "depolarizing(0.3) q[1]",
    "depolarizing(1.0) q[1]",
    "pauli_channel(0.1, 0.25, 0.4) q[1]",
    "amplitude_damping(0.35) q[0]",
    "generalized_amplitude_damping(0.35, 0.8) q[1]",
    "phase_damping(0.4) q[0]",
    "two_qubit_depolarizing(0.3) q[0], q[2]",
    "two_qubit_dephasing(0.6) q[1], q[0]",
    "kraus([[0.8, 0], [0, 0.8]], [[0, 0.6im], [0.6im, 0]]) q[2]",
    f"kraus({STAY}, {JUMP}) q[0], q[1]",
]
MATRIX = "[[1, 0.5 - 2im, 0, 1im], [0.5 + 2im, -1, 3, 0], [0, 3, 0.25, 1], [-1im, 0, 1, 2]]"
OBSERVABLES = [
    "x(q[0])",
    "y(q[1]) @ z(q[0])",
    "h(q[2]) @ i(q[1]) @ x(q[0])",
    "hermitian([[2, 1 - 1im], [1 + 1im, 0]]) q[1]",
    f"hermitian({MATRIX}) q[2], q[0]",
    f"hermitian({MATRIX}) q[0], q[1] @ z(q[2])",
    "z all",
    "h all",
    "y(q)",
]


SAMPLED = [
    "h(q[0])",
    "h(q[2]) @ i(q[1]) @ x(q[0])",
    "h(q[1]) @ h(q[2]) @ y(q[0])",
    "hermitian([[2, 1 - 1im], [1 + 1im, 0]]) q[1]",
    f"hermitian({MATRIX}) q[2], q[0]",
    f"hermitian({MATRIX}) q[0], q[1] @ z(q[2])",
    f"hermitian({MATRIX}) q[0], q[1] @ h(q[2])",
    "y(q[1]) @ z(q[0])",
]
SHOTS = 10_000


def programs() -> list[tuple[str, list[str]]]:
    """Return bodies, and what each asks for."""
    found = [([*STATE, f"#pragma braket noise {each}"], ["density_matrix"]) for each in CHANNELS]
    found += [
        (STATE, ["state_vector", 'amplitude "000", "011", "110"', "probability", "probability all"]),
        (STATE, ["probability q[2], q[0]", "probability q[0:1]", "density_matrix q[2], q[1]", "density_matrix q[1]"]),
        (["x q[2];", "h q[1];"], ["state_vector", 'amplitude "01"', "expectation z all", "probability"]),
        *((STATE, [f"expectation {each}", f"variance {each}"]) for each in OBSERVABLES),
        ([*STATE[:2], "#pragma braket noise bit_flip(0.1) q[0]", "cnot q[0], q[2];"], ["probability q[2], q[1]"]),
    ]
    return [("\n".join(lines), wanted) for lines, wanted in found]


def main(path: Path) -> None:
    """Replace the file."""
    warnings.simplefilter("ignore")
    simulator = importlib.import_module("braket.devices").LocalSimulator
    program = importlib.import_module("braket.ir.openqasm").Program
    cases: list[dict[str, Any]] = []
    for body, wanted in programs():
        pure = any(each.startswith(("state_vector", "amplitude")) for each in wanted)
        pragmas = "\n".join(f"#pragma braket result {each}" for each in wanted)
        text = f"OPENQASM 3.0;\nqubit[3] q;\n{body}\n{pragmas}"
        result = simulator("braket_sv" if pure else "braket_dm").run(program(source=text), shots=0).result()
        values = []
        for each in result.result_types:
            value = list(each.value.values()) if isinstance(each.value, dict) else each.value
            array = importlib.import_module("numpy").round(value, 14)
            values.append([array.real.tolist(), array.imag.tolist()])
        cases.append({"body": body, "results": wanted, "values": values})
    samples: list[dict[str, Any]] = []
    for observable in SAMPLED:
        body = "\n".join(STATE)
        text = f"OPENQASM 3.0;\nqubit[3] q;\n{body}\n#pragma braket result sample {observable}"
        values = simulator("braket_sv").run(program(source=text), shots=SHOTS).result().values[0]
        counted = Counter(float(value) for value in values)
        samples.append({"body": body, "observable": observable, "values": sorted(counted.items())})
    package = "amazon-braket-sdk"
    found = {"cases": cases, "samples": samples}
    lists = []
    for name, made in found.items():
        lines = ",\n".join(json.dumps(each) for each in made)
        lists.append(f'"{name}": [\n{lines}\n]')
    path.write_text(f'{{"package": "{package} {version(package)}", {", ".join(lists)}}}\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]))
