"""The callback function against moto's queue and a real TLS host: what is sent, to whom never, and what follows."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import standardwebhooks
from lambda_events import Context, sqs_record

import callback
from callback import DELAYS, Caller
from delivery import Sender, connect, resolve
from receiver import ADDRESS, NAME, receiver
from simulated_aws import TEMPLATE
from tasks import aws
from tasks.callback_secret import callback_secret, secret_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from receiver import Receiver
    from simulated_aws import Aws

    LogLines = Callable[[], list[dict[str, Any]]]

SECRET = "the stack's secret"  # noqa: S105 - as simulated_aws has it
URL = f"https://{NAME}/hook?token=abc"
BODY = json.dumps({"type": "task.completed", "timestamp": "t", "data": {"task_id": "id", "correlation_id": "c"}})


@pytest.fixture(name="host")
def fixture_host() -> Iterator[Receiver]:
    """Give a host that answers 204 until a test changes that."""
    with receiver() as host:
        yield host


class Queue:
    """Notes for how long messages are hidden."""

    def __init__(self) -> None:
        self.hidden: list[int] = []
        self.sent: list[dict[str, Any]] = []

    def hide(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Note it."""
        self.hidden += [seconds for _ in receipt_handles]

    def send_body(self, body: str, *, delay_seconds: int, **group: str) -> None:
        """Note it."""
        self.sent.append({"MessageBody": body, "DelaySeconds": delay_seconds})


def free() -> Any:
    """Return places that are all free: nobody else makes calls."""
    return SimpleNamespace(held=lambda *_: nullcontext(enter_result=True))


@pytest.fixture(name="call")
def fixture_call(host: Receiver) -> Callable[..., int | None]:
    """Give a function that delivers one message and returns None when it is done with, else how long it was hidden."""

    def call(url: str = URL, attempt: int = 1, sender: Sender | None = None) -> int | None:
        queue: Any = Queue()
        caller = Caller(sender or Sender(host.resolve, host.connect, host.context()), queue, SECRET, free())
        kept = caller.work([message(url, attempt)])
        assert kept == (["message"] if queue.hidden else [])
        return queue.hidden[0] if queue.hidden else None

    return call


