"""The api's own errors, in which a request can end; refusals.py answers them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.callback_url import CallbackUrlError
    from tasks.errors import TaskError
    from tasks.task import Status


# Of a body: FastAPI passes on only its own errors where it reads one.


class UnreadableBodyError(HTTPException):
    """The body is not JSON that this service reads; `detail` is the reason."""

    def __init__(self, sentence: str, hint: str = "Send JSON in UTF-8.") -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, sentence)
        self.hint = hint


class RequestTooLargeError(HTTPException):
    """The body is over the limit; `actual` and `limit` are in bytes."""

    def __init__(self, actual: int, limit: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self.actual = actual
        self.limit = limit


class EncodedBodyError(HTTPException):
    """The body has a Content-Encoding, which is not supported."""

    def __init__(self, encoding: str) -> None:
        super().__init__(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        self.encoding = encoding


class AmbiguousBodyError(HTTPException):
    """The body is ambiguous: a name occurs twice in one object, or a number is NaN or infinite."""

    def __init__(self, sentence: str) -> None:
        super().__init__(422, sentence)


# Of all else.


class TaskNotFoundError(Exception):
    """The task does not exist, or belongs to another caller. The two must look alike."""


class ResultNotFoundError(Exception):
    """The task has no such entry of `results`: it has fewer, or has not completed."""


class NoArrayError(Exception):
    """A result of type `kind` has no array, and its request takes nothing else."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class KeyMissingError(Exception):
    """A request for tasks has no API key; API Gateway should have refused it."""


class TaskEndedError(Exception):
    """The task has ended, in `status`, and cannot be cancelled."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        self.status = status


class TaskOpenError(Exception):
    """The task has not ended, and cannot be purged; one that `is_cancelled` has not been stopped by its worker yet."""

    def __init__(self, *, is_cancelled: bool) -> None:
        super().__init__(is_cancelled)
        self.is_cancelled = is_cancelled


class SearchesBusyError(Exception):
    """The key has as many searches of its list in progress as it may have."""


class CursorError(Exception):
    """The cursor is not valid for this caller's list."""


class CircuitTextTooLargeError(Exception):
    """The circuit's text is over the limit; `actual` and `limit` are in bytes."""

    def __init__(self, actual: int, limit: int) -> None:
        super().__init__(actual, limit)
        self.actual = actual
        self.limit = limit


class BatchRefusedError(Exception):
    """Some of the `tasks` of a batch are not valid, so none was stored; `problems` has their errors by index.

    The last `unchecked` tasks were not checked: the circuits before them had spent the request's reading budget.
    """

    def __init__(
        self,
        problems: Mapping[int, TaskError | CircuitTextTooLargeError | CallbackUrlError],
        tasks: int,
        *,
        unchecked: int = 0,
    ) -> None:
        super().__init__(problems, tasks, unchecked)
        self.problems = problems
        self.tasks = tasks
        self.unchecked = unchecked


class BatchTooSlowError(Exception):
    """The time of a batch's dry run was over after `answered` of its `tasks`."""

    def __init__(self, answered: int, tasks: int) -> None:
        super().__init__(answered, tasks)
        self.answered = answered
        self.tasks = tasks


class BatchKeyReusedError(Exception):
    """The key of the batch's task `index` was used before with another body."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class DuplicateKeysError(Exception):
    """Tasks of one batch have the same key; `indexes` has a list for each such key."""

    def __init__(self, indexes: list[list[int]]) -> None:
        super().__init__(indexes)
        self.indexes = indexes
