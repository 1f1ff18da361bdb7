"""What one key may have open and spend: what the api accepts at the limits' edges, and how it refuses the rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from lambda_events import Context, http_event
from test_notifier import Listening
from test_store import new_task

from api import handler
from simulated_aws import BELL, TEMPLATE
from tasks import aws, bounds
from tasks.bounds import LOOK_SECONDS, Bounds, next_month
from tasks.errors import OverBoundError
from tasks.open_work import dollars_in, row_of
from tasks.settings import settings
from tasks.task import rfc3339, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws

BATCH = {"tasks": [{"qc": BELL}] * 3}
QFT = "qubit[26] q; bit[26] c; " + "h q; t q; " * 40 + "c = measure q;"  # estimated at more than the time limit


@pytest.fixture(name="listening")
def fixture_listening(in_moto: Aws) -> Listening:
    """Give who reads the table's stream as Lambda does."""
    return Listening(in_moto)


@pytest.fixture(name="limited")
def fixture_limited(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give what deploys with other bounds."""

    def limited(**parameters: int) -> None:
        for name, value in parameters.items():
            monkeypatch.setenv(f"KEY_{name.upper()}", str(value))
        settings.cache_clear()
        aws.bounds.cache_clear()

    return limited


@pytest.fixture(name="clock")
def fixture_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clocks that the bounds read."""
    clock = Clock()
    monkeypatch.setattr(bounds, "monotonic", lambda: clock.seconds)
    monkeypatch.setattr(bounds, "utc_now", lambda: clock.now)
    return clock


class Clock:
    """A time that stands still until it is moved."""

    seconds = 1000.0
    now = utc_now()


def post(body: Any = None, path: str = "/tasks", key_id: str = "alice", **headers: str) -> tuple[int, dict[str, Any]]:
    """Submit; return status and body, with `Retry-After` in it."""
    answered = handler(http_event("POST", path, body or {"qc": BELL}, headers, api_key_id=key_id), Context())
    return answered["statusCode"], json.loads(answered["body"]) | {"retry": answered["headers"].get("retry-after")}


def spent(in_moto: Aws, dollars: str, when: datetime) -> None:
    """Let a key's tasks have cost so much in a month."""
    aws.client("dynamodb").update_item(
        TableName=in_moto.settings.tasks_table,
        Key={"task_id": {"S": row_of("alice")}},
        UpdateExpression="SET #month = :dollars",
        ExpressionAttributeNames={"#month": dollars_in(rfc3339(when))},
        ExpressionAttributeValues={":dollars": {"N": dollars}},
    )


def test_no_more_tasks_are_open_than_may_be(
    in_moto: Aws, listening: Listening, limited: Callable[..., None], clock: Clock
) -> None:
    """One more is refused with how many there are and when to come back; other keys are not; ended ones make room."""
    limited(open_tasks=4)
    statuses = [post(), post(BATCH, "/tasks/batch")]
    assert [status for status, _ in statuses] == [200, 200]
    status, refusal = post()
    correlation_id = refusal.pop("correlation_id")
    assert correlation_id
    assert (status, refusal) == (
        429,
        {
            "status": "error",
            "code": "too_many_open_tasks",
            "message": "The key has 4 tasks that have not ended, and this request adds 1; the limit is 4.",
            "limit": 4,
            "actual": 4,
            "hint": "Send it again in 10 seconds, or cancel tasks that you do not need.",
            "retry": "10",
        },
    )
    assert post(key_id="bob")[0] == 200
    for _, accepted in statuses:
        for task in accepted.get("tasks", [accepted]):
            in_moto.store.cancel(task["task_id"], "alice")
    listening.tell()
    assert post()[0] == 429  # until the next look
    clock.seconds += LOOK_SECONDS
    assert post(BATCH, "/tasks/batch")[0] == 200


def test_a_batch_is_refused_as_a_whole(in_moto: Aws, limited: Callable[..., None]) -> None:
    """Where a part would fit, nothing of it is stored; one that never fits is told so, without a time to come back."""
    limited(open_tasks=4)
    post()
    post()
    before = len(in_moto.rows())
    status, refusal = post(BATCH, "/tasks/batch")
    assert (status, refusal["actual"], refusal["retry"]) == (429, 2, "10")
    status, refusal = post({"tasks": [{"qc": BELL}] * 5}, "/tasks/batch")
    assert (status, refusal["code"], refusal["retry"]) == (422, "too_many_open_tasks", None)
    assert refusal["hint"] == "Send fewer tasks or smaller circuits in one request."
    assert len(in_moto.rows()) == before


def test_compute_seconds_are_bounded_by_the_estimates(in_moto: Aws, limited: Callable[..., None]) -> None:
    """A task counts with its estimate, at most with its time limit; small ones still fit beside large ones."""
    limited(open_seconds=300)
    limit = settings().time_limit_seconds
    assert [post({"qc": QFT})[0] for _ in range(2)] == [200, 200]
    assert {row["counted_seconds"]["N"] for row in in_moto.rows()} == {str(limit)}
    status, refusal = post({"qc": QFT})
    assert (status, refusal["code"], refusal["retry"]) == (429, "too_much_open_work", "10")
    assert refusal["message"] == (
        "The key has 240 compute seconds of tasks that have not ended, and this request adds 120; the limit is 300."
    )
    assert post()[0] == 200
    status, refusal = post({"tasks": [{"qc": QFT}] * 3}, "/tasks/batch")
    assert (status, refusal["code"]) == (422, "too_much_open_work")


def test_a_program_that_may_loop_for_ever_counts_with_its_time_limit(
    in_moto: Aws, limited: Callable[..., None]
) -> None:
    """Twenty endless loops in a few bytes are not small: also inside of a test, and one binding of a sweep."""
    limited(open_seconds=400)
    endless = "bit c; qubit q; x q; c = measure q; while (c) { c = measure q; }"
    nested = f"bit d; qubit r; d = measure r; {endless.replace('while', 'if (d) while')}"
    assert [post({"qc": text})[0] for text in (endless, nested)] == [200, 200]
    assert {row["counted_seconds"]["N"] for row in in_moto.rows()} == {str(settings().time_limit_seconds)}
    assert post({"tasks": [{"qc": endless}] * 20}, "/tasks/batch")[0] == 422
    assert post({"tasks": [{"qc": endless}] * 2}, "/tasks/batch")[0] == 429
    assert post({"qc": "int i = 0; bit c; qubit q; while (i < 9) { i += 1; x q; } c = measure q;"})[0] == 200
    swept = {"qc": f"input bool b; {endless.replace('while (c)', 'if (b) while (c)')}", "inputs": [{"b": False}] * 2}
    assert post(swept)[0] == 200
    swept["inputs"] = [{"b": False}, {"b": True}]
    assert post(swept)[0] == 200
    assert post({"qc": endless})[0] == 429


def test_a_spent_month_ends_at_its_end(
    in_moto: Aws, limited: Callable[..., None], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """402 until the first of the next month at 00:00 UTC, which the answer names; then at once, whatever is cached."""
    limited(monthly_dollars=5)
    clock.now = datetime(2026, 12, 31, 23, 59, 59, 999_000, UTC)
    spent(in_moto, "4.99", clock.now)
    assert post()[0] == 200
    spent(in_moto, "5", clock.now)
    clock.seconds += LOOK_SECONDS
    status, refusal = post()
    assert (status, refusal["code"], refusal["retry"]) == (402, "monthly_amount_spent", None)
    assert (refusal["limit"], refusal["actual"], refusal["ends_at"]) == (5, 5, "2027-01-01T00:00:00.000Z")
    assert refusal["message"] == "The key's tasks have cost 5.00 dollars this month; the limit is 5."
    assert post(BATCH, "/tasks/batch")[0] == 402
    assert post(key_id="bob")[0] == 200
    clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    assert post()[0] == 200
    clock.seconds += LOOK_SECONDS
    assert post()[0] == 200


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        (datetime(2027, 1, 31, 12, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_months_end(now: datetime, ends: datetime) -> None:
    """After 28 to 31 days, the last one whole."""
    assert next_month(now) == ends


def test_an_environment_looks_once_in_ten_seconds(in_moto: Aws, clock: Clock) -> None:
    """However much a key posts; each key has looks of its own. No other call of a POST is for the bounds."""
    calls: list[str] = []
    events = aws.client("dynamodb").meta.events
    events.register("before-parameter-build", lambda model, **_: calls.append(model.name))
    for _ in range(5):
        post()
        clock.seconds += LOOK_SECONDS / 5 - 0.001
    post(BATCH, "/tasks/batch")
    post(key_id="bob")
    assert calls == ["GetItem", *["PutItem"] * 5, "TransactWriteItems", "GetItem", "PutItem"]
    clock.seconds += 0.01
    post()
    assert calls[-2:] == ["GetItem", "PutItem"]


def test_at_the_edge_each_environment_accepts_what_was_left_when_it_looked(
    in_moto: Aws, listening: Listening, clock: Clock
) -> None:
    """Of n at the same time: the limit and n - 1 times the rest, never more; by their next looks they know of all."""
    limit, there, environments = 20, 17, 3
    client, table = aws.client("dynamodb"), in_moto.settings.tasks_table
    for _ in range(there):
        in_moto.store.submit(new_task())
    listening.tell()
    caches = [Bounds(client, table, limit, 1000, 1000, workers=10) for _ in range(environments)]

    def storm() -> int:
        accepted = 0
        for number in range(20 * environments):
            cache = caches[number % environments]
            try:
                cache.check("alice", 1, 0.0)
            except OverBoundError:
                continue
            in_moto.store.submit(new_task())
            cache.accepted("alice", 1, 0.0)
            accepted += 1
        return accepted

    assert storm() == environments * (limit - there)
    listening.tell()
    clock.seconds += LOOK_SECONDS
    assert storm() == 0


def test_a_submission_that_is_sent_again_takes_no_room(in_moto: Aws, limited: Callable[..., None]) -> None:
    """The same Idempotency-Key and body are one task, alone and in a batch, also where another would be too many."""
    limited(open_tasks=4)
    for _ in range(3):
        assert post(**{"Idempotency-Key": "one"})[0] == 200
        assert post(BATCH, "/tasks/batch", **{"Idempotency-Key": "three"})[0] == 200
        assert len(in_moto.rows()) == 4
    assert post(**{"Idempotency-Key": "two"})[0] == 429
    assert post(BATCH, "/tasks/batch", **{"Idempotency-Key": "four"})[0] == 429


def test_bounds_that_cannot_be_read_refuse_nothing(in_moto: Aws, clock: Clock) -> None:
    """While DynamoDB is silent an environment goes by what it knew; the row's own write says what is the matter."""
    client = aws.client("dynamodb")
    known = Bounds(client, in_moto.settings.tasks_table, 1, 1000, 1000, workers=10)
    with Stubber(client) as silent:
        silent.add_client_error("get_item", "ThrottlingException")
        known.check("alice", 1, 0.0)
        known.accepted("alice", 1, 0.0)
        for _ in range(2):
            with pytest.raises(OverBoundError):
                known.check("alice", 1, 0.0)
            clock.seconds += LOOK_SECONDS
            silent.add_client_error("get_item", "ThrottlingException")


def test_the_limits_are_stated(in_moto: Aws) -> None:
    """`GET /limits` has the template's bounds."""
    body = json.loads(handler(http_event("GET", "/limits"), Context())["body"])
    names = {"open_tasks": "KeyOpenTasks", "open_seconds": "KeyOpenSeconds", "dollars_per_month": "KeyMonthlyDollars"}
    assert {name: body["key"][name] for name in names} == {
        name: TEMPLATE["Parameters"][parameter]["Default"] for name, parameter in names.items()
    }
