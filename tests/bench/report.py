"""The figures and pictures of README.md beside this file, from the newest results: `python tests/bench/report.py` writes them anew.

Nothing between README's two marks is written by hand, and a test compares it with the JSON.
"""

# ruff: noqa: E501, ISC004 - sentences of README, a line each

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cost import idle as idle_month

from bench import RESULTS, newest
from release.parameters import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- figures: tests/bench/report.py -->", "<!-- end of figures -->"
# The PostgreSQL queue of the older designs, on two cores: the best of its range. Measured before this system was built.
OLDER = {"completed/s": 108, "CPU ms a task": 18}
# What the table shows of the reader; all else is in the JSON.
READ = (
    "Bell", "gates and control", "1,000 gates", "10,000 gates", "50,000 gates",
    "OpenQASM 2, Bell", "OpenQASM 2, 1,000 gates", "OpenQASM 2, 10,000 gates",
    "OpenQASM 2, 1,000 lines with user gates", "OpenQASM 2, 1,000 lines with user gates and if",
    "nested loops", "a loop of 1,000", "if in a loop", "while on a register",
)  # fmt: skip
IMPORTERS = ("qasm3.loads", "qasm2.loads")  # of Qiskit
GOAL = 0.8  # of raw Aer
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
COLORS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb")


