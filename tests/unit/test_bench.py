"""The benchmark's own arithmetic: its regression check can fail, its model follows its limits, README says its JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from release.parameters import environment
from tasks.bill import LAMBDA_GB_SECOND

BENCH = Path(__file__).parents[1] / "bench"
sys.path.insert(0, str(BENCH))

import cost  # noqa: E402
import neighbours  # noqa: E402
import pictures  # noqa: E402
import prices  # noqa: E402
import report  # noqa: E402
import scale  # noqa: E402

import bench  # noqa: E402


def test_a_ratio_under_its_floor_is_named() -> None:
    """The check says which ratio is too low, and which was not measured; equal to the floor is enough."""
    figures = {"reader": {"Bell": {"median": 4.9}, "loops": {"median": 2.0}}}
    floors = {"reader": {"Bell": 5.0, "loops": 2.0}, "worker": {"batch": 0.8}}
    assert bench.undercut(figures, floors) == [
        "reader, Bell: 4.9 is under its floor of 5.0",
        "worker, batch: not measured; its floor is 0.8",
    ]


def test_a_ratio_must_be_under_its_floor_twice() -> None:
    """A section that is under a floor is measured once more, the others are not; what is still under it is named."""
    figures = {each: {"ratio": {"median": 0.5}} for each in ("reader", "worker")} | {"api": {"ratio": {"median": 0.9}}}
    floors = {each: {"ratio": 0.8} for each in ("reader", "worker", "api")}
    second = {"reader": {"ratio": {"median": 0.6}}, "worker": {"ratio": {"median": 1.0}}}
    assert bench.confirmed(figures, floors, second.__getitem__) == ["reader, ratio: 0.6 is under its floor of 0.8"]
    assert figures["worker"] == second["worker"]


def test_the_committed_results_hold_every_floor() -> None:
    """The newest results have each ratio of floors.json, at its floor or over it."""
    results = json.loads(bench.newest().read_text())
    floors = json.loads(bench.FLOORS.read_text())
    assert set(floors) == set(bench.FULL)
    assert all(floors.values())
    assert bench.undercut(results["figures"], floors) == []


def test_readme_says_what_the_results_say() -> None:
    """README's figures and both pictures are those of the newest results, made by report.py."""
    path = bench.newest()
    results = json.loads(path.read_text())
    text = report.README.read_text()
    part = text[text.index(report.BEGIN) : text.index(report.END) + len(report.END)]
    assert part == report.block(results, path.name)
    assert (bench.RESULTS / "throughput.svg").read_text() == pictures.throughput(results)
    assert (bench.RESULTS / "cost.svg").read_text() == pictures.cost_picture(results)


def test_a_tasks_writes_are_billed_by_the_kilobyte_begun() -> None:
    """Small: row, claim, end and three index writes. In a transaction the row counts twice; a large end more."""
    assert cost.write_units(500, 900) == 6
    assert cost.write_units(500, 900, transaction=True) == 7
    assert cost.write_units(1100, 2900) == 2 + 2 + 2 + 3 + 1


