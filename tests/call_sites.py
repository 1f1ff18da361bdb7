"""The places in the product's source that call AWS, found by reading it, and those of them that a run came through.

Two kinds: calls of boto3's clients, and a function's own calls of what the shared layer calls AWS in. The latter tell
who does what: one line of `queue.py` sends all messages, and each function that uses it needs a permission of its own.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.session
from botocore import xform_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).parents[1]
SERVICES = ("dynamodb", "sqs", "s3", "events", "secretsmanager", "lambda", "batch")
# What objects that call AWS are named, wherever a method's name alone would not tell (`get`, `send`).
RECEIVERS = {"store", "queue", "queues", "dead_letters", "task_queues", "task_store", "aws", "_queue", "callback_queue"}
_OWN = RECEIVERS | {"self", "_rows", "_payloads"}  # in the layer itself
_model = botocore.session.get_session()
OPERATIONS = {
    xform_name(operation) for service in SERVICES for operation in _model.get_service_model(service).operation_names
} | {"get_paginator", "generate_presigned_url"}
_CLIENTS = {"client", "_client", "sqs", "_sqs", "events"}


@dataclass(frozen=True, order=True)
class Site:
    """One call in the source: lines from `first` to `last` of a file."""

    path: str
    first: int
    last: int
    text: str


def frames() -> Iterator[tuple[str, int]]:
    """Yield (path, line) of the product's code that is running in this thread, the innermost first."""
    frame = sys._getframe(1)  # noqa: SLF001 - the way to look at one's callers
    while frame is not None:
        if path := _of_the_product(frame.f_code.co_filename):
            yield path, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]  # None after the last


@cache
def _of_the_product(file: str) -> str | None:
    path = Path(file)
    if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ("functions", "layers"):
        return str(path.relative_to(ROOT))
    return None


def layer_sites() -> list[Site]:
    """Return the calls of boto3's clients in the shared layer."""
    return [site for path in _files("layers/tasks") for site in _sites(path, _is_operation)]


def function_sites(*paths: str) -> list[Site]:
    """Return the calls in a function's files of boto3's clients, and of what calls them in the layer."""
    speaking = _speaking()
    return [
        site
        for path in paths
        for file in _files(path)
        for site in _sites(file, lambda node: _is_operation(node) or _is_call_of(node, speaking, RECEIVERS))
    ]


def unreached(sites: Iterable[Site], reached: Iterable[tuple[str, int]]) -> list[Site]:
    """Return the sites that no recorded call came through."""
    lines = set(reached)
    return [
        site for site in sites if not any(path == site.path and site.first <= line <= site.last for path, line in lines)
    ]


def _files(path: str) -> list[Path]:
    place = ROOT / path
    return sorted(place.glob("*.py")) if place.is_dir() else [place]


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _sites(file: Path, wanted: Callable[[ast.Call], bool]) -> Iterator[Site]:
    tree = _parsed(file)
    for node in filter(wanted, _calls(tree)):
        place: ast.AST = node
        if _name(node) == "get_paginator":  # the calls are made where its pages are read
            functions = [each for each in ast.walk(tree) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
            (place,) = [each for each in functions if node in _calls(each)]
        first, last = place.lineno, place.end_lineno or 0  # type: ignore[attr-defined]
        yield Site(str(file.relative_to(ROOT)), first, last, ast.unparse(node.func))


@cache
def _speaking() -> frozenset[str]:
    """Return the names of the layer's functions and methods that call AWS, themselves or by each other."""
    found: frozenset[str] = frozenset()
    functions = [
        (node.name, _calls(node))
        for file in _files("layers/tasks")
        for node in ast.walk(_parsed(file))
        if isinstance(node, ast.FunctionDef)
    ]
    while True:
        more = {
            name
            for name, calls in functions
            if any(_is_operation(call) or _is_call_of(call, found, _OWN) for call in calls)
        }
        if more <= found:
            return found
        found |= more


def _is_operation(node: ast.Call) -> bool:
    return _name(node) in OPERATIONS and _receiver(node) in _CLIENTS


def _is_call_of(node: ast.Call, names: frozenset[str], receivers: set[str]) -> bool:
    if isinstance(node.func, ast.Name):
        return node.func.id in names & {"callback_key"}  # the only one that is no method
    return _name(node) in names and _receiver(node) in receivers


def _name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _receiver(node: ast.Call) -> str:
    """Return the last name of what a method is called of: `queues` for `self.queues[lane].send`."""
    at: ast.AST = node.func.value if isinstance(node.func, ast.Attribute) else node
    while not isinstance(at, (ast.Name, ast.Attribute)):
        if isinstance(at, ast.Subscript):
            at = at.value
        elif isinstance(at, ast.Call):
            at = at.func
        else:
            return ""
    return at.id if isinstance(at, ast.Name) else at.attr
