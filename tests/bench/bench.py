"""`make bench`: every section, interleaved, as one table and one JSON; `QUICK=1` in a minute: the regression check.

A section's sides take turns within it, and the sections take turns too, so that what else the machine does hits all
alike. Each section runs in a process of its own. The JSON is what README's figures and pictures are made from
(`report.py`); floors.json has the ratios that must not be undercut. A quick run leaves out what no floor is about: the
slowest programs, the largest circuits, most of the load on the stack, cold starts, cost and model.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures import Figures

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PASSES = 3
FLOORS = HERE / "floors.json"
RESULTS = HERE / "results"
IMPORTS = [
    "tests/bench",
    "infra",
    "layers",
    "client",
    "tests",
    "tests/integration",
    "functions/worker",
    "functions/api",
]
# How runner_bench.py says its figures: the pattern, what it adds to the line's name, the unit.
FIGURES_IN_TEXT = (
    (r"([\d.]+) of raw", " ÷ raw Aer", ""),
    (r"([\d.]+)/s", "", "/s"),
    (r"([\d.]+) ms", "", "ms"),
    (r"([\d.]+) times", "", "times"),
)
WORKER_ROUNDS = {"handler": 5, "batches": 5, "large": 5, "larger": 2}  # 26 qubits take ten seconds a round
CHECKED = ("reader", "worker", "engine", "sweeps", "api", "client", "queries")
FULL = (*CHECKED, "fair")  # whose floors a full run checks
SECTIONS = (*FULL, "end to end")


def reader(*, quick: bool) -> dict[str, Any]:
    """Section 1: ours against Qiskit's importers, by size and kind of program."""
    import reader_bench

    figures = Figures()
    for name, text in reader_bench.PROGRAMS.items():
        if quick and name == "50,000 gates":  # 15 seconds of Qiskit's
            continue
        row = reader_bench.compare(text)
        figures.add(f"{name}: ours", "ms", row["ours_ms"])
        if "ratio" in row:
            figures.add(f"{name}: {row['importer']}", "ms", row["qiskit_ms"])
            figures.add(f"{name}: {row['importer']} ÷ ours", "", row["ratio"])
        if "ratio_unrolled" in row:
            figures.add(f"{name}: until unrolled for Aer", "", row["ratio_unrolled"])
    return {"figures": _raw(figures)}


