"""What `make deploy` asks of an account: boto3's clients, their answers scripted: this needs an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.validate import validate_parameters

from local.translate import load
from release import account
from release.package import ReleaseError
from release.parameters import Environment, defaults_of, environment
from simulated_aws import SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "arn:aws:kms:us-east-1:123456789012:key/id"
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
NOTHING_RESERVED = {"ApiReservedConcurrency": "0", "DryRunReservedConcurrency": "0"}
JOBS = {"LargeJobMemoryMB": "30720", "LargeJobVpc": "vpc-1", "LargeJobSubnets": "subnet-1,subnet-2"}


def refused(code: str, message: str) -> ClientError:
    """Return AWS's refusal."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "operation")


def key(state: str = "Enabled") -> dict[str, Any]:
    """Return how KMS describes a key."""
    return {"KeyMetadata": {"KeyId": "id", "KeyState": state, "KeySpec": "SYMMETRIC_DEFAULT"}}


def environments(number: int) -> dict[str, Any]:
    """Return how Lambda describes an account of which nothing is reserved."""
    return {"AccountLimit": {"ConcurrentExecutions": number, "UnreservedConcurrentExecutions": number}}


def stack(state: str) -> dict[str, Any]:
    """Return how CloudFormation describes a stack."""
    return {"Stacks": [{"StackStatus": state}]}


def subnets(*networks: str) -> dict[str, Any]:
    """Return how EC2 describes subnets of these networks."""
    return {"Subnets": [{"VpcId": network} for network in networks]}


@pytest.fixture(name="answers")
def fixture_answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give what AWS answers to each operation, a dictionary or an error; what it is asked has the operation's shape."""
    answers: dict[str, Any] = {
        "GetCallerIdentity": {"Account": "123456789012"},
        "DescribeStacks": stack("UPDATE_COMPLETE"),
        "ValidateTemplate": {},
        "GetAccountSettings": environments(1000),
        "GetServiceQuota": {"Quota": {"Value": 64.0}},
        "DescribeSubnets": subnets("vpc-1", "vpc-1"),
        "DescribeKey": key(),
        "GetTopicAttributes": {},
    }

    def answer(client: Any, operation: str, asked: dict[str, Any]) -> Any:
        validate_parameters(asked, client.meta.service_model.operation_model(operation).input_shape)
        if isinstance(answers[operation], Exception):
            raise answers[operation]
        return answers[operation]

    monkeypatch.setattr("boto3.session.Session", lambda: SESSION)
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", answer)
    return answers


