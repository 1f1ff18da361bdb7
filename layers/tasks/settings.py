"""The environment's variables, which are read here alone; template.yaml sets them and is the only place that does."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import cache

from tasks.limits import Limits, vcpus


class SettingsError(Exception):
    """The environment lacks a variable that template.yaml should have set, or holds one of the wrong kind."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, named as their environment variables are in lower case."""

    tasks_table: str
    payload_bucket: str
    task_queue_url: str
    large_task_queue_url: str
    dead_letter_queue_url: str
    callback_queue_url: str
    callback_secret_id: str  # in Secrets Manager: what the secrets of all owners are derived from
    task_event_bus: str
    publish_events: str  # yes or no
    task_retention_days: int  # how long a task can be read after it was submitted
    lease_seconds: int  # how long a claim lasts without a heartbeat
    large_worker_memory_mb: int  # what the largest circuit may use
    large_time_limit_seconds: int  # and how long it may run
    time_limit_seconds: int  # how long one circuit may run in a function
    max_wait_seconds: int  # how long an answer may wait for its task's end
    max_waits: int  # how many answers may wait at a time
    worker_maximum_concurrency: int  # most environments of the small lane's worker
    large_worker_maximum_concurrency: int  # and of the large lane's
    key_rate_limit: int  # requests a second of one API key, over time
    key_burst_limit: int  # requests of one API key at once
    key_daily_quota: int  # requests of one API key in a day
    key_open_tasks: int  # tasks of one API key that have not ended
    key_open_seconds: int  # of computing, of those tasks, as estimated
    key_monthly_dollars: int  # that the tasks of one API key may cost which end in a month

    @property
    def large_worker(self) -> Limits:
        """The limits of the large lane's worker, whatever machine this is."""
        children = vcpus(self.large_worker_memory_mb)
        return Limits(self.large_worker_memory_mb, self.large_time_limit_seconds, children)

    @classmethod
    def from_environment(cls) -> Settings:
        """Read every field from its variable; raise SettingsError naming each one missing or malformed."""
        values: dict[str, object] = {}
        problems = []
        for setting in fields(cls):
            name = setting.name.upper()
            text = os.environ.get(name, "")
            if not text:
                problems.append(f"{name} is not set")
            elif setting.type == "int":
                if text.isdecimal():
                    values[setting.name] = int(text)
                else:
                    problems.append(f"{name} is {text!r}, not a whole number")
            else:
                values[setting.name] = text
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(**values)  # type: ignore[arg-type]  # each value was made to fit its field above


def variable(name: str) -> str:
    """Return a variable that template.yaml sets for one function alone; raises SettingsError."""
    if value := optional(name):
        return value
    raise SettingsError(f"{name} is not set")


def optional(name: str) -> str | None:
    """Return a variable that need not be there, such as those that Lambda sets by itself."""
    return os.environ.get(name)


@cache
def settings() -> Settings:
    """Return this function's settings, read at the first call and never at import."""
    return Settings.from_environment()
