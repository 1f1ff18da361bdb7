"""The base image's stand-in: Debian with its python, laid out as AWS's base image for Lambda is.

Debian 13 has the Python that the functions run on in Lambda. The runtime interface client and the emulator are AWS's.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from image.buildah import STORE, buildah, exists, run

SUITE = "trixie"
PYTHON = "3.13"
PACKAGES = "python3-minimal,python3-pip,ca-certificates"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
EMULATOR = "aws-lambda-rie"

BOOTSTRAP = f"""#!/bin/sh
export PYTHONPATH="$PYTHONPATH:/var/runtime"
exec python{PYTHON} -m awslambdaric "$1"
"""
# AWS's entry point too starts the emulator where no Lambda is around; RIE_OPTIONS, its addresses, is ours.
ENTRYPOINT = """#!/bin/sh
[ -z "$AWS_LAMBDA_RUNTIME_API" ] || exec /var/runtime/bootstrap "$@"
exec /usr/local/bin/aws-lambda-rie $RIE_OPTIONS /var/runtime/bootstrap "$@"
"""


def standin() -> str:
    """Return the name of the stand-in image, made if this storage has none of this content yet."""
    content = (SUITE, PYTHON, PACKAGES, REQUIREMENTS.read_text(), BOOTSTRAP, ENTRYPOINT)
    name = f"localhost/lambda-python-standin:{hashlib.sha256(repr(content).encode()).hexdigest()[:12]}"
    STORE.mkdir(parents=True, exist_ok=True)
    if not exists(name):
        with TemporaryDirectory(dir=STORE) as folder:
            _commit(_root_file_system(Path(folder)), name)
    return name


def _root_file_system(folder: Path) -> Path:
    root = folder / "root"
    run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, root)
    for waste in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
        shutil.rmtree(root / waste, ignore_errors=True)
    runtime = root / "var" / "runtime"
    _install(runtime)
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    (runtime / "samcli" / "local" / "rapid" / f"{EMULATOR}-{machine}").rename(root / "usr/local/bin" / EMULATOR)
    for package in ("samcli", "bin"):
        shutil.rmtree(runtime / package, ignore_errors=True)
    for path, text in {runtime / "bootstrap": BOOTSTRAP, root / "lambda-entrypoint.sh": ENTRYPOINT}.items():
        path.write_text(text)
        path.chmod(0o755)
    (root / "usr/local/bin" / EMULATOR).chmod(0o755)
    (root / "var" / "task").mkdir()
    return root


def _install(runtime: Path) -> None:
    what = ("--no-deps", "--require-hashes", "--requirement", REQUIREMENTS, "--target", runtime)
    wanted = ("--python-version", PYTHON, "--only-binary=:all:", "--platform", f"manylinux2014_{platform.machine()}")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", *what, *wanted)


def _commit(root: Path, name: str) -> None:
    container = buildah("from", "scratch")
    try:
        buildah("add", "--quiet", container, root, "/")
        entrypoint, environment = '["/lambda-entrypoint.sh"]', "LAMBDA_TASK_ROOT=/var/task"
        buildah("config", "--entrypoint", entrypoint, "--workingdir", "/var/task", "--env", environment, container)
        buildah("commit", "--quiet", "--format", "docker", container, name)
    finally:
        buildah("rm", container)
