"""What is in the worker's image, and what is not."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from image.buildah import mounted
from image.standin import standin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from image.buildah import Built

# The stand-in base is 200 MB of it.
MOST_BYTES = 450_000_000
PACKAGES = {"boto3", "botocore", "aws_lambda_powertools", "qiskit", "qiskit_aer", "numpy", "scipy"}
COMPILED_AND_TRUSTED = 0b01  # PEP 552: the flags of an unchecked hash-based .pyc


@pytest.fixture(scope="module", name="root")
def fixture_root(image: Built) -> Iterator[Path]:
    """Give the image's files."""
    with mounted(image.name) as root:
        yield root


def ours(root: Path, pattern: str) -> list[str]:
    """Return the paths that match below what the Dockerfile adds."""
    return sorted(
        str(path.relative_to(root)) for part in ("opt/packages", "var/task") for path in (root / part).rglob(pattern)
    )


def test_the_image_is_small(image: Built) -> None:
    """Base, packages and code stay below 450 MB."""
    assert image.bytes < MOST_BYTES


def test_the_image_says_how_to_run_it(image: Built) -> None:
    """The handler, an unprivileged user and the environment are in the configuration, and no credential is."""
    environment = dict(pair.split("=", 1) for pair in image.config["Env"])
    assert (image.config["Cmd"], image.config["User"]) == (["worker.handler"], "993:990")
    assert set(environment) == {
        "PATH",
        "LAMBDA_TASK_ROOT",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "OMP_NUM_THREADS",
    }


def test_the_code_is_the_workers_and_the_shared_packages(root: Path) -> None:
    """The function's folder holds the worker's modules and the layer's packages, and nothing else."""
    repository = Path(__file__).resolve().parents[2]
    modules = {path.name for path in (repository / "functions" / "worker").glob("*.py")}
    packages = {"__pycache__", "reductions", "tasks", "reader"}
    assert {path.name for path in (root / "var/task").iterdir()} == modules | packages


def test_the_packages_are_there(root: Path) -> None:
    """What the worker imports is installed."""
    assert {name for name in PACKAGES if not (root / "opt/packages" / name).is_dir()} == set()


def test_nothing_that_installs_or_compiles_is_there(root: Path) -> None:
    """Neither pip nor a compiler, not even in the base's folders."""
    tools = {"pip", "pip3", "pip3.13", "gcc", "cc", "c++", "g++", "ld", "make", "git", "curl", "wget"}
    folders = ("usr/bin", "usr/local/bin", "usr/sbin", "opt/packages/bin")
    assert [tool for folder in folders for tool in sorted(tools) if (root / folder / tool).exists()] == []
    libraries = (root / "usr/lib/python3", root / "usr/lib/python3.13", root / "opt/packages")
    installers = ("pip", "setuptools", "wheel", "ensurepip")
    assert [str(path) for library in libraries for name in installers for path in library.rglob(name)] == []


def test_no_tests_caches_or_headers_are_there(root: Path) -> None:
    """What only development needs was left out."""
    for waste in ("tests", "test", "include", "*.a", "*.whl", ".cache", "Dockerfile", "requirements.txt"):
        assert ours(root, waste) == []
    assert [path for folder in ("tmp", "root") for path in (root / folder).rglob("*") if "cache" in path.name] == []
    assert list((root / "tmp").iterdir()) == []


def test_only_the_services_that_the_worker_calls_are_described(root: Path) -> None:
    """Of botocore's 400 services three are left."""
    data = root / "opt/packages/botocore/data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == {"dynamodb", "s3", "sqs"}


def test_what_the_build_was_lent_is_not_there(root: Path) -> None:
    """The certificates are the base's, whatever the building machine trusts, and there is no key or credential."""
    certificates = "etc/ssl/certs/ca-certificates.crt"
    with mounted(standin()) as base:
        assert (root / certificates).read_bytes() == (base / certificates).read_bytes()
    secrets = ("*.key", "*.p12", ".env", ".netrc", "credentials", "pip.conf", "id_rsa*")
    assert [found for pattern in secrets for found in ours(root, pattern)] == []


def test_every_module_is_compiled_and_trusted(root: Path) -> None:
    """Beside each source lies its bytecode, which Python loads without a look at the source."""
    unready = []
    for part in ("opt/packages", "var/task"):
        for source in (root / part).rglob("*.py"):
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            if not compiled.exists() or struct.unpack("<I", compiled.read_bytes()[4:8])[0] != COMPILED_AND_TRUSTED:
                unready.append(str(source))
    assert unready == []
