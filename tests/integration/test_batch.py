"""POST /tasks/batch: all tasks or none, one idempotent request, a few AWS calls; through the handler, against moto."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from test_api import call, submit
from test_store import new_task

import reader
import submission
from simulated_aws import BELL
from tasks import aws
from tasks.errors import KeyReusedError

if TYPE_CHECKING:
    from simulated_aws import Aws

WIDE = "qubit[29] q; bit[29] c; h q; t q; h q; c = measure q;"  # for the large lane
LONG = BELL + "".join(f" rz({number / 7}) q[0];" for number in range(3_000))  # more than a row takes, packed too


def post(tasks: list[dict[str, Any]], **headers: str) -> tuple[int, dict[str, str], Any]:
    """Submit a batch."""
    return call("POST", "/tasks/batch", {"tasks": tasks}, headers=headers)


def tasks_of(count: int, start: int = 1) -> list[dict[str, Any]]:
    """Return different tasks."""
    return [{"qc": BELL, "shots": shots} for shots in range(start, start + count)]


def sent(in_moto: Aws) -> list[str]:
    """Return the ids in the messages of both queues."""
    urls = (in_moto.settings.task_queue_url, in_moto.settings.large_task_queue_url)
    return sorted(json.loads(message["Body"])["task_id"] for url in urls for message in in_moto.messages(url))


def stored(in_moto: Aws) -> dict[str, int]:
    """Return the stored tasks' shots by their ids."""
    return {row["task_id"]["S"]: int(row["shots"]["N"]) for row in in_moto.rows()}


def test_each_task_is_answered_with_its_index(in_moto: Aws) -> None:
    """The answer has the tasks in the order of the request; each is stored with its own fields and sent."""
    status, headers, answer = post([{"qc": BELL, "shots": 5}, {"qc": LONG, "seed": 3}, {"qc": WIDE}])
    assert status == 200, answer
    assert set(answer) == {"message", "tasks", "correlation_id"}
    assert answer["message"] == "Tasks submitted successfully."
    assert [(task["index"], task["replayed"]) for task in answer["tasks"]] == [(0, False), (1, False), (2, False)]
    ids = [task["task_id"] for task in answer["tasks"]]
    assert [stored(in_moto)[task_id] for task_id in ids] == [5, 1024, 1024]
    assert sent(in_moto) == sorted(ids)
    assert "idempotent-replayed" not in headers
    for task_id, qc in zip(ids, (BELL, LONG, WIDE), strict=True):
        alone = call("GET", f"/tasks/{task_id}")[2]
        assert (alone["status"], alone["correlation_id"]) == ("pending", answer["correlation_id"])
        assert call("GET", f"/tasks/{task_id}/circuit")[2] == qc


def test_a_hundred_tasks_cost_eleven_calls(in_moto: Aws) -> None:
    """One transaction and ten batches of messages, where a hundred posts make two hundred calls."""
    calls: Counter[str] = Counter()
    for client in (aws.client("dynamodb"), aws.client("sqs")):
        client.meta.events.register("before-parameter-build", lambda model, **_: calls.update([model.name]))
    status, _, answer = post(tasks_of(100))
    assert (status, len({task["task_id"] for task in answer["tasks"]})) == (200, 100)
    bounds = {"GetItem": 1, "UpdateItem": 1}  # once for many tasks: see test_bounds.py
    assert calls == {**bounds, "TransactWriteItems": 1, "SendMessageBatch": 10}
    calls.clear()
    for task in tasks_of(2):
        submit(task)
    assert calls == {"PutItem": 2, "SendMessage": 2, "GetQueueAttributes": 1}  # for Retry-After, once in 5 s


def test_one_bad_circuit_stops_them_all(in_moto: Aws) -> None:
    """Every circuit is checked before anything is stored; the answer says what is wrong with which."""
    bad = "OPENQASM 3;\nqubit q;\nhh q;\nmeasure q;"
    status, _, answer = post([{"qc": BELL}, {"qc": bad}, {"qc": "x" * 1_000_001}, {"qc": BELL}, {"qc": ""}])
    assert (status, answer["status"], answer["code"]) == (400, "error", "invalid_batch")
    assert answer["message"] == "3 of 5 tasks are not valid; none was submitted."
    alone = call("POST", "/tasks", {"qc": bad})[2]
    first, second, third = answer["errors"]
    assert first == {
        "index": 1,
        "message": alone["detail"],
        **{name: alone[name] for name in ("code", "line", "column", "hint", "excerpt")},
    }
    assert (second["index"], second["code"], second["actual"]) == (2, "circuit_too_large", 1_000_001)
    assert (third["index"], third["code"]) == (4, "nothing_measured")
    assert (in_moto.rows(), sent(in_moto)) == ([], [])


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"tasks": [{"qc": BELL}, {"qc": BELL, "shots": 0}]}, ["body", "tasks", 1, "shots"]),
        ({"tasks": [{"qc": BELL}, {"qc": BELL, "nonsense": 1}]}, ["body", "tasks", 1, "nonsense"]),
        ({"tasks": [{"qc": BELL, "idempotency_key": ""}]}, ["body", "tasks", 0, "idempotency_key"]),
        ({"tasks": [{"qc": BELL, "idempotency_key": "a\0000"}]}, ["body", "tasks", 0, "idempotency_key"]),
        ({"tasks": [{"qc": BELL, "idempotency_key": "k" * 256}]}, ["body", "tasks", 0, "idempotency_key"]),
        ({"tasks": [BELL]}, ["body", "tasks", 0]),
        ({"tasks": []}, ["body", "tasks"]),
        ({"tasks": {"0": {"qc": BELL}}}, ["body", "tasks"]),
        ({}, ["body", "tasks"]),
        ([{"qc": BELL}], ["body"]),
        ({"tasks": [{"qc": BELL}], "shots": 5}, ["body", "shots"]),
    ],
)
def test_a_wrong_field_is_refused_with_its_index(in_moto: Aws, body: Any, loc: list[Any]) -> None:
    """A body that does not fit is a 422 that names the place; nothing is stored."""
    status, _, answer = call("POST", "/tasks/batch", body)
    assert (status, answer["code"], answer["detail"][0]["loc"]) == (422, "invalid_request", loc)
    assert in_moto.rows() == []


