"""The callback function: calls the owners of ended tasks, signed as Standard Webhooks say, until they answer.

A call that fails goes back to the queue, hidden for longer each time; after the last attempt its message goes to the
callbacks' dead-letter queue. Of an answer only status and headers are read, and a redirect is an answer like any other
that is not a success.

Of one batch of messages a host gets one call at a time, and none after one that failed: the others to it have failed
with that one. A key has a few hosts at a time. Over all environments, of which there are five, a host has
HOST_ENVIRONMENTS calls at a time, of all keys, and one key's calls keep KEY_ENVIRONMENTS busy: others have the rest;
with fair queues their messages come first. What there is no time or no place for is put back by a new message, which
remembers its attempts: SQS counts deliveries, and a delivery without a call is none.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from delivery import AddressRefusedError, DeliveryError, Sender
from tasks.aws import callback_key, callback_queue, places
from tasks.callback_secret import callback_secret, signature
from tasks.callback_url import CallbackUrl, CallbackUrlError
from tasks.logs import Event, logger
from tasks.queue import group_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tasks.places import Places
    from tasks.queue import Queue

# Seconds from a failed attempt to the next; with the first at once, eight attempts in about 28 hours.
DELAYS = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
MAX_ATTEMPTS = len(DELAYS) + 1
KEY_HOSTS = 3  # that one key's calls of a batch may go to at a time
KEY_ENVIRONMENTS = 2  # of template.yaml's five: 6 of the 50 calls that they can make at a time
HOST_ENVIRONMENTS = 3  # more than one key can use: no key keeps a host that others share to itself
HELD = timedelta(seconds=30)  # the function's timeout
START_SECONDS = 10.0  # after so long in a batch no call is begun: each may take 15 s, and the function has 30
DEFER_SECONDS = 15  # until a call that was not made is looked at again; twice as long each time after that,
MAX_DEFER_SECONDS = 900  # for each look costs a receipt and a message; SQS delays a message for no longer
JITTER = 0.1  # so that what failed together does not come back together
# SQS hides a message for 12 hours at most, counted from when it was received, and refuses what goes beyond (SQS API,
# ChangeMessageVisibility). The queue's own VisibilityTimeout is the longest that an attempt can have had it for.
MAX_HIDDEN = 12 * 3_600 - 180


@dataclass(frozen=True, slots=True)
class Call:
    """One callback to make: the message that the notifier sent, and which attempt this is, from 1."""

    message_id: str
    receipt_handle: str
    attempt: int
    webhook_id: str
    owner: str
    callback_url: str
    body: str
    deferrals: int = 0  # how often it was put off

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Call:
        """Return an SQS record as the call it asks for; raises KeyError and ValueError."""
        message = json.loads(record["body"])
        return cls(
            message_id=record["messageId"],
            receipt_handle=record["receiptHandle"],
            attempt=int(message.get("attempts", 0)) + int(record["attributes"]["ApproximateReceiveCount"]),
            deferrals=min(int(message.get("deferrals", 0)), MAX_DEFER_SECONDS),
            **{name: str(message[name]) for name in ("webhook_id", "owner", "callback_url", "body")},
        )


@cache
def sender() -> Sender:
    """Return what sends the requests; made once, because reading the certificate authorities takes a while."""
    return Sender()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make a batch of calls."""
    logger.append_keys(correlation_id=context.aws_request_id)  # of the lines that are about no task
    caller = Caller(sender(), callback_queue(), callback_key(), places())
    failed = caller.work(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


class Caller:
    """Makes calls, and decides what becomes of the message of each."""

    def __init__(self, sender: Sender, queue: Queue, stack_secret: str, places: Places) -> None:
        self._sender = sender
        self._queue = queue
        self._stack_secret = stack_secret
        self._places = places

    def work(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Make the calls, of different hosts at the same time: one that is slow must not hold up the others.

        Returns the ids of the messages to be kept, for a later attempt or for the dead-letter queue.
        """
        kept: list[str] = []
        calls: list[Call] = []
        for record in records:
            try:
                calls.append(Call.of(record))
            except (KeyError, TypeError, ValueError):
                logger.exception(
                    "A callback cannot be read", event=Event.CALLBACK_ERROR, message_id=record["messageId"]
                )
                kept.append(record["messageId"])
        began = time.monotonic()
        with ExitStack() as held:
            owners = {
                owner: held.enter_context(self._place("key", owner, KEY_ENVIRONMENTS))
                for owner in {call.owner for call in calls}
            }
            by_host, deferred = _shared_out(calls, owners)
            kept += [call.message_id for call in deferred if not self._settle(call, self._defer)]
            with ThreadPoolExecutor(max(1, len(by_host))) as pool:
                for more in pool.map(lambda host: self._settle_host(host, by_host[host], began), by_host):
                    kept += more
        return kept

    def _place(self, kind: str, name: str, most: int) -> AbstractContextManager[bool]:
        """Hold one of the places of a key or a host while its calls are made."""
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        return self._places.held([f"callback-{kind}-{digest}-{number}" for number in range(most)], HELD)

    def _settle_host(self, host: str, calls: Sequence[Call], began: float) -> list[str]:
        """Make one host's calls if it has a place; return the ids of the messages to be kept."""
        with self._place("host", host, HOST_ENVIRONMENTS) as held:
            if held:
                return self._settle_all(calls, began)
        return [call.message_id for call in calls if not self._settle(call, self._defer)]

    def _settle_all(self, calls: Sequence[Call], began: float) -> list[str]:
        """Make one host's calls, one after the other; return the ids of the messages to be kept."""
        kept: list[str] = []
        failed = False
        for call in calls:
            if time.monotonic() - began > START_SECONDS:
                done = self._settle(call, self._defer)
            elif failed:
                done = self._settle(call, self._fail_too)
            else:
                done = self._settle(call, self._call)
                failed = not done
            if not done:
                kept.append(call.message_id)
        return kept

    def _settle(self, call: Call, how: Callable[[Call], bool]) -> bool:
        """Do that with a call; say whether its message is done with. No exception leaves: it would fail the batch."""
        try:
            return how(call)
        except Exception:  # noqa: BLE001 - whatever it is, it is one call's
            logger.exception("A callback was not made", event=Event.CALLBACK_ERROR, message_id=call.message_id)
            return False

    def _defer(self, call: Call) -> bool:
        """Put a call off that was not made: its message's next delivery is the same attempt."""
        message = {name: getattr(call, name) for name in ("webhook_id", "owner", "callback_url", "body")}
        body = json.dumps({"version": 1, **message, "attempts": call.attempt - 1, "deferrals": call.deferrals + 1})
        delay = min(DEFER_SECONDS << min(call.deferrals, 6), MAX_DEFER_SECONDS)
        self._queue.send_body(body, delay_seconds=delay, **group_of(call.owner))
        return True

    def _fail_too(self, call: Call) -> bool:
        """Let a call fail without being made: another to the same host has just failed."""
        data = json.loads(call.body)["data"]
        logged = {"task_id": data["task_id"], "correlation_id": data["correlation_id"], "webhook_id": call.webhook_id}
        return self._try_later(call, "host_failed", None, {**logged, "attempt": call.attempt})

    def _call(self, call: Call) -> bool:
        if call.attempt > MAX_ATTEMPTS:  # on its way to the dead-letter queue
            self._hide(call, 0)
            return False
        data = json.loads(call.body)["data"]
        logged = {
            "task_id": data["task_id"],
            "correlation_id": data["correlation_id"],
            "webhook_id": call.webhook_id,
            "attempt": call.attempt,
        }
        retry_after = None
        try:
            url = CallbackUrl.parse(call.callback_url)
            logged["host"] = url.host  # the rest of a URL may hold a password
            answer = self._sender.post(url, self._headers(call), call.body.encode())
        except (CallbackUrlError, AddressRefusedError):
            logger.warning("A callback was refused: its host is not public", event=Event.CALLBACK_REFUSED, **logged)
            return True
        except DeliveryError as error:
            reason = str(error)
        else:
            logged["http_status"] = answer.status
            if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                logger.info("A callback was delivered", event=Event.CALLBACK_DELIVERED, **logged)
                return True
            if answer.status == HTTPStatus.GONE:
                logger.info("A callback is no longer wanted", event=Event.CALLBACK_GONE, **logged)
                return True
            reason, retry_after = "status", answer.retry_after
        return self._try_later(call, reason, retry_after, logged)

    def _try_later(self, call: Call, reason: str, retry_after: int | None, logged: Mapping[str, Any]) -> bool:
        """Put a call off that failed, or give it up; its message is kept."""
        if call.attempt >= MAX_ATTEMPTS:
            logger.warning("A callback was abandoned", event=Event.CALLBACK_GIVEN_UP, reason=reason, **logged)
            self._hide(call, 0)  # SQS moves it to the dead-letter queue when it would deliver it once more
            return False
        delay = _delay(call.attempt, retry_after)
        self._hide(call, delay)
        logger.info(
            "A callback failed and will be tried again",
            event=Event.CALLBACK_FAILED,
            reason=reason,
            next_attempt_seconds=delay,
            **logged,
        )
        return False

    def _headers(self, call: Call) -> dict[str, str]:
        timestamp = int(time.time())
        secret = callback_secret(self._stack_secret, call.owner)
        return {
            "Content-Type": "application/json",
            "User-Agent": "quantum-circuits-api",
            "webhook-id": call.webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, call.webhook_id, timestamp, call.body.encode()),
        }

    def _hide(self, call: Call, seconds: int) -> None:
        self._queue.hide([call.receipt_handle], seconds)


def _shared_out(calls: Sequence[Call], owners: Mapping[str, bool]) -> tuple[Mapping[str, list[Call]], list[Call]]:
    """Return the calls of owners with a place, by their hosts, and those that are over their owner's share."""
    by_host: defaultdict[str, list[Call]] = defaultdict(list)
    hosts_of: defaultdict[str, set[str]] = defaultdict(set)
    deferred: list[Call] = []
    for call in calls:
        host = _host(call.callback_url)
        if not owners[call.owner] or (host not in hosts_of[call.owner] and len(hosts_of[call.owner]) == KEY_HOSTS):
            deferred.append(call)
        else:
            hosts_of[call.owner].add(host)
            by_host[host].append(call)
    return by_host, deferred


def _host(url: str) -> str:
    """Return whom a URL belongs to; one that will be refused is alone with itself."""
    try:
        return CallbackUrl.parse(url).host
    except CallbackUrlError:
        return url


def _delay(attempt: int, retry_after: int | None) -> int:
    """Return the seconds until the attempt after this one: the plan's, or what the host asked for when that is more."""
    planned = DELAYS[attempt - 1] * (1 + random.random() * JITTER)  # noqa: S311 - spreads load, hides nothing
    return min(max(round(planned), retry_after or 0), MAX_HIDDEN)
