"""The figures and pictures of README.md beside this file, from the newest results: `python tests/bench/report.py` writes them anew.

Nothing between README's two marks is written by hand, and a test compares it with the JSON.
"""

# ruff: noqa: E501, ISC004 - sentences of README, a line each

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cost import idle as idle_month
from figures import plain, span
from pictures import OLDER, cost_picture, throughput

from bench import RESULTS, newest
from release.parameters import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- figures: tests/bench/report.py -->", "<!-- end of figures -->"
# What the table shows of the reader; all else is in the JSON.
READ = (
    "Bell", "gates and control", "1,000 gates", "10,000 gates", "50,000 gates",
    "OpenQASM 2, Bell", "OpenQASM 2, 1,000 gates", "OpenQASM 2, 10,000 gates",
    "OpenQASM 2, 1,000 lines with user gates", "OpenQASM 2, 1,000 lines with user gates and if",
    "nested loops", "a loop of 1,000", "if in a loop", "while on a register",
)  # fmt: skip
IMPORTERS = ("qasm3.loads", "qasm2.loads")  # of Qiskit
GOAL = 0.8  # of raw Aer
PAIR = "a Bell pair of B beside A's"
# What sets a limit of the model's.
SETTINGS = {
    "API key's rate": "`KeyRateLimit`",
    "stage's rate": "`MethodSettings` of `Api`",
    "account's requests": "API Gateway's quota",
    "account's environments": "Lambda's quota",
    "index of owners": "1,000 writes a second a key",
    "index of open tasks": "its shards, `OPEN_SHARDS` in `rows.py`",
    "table's throughput": "on demand, by its past traffic",
    "workers": "`WorkerMaximumConcurrency`",
}


def block(report: Mapping[str, Any], name: str) -> str:
    """Return README's part with the figures of a report, which lies in the file `name`."""
    figures, machine = report["figures"], report["machine"]
    return "\n".join(
        [
            BEGIN,
            f"`make bench` on {machine['cores']} cores ({machine['memory_gib']} GiB, {machine['architecture']}, Python"
            f" {machine['python']}), {report['taken'][:10]}; medians, lowest to highest in brackets;",
            f"everything is in `results/{name}`. Ratios are of one run, both sides in turns."
            + _taken_again(report.get("taken again", {})),
            "",
            "| | ours | compared with | ratio |",
            "|---|---|---|---|",
            *_reader(figures["reader"]),
            *_worker(figures["worker"]),
            *_scaling(figures["worker"]),
            *_api(figures["api"]),
            "",
            *_judged(figures),
            "",
            *_engine(figures["engine"]),
            "",
            *_sweeps(figures["sweeps"], report["cost"]["per million bindings"]),
            "",
            *_around(figures),
            "",
            "The local stack, all on the same cores as its clients; a task is Bell, GHZ-20 or QFT-10 in turn, and is read"
            " once. The queue",
            f"in PostgreSQL that this design replaces did 57 to {OLDER['completed/s']} tasks a second at"
            f" {OLDER['CPU ms a task']} to 21 ms of CPU each, measured earlier. The CPU here is that of whole processes, with"
            " their web servers and pollers; what AWS bills is the functions' own, in the table above.",
            "",
            "| | submitted/s | completed/s | CPU ms a task, ours | in front, api, worker | the AWS stand-in's |",
            "|---|---|---|---|---|---|",
            *_loads(figures["end to end"]),
            "",
            _answered(figures["end to end"]),
            *_counted(report),
            "",
            "![Tasks a second on the local stack](results/throughput.svg)",
            "",
            *_cost(report["cost"]),
            "",
            "![Dollars per million tasks](results/cost.svg)",
            "",
            *_scale(report),
            END,
        ]
    )


def _taken_again(days: Mapping[str, str]) -> str:
    """Return a sentence for each day on which sections were taken again, given by section."""
    by_day = {day: [section for section, of in days.items() if of == day] for day in sorted({*days.values()})}
    return "".join(f" Taken again on {day}: {', '.join(sections)}." for day, sections in by_day.items())


