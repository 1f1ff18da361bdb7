"""The api function from API Gateway's event to its answer, against moto: the HTTP contract, to the letter."""

from __future__ import annotations

import base64
import gzip
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from lambda_events import Context, http_event

from simulated_aws import BELL
from tasks import aws
from tasks.callback_secret import callback_secret, secret_text
from tasks.errors import ErrorCode, TaskError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def call(method: str, path: str, body: Any = None, **event: Any) -> tuple[int, dict[str, str], Any]:
    """Send a request through the function's handler; return status, headers in lower case and the body's JSON."""
    from api import handler

    answer = handler(http_event(method, path, body, **event), Context())
    headers = {
        name.lower(): value
        for name, value in (answer["headers"] | {k: v[0] for k, v in answer["multiValueHeaders"].items()}).items()
    }
    text = answer["body"]
    return (
        answer["statusCode"],
        headers,
        json.loads(text) if text and headers.get("content-type") == "application/json" else text,
    )


def submit(body: dict[str, Any] | None = None, **event: Any) -> str:
    """Submit a task that must be accepted; return its id."""
    status, _, answer = call("POST", "/tasks", body or {"qc": BELL}, **event)
    assert status == 200, answer
    task_id: str = answer["task_id"]
    return task_id


def test_submitting_answers_the_contract(in_moto: Aws) -> None:
    """An accepted task is answered with its id, the promised message and where to find it."""
    status, headers, answer = call("POST", "/tasks", {"qc": BELL})
    assert status == 200
    assert set(answer) == {"task_id", "message", "submitted_at", "correlation_id"}
    assert answer["message"] == "Task submitted successfully."
    assert UUID.fullmatch(answer["task_id"])
    assert RFC3339.fullmatch(answer["submitted_at"])
    assert headers["location"] == f"/v1/tasks/{answer['task_id']}"  # behind the stage
    assert headers["x-correlation-id"] == answer["correlation_id"]


def test_submitting_answers_with_what_is_hardly_meant(in_moto: Aws) -> None:
    """A program that is right by the language and never what is meant is accepted with a note."""
    qc = "input int n;\nqubit q; bit c;\nrx(n/4*pi) q; pow(1/2) @ x q; c = measure q;"
    status, _, answer = call("POST", "/tasks", {"qc": qc, "inputs": [{"n": 4}, {"n": 3}]})
    assert status == 200
    hint = "; write a number with a point for a fraction, such as 1.0 / 2."
    assert answer["notes"] == [
        f"Line 3, column 20: 1 / 2 divides integers and gives 0{hint}",
        f"Line 3, column 5: 3 / 4 divides integers and gives 0{hint}",
    ]


def test_submitting_writes_the_row_and_sends_the_id_alone(in_moto: Aws) -> None:
    """The row holds the task; the message nothing but its id, its version and the correlation id."""
    task_id = submit({"qc": BELL, "shots": 10, "seed": 3}, headers={"X-Correlation-ID": "mine-1"})
    stored = in_moto.stored(task_id)
    assert (stored.shots, stored.options, stored.correlation_id) == (10, {"seed": 3}, "mine-1")
    (message,) = in_moto.messages()
    printed = json.loads(message["Body"])
    assert (printed.pop("send_id") != "", printed) == (True, {"version": 1, "task_id": task_id})
    assert message["Attributes"]["MessageGroupId"] == "alice"
    assert message["MessageAttributes"]["correlation_id"]["StringValue"] == "mine-1"


def test_a_new_task_reads_as_pending(in_moto: Aws) -> None:
    """A task that nobody worked on yet is pending, with the contract's message and one line of history."""
    task_id = submit()
    status, _, answer = call("GET", f"/tasks/{task_id}")
    assert status == 200
    submitted_at = answer["submitted_at"]
    assert answer == {
        "task_id": task_id,
        "status": "pending",
        "message": "Task is still in progress.",
        "submitted_at": submitted_at,
        "status_history": [{"status": "pending", "transitioned_at": submitted_at, "notes": "The task was accepted."}],
        "correlation_id": answer["correlation_id"],
        "shots": 1024,
    }


def test_a_running_task_reads_as_pending(in_moto: Aws) -> None:
    """A client sees a running task as pending; the history says processing."""
    task_id = submit()
    in_moto.store.claim(task_id)
    _, _, answer = call("GET", f"/tasks/{task_id}")
    assert (answer["status"], answer["message"]) == ("pending", "Task is still in progress.")
    assert [line["status"] for line in answer["status_history"]] == ["pending", "processing"]


def test_a_completed_task_shows_its_counts(in_moto: Aws) -> None:
    """`result` is the counts map itself."""
    task_id = submit()
    claimed = in_moto.claimed(task_id)
    in_moto.store.complete(claimed, {"result": {"00": 512, "11": 512}})
    _, _, answer = call("GET", f"/tasks/{task_id}")
    assert (answer["status"], answer["message"]) == ("completed", "Task completed successfully.")
    assert answer["result"] == {"00": 512, "11": 512}


def test_a_number_that_is_not_finite_can_be_read(in_moto: Aws) -> None:
    """An outcome that an older version stored with Infinity is answered, with null in its place."""
    task_id = submit({"qc": BELL})
    claimed = in_moto.claimed(task_id)
    in_moto.store.complete(claimed, {"result": {}, "expectation_values": [{"value": float("inf")}]})
    status, _, body = call("GET", f"/tasks/{task_id}")
    assert (status, body["expectation_values"]) == (200, [{"value": None}])


