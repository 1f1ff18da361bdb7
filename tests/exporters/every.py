"""Installs the newest releases of all packages, has each write its texts, and judges them: `make exporters`.

    python tests/exporters/every.py .local/exporters [package ...]

Each package has an environment of its own in that folder, and beside it a file of what it printed, PACKAGE.log. With
names of packages only these are written and judged, and the records of the others stay. Ends with 1 if a package cannot
be installed or does not write, or if a text is neither right nor a known flaw of its exporter.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

# What each is installed with: what it needs of others, and what the texts are compared with.
PACKAGES: dict[str, list[str]] = {
    "amazon-braket-sdk": [],
    "autoqasm": [],
    "bloqade-circuit": ["bloqade-circuit[qasm2]", "qiskit"],
    "blueqat": ["numpy<2", "scipy<1.13"],
    "bqskit": [],
    "cirq-core": [],
    "cqlib": [],
    # What it needs for other than its simulator without a GPU are some gigabytes.
    "cuda-quantum-cu12": ["--no-deps", "numpy<2.3", "astpretty", "requests"],
    "graphix": [],
    "mindquantum": [],
    "mqt.core": ["mqt.core<4", "numpy"],
    "openqasm3": ["openqasm3[parser]", "qiskit"],
    "oqpy": ["qiskit"],
    "pennylane": [],
    "pyqasm": ["qiskit"],
    "pyqpanda": [],
    "pyqpanda3": [],
    "pyquafu": [],
    "pytket": [],
    "pyzx": [],
    "qibo": ["numpy"],
    "qilisdk": ["qilisdk[openqasm]"],
    "qiskit": [],
    "qoqo-qasm": ["qoqo"],
    "qrisp": [],
    "quict": [],
    "qulacs": [],
    "quri-parts-openqasm": ["quri-parts-circuit", "quri-parts-core", "quri-parts-qulacs"],
    "qutip-qip": [],
    "stim": [],
    "tensorcircuit-ng": ["qiskit"],
    "tequila-basic": ["qulacs"],
}
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# What Braket's simulator makes of programs: the script and the file that it writes.
INTERPRETED = {
    "pragmas.py": "tests/integration/runner/braket_pragmas.json",
    "interpreted.py": "tests/oracle/braket_programs.json",
}


def run(log: Path, *command: str | Path, path: str = "") -> bool:
    """Run a command, append what it prints to a file, and say whether it ended well."""
    with log.open("a") as printed:
        environment = os.environ | {"PYTHONPATH": path}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=printed, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0


def write(package: str, folder: Path) -> bool:
    """Install a package, and have it write its matrices and texts."""
    log, environment = folder / f"{package}.log", folder / package
    python = environment / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    gates = "tests/unit/reader/foreign_gates.json"
    extras = PACKAGES[package]
    wanted = (
        extras if any(each.startswith(f"{package}{mark}") for each in extras for mark in "[<") else [package, *extras]
    )
    return (
        run(log, uv, "venv", "--quiet", "--python", sys.executable, environment)
        and run(log, uv, "pip", "install", "--quiet", "--python", python, *wanted)
        and run(log, python, "-W", "ignore", HERE / "matrices.py", gates)
        and run(log, python, "-W", "ignore", HERE / "texts.py", package, folder, path=str(HERE))
        and (
            package != "amazon-braket-sdk"
            or all(run(log, python, "-W", "ignore", HERE / script, found) for script, found in INTERPRETED.items())
        )
    )


def main(folder: Path, only: list[str]) -> int:
    """Write the texts of all packages, or of some, and judge them."""
    unknown = [package for package in only if package not in PACKAGES]
    if unknown:
        print(f"No such package here: {', '.join(unknown)}. There are {', '.join(PACKAGES)}.")
        return 1
    packages = only or list(PACKAGES)
    if not only:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for number, package in enumerate(packages, 1):
        print(f"{number:2} of {len(packages)}: {package} installs and writes ... ", end="", flush=True)
        shutil.rmtree(folder / package, ignore_errors=True)
        (folder / f"{package}.log").unlink(missing_ok=True)
        started = time.monotonic()
        well = write(package, folder)
        print(f"{time.monotonic() - started:.0f} s" if well else f"FAILED, see {folder / package}.log", flush=True)
        if not well:
            failed.append(package)
    if failed:
        print(f"Nothing is judged: {', '.join(failed)} failed. Try one again with make exporters ONLY={failed[0]}.")
        return 1
    judged = subprocess.run([sys.executable, HERE / "judge.py", folder, *only], check=False, cwd=ROOT)
    return judged.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
