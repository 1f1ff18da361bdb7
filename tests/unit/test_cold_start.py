"""What each function imports before its first event, and what that costs: a cold start waits for all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from statistics import median

import pytest

from tasks.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
# botocore takes certifi where there is one; the functions have none.
AWS = {"aws_lambda_powertools", "boto3", "botocore", "certifi", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
AWS |= {"typing_extensions", "snapshot_restore_py"}  # the latter is part of Lambda's own runtime
WEB = {"annotated_doc", "annotated_types", "anyio", "fastapi", "mangum", "opentelemetry"}
WEB |= {"pydantic", "pydantic_core", "snapshot_restore_py", "starlette", "typing_inspection"}
API_CPU_SECONDS = 0.35
# Other programs slow imports down by half and more, in CPU time too. So what is measured is scaled by what these
# modules take, which is REFERENCE_SECONDS on a machine at rest.
REFERENCE = (
    "asyncio,concurrent.futures,email.mime.multipart,http.server,logging.config,multiprocessing.pool,pydoc,csv,"
    "tarfile,unittest.mock,urllib.request,xml.dom.minidom,xmlrpc.client,zipfile,ctypes.util,decimal,doctest,imaplib,"
    "mailbox,optparse,pdb,pickletools,smtplib,calendar,wsgiref.simple_server"
)
REFERENCE_SECONDS = 0.065
LEAST_PAIRS, MOST_PAIRS = 4, 15

REPORT = """
import json, os, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
sys.modules["orjson"] = None  # FastAPI takes it where it is: no function has it, the preflight's tools do
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
    printed = json.loads(done.stdout)
    return set(printed["packages"]), printed["cpu"]


@pytest.mark.parametrize(
    ("function", "packages"),
    [("api", AWS | WEB), ("worker", AWS), ("sweeper", AWS), ("notifier", AWS), ("launcher", AWS)],
)
def test_a_function_imports_no_more_than_it_needs(function: str, packages: set[str]) -> None:
    """Only the named packages: no simulator in the worker's handler, no numpy in the api."""
    loaded, _ = started(function, function)
    assert loaded - packages == set()


def test_the_api_starts_within_its_budget() -> None:
    """Importing the api takes at most 350 ms of CPU, by the median of pairs that are measured one after the other."""
    started("api")  # which may compile the sources
    measured: list[float] = []
    # One pair is off by a tenth on a busy machine: there are more of them until their median is within the budget.
    while len(measured) < MOST_PAIRS and (len(measured) < LEAST_PAIRS or median(measured) > API_CPU_SECONDS):
        measured.append(started("api")[1] * REFERENCE_SECONDS / started(REFERENCE)[1])
    assert median(measured) <= API_CPU_SECONDS, measured


# As awslambdaric's hooks runner calls them: the last registered first before, the first registered first after.
HOOKS = """
import random, socket
from unittest import mock
import snapshot_restore_py
import api
from tasks import aws
def before_snapshot():
    registered = snapshot_restore_py.get_before_snapshot()
    while registered:
        call, arguments, named = registered.pop()
        call(*arguments, **named)
def after_restore():
    for call, arguments, named in snapshot_restore_py.get_after_restore():
        call(*arguments, **named)
"""

SNAPSHOT = """
with mock.patch.object(socket.socket, "connect", side_effect=AssertionError("connected")):
    before_snapshot()
assert aws.task_store.cache_info().currsize == aws.task_queues.cache_info().currsize == 1
drawn = set()
for _ in range(2):  # two environments restored from the same snapshot
    random.seed(7)
    after_restore()
    drawn.add(random.random())
assert len(drawn) == 2, drawn
"""

# SnapStart gives credentials by HTTP instead of in the environment, so that they can be younger than the snapshot.
RESTORED = """
import http.server, json, os, threading
signed, given = [], []
class Endpoints(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):  # the credentials: those of the snapshot have expired by the time it is restored
        name, year = ("OLD", 2020) if not given else ("NEW", 2990)
        given.append(name)
        self.answer(json.dumps({"AccessKeyId": name, "SecretAccessKey": "s", "Token": "t",
                                "Expiration": f"{year}-01-01T00:00:00Z"}).encode())
    def do_POST(self):  # DynamoDB
        self.rfile.read(int(self.headers["Content-Length"]))
        signed.append(self.headers["Authorization"].split("Credential=")[1].split("/")[0])
        self.answer(b"{}")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoints)
threading.Thread(target=server.serve_forever, daemon=True).start()
for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    del os.environ[name]
address = f"http://127.0.0.1:{server.server_port}"
os.environ |= {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{address}/credentials", "AWS_ENDPOINT_URL": address}
before_snapshot()
assert given == ["OLD"], given
after_restore()
assert aws.task_store().get("a") is None
assert signed == ["NEW"], signed
"""


def in_snapstart(script: str) -> None:
    """Run a script in a process as the api's, with the functions that stand for Lambda's runtime."""
    names = {field.name.upper() for field in fields(Settings) if field.type == "str"}
    numbers = {field.name.upper() for field in fields(Settings) if field.type == "int"}
    sent = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        **dict.fromkeys(names, "https://example.org/q"),
        **dict.fromkeys(numbers, "9"),
    }
    done = subprocess.run(
        [sys.executable, "-c", HOOKS + script],
        env=environment("api") | sent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_snapshot_holds_clients_but_no_connection_and_no_shared_chance() -> None:
    """SnapStart: what is slow is made before the snapshot, and restored environments draw different numbers."""
    in_snapstart(SNAPSHOT)


def test_a_restored_environment_has_fresh_credentials() -> None:
    """The clients made before the snapshot sign with the credentials that are valid after it."""
    in_snapstart(RESTORED)
