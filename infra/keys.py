"""`make keys`: the API keys of a stack, made with limits and a name, listed, disabled, and rotated with an overlap.

They are API Gateway's own, in its usage plans, so it refuses what is not valid or too much by itself. A key with a rate
or quota of its own has a usage plan of its own; what it may have open and spend is in its row of sums (open_work.py).
Works on the local stack and, with `STACK=<name>`, on one in the cloud.

A rotated key works until its overlap is over: API Gateway knows no date on which a key ends, so the sweeper disables it
then, within two minutes. `make keys EXPIRE=yes` does so too.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.deployed import deployed
from local.ministack import LocalStackError
from tasks.bounds import LOOK_SECONDS
from tasks.errors import UnavailableError
from tasks.open_work import OpenWork, read_open_work, set_most
from tasks.owners import new_owner, new_value, owner_of
from tasks.rotated_keys import TAG, RotatedKeys
from tasks.task import rfc3339, utc_now
from tasks.usage import Sums, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from local.deployed import Deployed
    from tasks.table import TaskTable

OVERLAP_DAYS = 7
MOST = 1_000_000_000  # of any of a key's own bounds
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_REPLACED = "Rotated; ends at "  # the beginning of a rotated key's description


class KeysError(Exception):
    """It cannot be done; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as API Gateway has it: its owner, its usage plan, and until when it works if it was rotated."""

    key_id: str
    name: str
    owner: str
    enabled: bool
    created: datetime
    ends_at: datetime | None
    plan: Mapping[str, Any]

    def state(self, now: datetime) -> str:
        """Return in a word or two whether the key works."""
        if not self.enabled:
            return "disabled"
        if self.ends_at is None:
            return "enabled"
        return f"until {self.ends_at:%Y-%m-%d %H:%M}" if now < self.ends_at else "overlap over"

    def limits(self) -> str:
        """Return what its usage plan allows."""
        throttle, quota = self.plan.get("throttle", {}), self.plan.get("quota", {})
        rate, burst, per_day = throttle.get("rateLimit", 0), throttle.get("burstLimit", 0), quota.get("limit", 0)
        return f"{rate:g}/s, {burst} at once, {per_day:,} a day"


@dataclass(frozen=True, slots=True)
class Use:
    """What a key's owner has done: when it last submitted a task, what is open, and what ended this month."""

    last_task: str
    open_work: OpenWork
    this_month: Sums


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one stack, whose usage plan for them is `plan_id`; `stack` begins the names of further plans.

    The stand-in (`is_local`) tells the api no ids of keys.
    """

    gateway: Any  # the client of API Gateway, which has no stubs here
    stack: str
    plan_id: str
    is_local: bool = False

    @classmethod
    def of(cls, stack: Deployed) -> Keys:
        """Return those of a deployed stack."""
        gateway = stack.session.client("apigateway", endpoint_url=stack.endpoint)
        return cls(gateway, stack.name, stack.outputs["USAGE_PLAN_ID"], is_local=stack.endpoint is not None)

    def all(self) -> list[Key]:
        """Return every key that opens the stack's API, the oldest first."""
        stages = self.gateway.get_usage_plan(usagePlanId=self.plan_id)["apiStages"]
        plans = [
            plan
            for page in self.gateway.get_paginator("get_usage_plans").paginate()
            for plan in page["items"]
            if plan["id"] == self.plan_id or any(stage in stages for stage in plan.get("apiStages", []))
        ]
        known = {
            key["id"]: key
            for page in self.gateway.get_paginator("get_api_keys").paginate(includeValues=True)
            for key in page["items"]
        }
        found = {}
        for plan in plans:
            for page in self.gateway.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan["id"]):
                for each in page["items"]:
                    if key := known.get(each["id"]):  # else it was deleted, and its plan still names it
                        found[key["id"]] = self._key(key, plan)
        return sorted(found.values(), key=lambda key: key.created)

    def check_name(self, name: str) -> None:
        """Raise KeysError for a name that is none, or another key's."""
        if not _NAME.fullmatch(name):
            raise KeysError(
                f"{name!r} is not a name for a key: use up to 64 letters, digits, spaces, '.', '_' and '-'."
            )
        if any(key.name == name for key in self.all()):
            raise KeysError(f"There is a key named {name!r} already: choose another name, or rotate that one.")

    def create(self, name: str, owner: str, throttle: Mapping[str, float], per_day: int | None) -> tuple[Key, str]:
        """Make a key, in a usage plan of its own if it has limits of its own; return it and its value."""
        self.check_name(name)
        plan_id = self._plan(name, throttle, per_day) if throttle or per_day else self.plan_id
        return self._made(name, owner, plan_id)

    def rotate(self, wanted: str, overlap: timedelta, now: datetime) -> tuple[Key, Key, str]:
        """Make a key of the same owner, name and limits; return the old one, the new one, and the new one's value.

        The old one works until the overlap is over; without one it is disabled at once.
        """
        old = self.one(wanted)
        if not old.enabled:
            raise KeysError(f"The key {old.key_id} is disabled: create another in its place.")
        if old.ends_at is not None:
            raise KeysError(f"The key {old.key_id} was rotated before: rotate the one that took its place.")
        if overlap:  # first: whoever may not tag keys has changed nothing
            at = self.gateway.meta
            arn = f"arn:{at.partition}:apigateway:{at.region_name}::/apikeys/{old.key_id}"
            self.gateway.tag_resource(resourceArn=arn, tags={TAG: self.stack})
        new, value = self._made(old.name, old.owner, old.plan["id"])
        self._change(old, "description", f"{_REPLACED}{rfc3339(now + overlap)}")
        if not overlap:
            self.disable(old)
        return old, new, value

    def disable(self, key: Key) -> None:
        """Have API Gateway refuse a key from now on; its tasks stay."""
        self._change(key, "enabled", "false")

    def expire(self, now: datetime) -> list[Key]:
        """Disable the rotated keys whose overlap is over; return them."""
        over = [key for key in self.all() if key.enabled and key.ends_at is not None and key.ends_at <= now]
        for key in over:
            self.disable(key)
        return over

    def one(self, wanted: str) -> Key:
        """Return the key with that id, or the one of that name that was not rotated; raises KeysError."""
        keys = self.all()
        found = [key for key in keys if key.key_id == wanted] or [
            key for key in keys if key.name == wanted and key.ends_at is None
        ]
        if len(found) != 1:
            what = "No key has" if not found else f"{len(found)} keys have"
            raise KeysError(f"{what} the id or name {wanted!r}: `make keys` lists them with their ids.")
        return found[0]

    def _plan(self, name: str, throttle: Mapping[str, float], per_day: int | None) -> str:
        """Make a usage plan as the stack's, except for these limits; return its id."""
        plan = self.gateway.get_usage_plan(usagePlanId=self.plan_id)
        made = self.gateway.create_usage_plan(
            name=f"{self.stack} {name}",
            apiStages=plan["apiStages"],
            throttle={**plan.get("throttle", {}), **throttle},
            quota={"limit": per_day, "period": "DAY"} if per_day else plan["quota"],
        )
        plan_id: str = made["id"]
        return plan_id

    def _made(self, name: str, owner: str, plan_id: str) -> tuple[Key, str]:
        value = new_value(owner)
        made = self.gateway.create_api_key(name=name, enabled=True, value=value)
        self.gateway.create_usage_plan_key(usagePlanId=plan_id, keyId=made["id"], keyType="API_KEY")
        return self._key({**made, "value": value}, self.gateway.get_usage_plan(usagePlanId=plan_id)), value

    def _change(self, key: Key, field: str, value: str) -> None:
        operation = {"op": "replace", "path": f"/{field}", "value": value}
        self.gateway.update_api_key(apiKey=key.key_id, patchOperations=[operation])

    def _key(self, key: Mapping[str, Any], plan: Mapping[str, Any]) -> Key:
        text = key.get("description", "")
        ends_at = datetime.fromisoformat(text.removeprefix(_REPLACED)) if text.startswith(_REPLACED) else None
        owner = owner_of(key.get("value", ""), None if self.is_local else key["id"])
        return Key(key["id"], key.get("name", ""), owner, key["enabled"], _moment(key["createdDate"]), ends_at, plan)


