"""How the source files of the functions, the layers and infra hang together."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOTS = [ROOT / "layers", ROOT / "infra", *sorted(path for path in (ROOT / "functions").iterdir() if path.is_dir())]
PRODUCT = ("functions", "layers", "infra", "client")
FOLDERS = (*PRODUCT, "tests")
LONGEST_FUNCTION = 60  # lines; the longer ones are these, each for a reason
LONG_FUNCTIONS = {
    "layers/reader/compiler/control.py branch": "both sides of a branch and what merges them",
    "tests/bench/cost.py million": "the bill, one service after another",
    "tests/simulated_aws.py aws_in_moto": "the resources of the template, one after another",
    "tests/truth/programs.py cases": "one random choice after another",
    "tests/unit/reader/test_fuzz.py statement": "one branch for each kind of statement",
    "tests/unit/reader/test_round_trip.py controlled": "a table of circuits",
}
LONGEST = 450  # lines of a module that is no table; the tree of the syntax and the gates are tables
TABLES = {"syntax.py", "gates.py"}


@cache
def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text())


def modules(root: Path) -> dict[str, Path]:
    """Return the modules of an import root by their dotted names."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(root.rglob("*.py"))
    }


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """Return which known modules a file imports, inside functions too, but not for type checking."""
    found: set[str] = set()
    stack: list[ast.AST] = [parsed(path)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                found.add(inner if inner in known else node.module)
        elif isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        stack += ast.iter_child_nodes(node)
    return found & known.keys()


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other, one after the other; empty if none do."""
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        path.append(name)
        for other in sorted(graph[name]):
            if found := visit(other):
                return found
        path.pop()
        done.add(name)
        return []

    return next((found for name in graph if (found := visit(name))), [])


def test_the_search_for_circles_finds_one() -> None:
    """Three modules that import each other are a circle, a diamond is none."""
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions count too: they hide a circle and do not end it."""
    for root in ROOTS:
        known = modules(root)
        assert circle({name: imported(path, known) - {name} for name, path in known.items()}) == [], root


def test_modules_are_short() -> None:
    """A module of the product that is no table has at most 450 lines."""
    paths = [path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")]
    long = {path.name for path in paths if len(path.read_text().splitlines()) > LONGEST}
    assert long - TABLES == set()


def test_functions_are_short() -> None:
    """A function has at most 60 lines, or a reason in the list above."""
    long = {
        f"{path.relative_to(ROOT)} {node.name}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }
    assert long - LONG_FUNCTIONS.keys() == set()


def test_a_complex_function_has_its_reason() -> None:
    """Whoever turns a rule of complexity off says why, behind the check that is turned off."""
    rule = re.compile(r"# noqa: [A-Z0-9, ]*\b(?:C901|PLR091[125])\b[A-Z0-9, ]*(.*)")
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (found := rule.search(line)) and not found[1].strip(" -")
    ]
    assert bare == []


def test_an_import_inside_a_function_has_its_reason() -> None:
    """Whoever imports late says what for, behind the check that is turned off."""
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for root in ROOTS
        for path in root.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "noqa: PLC0415" in line and not line.partition("PLC0415")[2].strip(" -")
    ]
    assert bare == []
