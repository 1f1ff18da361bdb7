"""What `make preflight` says of a build: the engine that stands for Docker, and the packages that it looks into."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from preflight import build
from preflight.engine import IMAGE_ID, engine

if TYPE_CHECKING:
    from pathlib import Path


class Client(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def __init__(self, address: str) -> None:
        super().__init__("docker")
        self._path = address.removeprefix("unix://")

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def test_the_engine_answers_and_notes_what_it_was_to_build(tmp_path: Path) -> None:
    """The context comes in chunks, as docker-py sends it; the image has the same id whenever it is asked for."""
    with engine(tmp_path) as docker:
        client = Client(docker.address)
        chunks = iter((b"a tar", b" of sources"))
        client.request("POST", "/v1.48/build?t=worker:latest&platform=linux/arm64", chunks, encode_chunked=True)
        assert json.loads(client.getresponse().read())["stream"] == "Successfully built 0123456789ab\n"
        client.request("GET", "/v1.48/images/0123456789ab/json")
        assert json.loads(client.getresponse().read())["Id"] == IMAGE_ID
        client.close()
    assert docker.built == [("worker:latest", "linux/arm64")]


@pytest.mark.parametrize(("machine", "found"), [(183, []), (62, ["sam build"])])
def test_a_package_for_another_processor_is_found(tmp_path: Path, machine: int, found: list[str]) -> None:
    """Where arm64 is asked for, a library for x86_64 is one that no function could load."""
    library = tmp_path / "ApiFunction" / "core.cpython-313-x86_64-linux-gnu.so"
    library.parent.mkdir()
    library.write_bytes(b"\x7fELF" + bytes(14) + struct.pack("<H", machine))
    assert [finding.property for finding in build._packages("arm64", tmp_path)] == found  # noqa: SLF001


def test_a_package_without_bytecode_is_found(tmp_path: Path) -> None:
    """SAM does not compile; package.py does, after it."""
    source = tmp_path / "SweeperFunction" / "sweeper.py"
    source.parent.mkdir()
    source.write_text("")
    assert [finding.property for finding in build._packages("arm64", tmp_path)] == ["compileall"]  # noqa: SLF001
    source.with_suffix(".pyc").write_text("")
    assert list(build._packages("arm64", tmp_path)) == []  # noqa: SLF001


def test_an_image_that_the_deployment_asks_for_and_sam_does_not_build_is_found() -> None:
    """By its name, and by its platform."""
    built = [("workerfunction:latest", "linux/amd64")]
    names = ["largeworkerfunction:latest", "workerfunction:latest"]
    assert [finding.property for finding in build._images("x86_64", built, names)] == ["image_ids"]  # noqa: SLF001
    assert [finding.property for finding in build._images("arm64", built, names[1:])] == ["sam build"]  # noqa: SLF001
