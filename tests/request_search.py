"""A search for requests that cost the api the most: a genetic one over addresses, queries, headers and bodies.

    python tests/request_search.py SECONDS [SEED]

Each request is an event of API Gateway's. The function's own handler answers it in a process of its own, which measures
CPU and memory. Only AWS is played: its clients get answers without sending, so that the cost is the function's alone.
Programs are those of reader_search.py. Printed are what the worst cost, and what they look like; the exit status is 1
over the target, or when an answer is an internal error or larger than Lambda sends.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
import time
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/integration", "tests", "functions/api", "layers", "infra")]

from botocore.awsrequest import AWSResponse  # noqa: E402 - after the path is set
from lambda_events import Context, http_event  # noqa: E402

import reader_search  # noqa: E402
from cost_search import Cost, CostSearch, forked  # noqa: E402
from local.translate import load  # noqa: E402
from tasks import aws, rows  # noqa: E402
from tasks.payloads import Payloads  # noqa: E402
from tasks.settings import Settings, settings  # noqa: E402
from tasks.task import Status, Task, Transition, rfc3339, utc_now  # noqa: E402

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

MAX_EVENT_BYTES = 6 * 2**20  # Lambda's, for the event as JSON
MAX_ANSWER_BYTES = 6_291_556  # Lambda developer guide, "Lambda quotas": invocation payload
OWNER = "alice"
STORED = {
    "many shots": {"result": {"0": 1}, "memory": ["0"] * 1_016_000},
    "wide shots": {"result": {"0": 1}, "memory": ["01" * 500] * 5_900},
    "many outcomes": {"result": {f"{number:017b}": 1 for number in range(100_000)}},
    "a sweep": {"result": [{f"{number:010b}": 1 for number in range(290)} for _ in range(1_000)]},
    "values": {"expectation_values": [[{"value": -0.1234567890123, "standard_error": 0.012345678}] * 95] * 1_000},
    "an address": {"result": {"0": 1}, "memory": ["0"] * 2_000_000},
    "a program": {"result": {"0": 1}},
}
IDS = {name: f"00000000-0000-4000-8000-{number:012d}" for number, name in enumerate(STORED)}

RULE = '{"channel":"amplitude_damping","gamma":0.1,"gates":["x"],"qubits":[0]}'
# Values as JSON; {n} is a number from 1 to 10**6. Each name of VALUES makes one text from it.
VALUES: dict[str, Any] = {
    "zeros": lambda n: f"[{','.join(['0'] * n)}]",
    "ones": lambda n: f"[{','.join(['1'] * n)}]",
    "floats": lambda n: f"[{','.join(['0.1234567890123'] * n)}]",
    "lists": lambda n: f"[{','.join(['[]'] * n)}]",
    "objects": lambda n: f"[{','.join(['{}'] * n)}]",
    "names": lambda n: f"{{{','.join(f'{chr(34)}a{i}{chr(34)}:1' for i in range(n))}}}",
    "same names": lambda n: f"{{{','.join(['{q}a{q}:1'.format(q=chr(34))] * n)}}}",
    "deep lists": lambda n: "[" * n + "]" * n,
    "deep objects": lambda n: '{"a":' * n + "1" + "}" * n,
    "text": lambda n: f'"{"a" * n}"',
    "escapes": lambda n: f'"{chr(92)}u0000"' if n < 6 else '"' + "\\u00e9" * (n // 6) + '"',
    "surrogates": lambda n: '"' + "\\ud800" * max(1, n // 6) + '"',
    "quotes": lambda n: '"' + '\\"' * n + '"',
    "wide text": lambda n: '"' + "é\U0001f600" * max(1, n // 4) + '"',
    "digits": lambda n: "1" * n,
    "decimals": lambda n: "0." + "1" * n,
    "exponent": lambda n: f"1e{n}",
    "texts": lambda n: f"[{','.join(['{q}ZZ{q}'.format(q=chr(34))] * n)}]",
    "long texts": lambda n: f"[{','.join([chr(34) + 'Z' * 1000 + chr(34)] * max(1, n // 1000))}]",
    "sum": lambda n: "{" + ",".join(f'"{"Z" * (i % 40)}{i:b}":0.5' for i in range(n)).replace("0", "X") + "}",
    "terms": lambda n: f"[[{','.join(['[{q}XZ{q},0.5]'.format(q=chr(34))] * n)}]]",
    "sums of terms": lambda n: f"[{','.join(['{{{q}XZ{q}:0.5}}'.format(q=chr(34))] * n)}]",
    "bindings": lambda n: f"[{','.join(f'{{{chr(34)}p{chr(34)}:{i}.5}}' for i in range(min(n, 1000)))}]",
    "wide bindings": lambda n: f"[{','.join([VALUES['complex'](n // 100)] * 100)}]",
    "binding": lambda n: "{" + ",".join(f'"p{i}":"{"01" * 20}"' for i in range(n)) + "}",
    "complex": lambda n: "{" + ",".join(f'"p{i}":[{i}.5,1e300]' for i in range(n)) + "}",
    "null": lambda _: "null",
    "true": lambda _: "true",
    "address": lambda n: '"https://' + "a." * min(n, 10**5) + 'example.org/x"',
    "ports": lambda n: '"https://example.org:' + "4" * n + '/"',
    "rules": lambda n: f'{{"rules":[{",".join([RULE] * n)}]}}',
    "results": lambda n: f"[{','.join(['{q}probabilities{q}'.format(q=chr(34))] * n)}]",
    "amplitudes": lambda n: f'[{{"type":"amplitudes","states":[{",".join([chr(34) + "01" * 20 + chr(34)] * n)}]}}]',
    "noise": lambda _: '{"depolarizing":{"one_qubit":0.1},"readout":{"prob_meas1_prep0":0.1}}',
}  # fmt: skip
FIELDS = (
    "qc", "shots", "seed", "method", "precision", "memory", "noise", "observables", "inputs", "results", "name", "tags",
    "callback_url", "idempotency_key", "unknown", "tasks",
)  # fmt: skip
USUAL = {"observables": ("texts", "long texts", "terms", "sums of terms"), "inputs": ("bindings", "wide bindings", "binding", "complex"), "noise": ("noise", "rules"), "results": ("results", "amplitudes"), "tags": ("texts", "long texts"), "callback_url": ("address", "ports")}  # fmt: skip  # noqa: E501
ROUTES = (
    ("POST", "/tasks"), ("POST", "/tasks"), ("POST", "/tasks/batch"), ("POST", "/tasks/batch"), ("GET", "/tasks"),
    ("GET", "/tasks/{id}"), ("DELETE", "/tasks/{id}"), ("GET", "/tasks/{id}/circuit"), ("GET", "/tasks/{id}/script"),
    ("GET", "/tasks/{id}/results/{id}"), ("GET", "/tasks/{id}/results/0"),
    ("GET", "/limits"), ("GET", "/noise-models"),
    ("GET", "/health"), ("GET", "/callback-secret"), ("GET", "/"), ("GET", "/openapi.json"), ("GET", "/docs"),
    ("POST", "/circuit"), ("GET", "/usage"), ("GET", "/page/{long}/{long}"),
    ("POST", "/{long}"), ("OPTIONS", "/tasks/{long}"), ("HEAD", "/tasks/{id}"),
)  # fmt: skip
QUERIES: dict[str, Any] = {
    "dry run": lambda _: {"dry_run": "true"},
    "many names": lambda n: {f"a{i}": "1" for i in range(n)},
    "one name": lambda n: {"dry_run": ["true"] * n},
    "cursor": lambda n: {"cursor": "A" * n},
    "limit": lambda n: {"limit": "1" * n},
    "status": lambda n: {"status": "p" * n},
    "moment": lambda n: {"submitted_after": "2026-01-31T12:00:00." + "0" * n + "Z"},
    "labels": lambda n: {"name": "n" * n, "tag": "t," * n},
    "purge": lambda _: {"purge": "true"},
    "list": lambda _: {"limit": "100", "status": "completed"},
    "long name": lambda n: {"a" * n: "é" * n},
    "picture": lambda _: {"format": "svg"},
    "narrow": lambda _: {"format": "svg", "width": "320"},
    "opened": lambda n: {"opened": ",".join(f"g{i}" for i in range(min(n, 500)))},
}
HEADERS: dict[str, Any] = {
    "prefer": lambda n: {"Prefer": "wait=1," * n},
    "preferences": lambda n: {"Prefer": "wait" + " " * n + "=1"},
    "tags": lambda n: {"If-None-Match": '"a",' * n},
    "tag": lambda n: {"If-None-Match": '"' + "a" * n},
    "spaces": lambda n: {"If-None-Match": " " * n + "a"},
    "key": lambda n: {"Idempotency-Key": "a" * n},
    "good key": lambda _: {"Idempotency-Key": "a" * 200},
    "correlation": lambda n: {"X-Correlation-ID": "a" * n},
    "type": lambda n: {"Content-Type": "application/json;" + "a=b;" * n},
    "encoding": lambda n: {"Content-Encoding": "gzip," * n},
    "many": lambda n: {f"X-A{i}": "b" for i in range(n)},
}
MAX_HEADER_BYTES = 10_240  # API Gateway's, for all headers together, and for the request line
TOPS = ("{body}", "[{body}]", "{body}{body}", '{body} "', "\ufeff{body}", "{{{body}", "  {body}", '{{"tasks":{body}}}')


@dataclass(frozen=True)
class Part:
    """A field, what it holds, and how much of it."""

    field: str
    value: str
    n: int


@dataclass(frozen=True)
class Request:
    """A request; `program` is the circuit of each of `tasks`."""

    route: tuple[str, str]
    parts: tuple[Part, ...]
    program: reader_search.Genome | None = None
    tasks: int = 1
    top: int = 0
    query: tuple[str, int] | None = None
    header: tuple[str, int] | None = None
    stored: str = "a program"

    def body(self) -> str | None:
        """Return the body, as long as Lambda takes it."""
        if self.route[0] != "POST" and not self.parts:
            return None
        text = json.dumps(self.program.text()) if self.program else '"qubit q; measure q;"'
        fields = [] if any(part.field == "qc" for part in self.parts) else [f'"qc":{text}']
        fields += [f'"{part.field}":{VALUES[part.value](part.n)}' for part in self.parts]
        if self.program and self.program.bindings > 1 and not any(part.field == "inputs" for part in self.parts):
            fields.append(f'"inputs":{VALUES["bindings"](self.program.bindings)}')
        task = f"{{{','.join(fields)}}}"
        if self.route[1] == "/tasks/batch":
            room = max(1, (MAX_EVENT_BYTES - 10_000) // len(json.dumps(task)))
            task = f'{{"tasks":[{",".join([task] * min(self.tasks, room))}]}}'
        body = TOPS[self.top].format(body=task)
        while (over := len(json.dumps(body)) - MAX_EVENT_BYTES + 4_096) > 0:
            body = body[: max(0, len(body) - over)]
        return body

    def event(self) -> dict[str, Any]:
        """Return API Gateway's event."""
        method, path = self.route
        long = "a" * min(max((part.n for part in self.parts), default=1), 8_000)
        query = QUERIES[self.query[0]](self.query[1]) if self.query else None
        headers = HEADERS[self.header[0]](self.header[1]) if self.header else None
        return http_event(
            method,
            path.format(id=IDS[self.stored], long=long),
            self.body(),
            headers=headers,
            query=query,
            api_key_id=OWNER,
        )

    def __str__(self) -> str:
        """Return a description in a few words."""
        parts = ", ".join(f"{part.field}: {part.n} {part.value}" for part in self.parts)
        more = [f"?{self.query}"] * bool(self.query) + [f"{self.header}"] * bool(self.header)
        program = f"\n      {self.program}" if self.program else ""
        return (
            f"{' '.join(self.route)} ({self.stored}) {self.tasks} x {{{parts}}} in {TOPS[self.top]!r} {more}{program}"
        )


