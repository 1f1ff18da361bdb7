"""A task as a row of the table, and back: attributes, what lies in the bucket instead, and changes in DynamoDB's words.

| attribute                        | there                                                                     |
|----------------------------------|---------------------------------------------------------------------------|
| circuit or circuit_key           | always; the latter names an object, which holds what is too large         |
| options or options_key           | always                                                                    |
| outcome or outcome_object; error | once the task is completed; failed                                        |
| attempt                          | always; how often the task was claimed                                    |
| claim                            | once it was claimed; a random token of the latest claim's. Not in a       |
|                                  | cancelled task any more whose worker has stopped                          |
| lease_until                      | until the task ends; 0 while no worker has it                             |
| open_shard, due_at               | until the task ends: the keys of the index of open tasks                  |
| billed_ms, cost_usd              | once an attempt has ended or was returned: what all of them took          |
| bindings                         | for a sweep: how many circuits it runs                                    |
| dead                             | while the task has failed only because of a dead letter: its `send_id`    |
| unstarted                        | once an attempt was returned before it began; how many were               |
| name; tags                       | where the request has them: labels.py                                     |
| callback_url                     | where there is one; the notifier reads it from the table's stream         |
| counted_seconds                  | always; what it counts for among its owner's open work: see open_work.py  |
| expires_at                       | always; DynamoDB deletes the row then                                     |

`version` is that of the oldest code which runs the task as it is meant: code that is older still neither runs nor
changes it. The others are a Task's fields by their own names. Which of them a transition changes, and on what
condition, is stated in store.py. `lease_until` and `due_at` are in milliseconds since 1970, `expires_at` in seconds, as
DynamoDB wants it.
"""

from __future__ import annotations

import json
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.errors import NewerTaskError, UnreadableTaskError
from tasks.task import Lane, Status, Task, Transition, epoch_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from tasks.errors import TaskError
    from tasks.payloads import Payloads

    Row: TypeAlias = Mapping[str, AttributeValueTypeDef]

ROW_VERSION = 2  # of the newest rows that this code runs; it goes up with whatever older code cannot run as it is meant
# What came with a version above 1. A row has no higher one than it needs: while a release is not everywhere yet, or was
# taken back, all other tasks run.
OPTIONS_SINCE = {"results": 2}
NOISE_SINCE = {"errors": 2, "rules": 2, "model": 2, "durations": 2}  # the fields of `noise`
# DynamoDB bills every write by the size of the whole row (one unit per KB), and a task's row is written three times; S3
# bills a put and a get per object whatever their size. At list prices the two cross at about 3 KB.
INLINE_BYTES = 4096  # of a circuit or an outcome, packed, and of options; what is larger is an object in the bucket
_GZIP = 31  # zlib's window bits that make the gzip format, which a browser unpacks by itself
PURGED_OWNER = "purged_owner"  # the attribute in place of all others of a purged task: see purging.py
OPEN_SHARDS = 32  # an index partition takes 1,000 writes a second, a task costs two: in all 16,000 tasks a second
# Lambda answers with 6,291,556 bytes at most (Lambda developer guide, "Lambda quotas"), of JSON that holds the body as
# a text: each quotation mark takes two. The rest is room for the answer's other fields and its headers.
RESPONSE_BYTES = 6_100_000

