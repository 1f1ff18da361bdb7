"""What one key may have open and spend: what the api accepts at the limits' edges, and how it refuses the rest."""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from lambda_events import Context, http_event
from test_notifier import Listening

from api import handler
from simulated_aws import BELL, TEMPLATE
from tasks import aws, bounds
from tasks.bounds import ADDED_WITHIN, LOOK_SECONDS, Bounds, next_month
from tasks.errors import OverBoundError, UnavailableError
from tasks.open_work import Most, dollars_in, row_of, set_most
from tasks.settings import settings
from tasks.task import rfc3339, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

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
    monkeypatch.setattr(bounds, "time", lambda: clock.seconds)
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
            "message": "The key has 4 tasks that have not ended or are being accepted, and this request adds 1; "
            "the limit is 4.",
            "limit": 4,
            "actual": 4,
            "hint": "Send the request again in 10 seconds, or cancel tasks that you do not need.",
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
    """Where a part would fit, nothing of it is stored; for one that never fits the answer has no time to come back."""
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
        "The key has 240 compute seconds of tasks that have not ended or are being accepted, and this request adds "
        "120; the limit is 300."
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
    for _ in range(2):
        post()
        clock.seconds += LOOK_SECONDS / 2 - 0.001
    post(BATCH, "/tasks/batch")
    post(key_id="bob")
    asked = "UpdateItem"  # for a batch as for many tasks one by one
    assert calls == ["GetItem", *["PutItem"] * 2, asked, "TransactWriteItems", "GetItem", "PutItem"]
    clock.seconds += LOOK_SECONDS
    post()
    assert calls[-2:] == ["GetItem", "PutItem"]


@pytest.fixture(name="key")
def fixture_key(in_moto: Aws, clock: Clock) -> Key:
    """Give a key that many environments serve."""
    return Key(aws.client("dynamodb"), in_moto.settings.tasks_table, clock)