def message(url: str = URL, attempt: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the record of a message as the notifier writes it."""
    body = {"version": 1, "webhook_id": "id_3", "owner": "alice", "callback_url": url, "body": BODY} | changes
    return sqs_record(json.dumps(body), message_id="message", receives=attempt)


def test_a_callback_is_what_standard_webhooks_says(call: Callable[..., int | None], host: Receiver) -> None:
    """Their own library takes headers and body with the owner's secret, and refuses them with another's."""
    assert call() is None
    (request,) = host.received
    headers = {name.lower(): value for name, value in request.headers.items()}
    secret = secret_text(callback_secret(SECRET, "alice"))
    assert standardwebhooks.Webhook(secret).verify(request.body, headers) == json.loads(BODY)
    assert request.body == BODY.encode()
    assert request.path == "/hook?token=abc"
    assert (headers["host"], headers["content-type"]) == (NAME, "application/json")
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret_text(callback_secret(SECRET, "bob"))).verify(request.body, headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(request.body.replace(b"completed", b"cancelled"), headers)


def test_the_connection_goes_to_the_address_that_was_checked(call: Callable[..., int | None], host: Receiver) -> None:
    """One look-up, one connection to its answer: a second answer of the resolver would have no effect."""
    assert call() is None
    assert host.resolved == [NAME]
    assert host.connected == [(ADDRESS, 443)]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["0.0.0.0"],  # noqa: S104 - an answer of the resolver
        ["224.0.0.1"],
        ["::1"],
        ["fe80::1%eth0"],
        ["fd00:ec2::254"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:a9fe:a9fe::"],
        [ADDRESS, "10.1.2.3"],
    ],
)
def test_a_name_that_leads_inside_is_not_called(
    call: Callable[..., int | None], host: Receiver, log_lines: LogLines, addresses: Sequence[str]
) -> None:
    """Nothing is connected to, the message is done with and the log says so, without the URL."""
    host.addresses = addresses
    assert call() is None
    assert host.connected == []
    (line,) = log_lines()
    assert (line["event"], line["host"], line["task_id"]) == ("callback_refused", NAME, "id")
    assert "token" not in json.dumps(line)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://2130706433/", "https://[::ffff:127.0.0.1]/", "http://example.com/"]
)
def test_a_url_is_checked_again_before_the_call(call: Callable[..., int | None], host: Receiver, url: str) -> None:
    """Should one get past the api, it is refused here."""
    assert call(url) is None
    assert host.resolved == host.connected == []


def test_a_failed_call_comes_back_later_and_later(call: Callable[..., int | None], host: Receiver) -> None:
    """Each attempt is put off for longer, up to a tenth more than planned, with the same id and body each time."""
    host.answers = [500]
    hidden = [call(attempt=attempt) for attempt in range(1, len(DELAYS) + 2)]
    for delay, planned in zip(hidden, DELAYS, strict=False):
        assert delay is not None
        assert planned <= delay <= planned * 1.1 + 1
    assert hidden[-1] == 0  # given up: to the dead-letter queue
    assert {request.headers["webhook-id"] for request in host.received} == {"id_3"}
    assert {request.body for request in host.received} == {BODY.encode()}
    assert len(host.received) == len(DELAYS) + 1


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 429, 500, 502, 503])
def test_every_answer_but_success_is_a_failure(
    call: Callable[..., int | None], host: Receiver, log_lines: LogLines, status: int
) -> None:
    """A redirect is not followed, and no status is taken for a success."""
    host.answers, host.headers = [status], {"Location": "https://169.254.169.254/"}
    assert call() in range(5, 7)
    assert len(host.connected) == 1
    (line,) = log_lines()
    assert (line["event"], line["http_status"], line["reason"]) == ("callback_failed", status, "status")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_success_ends_it(
    call: Callable[..., int | None], host: Receiver, log_lines: LogLines, status: int
) -> None:
    """Any 2xx."""
    host.answers = [status]
    assert call() is None
    assert [line["event"] for line in log_lines()] == ["callback_delivered"]


def test_gone_ends_it(call: Callable[..., int | None], host: Receiver, log_lines: LogLines) -> None:
    """410: the host does not want to be called any more."""
    host.answers = [410]
    assert call() is None
    assert [line["event"] for line in log_lines()] == ["callback_gone"]


@pytest.mark.parametrize(("asked", "hidden"), [("600", 600), ("99999", 43_020), ("1", 5), ("soon", 5), ("9" * 30, 5)])
def test_retry_after_is_heeded_within_reason(
    call: Callable[..., int | None], host: Receiver, asked: str, hidden: int
) -> None:
    """A host that asks for more time gets it, up to what SQS can hide."""
    host.answers, host.headers = [503], {"Retry-After": asked}
    assert call() in {hidden, hidden + 1}


def hang(connection: socket.socket) -> None:
    """Say nothing until the caller goes away."""
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    """Send a header byte by byte, each before the last one's time is out."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    pause = threading.Event()
    while True:
        connection.sendall(b"x")
        pause.wait(0.02)


def flood(connection: socket.socket) -> None:
    """Send headers without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: " + b"x" * 4000 + b"\r\n")


def babble(connection: socket.socket) -> None:
    """Send what is not HTTP."""
    connection.sendall(b"220 smtp.example.com ESMTP\r\n")


def vanish(connection: socket.socket) -> None:
    """Close at once."""
    connection.close()


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (hang, {"timeout"}),
        (drip, {"timeout"}),
        (flood, {"not_http"}),
        (babble, {"not_http"}),
        (vanish, {"connection", "not_http", "tls"}),
    ],
)
def test_a_bad_host_costs_a_bounded_time(
    call: Callable[..., int | None],
    host: Receiver,
    log_lines: LogLines,
    answer: Callable[[socket.socket], None],
    reasons: set[str],
) -> None:
    """Silence, dripping, flooding and nonsense are failures like any other, and tried again."""
    host.answers = [answer]
    assert call(sender=Sender(host.resolve, host.connect, host.context(), total_seconds=0.3)) in range(5, 7)
    (line,) = log_lines()
    assert (line["event"], line["reason"] in reasons) == ("callback_failed", True), line


def test_a_large_body_of_a_success_is_not_waited_for(call: Callable[..., int | None], host: Receiver) -> None:
    """The status decides; what comes after the headers is left unread."""

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 4096)

    host.answers = [endless]
    assert call() is None


@pytest.mark.parametrize("names", [("other.example.com",), (ADDRESS,)])
def test_the_certificate_must_be_the_hosts(log_lines: LogLines, names: tuple[str, ...]) -> None:
    """One for another name or for the address is refused before anything is sent."""
    with receiver(*names) as other:
        caller = Caller(Sender(other.resolve, other.connect, other.context()), Queue(), SECRET, free())
        assert caller.work([message()]) == ["message"]
        assert other.received == []
    assert [line["reason"] for line in log_lines()] == ["certificate"]


def test_the_authority_must_be_trusted(call: Callable[..., int | None], host: Receiver, log_lines: LogLines) -> None:
    """What signs itself is refused, for the sender's own context trusts the system's authorities alone."""
    assert call(sender=Sender(host.resolve, host.connect)) in range(5, 7)
    assert host.received == []
    assert [line["reason"] for line in log_lines()] == ["certificate"]


def test_a_name_without_addresses_is_tried_again(
    call: Callable[..., int | None], host: Receiver, log_lines: LogLines
) -> None:
    """It may have some later."""

    def nowhere(name: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert call(sender=Sender(nowhere, host.connect, host.context())) in range(5, 7)
    assert [line["reason"] for line in log_lines()] == ["unresolved"]


def test_the_next_address_is_tried(host: Receiver, call: Callable[..., int | None]) -> None:
    """A host of two addresses, the first of which takes no connection, is called at the second."""
    host.addresses = ["2606:2800:21f:cb07::1", ADDRESS]

    def connected(address: str, port: int, timeout: float) -> socket.socket:
        if ":" in address:
            raise OSError("no route")
        return host.connect(address, port, timeout)

    assert call(sender=Sender(host.resolve, connected, host.context())) is None
    assert host.connected == [(ADDRESS, 443)]


def test_a_slow_host_does_not_hold_up_others(host: Receiver) -> None:
    """The calls of different hosts are made at the same time: all are under way before any is looked up."""
    together = threading.Barrier(5)

    def resolve_together(name: str, port: int) -> Sequence[str]:
        together.wait(30)
        return host.resolve(name, port)

    sender = Sender(resolve_together, host.connect, host.context())
    caller = Caller(sender, Queue(), SECRET, free())  # type: ignore[arg-type]
    records = [message(f"https://{number}.example.com/", owner=f"owner {number}") for number in range(5)]
    assert len(caller.work(records)) == 5  # whose names are not on the certificate
    assert len(host.resolved) == 5


def test_one_bad_message_does_not_fail_its_batch(host: Receiver, log_lines: LogLines) -> None:
    """It alone is kept, for the dead-letter queue."""
    caller = Caller(Sender(host.resolve, host.connect, host.context()), Queue(), SECRET, free())
    malformed = sqs_record("{}", message_id="malformed")
    assert caller.work([malformed, message()]) == ["malformed"]
    assert {line["event"] for line in log_lines()} == {"callback_error", "callback_delivered"}


def test_the_function_reads_the_secret_and_reports_what_it_keeps(
    in_moto: Aws, host: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler signs with the stack's secret and answers Lambda in its terms."""
    monkeypatch.setattr(callback, "sender", lambda: Sender(host.resolve, host.connect, host.context()))
    assert callback.handler({"Records": [message()]}, Context()) == {"batchItemFailures": []}
    (request,) = host.received
    headers = {name.lower(): value for name, value in request.headers.items()}
    standardwebhooks.Webhook(secret_text(callback_secret(SECRET, "alice"))).verify(request.body, headers)
    kept = callback.handler({"Records": [message() | {"body": "{"}]}, Context())
    assert kept == {"batchItemFailures": [{"itemIdentifier": "message"}]}


def test_the_resolver_is_asked_for_an_absolute_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's search domains add nothing to the name."""
    asked: list[Any] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        family = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ADDRESS, port))
        return [family, family]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert resolve(NAME, 443) == [ADDRESS]
    assert asked == [f"{NAME}."]


