"""What keys have used: the usage function on the table's stream, and GET /usage, against moto."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from lambda_events import Context
from ministack.services import dynamodb as ministack
from test_api import call
from test_notifier import Listening
from test_store import new_task

import usage
from tasks import aws
from tasks.errors import ATTEMPTS_EXHAUSTED, ErrorCode, StaleAttemptError, TaskError, UnavailableError
from tasks.open_work import read_open_work
from tasks.task import Lane, Task, utc_now
from tasks.usage import MAX_TAGS, Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulated_aws import Aws

BILL = {"billed_ms": 2, "cost_usd": 5.76e-08}
BOUNDS = ("open_tasks", "open_seconds", "dollars_per_month")


def this_day() -> str:
    """Return the day on which the test runs, not that on which the tests were collected."""
    return utc_now().date().isoformat()


@pytest.fixture(autouse=True)
def fixture_nothing_remembered() -> None:
    """Let the function start again."""
    usage._tags_seen.clear()  # noqa: SLF001 - what an environment remembers


def records(in_moto: Aws) -> list[dict[str, Any]]:
    """Return the records of the table's stream, those alone that the mapping's filters let through."""
    return [
        record
        for record in ministack.stream_records_since(in_moto.settings.tasks_table, 0, 10_000)
        if record["eventName"] == "MODIFY" and "status" in record["dynamodb"].get("NewImage", {})
    ]


def added(batch: Sequence[dict[str, Any]], **more: Any) -> None:
    """Hand a batch to the function."""
    assert usage.handler({"Records": list(batch), **more}, Context()) == {"state": {}}


def used(query: dict[str, str | list[str]] | None = None, key: str = "alice") -> dict[str, Any]:
    """Return what GET /usage answers."""
    status, _, answer = call("GET", "/usage", query=query, api_key_id=key)
    assert status == 200, answer
    body: dict[str, Any] = answer
    return body


def ended(in_moto: Aws, how: str = "completed", bill: dict[str, float] | None = None, **changes: Any) -> Task:
    """Return a task that was submitted and ended in one of all ways."""
    task = new_task(**changes)
    in_moto.store.submit(task)
    if how == "cancelled":
        assert in_moto.store.cancel(task.task_id, task.owner)
    elif how == "dead":
        assert in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED, "send") is not None
    else:
        claimed = in_moto.claimed(task.task_id).evolve(bill=bill or BILL)
        if how == "completed":
            in_moto.store.complete(claimed, {"result": {"0": 10}})
        else:
            in_moto.store.fail(claimed, TaskError(ErrorCode.TIME_LIMIT, "Too slow."))
    return task


def test_what_ended_is_added_up_by_day_and_status(in_moto: Aws) -> None:
    """A line has tasks, shots of completed tasks, seconds and dollars; what has not ended is not in it."""
    in_moto.store.submit(new_task())
    for how in ("completed", "completed", "failed", "cancelled", "dead"):
        ended(in_moto, how)
    ended(in_moto, owner="bob")
    ended(in_moto, options={"inputs": [{"a": 1}, {"a": 2}, {"a": 3}]})
    added(records(in_moto))
    total = {"tasks": 6, "shots": 50, "compute_seconds": 0.008, "cost_usd": 2.304e-07}
    first = f"{this_day()[:7]}-01"
    answer = used()
    assert {name: bound["in_use"] for name, bound in answer.pop("bounds").items()} == dict.fromkeys(BOUNDS, 0)
    assert answer == {
        "from": first,
        "to": this_day(),
        "by": "day",
        "total": total,
        "usage": [{"day": this_day(), **total}],
    }
    by_status = used({"by": "status", "from": this_day(), "to": this_day()})
    del by_status["bounds"]
    assert by_status == {
        "from": this_day(),
        "to": this_day(),
        "by": "status",
        "total": total,
        "usage": [
            {"status": "cancelled", "tasks": 1, "shots": 0, "compute_seconds": 0.0, "cost_usd": 0.0},
            {"status": "completed", "tasks": 3, "shots": 50, "compute_seconds": 0.006, "cost_usd": 1.728e-07},
            {"status": "failed", "tasks": 2, "shots": 0, "compute_seconds": 0.002, "cost_usd": 5.76e-08},
        ],
    }
    assert used(key="bob")["total"]["tasks"] == 1
    assert used(key="carol")["usage"] == []
    assert {owner: day.total.tasks for owner, day in aws.usage().of_all(date.fromisoformat(this_day())).items()} == {
        "alice": 6,
        "bob": 1,
    }


def test_rows_of_usage_are_in_no_list_of_tasks(in_moto: Aws) -> None:
    """They are in the same index, under an owner that no key has."""
    task = ended(in_moto)
    added(records(in_moto))
    assert [each["task_id"] for each in call("GET", "/tasks")[2]["tasks"]] == [task.task_id]
    assert call("GET", f"/tasks/usage%2Falice%2F{this_day()}")[0] == 404


def hand_over(found: Sequence[dict[str, Any]], draw: random.Random) -> None:
    """Hand over three shards as Lambda does: some again, a batch until it succeeds, at last all."""
    shards: dict[str, list[dict[str, Any]]] = {"a": [], "b": [], "c": []}
    for record in found:
        shards["abc"[int(record["dynamodb"]["NewImage"]["task_id"]["S"][-1], 16) % 3]].append(record)
    reached = dict.fromkeys(shards, 0)
    batches = []
    while any(reached[shard] < len(shards[shard]) for shard in shards):
        shard = draw.choice("abc")
        start = draw.randrange(reached[shard] + 1) if draw.random() < 0.3 else reached[shard]
        reached[shard] = max(reached[shard], min(len(shards[shard]), start + draw.randrange(1, 20)))
        batches.append((shard, shards[shard][start : reached[shard]]))
    for shard, batch in [*batches, *shards.items()]:
        while True:
            try:
                added(batch, shardId=f"shardId-{shard}")
                break
            except UnavailableError:
                continue


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_that_is_handed_over_again_counts_nothing_twice(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Three shards, batches of any size, handed over again from any place and at the end from the beginning.

    Writes are carried out whose answers are lost. The sums are those of the tasks' rows.
    """
    draw = random.Random(seed)
    for _ in range(60):
        bill = {"billed_ms": draw.randrange(99), "cost_usd": draw.randrange(99) / 1e8}
        task = ended(in_moto, draw.choice(("completed", "failed", "cancelled", "dead")), bill)
        if draw.random() < 0.3 and in_moto.store.claim(task.task_id, send_ids=("send",)):
            in_moto.store.complete(in_moto.stored(task.task_id).evolve(bill=BILL), {"result": {"0": 10}})
    update = aws.client("dynamodb").update_item

    def lossy(**request: Any) -> Any:
        answer = update(**request)
        if draw.random() < 0.2:
            raise ReadTimeoutError(endpoint_url="dynamodb")
        return answer

    monkeypatch.setattr(aws.client("dynamodb"), "update_item", lossy)
    hand_over(records(in_moto), draw)
    rows = [row for row in in_moto.rows() if row["owner"]["S"] == "alice"]
    total = aws.usage().days("alice", date.fromisoformat(this_day()), date.fromisoformat(this_day()))[
        date.fromisoformat(this_day())
    ]
    expected = Sums(
        tasks=len(rows),
        shots=sum(10 for row in rows if row["status"]["S"] == "completed"),
        billed_ms=sum(int(row.get("billed_ms", {}).get("N", "0")) for row in rows),
        cost_usd=sum((Decimal(row.get("cost_usd", {}).get("N", "0")) for row in rows), Decimal()),
    )
    assert (total.total, sum(total.statuses.values(), Sums())) == (expected, expected)


