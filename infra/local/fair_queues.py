"""The order in which a standard queue of SQS hands out the messages of several owners, by the rule that AWS states.

Amazon SQS developer guide, "How Amazon SQS fair queues work": a tenant, that is a `MessageGroupId`, is a noisy
neighbour with more than 10 % of the messages in flight and at least 30 of them, or with more than 10 % of the recent
processing time. Messages of quiet tenants come before those of noisy ones; among noisy tenants comes first who has
fewest in flight. One that has sent nothing for five minutes is quiet again.

AWS states neither how long "recent" is, for which RECENT_SECONDS stands here, nor how exact its own count is.
"""

from __future__ import annotations

from collections import Counter, deque
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Message = Mapping[str, Any]  # as MiniStack keeps it; its times are in seconds since 1970

NOISY_SHARE = 0.1
NOISY_IN_FLIGHT = 30
QUIET_SECONDS = 300.0
RECENT_SECONDS = 60.0


class FairQueue:
    """One queue's recent past: which tenant's messages were in flight, and for how long."""

    def __init__(self) -> None:
        self.lock = Lock()  # a function's messages are received in one thread, a client's in another
        self._in_flight: dict[str, tuple[str, float]] = {}  # tenant and time of receipt, by the receipt's handle
        self._settled: deque[tuple[float, str, float]] = deque()  # when, whose, and how many seconds it was in flight

    def waiting(self, messages: Sequence[Message], now: float) -> list[Message]:
        """Return the messages that may be received, in the order in which they are."""
        waiting: list[Message] = []
        held: dict[str, tuple[str, float]] = {}
        for message in messages:
            if message["visible_at"] <= now:
                waiting.append(message)
            elif handle := message.get("receipt_handle"):
                held[handle] = self._in_flight.get(handle, (_tenant(message), now))
        for handle, (tenant, since) in self._in_flight.items():
            if handle not in held:
                self._settled.append((now, tenant, now - since))
        self._in_flight = held
        while self._settled and self._settled[0][0] < now - RECENT_SECONDS:
            self._settled.popleft()
        last_sent: dict[str, float] = {}
        for message in waiting:
            tenant = _tenant(message)
            last_sent[tenant] = max(message["sent_at"], last_sent.get(tenant, 0.0))
        if len(last_sent) > 1:
            in_flight = Counter(tenant for tenant, _ in held.values())
            noisy = {
                tenant for tenant in self._noisy(in_flight, now) if last_sent.get(tenant, 0.0) > now - QUIET_SECONDS
            }
            waiting.sort(key=lambda message: in_flight[_tenant(message)] + 1 if _tenant(message) in noisy else 0)
        return waiting

    def received(self, messages: Sequence[Message], now: float) -> None:
        """Note which messages are in flight from now on."""
        for message in messages:
            self._in_flight[message["receipt_handle"]] = (_tenant(message), now)

    def _noisy(self, in_flight: Counter[str], now: float) -> set[str]:
        seconds: Counter[str] = Counter()
        for _, tenant, spent in self._settled:
            seconds[tenant] += spent  # type: ignore[assignment]  # Counter's values may be of any type that adds
        for tenant, since in self._in_flight.values():
            seconds[tenant] += now - since  # type: ignore[assignment]
        by_time = {tenant for tenant, spent in seconds.items() if spent > NOISY_SHARE * seconds.total()}
        return by_time | {
            tenant
            for tenant, number in in_flight.items()
            if number >= NOISY_IN_FLIGHT and number > NOISY_SHARE * in_flight.total()
        }


def _tenant(message: Message) -> str:
    """Return whose a message is; one without a group is a tenant of its own."""
    return str(message.get("group_id") or message["id"])