def _reader(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"| read: {name} | {plain(figures[f'{name}: ours']['median'])} ms | `qiskit.{importer}`:"
        f" {plain(figures[f'{name}: {importer}']['median'])} ms | {_speed(figures[f'{name}: {importer} ÷ ours'])}"
        f"{_unrolled(figures, name)} |"
        for name in READ
        for importer in IMPORTERS
        if f"{name}: {importer}" in figures
    ]


def _speed(figure: Mapping[str, Any]) -> str:
    return f"{span(figure)} {'times as fast' if figure['median'] >= 1 else 'of its speed'}"


def _unrolled(figures: Mapping[str, Any], name: str) -> str:
    figure = figures.get(f"{name}: until unrolled for Aer")
    return f"; {plain(figure['median'])} unrolled" if figure else ""


def _judged(figures: Mapping[str, Any]) -> list[str]:
    """Say what a figure of the table means, and which of all figures, shown or not, are not what was wanted."""
    below = [
        f"{name.removesuffix(' ÷ raw Aer')} ({plain(figure['median'])})"
        for name, figure in figures["worker"].items()
        if name.endswith("÷ raw Aer") and figure["median"] < GOAL
    ]
    return [
        "`unrolled` compares the time until Aer has the loops, and in OpenQASM 2 the user's gates, unrolled: ours come"
        " unrolled from the reader,",
        "Qiskit leaves that for later.",
        "Raw Aer is `AerSimulator.run` after our reader, with nothing around; ours can be more than 1, since plain circuits"
        " go past most of that method (`functions/worker/aer.py`).",
        *(_slower(figures["reader"], importer) for importer in IMPORTERS if _measured(figures["reader"], importer)),
        f"**Below the goal of {GOAL} of raw Aer: {'; '.join(below) or 'none'}.**",
    ]


def _measured(figures: Mapping[str, Any], importer: str) -> bool:
    return any(name.endswith(f": {importer}") for name in figures)


def _slower(figures: Mapping[str, Any], importer: str) -> str:
    names = [
        f"{name.removesuffix(f': {importer} ÷ ours')} ({plain(figure['median'])})"
        for name, figure in figures.items()
        if name.endswith(f": {importer} ÷ ours") and figure["median"] < 1
    ]
    rust = ", whose parser is written in Rust," if importer == "qasm2.loads" else ""
    return f"Slower than `qiskit.{importer}`{rust} at reading alone: {'; '.join(names) or 'none'}."


def _worker(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"| {name.removesuffix(' ÷ raw Aer')} | {_rate(figures, name)} | raw Aer on as many cores | {span(figure)} |"
        for name, figure in figures.items()
        if name.endswith("÷ raw Aer")
    ]


def _scaling(figures: Mapping[str, Any]) -> list[str]:
    """Return rows of what is no ratio to raw Aer: the time around a circuit's run, and what more cores give."""
    overhead, scaling = figures["isolation"], figures["handler, all environments as fast as one"]
    rows = [f"| a task to its process and back, without reading and running it | {span(overhead)} ms | | |"]
    if raw := figures.get("raw Aer, all processes as fast as one"):
        rows.append(
            f"| handler, all cores against one | {span(scaling)} times | raw Aer: {span(raw)} times |"
            f" {scaling['median'] / raw['median']:.2f} |"
        )
    return rows


def _rate(figures: Mapping[str, Any], name: str) -> str:
    rate = figures.get(name.removesuffix(" ÷ raw Aer"))
    return f"{plain(rate['median'])}/s" if rate else ""


def _api(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"| {name} in the api function | {plain(figures[f'{name}: CPU ms']['median'])} ms CPU | a function that only makes"
        f" the same AWS calls | {span(figures[f'{name}: bare calls ÷ ours'])} |"
        for name in ("POST", "GET")
    ]


