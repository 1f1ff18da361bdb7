"""Builds what the zip functions upload, without a container; the worker's image takes the SAM CLI and Docker."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

from samtranslator.yaml_helper import yaml_parse

from local.translate import ROOT, load

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SAM = ROOT / ".local" / "sam" / "bin" / "sam"
BUILD = ROOT / ".aws-sam" / "build"
MOST_BYTES = 50 * 2**20  # zipped: what Lambda takes directly


class ReleaseError(Exception):
    """The release cannot continue; the message says why and what to do."""


def run(*command: str | Path) -> None:
    """Run a command here, its output shown; raises ReleaseError when it fails."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise ReleaseError(f"`{' '.join(map(str, command))}` failed.")


def package() -> None:
    """Build the zip functions and the layer, and print what they weigh."""
    template = load()
    excluded = [part for name in functions(template, "Image") for part in ("--exclude", name)]
    build(*excluded)
    zipped = {folder.name: zipped_bytes(folder) for folder in sorted(BUILD.iterdir()) if folder.is_dir()}
    for name, size in zipped.items():
        print(f"  {name:<24}{size / 1e6:8.2f} MB zipped")
    for name in functions(template, "Image"):
        print(f"  {name:<24}needs Docker: `make deploy` builds its image, `make image-test` tests it without")
    if too_large := [name for name, size in zipped.items() if size > MOST_BYTES]:
        raise ReleaseError(f"{', '.join(too_large)}: larger than the {MOST_BYTES // 2**20} MB that Lambda takes.")


def functions(template: dict[str, Any], kind: str) -> list[str]:
    """Return the logical ids of the template's functions of one package type, "Zip" or "Image"."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function" and resource["Properties"].get("PackageType", "Zip") == kind
    ]


def build(*options: str) -> None:
    """Let the SAM CLI build, then compile: a cold start that finds no .pyc files compiles every module it imports."""
    runtime = load()["Resources"]["ApiFunction"]["Properties"]["Runtime"]
    python = shutil.which(runtime)
    if python is None:
        raise ReleaseError(f"{runtime} is not on the PATH: the SAM CLI builds with the functions' own Python.")
    run(SAM, "build", *options)
    folders = [folder for folder in BUILD.iterdir() if folder.is_dir()]
    run(python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *folders)


def zipped_bytes(folder: Path) -> int:
    """Return the size of the folder as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return len(buffer.getvalue())


def revision(built: Path, others: Iterable[str]) -> str:
    """Return a hash of the files below `built` and of other texts, for the template's parameter of that name."""
    digest = hashlib.sha256("\0".join(others).encode())
    for path in sorted(path for path in built.rglob("*") if path.is_file()):
        digest.update(f"\0{path.relative_to(built)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def images(built: dict[str, Any]) -> list[str]:
    """Return the names of the images that the built template's functions run; those of one Dockerfile are one image."""
    return sorted({built["Resources"][name]["Properties"]["ImageUri"] for name in functions(built, "Image")})


def image_ids() -> list[str]:
    """Return the ids of the images that `build` made, as Docker numbers them."""
    names = images(yaml_parse((BUILD / "template.yaml").read_text()))
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", *names]
    inspected = subprocess.run(command, capture_output=True, text=True, check=False)
    if inspected.returncode != 0:
        raise ReleaseError(f"`{' '.join(command)}` failed: {inspected.stderr}")
    return inspected.stdout.split()


def require(*tools: str) -> None:
    """Raise ReleaseError unless every tool is on the PATH."""
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        raise ReleaseError(f"{', '.join(missing)} not found on the PATH of {sys.platform}.")
