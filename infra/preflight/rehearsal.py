"""`make deploy` rehearsed: SAM, Docker and AWS replaced by what records or answers as they do.

As SAM 1.170 does: functions of equal metadata are built as one image, under the first one's name; a parameter that
`sam deploy` is not given keeps the stack's value; an empty value is understood in quotation marks alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from local.translate import load
from preflight.finding import Finding, in_code
from preflight.stacks import JOBS, stack
from release import account, deployment, package, parameters
from release.package import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WITHOUT_IMAGE = {name: value for name, value in JOBS.items() if name != "LargeJobImage"}
SAM_BUILD = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-build.html"
SAM_DEPLOY = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-deploy.html"
VERSIONS = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html"
DEPLOYMENT = "infra/release/deployment.py"


class Rehearsal:
    """A stack that is deployed to. `image` is where SAM pushes the worker's image, `image_id` its id in Docker."""

    def __init__(self) -> None:
        self.stack: dict[str, str] = {}
        self.image = JOBS["LargeJobImage"]
        self.image_id = "sha256:0123456789ab"
        self.commands: list[list[str]] = []
        self._images: set[str] = set()

    def deploy(self, configured: Mapping[str, str]) -> list[dict[str, str]]:
        """Deploy an environment whose samconfig.toml has these parameters; return those of each `sam deploy`."""
        self.commands.clear()
        with TemporaryDirectory() as folder, contextlib.ExitStack() as replaced:
            build = Path(folder)
            samconfig = build / "samconfig.toml"
            pairs = ", ".join(f'"{name}={value}"' for name, value in configured.items())
            samconfig.write_text(f'[dev.deploy.parameters]\nstack_name = "s"\nparameter_overrides = [{pairs}]\n')
            for where, name, value in (
                (parameters, "SAMCONFIG", samconfig),
                (package, "BUILD", build / "build"),
                (package, "run", lambda *words: self._run(build / "build", *words)),
                (package, "subprocess", SimpleNamespace(run=self._docker)),
                (shutil, "which", lambda tool: tool),
                (account, "ask", lambda environment: environment),
                (deployment, "deployed_parameters", lambda _: dict(self.stack)),
                (deployment, "image_of", lambda *_: self.image),
                (deployment, "describe", lambda _: deployment.Stack("url", "key", {})),
                (deployment, "smoke", lambda *_: None),
            ):
                replaced.enter_context(patch.object(where, name, value))
            (build / "build").mkdir()
            replaced.enter_context(patch.dict("os.environ"))
            os.environ.pop("AWS_ENDPOINT_URL", None)
            deployment.deploy("dev")
        return [given(words) for words in self.commands if words[0] == "deploy"]

    def _run(self, build: Path, *command: object) -> None:
        words = [str(word) for word in command][1:]
        self.commands.append(words)
        if words[0] == "build":
            built: dict[str, str] = {}
            resources = {}
            for name in package.functions(load(), "Image"):
                image = built.setdefault(json.dumps(load()["Resources"][name]["Metadata"]), f"{name.lower()}:latest")
                properties = {"PackageType": "Image", "ImageUri": image}
                resources[name] = {"Type": "AWS::Serverless::Function", "Properties": properties}
            self._images = set(built.values())
            (build / "template.yaml").write_text(json.dumps({"Resources": resources}))
        elif words[0] == "deploy":
            self.stack |= given(words)

    def _docker(self, command: list[str], **_: Any) -> SimpleNamespace:  # noqa: ANN401
        unknown = [name for name in command[command.index("{{.Id}}") + 1 :] if name not in self._images]
        error = f"Error response from daemon: No such image: {unknown[0]}" if unknown else ""
        return SimpleNamespace(returncode=int(bool(unknown)), stdout=f"{self.image_id}\n", stderr=error)


def given(words: list[str]) -> dict[str, str]:
    """Return the parameters on a command line as SAM reads them; raises ReleaseError where it would refuse them."""
    if "--parameter-overrides" not in words:
        return {}
    pairs = [word.split("=", 1) for word in words[words.index("--parameter-overrides") + 1 :]]
    if empty := [name for name, value in pairs if not value]:
        raise ReleaseError(f"SAM does not understand {empty[0]}= without quotation marks.")
    return {name: value.strip('"') for name, value in pairs}


def check() -> Iterator[Finding]:
    """Yield what would go wrong on the way from samconfig.toml to CloudFormation."""
    try:
        yield from _commands(Rehearsal())
        yield from _versions(Rehearsal())
    except ReleaseError as error:
        reason = str(error).strip()
        if "No such image" in reason:
            sentence = f"the deployment stops: {reason}. Functions of equal metadata are built as one image."
            path, text = "infra/release/package.py", "def image_ids"
            yield in_code(path, text, shown="image_ids", sentence=sentence, page=SAM_BUILD)
        else:
            sentence = f"the deployment stops: {reason}"
            yield in_code(DEPLOYMENT, "package.run(package.SAM", shown="sam deploy", sentence=sentence, page=SAM_DEPLOY)


def _commands(rehearsal: Rehearsal) -> Iterator[Finding]:
    (first,) = rehearsal.deploy({"Architecture": "arm64"})
    (build,) = [given(words) for words in rehearsal.commands if words[0] == "build"]
    if build.get("Architecture") != "arm64":
        sentence = "the build does not get Architecture: arm64 functions would get x86_64 packages and images."
        yield in_code(DEPLOYMENT, "package.build(", shown="sam build", sentence=sentence, page=SAM_BUILD)
    if missing := sorted(set(load()["Parameters"]) - set(first)):
        sentence = f"not passed, so never reset: {', '.join(missing)}. SAM sends UsePreviousValue for them."
        yield in_code(DEPLOYMENT, "package.run(package.SAM", shown="sam deploy", sentence=sentence, page=SAM_DEPLOY)


def _versions(rehearsal: Rehearsal) -> Iterator[Finding]:
    """Yield the first change that leaves a published version with other settings than its function has."""
    changes: tuple[Mapping[str, str], ...] = ({}, WITHOUT_IMAGE, {"LogLevel": "DEBUG"})
    passes = [each for change in changes for each in rehearsal.deploy(change)]
    seen: dict[str, str] = {}
    for each in passes:
        resources = stack(each)
        for name, resource in resources.items():
            if resource["Type"] == "AWS::Lambda::Version":
                function = resource["Properties"]["FunctionName"]["Ref"]
                environment = json.dumps(resources[function]["Properties"]["Environment"], sort_keys=True)
                if seen.setdefault(name, environment) != environment:
                    sentence = f"{function} keeps its published version while its environment changes: {_named(each)}."
                    yield in_code(DEPLOYMENT, "revision = ", shown="Revision", sentence=sentence, page=VERSIONS)
                    return


def _named(values: Mapping[str, str]) -> str:
    changed = dict(set(values.items()) - set(parameters.defaults_of(load()).items()))
    changed.pop("Revision", None)
    return ", ".join(f"{name}={value}" for name, value in sorted(changed.items())) or "the defaults"