def block(report: Mapping[str, Any], name: str) -> str:
    """Return README's part with the figures of a report, which lies in the file `name`."""
    figures, machine = report["figures"], report["machine"]
    return "\n".join(
        [
            BEGIN,
            f"`make bench` on {machine['cores']} cores ({machine['memory_gib']} GiB, {machine['architecture']}, Python"
            f" {machine['python']}), {report['taken'][:10]}; medians, lowest to highest in brackets;",
            f"everything is in `results/{name}`. Ratios are of one run, both sides in turns.",
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


def _span(figure: Mapping[str, Any]) -> str:
    if figure["low"] == figure["high"]:  # of one sample: no spread to tell
        return _plain(figure["median"])
    return f"{_plain(figure['median'])} ({_plain(figure['low'])} to {_plain(figure['high'])})"


def _plain(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:g}"


def _reader(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"| read: {name} | {_plain(figures[f'{name}: ours']['median'])} ms | `qiskit.{importer}`:"
        f" {_plain(figures[f'{name}: {importer}']['median'])} ms | {_speed(figures[f'{name}: {importer} ÷ ours'])}"
        f"{_unrolled(figures, name)} |"
        for name in READ
        for importer in IMPORTERS
        if f"{name}: {importer}" in figures
    ]


def _speed(figure: Mapping[str, Any]) -> str:
    return f"{_span(figure)} {'times as fast' if figure['median'] >= 1 else 'of its speed'}"


def _unrolled(figures: Mapping[str, Any], name: str) -> str:
    figure = figures.get(f"{name}: until unrolled for Aer")
    return f"; {_plain(figure['median'])} unrolled" if figure else ""


def _judged(figures: Mapping[str, Any]) -> list[str]:
    """Say what a figure of the table means, and which of all figures, shown or not, are not what was wanted."""
    below = [
        f"{name.removesuffix(' ÷ raw Aer')} ({_plain(figure['median'])})"
        for name, figure in figures["worker"].items()
        if name.endswith("÷ raw Aer") and figure["median"] < GOAL
    ]
    return [
        "`unrolled` compares the time until Aer has the loops, and in OpenQASM 2 the user's gates, unrolled: ours come"
        " unrolled from the reader,",
        "Qiskit leaves that for later.",
        "Raw Aer is `AerSimulator.run` after our reader, with nothing around; ours can be more than 1, since plain circuits"
        " go past most of that method (`functions/worker/direct.py`).",
        *(_slower(figures["reader"], importer) for importer in IMPORTERS if _measured(figures["reader"], importer)),
        f"**Below the goal of {GOAL} of raw Aer: {'; '.join(below) or 'none'}.**",
    ]


def _measured(figures: Mapping[str, Any], importer: str) -> bool:
    return any(name.endswith(f": {importer}") for name in figures)


def _slower(figures: Mapping[str, Any], importer: str) -> str:
    names = [
        f"{name.removesuffix(f': {importer} ÷ ours')} ({_plain(figure['median'])})"
        for name, figure in figures.items()
        if name.endswith(f": {importer} ÷ ours") and figure["median"] < 1
    ]
    rust = ", whose parser is written in Rust," if importer == "qasm2.loads" else ""
    return f"Slower than `qiskit.{importer}`{rust} at reading alone: {'; '.join(names) or 'none'}."


def _worker(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"| {name.removesuffix(' ÷ raw Aer')} | {_rate(figures, name)} | raw Aer on as many cores | {_span(figure)} |"
        for name, figure in figures.items()
        if name.endswith("÷ raw Aer")
    ]


def _scaling(figures: Mapping[str, Any]) -> list[str]:
    """Return rows of what is no ratio to raw Aer: the time around a circuit's run, and what more cores give."""
    overhead, scaling = figures["isolation"], figures["handler, all environments as fast as one"]
    rows = [f"| a task to its process and back, without reading and running it | {_span(overhead)} ms | | |"]
    if raw := figures.get("raw Aer, all processes as fast as one"):
        rows.append(
            f"| handler, all cores against one | {_span(scaling)} times | raw Aer: {_span(raw)} times |"
            f" {scaling['median'] / raw['median']:.2f} |"
        )
    return rows


def _rate(figures: Mapping[str, Any], name: str) -> str:
    rate = figures.get(name.removesuffix(" ÷ raw Aer"))
    return f"{_plain(rate['median'])}/s" if rate else ""


def _api(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"| {name} in the api function | {_plain(figures[f'{name}: CPU ms']['median'])} ms CPU | a function that only makes"
        f" the same AWS calls | {_span(figures[f'{name}: bare calls ÷ ours'])} |"
        for name in ("POST", "GET")
    ]


def _loads(figures: Mapping[str, Any]) -> list[str]:
    names = [name.removesuffix(": completed/s") for name in figures if name.endswith(": completed/s")]
    return [
        f"| {name} | {_span(figures[f'{name}: submitted/s'])} | {_span(figures[f'{name}: completed/s'])} |"
        f" {_span(figures[f'{name}: CPU ms a task'])} | {_by_process(figures, name)} |"
        f" {_plain(figures[f'{name}: CPU ms a task, standin']['median'])} |"
        for name in names
    ]


def _by_process(figures: Mapping[str, Any], load: str) -> str:
    parts = (figures[f"{load}: CPU ms a task, {part}"]["median"] for part in ("front", "api", "worker"))
    return ", ".join(_plain(float(f"{each:.2g}")) for each in parts)


def _answered(figures: Mapping[str, Any]) -> str:
    """Say how long tasks that are sent one by one take from POST to result."""
    said = [
        f"{_plain(figures[name]['median'])} and {_plain(figures[name]['p95'])} ms {who}"
        for name, who in (
            ("one Bell task alone: submitted to result", "for a lone Bell task"),
            ("single tasks, 1 client: submitted to result", "for a mixed one of 1 client"),
            ("single tasks, 16 clients: submitted to result", "for those of 16 clients, who ask every 20 ms"),
        )
        if name in figures
    ]
    return f"From a single task's POST to its result, p50 and p95: {'; '.join(said)}."


def _counted(report: Mapping[str, Any]) -> list[str]:
    counted = report["counted"]
    post, get = (counted[name]["calls"] for name in ("POST", "GET"))
    work = counted["worker, Bell, 10 a batch"]
    called = sum(work["calls"].values())
    logged = counted["POST"]["log bytes"] + counted["GET"]["log bytes"] + work["log bytes"]
    return [
        f"AWS calls, counted: {_plain(sum(post.values()))} a POST, {_plain(sum(get.values()))} a GET, {called:.2g} a task in"
        f" the worker's full batches; {logged:,.0f} bytes",
        "of log a task. "
        f"Cold starts: the api {_plain(round(report['cold start']['api_init_cpu_ms']['median']))} ms of CPU, the worker"
        f" {_plain(round(report['cold start']['worker_ready_cpu_s']['median'], 2))} s until its children wait for circuits.",
    ]


def _cost(cost: Mapping[str, Any]) -> list[str]:
    rows = cost["per million tasks"]
    return [
        f"A million tasks on AWS, each read once, at the list prices of {cost['prices']['dated']} in"
        f" {cost['prices']['region']} (`layers/tasks/prices.py`); what is",
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
            f" {_plain(row['completed/s'])} | {_seconds(row['p50 s'])} | {_seconds(row['p99 s'])} | {row['environments']} |"
            f" {row['dollars an hour']:,.2f} | {row['breaks first']}, {row['at tasks/s']:,} |"
            for name, row in rows.items()
        ),
        "",
        *_limits(report.get("limits", {})),
        "Checked against the local stack (stored to ended, p50 and p95 in ms, measured / model): "
        + "; ".join(
            f"{rate} {_plain(row['measured p50 ms'])} / {_plain(row['model p50 ms'])},"
            f" {_plain(row['measured p95 ms'])} / {_plain(row['model p95 ms'])}"
            for rate, row in checked.items()
        )
        + ".",
    ]


def _limits(limits: Mapping[str, Any]) -> list[str]:
    """Return a list of what each limit lets through, the lowest first, and what sets it."""
    if not limits:
        return []
    said = [f"{name} {_both(row)} ({SETTINGS[name]})" for name, row in limits.items()]
    return [
        "What breaks one after another as the load grows, at tasks/s in single posts, as deployed / raised: "
        + "; ".join(said)
        + ".",
        "",
    ]


def _both(row: Mapping[str, int]) -> str:
    deployed, raised = row["as deployed"], row["raised"]
    return f"{deployed:,}" if deployed == raised else f"{deployed:,} / {raised:,}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def throughput(report: Mapping[str, Any]) -> str:
    """Return a picture of tasks completed a second, by kind of load, with the older design's."""
    figures = report["figures"]["end to end"]
    rows = [
        (name.removesuffix(": completed/s"), [("tasks completed a second", figure["median"])])
        for name, figure in figures.items()
        if name.endswith(": completed/s")
    ]
    rows.append(("older design, single posts, at best", [("older", float(OLDER["completed/s"]))]))
    machine = report["machine"]
    return bars(f"Tasks completed a second, local stack, {machine['cores']} cores", rows)


def cost_picture(report: Mapping[str, Any]) -> str:
    """Return a picture of what a million tasks cost, by item."""
    rows = report["cost"]["per million tasks"]
    items = list(next(iter(rows.values()))["items"])
    largest = sorted(items, key=lambda item: -max(row["items"][item] for row in rows.values()))[: len(COLORS) - 1]
    parts = [
        (
            name,
            [(item, row["items"][item]) for item in largest]
            + [("the rest", sum(value for item, value in row["items"].items() if item not in largest))],
        )
        for name, row in rows.items()
    ]
    return bars("Dollars per million tasks", parts)


def bars(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> str:
    """Return stacked bars as SVG, readable on light and dark pages."""
    left, width, height, top = 300, 400, 26, 34
    most = max(sum(value for _, value in parts) for _, parts in rows)
    named = [name for name, _ in rows[0][1]] if len(rows[0][1]) > 1 else []
    total = top + height * len(rows) + (22 * ((len(named) + 2) // 3) + 12 if named else 8)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {total}" font-family="sans-serif" font-size="13">',
        "<style>text { fill: #24292f } @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }</style>",
        f'<text x="8" y="20" font-size="15" font-weight="bold">{title}</text>',
    ]
    for index, (name, parts) in enumerate(rows):
        y = top + index * height
        out.append(f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{name}</text>')
        x = float(left)
        for number, (_, value) in enumerate(parts):
            color = COLORS[number] if len(parts) > 1 or parts[0][0] != "older" else COLORS[-1]
            length = value / most * width
            out.append(f'<rect x="{x:.1f}" y="{y + 3}" width="{length:.1f}" height="18" fill="{color}"/>')
            x += length
        out.append(f'<text x="{x + 6:.1f}" y="{y + 16}">{_plain(round(sum(value for _, value in parts), 1))}</text>')
    for number, name in enumerate(named):
        x, y = 20 + 250 * (number % 3), top + height * len(rows) + 14 + 22 * (number // 3)
        out.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{COLORS[number]}"/>')
        out.append(f'<text x="{x + 18}" y="{y}">{name}</text>')
    return "\n".join([*out, "</svg>", ""])


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
