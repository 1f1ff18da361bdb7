"""The local stack's environments of functions: idle for a minute they are let go, by a clock of the test's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local import ministack_main
from local.ministack import IDLE_SECONDS


class Clock:
    """A clock that stands still, and the environments that MiniStack makes by it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.environments: dict[str, list[Any]] = {}

    def time(self) -> float:
        """Return the time."""
        return self.now

    def called(self, function: str) -> Any:
        """Begin a call of a function, in an environment of its own or one that is free."""
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
        config = {"FunctionName": function, "FunctionArn": arn, "Runtime": "python3.13", "Version": "$LATEST"}
        environment, _ = lambda_runtime.acquire_worker(function, config, b"")
        environment.last_used = self.now
        return environment


@pytest.fixture(name="clock")
def fixture_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock; MiniStack has no environments, and lets them go as the local stack tells it to."""
    clock = Clock()
    monkeypatch.setattr(ministack_main, "time", clock)
    monkeypatch.setattr(lambda_runtime, "_workers", clock.environments)
    monkeypatch.setattr(lambda_runtime, "_LOCAL_WORKER_TTL", float(IDLE_SECONDS))
    monkeypatch.setattr(lambda_svc, "reap_idle_workers", lambda_svc.reap_idle_workers)
    ministack_main.let_idle_environments_go()
    return clock


def test_idle_environments_are_let_go_after_a_minute(clock: Clock) -> None:
    """Those that a burst has left over, and each function's last one; not before, and none that is at work."""
    burst = [clock.called("api") for _ in range(3)]
    working = clock.called("worker")
    for environment in burst:
        lambda_runtime.release_worker(environment)
    clock.now += IDLE_SECONDS - 1
    assert lambda_svc.reap_idle_workers() == 0
    assert clock.called("api") in burst  # which is used again
    lambda_runtime.release_worker(burst[0])
    clock.now += 1
    assert lambda_svc.reap_idle_workers() == 2
    clock.now += IDLE_SECONDS
    assert lambda_svc.reap_idle_workers() == 1
    assert [each for some in clock.environments.values() for each in some] == [working]


def test_the_api_keeps_its_last_environment(clock: Clock) -> None:
    """Of a burst one is left, however long nobody calls: the page's first paint is not to wait for another."""
    for environment in [clock.called("quantum-circuits-ApiFunction-0A1B2C") for _ in range(3)]:
        lambda_runtime.release_worker(environment)
    clock.now += IDLE_SECONDS
    assert lambda_svc.reap_idle_workers() == 2
    clock.now += 100 * IDLE_SECONDS
    assert lambda_svc.reap_idle_workers() == 0


def test_a_minute_counts_from_the_end_of_a_call(clock: Clock) -> None:
    """An environment that was seen at work is idle from then on, however long its call took; it is made again later."""
    working = clock.called("worker")
    clock.now += 10 * IDLE_SECONDS
    assert lambda_svc.reap_idle_workers() == 0
    lambda_runtime.release_worker(working)
    clock.now += IDLE_SECONDS - 1
    assert lambda_svc.reap_idle_workers() == 0
    clock.now += 1
    assert lambda_svc.reap_idle_workers() == 1
    assert clock.called("worker") is not working


def test_the_process_of_an_environment_that_is_let_go_ends(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is signalled and waited for."""
    ended: list[Any] = []
    monkeypatch.setattr(lambda_runtime, "_signal", ended.append)
    monkeypatch.setattr(lambda_runtime, "_collect", lambda process, _: ended.append(process))
    environment = clock.called("api")
    process = SimpleNamespace()
    monkeypatch.setattr(environment, "_proc", process)
    lambda_runtime.release_worker(environment)
    clock.now += IDLE_SECONDS
    assert lambda_svc.reap_idle_workers() == 1
    assert ended == [process, process]