def _moment(date: datetime | float) -> datetime:
    return date.astimezone(UTC) if isinstance(date, datetime) else datetime.fromtimestamp(date, UTC)


def used(client: DynamoDBClient, table: str, tasks: TaskTable, owner: str, now: datetime) -> Use:
    """Return what an owner has done; raises UnavailableError."""
    newest = tasks.page(owner, 1).tasks
    days = Usage(client, table).days(owner, now.date().replace(day=1), now.date())
    month = sum((day.total for day in days.values()), Sums())
    return Use(newest[0].submitted_at if newest else "", read_open_work(client, table, owner, now), month)


def own_bounds(arguments: argparse.Namespace) -> dict[str, float]:
    """Return the bounds that the arguments give, by their names in Most; raises KeysError."""
    given = {"tasks": arguments.open_tasks, "seconds": arguments.compute_seconds, "dollars": arguments.dollars}
    own = {name: number for name, number in given.items() if number is not None}
    if not all(0 <= number <= MOST for number in own.values()):
        raise KeysError(f"Bounds are numbers from 0 to {MOST:,}.")
    return own


def shown(own: Mapping[str, float]) -> str:
    """Return a key's own bounds in words."""
    words = {"tasks": "tasks open", "seconds": "compute seconds open", "dollars": "dollars a month"}
    return ", ".join(f"{own[name]:,.15g} {what}" for name, what in words.items() if name in own)


