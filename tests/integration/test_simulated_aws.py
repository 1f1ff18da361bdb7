"""The clients that the tests borrow one after another: what one test did to a client, the next does not meet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber
from moto.core.botocore_stubber import BotocoreStubber

from simulated_aws import aws_in_moto
from tasks import aws

if TYPE_CHECKING:
    from collections.abc import Callable


def borrowed(use: Callable[[Any], object]) -> Any:
    """Return the client of SQS that one test had, and used."""
    for _ in aws_in_moto():
        client: Any = aws.client("sqs")
        use(client)
    return client


def ask(client: Any) -> None:
    """Call the service, which has the four queues of the template and no more."""
    assert len(client.list_queues()["QueueUrls"]) == 4


def hear(client: Any) -> None:
    """Have a test's handler hear all calls."""
    client.meta.events.register("before-call", lambda **_: None)


def stub(client: Any) -> None:
    """Stub the client, and leave it so."""
    Stubber(client).activate()


def retry(client: Any) -> None:
    """Have a call tried again."""
    failures = iter([ConnectTimeoutError(endpoint_url="")])
    answered = BotocoreStubber.__call__

    def once(*asked: Any, **more: Any) -> Any:
        for failure in failures:
            raise failure
        return answered(*asked, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BotocoreStubber, "__call__", once)
        # botocore waits before it tries again; the test needs the second try and not the wait.
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        client.create_queue(QueueName="another")


@pytest.mark.parametrize("change", [hear, stub, retry])
def test_a_client_that_was_changed_is_not_lent_again(change: Callable[[Any], object]) -> None:
    """After a handler, a stub or a retry, which is counted, the next test has a client that is as it was made."""
    before = borrowed(ask)
    assert borrowed(change) is before
    after = borrowed(ask)
    assert after is not before
    assert borrowed(ask) is after