# What a read needs for a task in a list, and for one alone; neither has the circuit.
LISTED = (
    "task_id",
    "owner",
    "status",
    "submitted_at",
    "correlation_id",
    "shots",
    "status_history",
    "attempt",
    "error",
    "version",
    "name",
    "tags",
)
ALONE = (
    *LISTED,
    "options",
    "request_hash",
    "lane",
    "estimated_seconds",
    "lease_until",
    "outcome",
    "outcome_object",
    "billed_ms",
    "cost_usd",
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a worker's write sets and removes, by the attributes' paths."""

    sets: Mapping[str, AttributeValueTypeDef]
    removes: Sequence[str] = ()

    def as_expression(self) -> tuple[str, dict[str, str], dict[str, AttributeValueTypeDef]]:
        """Return an update expression, and the names and values that it has placeholders for."""
        names = {f"#{index}": path for index, path in enumerate(self.sets)}
        values = {f":{index}": value for index, value in enumerate(self.sets.values())}
        expression = "SET " + ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
        if self.removes:
            expression += " REMOVE " + ", ".join(self.removes)
        return expression, names, values

    def as_partiql(self) -> tuple[str, list[AttributeValueTypeDef]]:
        """Return the clauses of an UPDATE in PartiQL, and the parameters that they have question marks for."""
        sets = "".join(f" SET {_quote(path)} = ?" for path in self.sets)
        removes = "".join(f" REMOVE {_quote(path)}" for path in self.removes)
        return sets + removes, list(self.sets.values())

    def made_by(self, task: Task, row: Row) -> bool:
        """Return whether `row` shows this ending as made by this attempt: the write was sent twice."""
        return row.get("status") == self.sets.get("status", {}) and row.get("attempt") == {"N": str(task.attempt)}


class Rows:
    """Makes rows of tasks and tasks of rows; whatever touches the bucket raises UnavailableError."""

    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads

    def new(self, task: Task, *, due_at: datetime, expires_at: datetime) -> dict[str, AttributeValueTypeDef]:
        """Return the row of a new task, having stored what does not fit it."""
        packed = pack(task.circuit)
        row: dict[str, AttributeValueTypeDef] = {
            "task_id": {"S": task.task_id},
            "version": {"N": str(_version_for(task.options))},
            "owner": {"S": task.owner},
            "status": {"S": str(task.status)},
            "submitted_at": {"S": task.submitted_at},
            "correlation_id": {"S": task.correlation_id},
            "shots": {"N": str(task.shots)},
            "request_hash": {"S": task.request_hash},
            "lane": {"S": str(task.lane)},
            "estimated_seconds": {"N": f"{task.estimated_seconds:.3g}"},
            "counted_seconds": {"N": f"{task.counted_seconds:.3g}"},
            "status_history": history(*task.status_history),
            "attempt": {"N": "0"},
            "lease_until": {"N": "0"},
            "open_shard": {"S": shard_of(task.task_id)},
            "due_at": {"N": str(epoch_ms(due_at))},
            "expires_at": seconds(expires_at),
        }
        if task.callback_url:
            row["callback_url"] = {"S": task.callback_url}
        if task.name:
            row["name"] = {"S": task.name}
        if task.tags:
            row["tags"] = {"L": [{"S": tag} for tag in task.tags]}
        if isinstance(inputs := task.options.get("inputs"), list):
            row["bindings"] = {"N": str(len(inputs))}
        if len(packed) <= INLINE_BYTES:
            row["circuit"] = {"B": packed}
        else:
            # Before the row, so that no row names a missing object; an orphan expires by the bucket's rule.
            # The hash in the key keeps a refused reuse of an Idempotency-Key from replacing the first body's circuit.
            row["circuit_key"] = {"S": f"circuits/{task.task_id}-{task.request_hash[:16]}"}
            self._payloads.put(row["circuit_key"]["S"], packed, "text/plain; charset=utf-8")
        options = json.dumps(dict(task.options))
        if len(options) <= INLINE_BYTES:
            row["options"] = {"S": options}
        else:  # a sweep's inputs, as a rule
            row["options_key"] = {"S": f"options/{task.task_id}-{task.request_hash[:16]}"}
            self._payloads.put(row["options_key"]["S"], pack(options), "application/json")
        return row

    def fits(self, task: Task) -> bool:
        """Return whether the row of a new task holds all of it, so that the bucket has no part."""
        return len(json.dumps(dict(task.options))) <= INLINE_BYTES and len(pack(task.circuit)) <= INLINE_BYTES

    def outcome(self, task: Task, outcome: Mapping[str, Any]) -> dict[str, AttributeValueTypeDef]:
        """Return the attribute that holds the outcome of this attempt, having stored what does not fit a row."""
        text = json.dumps(dict(outcome), separators=(",", ":"))
        packed = pack(text)
        sent_bytes = len(text) + text.count('"') + text.count("\\") + 2  # it is ASCII: these alone are escaped
        if len(packed) <= INLINE_BYTES and sent_bytes <= RESPONSE_BYTES:  # a thousand equal bytes pack into one
            return {"outcome": {"B": packed}}
        # One object an attempt: a stale worker must not replace what the row of a newer one points at.
        key = f"outcomes/{task.task_id}-{task.attempt}"
        self._payloads.put(key, packed, "application/json")
        return {"outcome_object": {"M": {"key": {"S": key}, "sent_bytes": {"N": str(sent_bytes)}}}}

    def task(self, row: Row) -> Task:
        """Return a row as a task, except for an outcome in the bucket (see `with_outcome`).

        Attributes that older rows lack get their defaults. Raises UnreadableTaskError.
        """
        with _read(row):
            return self._task(row)

    def with_outcome(self, task: Task) -> Task:
        """Return the task with its outcome, wherever that lies, or with an address where it can be read for a while.

        Raises UnavailableError and PayloadGoneError.
        """
        if task.outcome_key is None:
            return task
        if task.outcome_bytes > RESPONSE_BYTES:
            return task.evolve(outcome={"result_url": self._payloads.url(task.outcome_key)}, outcome_key=None)
        return task.evolve(outcome=self.whole_outcome(task), outcome_key=None)

    def whole_outcome(self, task: Task) -> Mapping[str, Any]:
        """Return the task's outcome, wherever it lies and however large it is; empty unless it is completed.

        Raises UnavailableError and PayloadGoneError.
        """
        if task.outcome_key is None:
            return task.outcome
        return _readable(unpack(self._payloads.get(task.outcome_key)))

    def _task(self, row: Row) -> Task:
        stored = row.get("outcome_object", {}).get("M", {})
        return Task(
            task_id=row["task_id"]["S"],
            owner=row["owner"]["S"],
            status=Status(row["status"]["S"]),
            submitted_at=row["submitted_at"]["S"],
            correlation_id=row["correlation_id"]["S"],
            circuit="",
            shots=int(row["shots"]["N"]),
            options=json.loads(row.get("options", {}).get("S", "{}")),
            request_hash=row.get("request_hash", {}).get("S", ""),
            lane=Lane(row.get("lane", {}).get("S", Lane.SMALL)),
            estimated_seconds=float(row.get("estimated_seconds", {}).get("N", "0")),
            status_history=tuple(
                Transition(Status(line["M"]["status"]["S"]), line["M"]["transitioned_at"]["S"], line["M"]["notes"]["S"])
                for line in row["status_history"]["L"]
            ),
            attempt=int(row["attempt"]["N"]),
            unstarted=int(row.get("unstarted", {}).get("N", "0")),
            lease_until=int(row.get("lease_until", {}).get("N", "0")),
            outcome=_readable(unpack(bytes(row["outcome"]["B"]))) if "outcome" in row else {},
            outcome_key=stored["key"]["S"] if stored else None,
            outcome_bytes=_sent_bytes(stored) if stored else 0,
            error=json.loads(row["error"]["S"]) if "error" in row else None,
            bill=_bill_in(row),
            name=row.get("name", {}).get("S"),
            tags=tags_in(row),
        )

    def task_to_run(self, row: Row) -> Task:
        """Return a row as a task with all that its run needs, wherever it lies: the circuit and large options too.

        Raises UnreadableTaskError, as PayloadGoneError too, and UnavailableError.
        """
        with _read(row):
            task = self._task(row).evolve(circuit=self.circuit(row))
            if "options_key" in row:
                task = task.evolve(options=json.loads(unpack(self._payloads.get(row["options_key"]["S"]))))
            return task

    def circuit(self, row: Row) -> str:
        """Return the circuit's text, from the row or from the object that it names."""
        packed = row["circuit"]["B"] if "circuit" in row else self._payloads.get(row["circuit_key"]["S"])
        return unpack(bytes(packed))


@contextmanager
def _read(row: Row) -> Iterator[None]:
    """Raise UnreadableTaskError, or its kind for newer rows, for whatever is not as this code writes it."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        kind = NewerTaskError if version_of(row) > ROW_VERSION else UnreadableTaskError
        raise kind(repr(error)) from error


def is_self_contained(row: Row) -> bool:
    """Return whether all that the task's run needs is in its row, so that the bucket need not be asked."""
    return "circuit" in row and "options" in row


def pack(text: str) -> bytes:
    """Return `text` as UTF-8, gzipped, the same bytes every time."""
    data = text.encode()
    # What is short needs no large window, and clearing one takes longer than compressing it.
    packer = zlib.compressobj(wbits=_GZIP - 3, memLevel=5) if len(data) <= 2**12 else zlib.compressobj(wbits=_GZIP)
    return packer.compress(data) + packer.flush()


def unpack(packed: bytes) -> str:
    """Return the text that `pack` was given; raises ValueError for what it never returned."""
    try:
        return zlib.decompress(packed, wbits=_GZIP).decode()
    except zlib.error as error:
        raise ValueError(str(error)) from error


def _version_for(options: Mapping[str, Any]) -> int:
    """Return the version of the oldest code that runs a task with these options as they are meant."""
    noise = options.get("noise") or {}
    since = [OPTIONS_SINCE.get(name, 1) for name in options] + [NOISE_SINCE.get(name, 1) for name in noise]
    return max(since, default=1)


def version_of(row: Row) -> int:
    """Return the version of the oldest code that runs a row's task as it is meant."""
    return int(row.get("version", {}).get("N", "1"))


def key_of(task_id: str) -> dict[str, AttributeValueTypeDef]:
    """Return the primary key of the task's row."""
    return {"task_id": {"S": task_id}}


def shard_of(task_id: str) -> str:
    """Return which of the OPEN_SHARDS partitions of the index of open tasks the task is in, as the row says it."""
    return str(int(task_id[-4:], 16) % OPEN_SHARDS)


def history(*lines: Transition) -> AttributeValueTypeDef:
    """Return lines of a task's history, a list even of one: list_append takes lists."""
    return {"L": [history_line(line) for line in lines]}


def history_line(line: Transition) -> AttributeValueTypeDef:
    """Return one line of a task's history."""
    return {"M": {name: {"S": text} for name, text in line.as_dict().items()}}


def billed(bill: Mapping[str, float]) -> dict[str, AttributeValueTypeDef]:
    """Return the attributes that hold a task's bill, none where it is empty."""
    return {name: {"N": str(number)} for name, number in bill.items()}


def _bill_in(row: Row) -> dict[str, float]:
    if "billed_ms" not in row:
        return {}
    return {"billed_ms": int(row["billed_ms"]["N"]), "cost_usd": float(row["cost_usd"]["N"])}


def tags_in(row: Row) -> tuple[str, ...]:
    """Return a task's tags, in the request's order."""
    return tuple(tag["S"] for tag in row["tags"]["L"]) if "tags" in row else ()


def failure(error: TaskError) -> AttributeValueTypeDef:
    """Return the attribute `error` of a failed task."""
    return {"S": json.dumps(error.as_dict())}


def _sent_bytes(stored: Row) -> int:
    """Return how many bytes a stored outcome takes in what Lambda sends; at most so many for an older row's."""
    # Older rows have the length of the outcome's JSON itself, in which any character may be one that is escaped.
    return int(stored["sent_bytes"]["N"]) if "sent_bytes" in stored else 2 * int(stored["bytes"]["N"])


def is_expired(row: Row) -> bool:
    """Return whether the task's time is over: DynamoDB may take two days to delete the row, the bucket's rule one."""
    return "expires_at" in row and int(row["expires_at"]["N"]) <= time.time()


def seconds(moment: datetime) -> AttributeValueTypeDef:
    """Return a moment as `expires_at` has it; a task has expired at the beginning of that second."""
    return {"N": str(int(moment.timestamp()))}


def only(*attributes: str) -> dict[str, Any]:
    """Return the arguments that make a read leave out all but these attributes, some of which are reserved words."""
    names = {f"#{index}": attribute for index, attribute in enumerate(attributes)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def _quote(path: str) -> str:
    """Return an attribute's path in PartiQL, its name quoted: some names are reserved words."""
    name, bracket, index = path.partition("[")
    return f'"{name}"{bracket}{index}'


def _readable(text: str) -> dict[str, Any]:
    """Return a stored outcome; numbers that are not finite, which older versions stored, are None: JSON has none."""
    outcome: dict[str, Any] = json.loads(text, parse_constant=lambda _: None)
    return outcome