def test_the_real_connection_goes_where_it_is_told(host: Receiver) -> None:
    """The connecting part takes the address as it is."""
    with connect("127.0.0.1", host.port, 5) as connection:
        assert connection.getpeername() == ("127.0.0.1", host.port)


def batch(host: Receiver, *records: dict[str, Any]) -> tuple[Queue, int]:
    """Deliver a batch of messages; return the queue, and how many messages were kept."""
    queue: Any = Queue()
    kept = Caller(Sender(host.resolve, host.connect, host.context()), queue, SECRET, free()).work(records)
    return queue, len(kept)


def test_a_host_that_fails_is_not_asked_ten_times_at_once(host: Receiver) -> None:
    """The first call of a batch fails, and the nine others with it: each is put off, and counted as an attempt."""
    host.answers = [500]
    queue, kept = batch(host, *(message() for _ in range(10)))
    assert (len(host.received), kept, len(queue.hidden), queue.sent) == (1, 10, 10, [])


def test_a_host_has_one_call_at_a_time(host: Receiver) -> None:
    """Ten calls of a batch come one after the other."""
    under_way: list[int] = []
    most: list[int] = []

    def slow(connection: socket.socket) -> None:
        under_way.append(1)
        most.append(len(under_way))
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        under_way.pop()

    host.answers = [slow]
    queue, kept = batch(host, *(message() for _ in range(10)))
    assert (len(most), max(most), kept, queue.hidden) == (10, 1, 0, [])


