"""`make preflight`: it finds nothing here, and each known fault when it is put back into a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.translate import ROOT, TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path

# What AWS refused once, or would have: the file, what it has now, what it had, and the finding: place and property.
FAULTS = {
    "schedules named alike": (
        "template.yaml",
        "ScheduleExpression: rate(1 minute), OmitName: true",
        "ScheduleExpression: rate(1 minute)",
        r"template\.yaml:\d+: SweeperFunctionEachMinute\.Name: 'SweeperFunctionEachMinute' is the same in every stack",
    ),
    "addresses signed by version 2": (
        "layers/tasks/aws.py",
        'S3_CONFIG = CONFIG.merge(Config(signature_version="s3v4"))',
        "S3_CONFIG = CONFIG",
        r"layers/tasks/aws\.py:\d+: signature_version: .* us-east-1",
    ),
    "a build for the wrong processor": (
        "infra/release/deployment.py",
        'package.build("--parameter-overrides", *overrides(parameters))',
        "package.build()",
        r"infra/release/deployment\.py:\d+: sam build: the build does not get Architecture",
    ),
    "versions with old settings": (
        "infra/release/deployment.py",
        '{"LargeJobImage": str(bool(parameters["LargeJobImage"]))}',
        '{"LargeJobImage": ""}',
        r"infra/release/deployment\.py:\d+: Revision: \w+ keeps its published version",
    ),
    "parameters that are never reset": (
        "infra/release/deployment.py",
        '*overrides(dict(parameters) | {"Revision": revision})',
        '*overrides({k: v for k, v in parameters.items() if v not in ("", "INFO")} | {"Revision": revision})',
        r"infra/release/deployment\.py:\d+: sam deploy: not passed, so never reset: .*LogLevel",
    ),
    "callbacks hidden for too long": (
        "functions/notifier/callback.py",
        "MAX_HIDDEN = 12 * 3_600 - 180",
        "MAX_HIDDEN = 43_200",
        r"functions/notifier/callback\.py:\d+: MAX_HIDDEN: 43200 s after up to 180 s",
    ),
    "answers measured before they are escaped": (
        "layers/tasks/rows.py",
        """sent_bytes = len(text) + text.count('"') + text.count("\\\\") + 2""",
        "sent_bytes = len(text)",
        r"layers/tasks/rows\.py:\d+: RESPONSE_BYTES: an answer of [\d,]+ bytes",
    ),
    "an action on what it does not apply to": (
        "template.yaml",
        'Action: dynamodb:ListStreams, Resource: "*"',
        'Action: dynamodb:ListStreams, Resource: !Sub "${TasksTable.Arn}/stream/*"',
        r"template\.yaml:\d+: NotifierRole, dynamodb:ListStreams: it does not apply to",
    ),
    "a reservation that a new account cannot make": (
        "samconfig.toml",
        '"DryRunReservedConcurrency=0"',
        '"DryRunReservedConcurrency=2"',
        r"samconfig\.toml:\d+: DryRunFunction\.ReservedConcurrentExecutions: 2 reserved; a new account",
    ),
    "defaults that no new account can have": (
        "infra/release/account.py",
        'fitting["LargeWorkerMemoryMB"] = str(NEW_ACCOUNT_MEMORY_MB)',
        "pass",
        r"infra/release/account\.py:\d+: LargeWorkerFunction\.MemorySize: 10240 MB; a new account has 3008",
    ),
    "a workflow of another Python": (
        ".github/workflows/ci.yml",
        'with: { python-version: "3.13" }',
        'with: { python-version: "3.12" }',
        r"\.github/workflows/ci\.yml:\d+: python-version: 3\.12; the functions run on python3\.13",
    ),
}
SECOND_IMAGE = (
    "infra/release/package.py",
    'return sorted({built["Resources"][name]["Properties"]["ImageUri"] for name in functions(built, "Image")})',
    'return [f"{name.lower()}:latest" for name in functions(built, "Image")]',
)


def preflight(root: Path, *checks: str) -> tuple[int, str]:
    """Run it on the sources at `root`; return its status and what it printed."""
    functions = ("functions/api", "functions/notifier", "functions/worker", "functions/sweeper")
    folders = (*(root / folder for folder in ("infra", "layers", *functions)), ROOT / "client")
    done = subprocess.run(
        [sys.executable, "-m", "preflight", *checks],
        cwd=root,
        env=os.environ | {"PYTHONPATH": ":".join(map(str, folders))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.fixture(name="copy")
def fixture_copy(tmp_path: Path) -> Path:
    """Give a copy of the sources."""
    for name in ("functions", "layers", "infra", ".github"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("template.yaml", "samconfig.toml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def put_back(root: Path, name: str, now: str, then: str) -> None:
    """Put an old text back into a file, in the one place of the new one."""
    path = root / name
    text = path.read_text()
    assert text.count(now) >= 1, (name, now)
    path.write_text(text.replace(now, then))


def test_what_sam_makes_of_the_template_is_linted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A property that is none is found at its resource in the template."""
    from preflight import lint  # cfn-lint takes a second

    queue = {"Type": "AWS::SQS::Queue", "Properties": {"Lifetime": 1}}
    monkeypatch.setattr(lint, "VARIANTS", {"default": {}})
    monkeypatch.setattr(lint, "translated", lambda _: {"Resources": {"TaskQueue": queue}})
    (finding,) = lint.check()
    line = TEMPLATE.read_text().splitlines()[finding.line - 1]
    assert (finding.path, finding.property) == ("template.yaml", "Resources.TaskQueue.Properties.Lifetime")
    assert finding.sentence.startswith("E3002, ")
    assert "SqsManagedSseEnabled" in line  # where TaskQueue's properties begin


