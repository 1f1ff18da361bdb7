"""What we use of other packages without their leave: it is there, and functions/README.md's table has it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from local import ministack_main

ROOT = Path(__file__).resolve().parents[2]
OURS = {"/infra/preflight/limits.py"}  # looks into a module of ours
NAME = re.compile(r"`([\w/.]+\.py)`")


def of_ministack(kind: type[ast.expr_context]) -> set[str]:
    """Return what ministack_main.py reads or sets of MiniStack's modules, such as `sqs._collect_msgs`."""
    tree = ast.parse(Path(ministack_main.__file__).read_text())
    modules = {
        name.asname or name.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack")
        for name in node.names
    }
    names = {
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, kind)
    }
    return {name for name in names if name.partition(".")[0] in modules and re.fullmatch(r"[\w.]+", name)}


@pytest.mark.parametrize("name", sorted(of_ministack(ast.Load) | of_ministack(ast.Store)))
def test_a_name_of_ministack_that_we_use_is_there(name: str) -> None:
    """A patch of a name that has moved would change nothing, and say nothing."""
    module, *attributes = name.split(".")
    held = getattr(ministack_main, module)
    for attribute in attributes:
        assert hasattr(held, attribute)
        held = getattr(held, attribute)


def test_the_table_has_everything_that_is_replaced_of_ministack() -> None:
    """By the last part of its name, or the class with it."""
    text = (ROOT / "functions" / "README.md").read_text()
    row = next(row for row in text.splitlines() if row.startswith("| `infra/local/ministack_main.py`"))
    named = tuple(re.findall(r"`([\w.]+)`", row.split("|")[2]))
    assert {name for name in of_ministack(ast.Store) if not name.partition(".")[2].endswith(named)} == set()
    assert named == tuple(word for word in named if any(name.endswith(word) for name in of_ministack(ast.Store)))


def test_the_table_has_every_file_that_uses_private_names() -> None:
    """Whoever goes through another private door adds it to the table, with the test that fails first."""
    table = (ROOT / "functions" / "README.md").read_text().split("# Private interfaces of dependencies")[1]
    named = tuple(f"/{name}" for row in table.splitlines() if "|" in row for name in NAME.findall(row.split("|")[1]))
    using = {
        f"/{path.relative_to(ROOT)}"
        for folder in ("functions", "layers", "infra", "client")
        for path in (ROOT / folder).rglob("*.py")
        if "noqa: SLF001" in path.read_text()
    }
    assert {path for path in using - OURS if not path.endswith(named)} == set()