class Search(CostSearch[Request]):
    """The search over requests."""

    def cost(self, genome: Request) -> Cost:
        """Return what answering the request costs; its work is the answer's bytes as Lambda sends them."""
        return cost_of_event(_event_of(genome))

    def size(self, genome: Request) -> int:
        """Return the body's length."""
        return len((genome.body() or "").encode(errors="surrogatepass"))

    def new(self) -> Request:
        """Return some request: most submit tasks, which all other addresses cost less than."""
        pick = self.random
        route = pick.choice(ROUTES) if pick.random() < 0.25 else ("POST", pick.choice(("/tasks", "/tasks/batch")))
        posts = route[0] == "POST"
        return Request(
            route,
            tuple(self.part() for _ in range(pick.choice((0, 1, 1, 1, 2, 3)) if posts else pick.choice((0, 0, 0, 1)))),
            self.program() if posts and pick.random() < 0.5 else None,
            pick.choice((1, 2, 10, 100, 100)) if route[1] == "/tasks/batch" else 1,
            0 if not posts or pick.random() < 0.85 else pick.randrange(len(TOPS)),
            self.few(QUERIES) if pick.random() < (0.2 if posts else 0.5) else None,
            self.few(HEADERS) if pick.random() < (0.1 if posts else 0.5) else None,
            pick.choice(list(STORED)) if "{id}" in route[1] else "a program",
        )

    def part(self) -> Part:
        """Return some field; most of them hold what they are meant for, more or less."""
        pick = self.random
        field = pick.choice((*FIELDS, *USUAL, *USUAL))
        usual = USUAL.get(field)
        value = pick.choice(usual) if usual and pick.random() < 0.7 else pick.choice(list(VALUES))
        return Part(field, value, int(10 ** pick.uniform(0, 6)))

    def program(self) -> reader_search.Genome:
        """Return some program."""
        return reader_search.Search(self.random).new()

    def few(self, made: dict[str, Any]) -> tuple[str, int]:
        """Return a query or a header, as long as API Gateway takes it."""
        name = self.random.choice(list(made))
        n = int(10 ** self.random.uniform(0, 4))
        while n > 1 and len(str(made[name](n))) > MAX_HEADER_BYTES:
            n //= 2
        return name, n

    def varied(self, genome: Request) -> Request:
        """Return the request with something changed."""
        pick = self.random
        parts = list(genome.parts)
        place = pick.randrange(len(parts)) if parts else 0
        match pick.randrange(8):
            case 0 | 1 if parts:
                n = max(1, min(6 * 10**6, int(parts[place].n * pick.choice((0.3, 0.8, 1.2, 3)))))
                parts[place] = replace(parts[place], n=n)
            case 2:
                parts.insert(place, self.part())
            case 3 if parts:
                del parts[place]
            case 4 if genome.route[1] == "/tasks/batch":
                return replace(genome, tasks=max(1, min(101, int(genome.tasks * pick.choice((0.5, 0.9, 1.1, 2))))))
            case 5:
                return replace(genome, query=self.few(QUERIES) if pick.random() < 0.6 else None)
            case 6:
                return replace(genome, header=self.few(HEADERS) if pick.random() < 0.6 else None)
            case _ if genome.route[0] == "POST":
                programs = reader_search.Search(pick)
                program = programs.varied(genome.program) if genome.program else programs.new()
                return replace(genome, program=program)
        return replace(genome, parts=tuple(parts[:6]))


