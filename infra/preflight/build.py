"""SAM's own build of everything, for both processors, with Docker's part replaced: packages, images and bytecode."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest.mock import patch

from samtranslator.yaml_helper import yaml_parse

from local.translate import load
from preflight.engine import engine
from preflight.finding import Finding, in_code
from release import package
from release.parameters import defaults_of, overrides

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "infra/release/package.py"
SAM_BUILD = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-build.html"
LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
MACHINES = {62: "x86_64", 183: "arm64"}  # e_machine of ELF files
MOST_UNZIPPED = 250 * 2**20  # a function and its layers


def check() -> Iterator[Finding]:
    """Yield what is wrong with what SAM builds; raises ReleaseError without the functions' own Python."""
    for architecture in PLATFORMS:
        with TemporaryDirectory() as folder, engine(Path(folder)) as docker:
            build = Path(folder) / "build"
            with patch.object(package, "BUILD", build), patch.dict(os.environ, {"DOCKER_HOST": docker.address}):
                parameters = defaults_of(load()) | {"Architecture": architecture}
                package.build("--build-dir", str(build), "--no-cached", "--parameter-overrides", *overrides(parameters))
            names = package.images(yaml_parse((build / "template.yaml").read_text()))
            yield from _images(architecture, docker.built, names)
            yield from _packages(architecture, build)


def _images(architecture: str, built: list[tuple[str, str]], names: list[str]) -> Iterator[Finding]:
    if {name for name, _ in built} != set(names):
        sentence = f"SAM built {sorted(name for name, _ in built)}; the deployment asks Docker for {names}."
        yield in_code(PACKAGE, "def image_ids", shown="image_ids", sentence=sentence, page=SAM_BUILD)
    if wrong := sorted({platform for _, platform in built} - {PLATFORMS[architecture]}):
        sentence = f"images for {wrong} where {architecture} is asked for."
        yield in_code(PACKAGE, "run(SAM, ", shown="sam build", sentence=sentence, page=SAM_BUILD)


def _packages(architecture: str, build: Path) -> Iterator[Finding]:
    for folder in sorted(path for path in build.iterdir() if path.is_dir()):
        files = [path for path in folder.rglob("*") if path.is_file()]
        machines = {machine_of(path) for path in files if ".so" in path.suffixes} - {architecture}
        if machines:
            sentence = f"{folder.name} has libraries for {sorted(machines)} where {architecture} is asked for."
            yield in_code(PACKAGE, "run(SAM, ", shown="sam build", sentence=sentence, page=SAM_BUILD)
        sources = {path for path in files if path.suffix == ".py"}
        compiled = [path for path in files if path.suffix == ".pyc"]
        if sources and not compiled:
            sentence = f"{folder.name} has no bytecode: each cold start would compile it."
            yield in_code(PACKAGE, "compileall", shown="compileall", sentence=sentence, page=SAM_BUILD)
        size = sum(path.stat().st_size for path in files)
        if size > MOST_UNZIPPED:
            sentence = f"{folder.name} is {size:,} bytes unzipped; {MOST_UNZIPPED:,} are allowed."
            yield in_code(PACKAGE, "MOST_BYTES", shown=folder.name, sentence=sentence, page=LAMBDA)


def machine_of(path: Path) -> str:
    """Return the processor that a shared library is for."""
    (machine,) = struct.unpack_from("<H", path.read_bytes(), 18)
    return MACHINES.get(machine, f"machine {machine}")