def test_a_redriven_task_counts_once_with_what_it_cost_at_last(in_moto: Aws) -> None:
    """It had failed when its message died, and completes by that very message: one completed task, one bill."""
    task = ended(in_moto, "dead")
    added(records(in_moto))
    assert used({"by": "status"})["usage"][0]["status"] == "failed"
    seen = len(records(in_moto))
    claimed = in_moto.store.claim(task.task_id, send_ids=("send",))
    assert claimed is not None
    added(records(in_moto)[seen:])
    assert used()["usage"] == []  # it runs
    in_moto.store.complete(claimed.evolve(bill=BILL), {"result": {"0": 10}})
    added(records(in_moto)[seen:])
    line = {"status": "completed", "tasks": 1, "shots": 10, "compute_seconds": 0.002, "cost_usd": 5.76e-08}
    assert used({"by": "status"})["usage"] == [line]


def test_a_cancelled_task_is_billed_until_it_stopped(in_moto: Aws) -> None:
    """The worker says so after the cancellation: the task counts once, and then with what it cost; its ETag changes."""
    task = new_task()
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id)
    assert in_moto.store.cancel(task.task_id, "alice")
    before = call("GET", f"/tasks/{task.task_id}")[1]["etag"]
    added(records(in_moto))
    for _ in range(2):
        in_moto.store.bill_cancelled(claimed.evolve(bill=BILL))
        added(records(in_moto))
    line = {"status": "cancelled", "tasks": 1, "shots": 0, "compute_seconds": 0.002, "cost_usd": 5.76e-08}
    assert used({"by": "status"})["usage"] == [line]
    _, headers, answer = call("GET", f"/tasks/{task.task_id}")
    assert answer["execution"] == {"attempt": 1, **BILL}
    assert headers["etag"] != before