def test_a_failed_task_shows_its_error(in_moto: Aws) -> None:
    """A failure's message is the task's, and `error` has the details."""
    task_id = submit()
    claimed = in_moto.claimed(task_id)
    in_moto.store.fail(claimed, TaskError(ErrorCode.TIME_LIMIT, "It ran too long.", limit=120, hint="Use fewer shots."))
    status, _, answer = call("GET", f"/tasks/{task_id}")
    assert status == 200
    assert (answer["status"], answer["message"]) == ("failed", "It ran too long.")
    assert answer["error"] == {
        "code": "time_limit",
        "message": "It ran too long.",
        "limit": 120,
        "hint": "Use fewer shots.",
    }


def test_a_cancelled_task_says_so(in_moto: Aws) -> None:
    """A cancelled task reads as cancelled."""
    task_id = submit()
    in_moto.store.cancel(task_id, "alice")
    _, _, answer = call("GET", f"/tasks/{task_id}")
    assert (answer["status"], answer["message"]) == ("cancelled", "Task was cancelled.")


@pytest.mark.parametrize("task_id", ["00000000-0000-4000-8000-000000000000", "nonsense", "%00", "1", "a" * 5000])
def test_an_unknown_task_is_not_found(in_moto: Aws, task_id: str) -> None:
    """An id that no task has, or that is no id, is answered alike."""
    status, _, answer = call("GET", f"/tasks/{task_id}")
    assert status == 404
    assert (answer["status"], answer["message"], answer["code"]) == ("error", "Task not found.", "task_not_found")


def test_another_owners_task_is_not_found(in_moto: Aws) -> None:
    """A task answers only to the key that made it, and otherwise as if it did not exist."""
    task_id = submit(api_key_id="key-1")
    assert call("GET", f"/tasks/{task_id}", api_key_id="key-1")[0] == 200
    other = call("GET", f"/tasks/{task_id}", api_key_id="key-2")
    unknown = call("GET", "/tasks/00000000-0000-4000-8000-000000000000", api_key_id="key-2")
    assert {**other[2], "correlation_id": ""} == {**unknown[2], "correlation_id": ""}
    assert other[0] == unknown[0] == 404


def test_without_key_ids_a_hash_of_the_key_is_the_owner(in_moto: Aws) -> None:
    """Where the gateway checks keys but does not name them, each key still has tasks of its own."""
    task_id = submit(api_key_id=None, headers={"x-api-key": "first-key-of-all-keys"})
    (row,) = in_moto.rows()
    assert "first-key" not in json.dumps(row, default=str)
    assert call("GET", f"/tasks/{task_id}", api_key_id=None, headers={"x-api-key": "first-key-of-all-keys"})[0] == 200
    assert call("GET", f"/tasks/{task_id}", api_key_id=None, headers={"x-api-key": "another-key-of-all"})[0] == 404


def test_a_forged_header_does_not_replace_the_keys_id(in_moto: Aws) -> None:
    """Whose the tasks are is API Gateway's word wherever it has one."""
    task_id = submit(api_key_id="key-1")
    assert call("GET", f"/tasks/{task_id}", api_key_id="key-2", headers={"x-api-key": "key-1"})[0] == 404


def test_a_program_that_does_not_parse_is_refused_with_its_place(in_moto: Aws) -> None:
    """A syntax error is answered at once with line and column, and nothing is stored."""
    status, _, answer = call("POST", "/tasks", {"qc": "OPENQASM 3;\nqubit q;\nh q\nmeasure q;"})
    assert status == 400
    assert (answer["status"], answer["message"], answer["code"]) == (
        "error",
        "QASM3 code is not valid",
        "invalid_circuit",
    )
    assert answer["line"] in {3, 4}
    assert isinstance(answer["column"], int)
    assert answer["detail"]
    assert (in_moto.rows(), in_moto.messages()) == ([], [])


@pytest.mark.parametrize("qc", ["OPENQASM 3; qubit q; h q; \0 measure q;", "qubit q; h q; measure q; \ud800"])
def test_text_that_is_no_program_is_refused(in_moto: Aws, qc: str) -> None:
    """NUL and lone surrogates are invalid circuits; nothing is stored."""
    status, _, answer = call("POST", "/tasks", {"qc": qc})
    assert (status, answer["message"], answer["code"]) == (400, "QASM3 code is not valid", "invalid_circuit")
    assert in_moto.rows() == []


def test_a_withdrawn_method_is_refused(in_moto: Aws) -> None:
    """Its name is still known, but its counts were wrong: the hint says what to use, and nothing is stored."""
    status, _, answer = call("POST", "/tasks", {"qc": BELL, "method": "extended_stabilizer"})
    assert (status, answer["code"]) == (400, "unsupported_feature")
    assert "matrix_product_state" in answer["hint"]
    assert in_moto.rows() == []


def test_a_coefficient_that_could_overflow_is_refused(in_moto: Aws) -> None:
    """A sum of 1e308s would be infinite, which no JSON can say."""
    status, _, answer = call("POST", "/tasks", {"qc": BELL, "observables": [[["XX", 1e308], ["ZZ", 1e308]]]})
    assert (status, answer["code"], answer["limit"]) == (400, "invalid_inputs", 1e30)
    assert in_moto.rows() == []


