"""What each function imports before its first event, and what that costs: a cold start waits for all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from tasks.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
# botocore takes certifi where there is one; the functions have none.
AWS = {"aws_lambda_powertools", "boto3", "botocore", "certifi", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
AWS |= {"typing_extensions"}
WEB = {"annotated_doc", "annotated_types", "anyio", "fastapi", "mangum", "opentelemetry"}
WEB |= {"pydantic", "pydantic_core", "starlette", "typing_inspection"}
API_CPU_SECONDS = 0.35
# Other programs slow imports down by half and more, in CPU time too. So what is measured is scaled by what these
# modules take, which is REFERENCE_SECONDS on a machine at rest.
REFERENCE = (
    "asyncio,concurrent.futures,email.mime.multipart,http.server,logging.config,multiprocessing.pool,pydoc,csv,"
    "tarfile,unittest.mock,urllib.request,xml.dom.minidom,xmlrpc.client,zipfile,ctypes.util,decimal,doctest,imaplib,"
    "mailbox,optparse,pdb,pickletools,smtplib,calendar,wsgiref.simple_server"
)
REFERENCE_SECONDS = 0.065

REPORT = """
import json, os, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
before, started = set(sys.modules), cpu()
for module in sys.argv[1].split(","):
    __import__(module)
used = cpu() - started
loaded = {name.partition(".")[0] for name in set(sys.modules) - before if "site-packages" in str(
    getattr(sys.modules[name], "__file__", None) or getattr(sys.modules[name], "__path__", ""))}
print(json.dumps({"packages": sorted(loaded), "cpu": used}))
"""


def environment(function: str) -> dict[str, str]:
    """Return this process's environment as far as a function's process may have it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return kept | {"PYTHONPATH": os.pathsep.join([str(ROOT / "functions" / function), str(ROOT / "layers")])}


def started(modules: str, function: str = "api") -> tuple[set[str], float]:
    """Import modules in a process as the function's; return the packages loaded and the seconds of CPU."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, modules],
        env=environment(function),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    return set(said["packages"]), said["cpu"]


@pytest.mark.parametrize(
    ("function", "packages"),
    [("api", AWS | WEB), ("worker", AWS), ("sweeper", AWS)],
)
def test_a_function_imports_no_more_than_it_needs(function: str, packages: set[str]) -> None:
    """Only the named packages: no simulator in the worker's handler, no numpy in the api."""
    loaded, _ = started(function, function)
    assert loaded - packages == set()


def test_the_api_starts_within_its_budget() -> None:
    """Importing the api takes at most 350 ms of CPU; the best of four, for the first may compile the sources."""
    measured = [(started("api")[1], started(REFERENCE)[1]) for _ in range(4)]
    assert min(api for api, _ in measured) * REFERENCE_SECONDS / min(other for _, other in measured) <= API_CPU_SECONDS


SNAPSHOT = """
import random, socket, sys, types
from unittest import mock
hooks = types.ModuleType("snapshot_restore_py")  # as Lambda's runtime has it
before, after = [], []
hooks.register_before_snapshot, hooks.register_after_restore = before.append, after.append
sys.modules["snapshot_restore_py"] = hooks
import api
from tasks import aws
with mock.patch.object(socket.socket, "connect", side_effect=AssertionError("connected")):
    for hook in before:
        hook()
assert aws.task_store.cache_info().currsize == aws.task_queues.cache_info().currsize == 1
drawn = set()
for _ in range(2):  # two environments restored from the same snapshot
    random.seed(7)
    for hook in after:
        hook()
    drawn.add(random.random())
assert len(drawn) == 2, drawn
"""


def test_a_snapshot_holds_clients_but_no_connection_and_no_shared_chance() -> None:
    """SnapStart: what is slow is made before the snapshot, and restored environments draw different numbers."""
    names = {field.name.upper() for field in fields(Settings) if field.type == "str"}
    numbers = {field.name.upper() for field in fields(Settings) if field.type == "int"}
    told = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        **dict.fromkeys(names, "https://example.org/q"),
        **dict.fromkeys(numbers, "9"),
    }
    subprocess.run([sys.executable, "-c", SNAPSHOT], env=environment("api") | told, check=True)