def _engine(figures: Mapping[str, Any]) -> list[str]:
    """Return the rows of programs that raw Aer is slow at, and of those that it cannot run."""
    ratio, alone = ": raw Aer ÷ ours", ": ours"
    rows = [name.removesuffix(ratio) for name in figures if name.endswith(ratio)]
    unmatched = [
        name for name in figures if name.endswith(alone) and f"{name.removesuffix(alone)}{ratio}" not in figures
    ]
    return [
        "What plain Aer is slow at, on one core; raw Aer by the better of its settings, `stabilizer` for Clifford circuits,"
        " of which the JSON",
        "has 1,000 shots too. Suites are geometric means.",
        "",
        "| | ours | raw Aer takes |",
        "|---|---|---|",
        *(
            f"| {name} | {_milliseconds(figures.get(name + alone))} | {span(figures[name + ratio])} times as long |"
            for name in rows
            if not name.endswith(" 1,000 shots")
        ),
        *(
            f"| {name.removesuffix(alone)} | {_milliseconds(figures[name])} | does not end, or refuses it |"
            for name in unmatched
        ),
        "",
        f"The last {len(unmatched)} take {plain(figures['memory that what Aer cannot run takes']['median'])} MB together.",
    ]


def _milliseconds(figure: Mapping[str, Any] | None) -> str:
    return f"{plain(figure['median'])} ms" if figure else ""


def _sweeps(figures: Mapping[str, Any], dollars: Mapping[str, float]) -> list[str]:
    """Return the rows of sweeps beside Aer's primitives, and what a million bindings cost."""
    cases = [name.removesuffix(": values") for name in figures if name.endswith(": values")]
    return [
        "Sweeps, in CPU of one core a binding, from the text to the answer; Aer is given a circuit with parameters. Five"
        " observables, or 1,000 shots:",
        "",
        "| | five values, ms | `EstimatorV2` | counts, ms | `SamplerV2` | a million bindings, dollars |",
        "|---|---|---|---|---|---|",
        *(
            f"| {case} | {plain(figures[f'{case}: values']['median'])} |"
            f" {plain(figures[f'{case}: EstimatorV2 ÷ ours']['median'])} times as long |"
            f" {plain(figures[f'{case}: counts']['median'])} |"
            f" {plain(figures[f'{case}: SamplerV2 ÷ ours']['median'])} times as long |"
            f" {dollars[f'{case}: values']:.3f}, {dollars[f'{case}: counts']:.3f} |"
            for case in cases
        ),
    ]


def _around(figures: Mapping[str, Any]) -> list[str]:
    """Say what the client adds, and how long the saved queries take."""
    client, queries = figures["client"], figures["queries"]
    sizes = [name.removesuffix(": slowest saved query") for name in queries if name.endswith(": slowest saved query")]
    seconds = "; ".join(f"{size} {plain(queries[f'{size}: slowest saved query']['median'])} s" for size in sizes)
    memory = [
        f", with {plain(queries[name]['median'])} MB" for name in queries if name.endswith("memory of the process")
    ]
    return [
        f"The Python client takes {plain(client['Bell by the client: CPU']['median'])} ms of CPU for a Bell task and the wait"
        f" for it, the same calls by hand {plain(client['Bell by hand: CPU']['median'])};",
        f"from POST to result its `SamplerV2` is {_speed(client['Bell by SamplerV2: by hand ÷ ours'])}.",
        f"The slowest saved log query takes, by the lines that it reads: {seconds}{''.join(memory)}.",
    ]


def _loads(figures: Mapping[str, Any]) -> list[str]:
    names = [name.removesuffix(": completed/s") for name in figures if name.endswith(": completed/s")]
    return [
        f"| {name} | {span(figures[f'{name}: submitted/s'])} | {span(figures[f'{name}: completed/s'])} |"
        f" {span(figures[f'{name}: CPU ms a task'])} | {_by_process(figures, name)} |"
        f" {plain(figures[f'{name}: CPU ms a task, standin']['median'])} |"
        for name in names
    ]


