"""What `make deploy` tells SAM, with SAM, Docker and AWS replaced by what records or answers as they do."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from local.translate import load
from release import account, deployment, package, parameters
from release.package import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/repository:workerfunction-{}-latest"
JOBS = {"LargeJobMemoryMB": "30720", "LargeJobVpc": "vpc-1", "LargeJobSubnets": "subnet-1,subnet-2"}


class Aws:
    """A stack that is deployed with parameters, and the image that SAM would push."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image = IMAGE.format("1")
        self.stack: dict[str, str] = {}
        self.commands: list[list[str]] = []

    def run(self, *command: object) -> None:
        """Do what `sam` would: put the images of equal Dockerfiles under one name; take parameters over."""
        words = [str(word) for word in command]
        self.commands.append(words[1:])
        if words[1] == "build":
            functions = package.functions(load(), "Image")
            image = {"PackageType": "Image", "ImageUri": f"{functions[0].lower()}:latest"}
            built = {name: {"Type": "AWS::Serverless::Function", "Properties": image} for name in functions}
            (self.folder / "template.yaml").write_text(json.dumps({"Resources": built}))
        elif words[1] == "deploy":
            self.stack |= given(words)

    def deploys(self) -> list[dict[str, str]]:
        """Return the parameters of each `sam deploy` since the last look."""
        found = [given(words) for words in self.commands if words[0] == "deploy"]
        self.commands.clear()
        return found


def given(words: list[str]) -> dict[str, str]:
    """Return the parameters on a command line as SAM reads them: quoted where they are empty."""
    overrides = words[words.index("--parameter-overrides") + 1 :]
    assert all(word.split("=", 1)[1] for word in overrides)
    return {name: value.strip('"') for name, value in (word.split("=", 1) for word in overrides)}


@pytest.fixture(name="aws")
def fixture_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aws:
    """Give what is deployed to; a Docker that knows the first function's image alone is on the PATH."""
    aws = Aws(tmp_path)
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\nfor name in "$@"; do case "$name" in largeworker*) echo "no such image: $name" >&2; exit 1;;'
        " esac; done\necho sha256:1\n"
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(package, "BUILD", tmp_path)
    monkeypatch.setattr(package, "run", aws.run)
    monkeypatch.setattr(package.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(account, "ask", lambda environment: environment)
    monkeypatch.setattr(deployment, "deployed_parameters", lambda _: dict(aws.stack))
    monkeypatch.setattr(deployment, "image_of", lambda *_: aws.image)
    monkeypatch.setattr(deployment, "describe", lambda _: deployment.Stack("url", "key", {}))
    monkeypatch.setattr(deployment, "smoke", lambda *_: None)
    return aws


@pytest.fixture(name="deploy")
def fixture_deploy(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Mapping[str, str]], list[dict[str, str]]]:
    """Give a function that deploys with these parameters in samconfig.toml, and returns what each deploy was given."""

    def deploy(configured: Mapping[str, str]) -> list[dict[str, str]]:
        pairs = ", ".join(f'"{name}={value}"' for name, value in configured.items())
        path = tmp_path / "samconfig.toml"
        path.write_text(f'[dev.deploy.parameters]\nstack_name = "stack"\nparameter_overrides = [{pairs}]\n')
        monkeypatch.setattr(parameters, "SAMCONFIG", path)
        deployment.deploy("dev")
        return aws.deploys()

    return deploy


Deploy = Any  # of the fixture above


def test_functions_of_one_dockerfile_are_one_image(deploy: Deploy) -> None:
    """SAM builds one image for both workers, under the first one's name: Docker knows no second."""
    (first,) = deploy({})
    assert len(first["Revision"]) == 10


def test_every_parameter_is_passed(deploy: Deploy) -> None:
    """A line that samconfig.toml no longer has is reset; a parameter that is not passed would keep its old value."""
    (with_line,) = deploy({"LogLevel": "DEBUG", "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:topic"})
    (without,) = deploy({})
    assert set(with_line) == set(without) == set(load()["Parameters"])
    assert (without["LogLevel"], without["AlarmTopicArn"]) == ("INFO", "")


def test_the_build_knows_the_architecture(aws: Aws, deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages and images are made for the processor that the functions are deployed with."""
    monkeypatch.setattr(aws, "deploys", list)
    deploy({"Architecture": "arm64"})
    (build,) = [words for words in aws.commands if words[0] == "build"]
    assert given(build)["Architecture"] == "arm64"


def test_turning_jobs_on_makes_new_versions_with_the_new_settings(deploy: Deploy) -> None:
    """What the first pass published has the settings without jobs: the second has versions of its own."""
    deploy({})
    first, second = deploy(JOBS)
    assert (first["LargeJobImage"], second["LargeJobImage"]) == ("", IMAGE.format("1"))
    assert first["Revision"] != second["Revision"]


def test_jobs_that_are_on_stay_on_while_others_are_deployed(aws: Aws, deploy: Deploy) -> None:
    """The first pass keeps the image that jobs have; a second is for a new image alone, without new versions."""
    deploy(JOBS)
    (again,) = deploy(JOBS)
    assert again["LargeJobImage"] == aws.image
    aws.image = IMAGE.format("2")
    first, second = deploy(JOBS)
    assert (first["LargeJobImage"], second["LargeJobImage"]) == (IMAGE.format("1"), IMAGE.format("2"))
    assert first["Revision"] == second["Revision"] == again["Revision"]


def test_an_image_of_ones_own_is_left_alone(deploy: Deploy) -> None:
    """One pass, with what samconfig.toml says."""
    (only,) = deploy(JOBS | {"LargeJobImage": IMAGE.format("mine")})
    assert only["LargeJobImage"] == IMAGE.format("mine")


def test_a_parameter_that_is_none_is_told(deploy: Deploy) -> None:
    """SAM would pass it on, and CloudFormation refuse it minutes later."""
    with pytest.raises(ReleaseError, match="no parameter WorkerConcurrency"):
        deploy({"WorkerConcurrency": "2"})