def lines(keys: Sequence[Key], uses: Mapping[str, Use], now: datetime) -> Iterator[str]:
    """Yield the list that `make keys` prints."""
    head = ("name", "id", "owner", "state", "limits", "last task", "open", "this month")
    rows = [
        (
            key.name or "-",
            key.key_id,
            key.owner,
            key.state(now),
            ", ".join(filter(None, [key.limits(), shown(use.open_work.own)])),
            use.last_task[:16].replace("T", " ") or "none",
            f"{use.open_work.tasks:,}",
            f"{use.this_month.tasks:,} tasks, {use.this_month.cost_usd:.4f} dollars",
        )
        for key in keys
        for use in [uses[key.owner]]
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def carry_out(arguments: argparse.Namespace, stack: Deployed, now: datetime) -> Iterator[str]:
    """Carry out one command and yield what to print; raises KeysError, and what AWS's calls raise."""
    keys = Keys.of(stack)
    client, table = stack.session.client("dynamodb", endpoint_url=stack.endpoint), stack.outputs["TASKS_TABLE_NAME"]
    match arguments.command:
        case "list":
            found, tasks = keys.all(), stack.task_table()
            uses = {owner: used(client, table, tasks, owner, now) for owner in {key.owner for key in found}}
            yield from lines(found, uses, now)
        case "create":
            limits = {"rateLimit": arguments.rate, "burstLimit": arguments.burst}
            throttle = {name: value for name, value in limits.items() if value is not None}
            keys.check_name(arguments.key)
            owner = new_owner()
            if own := own_bounds(arguments):  # before the key is there: it never works without them
                set_most(client, table, owner, own)
            key, value = keys.create(arguments.key, owner, throttle, arguments.per_day)
            may = key.limits() + (f", and have {shown(own)}" if own else "")
            yield f"The key {key.name!r} ({key.key_id}) may send {may}. Its value, for the header x-api-key:"
            yield value
        case "bound":
            key, own = keys.one(arguments.key), own_bounds(arguments)
            if not own:
                raise KeysError("Give at least one bound: OPEN_TASKS=, COMPUTE_SECONDS= or DOLLARS=.")
            set_most(client, table, key.owner, own)
            yield f"The key {key.key_id} ({key.name}) may have {shown(own)}, in {LOOK_SECONDS:.0f} seconds at most."
        case "rotate":
            overlap = timedelta(days=arguments.overlap_days)
            old, new, value = keys.rotate(arguments.key, overlap, now)
            yield f"The key {new.key_id} takes the place of {old.key_id} and has its tasks. Its value:"
            yield value
            if overlap:
                RotatedKeys(client, table).add(old.key_id, now + overlap)
                yield f"The old one works until {now + overlap:%Y-%m-%d %H:%M} UTC."
        case "disable":
            key = keys.one(arguments.key)
            keys.disable(key)
            yield f"The key {key.key_id} ({key.name}) is disabled; API Gateway may take a minute to refuse it."
        case "expire":
            over = keys.expire(now)
            yield f"{len(over)} rotated keys disabled: {', '.join(key.key_id for key in over) or 'none was due'}."


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    commands.add_parser("expire")
    commands.add_parser("disable").add_argument("key")
    create, bound, rotate = (commands.add_parser(name) for name in ("create", "bound", "rotate"))
    for command in (create, bound):
        command.add_argument("key")
        command.add_argument("--open-tasks", type=int, help="tasks that have not ended")
        command.add_argument("--compute-seconds", type=float, help="of those tasks, as estimated")
        command.add_argument("--dollars", type=float, help="that its tasks may cost in a month, UTC")
    create.add_argument("--rate", type=float, help="requests a second over time")
    create.add_argument("--burst", type=int, help="requests at once")
    create.add_argument("--per-day", type=int, help="requests in a day, UTC")
    rotate.add_argument("key")
    rotate.add_argument("--overlap-days", type=float, default=OVERLAP_DAYS)
    arguments = parser.parse_args()
    try:
        for line in carry_out(arguments, deployed(os.environ.get("STACK", "")), utc_now()):
            print(line)
    except (KeysError, LocalStackError, UnavailableError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