class Key:
    """The row of alice's sums, to which accepted tasks are added up to ADDED_WITHIN seconds later."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self.client, self.table, self.clock = client, table, clock
        self.coming: list[tuple[float, int]] = []  # when accepted, and how many tasks
        self.accepted = 0

    def environments(self, number: int, tasks: int, seconds: float = 1e9) -> list[Bounds]:
        """Return what so many environments know."""
        most = Most(tasks, seconds, 1000)
        return [Bounds(self.client, self.table, most, environments=number, workers=10) for _ in range(number)]

    def post(self, environment: Bounds, tasks: int = 1) -> bool:
        """Return whether an environment accepts so many tasks."""
        self.clock.seconds += 0.0001
        try:
            environment.check("alice", tasks, 0.0)
        except OverBoundError:
            return False
        environment.accepted("alice", tasks, 0.0)
        self.coming.append((self.clock.seconds, tasks))
        self.accepted += tasks
        return True

    def add_up(self, within: float = 0.0, ended: int = 0) -> None:
        """Have the sums what was accepted so long ago, and how many have ended."""
        due = sum(tasks for when, tasks in self.coming if when <= self.clock.seconds - within)
        self.coming = [each for each in self.coming if each[0] > self.clock.seconds - within]
        self.client.update_item(
            TableName=self.table,
            Key={"task_id": {"S": row_of("alice")}},
            UpdateExpression="ADD open_tasks :open, ever_tasks :due",
            ExpressionAttributeValues={":open": {"N": str(due - ended)}, ":due": {"N": str(due)}},
        )


@pytest.mark.parametrize(("number", "seed"), [(3, 1), (60, 2)])
def test_many_environments_keep_one_bound(key: Key, number: int, seed: int) -> None:
    """Whoever is asked when, however late the sums are: the bound and a tenth of it, and most of it is used."""
    limit, choice = 2_000, random.Random(seed)
    environments = key.environments(number, limit)
    for _ in range(700):
        key.post(choice.choice(environments), choice.choice((1, 1, 1, 20)))
        key.clock.seconds += choice.choice((0.0, 0.01, 0.1))
        if choice.random() < 0.1:
            key.add_up(within=choice.uniform(0.0, ADDED_WITHIN - 0.2))
        assert key.accepted <= limit * 1.1
    assert key.accepted > limit * 0.75
    key.clock.seconds += LOOK_SECONDS + ADDED_WITHIN
    key.add_up()
    left = limit - key.accepted
    assert key.post(environments[0], max(left, 1)) is (left > 0)
    assert not key.post(environments[1])


def test_environments_that_begin_at_once_share_what_is_left(key: Key) -> None:
    """None of them has a grant when all look; the writes of the grants decide. Nothing is granted twice."""
    limit = 100
    environments = key.environments(8, limit)
    begin = threading.Barrier(len(environments))

    def storm(environment: Bounds) -> None:
        begin.wait()
        while key.post(environment):
            pass

    with ThreadPoolExecutor(len(environments)) as threads:
        list(threads.map(storm, environments))
    assert limit // 2 < key.accepted <= limit
    key.clock.seconds += LOOK_SECONDS + ADDED_WITHIN
    key.add_up()
    assert not key.post(environments[0], limit - key.accepted + 1)


def test_an_environment_asks_for_a_grant_once_for_many_tasks(key: Key, clock: Clock) -> None:
    """Tens of posts on one look and one grant; few of them on the look alone. Its own grant is not in its way."""
    calls: list[str] = []
    key.client.meta.events.register("before-parameter-build", lambda model, **_: calls.append(model.name))
    (one,) = key.environments(1, 10_000)
    one.environments = 100
    assert all(key.post(one) for _ in range(2))
    assert calls == ["GetItem"]
    assert all(key.post(one) for _ in range(10_000 // 8))
    assert calls.count("UpdateItem") == 4  # of 12, 60, 300 and then an eighth of the rest
    while key.post(one):
        pass
    assert key.accepted == 10_000
    assert len(calls) < 200
    key.add_up()
    clock.seconds += LOOK_SECONDS + 0.1
    calls.clear()
    assert not key.post(one)
    assert not key.post(one)
    assert calls == ["GetItem"]


def test_one_task_after_another_is_never_too_much(key: Key, clock: Clock) -> None:
    """Where one environment serves a key, what has ended and is in the sums takes no room, however short ago it was."""
    (one,) = key.environments(1, 3)
    for _ in range(30):
        assert key.post(one)
        key.add_up(ended=1)
        clock.seconds += 0.5
    assert [key.post(one) for _ in range(4)] == [True, True, True, False]


def test_all_of_a_bound_is_for_one_environment(key: Key, clock: Clock) -> None:
    """As fast as it is asked, while the sums are a second or two behind."""
    (one,) = key.environments(1, 1_000)
    for _ in range(100):
        assert key.post(one, 10)
        clock.seconds += 0.1
        key.add_up(within=1.5)
    assert not key.post(one)


def test_a_key_has_bounds_of_its_own(in_moto: Aws, listening: Listening) -> None:
    """What an operator gave it stands in the row of its sums: the others are the template's; other keys have those."""
    client, table = aws.client("dynamodb"), in_moto.settings.tasks_table
    set_most(client, table, "alice", {"tasks": 2, "dollars": 0.5})
    assert [post()[0] for _ in range(3)] == [200, 200, 429]
    assert post(BATCH, "/tasks/batch")[1]["code"] == "too_many_open_tasks"
    assert post(BATCH, "/tasks/batch", "bob")[0] == 200
    listening.tell()  # which leaves them there
    body = json.loads(handler(http_event("GET", "/usage"), Context())["body"])
    assert body["bounds"] == {
        "open_tasks": {"limit": 2, "in_use": 2},
        "open_seconds": {"limit": settings().key_open_seconds, "in_use": pytest.approx(0, abs=1)},
        "dollars_per_month": {"limit": 0.5, "in_use": 0},
    }
    set_most(client, table, "carol", {"dollars": 0})
    status, refusal = post(key_id="carol")
    assert (status, refusal["code"], refusal["limit"]) == (402, "monthly_amount_spent", 0)
    assert "expires_at" not in (in_moto.row(row_of("alice")) or {})


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
    known = Bounds(client, in_moto.settings.tasks_table, Most(1, 1000, 1000), environments=1, workers=10)
    with Stubber(client) as silent:
        silent.add_client_error("get_item", "ThrottlingException")
        silent.add_client_error("update_item", "ThrottlingException")
        known.check("alice", 1, 0.0)
        known.accepted("alice", 1, 0.0)
        for _ in range(2):
            with pytest.raises(OverBoundError):
                known.check("alice", 1, 0.0)
            clock.seconds += LOOK_SECONDS
            silent.add_client_error("get_item", "ThrottlingException")


def test_a_grant_that_others_always_forestall_is_refused(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a service that is not available: nothing is accepted that may be too much."""
    (one,) = key.environments(1, 10)
    tries = []
    monkeypatch.setattr(bounds, "write_grants", lambda *given: (tries.append(given), {}))
    with pytest.raises(UnavailableError):
        key.post(one)
    assert len(tries) == bounds.TRIES


def test_the_limits_are_stated(in_moto: Aws) -> None:
    """`GET /limits` has the template's bounds."""
    body = json.loads(handler(http_event("GET", "/limits"), Context())["body"])
    names = {"open_tasks": "KeyOpenTasks", "open_seconds": "KeyOpenSeconds", "dollars_per_month": "KeyMonthlyDollars"}
    assert {name: body["key"][name] for name in names} == {
        name: TEMPLATE["Parameters"][parameter]["Default"] for name, parameter in names.items()
    }