def test_a_hundred_and_one_are_too_many(in_moto: Aws) -> None:
    """The answer has the limit and the actual number."""
    status, _, answer = post(tasks_of(101))
    assert (status, answer["code"], answer["limit"], answer["actual"]) == (422, "batch_too_large", 100, 101)
    assert in_moto.rows() == []


def test_two_tasks_with_one_key_are_refused(in_moto: Aws) -> None:
    """Which of them the key stands for would not be known; nothing is stored."""
    keys = ["a", "b", "a", None, None, "b", "c"]
    tasks = [{**task, "idempotency_key": key} for task, key in zip(tasks_of(7), keys, strict=True)]
    status, _, answer = post(tasks)
    assert (status, answer["code"], answer["indexes"]) == (422, "duplicate_idempotency_key", [[0, 2], [1, 5]])
    assert in_moto.rows() == []


DEAR = "qubit q; int n = 0; for int i in [0:10000] { n += i; } measure q;"


def test_all_circuits_of_a_batch_share_one_budget(in_moto: Aws) -> None:
    """Each is accepted alone; together they go over the limit, which the answer names, and the rest is not read."""
    assert call("POST", "/tasks", {"qc": DEAR})[0] == 200
    in_moto.forget(*stored(in_moto))
    status, _, answer = post([{"qc": DEAR}] * 100)
    assert (status, answer["code"]) == (400, "invalid_batch")
    (problem,) = answer["errors"]
    assert (problem["code"], problem["limit"]) == ("circuit_too_large", reader.LIMITS.work)
    assert 1 < problem["index"] < 20
    assert f"the last {99 - problem['index']} were not checked" in answer["hint"]
    assert stored(in_moto) == {}


def test_the_bindings_of_a_sweep_share_one_budget(in_moto: Aws) -> None:
    """Alone and within a batch: some hundred bytes must not cost what a thousand programs do."""
    qc = DEAR.replace("qubit q;", "input int m; qubit q;").replace("10000", "10000 - m")  # read binding by binding
    rounds = [{"m": number} for number in range(50)]
    assert call("POST", "/tasks", {"qc": qc, "inputs": rounds[:2]})[0] == 200
    status, _, answer = call("POST", "/tasks", {"qc": qc, "inputs": rounds})
    assert (status, answer["code"], answer["limit"]) == (400, "circuit_too_large", reader.LIMITS.work)
    assert "work" in answer["detail"]


