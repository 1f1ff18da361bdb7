"""What cold starts cost: the api's init, and the worker until its children are ready, by phase and by package.

CPU time, not the clock's: a cold start gets a whole core on Lambda, and here other programs run. Bytecode is there, as
it is in what is deployed. `make bench` shows these figures; tests/unit/test_cold_start.py and tests/container hold the
limits.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from typing import Any

from local.translate import ROOT, load

LIMITS = {"api_init_cpu_ms": 350, "worker_ready_cpu_s": 1.2}
SHOWN = 0.02  # packages with less than this share of the imports are summed up

CPU = """
import json, resource, sys, time
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
printed, before = {}, cpu()
def phase(name):
    global before
    now = cpu()
    printed[name], before = now - before, now
"""
API = """
import api
phase("imports")
api.warm_up()
phase("before the snapshot")
print(json.dumps(printed))
"""
# What fork_server.py does before it says that it is ready, and then for the first child.
FORK_SERVER = """
import fork_server
phase("fork server's imports")
import simulator
phase("simulator's imports")
simulator.warm_up()
phase("warm-up")
import gc, os
gc.collect()
gc.freeze()
phase("collecting garbage")
pid = os.fork()
if pid == 0:
    os._exit(0)
_, _, child = os.wait4(pid, 0)
phase("fork")
printed["fork"] += child.ru_utime + child.ru_stime
print(json.dumps(printed))
"""
WORKER = """
import pathlib
def used(pid):  # proc(5) stat: utime and stime, of threads that have ended too
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
import os
started = time.perf_counter()
import worker
phase("handler's imports")
children = worker.children()
assert children.wait_until_ready()
printed["elapsed"] = time.perf_counter() - started
family = [int(pid) for pid in pathlib.Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()]
printed["ready"] = cpu() + sum(used(pid) for pid in {*family, *children.pids})
children.close()
print(json.dumps(printed))
"""


def figures(rounds: int = 5) -> dict[str, Any]:
    """Return each figure as its median, lowest and highest value over `rounds` fresh processes.

    `api_init_cpu_ms` is what importing the api takes, `worker_ready_cpu_s` what all of the worker's processes use until
    its children wait for circuits (`worker_ready_elapsed_s` by the clock); `..._by_phase` and `..._by_package` divide
    them, packages by their share of the imports' time.
    """
    api, fork_server, worker = (
        [_said(function, script) for _ in range(rounds + 1)][1:]  # the first may compile the sources
        for function, script in (("api", API), ("worker", FORK_SERVER), ("worker", WORKER))
    )
    imports = {"api": _spread([printed["imports"] * 1e3 for printed in api])}
    simulator = statistics.median(printed["simulator's imports"] for printed in fork_server)
    return {
        "api_init_cpu_ms": imports["api"],
        "api_init_cpu_ms_by_package": _by_package("api", "api", imports["api"]["median"]),
        "api_snapshot_cpu_ms": _spread([printed["before the snapshot"] * 1e3 for printed in api]),
        "worker_ready_cpu_s": _spread([printed["ready"] for printed in worker]),
        "worker_ready_elapsed_s": _spread([printed["elapsed"] for printed in worker]),
        "worker_ready_cpu_s_by_phase": {
            "handler's imports": _spread([printed["handler's imports"] for printed in worker]),
            **{name: _spread([printed[name] for printed in fork_server]) for name in fork_server[0]},
        },
        "simulator_imports_cpu_s_by_package": _by_package("worker", "simulator", simulator),
        "limits": LIMITS,
        "rounds": rounds,
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 4),
        "low": round(min(values), 4),
        "high": round(max(values), 4),
    }


def _said(function: str, script: str) -> dict[str, float]:
    printed: dict[str, float] = json.loads(_run(function, "-c", CPU + script).stdout)
    return printed


def _by_package(function: str, module: str, total: float) -> dict[str, float]:
    """Return what each package's own modules add to the import of `module`, scaled to `total`."""
    spent: dict[str, float] = defaultdict(float)
    traced = _run(function, "-X", "importtime", "-c", f"import {module}").stderr
    for own, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", traced, re.MULTILINE):
        package = name.partition(".")[0]
        spent["standard library" if package.lstrip("_") in _STANDARD or package in _STANDARD else package] += int(own)
    whole = sum(spent.values())
    large = {name: own for name, own in spent.items() if own >= SHOWN * whole}
    large["others"] = whole - sum(large.values())
    shares = sorted(large.items(), key=lambda pair: -pair[1])
    return {name: round(total * own / whole, 4) for name, own in shares}


_STANDARD = set(sys.stdlib_module_names)


def _run(function: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python as the function's process: its folders, its threads, nothing of this environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    given = {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "functions" / function), str(ROOT / "layers")]),
        "PYTHONWARNINGS": "ignore",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "QISKIT_PARALLEL": "FALSE",
        **_settings(),
    }
    return subprocess.run([sys.executable, *arguments], env=kept | given, capture_output=True, text=True, check=True)


def _settings() -> dict[str, str]:
    template = load()
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
    texts = {"Ref": "https://example.org/q", "Fn::If": "120"}  # a resource's name or address, a limit
    return {
        name: defaults.get(value.get("Ref"), texts[next(iter(value))]) if isinstance(value, dict) else str(value)
        for name, value in variables.items()
    }


if __name__ == "__main__":
    print(json.dumps(figures(int(sys.argv[1]) if sys.argv[1:] else 5), indent=1))