def test_a_million_tasks_cost_what_their_parts_cost() -> None:
    """Each item is its count times its price."""
    figures = {
        name: {"median": milliseconds}
        for name, milliseconds in (
            ("POST: CPU ms", 2.0),
            ("GET: CPU ms", 1.0),
            ("worker, Bell, 10 a batch: CPU ms a task", 3.0),
        )
    }
    calls: dict[str, Any] = {
        "POST": {"calls": {"dynamodb.PutItem": 1, "sqs.SendMessage": 1}, "log bytes": 400, "log lines": 1},
        "GET": {"calls": {"dynamodb.GetItem": 1}, "log bytes": 0, "log lines": 0},
        "worker, Bell, 10 a batch": {
            "calls": {"dynamodb.BatchExecuteStatement": 0.2},
            "log bytes": 800,
            "log lines": 2,
        },
        "rows": {"Bell": {"submitted": 500, "ended": 900}},
    }
    items = cost.million(figures, calls, "Bell")
    assert items["API Gateway"] == pytest.approx(7.0)
    assert items["DynamoDB writes"] == pytest.approx(6 * 0.625)
    assert items["SQS"] == pytest.approx((1 + 0.2) * 0.4)
    assert items["Lambda, worker"] == pytest.approx((0.003 + 0.001) * 1769 / 1024 * 16.6667 + 0.02, rel=1e-2)
    assert items["EventBridge"] == pytest.approx(3.0)
    # A call for 30 changes: three PutEvents, one write and 15 ms of a vCPU, at 512 MB.
    seconds = 0.045 + 0.005 + 0.015 * 1769 / 512
    logged = (300 + 350 + 26) / 1e9 * 0.5
    assert items["Lambda, notifier"] == pytest.approx(
        (seconds * 0.5 * 0.0000166667 + 0.2e-6 + logged) / 10 * 1e6, rel=1e-2
    )
    quiet = cost.million(figures, calls, "Bell", published=False)
    assert {item for item in items if items[item] != quiet[item]} == {"EventBridge", "Lambda, notifier"}
    assert quiet["EventBridge"] == 0
    # Ten ends at once: a write of 5 ms and 5 ms of a vCPU, at 256 MB; each of two rows takes one unit a call.
    seconds = 0.005 + 0.005 * 1769 / 256
    assert items["Lambda, usage"] == pytest.approx(
        (seconds * 0.25 * 0.0000166667 + 0.2e-6 + logged) / 10 * 1e6, rel=1e-2
    )
    assert items["DynamoDB, sums"] == pytest.approx(2 * 0.625 / 10)
    for published in (True, False):
        summed, unsummed = (
            sum(cost.million(figures, calls, "Bell", published=published, summed=each).values())
            for each in (True, False)
        )
        assert summed / unsummed <= 1.03  # what bounds and usage of keys add to a task
    http = cost.million(figures, calls, "Bell", request_price=prices.HTTP_API_REQUEST)
    assert {item: items[item] - http[item] for item in items if items[item] != http[item]} == {"API Gateway": 5.0}
    arm = cost.million(figures, calls, "Bell", architecture="arm64")
    ratio = LAMBDA_GB_SECOND["arm64"] / LAMBDA_GB_SECOND["x86_64"]
    assert arm["Lambda, worker"] - 0.02 == pytest.approx((items["Lambda, worker"] - 0.02) * ratio, rel=1e-2)


def test_a_million_bindings_cost_their_run_and_their_tasks() -> None:
    """A millisecond of the small worker each, and a thousandth of a million tasks where a task has a thousand."""
    sweeps = {
        "4 qubits, 1,000 bindings: values": {"median": 1.0},
        "4 qubits, 1,000 bindings: EstimatorV2": {"median": 9.0},
        "4 qubits, 10 bindings: counts": {"median": 2.0},
    }
    running = 1e-3 * 1769 / 1024 * 16.6667
    assert cost.million_bindings(sweeps, 20.0) == {
        "4 qubits, 1,000 bindings: values": pytest.approx(running + 0.02, abs=1e-4),
        "4 qubits, 10 bindings: counts": pytest.approx(2 * running + 2.0, abs=1e-4),
    }


def test_a_month_without_tasks_costs_five_dollars_at_most() -> None:
    """Three polled queues, a secret, sixteen alarms, a sweep a minute; a snapshot and a dashboard are asked for."""
    month = cost.idle()
    assert month["SQS polling"] == pytest.approx(3 * 5 * 129_600 * 0.4e-6, abs=0.01)
    assert month["secret"] == pytest.approx(0.40)
    assert month["alarms"] == pytest.approx(1.60)
    assert month["schedule"] == pytest.approx(0.04)
    assert month["snapshot of the api"] == month["dashboard"] == 0
    assert sum(month.values()) <= 5
    assert cost.metrics_month() == pytest.approx(12 * 0.30)


def test_what_prod_keeps_beyond_that_is_a_snapshot_and_a_dashboard() -> None:
    """A snapshot of 1 GB for a month and one dashboard; the rest is the same."""
    month, prod = cost.idle(), cost.idle(environment("prod").parameters)
    assert {item: prod[item] for item in prod if prod[item] != month[item]} == {
        "snapshot of the api": pytest.approx(3.90),
        "dashboard": pytest.approx(3.00),
    }


def test_metrics_by_method_cost_where_the_template_asks_for_them() -> None:
    """Detailed metrics are five a method, and none without; the template, whose alarms need none, does without."""
    template: dict[str, Any] = {
        "Resources": {
            "Api": {"Type": "AWS::Serverless::Api", "Properties": {"MethodSettings": [{"MetricsEnabled": True}]}},
            "Function": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"Events": {"Submit": {"Type": "Api"}, "Read": {"Type": "Api"}, "Task": {"Type": "SQS"}}},
            },
        }
    }
    assert cost.metrics_by_method(template) == 10
    template["Resources"]["Api"]["Properties"]["MethodSettings"][0]["MetricsEnabled"] = False
    assert cost.metrics_by_method(template) == 0
    assert cost.metrics_by_method(cost.load()) == 0