def test_a_key_has_a_few_hosts_at_a_time(host: Receiver) -> None:
    """Of five hosts of one key three are called; the others' messages are put back, and remember their attempts."""
    urls = [f"https://{name}.example.com/" for name in "abcde"]
    queue, kept = batch(
        host, *(message(url, attempt=3) for url in urls), message("https://f.example.com/", owner="bob")
    )
    assert (kept, queue.hidden.count(0)) == (4, 0)  # whose names are not on the certificate
    assert sorted(host.resolved) == [f"{name}.example.com" for name in "abcf"]
    assert [json.loads(sent["MessageBody"])["attempts"] for sent in queue.sent] == [2, 2]
    (again, _) = queue.sent
    record = sqs_record(again["MessageBody"], message_id="again", receives=1)
    assert callback.Call.of(record).attempt == 3


def test_what_there_is_no_time_for_is_put_back(host: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow host's other calls do not outlast the function, nor use up their attempts."""
    monkeypatch.setattr(callback, "START_SECONDS", -1.0)
    queue, kept = batch(host, message(), message())
    assert (kept, host.received, len(queue.sent)) == (0, [], 2)
    assert {sent["DelaySeconds"] for sent in queue.sent} == {callback.DEFER_SECONDS}


def test_a_message_that_remembers_too_many_attempts_is_not_called(host: Receiver) -> None:
    """It goes to the dead-letter queue by deliveries that follow at once."""
    queue, kept = batch(host, message(attempt=2, attempts=len(DELAYS)))
    assert (kept, queue.hidden, host.received) == (1, [0], [])


class Environments:
    """The function's environments, each with a batch of its own, whose calls hang until `release`."""

    def __init__(self, host: Receiver, in_moto: Aws) -> None:
        self.release = threading.Event()
        self.under_way = threading.Semaphore(0)
        self._threads = ThreadPoolExecutor(8)
        host.answers = [self._hang]
        sender = Sender(host.resolve, host.connect, host.context())
        self._caller = Caller(sender, aws.callback_queue(), SECRET, aws.places())
        self._queue = in_moto.settings.callback_queue_url

    def _hang(self, connection: socket.socket) -> None:
        self.under_way.release()
        self.release.wait(30)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def start(self, *records: dict[str, Any]) -> Future[list[str]]:
        """Deliver a batch whose calls hang; return when one is under way."""
        working = self._threads.submit(self._caller.work, records)
        assert self.under_way.acquire(timeout=30)
        return working

    def deferred(self, *records: dict[str, Any]) -> int:
        """Deliver a batch to one more environment; return how many of its messages were put off at once."""
        before = len(self._delayed())
        assert self._caller.work(records) == []
        return len(self._delayed()) - before

    def _delayed(self) -> range:
        attributes = aws.client("sqs").get_queue_attributes(
            QueueUrl=self._queue, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
        )["Attributes"]
        return range(int(attributes["ApproximateNumberOfMessagesDelayed"]))


@pytest.fixture(name="environments")
def fixture_environments(host: Receiver, in_moto: Aws) -> Iterator[Environments]:
    """Give the environments; their calls are answered at the end."""
    environments = Environments(host, in_moto)
    yield environments
    environments.release.set()


def test_a_key_keeps_a_share_of_all_environments(environments: Environments) -> None:
    """Two of the five at a time, with however many hosts; then its messages are put off, and others' calls made."""
    working = [environments.start(message(URL)) for _ in range(callback.KEY_ENVIRONMENTS)]
    assert environments.deferred(*(message(f"https://{name}.example.com/") for name in "abc")) == 3
    working.append(environments.start(message(owner="bob")))
    environments.release.set()
    assert [each.result(30) for each in working] == [[]] * 3
    assert environments.deferred(message()) == 0  # the places were given back: the call was made


def test_a_host_has_a_share_of_all_environments(environments: Environments) -> None:
    """Three calls at a time, whoever's; no key fills them alone."""
    owners = ["alice", "alice", "bob"]
    assert len(owners) == callback.HOST_ENVIRONMENTS > callback.KEY_ENVIRONMENTS
    working = [environments.start(message(owner=owner)) for owner in owners]
    assert environments.deferred(message(owner="carol")) == 1
    environments.release.set()
    assert [each.result(30) for each in working] == [[]] * 3


def test_what_is_put_off_again_and_again_is_put_off_for_longer(host: Receiver) -> None:
    """Each look costs a receipt and a message: 15 s, 30 s and so on, a quarter of an hour at most."""
    queue: Any = Queue()
    nobody: Any = SimpleNamespace(held=lambda *_: nullcontext(enter_result=False))  # has a place
    caller = Caller(Sender(host.resolve, host.connect, host.context()), queue, SECRET, nobody)
    record = message(attempt=3)
    for _ in range(9):
        assert caller.work([record]) == []
        record = sqs_record(queue.sent[-1]["MessageBody"], message_id="again", receives=1)
    assert [sent["DelaySeconds"] for sent in queue.sent] == [15, 30, 60, 120, 240, 480, 900, 900, 900]
    assert callback.Call.of(record).attempt == 3
    assert host.resolved == []


def test_its_shares_are_of_the_environments_that_the_template_has() -> None:
    """Two keys leave one of them to a third."""
    source = TEMPLATE["Resources"]["CallbackFunction"]["Properties"]["Events"]["Calls"]["Properties"]
    assert source["ScalingConfig"]["MaximumConcurrency"] > 2 * callback.KEY_ENVIRONMENTS