def _by_process(figures: Mapping[str, Any], load: str) -> str:
    parts = (figures[f"{load}: CPU ms a task, {part}"]["median"] for part in ("front", "api", "worker"))
    return ", ".join(plain(float(f"{each:.2g}")) for each in parts)


def _answered(figures: Mapping[str, Any]) -> str:
    """Say how long tasks that are sent one by one take from POST to result."""
    printed = [
        f"{plain(figures[name]['median'])} and {plain(figures[name]['p95'])} ms {who}"
        for name, who in (
            ("one Bell task alone: submitted to result", "for a lone Bell task"),
            ("single tasks, 1 client: submitted to result", "for a mixed one of 1 client"),
            ("single tasks, 16 clients: submitted to result", "for those of 16 clients, who ask every 20 ms"),
        )
        if name in figures
    ]
    return f"From a single task's POST to its result, p50 and p95: {'; '.join(printed)}."


def _counted(report: Mapping[str, Any]) -> list[str]:
    counted = report["counted"]
    post, get = (counted[name]["calls"] for name in ("POST", "GET"))
    work = counted["worker, Bell, 10 a batch"]
    called = sum(work["calls"].values())
    logged = counted["POST"]["log bytes"] + counted["GET"]["log bytes"] + work["log bytes"]
    return [
        f"AWS calls, counted: {plain(sum(post.values()))} a POST, {plain(sum(get.values()))} a GET, {called:.2g} a task in"
        f" the worker's full batches; {logged:,.0f} bytes",
        "of log a task. "
        f"Cold starts: the api {plain(round(report['cold start']['api_init_cpu_ms']['median']))} ms of CPU, the worker"
        f" {plain(round(report['cold start']['worker_ready_cpu_s']['median'], 2))} s until its children wait for circuits.",
    ]


def _cost(cost: Mapping[str, Any]) -> list[str]:
    rows = cost["per million tasks"]
    return [
        f"A million tasks on AWS, each read once, at the list prices of {cost['prices']['dated']} in"
        f" {cost['prices']['region']} (`tests/bench/prices.py`); what is",
        "assumed beyond counted calls and measured CPU is at the top of `tests/bench/cost.py`:",
        "",
        "| | dollars | most of it | Braket SV1 |",
        "|---|---|---|---|",
        *(
            f"| {name} | {row['total']:.2f} | {row['largest']}, {row['items'][row['largest']]:.2f} |"
            f" {row['Braket SV1']:,.0f} |"
            for name, row in rows.items()
        ),
        "",
        "Braket bills three seconds at least; one of its minutes costs as much as"
        f" {_minutes(rows):,.0f} Bell tasks here.",
        *_month(cost),
    ]


def _month(cost: Mapping[str, Any]) -> list[str]:
    idle, prod = idle_month(), idle_month(environment("prod").parameters)  # nothing of them is measured
    watching = idle["dashboard"] + idle["alarms"]
    return [
        f"A month without tasks costs {sum(idle.values()):.2f} dollars with the defaults, {sum(prod.values()):.2f} as"
        " `samconfig.toml` has `prod`, with a snapshot of the api and a dashboard:",
        "; ".join(f"{item} {dollars:.2f}" for item, dollars in idle.items()) + ".",
        f"Of this, dashboard and alarms ({watching:.2f}) cost less or nothing while the account has free ones left. A month"
        " with tasks in every hour adds",
        f"{cost['metrics of a busy month']:.2f} for the stack's own metrics, and a little more for each error code that occurs.",
    ]


def _minutes(rows: Mapping[str, Any]) -> float:
    row = rows["Bell, single posts"]
    return float(row["Braket SV1"]) * 20 / row["total"]