def test_a_cost_that_is_not_counted_ends_by_the_clock(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seconds of CPU are the backstop, for one task as for many."""
    monkeypatch.setattr(submission, "CHECK_SECONDS", -1)
    status, _, answer = call("POST", "/tasks", {"qc": DEAR})
    assert (status, answer["code"], answer["limit"]) == (400, "circuit_too_large", -1)


def test_a_repeated_batch_gives_the_same_tasks(in_moto: Aws) -> None:
    """The same key and body: same ids and times, no second row, no second message."""
    first = post(tasks_of(12), **{"Idempotency-Key": "k"})
    rows, messages = in_moto.rows(), sent(in_moto)
    second = post(tasks_of(12), **{"Idempotency-Key": "k"})
    assert (first[0], second[0], second[1]["idempotent-replayed"]) == (200, 200, "true")
    assert second[2]["tasks"] == [{**task, "replayed": True} for task in first[2]["tasks"]]
    assert (in_moto.rows(), sent(in_moto)) == (rows, messages)
    assert len(rows) == len(messages) == 12


@pytest.mark.parametrize(
    "other",
    [tasks_of(2), tasks_of(4), [*tasks_of(2), {"qc": BELL, "shots": 99}], tasks_of(3)[::-1]],
    ids=["one less", "one more", "one different", "another order"],
)
def test_the_same_key_with_another_batch_is_refused(in_moto: Aws, other: list[dict[str, Any]]) -> None:
    """A key stands for one batch, whole; of another one nothing is stored."""
    assert post(tasks_of(3), **{"Idempotency-Key": "k"})[0] == 200
    rows = in_moto.rows()
    status, _, answer = post(other, **{"Idempotency-Key": "k"})
    assert (status, answer["code"], "index" in answer) == (422, "idempotency_key_reused", False)
    assert in_moto.rows() == rows


def test_a_tasks_own_key_is_that_of_a_task_sent_alone(in_moto: Aws) -> None:
    """What was sent alone before, with the same key and body, is the same task in a batch, and the rest is new."""
    alone = submit({"qc": BELL, "shots": 2}, headers={"Idempotency-Key": "own"})
    tasks = tasks_of(3)
    tasks[1]["idempotency_key"] = "own"
    _, headers, answer = post(tasks, **{"Idempotency-Key": "whole"})
    assert [task["replayed"] for task in answer["tasks"]] == [False, True, False]
    assert answer["tasks"][1]["task_id"] == alone
    assert "idempotent-replayed" not in headers
    assert sent(in_moto) == sorted(task["task_id"] for task in answer["tasks"])
    again = submit({"qc": BELL, "shots": 2}, headers={"Idempotency-Key": "own"})
    assert again == alone


def test_a_used_key_of_one_task_stops_them_all(in_moto: Aws) -> None:
    """It is named by its index, and nothing is stored."""
    submit({"qc": BELL, "shots": 77}, headers={"Idempotency-Key": "own"})
    tasks = tasks_of(3)
    tasks[1]["idempotency_key"] = "own"
    status, _, answer = post(tasks)
    assert (status, answer["code"], answer["index"]) == (422, "idempotency_key_reused", 1)
    assert list(stored(in_moto).values()) == [77]


def test_no_accepted_task_is_lost_when_messages_are(in_moto: Aws) -> None:
    """Messages that SQS refuses, or an SQS that is down: accepted all the same, and the sweeper's to send."""
    with Stubber(aws.client("sqs")) as sqs:
        failed: Any = {"Id": "3", "SenderFault": False, "Code": "InternalError"}
        sqs.add_response("send_message_batch", {"Successful": [], "Failed": [failed]})
        sqs.add_client_error("send_message_batch", "ServiceUnavailable", http_status_code=503)
        status, _, answer = post(tasks_of(12), **{"Idempotency-Key": "k"})
    assert status == 200
    ids = sorted(task["task_id"] for task in answer["tasks"])
    assert sorted(task.task_id for task in in_moto.store.open_tasks()) == ids
    repeated = post(tasks_of(12), **{"Idempotency-Key": "k"})
    assert sorted(task["task_id"] for task in repeated[2]["tasks"]) == ids


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_transaction_that_did_not_happen_stores_nothing(in_moto: Aws, code: str) -> None:
    """503, come again: no half of a batch is left behind."""
    with Stubber(aws.client("dynamodb")) as dynamodb:
        dynamodb.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": "None"}, {"Code": code}]},
        )
        status, headers, answer = post(tasks_of(2))
    assert (status, headers["retry-after"], answer["code"]) == (503, "5", "unavailable")
    assert (in_moto.rows(), sent(in_moto)) == ([], [])


def test_a_transaction_that_meets_its_own_first_try_is_no_replay(in_moto: Aws) -> None:
    """When its answer was lost on the wire the tasks are still new, and their messages still to be sent."""
    tasks = [new_task(), new_task()]
    for _ in range(2):
        assert [each.replayed for each in in_moto.store.submit_all(tasks)] == [False, False]
    with pytest.raises(KeyReusedError):
        in_moto.store.submit_all([tasks[0], tasks[1].evolve(request_hash="other")])


def test_the_same_batch_at_the_same_time_is_one(in_moto: Aws) -> None:
    """Of many at once one stores the tasks and all answers have their ids."""
    tasks = [new_task() for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda number: in_moto.store.submit_all([task.evolve(correlation_id=str(number)) for task in tasks]),
                range(16),
            )
        )
    assert [[each.replayed for each in answer] for answer in answers].count([False] * 3) == 1
    assert {each.task.correlation_id for answer in answers for each in answer} == {
        next(answer[0].task.correlation_id for answer in answers if not answer[0].replayed)
    }
    assert len(in_moto.rows()) == 3


def test_a_bad_callback_url_stops_them_all(in_moto: Aws) -> None:
    """The error has the task's index, as for a bad circuit; a good one is kept with its task."""
    tasks = [{"qc": BELL, "callback_url": url} for url in ("https://example.com/", "https://127.0.0.1/")]
    status, _, answer = post(tasks)
    assert (status, answer["code"]) == (400, "invalid_batch")
    assert [(error["index"], error["code"]) for error in answer["errors"]] == [(1, "invalid_callback_url")]
    assert in_moto.rows() == []
    assert post(tasks[:1])[0] == 200
    assert [row["callback_url"] for row in in_moto.rows()] == [{"S": "https://example.com/"}]