@pytest.mark.parametrize("qc", ["", "   \n\t ", "// nothing"])
def test_an_empty_program_is_refused(in_moto: Aws, qc: str) -> None:
    """Text without a statement measures nothing; it is refused with a hint, and nothing is stored."""
    status, _, answer = call("POST", "/tasks", {"qc": qc})
    assert (status, answer["message"], answer["code"]) == (400, "QASM3 code is not valid", "nothing_measured")
    assert answer["hint"]
    assert in_moto.rows() == []


def test_text_over_the_limit_is_refused_with_the_limit(in_moto: Aws) -> None:
    """Two megabytes of circuit are refused with the limit and the actual size in bytes."""
    status, _, answer = call("POST", "/tasks", {"qc": "x" * 2_000_000})
    assert (status, answer["code"], answer["limit"], answer["actual"]) == (
        413,
        "circuit_too_large",
        1_000_000,
        2_000_000,
    )
    assert in_moto.rows() == []


BAD_BODIES: list[tuple[Any, str]] = [
    ('{"qc": "qubit q; measure q;", "shots": 1, "shots": 2}', '"shots" occurs twice'),
    ('{"qc": "qubit q; measure q;", "inputs": {"a": 1, "b": 2, "b": 2}}', '"b" occurs twice'),
    ('{"qc": "qubit q; measure q;", "seed": NaN}', "NaN"),
    ('{"qc": "qubit q; measure q;", "seed": -Infinity}', "-Infinity"),
    ('{"qc": "qubit q; measure q;", "\\ud800": 1}', "body"),
    ({"qc": BELL, "inputs": "x"}, " inputs: "),
    ({"qc": BELL, "inputs": [{}, 1]}, " inputs.1: "),
    ({"qc": BELL, "inputs": {"a": [[1], [{}]]}}, " inputs: "),
    ({"qc": BELL, "inputs": {"a": [[[[[[[[[1]]]]]]]]]}}, " inputs: "),
    ({"qc": BELL, "inputs": {"a": [[0] * 5_000] * 2}}, " inputs: "),
    ({"qc": BELL, "observables": [{"ZZ": "1"}]}, " observables.0.ZZ: Input should be a valid number."),
    ({"qc": BELL, "observables": [["ZZ", 1]]}, " observables.0.0: Input should be a list."),
    ({"qc": BELL, "observables": [5]}, " observables.0: Input should be a valid string."),
    ({"qc": BELL, "results": ["Counts"]}, " results.0: Input should be 'counts', "),
    ({"qc": BELL, "results": [None]}, " results.0: Input should be 'counts', "),
    (
        {"qc": BELL, "results": [{"type": "probabilities", "qubits": []}]},
        " results.0.qubits: List should have at",
    ),
    (
        {"qc": BELL, "results": [{"type": "probabilities", "qubits": [-1]}]},
        " results.0.qubits.0: Input should be",
    ),
    ({"qc": BELL, "results": [{"type": "counts", "foo": 1}]}, " results.0.foo: Extra inputs"),
    ({"qc": BELL, "results": [{"type": "expectation", "observable": {"ZZ": None}}]}, " results.0.observable.ZZ: Input"),
    ({"qc": BELL, "noise": "ibmq_lima"}, " noise: Input should be an object."),
    ({"qc": BELL, "method": "\ud800"}, "method"),
    (None, "body"),
    ("", "body"),
    ("{", "JSON: Expecting property name enclosed in double quotes, at character 2."),
    ('{"qc": "" "shots": 1}', "JSON: Expecting ',' delimiter, at character 11."),
    ("[1]", "body"),
    ('"text"', "body"),
    ({}, "qc"),
    ({"qc": None}, "qc"),
    ({"qc": 5}, "qc"),
    ({"qc": [BELL]}, "qc"),
    *(({"qc": BELL, "shots": shots}, "shots") for shots in (0, -1, 100_001, "x", "10", 1.5, True, None, [], 10**30)),
    *(({"qc": BELL, "seed": seed}, "seed") for seed in (-1, 2**63, "x", 1.5, False)),
    ({"qc": BELL, "shot": 5}, "shot"),
    ({"qc": BELL, "nonsense": 5}, "nonsense"),
]


@pytest.mark.parametrize(("body", "named"), BAD_BODIES)
def test_a_missing_or_wrong_field_is_refused_by_name(in_moto: Aws, body: Any, named: str) -> None:
    """A body that does not fit is a 422 with FastAPI's detail and a message that names the field."""
    status, _, answer = call("POST", "/tasks", body)
    assert status == 422
    assert (answer["status"], answer["code"]) == ("error", "invalid_request")
    assert isinstance(answer["detail"], list)
    assert named in answer["message"]
    assert set(answer["detail"][0]) == {"type", "loc", "msg"}
    assert (in_moto.rows(), in_moto.messages()) == ([], [])


def test_a_body_that_is_not_utf8_is_refused(in_moto: Aws) -> None:
    """Bytes that are no UTF-8 are refused without a traceback."""
    from api import handler

    event = http_event("POST", "/tasks", "x")
    event |= {"body": base64.b64encode(b'{"qc": "\xff\xfe"}').decode(), "isBase64Encoded": True}
    answer = handler(event, Context())
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["message"] == "The body has bytes that are not UTF-8."