def given_back(in_moto: Aws, how: str = "release", **changes: Any) -> Task:
    """Return a task whose first attempt was given back, with what it had cost."""
    task = new_task(**changes)
    in_moto.store.submit(task)
    claimed = in_moto.claimed(task.task_id).evolve(bill=BILL)
    if how == "release":
        in_moto.store.release(claimed)
    elif how == "pass_on":
        in_moto.store.pass_on(claimed, Lane.LARGE)
    else:
        in_moto.store.bill_attempt(claimed)
        in_moto.edit(task.task_id, lease_until=1)
    return task


@pytest.mark.parametrize("how", ["release", "pass_on", "bill_attempt"])
@pytest.mark.parametrize("end", ["completed", "dead", "cancelled", "cancelled while it ran"])
def test_what_earlier_attempts_have_cost_is_counted_once(in_moto: Aws, how: str, end: str) -> None:
    """Given back, passed on or left to its lease; at the end the task counts with all of it, in both sums."""
    listening, ms, dollars = Listening(in_moto), 2, 5.76e-08
    task = given_back(in_moto, how)
    assert "execution" not in call("GET", f"/tasks/{task.task_id}")[2]  # it has not ended
    if end == "dead":
        assert in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED, "send")
    elif end == "cancelled":
        assert in_moto.store.cancel(task.task_id, "alice")
    else:
        claimed = in_moto.claimed(task.task_id)
        assert claimed.bill == BILL
        ms, dollars = 7, 2e-07
        claimed = claimed.evolve(bill={"billed_ms": ms, "cost_usd": dollars})
        if end == "completed":
            in_moto.store.complete(claimed, {"result": {"0": 10}})
        else:
            assert in_moto.store.cancel(task.task_id, "alice")
            for _ in range(2):
                in_moto.store.bill_cancelled(claimed)
    found = records(in_moto)
    for _ in range(2):
        added(found)
    listening.tell()
    total = used()["total"]
    assert (total["tasks"], total["compute_seconds"], total["cost_usd"]) == (1, ms / 1000, pytest.approx(dollars))
    bound = read_open_work(aws.client("dynamodb"), in_moto.settings.tasks_table, "alice", utc_now())
    assert (bound.tasks, bound.dollars) == (0, pytest.approx(dollars))


def test_a_redriven_task_with_a_bill_counts_it_once(in_moto: Aws) -> None:
    """Failed with what its attempts had cost, brought back, completed with more: the sums have what it cost at last."""
    listening = Listening(in_moto)
    task = given_back(in_moto)
    assert in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED, "send")
    claimed = in_moto.store.claim(task.task_id, send_ids=("send",))
    assert claimed is not None
    assert claimed.bill == BILL
    in_moto.store.complete(claimed.evolve(bill={"billed_ms": 7, "cost_usd": 2e-07}), {"result": {"0": 10}})
    added(records(in_moto))
    listening.tell()
    bound = read_open_work(aws.client("dynamodb"), in_moto.settings.tasks_table, "alice", utc_now())
    total = used()["total"]
    assert (total["tasks"], total["compute_seconds"]) == (1, 0.007)
    assert (total["cost_usd"], bound.dollars) == (pytest.approx(2e-07), pytest.approx(2e-07))


