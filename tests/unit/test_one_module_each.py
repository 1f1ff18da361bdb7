"""What is done in one module and nowhere else, so that there is one place to look at and to change."""

from __future__ import annotations

import ast
from functools import cache

import pytest

import call_sites

ROOT = call_sites.ROOT


@cache
def nodes() -> dict[str, list[ast.AST]]:
    """Return the syntax of the product's modules, by their paths."""
    paths = [path for part in ("functions", "layers") for path in sorted((ROOT / part).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): list(ast.walk(ast.parse(path.read_text()))) for path in paths}


def test_the_environment_is_read_in_one_module() -> None:
    """`os.environ` and its like are in settings.py."""
    readers = {
        path
        for path, found in nodes().items()
        for node in found
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv", "os.environb")
    }
    assert readers == {"layers/tasks/settings.py"}


@pytest.mark.parametrize(
    ("operations", "modules"),
    [
        (("send_message", "send_message_batch", "receive_message", "delete_message"), {"queue"}),
        (("change_message_visibility", "change_message_visibility_batch", "get_queue_attributes"), {"queue"}),
        (("put_object", "get_object", "generate_presigned_url"), {"payloads"}),
        (("get_item", "batch_get_item", "query"), {"table"}),
        (("put_item", "transact_write_items"), {"submissions", "purging"}),  # a new task, and what is left of one
        (("batch_execute_statement",), {"statements"}),
        # A task's changes; the places of answers that wait and of callbacks; the sums of the table's stream and what is
        # granted beside them; the keys that end by themselves.
        (
            ("update_item",),
            {"store", "supervision", "places", "functions/notifier/sums", "usage", "open_work", "rotated_keys"},
        ),
    ],
)
def test_each_service_is_spoken_in_its_module(operations: tuple[str, ...], modules: set[str]) -> None:
    """SQS is spoken in queue.py, S3 in payloads.py, and DynamoDB in one module for each kind of row and write."""
    speakers = {
        path
        for path, found in nodes().items()
        for node in found
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in operations
        if ast.unparse(node.func.value).endswith("client")
    }
    assert speakers == {f"{module if '/' in module else f'layers/tasks/{module}'}.py" for module in modules}
