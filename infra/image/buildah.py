"""Debian's buildah, with a storage of its own under .local/: nothing is left on the machine, and layers are cached."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.translate import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE = ROOT / ".local" / "image"
DOCKERFILE = ROOT / "functions" / "worker" / "Dockerfile"
# A machine behind an intercepting proxy trusts more than the image does: its list is lent to the build, never copied.
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
TOOLS = ("buildah", "runc", "debootstrap")


class ImageError(Exception):
    """An image cannot be built or run; the message holds what the tool printed."""


def missing() -> str:
    """Return what is missing on this machine to build and run images, empty when nothing is."""
    tools = [tool for tool in TOOLS if shutil.which(tool) is None]
    if tools:
        return f"{', '.join(tools)} not found: apt-get install --no-install-recommends {' '.join(TOOLS)}"
    return "" if os.geteuid() == 0 else "building without Docker needs root"


def run(*command: str | Path) -> str:
    """Run a tool and return what it printed; raises ImageError with its last words."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise ImageError(f"{command[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4_000:]}")
    return done.stdout.strip()


def buildah(*arguments: str | Path) -> str:
    """Run buildah in the storage under .local/."""
    return run("buildah", "--root", STORE / "storage", "--runroot", STORE / "run", *arguments)


def exists(image: str) -> bool:
    """Return whether the storage has an image of that name."""
    return any(
        image in (listed.get("names") or []) for listed in json.loads(buildah("images", "--json") or "null") or []
    )


@dataclass(frozen=True, slots=True)
class Built:
    """A built image: its name, its configuration (OCI image specification, `config`), its size in bytes."""

    name: str
    config: dict[str, Any]
    bytes: int


def build(base: str, name: str) -> Built:
    """Build the production Dockerfile on `base`."""
    trusted = ("--volume", f"{TRUSTED}:{TRUSTED}:ro") if TRUSTED.exists() else ()
    # chroot isolation needs no cgroups and no user namespaces; pip needs the network.
    how = ("--isolation", "chroot", "--network", "host", "--layers", "--format", "docker", *trusted)
    buildah("bud", *how, "--build-arg", f"BASE_IMAGE={base}", "--file", DOCKERFILE, "--tag", name, ROOT)
    inspected = json.loads(buildah("inspect", "--type", "image", name))
    listed = json.loads(buildah("images", "--json", name))
    return Built(name, inspected["OCIv1"]["config"], _bytes(listed[0]["size"]))


@contextlib.contextmanager
def mounted(image: str) -> Iterator[Path]:
    """Give the root of an image's files, for as long as the context lasts."""
    container = buildah("from", "--pull-never", image)
    try:
        yield Path(buildah("mount", container))
    finally:
        buildah("umount", container)
        buildah("rm", container)


def _bytes(size: str) -> int:
    """Read buildah's "428 MB", which has no machine-readable form."""
    number, unit = size.split()
    return int(float(number) * {"KB": 1e3, "MB": 1e6, "GB": 1e9}[unit])