@pytest.fixture(name="ask")
def fixture_ask(answers: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Give a function that asks for a stack with these parameters and returns what was printed."""

    def ask(**given: str) -> str:
        given = NOTHING_RESERVED | given
        account.ask(Environment("dev", "stack", defaults_of(load()) | given, given.keys()))
        return capsys.readouterr().out

    return ask


Ask = Any  # of the fixture above


def test_an_account_that_has_everything_is_deployed_to(ask: Ask) -> None:
    """Each question has its line, and nothing is short."""
    printed = ask(**JOBS, KmsKeyArn=KEY, AlarmTopicArn=TOPIC, ApiReservedConcurrency="50")
    lines = printed.splitlines()
    assert lines[0] == "stack in account 123456789012, region us-east-1:"
    assert [line[:5].strip() for line in lines[1:]] == ["ok"] * (len(lines) - 1)
    assert len(lines) == 1 + 9


@pytest.mark.parametrize(
    ("change", "given", "subject"),
    [
        ({"DescribeStacks": stack("UPDATE_IN_PROGRESS")}, {}, "state of the stack"),
        ({"DescribeStacks": stack("ROLLBACK_COMPLETE")}, {}, "state of the stack"),
        ({"ValidateTemplate": refused("ValidationError", "Template error")}, {}, "template"),
        ({"GetAccountSettings": environments(100)}, {"ApiReservedConcurrency": "1"}, "reserved for api and dry runs"),
        ({"GetServiceQuota": {"Quota": {"Value": 6.0}}}, JOBS, "vCPUs of jobs"),
        ({"DescribeSubnets": subnets("vpc-1", "vpc-2")}, JOBS, "network of jobs"),
        ({}, JOBS | {"LargeJobSubnets": ""}, "network of jobs"),
        ({"DescribeKey": key("Disabled")}, {"KmsKeyArn": KEY}, "key of yours"),
        ({}, {"KmsKeyArn": KEY.replace("us-east-1", "eu-west-1")}, "key of yours"),
        ({"GetTopicAttributes": refused("NotFound", "No topic")}, {"AlarmTopicArn": TOPIC}, "topic of alarms"),
    ],
)
def test_what_would_fail_after_minutes_stops_it_at_once(
    answers: dict[str, Any],
    ask: Ask,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    given: dict[str, str],
    subject: str,
) -> None:
    """Nothing is built, and the table and a sentence say what is short."""
    answers |= change
    with pytest.raises(ReleaseError, match=f"^Nothing was built or deployed: {subject}.$"):
        ask(**given)
    printed = capsys.readouterr().out
    assert f"  STOP {subject}" in printed
    assert f"\n{subject}: " in printed


def test_a_new_account_is_told_what_will_wait(answers: dict[str, Any], ask: Ask) -> None:
    """With 10 environments and 3,008 MB, sizes that samconfig.toml names are too large; the deployment goes on."""
    answers["GetAccountSettings"] = environments(10)
    printed = ask(WorkerMaximumConcurrency="50", LargeWorkerMemoryMB="10240")
    assert "  ?    environments of functions" in printed
    assert "  ?    memory of a function" in printed


@pytest.mark.parametrize(
    ("limit", "unreserved", "stacks", "fitting"),
    [
        (1000, 1000, [{}], {}),
        (10, 10, [{}], {**NOTHING_RESERVED, "LargeWorkerMemoryMB": "3008", "MaxWaits": "4"}),
        (200, 200, [{}], NOTHING_RESERVED),  # 100 and 2 are wanted
        (300, 150, [{}], NOTHING_RESERVED),  # others have reserved the rest
        (300, 198, [{"Parameters": [{"ParameterKey": "ApiReservedConcurrency", "ParameterValue": "102"}]}], {}),
    ],
)
def test_defaults_that_an_account_is_too_small_for_give_way(
    answers: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    limit: int,
    unreserved: int,
    stacks: list[dict[str, Any]],
    fitting: dict[str, str],
) -> None:
    """And each is printed; nothing of a grown account's does, whose own stack has reserved what it wants."""
    counts = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
    answers["GetAccountSettings"] = {"AccountLimit": counts}
    answers["DescribeStacks"] = {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", **stack} for stack in stacks]}
    defaults = defaults_of(load())
    assert account.ask(Environment("dev", "stack", defaults)).parameters == defaults | fitting
    printed = capsys.readouterr().out
    sent = [line for line in printed.splitlines() if " in place of " in line]
    assert sorted(line.split(":")[0] for line in sent) == sorted(fitting)
    assert "STOP" not in printed


def test_what_samconfig_says_is_not_made_less(answers: dict[str, Any], ask: Ask) -> None:
    """A deployment that cannot be what it was asked to be stops."""
    answers["GetAccountSettings"] = environments(150)
    with pytest.raises(ReleaseError, match="reserved for api and dry runs"):
        ask(ApiReservedConcurrency="60")


def test_devs_defaults_fit_a_new_account() -> None:
    """All of what its event sources may start at once, and its largest function."""
    dev = environment("dev").parameters
    assert account.most_environments(load(), dev) <= account.NEW_ACCOUNT_ENVIRONMENTS
    assert int(dev["LargeWorkerMemoryMB"]) <= account.NEW_ACCOUNT_MEMORY_MB
    assert {name: dev[name] for name in NOTHING_RESERVED} == NOTHING_RESERVED


def test_a_question_that_may_not_be_asked_stops_nothing(answers: dict[str, Any], ask: Ask) -> None:
    """A role for deployments need not be able to read quotas."""
    denied = refused("AccessDeniedException", "You may not ask.")
    answers |= {"GetAccountSettings": denied, "GetServiceQuota": denied}
    printed = ask(**JOBS)
    assert "  ?    vcpus of jobs" in printed
    assert "You may not ask." in printed


def test_a_new_stack_is_deployed_to(answers: dict[str, Any], ask: Ask) -> None:
    """There is none of that name yet."""
    answers["DescribeStacks"] = refused("ValidationError", "Stack with id stack does not exist")
    assert "  ok   state of the stack" in ask()


def test_without_credentials_it_says_so(answers: dict[str, Any], ask: Ask) -> None:
    """In one sentence, before anything else."""
    answers["GetCallerIdentity"] = NoCredentialsError()
    with pytest.raises(ReleaseError, match="Unable to locate credentials"):
        ask()
