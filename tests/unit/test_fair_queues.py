"""The order in which the local stack's queues hand out messages: what AWS states about fair queues, value for value."""

from __future__ import annotations

from typing import Any

from local.fair_queues import NOISY_IN_FLIGHT, QUIET_SECONDS, RECENT_SECONDS, FairQueue


def message(number: int, group: str | None, sent_at: float = 0.0) -> dict[str, Any]:
    """Return a message that waits, as MiniStack keeps it."""
    name = f"{group}{number}"
    return {"id": name, "group_id": group, "sent_at": sent_at, "visible_at": sent_at, "receipt_handle": None}


def receive(queue: FairQueue, messages: list[dict[str, Any]], most: int, now: float) -> list[str]:
    """Receive messages as MiniStack does; return their ids."""
    received = queue.waiting(messages, now)[:most]
    for each in received:
        each["receipt_handle"] = each["id"]
        each["visible_at"] = now + 1000
    queue.received(received, now)
    return [each["id"] for each in received]


def test_with_one_sender_the_order_is_that_of_sending() -> None:
    """However much of it is in flight."""
    queue, messages = FairQueue(), [message(number, "a") for number in range(100)]
    assert receive(queue, messages, 50, 0.0) == [f"a{number}" for number in range(50)]
    assert receive(queue, messages, 2, 1.0) == ["a50", "a51"]


def test_a_quiet_senders_message_comes_before_those_of_one_who_used_the_time() -> None:
    """One message in flight is enough, when nobody else has used any time; among the noisy one's, the order stays."""
    queue, messages = FairQueue(), [message(number, "a") for number in range(5)]
    assert receive(queue, messages, 1, 0.0) == ["a0"]
    messages.append(message(0, "b", sent_at=1.0))
    assert receive(queue, messages, 3, 2.0) == ["b0", "a1", "a2"]


def test_a_tenth_of_the_time_is_not_too_much() -> None:
    """More than 10 % is: what was settled counts for RECENT_SECONDS, what is in flight until now."""
    queue, messages = FairQueue(), [message(0, "a")]
    receive(queue, messages, 1, 0.0)
    messages.clear()
    queue.waiting(messages, 10.0)  # a has used 10 seconds
    messages[:] = [message(0, "b", 10.0)]
    receive(queue, messages, 1, 10.0)
    messages += [message(1, "b", 10.5), message(0, "c", 10.5)]
    assert [each["id"] for each in queue.waiting(messages, 11.0)] == ["b1", "c0"]  # 1 of 11 seconds
    assert [each["id"] for each in queue.waiting(messages, 11.5)] == ["c0", "b1"]  # 1.5 of 11.5 seconds
    assert [each["id"] for each in queue.waiting([message(1, "a", 60.0), message(1, "c", 60.0)], 60.0)] == ["c1", "a1"]
    later = 61.0 + RECENT_SECONDS
    assert [each["id"] for each in queue.waiting([message(1, "a", 70.0), message(1, "c", 70.0)], later)] == ["a1", "c1"]


def test_thirty_in_flight_are_noisy_at_once() -> None:
    """Before any time has passed; twenty-nine are not."""
    for number, first in ((NOISY_IN_FLIGHT, "b0"), (NOISY_IN_FLIGHT - 1, "a")):
        queue, messages = FairQueue(), [message(each, "a") for each in range(100)]
        receive(queue, messages, number, 0.0)
        messages.append(message(0, "b"))
        assert queue.waiting(messages, 0.0)[0]["id"].startswith(first)


def test_of_two_noisy_senders_comes_first_who_has_fewer_in_flight() -> None:
    """So that they share the time between them."""
    queue, messages = FairQueue(), [message(number, group) for group in "ab" for number in range(4)]
    receive(queue, messages[:3], 3, 0.0)
    receive(queue, messages[4:5], 1, 0.0)
    queue = FairQueue()
    messages = [message(number, "a") for number in range(6)] + [message(number, "b") for number in range(6)]
    assert receive(queue, messages[:3], 3, 0.0) == ["a0", "a1", "a2"]
    for each in messages[6:7]:
        each.update(receipt_handle="b0", visible_at=1000.0)
    queue.received(messages[6:7], 0.0)
    assert receive(queue, messages, 2, 1.0) == ["b1", "b2"]


def test_who_has_sent_nothing_for_five_minutes_is_quiet_again() -> None:
    """Its old messages then come in their turn."""
    queue, messages = FairQueue(), [message(number, "a") for number in range(3)]
    receive(queue, messages, 1, 0.0)
    messages.append(message(0, "b", sent_at=1.0))
    assert queue.waiting(messages, QUIET_SECONDS - 1)[0]["id"] == "b0"
    assert queue.waiting(messages, QUIET_SECONDS)[0]["id"] == "a1"


def test_a_message_without_a_group_is_a_sender_of_its_own() -> None:
    """A hundred of them are quiet; a noisy sender's wait for them."""
    queue, messages = FairQueue(), [message(number, "a") for number in range(2)]
    receive(queue, messages, 1, 0.0)
    messages += [message(number, None) for number in range(100)]
    assert receive(queue, messages, 200, 1.0)[-1] == "a1"
