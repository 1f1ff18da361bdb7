"""`make keys` against MiniStack's API Gateway: what is made, listed, rotated and disabled, and whose the tasks are."""

from __future__ import annotations

import re
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from lambda_events import Context, http_event
from ministack.services import apigateway_v1
from test_store import new_task

from api import handler
from ending_keys import end_rotated_keys
from insights import Event, evaluate
from keys import Key, Keys, KeysError, Use, carry_out, lines
from local.deployed import Deployed
from local.ministack_main import disable_keys
from logs import tables_of
from simulated_aws import BELL, ask_ministack
from tasks import aws
from tasks.open_work import OpenWork
from tasks.owners import new_value, owner_of
from tasks.rotated_keys import RotatedKeys
from tasks.task import utc_now
from tasks.usage import Sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws

disable_keys()
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LIMITS = {"throttle": {"rateLimit": 50.0, "burstLimit": 100}, "quota": {"limit": 100_000, "period": "DAY"}}


@pytest.fixture(name="gateway")
def fixture_gateway(in_moto: Aws) -> Any:
    """Give a client of an API Gateway without keys."""
    apigateway_v1.reset()
    gateway = boto3.client("apigateway")
    ask_ministack(gateway, apigateway_v1)
    return gateway


@pytest.fixture(name="stack")
def fixture_stack(in_moto: Aws, gateway: Any, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """Give a stack with a usage plan and its first key, as the template makes them, and a key of something else."""
    plan = gateway.create_usage_plan(name="plan", apiStages=[{"apiId": "api", "stage": "v1"}], **LIMITS)
    first = gateway.create_api_key(name="first", value="v" * 40, enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=first["id"], keyType="API_KEY")
    gateway.create_api_key(name="stray", value="s" * 40, enabled=True)
    outputs = {"USAGE_PLAN_ID": plan["id"], "TASKS_TABLE_NAME": in_moto.settings.tasks_table}
    outputs["PAYLOAD_BUCKET_NAME"] = in_moto.settings.payload_bucket
    session = boto3.session.Session(region_name="us-east-1")
    clients = {"apigateway": gateway, "dynamodb": aws.client("dynamodb"), "s3": aws.client("s3")}
    monkeypatch.setattr(session, "client", lambda service, **_: clients[service])
    return Deployed("stack", session, outputs, None)


def printed(stack: Deployed, command: str, now: datetime = NOW, **arguments: Any) -> list[str]:
    """Carry out a command; return what it prints."""
    none = dict.fromkeys(("rate", "burst", "per_day", "open_tasks", "compute_seconds", "dollars"))
    defaults = {**none, "overlap_days": 7}
    return list(carry_out(Namespace(command=command, **{**defaults, **arguments}), stack, now))


def with_key(method: str, path: str, value: str, key_id: str, body: Any = None) -> int:
    """Send a request with a key that API Gateway has checked; return the status."""
    event = http_event(method, path, body, api_key_id=key_id)
    event["requestContext"]["identity"]["apiKey"] = value
    status: int = handler(event, Context())["statusCode"]
    return status


def test_a_key_is_made_with_a_name_and_limits(stack: Deployed, gateway: Any) -> None:
    """Limits that are not given are the stack's; without any it is in the stack's own plan."""
    sentence, value = printed(stack, "create", key="team a", rate=5.0, per_day=1000)
    assert re.fullmatch(
        r"The key 'team a' \(\w+\) may send 5/s, 100 at once, 1,000 a day. Its value, for the header x-api-key:",
        sentence,
    )
    assert re.fullmatch(r"qck-[0-9a-f]{16}-[0-9A-Za-z]{40}", value)
    assert "50/s, 100 at once, 100,000 a day" in printed(stack, "create", key="b")[0]
    made = {key["name"]: key["value"] for key in gateway.get_api_keys(includeValues=True)["items"]}
    assert made["team a"] == value
    assert len(gateway.get_usage_plans()["items"]) == 2


def test_a_key_is_given_bounds_of_its_own(in_moto: Aws, stack: Deployed) -> None:
    """When it is made or later, one or all; the list has them, the key that takes its place too, and they hold."""
    sentence, value = printed(stack, "create", key="c", open_tasks=2, dollars=0.25)
    assert "100,000 a day, and have 2 tasks open, 0.25 dollars a month. Its value" in sentence
    assert printed(stack, "bound", key="c", compute_seconds=900)[0].endswith(
        "(c) may have 900 compute seconds open, in 10 seconds at most."
    )
    rotated = printed(stack, "rotate", key="c")[1]
    shown = "100,000 a day, 2 tasks open, 900 compute seconds open, 0.25 dollars a month"
    assert sum(shown in line for line in printed(stack, "list", utc_now())) == 2
    statuses = [with_key("POST", "/tasks", each, "an id", {"qc": BELL}) for each in (value, rotated, value)]
    assert statuses == [200, 200, 429]
    with pytest.raises(KeysError, match="Give at least one bound: OPEN_TASKS="):
        printed(stack, "bound", key="c")
    for wrong in (-1, float("nan")):
        with pytest.raises(KeysError, match="Bounds are numbers from 0 to 1,000,000,000"):
            printed(stack, "create", key="d", dollars=wrong)


@pytest.mark.parametrize("name", ["", "-x", "a" * 65, "a\nb", "first"])
def test_a_name_that_is_none_or_taken_is_refused(stack: Deployed, name: str) -> None:
    """The message says what to do."""
    with pytest.raises(KeysError, match=r"choose another name|is not a name for a key: use"):
        printed(stack, "create", key=name)


def test_a_rotated_key_has_the_tasks_of_the_one_before(in_moto: Aws, stack: Deployed) -> None:
    """Both values read them while they overlap, whatever key it was; another key does not."""
    first = Keys.of(stack).one("first")
    in_moto.store.submit(task := new_task(owner=first.owner))
    sentence, value, until = printed(stack, "rotate", key="first")
    new = Keys.of(stack).one("first")
    assert sentence == f"The key {new.key_id} takes the place of {first.key_id} and has its tasks. Its value:"
    assert until == "The old one works until 2026-12-05 12:00 UTC."
    assert (new.owner, new.plan["id"]) == (first.owner, first.plan["id"])
    path = f"/tasks/{task.task_id}"
    assert with_key("GET", path, "v" * 40, first.key_id) == 200
    assert with_key("GET", path, value, new.key_id) == 200
    other = printed(stack, "create", key="other")[1]
    assert with_key("GET", path, other, Keys.of(stack).one("other").key_id) == 404
    with pytest.raises(KeysError, match="rotate the one that took its place"):
        printed(stack, "rotate", key=first.key_id)
    again = printed(stack, "rotate", key="first", overlap_days=0)
    assert len(again) == 2
    assert with_key("GET", path, again[1], "a newer id") == 200
    states = {key.key_id: key.state(NOW) for key in Keys.of(stack).all()}
    assert (states[first.key_id], states[new.key_id]) == ("until 2026-12-05 12:00", "disabled")


def test_what_has_overlapped_for_long_enough_is_disabled(stack: Deployed) -> None:
    """By `expire`, not before its time, and once."""
    first = Keys.of(stack).one("first").key_id
    printed(stack, "rotate", key="first")
    assert printed(stack, "expire", NOW + timedelta(days=6)) == ["0 rotated keys disabled: none was due."]
    late = NOW + timedelta(days=7)
    assert Keys.of(stack).one(first).state(late) == "overlap over"
    assert printed(stack, "expire", late) == [f"1 rotated keys disabled: {first}."]
    assert printed(stack, "expire", late) == ["0 rotated keys disabled: none was due."]
    assert Keys.of(stack).one(first).state(late) == "disabled"


def test_the_sweeper_ends_what_has_overlapped_for_long_enough(
    in_moto: Aws, stack: Deployed, gateway: Any, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """Once it is due; one that is gone is nobody's business, and one that cannot be ended is tried again."""
    for name in ("gone", "other"):
        printed(stack, "create", key=name)
    ids = [Keys.of(stack).one(name).key_id for name in ("first", "gone", "other")]
    for name in ("first", "gone", "other"):
        printed(stack, "rotate", key=name)
    gateway.delete_api_key(apiKey=ids[1])
    rotated, late = RotatedKeys(aws.client("dynamodb"), in_moto.settings.tasks_table), NOW + timedelta(days=7)
    ask_ministack(aws.client("apigateway"), apigateway_v1)
    tags = gateway.get_tags(resourceArn=f"arn:aws:apigateway:us-east-1::/apikeys/{ids[0]}")["tags"]
    assert tags == {"rotated-in": "stack"}  # by which the sweeper's role may do it
    end_rotated_keys(rotated, late - timedelta(seconds=1))
    assert Keys.of(stack).one(ids[0]).enabled
    with Stubber(aws.client("apigateway")) as api:
        for _ in ids:
            api.add_client_error("update_api_key", "TooManyRequestsException")
        end_rotated_keys(rotated, late)
    assert rotated.due(late) == sorted(ids)
    for _ in range(2):
        end_rotated_keys(rotated, late)
    assert [Keys.of(stack).one(key_id).enabled for key_id in (ids[0], ids[2])] == [False, False]
    assert rotated.due(late) == []
    assert [line["event"] for line in log_lines()][-6:] == ["key_not_ended"] * 3 + ["key_ended"] * 3


def test_a_key_is_disabled_by_name_or_id(stack: Deployed, gateway: Any) -> None:
    """The error for an unknown one says so, and a disabled one cannot be rotated."""
    key_id = Keys.of(stack).one("first").key_id
    assert printed(stack, "disable", key="first") == [
        f"The key {key_id} (first) is disabled; API Gateway may take a minute to refuse it."
    ]
    assert gateway.get_api_key(apiKey=key_id)["enabled"] is False
    with pytest.raises(KeysError, match="is disabled: create another"):
        printed(stack, "rotate", key="first")
    with pytest.raises(KeysError, match="No key has the id or name 'stray': `make keys` lists them"):
        printed(stack, "disable", key="stray")


def test_the_list_has_last_use_and_usage(in_moto: Aws, stack: Deployed) -> None:
    """A line a key, the oldest first; keys of other APIs are not among them."""
    owner = Keys.of(stack).one("first").owner
    in_moto.store.submit(new_task(owner=owner, submitted_at="2026-11-27T10:11:12.000Z"))
    head, first = printed(stack, "list", utc_now())
    assert head.split() == ["name", "id", "owner", "state", "limits", "last", "task", "open", "this", "month"]
    assert re.search(
        r"first +\w+ +\w+ +enabled +50/s, 100 at once, 100,000 a day +2026-11-27 10:11 +0 +0 tasks, 0", first
    )


def test_log_lines_owners_have_the_names_of_their_keys(stack: Deployed) -> None:
    """Where the stand-in's lines are asked with `lookup`; a key that took another's place has its owner and name."""
    printed(stack, "create", key="team a")
    local = replace(stack, endpoint="http://127.0.0.1:1")
    first, team = sorted(Keys.of(local).all(), key=lambda key: key.name)
    assert (team.name, first.owner) == ("team a", owner_of("v" * 40, None))
    printed(local, "rotate", key="team a")
    tables = tables_of(local, "stats count(*) by owner | LOOKUP owners id as owner output name")
    assert sorted(tables["owners"].rows) == sorted([(first.owner, "first"), *[(team.owner, "team a")] * 2])
    line = Event(0, f'{{"owner": "{team.owner}"}}', "stream", "group")
    assert evaluate("lookup owners id as owner output name", [line], tables=tables).rows[0]["name"] == "team a"
    assert tables_of(local, "fields lookups") == {}  # nobody asks for the keys then
    assert tables_of(stack, "lookup owners id as owner output name") == {}  # CloudWatch has its own


def test_a_line_of_the_list() -> None:
    """What is open and what the month has cost, by the key's owner."""
    key = Key("id", "", "alice", enabled=True, created=NOW, ends_at=None, plan=LIMITS)
    month = Sums(tasks=1234, shots=1, billed_ms=1, cost_usd=Decimal("1.23456"))
    use = Use("", OpenWork(5, 1.0, 0.0), month)
    _, line = lines([key], {"alice": use}, NOW)
    assert re.split(r"  +", line)[4:] == [key.limits(), "none", "5", "1,234 tasks, 1.2346 dollars"]


def test_only_a_value_that_was_checked_names_its_owner(in_moto: Aws) -> None:
    """A header beside the key that API Gateway checked says nothing; two keys at once are nobody's that there is."""
    in_moto.store.submit(task := new_task(owner="a1b2c3d4e5f60718"))
    forged = new_value("a1b2c3d4e5f60718")
    path = f"/tasks/{task.task_id}"
    event = http_event("GET", path, None, {"x-api-key": forged}, api_key_id="bob")
    assert handler(event, Context())["statusCode"] == 404
    local = http_event("GET", path, None, {"x-api-key": forged}, api_key_id=None)
    assert handler(local, Context())["statusCode"] == 200
    for name in ("multiValueHeaders", "headers"):
        local.pop(name, None)
    local["multiValueHeaders"] = {"x-api-key": [forged, "another-key-of-somebody"]}
    assert handler(local, Context())["statusCode"] == 404
    assert owner_of(forged + "x", "id") == "id"


def test_a_request_without_limits_left_is_not_a_matter_of_its_key(in_moto: Aws, stack: Deployed) -> None:
    """The bounds count by owner: a rotated key has no new amount to spend."""
    value = printed(stack, "create", key="c")[1]
    owner = Keys.of(stack).one("c").owner
    rotated = printed(stack, "rotate", key="c")[1]
    for each in (value, rotated):
        assert with_key("POST", "/tasks", each, "any id", {"qc": BELL}) == 200
    assert {row["owner"]["S"] for row in in_moto.rows()} == {owner}