def test_a_body_of_another_type_is_told_what_to_send(in_moto: Aws) -> None:
    """JSON sent as a form is refused with the header that was missing."""
    status, _, answer = call(
        "POST", "/tasks", json.dumps({"qc": BELL}), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert status == 422
    assert answer["hint"] == "Send a JSON object with the header `Content-Type: application/json`."


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ('{"qc": "qubit q; measure q;"}'.encode("utf-16"), "The body has bytes that are not UTF-8."),
        (gzip.compress(b'{"qc": "qubit q; measure q;"}'), "The body has bytes that are not UTF-8."),
        (
            b'{"qc": "qubit q; measure q;", "shots": ' + b"9" * 5_000 + b"}",
            "The body has an integer of more than 4,300 digits.",
        ),
        (
            b'{"qc": "qubit q; measure q;", "inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "The body has lists or objects nested too deeply.",
        ),
        (
            b'{"qc": "qubit q; measure q;", "inputs": [' + b"{}," * 250_000 + b"{}]}",
            "The body has 250,003 lists and objects; the limit is 250,000.",
        ),
        (
            '{"qc": "qubit q; measure q; // \ufffd"}'.encode(),
            "The body has bytes that are not UTF-8, or the character U+FFFD that stands for such bytes.",
        ),
    ],
    ids=["utf-16", "gzip", "digits", "brackets", "containers", "replaced"],
)
def test_a_body_that_cannot_be_read_is_refused_as_what_it_is(in_moto: Aws, sent: bytes, message: str) -> None:
    """Another encoding, a packed body, numbers and brackets without end, and what API Gateway made of broken UTF-8."""
    from api import handler

    event = http_event("POST", "/tasks", "x")
    answer = handler(event | {"body": base64.b64encode(sent).decode(), "isBase64Encoded": True}, Context())
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["code"], body["message"]) == (400, "invalid_request", message)
    assert in_moto.rows() == []


def test_brackets_of_a_program_are_no_lists(in_moto: Aws) -> None:
    """What is inside a string, escaped quotes included, is not counted."""
    assert call("POST", "/tasks", {"qc": "[" * 300_000 + '"' * 5})[2]["code"] == "invalid_circuit"


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "x"])
def test_an_encoded_body_is_refused_by_its_header(in_moto: Aws, encoding: str) -> None:
    """415 in the contract's shape, naming what is taken instead (RFC 9110, 15.5.16)."""
    status, headers, answer = call("POST", "/tasks", {"qc": BELL}, headers={"Content-Encoding": encoding})
    assert (status, answer["status"], answer["code"]) == (415, "error", "unsupported_encoding")
    assert headers["accept-encoding"] == "identity"
    assert call("POST", "/tasks", {"qc": BELL}, headers={"Content-Encoding": "identity"})[0] == 200


def test_a_request_over_the_limit_is_refused_with_the_limit(in_moto: Aws) -> None:
    """What is over the published number of bytes is not read."""
    status, _, answer = call("POST", "/tasks", json.dumps({"qc": BELL}) + " " * 6 * 2**20)
    assert (status, answer["code"]) == (413, "request_too_large")


MANY = 60_000
WIDE_BODIES: dict[str, Any] = {
    "observables": {"qc": BELL, "observables": [1] * MANY},
    "terms": {"qc": BELL, "observables": [{str(index): "x" for index in range(MANY)}]},
    "pairs": {"qc": BELL, "observables": [[[1, 1]] * MANY]},
    "unknown fields": {"qc": BELL, **{f"x{index}": index for index in range(MANY)}},
    "unknown noise": {"qc": BELL, "noise": {f"x{index}": index for index in range(MANY)}},
    "unknown readout": {"qc": BELL, "noise": {"readout": {f"x{index}": index for index in range(MANY)}}},
    "bindings": {"qc": BELL, "inputs": [1] * MANY},
    "binding": {"qc": BELL, "inputs": {f"x{index}": {} for index in range(MANY)}},
    "long name": {"qc": BELL, "x" * MANY: 1},
    "long method": {"qc": BELL, "method": "x" * MANY},
    "nested": {"qc": BELL, "inputs": {"a": json.loads("[" * 300 + "]" * 300)}},
}


@pytest.mark.parametrize("name", WIDE_BODIES)
@pytest.mark.parametrize("path", ["/tasks", "/tasks/batch"])
def test_what_is_wrong_many_times_is_listed_ten_times_at_most(in_moto: Aws, path: str, name: str) -> None:
    """However much of a body is wrong, the refusal stays small and repeats no more than an excerpt of it."""
    body = WIDE_BODIES[name]
    status, _, answer = call("POST", path, body if path == "/tasks" else {"tasks": [body] * 3})
    assert (status, answer["code"]) == (422, "invalid_request")
    assert 1 <= len(answer["detail"]) <= 10
    assert len(json.dumps(answer)) < 10_000


