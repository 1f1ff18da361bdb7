"""Answers the api's dry runs: what a task would take, or the error it would end in, by the admission of real runs."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from admission import LARGER_MAY_DO
from schedule import Program
from tasks.bill import bill
from tasks.logs import Event, logger
from tasks.options import Options
from tasks.task import Lane
from verdicts import Completed, Failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from children import Children
    from tasks.limits import Limits
    from verdicts import Outcome

READING_SECONDS = 18.0  # the api waits little longer for an answer


def dry_run(given: Mapping[str, Any], children: Children, large: Limits) -> dict[str, Any]:
    """Return `{"estimate": {...}}`, or `{"error": {...}}` as a failed task has it; neither when no child answered.

    `given` has the task's `qc`, its `options` by their JSON names, and the `lane` it would be queued in. This is a
    worker of the small lane, with `children`; `large` has the limits of the other lane's.
    """
    deadline = time.monotonic() + READING_SECONDS
    options = Options.from_dict(given["options"])

    def admitted(limits: Limits) -> Outcome:
        ((_, outcome),) = children.run([Program(given["qc"], options, dry_run=limits)], deadline=deadline)
        return outcome

    lane, limits = Lane(given["lane"]), children.limits
    outcome = admitted(limits) if lane is Lane.SMALL else None
    if outcome is None or (isinstance(outcome, Failed) and outcome.error.code in LARGER_MAY_DO):
        lane, limits = Lane.LARGE, large
        outcome = admitted(limits)
    logger.info("Task estimated", event=Event.TASK_ESTIMATED, lane=lane, shots=options.shots)
    match outcome:
        case Completed(payload):
            return {"estimate": {"lane": lane, **estimate(payload["execution"], options, limits)}}
        case Failed(error):
            return {"error": error.as_dict()}
    return {}


def estimate(execution: Mapping[str, Any], options: Options, limits: Limits) -> dict[str, Any]:
    """Return the estimate of a dry run: for a sweep the sums of gates and time, and the largest of everything else.

    Time and cost are those of running it alone on a worker with `limits`: in seconds, and in US dollars without the
    price of each request.
    """
    each = [{**execution, **binding} for binding in execution.get("bindings", [{}])]
    seconds = math.fsum(run["estimated_seconds"] for run in each)
    notes = list(dict.fromkeys(note for run in each for note in run.get("notes", ())))
    if seconds > limits.time_limit_s:
        notes.append(f"It will probably fail: a task may run for {limits.time_limit_s:g} seconds.")
    return {
        "method": ", ".join(dict.fromkeys(run["method"] for run in each)),
        "engine": ", ".join(dict.fromkeys(run["engine"] for run in each)),
        "num_qubits": max(run["num_qubits"] for run in each),
        "num_clbits": max(run["num_clbits"] for run in each),
        "depth": max(run["depth"] for run in each),
        "gates": sum(run["gates"] for run in each),
        "bindings": len(each),
        "shots": options.shots,
        "estimated_seconds": float(f"{seconds:.3g}"),
        "memory_bytes": max(run["memory_bytes"] for run in each),
        **({"result_bytes": sum(run["result_bytes"] for run in each)} if "result_bytes" in each[0] else {}),
        "cost_usd": bill(seconds * 1000, limits.memory_mb)["cost_usd"],
        **({"notes": notes} if notes else {}),
        **({"reduced": each[0]["reduced"]} if len(each) == 1 and "reduced" in each[0] else {}),
    }