def live(in_moto: Aws, draw: random.Random) -> None:  # noqa: C901 - one case for each step
    """Let a task be claimed, given back, cancelled, failed, redriven, ended and billed in any order."""
    task = new_task()
    in_moto.store.submit(task)
    claimed: Task | None = None
    for _ in range(draw.randrange(1, 9)):
        if claimed is None:
            step = draw.choice(("claim", "claim", "cancel", "fail"))
            if step == "claim":
                claimed = in_moto.store.claim(task.task_id, send_ids=("send",))
            elif step == "cancel":
                in_moto.store.cancel(task.task_id, "alice")
            else:
                in_moto.store.fail_dead(task.task_id, ATTEMPTS_EXHAUSTED, "send")
            continue
        spent = claimed.bill.get("billed_ms", 0) + draw.randrange(1, 99)
        held, claimed = claimed.evolve(bill={"billed_ms": spent, "cost_usd": spent / 1e8}), None
        if draw.random() < 0.2:
            in_moto.store.cancel(task.task_id, "alice")
        try:
            match draw.choice(("release", "pass_on", "leave", "complete", "fail")):
                case "release":
                    in_moto.store.release(held)
                case "pass_on":
                    in_moto.store.pass_on(held, Lane.LARGE)
                case "leave":
                    in_moto.store.bill_attempt(held)
                    in_moto.edit(task.task_id, lease_until=1)
                case "complete":
                    in_moto.store.complete(held, {"result": {"0": 10}})
                case _:
                    in_moto.store.fail(held, TaskError(ErrorCode.TIME_LIMIT, "Too slow."))
        except StaleAttemptError:
            in_moto.store.bill_cancelled(held)


@pytest.mark.parametrize("seed", range(3))
def test_any_life_of_a_task_is_billed_once(in_moto: Aws, seed: int) -> None:
    """Both sums are those of the rows of the tasks that have ended, whatever happened to them before."""
    listening, draw = Listening(in_moto), random.Random(seed)
    for _ in range(30):
        live(in_moto, draw)
    hand_over(records(in_moto), draw)
    listening.tell()
    rows = [row for row in in_moto.rows() if row.get("status", {}).get("S") in {"completed", "failed", "cancelled"}]
    dollars = float(sum(Decimal(row.get("cost_usd", {}).get("N", "0")) for row in rows))
    total = used()["total"]
    bound = read_open_work(aws.client("dynamodb"), in_moto.settings.tasks_table, "alice", utc_now())
    assert (total["tasks"], bound.tasks) == (len(rows), 30 - len(rows))
    assert (total["cost_usd"], bound.dollars) == (pytest.approx(dollars), pytest.approx(dollars))
    assert dollars > 0


def test_the_dollars_that_bound_a_key_are_those_of_its_usage(in_moto: Aws) -> None:
    """However tasks end: completed, failed, dead, redriven, cancelled before and while they ran."""
    listening = Listening(in_moto)
    for how in ("completed", "failed", "cancelled", "dead"):
        ended(in_moto, how)
    redriven, running = ended(in_moto, "dead"), new_task()
    claimed = in_moto.store.claim(redriven.task_id, send_ids=("send",))
    assert claimed is not None
    in_moto.store.complete(claimed.evolve(bill=BILL), {"result": {"0": 10}})
    in_moto.store.submit(running)
    claimed = in_moto.claimed(running.task_id)
    assert in_moto.store.cancel(running.task_id, "alice")
    in_moto.store.bill_cancelled(claimed.evolve(bill=BILL))
    added(records(in_moto))
    listening.tell()
    bound = read_open_work(aws.client("dynamodb"), in_moto.settings.tasks_table, "alice", utc_now())
    assert (used()["total"]["cost_usd"], bound.dollars) == pytest.approx((4 * 5.76e-08, 4 * 5.76e-08))
    assert (used()["total"]["tasks"], bound.tasks) == (6, 0)


def test_a_task_counts_on_the_day_of_its_end(in_moto: Aws) -> None:
    """At the turn of a month, whenever the record comes, and each half of a redriven task on its own day."""
    first = utc_now().date().replace(day=1)  # of this month: rows of long ago have expired
    last = first - timedelta(days=1)
    ended(in_moto)
    (start, end) = records(in_moto)

    def at(moment: str, number: int, record: dict[str, Any] = end, **changes: Any) -> dict[str, Any]:
        image = dict(record["dynamodb"]["NewImage"])
        image["status_history"] = {"L": [{"M": {"transitioned_at": {"S": moment}}}]}
        return {"dynamodb": {**record["dynamodb"], "SequenceNumber": str(number), "NewImage": image, **changes}}

    dead = at(f"{last}T23:59:59.998Z", 1)["dynamodb"]["NewImage"]
    dead["status"] = {"S": "failed"}
    added(
        [
            {"dynamodb": {**end["dynamodb"], "SequenceNumber": "9", "NewImage": dead}},
            at(f"{last}T23:59:59.999Z", 10),
            at(f"{first}T00:00:00.000Z", 11),
            at(f"{first}T00:00:01.000Z", 12, start, OldImage=dead),
            at(f"{first}T00:00:02.000Z", 100),
        ]
    )
    days = used({"from": str(last), "to": str(first)})["usage"]
    assert [(line["day"], line["tasks"]) for line in days] == [(str(last), 1), (str(first), 2)]


