"""What `make deploy` asks of the account before it builds: one table, and a stop where something is short."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.translate import load
from release.package import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from release.parameters import Environment

# New accounts start with 10 environments and 3,008 MB a function; the first can be asked for, the second goes with it
# (Lambda developer guide, "Lambda quotas").
NEW_ACCOUNT_ENVIRONMENTS = 10
NEW_ACCOUNT_MEMORY_MB = 3008
UNRESERVED = 100  # which Lambda keeps for functions without a reservation; a new account's 10 in full
RESERVATIONS = ("ApiReservedConcurrency", "DryRunReservedConcurrency")
FARGATE_VCPUS = ("fargate", "L-3032A538")  # service and quota code of "Fargate On-Demand vCPU resource count"
TEMPLATE_BYTES = 51_200  # most that validate-template takes in the call (CloudFormation user guide, quotas)
LONG = ("AWS::CloudWatch::Dashboard", "AWS::Logs::QueryDefinition", "AWS::CloudWatch::Alarm", "AWS::SQS::QueuePolicy")
TEXTS = {"Description", "AlarmDescription", "AssertDescription", "QueryString", "application/json"}  # for people
SETTLED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "REVIEW_IN_PROGRESS"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the table. `remedy` is empty where all is well; `stops` says that the deployment would fail."""

    subject: str
    needed: str
    there: str
    remedy: str = ""
    stops: bool = True


def ask(environment: Environment) -> Environment:
    """Print what the account has beside what the environment needs; return it as it is to be deployed.

    In a small account that is with less than the template's defaults. Raises ReleaseError when it cannot be deployed.
    """
    session = boto3.session.Session()
    try:
        caller = session.client("sts").get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        raise ReleaseError(f"AWS does not answer: {error}\nSet AWS_PROFILE and AWS_REGION.") from error
    print(f"{environment.stack} in account {caller['Account']}, region {session.region_name}:")
    wanted, environment = environment, fitted_to_account(environment, session)
    answers = [answer for question in QUESTIONS for answer in asked(question, environment, session)]
    for answer in answers:
        state = "ok" if not answer.remedy else "STOP" if answer.stops else "?"
        print(f"  {state:5}{answer.subject:34}{answer.needed:>16}  {answer.there}")
    if remedies := [f"{answer.subject}: {answer.remedy}" for answer in answers if answer.remedy]:
        print("\n".join(remedies))
    for name, value in environment.parameters.items():
        if value != (default := wanted.parameters[name]):
            print(f"{name}: {value} in place of {default}, for which this account is too small.")
    if short := [answer.subject for answer in answers if answer.remedy and answer.stops]:
        raise ReleaseError(f"Nothing was built or deployed: {', '.join(short)}.")
    return environment


def fitted_to_account(environment: Environment, session: Any) -> Environment:  # noqa: ANN401 - boto3's session
    """Return the environment fitted to what Lambda says of the account; as it is where Lambda may not be asked."""
    try:
        return fitted(environment, *concurrency(environment, session))
    except (ClientError, BotoCoreError):
        return environment  # the questions say why