QUICK = ("stacks", "deployment", "new-account", "answers", "signing", "workflow")


def test_nothing_that_aws_would_refuse_is_found() -> None:
    """Neither in the stacks that the template makes, nor on the way of their deployment, nor in what is sent."""
    assert preflight(ROOT, *QUICK) == (0, "Nothing that AWS would refuse was found.\n")


def test_every_fault_is_found_when_it_is_put_back(copy: Path) -> None:
    """All at once: each is named with file, line, property and AWS's page, and nothing else is."""
    for name, now, then, _ in FAULTS.values():
        put_back(copy, name, now, then)
    status, printed = preflight(copy, *QUICK)
    assert status == 1
    missed = [fault for fault, (*_, finding) in FAULTS.items() if not re.search(f"^{finding}", printed, re.MULTILINE)]
    assert missed == [], printed
    findings = re.findall(r"^\S+:\d+: .*\n    https://\S+$", printed, re.MULTILINE)
    assert len(findings) == len(printed.splitlines()) // 2


def test_a_deployment_that_asks_for_an_image_that_was_not_built_is_found(copy: Path) -> None:
    """Which nothing after it could show: the deployment stops there."""
    put_back(copy, *SECOND_IMAGE)
    status, printed = preflight(copy, "deployment")
    assert status == 1
    assert re.search(r"^infra/release/package\.py:\d+: image_ids: the deployment stops: .*largeworkerfunction", printed)


def test_a_name_that_is_too_long_for_the_longest_stack_is_found(copy: Path) -> None:
    """A stack may have 128 characters, and then leaves a layer's name twelve."""
    put_back(copy, "template.yaml", "${AWS::StackName}-shared", "${AWS::StackName}-shared-by-all")
    put_back(copy, "infra/preflight/stacks.py", '    "gradual": {"GradualDeployment": "true"},\n', "")
    status, printed = preflight(copy, "stacks")
    assert status == 1
    assert re.search(r"^template\.yaml:\d+: SharedLayer\w*\.LayerName: 142 characters", printed)


def test_a_role_that_lacks_what_its_function_does_is_found(copy: Path) -> None:
    """By the recorded calls, whose tests are led along all paths of each function."""
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__", "bench", "e2e"))
    put_back(
        copy,
        "template.yaml",
        "sqs:ChangeMessageVisibility, sqs:SendMessage]\n                Resource: !GetAtt Large",
        "sqs:ChangeMessageVisibility]\n                Resource: !GetAtt Large",
    )
    status, printed = preflight(copy, "calls")
    assert status == 1
    called = r"^template\.yaml:\d+: JobRole, sqs:SendMessage: called on LargeTaskQueue, not allowed\.\n    https://"
    assert re.search(called, printed, re.MULTILINE), printed
