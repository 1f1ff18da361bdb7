"""What the client does when the service is slow, busy, ill or not there: real HTTP against a scripted server."""

from __future__ import annotations

import asyncio
import inspect
import io
import re
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from quantum_circuits import (
    AmountSpentError,
    AsyncClient,
    CircuitError,
    Client,
    ConfigurationError,
    InvalidApiKeyError,
    QuantumCircuitsError,
    RefusedError,
    ResultExpiredError,
    TaskCancelledError,
    TaskFailedError,
    TaskNotEndedError,
    TaskPurgedError,
    ThrottledError,
    TooMuchOpenWorkError,
    UnreachableError,
    WaitTimeoutError,
    calls,
)
from scripted_server import Reply, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from scripted_server import ScriptedServer

TASK_ID = "0b84f2f4-52a5-4c3c-9f3a-6a3f5f0a3b56"
UNAVAILABLE = {"status": "error", "message": "The service cannot be reached.", "code": "unavailable"}


def task(status: str = "pending", **fields: Any) -> dict[str, Any]:
    """Return a task as the service shows it."""
    return {
        "task_id": TASK_ID,
        "status": status,
        "message": "A sentence.",
        "submitted_at": "2026-11-21T01:11:43.695Z",
        "status_history": [],
        "correlation_id": "c",
        "shots": 10,
        **fields,
    }


def client_of(server: ScriptedServer) -> Client:
    """Return a client of the server."""
    return Client(server.url, "a-key")


@pytest.fixture(name="pauses", autouse=True)
def fixture_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the pauses that the client makes, which last no time here."""
    made: list[float] = []
    # The pauses are what is tested: they are noted in place of being made.
    monkeypatch.setattr("quantum_circuits.client.time", SimpleNamespace(sleep=made.append))
    return made


def test_a_submission_is_tried_again_with_its_key_as_the_service_asks(pauses: list[float]) -> None:
    """503 and 429 are retried after `Retry-After`, with the same Idempotency-Key and body each time."""
    throttled = {"status": "error", "message": "Too many.", "code": "throttled"}
    with scripted(
        Reply(503, UNAVAILABLE, {"retry-after": "5"}),
        Reply(429, throttled, {"retry-after": "2"}),
        Reply(200, {"task_id": TASK_ID, "message": "m", "submitted_at": "t", "correlation_id": "c"}),
    ) as server:
        submitted = client_of(server).submit("qubit q;", shots=10)
    assert submitted.task_id == TASK_ID
    assert pauses == [5.0, 2.0]
    assert {asked.headers["idempotency-key"] for asked in server.asked} == {server.asked[0].headers["idempotency-key"]}
    assert [asked.body for asked in server.asked] == [{"qc": "qubit q;", "shots": 10}] * 3
    assert server.asked[0].headers["x-api-key"] == "a-key"


def test_without_retry_after_the_pauses_double(pauses: list[float]) -> None:
    """Five more tries, each after about twice the pause; then the service's own refusal."""
    with scripted(Reply(503, UNAVAILABLE)) as server, pytest.raises(RefusedError, match="cannot be reached"):
        client_of(server).get(TASK_ID)
    assert len(server.asked) == calls.RETRIES + 1
    assert [round(pause / 0.25 / 2**index) for index, pause in enumerate(pauses)] == [1] * calls.RETRIES


def test_a_quota_of_the_day_is_not_waited_for(pauses: list[float]) -> None:
    """A quota that is used up, or a pause of more than a minute, is raised at once with its time."""
    quota = {"status": "error", "message": "Used up.", "code": "quota_exceeded"}
    for reply in (Reply(429, quota), Reply(429, {"message": "Busy."}, {"retry-after": "3600"})):
        with scripted(reply) as server, pytest.raises(ThrottledError) as raised:
            client_of(server).get(TASK_ID)
        assert len(server.asked) == 1
    assert raised.value.retry_after == 3600
    assert pauses == []