def test_a_batch_of_wrong_fields_is_listed_ten_times_at_most(in_moto: Aws) -> None:
    """A hundred tasks with a hundred unknown fields each, and a list that is no batch at all."""
    wrong = {"qc": BELL, **{f"x{index}": index for index in range(100)}}
    _, _, answer = call("POST", "/tasks/batch", {"tasks": [wrong] * 100})
    assert len(answer["detail"]) == 10
    _, _, answer = call("POST", "/tasks/batch", {"tasks": [1] * MANY})
    assert (answer["code"], answer["limit"], answer["actual"]) == ("batch_too_large", 100, MANY)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/tasks/00000000-0000-4000-8000-000000000000", "DELETE, GET, HEAD, OPTIONS"),
        ("/tasks", "GET, HEAD, OPTIONS, POST"),
        ("/tasks/batch", "OPTIONS, POST"),
        ("/", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
    ],
)
def test_allow_lists_the_methods_of_an_address(in_moto: Aws, path: str, methods: str) -> None:
    """Every method of the address and no other's: with a 405 (RFC 9110, 15.5.6), and for who asks by OPTIONS."""
    status, headers, answer = call("PATCH", path)
    assert (status, answer["code"], headers["allow"]) == (405, "method_not_allowed", methods)
    status, headers, answer = call("OPTIONS", path)
    assert (status, answer, headers["allow"]) == (204, "", methods)
    for other in {"GET", "HEAD", "POST", "DELETE"} - set(methods.split(", ")):
        status, headers, _ = call(other, path)
        assert (status, headers["allow"]) == (405, methods)


@pytest.mark.parametrize("path", ["/tasks", "/tasks/{id}", "/tasks/{id}/circuit", "/health", "/limits", "/", "/docs"])
def test_head_answers_as_get_without_the_body(in_moto: Aws, path: str) -> None:
    """RFC 9110, 9.3.2; the length in the header is the body's."""
    path = path.replace("{id}", submit())
    got, asked = call("GET", path), call("HEAD", path)
    assert (asked[0], asked[2] or "") == (200, "")
    ignored = {"x-correlation-id", "etag"}
    assert {k: v for k, v in asked[1].items() if k not in ignored} == {
        k: v for k, v in got[1].items() if k not in ignored
    }
    assert call("HEAD", "/tasks/nonsense")[0] == 404


def test_an_id_in_upper_case_is_the_same_id(in_moto: Aws) -> None:
    """RFC 9562, 4: UUIDs are read in either case."""
    task_id = submit()
    assert call("GET", f"/tasks/{task_id.upper()}")[2]["task_id"] == task_id
    assert call("GET", f"/tasks/{task_id.upper()}/circuit")[2] == BELL
    assert call("DELETE", f"/tasks/{task_id.upper()}")[2]["status"] == "cancelled"


ADDRESSES = [
    ("POST", "/tasks"),
    ("POST", "/tasks/batch"),
    ("POST", "/circuit"),
    ("GET", "/tasks"),
    ("GET", "/tasks/00000000-0000-4000-8000-000000000000"),
    ("DELETE", "/tasks/00000000-0000-4000-8000-000000000000"),
    ("GET", "/tasks/00000000-0000-4000-8000-000000000000/circuit"),
    ("GET", "/callback-secret"),
    ("GET", "/health"),
    ("GET", "/limits"),
    ("GET", "/noise-models"),
    ("GET", "/"),
    ("GET", "/page/version/page.js"),
    ("GET", "/docs"),
    ("GET", "/redoc"),
    ("GET", "/llms.txt"),
    ("GET", "/openapi.json"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_an_unknown_name_in_the_query_is_refused(in_moto: Aws, method: str, path: str) -> None:
    """Everywhere: a misspelled `dry_run` must not run the tasks; nothing is stored."""
    body = ({"tasks": [{"qc": BELL}]} if path == "/tasks/batch" else {"qc": BELL}) if method == "POST" else None
    status, _, answer = call(method, path, body, query={"dryrun": "true"})
    assert (status, answer["code"]) == (422, "invalid_request")
    assert answer["detail"] == [
        {"type": "extra_forbidden", "loc": ["query", "dryrun"], "msg": "There is no such parameter"}
    ]
    assert in_moto.rows() == []


@pytest.mark.parametrize(
    ("method", "path", "name", "values"),
    [
        ("POST", "/tasks", "dry_run", ["true", "false"]),
        ("POST", "/tasks/batch", "dry_run", ["true", "true"]),
        ("GET", "/tasks", "limit", ["1", "2"]),
    ],
)
def test_a_name_that_is_in_the_query_twice_is_refused(
    in_moto: Aws, method: str, path: str, name: str, values: list[str]
) -> None:
    """Which of the two holds could only be guessed."""
    body = {"/tasks": {"qc": BELL}, "/tasks/batch": {"tasks": [{"qc": BELL}]}}[path] if method == "POST" else None
    status, _, answer = call(method, path, body, query={name: values})
    assert (status, answer["detail"]) == (
        422,
        [{"type": "repeated", "loc": ["query", name], "msg": "The parameter occurs twice"}],
    )
    assert in_moto.rows() == []


def test_no_other_origin_is_allowed_by_default(in_moto: Aws) -> None:
    """A preflight is an OPTIONS like any other, and no answer has a header of CORS."""
    asked = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"}
    for status, headers, _ in (
        call("OPTIONS", "/tasks", headers=asked),
        call("GET", "/tasks", headers={"Origin": "https://app.example.org"}),
    ):
        assert status in {200, 204}
        assert not [name for name in headers if name.startswith("access-control")]


def test_an_allowed_origin_may_send_and_read(in_moto: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its preflight is granted without a key, answers and refusals are marked for it; another origin's are not."""
    origin = "https://app.example.org"
    monkeypatch.setenv("ALLOWED_ORIGIN", origin)
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "x-api-key,prefer",
    }
    status, headers, _ = call("OPTIONS", "/tasks/x", headers=asked, api_key_id=None)
    assert (status, headers["access-control-allow-origin"]) == (200, origin)
    assert "DELETE" in headers["access-control-allow-methods"]
    assert {"x-api-key", "prefer"} <= set(headers["access-control-allow-headers"].lower().split(", "))
    assert "access-control-allow-credentials" not in headers
    for path in ("/tasks", "/tasks/nonsense", "/nowhere"):
        _, headers, _ = call("GET", path, headers={"Origin": origin})
        assert headers["access-control-allow-origin"] == origin
        assert "ETag" in headers["access-control-expose-headers"]
    asked["Origin"] = "https://other.example.org"
    assert call("OPTIONS", "/tasks", headers=asked)[0] == 400
    assert "access-control-allow-origin" not in call("GET", "/tasks", headers={"Origin": asked["Origin"]})[1]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/tasks/", (404, "not_found")),
        ("GET", "/nowhere", (404, "not_found")),
        ("GET", "/tasks/a/b", (404, "not_found")),
        ("PUT", "/tasks", (405, "method_not_allowed")),
        ("PATCH", "/tasks/00000000-0000-4000-8000-000000000000", (405, "method_not_allowed")),
    ],
)
def test_unknown_routes_and_methods_have_the_contracts_body(
    in_moto: Aws, method: str, path: str, expected: tuple[int, str]
) -> None:
    """What does not exist is refused in the same shape as everything else."""
    status, _, answer = call(method, path)
    assert (status, answer["code"]) == expected
    assert answer["status"] == "error"


