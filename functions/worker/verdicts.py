"""The outcomes that a program can have, and which of them a child's answer or death means."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import ErrorCode, TaskError
from tasks.logs import Event, logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from child_processes import Answered, Lost

# What an outcome may have. The api shows each by its name (TaskBody in messages.py).
OUTCOME_FIELDS = frozenset({"result", "execution", "memory", "expectation_values", "results"})
MEMORY_SHARE = 0.8  # of its budget in resident memory: a child killed there was killed for its memory


@dataclass(frozen=True, slots=True)
class Completed:
    """The program ran; `payload` has `result` and `execution`.

    It also has `memory`, `expectation_values` and `results` where those were asked for. `size` is the size of the
    child's answer in bytes.
    """

    payload: dict[str, Any]
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The program will fail every time: its circuit is bad, over a limit, or crashed the simulator twice.

    `run_ms` is how long its last try kept a child busy, reading included. `ran_out_of_time` says that it did so for the
    whole time limit: what was refused for its time before it ran has cost nothing yet.
    """

    error: TaskError
    run_ms: float = 0.0
    ran_out_of_time: bool = False


@dataclass(frozen=True, slots=True)
class Returned:
    """The program was not run to its end, for no fault of its own that is known: back to the queue.

    `reason` is "deadline" (the batch's time is up), "postponed" (it has run before, and less than its whole time limit
    is left), "stopped" (by tick), "killed" (something from outside kills children) or "unavailable" (no child can
    be had). `started` says whether it had begun. `run_ms` is how long its last try kept a child busy until then.
    """

    reason: str
    started: bool = False
    run_ms: float = field(default=0.0, compare=False)


Outcome = Completed | Failed | Returned


def judge(event: Answered, log: Mapping[str, Any]) -> Completed | Failed | str | None:
    """Return a frame's outcome; "alone", "time" or "memory" for a postponement; None where it is malformed."""
    message = event.message
    kinds = [kind for kind in ("completed", "failed", "later") if kind in message]
    if len(kinds) != 1:
        return None
    content = message[kinds[0]]
    if kinds[0] == "later":
        return content if content in ("alone", "time", "memory") else None
    if not isinstance(content, dict):
        return None
    if kinds[0] == "completed":
        return Completed(content, event.size) if _is_payload(content) else None
    if "unexpected" in message:
        trace = str(message["unexpected"])[:2_000]
        logger.error("A child met an unexpected error", event=Event.CHILD_FAULTY, exception=trace, **log)
    return _read_error(content)


def _read_error(content: dict[str, Any]) -> Failed | None:
    numbers = ("line", "column", "limit", "actual", "binding")
    texts = ("code", "message", "hint", "excerpt")
    if not all(
        (name in numbers and type(value) in (int, float)) or (name in texts and isinstance(value, str))
        for name, value in content.items()
    ):
        return None
    try:
        texts_and_numbers = {name: value for name, value in content.items() if name != "code"}
        return Failed(TaskError(ErrorCode(content["code"]), **texts_and_numbers))
    except (KeyError, TypeError, ValueError):
        return None


def _is_payload(payload: dict[str, Any]) -> bool:
    result, execution = payload.get("result"), payload.get("execution")
    every = result if isinstance(result, list) else [result]
    return (
        isinstance(execution, dict)
        and all(isinstance(counts, dict) and _are_counts(counts) for counts in every)
        and isinstance(payload.get("memory", []), list)
        and isinstance(payload.get("expectation_values", []), list)
        and isinstance(payload.get("results", []), list)
        and payload.keys() <= OUTCOME_FIELDS
    )


def _are_counts(counts: dict[str, Any]) -> bool:
    return set(map(type, counts.values())) <= {int} and min(counts.values(), default=0) >= 0


def is_memory(lost: Lost, memory_bytes: int) -> bool:
    """Return whether a child died because it needed more than its `memory_bytes`."""
    if any(sign in lost.tail for sign in ("bad_alloc", "MemoryError", "Cannot allocate memory", "memory allocation")):
        return True
    if lost.status != -signal.SIGKILL:
        return False
    return lost.max_rss_bytes >= MEMORY_SHARE * memory_bytes


def oom_kills() -> int:
    """Return how many processes this machine's kernel has killed for memory, 0 where it counts none (proc(5))."""
    try:
        text = Path("/proc/vmstat").read_text()
    except OSError:
        return 0
    _, _, rest = text.partition("oom_kill ")
    return int(rest.split(maxsplit=1)[0]) if rest else 0


def out_of_memory(memory_bytes: int) -> TaskError:
    """Return the error of a program that needs more than `memory_bytes`."""
    return TaskError(
        ErrorCode.MEMORY_LIMIT,
        f"The simulation needs more than the {memory_bytes // 2**20} MB of memory that a task may use.",
        limit=memory_bytes,
        hint="Use fewer qubits, single precision, or a circuit with less entanglement.",
    )


def out_of_time(limit_s: float) -> TaskError:
    """Return the error of a program that ran for longer than `limit_s` seconds."""
    return TaskError(
        ErrorCode.TIME_LIMIT,
        f"The simulation ran for longer than {limit_s:g} seconds.",
        limit=limit_s,
        hint="Use fewer shots, fewer gates or fewer qubits.",
    )


def crashed() -> TaskError:
    """Return the error of a program that the simulator crashed on."""
    return TaskError(
        ErrorCode.SIMULATION_ERROR,
        "The simulator crashed on this circuit, twice.",
        hint="Simplify the circuit. If it is simple already, report it with the correlation id.",
    )