def test_a_figure_says_no_more_than_it_knows() -> None:
    """One sample has no spread, a ratio below one is no `times as fast`, and what misses the goal is named."""
    once = {"median": 0.3, "low": 0.3, "high": 0.3}
    often = {"median": 4.7, "low": 4.1, "high": 5.0}
    assert report._speed(once) == "0.3 of its speed"  # noqa: SLF001 - README's words
    assert report._speed(often) == "4.7 (4.1 to 5) times as fast"  # noqa: SLF001
    judged = report._judged(  # noqa: SLF001
        {
            "reader": {
                "loop: qasm3.loads": once,
                "loop: qasm3.loads ÷ ours": once,
                "Bell: qasm3.loads ÷ ours": often,
                "Bell: qasm2.loads": once,
                "Bell: qasm2.loads ÷ ours": often,
            },
            "worker": {"handler ÷ raw Aer": once, "batch ÷ raw Aer": {**once, "median": 0.8}},
        }
    )
    assert judged[3:] == [
        "Slower than `qiskit.qasm3.loads` at reading alone: loop (0.3).",
        "Slower than `qiskit.qasm2.loads`, whose parser is written in Rust, at reading alone: none.",
        "**Below the goal of 0.8 of raw Aer: handler (0.3).**",
    ]


def test_each_program_is_compared_with_its_versions_importer() -> None:
    """The table has a row for each program that was measured, beside the importer that read it."""
    figure = {"median": 2.0, "low": 2.0, "high": 2.0}
    figures = {
        f"{name}: {what}": figure
        for name, importer in (("Bell", "qasm3.loads"), ("OpenQASM 2, Bell", "qasm2.loads"))
        for what in ("ours", importer, f"{importer} ÷ ours")
    }
    assert report._reader(figures) == [  # noqa: SLF001 - README's words
        "| read: Bell | 2 ms | `qiskit.qasm3.loads`: 2 ms | 2 times as fast |",
        "| read: OpenQASM 2, Bell | 2 ms | `qiskit.qasm2.loads`: 2 ms | 2 times as fast |",
    ]


def test_overhead_and_scaling_have_their_rows() -> None:
    """What a task's process costs and what all cores give is in the table, the latter beside raw Aer's."""

    def figure(median: float) -> dict[str, float]:
        return {"median": median, "low": median, "high": median}

    figures = {
        "isolation": figure(0.25),
        "handler, all environments as fast as one": figure(1.8),
        "raw Aer, all processes as fast as one": figure(1.9),
    }
    assert report._scaling(figures) == [  # noqa: SLF001 - README's words
        "| a task to its process and back, without reading and running it | 0.25 ms | | |",
        "| handler, all cores against one | 1.8 times | raw Aer: 1.9 times | 0.95 |",
    ]


def test_a_loads_cpu_is_told_by_process() -> None:
    """Where a task's CPU goes is in the table beside its sum: front, api and worker, in this order."""
    parts = {"": 14.7, ", front": 0.902, ", api": 7.35, ", worker": 6.48, ", standin": 6.0}
    figures = {
        f"posts: {name}": {"median": median, "low": median, "high": median}
        for name, median in {
            "submitted/s": 112.0,
            "completed/s": 107.0,
            **{f"CPU ms a task{part}": median for part, median in parts.items()},
        }.items()
    }
    assert report._loads(figures) == ["| posts | 112 | 107 | 14.7 | 0.9, 7.3, 6.5 | 6 |"]  # noqa: SLF001 - README's words


def test_latencies_are_told_for_one_client_and_for_many() -> None:
    """A single task's way to its result is given as p50 and p95: alone, and among those of 16 clients."""
    figures = {
        "one Bell task alone: submitted to result": {"median": 28.0, "p95": 40.0},
        "single tasks, 1 client: submitted to result": {"median": 30.0, "p95": 50.0},
        "single tasks, 16 clients: submitted to result": {"median": 160.0, "p95": 210.0},
    }
    assert report._answered(figures) == (  # noqa: SLF001 - README's words
        "From a single task's POST to its result, p50 and p95: 28 and 40 ms for a lone Bell task;"
        " 30 and 50 ms for a mixed one of 1 client; 160 and 210 ms for those of 16 clients, who ask every 20 ms."
    )