def test_a_correlation_id_is_kept_and_a_malformed_one_replaced(in_moto: Aws) -> None:
    """A caller's id comes back in header and body; one that could forge a log line or a header does not."""
    _, headers, answer = call("POST", "/tasks", {"qc": BELL}, headers={"X-Correlation-ID": "abc-123"})
    assert (headers["x-correlation-id"], answer["correlation_id"]) == ("abc-123", "abc-123")
    _, headers, answer = call("POST", "/tasks", {"qc": BELL}, headers={"x-correlation-id": 'a"\n{b}'})
    assert UUID.fullmatch(answer["correlation_id"])
    assert headers["x-correlation-id"] == answer["correlation_id"]


def test_the_same_key_and_body_give_the_same_task(in_moto: Aws) -> None:
    """A retried submission is answered with the first one's task, and one message is in the queue."""
    first = call("POST", "/tasks", {"qc": BELL}, headers={"Idempotency-Key": "k"})
    second = call("POST", "/tasks", {"qc": BELL}, headers={"Idempotency-Key": "k"})
    assert first[2]["task_id"] == second[2]["task_id"]
    assert first[2]["submitted_at"] == second[2]["submitted_at"]
    assert ("idempotent-replayed" in first[1], second[1].get("idempotent-replayed")) == (False, "true")
    assert (len(in_moto.rows()), len(in_moto.messages())) == (1, 1)


def test_the_same_key_with_another_body_is_refused(in_moto: Aws) -> None:
    """A key stands for one body."""
    submit(headers={"Idempotency-Key": "k"})
    status, _, answer = call("POST", "/tasks", {"qc": BELL, "shots": 7}, headers={"Idempotency-Key": "k"})
    assert (status, answer["code"]) == (422, "idempotency_key_reused")
    assert len(in_moto.rows()) == 1


@pytest.mark.parametrize("key", ["clé", "ключ", "k\x7f", "k\tk", "", "k" * 256])
def test_a_key_that_may_not_arrive_as_it_was_sent_is_refused(in_moto: Aws, key: str) -> None:
    """What the parties on the way make of other characters than ASCII's differs, and "clé" could be "cl"."""
    status, _, answer = call("POST", "/tasks", {"qc": BELL}, headers={"Idempotency-Key": key})
    assert (status, answer["detail"][0]["loc"]) == (422, ["header", "Idempotency-Key"])
    assert in_moto.rows() == []


def test_keys_belong_to_the_caller(in_moto: Aws) -> None:
    """Two callers may use the same key for two tasks."""
    first = submit(headers={"Idempotency-Key": "k"}, api_key_id="key-1")
    second = submit(headers={"Idempotency-Key": "k"}, api_key_id="key-2")
    assert first != second


def test_concurrent_submissions_with_one_key_make_one_task(in_moto: Aws) -> None:
    """Of many submissions at once one creates the task and all answers have its id."""
    from submission import keyed_task_id
    from tasks.task import Status, Task

    task = Task(keyed_task_id("alice", "k"), "alice", Status.PENDING, "now", "", "qubit q;", 1, request_hash="h")
    with ThreadPoolExecutor(8) as pool:
        submissions = list(
            pool.map(lambda index: in_moto.store.submit(task.evolve(correlation_id=str(index))), range(24))
        )
    assert [submission.replayed for submission in submissions].count(False) == 1
    assert len(in_moto.rows()) == 1