def test_a_key_that_has_all_it_may_is_told_so(pauses: list[float]) -> None:
    """Room for more tasks is waited for as the service asks; a month that is spent, or a too large request, is not."""
    body = {"status": "error", "message": "The key has 5 tasks; the limit is 5.", "limit": 5, "actual": 5}
    full = Reply(429, body | {"code": "too_many_open_tasks", "hint": "Send it again."}, {"retry-after": "10"})
    with scripted(full, full, Reply(200, task())) as server:
        client_of(server).get(TASK_ID)
    assert (len(server.asked), pauses) == (3, [10, 10])
    with scripted(*[full] * 6) as server, pytest.raises(TooMuchOpenWorkError, match="Hint: Send it again") as refused:
        client_of(server).get(TASK_ID)
    assert (refused.value.actual, refused.value.limit, refused.value.retry_after) == (5, 5, 10)
    spent = Reply(402, body | {"code": "monthly_amount_spent", "ends_at": "2026-12-01T00:00:00.000Z"})
    with scripted(spent) as server, pytest.raises(AmountSpentError) as raised:
        client_of(server).get(TASK_ID)
    assert (len(server.asked), raised.value.ends_at) == (1, "2026-12-01T00:00:00.000Z")
    too_large = Reply(422, body | {"code": "too_much_open_work"})
    with scripted(too_large) as server, pytest.raises(TooMuchOpenWorkError) as alone:
        client_of(server).get(TASK_ID)
    assert (len(server.asked), alone.value.retry_after) == (1, None)


def test_nobody_at_the_url_is_one_clear_exception() -> None:
    """A refused connection is UnreachableError and names the URL."""
    with pytest.raises(UnreachableError, match=re.escape("http://127.0.0.1:9 does not answer")):
        Client("http://127.0.0.1:9", "k").get(TASK_ID)


def test_another_service_at_the_url_is_recognized() -> None:
    """A page in place of JSON says that the URL is not the service's."""
    with scripted(Reply(200, b"<html>")) as server, pytest.raises(UnreachableError, match="Check the URL"):
        client_of(server).get(TASK_ID)


CALLS = ["run", "get", "cancel", "circuit", "list", "limits", "batch", "callback_secret"]


@pytest.mark.parametrize(
    ("status", "call"),
    [
        *((200, call) for call in CALLS if call != "circuit"),  # a program is any text
        *((status, call) for status in (403, 404) for call in CALLS),
    ],
)
def test_json_of_another_service_is_recognized(status: int, call: str) -> None:
    """An object that has nothing of the service's, as API Gateway gives without the stage, is UnreachableError."""
    arguments: list[Any] = {"run": [""], "batch": [[{"qc": ""}]], "list": [], "limits": [], "callback_secret": []}.get(
        call, [TASK_ID]
    )
    with scripted(Reply(status, {"message": "Forbidden"})) as server:
        with pytest.raises(UnreachableError, match=r"Check the URL.*/prod"):
            getattr(client_of(server), call)(*arguments)
        assert len(server.asked) == 1


@pytest.mark.parametrize("text", ["", "../limits", "a b", "x/y?z=1", "\u00e9"])
def test_what_is_no_id_is_not_sent(text: str) -> None:
    """An id that would change the address is refused by name."""
    with scripted(Reply(200, task())) as server:
        for call in ("get", "wait", "cancel", "circuit"):
            with pytest.raises(QuantumCircuitsError, match="is not the id of a task"):
                getattr(client_of(server), call)(text)
        assert server.asked == []


@pytest.mark.parametrize(
    ("url", "key"), [("http://", "k"), ("ftp://a", "k"), ("http://a:b", "k"), ("http://a", "\u00e9")]
)
def test_a_url_or_key_that_cannot_be_is_a_configuration_error(url: str, key: str) -> None:
    """What no request can be sent with is refused before one is; blanks around it, as files have, are none of it."""
    with pytest.raises(ConfigurationError):
        Client(url, key)
    assert Client(" http://a/ ", "k\n").configuration == Client("http://a", "k").configuration


def test_numbers_of_numpy_are_numbers() -> None:
    """NumPy's integers, floats and arrays are sent as JSON has them; NaN is refused before anything is sent."""
    with scripted(Reply(200, task(task=task("completed", result={"0": 5})))) as server:
        client = client_of(server)
        client.run("x", shots=np.int64(5), inputs={"a": np.float32(0.5), "b": np.arange(2)})
        assert server.asked[0].body == {"qc": "x", "shots": 5, "inputs": {"a": 0.5, "b": [0, 1]}}
        for value in (float("nan"), object()):
            with pytest.raises(QuantumCircuitsError, match="JSON cannot hold"):
                client.run("x", inputs={"a": value})
        assert len(server.asked) == 1


def test_the_two_clients_have_the_same_methods() -> None:
    """Every public method of one is in the other, with the same parameters."""

    def methods(kind: type) -> dict[str, list[str]]:
        public = {name: each for name, each in vars(kind).items() if not name.startswith("_") and callable(each)}
        return {name: list(inspect.signature(each).parameters) for name, each in public.items()}

    assert methods(AsyncClient) == methods(Client)