def _scale(report: Mapping[str, Any]) -> list[str]:
    if "scale" not in report:
        return []
    rows = report["scale"]
    checked = report["validation"]
    return [
        "On paper, by the model in `tests/bench/scale.py` with these service times and AWS's documented limits (clients try"
        " again when",
        "refused, so a limit shows as waiting). `raised` is 20 keys of 500 requests a second,"
        " `WorkerMaximumConcurrency` 200 and a warmed-up table:",
        "",
        "| | completed/s | p50 | p99 | worker environments | dollars an hour | breaks first, at tasks/s |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {name}{', posts of ' + str(row['posts of']) if row['posts of'] > 1 else ''} |"
            f" {plain(row['completed/s'])} | {_seconds(row['p50 s'])} | {_seconds(row['p99 s'])} | {row['environments']} |"
            f" {row['dollars an hour']:,.2f} | {row['breaks first']}, {row['at tasks/s']:,} |"
            for name, row in rows.items()
        ),
        "",
        *_limits(report.get("limits", {})),
        *_neighbours(report.get("neighbours", {}), report["figures"].get("fair", {})),
        "Checked against the local stack (stored to ended, p50 and p95 in ms, measured / model): "
        + "; ".join(
            f"{rate} {plain(row['measured p50 ms'])} / {plain(row['model p50 ms'])},"
            f" {plain(row['measured p95 ms'])} / {plain(row['model p95 ms'])}"
            for rate, row in checked.items()
        )
        + ".",
    ]


def _neighbours(loads: Mapping[str, Any], measured: Mapping[str, Any]) -> list[str]:
    """Return what one key's task waits beside another's many, with and without the order of fair queues."""
    if not loads:
        return []
    rows = [
        f"| {title} | {plain(row['as sent']['B waits, median s'])} s, {plain(row['as sent']['B waits, longest s'])} s "
        f"| {plain(row['fair']['B waits, median s'])} s, {plain(row['fair']['B waits, longest s'])} s "
        f"| {row['A loses']:.1%} |"
        for title, row in loads.items()
    ]
    return [
        "",
        "What a Bell task of key B waits, median and longest, beside what key A has sent (`tests/bench/neighbours.py`, the",
        "workers of the defaults): by the rule that AWS states for fair queues, and without it, in the order of sending.",
        "",
        "| A has sent | B waits, as sent | B waits, fair | A loses |",
        "|---|---|---|---|",
        *rows,
        *_fair(measured),
    ]


def _fair(measured: Mapping[str, Any]) -> list[str]:
    """Return what the same was on the local stack."""
    if not measured:
        return []
    return [
        "",
        f"On the local stack, in turns: {span(measured['A alone'])} Bell tasks of A a second alone and"
        f" {span(measured['A beside B'])} beside B, {span(measured['A beside B ÷ A alone'])} times as many;",
        f"a Bell pair of B's took {span(measured[PAIR])} s meanwhile (`tests/bench/fair_bench.py`).",
    ]


def _limits(limits: Mapping[str, Any]) -> list[str]:
    """Return a list of what each limit lets through, the lowest first, and what sets it."""
    if not limits:
        return []
    printed = [f"{name} {_both(row)} ({SETTINGS[name]})" for name, row in limits.items()]
    return [
        "What breaks one after another as the load grows, at tasks/s in single posts, as deployed / raised: "
        + "; ".join(printed)
        + ".",
        "",
    ]


def _both(row: Mapping[str, int]) -> str:
    deployed, raised = row["as deployed"], row["raised"]
    return f"{deployed:,}" if deployed == raised else f"{deployed:,} / {raised:,}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def main() -> None:
    """Write README's part and the pictures anew."""
    path = newest()
    report = json.loads(path.read_text())
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(before + block(report, path.name) + after)
    (RESULTS / "throughput.svg").write_text(throughput(report))
    (RESULTS / "cost.svg").write_text(cost_picture(report))


if __name__ == "__main__":
    main()