def test_the_model_serves_a_lone_task_at_once() -> None:
    """One task takes the request, the poll, the cold start and its own run; nothing else."""
    system = scale.System(api_s=0.1, poll_s=0.2, cold_s=3.0, batch_s=0.5, task_s=0.25, spread=0)
    outcome = scale.simulate(system, [(0.0, 1)])
    assert outcome.latencies == [pytest.approx(0.1 + 0.2 + 3.0 + 0.5 + 0.25)]
    assert (outcome.invocations, outcome.environments) == (1, 1)


def test_the_models_workers_run_full_batches_side_by_side() -> None:
    """A backlog is worked off at concurrency times batch over the batch's time, and no faster."""
    system = scale.System(
        key_requests=1e6, stage_requests=1e6, table_units=1e9, keys=1000, open_shards=1000, account_requests=1e6,
        maximum_concurrency=4, first_batches=4, cold_s=0, batch_s=0.1, task_s=0.01, spread=0,
    )  # fmt: skip
    assert system.workers() == pytest.approx(200)
    outcome = scale.simulate(system, [(0.0, 4000)])
    assert outcome.ended_at == pytest.approx(4000 / 200, rel=0.02)
    assert outcome.invocations == 400


def test_the_model_breaks_at_its_tightest_limit_first() -> None:
    """Two keys of 50 requests a second let 100 tasks through; the shards' index writes twice a task."""
    system = scale.System(keys=2, key_requests=50, stage_requests=500, table_units=1e9, maximum_concurrency=100)
    assert system.first_to_break() == ("API key's rate", 100)
    outcome = scale.simulate(system, [(0.0, 1000)])
    assert outcome.accepted_at == pytest.approx(9.0, abs=0.1)  # a second's worth at once, then 100 a second
    assert list(outcome.held_back_s) == ["API key's rate"]
    assert scale.System(open_shards=8).limits()["index of open tasks"] == 4000


def test_every_limit_is_told_with_what_sets_it() -> None:
    """README's list has all limits of the model, the lowest first; a limit that raising leaves alone has one number."""
    limits = scale.all_limits(scale.System())
    assert set(limits) == set(report.SETTINGS)
    assert next(iter(limits)) == scale.System().first_to_break()[0]
    (printed, _) = report._limits({name: limits[name] for name in ("API key's rate", "stage's rate")})  # noqa: SLF001
    assert printed.endswith(
        "API key's rate 50 / 10,000 (`KeyRateLimit`); stage's rate 500 (`MethodSettings` of `Api`)."
    )


def test_the_template_lets_the_open_tasks_index_take_ten_thousand_a_second() -> None:
    """The shards are more than the load needs for which the system is laid out."""
    assert scale.System().limits()["index of open tasks"] >= 10_000


def test_the_model_grows_by_300_batches_a_minute() -> None:
    """With a long backlog the event source starts with five batches and adds five a second."""
    system = scale.System(
        key_requests=1e6, stage_requests=1e6, table_units=1e9, keys=1000, open_shards=1000, account_requests=1e6,
        maximum_concurrency=1000, cold_s=0, batch_s=1.0, task_s=0, batch=1, spread=0,
    )  # fmt: skip
    outcome = scale.simulate(system, [(0.0, 500)])
    # 5 in the first second, 10 in the next, ...: 5 + 10 + ... + 65 = 455, and the rest in the fourteenth.
    assert outcome.ended_at == pytest.approx(14.0, abs=0.6)


def test_fair_queues_let_a_quiet_key_pass() -> None:
    """With one worker of one task at a time: as sent B waits for all of A's, fair for the one that runs."""
    system = scale.System(maximum_concurrency=1, batch=1, batch_s=0.0, task_s=0.01, poll_s=0.01, spread=0)
    row = neighbours.neighbours(system, {"a hundred": (100, 1.0, 2.5)})["a hundred"]
    assert row["as sent"]["B waits, longest s"] > 97
    assert row["fair"]["B waits, longest s"] < 1.1
    assert row["A loses"] < 0.01


def test_no_order_interrupts_what_runs() -> None:
    """While all workers are held by endless tasks, B waits for the first of them to end, in either order."""
    system = scale.System(maximum_concurrency=2, batch=1, batch_s=0.0, task_s=0.0, poll_s=0.01, spread=0)
    row = neighbours.neighbours(system, {"four": (4, neighbours.TIME_LIMIT_S, 1.0)})["four"]
    assert row["fair"]["B waits, longest s"] >= neighbours.TIME_LIMIT_S - 1
    assert row["as sent"]["B waits, longest s"] >= 2 * neighbours.TIME_LIMIT_S - 1