def worker(*, quick: bool) -> dict[str, Any]:
    """Section 2: runner_bench.py's parts, each in a process with its own OpenMP; a line a figure."""
    figures = Figures()
    rounds = {"handler": 5, "batches": 5, "large": 3} if quick else WORKER_ROUNDS
    for part, times in rounds.items():
        printed = subprocess.run(
            [sys.executable, HERE / "runner_bench.py", part, str(times)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        for line in printed.splitlines():
            name, _, rest = line.partition(": ")
            name = re.sub(
                r"\b\d+ (threads|environments|processes)", r"all \1", name
            )  # the machine's size is given once
            for pattern, what, unit in FIGURES_IN_TEXT:
                if found := re.search(pattern, rest):
                    figures.add(name + what, unit, float(found[1]))
    return {"figures": _raw(figures)}


def engine(*, quick: bool) -> dict[str, Any]:
    """Section of the simulator against raw Aer on what that is slow at: engine_bench.py."""
    import engine_bench

    return {"figures": _raw(engine_bench.measure(1, quick=quick))}


def sweeps(*, quick: bool) -> dict[str, Any]:
    """Section of sweeps against Aer's primitives: sweeps_bench.py."""
    import sweeps_bench

    return {"figures": _raw(sweeps_bench.measure(2, quick=quick))}


def api(*, quick: bool) -> dict[str, Any]:
    """Section 3."""
    import api_bench

    figures, counted = api_bench.measure(quick=quick)
    return {"figures": _raw(figures), "counted": counted}


def client(*, quick: bool) -> dict[str, Any]:
    """What the client adds to bare HTTP calls."""
    import client_bench

    return {"figures": _raw(client_bench.measure(quick=quick))}


def queries(*, quick: bool) -> dict[str, Any]:
    """Measure the saved queries over many log lines."""
    import queries_bench

    return {"figures": _raw(queries_bench.measure(quick=quick))}


def fair(*, quick: bool) -> dict[str, Any]:
    """What one key loses to another, and how long that one waits: fair_bench.py."""
    import fair_bench

    return {"figures": _raw(fair_bench.measure(500, 2) if quick else fair_bench.measure())}


def end_to_end(*, quick: bool) -> dict[str, Any]:
    """Section 4."""
    import end_to_end as stack_bench

    return {"figures": _raw(stack_bench.measure(quick=quick))}


def _raw(figures: Figures) -> dict[str, Any]:
    return {name: {"unit": figures.units[name], "samples": values} for name, values in figures.samples.items()}


def in_process(section: str, *, quick: bool) -> dict[str, Any]:
    """Run one section in a process of its own."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in IMPORTS),
        "PYTHONWARNINGS": "ignore",
    }
    if section == "reader":
        environment["QUICK"] = "1"  # fewer rounds a pass: there are passes
    process = subprocess.run(
        [sys.executable, __file__, "--section", section, *(["--quick"] if quick else [])],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise SystemExit(f"The section {section!r} failed.")
    printed: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return printed


def run(passes: int, *, quick: bool) -> dict[str, Any]:
    """Run all sections `passes` times in turns; return the report."""
    merged = {section: Figures() for section in SECTIONS}
    report: dict[str, Any] = {
        "machine": machine(),
        "taken": datetime.now(UTC).isoformat(timespec="minutes"),
        "quick": quick,
    }
    for number in range(passes):
        for section in SECTIONS:
            if section in FULL and section not in CHECKED and (quick or number):
                continue  # it takes long, and its rounds take turns by themselves
            print(f"pass {number + 1}, {section} ...", file=sys.stderr, end="", flush=True)
            started = time.perf_counter()
            printed = in_process(section, quick=quick)
            for name, figure in printed["figures"].items():
                merged[section].add(name, figure["unit"], *figure["samples"])
            if "counted" in printed:
                report["counted"] = printed["counted"]
            print(f" {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    report["figures"] = {section: figures.as_dict() for section, figures in merged.items() if figures.samples}
    if not quick:
        print("cold start, cost, model ...", file=sys.stderr, flush=True)
        report |= derived(report)
    return report


def derived(report: dict[str, Any]) -> dict[str, Any]:
    """Return sections 5 and 6 and the model, which rest on what was measured."""
    sys.path += [str(ROOT / path) for path in IMPORTS]
    import api_bench
    import bill_bench
    import cold_start
    import cost
    import neighbours
    import scale

    figures, counted = report["figures"]["api"], report["counted"]
    cold = cold_start.figures(5)
    system = scale.measured(figures, counted, cold)
    found: dict[str, Any] = {
        "cold start": cold,
        "bill ÷ dry run": bill_bench.agreement(),
        "cost": (costs := cost.table(figures, counted, api_bench.PER_BATCH)),
        "validation": scale.validation(report["figures"]["end to end"], figures),
    }
    found["scale"] = scale.scenarios(system)
    found["limits"] = scale.all_limits(system)
    found["neighbours"] = neighbours.neighbours(system)
    a_million = costs["per million tasks"]
    costs["per million bindings"] = cost.million_bindings(
        report["figures"]["sweeps"], a_million["Bell, single posts"]["total"]
    )
    for row in found["scale"].values():
        case = "Bell, single posts" if row["posts of"] == 1 else f"Bell, posts of {api_bench.PER_BATCH}"
        row["dollars an hour"] = round(row["completed/s"] * 3600 / 1e6 * a_million[case]["total"], 2)
    return found


def machine() -> dict[str, Any]:
    """Return how large this machine is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def undercut(figures: dict[str, dict[str, Any]], floors: dict[str, dict[str, float]]) -> list[str]:
    """Return a sentence for each ratio that is under its floor, or was not measured."""
    found = []
    for section, ratios in floors.items():
        for name, floor in ratios.items():
            figure = figures.get(section, {}).get(name)
            if figure is None:
                found.append(f"{section}, {name}: not measured; its floor is {floor}")
            elif figure["median"] < floor:
                found.append(f"{section}, {name}: {figure['median']} is under its floor of {floor}")
    return found


def confirmed(
    figures: dict[str, dict[str, Any]],
    floors: dict[str, dict[str, float]],
    measure: Callable[[str], dict[str, dict[str, Any]]],
) -> list[str]:
    """Return what is under its floor twice: the sections in question are measured anew, and `figures` are those then.

    One run is short, and whatever else runs on the machine just then can halve a ratio.
    """
    for section in [each for each in floors if undercut(figures, {each: floors[each]})]:
        figures[section] = measure(section)
    return undercut(figures, floors)


def show(report: dict[str, Any]) -> None:
    """Print the table."""
    print(f"{report['machine']}")
    for section, figures in report["figures"].items():
        print(f"\n{section:<62}{'median':>10}{'low':>10}{'high':>10}")
        for name, figure in figures.items():
            print(f"  {name:<60}{figure['median']:>10}{figure['low']:>10}{figure['high']:>10} {figure['unit']}")
    print("\nAWS calls a task")
    for name, counted in report["counted"].items():
        if "calls" in counted:
            print(
                f"  {name:<36}{counted['calls']}, {counted['bytes sent']:.0f} bytes sent,"
                f" {counted['log bytes']:.0f} logged"
            )
            if "CPU by package" in counted:
                print(f"  {'':<36}CPU: {counted['CPU by package']}")
    if not report["quick"]:
        show_derived(report)


def show_derived(report: dict[str, Any]) -> None:
    """Print what rests on the measured figures."""
    cold = report["cold start"]
    print("\ncold start")
    for name in ("api_init_cpu_ms", "api_snapshot_cpu_ms", "worker_ready_cpu_s", "worker_ready_elapsed_s"):
        print(f"  {name:<60}{cold[name]['median']:>10}{cold[name]['low']:>10}{cold[name]['high']:>10}")
    print(f"\ndollars per million tasks ({report['cost']['prices']})")
    for name, row in report["cost"]["per million tasks"].items():
        print(f"  {name:<48}{row['total']:>10}   most: {row['largest']}; Braket SV1: {row['Braket SV1']}")
    print(f"dollars in a month without tasks: {report['cost']['idle month']}")
    for name, row in report["validation"].items():
        print(f"  model against the local stack, {name}: {row}")
    for name, row in report["scale"].items():
        print(f"  {name}: {row}")


def main() -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", choices=SECTIONS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--passes", type=int, default=PASSES)
    parser.add_argument("--take", choices=SECTIONS, help="measure one section anew, and put it into the newest results")
    parser.add_argument("--again", action="store_true", help="work out cost and model anew from the newest results")
    arguments = parser.parse_args()
    if arguments.section:
        part = {
            "reader": reader,
            "worker": worker,
            "engine": engine,
            "sweeps": sweeps,
            "api": api,
            "client": client,
            "queries": queries,
            "fair": fair,
            "end to end": end_to_end,
        }[arguments.section]
        print(json.dumps(part(quick=arguments.quick)))
        return 0
    if arguments.again:
        path = newest()
        report = json.loads(path.read_text())
        report |= derived(report)
    elif arguments.take:
        path = newest()
        report = json.loads(path.read_text())
        report["figures"][arguments.take] = taken(arguments.take, quick=arguments.quick)
        report["taken again"] = report.get("taken again", {}) | {arguments.take: datetime.now(UTC).date().isoformat()}
    else:
        report = run(1 if arguments.quick else arguments.passes, quick=arguments.quick)
        path = ROOT / ".local" / "bench.json" if arguments.quick else RESULTS / f"{report['taken'][:10]}.json"
    floors = json.loads(FLOORS.read_text())
    if arguments.quick and not arguments.take:
        floors = {section: floors[section] for section in CHECKED}
        under = confirmed(report["figures"], floors, measured_again)
    else:
        under = undercut(report["figures"], floors)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    show(report)
    print(f"\nwritten to {path.relative_to(ROOT)}")
    for sentence in under:
        print(sentence, file=sys.stderr)
    count = sum(len(ratios) for ratios in floors.values())
    print(f"{count - len(under)} of {count} ratios are above their floors in {FLOORS.relative_to(ROOT)}")
    return 1 if under else 0


def measured_again(section: str) -> dict[str, dict[str, Any]]:
    """Return a section's figures of another quick run."""
    print(f"under a floor; again: {section} ...", file=sys.stderr, flush=True)
    return taken(section, quick=True)


def taken(section: str, *, quick: bool) -> dict[str, dict[str, Any]]:
    """Return a section's figures of one run."""
    figures = Figures()
    for name, figure in in_process(section, quick=quick)["figures"].items():
        figures.add(name, figure["unit"], *figure["samples"])
    return figures.as_dict()


def newest() -> Path:
    """Return the newest committed results."""
    return max(RESULTS.glob("*.json"))


if __name__ == "__main__":
    sys.exit(main())
