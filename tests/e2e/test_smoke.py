"""What surrounds a deployment, against the local stack: the check that follows it, and the environment of sam local."""

from __future__ import annotations

import json
import os
import re
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from local.running import environment
from local_stack import eventually
from release import deployment, localstack, package
from release.package import ReleaseError
from release.sam_local import write_environment
from release.smoke import smoke
from tasks.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from local_stack import Stack


def test_a_working_stack_passes(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """It asks for the health and runs a circuit."""
    smoke(stack.env["API_URL"], stack.env["API_KEY"])
    assert capsys.readouterr().out.startswith(f"{stack.env['API_URL']} is healthy and ran a circuit in ")


def test_the_sweeper_comes_by_its_schedule(stack: Stack) -> None:
    """Nobody else calls it on this stack: it has written to its log once the first minute is over."""
    logs = stack.client("logs")
    eventually(lambda: logs.filter_log_events(logGroupName="/quantum-circuits/sweeper")["events"], 120, every=0.5)


def test_an_address_that_is_no_api_fails(stack: Stack) -> None:
    """The reason is printed, not raised."""
    with pytest.raises(ReleaseError, match="is not from a Quantum Circuits API"):
        smoke(f"{stack.env['API_URL']}/nothing", stack.env["API_KEY"])


def test_sam_local_is_told_all_that_a_function_is(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has every setting, and where the local stack's AWS is."""
    monkeypatch.setenv("LOCAL_DIR", str(stack.folder))
    given = json.loads(write_environment().read_text())["Parameters"]
    assert {field.name.upper() for field in fields(Settings)} <= set(given)
    assert given["AWS_ENDPOINT_URL"] == stack.env["AWS_ENDPOINT_URL"]


@pytest.fixture(name="commands")
def fixture_commands(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the lines that docker and sam were called with: they do nothing, the running stack is the deployed one."""
    lines, tools, built = tmp_path / "commands", tmp_path / "tools", tmp_path / "built"
    for folder in (tools, built):
        folder.mkdir()
    for tool in ("docker", "sam", "python3.13"):
        (tools / tool).write_text(f'#!/bin/sh\necho "{tool} $*" >> {lines}\n')
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    image = {"Type": "AWS::Serverless::Function", "Properties": {"PackageType": "Image", "ImageUri": "worker:latest"}}
    (built / "template.yaml").write_text(json.dumps({"Resources": {"WorkerFunction": image}}))
    monkeypatch.setattr(package, "SAM", tools / "sam")
    monkeypatch.setattr(package, "BUILD", built)
    for name, value in stack.env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return lines


def test_a_deployment_is_tried(stack: Stack, commands: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """samconfig.toml's parameters and a revision go to SAM; the stack it deployed is found, and runs a circuit."""
    deployed = deployment.deploy("localstack")
    assert deployed.api_key == stack.env["API_KEY"]
    assert deployed.outputs["TasksTableName"] == stack.env["TASKS_TABLE_NAME"]
    assert f"{deployed.url} is healthy and ran a circuit in " in capsys.readouterr().out
    *_, last = commands.read_text().splitlines()
    command, _, parameters = last.partition(" --parameter-overrides ")
    assert command == "sam deploy --config-env localstack --no-fail-on-empty-changeset"
    assert ' WorkerMaximumConcurrency="2" ' in parameters
    assert re.search(r' Revision="[0-9a-f]{10}" ', parameters)


def test_up_on_localstack_goes_from_compose_to_the_environment_file(
    stack: Stack, commands: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the running stack in LocalStack's place: started, deployed to, tried, shown to other tools; then stopped."""
    monkeypatch.setenv("LOCAL_DIR", str(tmp_path / "local"))
    monkeypatch.setenv(localstack.TOKEN, "token")
    monkeypatch.setattr(localstack, "ENDPOINT", stack.env["AWS_ENDPOINT_URL"])
    monkeypatch.setattr(localstack, "KEY", stack.env["AWS_ACCESS_KEY_ID"])
    localstack.up()
    first, *_ = commands.read_text().splitlines()
    assert first == f"docker compose --file {localstack.COMPOSE} up --detach --wait"
    given = environment()
    assert {name: given[name] for name in stack.env if name != "API_URL"} == {
        name: value for name, value in stack.env.items() if name != "API_URL"
    }
    smoke(given["API_URL"], given["API_KEY"])
    localstack.down()
    assert commands.read_text().splitlines()[-1] == f"docker compose --file {localstack.COMPOSE} down"
    assert not (tmp_path / "local" / "env").exists()