def test_waiting_asks_the_service_to_wait(pauses: list[float]) -> None:
    """`wait` sends Prefer, asks again at once after an answer that waited, else after `Retry-After`."""
    with scripted(
        Reply(200, task(), {"preference-applied": "wait=20", "retry-after": "1"}),
        Reply(200, task(), {"retry-after": "7"}),
        Reply(200, task("completed", result={"0": 10})),
    ) as server:
        assert client_of(server).wait(TASK_ID).counts == {"0": 10}
    assert [asked.headers["prefer"] for asked in server.asked] == ["wait=20"] * 3
    assert pauses == [7.0]


def test_a_wait_that_is_over_names_the_task(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """After its timeout, and one question at its end, `wait` raises with the id by which the task is found again."""
    monkeypatch.setattr(calls, "time", SimpleNamespace(monotonic=lambda: sum(pauses)))
    with (
        scripted(Reply(200, task(), {"retry-after": "1"})) as server,
        pytest.raises(WaitTimeoutError, match=r"had not ended after 0\.5 s") as raised,
    ):
        client_of(server).wait(TASK_ID, timeout=0.5)
    assert raised.value.task_id == TASK_ID
    assert (pauses, len(server.asked)) == ([0.5], 2)


def test_a_failed_and_a_cancelled_task_are_exceptions() -> None:
    """The task's own error arrives with code, place, excerpt and hint; a cancelled one says so."""
    error = {
        "code": "invalid_circuit",
        "message": "'hh' is not a gate.",
        "line": 2,
        "column": 3,
        "hint": "Did you mean h?",
        "excerpt": "hh q;\n^",
    }
    with (
        scripted(Reply(200, task("failed", message=error["message"], error=error))) as server,
        pytest.raises(TaskFailedError) as raised,
    ):
        client_of(server).wait(TASK_ID)
    assert str(raised.value) == "'hh' is not a gate (line 2, column 3).\n  hh q;\n  ^\nHint: Did you mean h?"
    assert (raised.value.code, raised.value.line, raised.value.column) == ("invalid_circuit", 2, 3)
    with scripted(Reply(200, task("cancelled"))) as server, pytest.raises(TaskCancelledError):
        client_of(server).wait(TASK_ID)


def test_a_large_result_is_fetched_without_the_key() -> None:
    """`result_url` is followed; the storage never sees the API key."""
    with scripted(Reply(200, {"result": {"1": 10}, "execution": {"seed": 1}})) as storage:
        large = task("completed", result_url=f"{storage.url}/outcomes/x?signature=s")
        with scripted(Reply(200, large)) as server:
            found = client_of(server).get(TASK_ID)
    assert (found.counts, found.execution, found.body.get("result_url")) == ({"1": 10}, {"seed": 1}, None)
    assert "x-api-key" not in storage.asked[0].headers


def test_a_result_that_expired_is_one_clear_exception() -> None:
    """A result whose address answers 403 or 404 is ResultExpiredError."""
    with scripted(Reply(403, b"<Error/>")) as storage:
        large = task("completed", result_url=f"{storage.url}/outcomes/x")
        with scripted(Reply(200, large)) as server, pytest.raises(ResultExpiredError, match=TASK_ID):
            client_of(server).get(TASK_ID)
    gone = {"status": "error", "message": "The result is not there any more.", "code": "payload_gone"}
    with scripted(Reply(410, gone)) as server, pytest.raises(ResultExpiredError, match=TASK_ID):
        client_of(server).get(TASK_ID)


def test_an_array_is_fetched_as_a_file_without_the_key() -> None:
    """The service is asked for NumPy's format and names an address, of which it has never seen the key."""
    file, expected = io.BytesIO(), np.array([0.5, -0.0, 1e-310j])
    np.save(file, expected)
    with (
        scripted(Reply(200, file.getvalue())) as storage,
        scripted(Reply(303, b"", {"location": f"{storage.url}/files/x?signature=s"})) as server,
    ):
        found = client_of(server).array(TASK_ID, 1, binding=2)
    assert (found.dtype, found.tobytes()) == (expected.dtype, expected.tobytes())
    assert (server.asked[0].path, server.asked[0].headers["accept"]) == (
        f"/tasks/{TASK_ID}/results/1?binding=2",
        "application/x-npy",
    )
    assert "x-api-key" not in storage.asked[0].headers


def test_an_array_that_cannot_be_had_is_one_clear_exception() -> None:
    """A refusal, a file that is gone, and what is no file of NumPy's."""
    refused = {"status": "error", "message": "A result of type counts has no array.", "code": "not_acceptable"}
    with scripted(Reply(406, refused)) as server, pytest.raises(RefusedError, match="counts has no array"):
        client_of(server).array(TASK_ID)
    for reply, kind in ((Reply(404, b"<Error/>"), ResultExpiredError), (Reply(200, b"<html>"), UnreachableError)):
        with (
            scripted(reply) as storage,
            scripted(Reply(303, b"", {"location": f"{storage.url}/x"})) as server,
            pytest.raises(kind),
        ):
            client_of(server).array(TASK_ID)


def test_a_storage_that_is_busy_is_asked_again(pauses: list[float]) -> None:
    """A 503 of the storage of results is not the end of a large result."""
    with scripted(Reply(503, b"<Error/>"), Reply(200, {"result": {"1": 10}})) as storage:
        large = task("completed", result_url=f"{storage.url}/outcomes/x")
        with scripted(Reply(200, large)) as server:
            assert client_of(server).get(TASK_ID).counts == {"1": 10}
    assert len(pauses) == 1


def test_refusals_have_types() -> None:
    """A wrong key, a program that is not valid, and a batch whose tasks are not: each its exception and sentence."""
    wrong = {
        "status": "error",
        "message": "This address needs a valid API key.",
        "code": "invalid_api_key",
        "hint": "h",
    }
    with scripted(Reply(403, wrong)) as server, pytest.raises(InvalidApiKeyError, match="needs a valid API key"):
        client_of(server).list()
    invalid = {"status": "error", "message": "QASM3 code is not valid", "code": "invalid_circuit", "detail": "No."}
    with scripted(Reply(400, invalid)) as server, pytest.raises(CircuitError, match="QASM3 code is not valid: No"):
        client_of(server).submit("x")
    errors = [{"index": 1, "code": "invalid_circuit", "message": "No gate.", "line": 3, "column": 4, "hint": "h"}]
    batch = {
        "status": "error",
        "code": "invalid_batch",
        "message": "1 of 2 tasks are not valid; none was submitted.",
        "errors": errors,
    }
    with (
        scripted(Reply(400, batch)) as server,
        pytest.raises(CircuitError, match=r"task 1: No gate \(line 3, column 4\)") as raised,
    ):
        client_of(server).batch([{"qc": "x"}, {"qc": "y"}])
    assert (raised.value.index, raised.value.line, raised.value.hint) == (1, 3, "h")
    accepted = {"tasks": [{"index": index, "task_id": f"t{index}", "submitted_at": "t"} for index in range(100)]}
    with (
        scripted(Reply(200, accepted), Reply(400, batch)) as server,
        pytest.raises(CircuitError, match="task 101: No gate") as raised,
    ):
        client_of(server).batch([{"qc": "x"}] * 102)
    assert (raised.value.index, raised.value.accepted) == (101, [f"t{index}" for index in range(100)])


def test_a_large_batch_becomes_several_requests() -> None:
    """250 tasks are three requests of at most 100; the tasks come back in their order."""

    def reply(first: int, size: int) -> Reply:
        tasks = [{"index": i, "task_id": f"t{first + i}", "submitted_at": "t", "replayed": False} for i in range(size)]
        return Reply(200, {"message": "m", "tasks": tasks, "correlation_id": "c"})

    with scripted(reply(0, 100), reply(100, 100), reply(200, 50)) as server:
        found = client_of(server).batch([{"qc": "x", "shots": 5}] * 250)
    assert [each.task_id for each in found] == [f"t{index}" for index in range(250)]
    assert [len(asked.body["tasks"]) for asked in server.asked] == [100, 100, 50]


def test_a_long_sweep_keeps_the_seeds_of_one_task() -> None:
    """2,500 bindings become three tasks; the seed of each is what binding 0, 1,000 and 2,000 of one task would have."""
    accepted = [{"index": i, "task_id": f"t{i}", "submitted_at": "t", "replayed": False} for i in range(3)]
    with scripted(
        Reply(200, {"run": {"max_bindings": 1000, "max_sweep_shots": 1_000_000}}),
        Reply(200, {"message": "m", "tasks": accepted, "correlation_id": "c"}),
        Reply(200, task("completed", result=[{"0": 1}])),
    ) as server:
        client_of(server).sweep("x", [{"a": index} for index in range(2500)], shots=1, seed=2**63 - 1)
    sent = server.asked[1].body["tasks"]
    assert [len(each["inputs"]) for each in sent] == [1000, 1000, 500]
    assert [each["seed"] for each in sent] == [2**63 - 1, 100_000_000 - 1, 200_000_000 - 1]


def test_the_list_follows_its_pages() -> None:
    """Every page is read, empty ones too, until there is no cursor."""
    with scripted(
        Reply(200, {"tasks": [task()], "next_cursor": "c1"}),
        Reply(200, {"tasks": [], "next_cursor": "c2"}),
        Reply(200, {"tasks": [task()]}),
    ) as server:
        assert len(client_of(server).list(status="pending", limit=None)) == 2
    assert [asked.path.partition("?")[2] for asked in server.asked] == [
        "limit=100&status=pending",
        "limit=100&status=pending&cursor=c1",
        "limit=100&status=pending&cursor=c2",
    ]


def test_the_asynchronous_client_does_the_same() -> None:
    """AsyncClient sends the same requests, and its exceptions are the same."""

    async def use(url: str) -> None:
        async with AsyncClient(url, "a-key") as client:
            assert (await client.run("x", shots=10)).counts == {"0": 10}
            with pytest.raises(TaskCancelledError):
                await client.wait(TASK_ID)

    accepted = {"task_id": TASK_ID, "message": "m", "submitted_at": "t", "correlation_id": "c"}
    with scripted(
        Reply(200, {**accepted, "task": task("completed", result={"0": 10})}), Reply(200, task("cancelled"))
    ) as server:
        asyncio.run(use(server.url))
    assert server.asked[0].headers["prefer"] == "wait=20"


def test_the_configuration_comes_from_arguments_then_variables_then_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each source is used where the ones before are silent; a key of the file never goes to a URL from elsewhere."""
    for name in ("URL", "API_KEY", "PROFILE", "CONFIG"):
        monkeypatch.delenv(f"QUANTUM_CIRCUITS_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"The service's URL is not known.*config\.ini"):
        Client()
    file = tmp_path / "quantum-circuits" / "config.ini"
    file.parent.mkdir()
    file.write_text(
        "[default]\nurl = https://one.example/\napi_key = k1\n[other]\nurl = https://two.example\napi_key = 50%\n"
    )
    found = Client().configuration
    assert (found.url, found.api_key, "k1" in repr(found)) == ("https://one.example", "k1", False)
    assert Client(profile="other").configuration.api_key == "50%"
    with pytest.raises(ConfigurationError, match=r"has no section \[third\]"):
        Client(profile="third")
    with pytest.raises(
        ConfigurationError, match=r"API key for https://three\.example is not known.*URL of that file only"
    ):
        Client("https://three.example")
    monkeypatch.setenv("QUANTUM_CIRCUITS_URL", "ftp://x")
    monkeypatch.setenv("QUANTUM_CIRCUITS_API_KEY", "k")
    with pytest.raises(ConfigurationError, match="must start with https"):
        Client()


def test_a_list_is_filtered_by_the_service() -> None:
    """The query has what was asked for, tags separated by commas; a task has its labels."""
    listed = {"tasks": [task(name="run 7", tags=["a", "b c"])]}
    with scripted(Reply(200, listed)) as server, client_of(server) as client:
        (found,) = client.list(status="failed", name="run 7", tags=["a", "b c"])
    assert (found.name, found.tags) == ("run 7", ["a", "b c"])
    assert server.asked[0].query == {"limit": "100", "status": "failed", "name": "run 7", "tag": "a,b c"}


def test_usage_is_asked_for_by_days() -> None:
    """Dates and texts are days; without them the service chooses."""
    used = {"from": "2026-11-01", "to": "2026-11-28", "by": "tag", "total": {"tasks": 1}, "usage": []}
    with scripted(Reply(200, used)) as server, client_of(server) as client:
        assert client.usage(date(2026, 11, 1), "2026-11-28", by="tag") == used
        client.usage()
    assert [asked.query for asked in server.asked] == [
        {"from": "2026-11-01", "to": "2026-11-28", "by": "tag"},
        {"by": "day"},
    ]


def test_a_purge_whose_answer_was_lost_has_succeeded() -> None:
    """Its second try finds the task purged; one that has not ended is refused, and reading a purged one."""
    gone = Reply(410, {"message": "The task was purged.", "code": "task_purged"})
    with scripted(Reply(502, {}), gone, gone) as server, client_of(server) as client:
        client.purge(TASK_ID)
        with pytest.raises(TaskPurgedError):
            client.get(TASK_ID)
    assert server.asked[0].query == {"purge": "true"}
    open_one = Reply(409, {"message": "No.", "code": "task_not_ended"})
    with scripted(open_one) as server, client_of(server) as client, pytest.raises(TaskNotEndedError):
        client.purge(TASK_ID)