def concurrency(environment: Environment, session: Any) -> tuple[int, int]:  # noqa: ANN401
    """Return how many environments of functions the account has, and how many of them the stack may reserve.

    What the stack has reserved already is its own; what others have is not.
    """
    limits = session.client("lambda").get_account_settings()["AccountLimit"]
    try:
        (stack,) = session.client("cloudformation").describe_stacks(StackName=environment.stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        stack = {}  # there is none yet
    own = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    reserved = sum(int(own.get(name, "0")) for name in RESERVATIONS)
    return limits["ConcurrentExecutions"], max(0, limits["UnreservedConcurrentExecutions"] + reserved - UNRESERVED)


def fitted(environment: Environment, limit: int, free: int) -> Environment:
    """Return the environment with as much as an account has in place of the template's defaults, where they are more.

    `limit` is how many environments of functions it has, `free` how many of them may be reserved. What samconfig.toml
    says itself stays: a deployment does not silently do less than it was asked for.
    """
    fitting: dict[str, str] = {}
    if sum(int(environment.parameters[name]) for name in RESERVATIONS) > free:
        fitting |= dict.fromkeys(RESERVATIONS, "0")
    if limit <= NEW_ACCOUNT_ENVIRONMENTS:
        fitting["LargeWorkerMemoryMB"] = str(NEW_ACCOUNT_MEMORY_MB)
    if int(environment.parameters["MaxWaits"]) >= limit:  # each wait keeps one busy, and not only those who wait ask
        fitting["MaxWaits"] = str(limit * 2 // 5)
    defaults = {name: value for name, value in fitting.items() if name not in environment.given}
    return replace(environment, parameters={**environment.parameters, **defaults})


def asked(
    question: Callable[[Environment, Any], Iterator[Answer]],
    environment: Environment,
    session: Any,  # noqa: ANN401
) -> list[Answer]:
    """Return a question's answers; one that AWS does not let this caller ask stops nothing."""
    try:
        return list(question(environment, session))
    except (ClientError, BotoCoreError) as error:
        return [Answer(question.__name__.replace("_", " "), "", "not known", str(error), stops=False)]


def state_of_the_stack(environment: Environment, session: Any) -> Iterator[Answer]:  # noqa: ANN401 - boto3's session
    """Say whether the stack takes a deployment: not while it is at work, nor after what no update mends."""
    try:
        (stack,) = session.client("cloudformation").describe_stacks(StackName=environment.stack)["Stacks"]
        state = stack["StackStatus"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        state = "new"
    remedy = ""
    if state.endswith("_IN_PROGRESS") and state not in SETTLED:
        remedy = "wait until it has ended."
    elif state not in SETTLED | {"new"}:
        remedy = f"`aws cloudformation delete-stack --stack-name {environment.stack}`; the table and the bucket stay."
    yield Answer("state of the stack", "settled", state, remedy)


def template(_: Environment, session: Any) -> Iterator[Answer]:  # noqa: ANN401
    """Ask CloudFormation itself about the template, what is long left out for the size of a call."""
    whole = load()
    for kind in LONG:
        whole["Resources"] = without_leaves(whole["Resources"], kind)
    body = json.dumps(without_texts(whole), separators=(",", ":"))
    if len(body) > TEMPLATE_BYTES:
        yield Answer("template", f"{TEMPLATE_BYTES} bytes", f"{len(body)} bytes", "too long to be asked.", stops=False)
        return
    try:
        session.client("cloudformation").validate_template(TemplateBody=body)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        yield Answer("template", "valid", "refused", error.response["Error"]["Message"])
    else:
        yield Answer("template", "valid", "valid")


def without_leaves(resources: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the resources without those of a type that no other of them refers to."""
    whole = json.dumps(resources)
    return {
        name: resource
        for name, resource in resources.items()
        if resource["Type"] != kind or whole.count(f'"{name}"') + whole.count(f"${{{name}") > 1
    }


def without_texts(part: Any) -> Any:  # noqa: ANN401 - any part of a template
    """Return a part of the template, texts for people replaced by one letter, the others without indentation."""
    match part:
        case str():
            return " ".join(part.split())
        case dict():
            return {
                name: "-" if name in TEXTS and isinstance(value, str) else without_texts(value)
                for name, value in part.items()
            }
        case list():
            return [without_texts(value) for value in part]
    return part


def environments_of_functions(environment: Environment, session: Any) -> Iterator[Answer]:  # noqa: ANN401
    """Compare the environments that event sources may start, what is reserved, and the memory, with the account's."""
    limit, free = concurrency(environment, session)
    needed = most_environments(load(), environment.parameters)
    raising = "ask for more in Service Quotas (AWS Lambda, Concurrent executions), or lower"
    remedy = "" if needed <= limit else f"functions will wait for each other; {raising} the maximum concurrencies."
    yield Answer("environments of functions", str(needed), str(limit), remedy, stops=False)
    if reserved := sum(int(environment.parameters[name]) for name in RESERVATIONS):
        remedy = (
            "" if reserved <= free else f"Lambda refuses to reserve so many; {raising} {' and '.join(RESERVATIONS)}."
        )
        yield Answer("reserved for api and dry runs", str(reserved), str(free), remedy)
    memory = max(int(environment.parameters[name]) for name in ("WorkerMemoryMB", "LargeWorkerMemoryMB"))
    new = limit <= NEW_ACCOUNT_ENVIRONMENTS
    remedy = f"a new account, it seems: LargeWorkerMemoryMB={NEW_ACCOUNT_MEMORY_MB}, or ask AWS Support for more."
    there = f"{NEW_ACCOUNT_MEMORY_MB} MB, probably" if new else "10240 MB"
    short = new and memory > NEW_ACCOUNT_MEMORY_MB
    yield Answer("memory of a function", f"{memory} MB", there, remedy if short else "", stops=False)


def most_environments(described: Mapping[str, Any], parameters: Mapping[str, str]) -> int:
    """Return how many environments the event sources may keep at work together; the api's come on top."""
    most = 0
    for resource in described["Resources"].values():
        for event in resource["Properties"].get("Events", {}).values() if "Properties" in resource else ():
            match event["Properties"].get("ScalingConfig"):
                case {"MaximumConcurrency": {"Ref": name}}:
                    most += int(parameters[name])
                case {"MaximumConcurrency": int(number)}:
                    most += number
    return most


def vcpus_of_jobs(environment: Environment, session: Any) -> Iterator[Answer]:  # noqa: ANN401
    """Compare the vCPUs on Fargate: new accounts have few, and jobs beyond them wait as RUNNABLE for ever."""
    if not environment.jobs:
        return
    service, code = FARGATE_VCPUS
    quota = session.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"]
    needed = int(environment.parameters["LargeJobMaxVCpus"])
    remedy = "ask for more in Service Quotas (AWS Fargate), or lower LargeJobMaxVCpus." if needed > quota else ""
    yield Answer("vCPUs of jobs", str(needed), f"{quota:.0f}", remedy)


def network_of_jobs(environment: Environment, session: Any) -> Iterator[Answer]:  # noqa: ANN401
    """Say whether the subnets are in the network."""
    if not environment.jobs:
        return
    vpc, subnets = environment.parameters["LargeJobVpc"], environment.parameters["LargeJobSubnets"].split(",")
    if not vpc or not all(subnets):
        yield Answer("network of jobs", "given", "none", "set LargeJobVpc and LargeJobSubnets; README says how.")
        return
    found = session.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    networks = sorted({subnet["VpcId"] for subnet in found})
    remedy = "" if networks == [vpc] else "LargeJobSubnets must be subnets of LargeJobVpc."
    yield Answer("network of jobs", vpc, ", ".join(networks), remedy)


def key_of_yours(environment: Environment, session: Any) -> Iterator[Answer]:  # noqa: ANN401
    """Say whether the key is one that encrypts, enabled, and of this region."""
    if not (key := environment.parameters["KmsKeyArn"]):
        return
    found = session.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    usable = (found["KeyState"], found.get("KeySpec")) == ("Enabled", "SYMMETRIC_DEFAULT")
    here = key.split(":")[3] == session.region_name
    remedy = "" if usable and here else "KmsKeyArn must be an enabled symmetric key of this region."
    yield Answer("key of yours", "Enabled", f"{found['KeyState']}, {found.get('KeySpec')}", remedy)


def topic_of_alarms(environment: Environment, session: Any) -> Iterator[Answer]:  # noqa: ANN401
    """Say whether the topic is there: an alarm of one that is not goes off, and nobody sees it."""
    if not (topic := environment.parameters["AlarmTopicArn"]):
        return
    try:
        session.client("sns").get_topic_attributes(TopicArn=topic)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NotFound", "InvalidParameter"}:
            raise
        yield Answer("topic of alarms", "there", "not there", "AlarmTopicArn names no topic of this region.")
    else:
        yield Answer("topic of alarms", "there", "there")


QUESTIONS = (
    state_of_the_stack,
    template,
    environments_of_functions,
    vcpus_of_jobs,
    network_of_jobs,
    key_of_yours,
    topic_of_alarms,
)