def test_tags_are_summed_up_and_bounded(in_moto: Aws) -> None:
    """A task counts with each of its tags; after the first of a day, tags count together, whoever adds them."""
    ended(in_moto)
    (_, end) = records(in_moto)

    def tagged(number: int, *tags: str) -> dict[str, Any]:
        image = {**end["dynamodb"]["NewImage"], "tags": {"L": [{"S": tag} for tag in tags]}}
        return {"dynamodb": {**end["dynamodb"], "SequenceNumber": str(number), "NewImage": image}}

    names = [f"tag-{number:02}" for number in range(MAX_TAGS)]
    added([tagged(1, *names[:9]), tagged(2, names[0], "#:0) & $")])
    usage._tags_seen.clear()  # noqa: SLF001 - as another environment
    added([tagged(1, "of another shard")], shardId="another")
    added([tagged(3 + at, name) for at, name in enumerate(names)])
    added([tagged(99, names[0], names[-1], "late")])
    lines = used({"by": "tag"})["usage"]
    assert len(lines) == MAX_TAGS + 1
    counts = {line["tag"]: line["tasks"] for line in lines}
    assert (counts["#:0) & $"], counts["of another shard"], counts[names[0]]) == (1, 1, 4)
    assert counts[""] == 2 + 1  # the last two names, and then both of these with "late": one task
    assert used()["total"]["tasks"] == 2 + 1 + MAX_TAGS + 1
    aws.usage().forget_tags("alice", date.fromisoformat(this_day()))
    assert used({"by": "tag"})["usage"] == []
    added([tagged(100, names[0])])  # which this environment remembers
    assert [(line["tag"], line["tasks"]) for line in used({"by": "tag"})["usage"]] == [(names[0], 1)]


def test_a_record_that_cannot_be_read_holds_up_nothing(
    in_moto: Aws, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """It is logged by its number and passed over; a window's last call may have no records."""
    ended(in_moto)
    bad = {"dynamodb": {"SequenceNumber": "7", "NewImage": {"status": {"S": "failed"}}}}
    added([bad, *records(in_moto)])
    assert used()["total"]["tasks"] == 1
    malformed = [line for line in log_lines() if line["event"] == "record_malformed"]
    assert [line["sequence_number"] for line in malformed] == ["7"]
    assert usage.handler({"isFinalInvokeForWindow": True}, Context()) == {"state": {}}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-11-31"}, "from"),
        ({"from": "20261101"}, "from"),
        ({"to": "today"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "2026-01-01", "to": "2026-04-03"}, "from"),
        ({"by": "owner"}, "by"),
    ],
)
def test_a_wrong_range_is_refused(in_moto: Aws, query: dict[str, Any], field: str) -> None:
    """With the name of what is wrong; 92 days are the most."""
    status, _, answer = call("GET", "/usage", query=query)
    assert (status, answer["code"], answer["detail"][0]["loc"]) == (422, "invalid_request", ["query", field])


def test_the_longest_range_is_answered(in_moto: Aws) -> None:
    """One read has its 92 days."""
    today = date.fromisoformat(this_day())
    ended(in_moto)
    added(records(in_moto))
    assert used({"from": (today - timedelta(days=91)).isoformat(), "to": this_day()})["total"]["tasks"] == 1


def test_a_failed_task_shows_what_it_cost(in_moto: Aws) -> None:
    """As a completed one does; one that no worker ended has no bill."""
    failed, dead = ended(in_moto, "failed"), ended(in_moto, "dead")
    assert call("GET", f"/tasks/{failed.task_id}")[2]["execution"] == {"attempt": 1, **BILL}
    assert "execution" not in call("GET", f"/tasks/{dead.task_id}")[2]
