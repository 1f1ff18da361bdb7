"""Every exception of the package, and how the service's refusals become them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class QuantumCircuitsError(Exception):
    """The root of all exceptions that this package raises."""


class ConfigurationError(QuantumCircuitsError):
    """The service's URL or the API key is not known or not usable."""


class UnreachableError(QuantumCircuitsError):
    """The service did not answer, or what answered at the URL is not a Quantum Circuits API."""


class NotTheServiceError(UnreachableError):
    """What answered at the URL, with `http_status`, is not a Quantum Circuits API."""

    def __init__(self, http_status: int) -> None:
        super().__init__(
            f"The answer, with the status {http_status}, is not from a Quantum Circuits API. Check the URL; "
            "the URL of an API Gateway ends with the stage, such as /prod."
        )
        self.http_status = http_status


class WaitTimeoutError(QuantumCircuitsError):
    """The task had not ended in time; it continues, and `task_id` finds it again."""

    def __init__(self, task_id: str, seconds: float) -> None:
        super().__init__(
            f"Task {task_id} had not ended after {seconds:g} s. It continues: wait for it again by its id."
        )
        self.task_id = task_id


class ResultExpiredError(QuantumCircuitsError):
    """The result of a task can no longer be read, though the task is still known."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"The result of task {task_id} can no longer be read. Submit the circuit again.")
        self.task_id = task_id


class ProblemError(QuantumCircuitsError):
    """A problem in the service's words.

    `code` is from the service's closed set. `line` and `column` count from 1; `excerpt` is the line with a caret below
    the place; `hint` says what to change; `limit` and `actual` are in the unit that the message names. What the service
    left out is None. `body` has the whole answer.
    """

    def __init__(self, message: str, body: Mapping[str, Any]) -> None:
        self.code: str | None = body.get("code")
        self.line: int | None = body.get("line")
        self.column: int | None = body.get("column")
        self.hint: str | None = body.get("hint")
        self.excerpt: str | None = body.get("excerpt")
        self.limit: float | None = body.get("limit")
        self.actual: float | None = body.get("actual")
        self.binding: int | None = body.get("binding")
        self.body = body
        place = "" if self.line is None else f" (line {self.line}, column {self.column})"
        lines = [f"{message.rstrip('.')}{place}."]
        if self.excerpt:
            lines += [f"  {line}" for line in self.excerpt.splitlines()]
        if self.hint:
            lines.append(f"Hint: {self.hint}")
        super().__init__("\n".join(lines))


class TaskFailedError(ProblemError):
    """The task ran and failed; `task` is what is known of it."""

    def __init__(self, task_id: str, message: str, body: Mapping[str, Any]) -> None:
        super().__init__(message, body)
        self.task_id = task_id


class TaskCancelledError(QuantumCircuitsError):
    """The task was cancelled before it ended."""

    def __init__(self, task_id: str) -> None:
        super().__init__(f"Task {task_id} was cancelled.")
        self.task_id = task_id


class RefusedError(ProblemError):
    """The service refused the request: `http_status`, and `correlation_id`, by which its operator finds it.

    Of a batch, `index` is the first task that is wrong; `line` and `column` are about it. `accepted` has the ids of the
    tasks that earlier requests of the batch have submitted.
    """

    def __init__(self, http_status: int, body: Mapping[str, Any]) -> None:
        self.http_status = http_status
        self.index: int | None = None
        self.accepted: Sequence[str] = ()
        self.correlation_id: str | None = body.get("correlation_id")
        message = str(body.get("message", f"The service answered with the status {http_status}"))
        detail = body.get("detail")
        if isinstance(detail, str):
            message = f"{message.rstrip('.')}: {detail}"
        errors = body.get("errors")
        if isinstance(errors, list):
            each = "; ".join(f"task {error.get('index')}: {_placed(error)}" for error in errors[:3])
            message = f"{message.rstrip('.')}: {each.rstrip('.')}{'; ...' if len(errors) > 3 else ''}"  # noqa: PLR2004 - enough to read
        super().__init__(message, body)
        if isinstance(errors, list) and errors:
            first = errors[0]
            self.index, self.line, self.column = first.get("index"), first.get("line"), first.get("column")
            self.excerpt, self.hint = first.get("excerpt"), first.get("hint", self.hint)


def _placed(error: Mapping[str, Any]) -> str:
    message = str(error.get("message")).rstrip(".")
    return message if "line" not in error else f"{message} (line {error['line']}, column {error.get('column')})"


class CircuitError(RefusedError):
    """The program is not valid, over a limit, has what a simulator cannot do, or its inputs do not fit."""


class InvalidApiKeyError(RefusedError):
    """The API key is missing, unknown or disabled."""


class TaskNotFoundError(RefusedError):
    """There is no such task, it has expired, or it is another key's."""


class TaskEndedError(RefusedError):
    """The task has ended and cannot be cancelled."""


class TaskNotEndedError(RefusedError):
    """The task has not ended and cannot be purged; cancel it first."""


class TaskPurgedError(RefusedError):
    """The task was purged: its circuit and result are gone."""


class ThrottledError(RefusedError):
    """The key has used up what it may send; `retry_after` is in seconds, None where the service does not say."""

    def __init__(self, http_status: int, body: Mapping[str, Any], retry_after: float | None = None) -> None:
        super().__init__(http_status, body)
        self.retry_after = retry_after


class TooMuchOpenWorkError(ThrottledError):
    """The key has as many open tasks, or as much open work, as it may have.

    `actual` of `limit`, tasks or seconds; `retry_after` is the time after which to try again. It is None for a
    request that is too large by itself: send it in parts.
    """


class AmountSpentError(RefusedError):
    """The key's tasks have cost this month's amount: `actual` of `limit`, in dollars, until `ends_at`."""

    def __init__(self, http_status: int, body: Mapping[str, Any]) -> None:
        super().__init__(http_status, body)
        self.ends_at: str | None = body.get("ends_at")


_OPEN_WORK = {"too_many_open_tasks", "too_much_open_work"}
_BY_CODE: Mapping[str, type[RefusedError]] = {
    "invalid_circuit": CircuitError,
    "unsupported_feature": CircuitError,
    "circuit_too_large": CircuitError,
    "nothing_measured": CircuitError,
    "invalid_inputs": CircuitError,
    "invalid_api_key": InvalidApiKeyError,
    "task_not_found": TaskNotFoundError,
    "task_ended": TaskEndedError,
    "task_not_ended": TaskNotEndedError,
    "task_purged": TaskPurgedError,
    "monthly_amount_spent": AmountSpentError,
}


def refusal(
    http_status: int, body: Mapping[str, Any], retry_after: float | None = None
) -> RefusedError | NotTheServiceError:
    """Return the exception for a refusal with this status and body; of a batch, that of its first wrong task.

    The service gives each refusal a code. Who refuses without one, or has no such address, is not the service.
    """
    code = body.get("code")
    if code in _OPEN_WORK:
        return TooMuchOpenWorkError(http_status, body, retry_after)
    if http_status == 429:  # noqa: PLR2004 - Too Many Requests
        return ThrottledError(http_status, body, retry_after)
    if http_status < 500 and code in {None, "not_found"}:  # noqa: PLR2004 - what is ill may say less
        return NotTheServiceError(http_status)
    errors = body.get("errors")
    if code == "invalid_batch" and isinstance(errors, list) and errors:
        code = errors[0].get("code")
    return _BY_CODE.get(str(code), RefusedError)(http_status, body)
