"""The errors a task can end in and the ones a caller can get: domain errors, no HTTP and no AWS in them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


class ErrorCode(StrEnum):
    """The closed set of codes a client may see; a code never changes its meaning."""

    INVALID_CIRCUIT = "invalid_circuit"  # not OpenQASM, or breaks a rule of the language
    UNSUPPORTED_FEATURE = "unsupported_feature"  # legal OpenQASM that a simulator cannot run (calibrations, extern)
    CIRCUIT_TOO_LARGE = "circuit_too_large"  # over a limit on qubits, gates, nesting or text
    NOTHING_MEASURED = "nothing_measured"  # no classical bit, hence no counts
    INVALID_INPUTS = "invalid_inputs"  # the request's inputs do not fit the program's `input` declarations
    TIME_LIMIT = "time_limit"  # ran longer than a task may
    MEMORY_LIMIT = "memory_limit"  # needs more memory than the worker has
    SIMULATION_ERROR = "simulation_error"  # the simulator refused or crashed on this circuit
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"  # every delivery failed; the message is in the dead-letter queue
    INTERNAL_ERROR = "internal_error"  # a fault of the service; the details are in the logs under the correlation id


class TaskError(Exception):
    """A failure that the owner can understand and act on; permanent: the same task would fail the same way again.

    `message` is a sentence for people. `line` and `column` count from 1. `limit` and `actual` are in the unit that
    `message` names. `hint` says what to change. `excerpt` is the offending source line with a caret below it.
    `binding` is the index, from 0, of the set of inputs that failed, in a task that has a list of them.
    """

    def __init__(  # noqa: PLR0913 - the fields of the contract's error object
        self,
        code: ErrorCode,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        limit: float | None = None,
        actual: float | None = None,
        hint: str | None = None,
        excerpt: str | None = None,
        binding: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.limit = limit
        self.actual = actual
        self.hint = hint
        self.excerpt = excerpt
        self.binding = binding

    def as_dict(self) -> dict[str, Any]:
        """Return the contract's `error` object: code and message always, the rest where known."""
        fields = {
            "code": str(self.code),
            "message": self.message,
            "line": self.line,
            "column": self.column,
            "limit": self.limit,
            "actual": self.actual,
            "hint": self.hint,
            "excerpt": self.excerpt,
            "binding": self.binding,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def of_binding(self, index: int) -> TaskError:
        """Return the same error as a sweep's binding number `index` met it."""
        return _rebuild({**self.as_dict(), "message": f"Binding {index}: {self.message}", "binding": index})

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle whole, so that an error found in a child process arrives in its parent as it was."""
        return _rebuild, (self.as_dict(),)


def _rebuild(fields: dict[str, Any]) -> TaskError:
    return TaskError(ErrorCode(fields.pop("code")), fields.pop("message"), **fields)


ATTEMPTS_EXHAUSTED = TaskError(
    ErrorCode.ATTEMPTS_EXHAUSTED,
    "Every attempt to run the task failed because of a fault in the service.",
    hint="Submit it again; if it fails again, report its correlation id.",
)


PROGRAM_GONE = TaskError(
    ErrorCode.INTERNAL_ERROR,
    "The task's program is no longer stored.",
    hint="Submit it again.",
)


class UnavailableError(Exception):
    """A service this one rests on did not answer or throttled us; transient: the same call may work later."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} is not available")
        self.service = service


class SubmissionUnconfirmedError(UnavailableError):
    """A row was to be written and no answer came: the task, or the batch, may be stored all the same."""


class CancellationUnconfirmedError(UnavailableError):
    """A cancellation was to be written and no answer came: the task may be cancelled all the same."""


class PurgeUnconfirmedError(UnavailableError):
    """A task was to be purged and no answer came: a part of it, or all, may be gone."""


class WorkerSilentError(UnavailableError):
    """No worker answered a dry run."""

    def __init__(self) -> None:
        super().__init__("The worker")


class DryRunsBusyError(Exception):
    """As many dry runs as are allowed are in progress."""


class Bound(StrEnum):
    """What a key may have or spend only a limited amount of."""

    TASKS = "tasks"  # that have not ended
    SECONDS = "seconds"  # of computing, of those tasks, as estimated
    DOLLARS = "dollars"  # that tasks have cost which ended this month


class OverBoundError(Exception):
    """A submission would take its owner over a bound, or the bound is reached: `in_use` of `limit`, and `asked` more.

    `retry_after` is in seconds; `until` is when the bound that no waiting helps begins again.
    """

    def __init__(  # noqa: PLR0913 - what the sender reads
        self,
        bound: Bound,
        limit: float,
        in_use: float,
        asked: float,
        retry_after: int = 0,
        until: datetime | None = None,
    ) -> None:
        super().__init__(bound, limit, in_use, asked)
        self.bound = bound
        self.limit = limit
        self.in_use = in_use
        self.asked = asked
        self.retry_after = retry_after
        self.until = until


class UnreadableTaskError(Exception):
    """A task is stored and cannot be read; the text says why, and is for the log."""


class NewerTaskError(UnreadableTaskError):
    """A newer version of this system wrote the task: that version reads it, and this one leaves it alone."""


class PayloadGoneError(UnreadableTaskError):
    """What a task keeps in the bucket is not there any more."""


class TaskPurgedError(Exception):
    """The caller's task was purged. To other callers it does not exist."""


class StaleAttemptError(Exception):
    """The task ended or was claimed by another worker since this attempt began; its outcome is refused."""


class KeyReusedError(Exception):
    """The Idempotency-Key that `task_id` was made from was used before with another body."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.task_id = task_id