def test_a_task_is_accepted_when_its_message_cannot_be_sent(in_moto: Aws) -> None:
    """With SQS down the row is there for the sweeper, and the caller gets the task."""
    with Stubber(aws.client("sqs")) as sqs:
        sqs.add_client_error("send_message", "ServiceUnavailable", http_status_code=503)
        task_id = submit()
    assert [open_task.task_id for open_task in in_moto.store.open_tasks()] == [task_id]
    assert in_moto.messages() == []


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "InternalServerError", "ResourceNotFoundException"]
)
def test_without_its_table_the_service_says_try_again(in_moto: Aws, code: str) -> None:
    """With DynamoDB down or throttling nothing is accepted: 503 with Retry-After, and nothing of the cause."""
    with Stubber(aws.client("dynamodb")) as dynamodb:
        dynamodb.add_client_error("put_item", code, "secret")
        status, headers, answer = call("POST", "/tasks", {"qc": BELL})
    assert (status, headers["retry-after"], answer["code"]) == (503, "5", "unavailable")
    assert "secret" not in json.dumps(answer)
    assert in_moto.messages() == []


def test_an_unexpected_error_tells_nothing_but_its_correlation_id(
    in_moto: Aws, monkeypatch: pytest.MonkeyPatch, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """The text of a bug stays in the logs."""
    import reader

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(reader, "check_each", broken)
    status, headers, answer = call("POST", "/tasks", {"qc": BELL})
    assert (status, answer["code"]) == (500, "internal_error")
    assert headers["x-correlation-id"] == answer["correlation_id"]
    assert "secret" not in json.dumps(answer)
    (line,) = [line for line in log_lines() if "secret" in json.dumps(line)]
    assert line["correlation_id"] == answer["correlation_id"]


def test_health_says_connected(in_moto: Aws) -> None:
    """With the table and the queue there the service is healthy."""
    status, _, answer = call("GET", "/health")
    assert status == 200
    assert {**answer, "timestamp": ""} == {
        "status": "healthy",
        "timestamp": "",
        "database_status": "connected",
        "queue_status": "connected",
    }


@pytest.mark.parametrize(
    ("service", "operation", "part"),
    [("dynamodb", "get_item", "database_status"), ("sqs", "get_queue_attributes", "queue_status")],
)
def test_health_names_the_broken_part(in_moto: Aws, service: Any, operation: str, part: str) -> None:
    """A part that does not answer makes the service unhealthy, and is the one named."""
    with Stubber(aws.client(service)) as stub:
        stub.add_client_error(operation, "ServiceUnavailable", http_status_code=503)
        status, _, answer = call("GET", "/health")
    assert (status, answer["status"]) == (503, "unhealthy")
    assert [name for name, value in answer.items() if value == "unavailable"] == [part]


@pytest.mark.parametrize(
    ("qubits", "layers", "options", "lane"),
    [
        (10, 5, {}, "small"),
        (24, 20, {}, "large"),
        (24, 20, {"method": "matrix_product_state"}, "small"),
        (10, 20, {"method": "density_matrix"}, "small"),
        (13, 20, {"method": "density_matrix"}, "large"),
        (12, 20, {"noise": {"depolarizing": {"one_qubit": 0.1}}}, "small"),
        (14, 20, {"noise": {"depolarizing": {"one_qubit": 0.1}}}, "large"),
        (100, 20, {}, "small"),
    ],
)
def test_a_task_goes_to_the_lane_it_needs(
    in_moto: Aws, qubits: int, layers: int, options: dict[str, Any], lane: str
) -> None:
    """What many amplitudes or shots make long goes to the large lane at once; small or impossible ones do not."""
    qc = f"qubit[{qubits}] q; for int i in [1:{layers}] {{ rx(0.1) q; }} measure q;"
    task_id = submit({"qc": qc, **options})
    urls = {"small": in_moto.settings.task_queue_url, "large": in_moto.settings.large_task_queue_url}
    sent_to = {
        name: [json.loads(message["Body"])["task_id"] for message in in_moto.messages(url)]
        for name, url in urls.items()
    }
    assert sent_to == {"small": [], "large": [], lane: [task_id]}


def test_inputs_are_checked_at_once(in_moto: Aws) -> None:
    """A program with inputs is accepted with values that fit and refused with others, by name."""
    qc = "input float a; qubit q; rx(a) q; measure q;"
    stored = in_moto.stored(submit({"qc": qc, "inputs": {"a": 0.5}}))
    assert stored.options == {"inputs": {"a": 0.5}}
    of_array = qc.replace("float a", "array[float[64], 2, 1] a").replace("(a)", "(a[1, 0])")
    assert in_moto.stored(submit({"qc": of_array, "inputs": {"a": [[1], [2]]}})).options == {
        "inputs": {"a": [[1], [2]]}
    }
    status, _, answer = call("POST", "/tasks", {"qc": qc, "inputs": {"b": 0.5}})
    assert (status, answer["code"]) == (400, "invalid_inputs")
    status, _, answer = call("POST", "/tasks", {"qc": qc})
    assert (status, answer["code"]) == (400, "invalid_inputs")


def test_a_sweep_is_one_task_with_a_list_of_counts(in_moto: Aws) -> None:
    """The bindings reach the worker in order, however many bytes they take, and its list of counts is shown."""
    qc = "input float a; qubit q; rx(a) q; measure q;"
    inputs = [{"a": index / 7} for index in range(1_000)]
    task_id = submit({"qc": qc, "inputs": inputs, "shots": 2})
    claimed = in_moto.claimed(task_id)
    assert claimed.options == {"inputs": inputs}
    assert [key.partition("/")[0] for key in in_moto.objects()] == ["options"]
    in_moto.store.complete(claimed, {"result": [{"0": 2}] * 1_000})
    assert call("GET", f"/tasks/{task_id}")[2]["result"] == [{"0": 2}] * 1_000


def test_a_bad_binding_refuses_the_sweep_by_its_index(in_moto: Aws) -> None:
    """Every binding is checked at submit; the refusal counts from 0, and nothing is stored."""
    qc = "input float a; qubit q; rx(a) q; measure q;"
    status, _, answer = call("POST", "/tasks", {"qc": qc, "inputs": [{"a": 1}, {"a": 2}, {"a": "x"}]})
    assert (status, answer["code"], answer["binding"]) == (400, "invalid_inputs", 2)
    assert answer["detail"] == "Binding 2: The input 'a' is declared as float and needs a finite number."
    status, _, answer = call("POST", "/tasks", {"qc": qc, "inputs": [{"a": 1}] * 1_001})
    assert (status, answer["code"]) == (422, "invalid_request")
    assert "1000 bindings" in answer["message"]
    assert in_moto.rows() == []


def test_every_limit_in_force_can_be_read(in_moto: Aws) -> None:
    """The limits of circuits and runs are those that refusals speak of."""
    status, _, answer = call("GET", "/limits")
    assert status == 200
    assert answer["circuit"]["text_bytes"] == 1_000_000
    assert answer["run"]["max_shots"] == 100_000
    assert answer["run"]["time_limit_s"] == 120
    assert answer["run"]["max_qubits"]["statevector"] == {"double": 29, "single": 30}
    assert {name: value for name, value in answer.items() if name not in {"circuit", "run"}} == {
        "workers": {"small": 10, "large": 2},
        "key": {
            "requests_per_second": 50,
            "requests_at_once": 100,
            "requests_per_day": 100_000,
            "open_tasks": 10_000,
            "open_seconds": 36_000,
            "dollars_per_month": 100,
        },
        "request": {"max_bytes": 6_291_456, "max_idempotency_key_chars": 255},
        "batch": {"max_tasks": 100, "check_seconds": 1.5},
        "list": {"max_tasks": 100, "default_tasks": 20, "max_searched": 5_000},
        "wait": {"max_seconds": 20, "max_at_a_time": 16, "max_of_key_at_a_time": 8},
        "task_retention_days": 30,
    }


def test_the_limits_are_described(in_moto: Aws) -> None:
    """The OpenAPI document's model of the limits is what is answered."""
    from limits_message import LimitsBody

    _, _, answer = call("GET", "/limits")
    assert LimitsBody.model_validate(answer).model_dump() == answer


def test_the_openapi_document_lists_the_error_codes_and_the_stage(in_moto: Aws) -> None:
    """A client generator finds the server's prefix and the closed set of codes."""
    _, _, document = call("GET", "/openapi.json")
    assert document["servers"] == [{"url": "/v1"}]
    assert document["components"]["schemas"]["ErrorCode"]["enum"] == [str(code) for code in ErrorCode]


def test_log_lines_have_ids_and_no_circuit(in_moto: Aws, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    """Each line of a submission has the correlation id, the one about the task its id, and none the program."""
    task_id = submit(headers={"X-Correlation-ID": "walk-1"})
    lines = log_lines()
    assert [(line["event"], line["task_id"], line["correlation_id"]) for line in lines] == [
        ("task_submitted", task_id, "walk-1")
    ]
    assert "OPENQASM" not in json.dumps(lines)


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "http://example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://localhost/",
        "https://example.com./",
        "https://user@example.com/",
        "https://１２７.0.0.1/",  # noqa: RUF001 - full-width digits
    ],
)
def test_a_callback_url_that_cannot_be_called_is_refused(in_moto: Aws, url: str) -> None:
    """400 with code and hint; nothing is stored or sent."""
    status, _, answer = call("POST", "/tasks", {"qc": BELL, "callback_url": url})
    assert (status, answer["code"]) == (400, "invalid_callback_url")
    assert answer["status"] == "error"
    assert answer["message"]
    assert answer["hint"]
    assert in_moto.rows() == []
    assert in_moto.messages() == []


def test_a_callback_url_is_kept_with_the_task(in_moto: Aws) -> None:
    """As it was sent; a task without one has none."""
    url = "https://Example.com/hooks?token=abc"
    row = in_moto.row(submit({"qc": BELL, "callback_url": url}))
    assert row is not None
    assert row["callback_url"] == {"S": url}
    row = in_moto.row(submit())
    assert row is not None
    assert "callback_url" not in row


def test_the_callback_secret_is_what_signs(in_moto: Aws) -> None:
    """The one derived from the stack's for this owner, in the form that libraries take, not for caches."""
    status, headers, answer = call("GET", "/callback-secret")
    assert status == 200
    assert answer == {"secret": secret_text(callback_secret("the stack's secret", "alice"))}
    assert headers["cache-control"] == "no-store"
    assert len(base64.b64decode(answer["secret"].removeprefix("whsec_"))) == 32