@lru_cache(maxsize=1)
def _event_of(request: Request) -> dict[str, Any]:
    """Return the request's event, made once for several measurements."""
    return request.event()


def cost_of_event(event: dict[str, Any]) -> Cost:
    """Return what answering an event costs, found in a process of its own."""
    handler = started()

    def answer() -> tuple[int, str]:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the log
        given = handler(event, Context())
        sent = len(json.dumps(given))
        shown = str(given["body"])[:90] if given["statusCode"] >= 400 else ""
        return sent, f"{given['statusCode']} {shown}"

    return forked(answer)


@cache
def started() -> Any:
    """Return the function's handler, warm, with clients whose answers are made here."""
    template = load()
    numbers = {setting.name.upper() for setting in fields(Settings) if setting.type == "int"}
    for name, value in template["Globals"]["Function"]["Environment"]["Variables"].items():
        parameter = template["Parameters"].get(value["Ref"], {}) if isinstance(value, dict) and "Ref" in value else {}
        other = "100" if name in numbers else f"https://sqs.us-east-1.amazonaws.com/1/{name}"
        os.environ[name] = str(parameter.get("Default", other)) if isinstance(value, dict) else str(value)
    os.environ["MAX_WAIT_SECONDS"] = "1"  # waiting costs no CPU
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
    os.environ |= {
        "DRY_RUN_FUNCTION": "dry-run",
        "API_ENVIRONMENTS": "100",
        "TASKS_TABLE": "tasks",
        "PAYLOAD_BUCKET": "payloads",
    }
    os.environ.pop("AWS_ENDPOINT_URL", None)
    for cached in (aws.client, aws.task_store, aws.task_queues, aws.backlog, aws.waits, aws.callback_key, settings):
        cached.cache_clear()
    from api import handler
    from dry_runs import worker

    worker.cache_clear()
    played = PlayedAws()
    for client in (aws.client("dynamodb"), aws.client("s3"), aws.client("sqs"), worker().client):
        client.meta.events.register("before-send", played.answer)
    aws.client("secretsmanager").meta.events.register("before-send", played.answer)
    out, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    for method, path in ROUTES:
        handler(Request((method, path), ()).event(), Context())
    handler(Request(("POST", "/tasks"), (), query=("dry run", 1)).event(), Context())
    os.dup2(out, 1)
    return handler


