"""How the source files of the functions, the layers, infra and the client hang together, and how long they are."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path for path in (ROOT / "functions").iterdir() if path.is_dir())
ROOTS = [ROOT / "layers", ROOT / "infra", ROOT / "client", *FUNCTIONS]  # of imports
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
# Imports by a name that is computed, which no search of the text finds: whom they import, none of which imports them.
COMPUTED_IMPORTS = {
    "functions/worker/fork_server.py": "the simulator, by the name that the worker gives, and what it loads late",
    "infra/preflight/__main__.py": "the checks that were asked for",
}
TABLES = {"layers/reader/text/syntax.py", "layers/reader/compiler/gates.py"}


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


def imports(tree: ast.Module) -> set[tuple[str, ...]]:
    """Return what a file imports, inside functions and for type checking too: the names that each may mean."""
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.update((f"{node.module}.{name.name}", node.module) for name in node.names)
        elif isinstance(node, ast.Import):
            found.update((name.name,) for name in node.names)
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in {"import_module", "__import__"}:
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                found.update((each.value,) for each in given if isinstance(each, ast.Constant))
    return found


@cache
def imports_of(path: Path) -> set[tuple[str, ...]]:
    """Return what the file at a path imports."""
    return imports(parsed(path))


def among(found: set[tuple[str, ...]], known: Collection[str]) -> set[str]:
    """Return which known modules these imports mean."""
    return {name for names in found if (name := next((each for each in names if each in known), None))}


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


def test_the_search_for_imports_finds_them_all() -> None:
    """Wherever they stand in a file, and however they are written."""
    text = """
if TYPE_CHECKING:
    from tasks.task import Task
def late():
    import reader.text.parser
    importlib.import_module("worker")
    import_module(name="sweeper")
from reader import budget, Limits
import json
"""
    known = {"tasks.task", "reader", "reader.text.parser", "reader.budget", "worker", "sweeper", "tasks"}
    assert among(imports(ast.parse(text)), known) == known - {"tasks"}


@pytest.mark.parametrize("function", [path.name for path in FUNCTIONS])
def test_no_modules_import_each_other_in_a_circle(function: str) -> None:
    """Nor for type checking, nor inside functions: those hide a circle and do not end it; nor through the layers."""
    paths: dict[str, Path] = {}
    for root in (ROOT / "layers", ROOT / "infra", ROOT / "client", ROOT / "functions" / function):
        found = modules(root)
        assert paths.keys() & found.keys() == set(), f"a module of {root} has the name of another"
        paths |= found
    assert circle({name: among(imports_of(path), paths) - {name} for name, path in paths.items()}) == []


def test_imports_by_a_computed_name_are_known() -> None:
    """They could hide a circle, as could modules that are taken from sys.modules: each has its reason."""
    computed = set()
    for path in (path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts):
        for node in ast.walk(parsed(path)):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            name = called.rpartition(".")[2]
            if name in {"import_module", "__import__", "run_module", "spec_from_file_location"}:
                kinds = {type(each) for each in ast.walk(node)}
                if ast.JoinedStr in kinds or ast.Constant not in kinds:
                    computed.add(str(path.relative_to(ROOT)))
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "sys.modules":
                computed.add(str(path.relative_to(ROOT)))
    assert computed == COMPUTED_IMPORTS.keys()


def test_no_import_is_relative() -> None:
    """A whole name says where a module is; the search for circles looks at those alone."""
    relative = [
        str(path.relative_to(ROOT))
        for folder in PRODUCT
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_what_is_packed_apart_is_imported_apart() -> None:
    """Layers import no function, functions none of each other, and neither imports infra or the client."""
    packed = {path.name: modules(path) for path in FUNCTIONS}
    never = modules(ROOT / "infra").keys() | modules(ROOT / "client").keys()
    for name, path in modules(ROOT / "layers").items():
        assert among(imports_of(path), never.union(*packed.values())) == set(), name
    for function, own in packed.items():
        others = never.union(*(modules for other, modules in packed.items() if other != function)) - own.keys()
        for name, path in own.items():
            assert among(imports_of(path), others) == set(), (function, name)


def test_modules_are_short() -> None:
    """A module of the product that is no table has at most 450 lines."""
    long = {
        str(path.relative_to(ROOT))
        for folder in PRODUCT
        for path in (ROOT / folder).rglob("*.py")
        if len(path.read_text().splitlines()) > LONGEST
    }
    assert long - TABLES == set()


def test_functions_are_short() -> None:
    """A function has at most 60 lines, or a reason in the list above, which names no other."""
    long = {
        f"{path.relative_to(ROOT)} {node.name}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }
    assert long == LONG_FUNCTIONS.keys()


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


def test_no_file_uses_words_of_folklore() -> None:
    """The field's terms are used: fork server, statistics, dead letter, answer."""
    words = ("zygote", "nursery", "gathering", "facts", "told", "said", "the " + "like", "bury", "buried", "riddle")
    folklore = re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)
    endings = {".py", ".md", ".js", ".html", ".css", ".txt", ".yaml", ".sh", ".lark"}
    paths = [ROOT / name for name in ("README.md", "Makefile", "template.yaml", "samconfig.toml", "pyproject.toml")]
    paths += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in endings]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if folklore.search(line)
    ]
    assert found == []


def test_no_test_replaces_a_pause_for_the_whole_process() -> None:
    """MiniStack's threads, which other tests have started, would spin and be noted: replace a module's `time`."""
    tests = [path for folder in ("tests", "client/tests") for path in (ROOT / folder).rglob("*.py")]
    replaced = re.compile(r"""setattr\((["'][\w.]*\btime\.\w+["']|time, )""")
    assert [path.name for path in tests if replaced.search(path.read_text())] == []