class PlayedAws(Payloads):
    """What AWS answers, and the bucket: rows of STORED by their ids, thanks for every write."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        made = rows.Rows(self)
        now = rfc3339(utc_now())
        text = "// " + "".join(random.Random(1).choices("abcdefghijklmnop", k=870_000)) + "\nqubit q; measure q;"
        lines = (Transition(Status.PENDING, now, "The task was accepted."),) * 12
        self._rows: dict[str, Any] = {}
        for name, outcome in STORED.items():
            task = Task(IDS[name], OWNER, Status.COMPLETED, now, "c" * 128, text, 1, status_history=lines)
            later = utc_now() + timedelta(days=1)
            row = made.new(task, due_at=later, expires_at=later) | made.outcome(task, outcome)
            self._rows[task.task_id] = json.loads(json.dumps(row, default=_binary))
        self._listed = list(self._rows.values())[-1]

    def put(self, key: str, packed: bytes, content_type: str) -> None:
        """Keep an object."""
        self._objects[key] = packed

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Answer a prepared request in place of sending it."""
        target = request.headers.get("X-Amz-Target", "")
        action = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        if action:
            asked = json.loads(request.body) if request.body else {}
            return _response(request, json.dumps(self.printed(action, asked)).encode())
        if "/functions/" in request.url:  # a dry run
            return _response(request, json.dumps({"estimate": ESTIMATE}).encode())
        key = request.url.partition("/payloads/")[2].partition("?")[0]
        return _response(request, self._objects.get(key, b"") if request.method == "GET" else b"")

    def printed(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a call of DynamoDB, SQS or Secrets Manager."""
        match action:
            case "GetItem":
                row = self._rows.get(asked["Key"]["task_id"]["S"])
                return {"Item": row} if row else {}
            case "BatchGetItem":
                keys = asked["RequestItems"]["tasks"]["Keys"]
                return {"Responses": {"tasks": [self._listed | key for key in keys]}, "UnprocessedKeys": {}}
            case "Query":
                ids = (f"00000000-0000-4000-8000-1{number:011d}" for number in range(asked["Limit"]))
                named = ("owner", "status", "submitted_at")
                return {
                    "Items": [{name: self._listed[name] for name in named} | {"task_id": {"S": each}} for each in ids]
                }
            case "GetQueueAttributes":
                names = ("", "NotVisible", "Delayed")
                return {"Attributes": {f"ApproximateNumberOfMessages{name}": "5" for name in names}}
            case "GetSecretValue":
                return {"SecretString": "the stack's secret"}
        return {"MessageId": "1"} if action == "SendMessage" else {"Attributes": asked.get("Key")}  # of a row written


ESTIMATE = {
    "lane": "small",
    "method": "statevector",
    "engine": "qiskit-aer",
    "num_qubits": 1,
    "num_clbits": 1,
    "depth": 1,
    "gates": 1,
    "bindings": 1,
    "shots": 1,
    "estimated_seconds": 0.1,
    "memory_bytes": 1,
    "cost_usd": 0.0,
}


def _binary(value: bytes) -> str:
    import base64

    return base64.b64encode(value).decode()


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()


def _response(request: AWSPreparedRequest, body: bytes) -> AWSResponse:
    return AWSResponse(request.url, 200, {"Content-Length": str(len(body))}, _Body(body))


def faults(search: Search) -> list[str]:
    """Return what no answer may be: an internal error, or larger than Lambda sends."""
    return [
        f"{cost.outcome}, {cost.work:,} bytes: {request}"
        for request, cost in search.found.items()
        if cost.outcome.startswith("500") or cost.work > MAX_ANSWER_BYTES
    ]


if __name__ == "__main__":
    search = Search(random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()))
    search.run(seconds=float(sys.argv[1]))
    over = search.report("requests", "bytes answered")
    print(*faults(search), sep="\n")  # noqa: T201 - a command
    sys.exit(over or bool(faults(search)))
