"""What the READMEs tell people to type: every curl line is run as it stands, every `make` target is there."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from local_stack import ROOT, Stack

DOCUMENTS = sorted(path.relative_to(ROOT) for path in ROOT.rglob("README.md") if ".local" not in path.parts)
BLOCKS = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMANDS = re.compile(r"^ *\$ ((?:.*\\\n)*.*)", re.MULTILINE)


def commands(program: str) -> list[str]:
    """Return the documents' command lines that begin with this program."""
    texts = ["\n".join(BLOCKS.findall((ROOT / path).read_text(encoding="utf-8"))) for path in DOCUMENTS]
    return [command for text in texts for command in COMMANDS.findall(text) if command.startswith(program)]


def test_there_is_something_to_try() -> None:
    """The documents have command lines, so that the other tests try something."""
    assert len(commands("curl")) >= 4
    assert len(commands("make")) >= 10


@pytest.mark.parametrize("command", commands("curl"))
def test_a_curl_line_is_answered(stack: Stack, command: str) -> None:
    """The line runs with the stack's address, and is answered with JSON; a task's shortened id stands for a new one."""
    with stack.http() as http:
        task_id = http.post("/tasks", json={"qc": "qubit q; measure q;"}).json()["task_id"]
    typed = command.replace("http://127.0.0.1:8000", stack.env["API_URL"]).replace("0b84…", task_id)
    ran = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=True)
    answer = json.loads(ran.stdout)
    assert {"task_id", "secret", "code", "total"} & set(answer)


def printed(text: str) -> tuple[str, str]:
    """Return the first body with a seed that a text has, and the first result that it prints after it."""
    found = re.search(r"-d '(\{.*?\"seed\".*?\})'.*?\"result\": ?(\{.*?\})", text, re.DOTALL)
    assert found
    return found[1], found[2]


def test_results_of_seeds_are_as_printed(stack: Stack) -> None:
    """README, /llms.txt and the OpenAPI document's example have the counts that their tasks with a seed have."""
    with stack.http() as http:
        schemas = http.get("/openapi.json").json()["components"]["schemas"]
        example = schemas["TaskBody"]["examples"][0]
        pairs = [
            printed((ROOT / "README.md").read_text(encoding="utf-8")),
            printed(http.get("/llms.txt").text),
            (json.dumps(schemas["TaskRequest"]["examples"][0]), json.dumps(example["result"])),
        ]
        for body, result in pairs:
            task = http.post("/tasks", json=json.loads(body), headers={"Prefer": "wait=20"}).json()["task"]
            assert json.loads(result) == task["result"]
        assert example["execution"]["method"] == task["execution"]["method"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_its_make_targets_are_there(path: str) -> None:
    """Every `make` that a document names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / path).read_text(encoding="utf-8")
    named = re.findall(r"(?:^ *\$ |`)make ([a-z][a-z-]*)", text, re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_its_links_lead_somewhere(path: str) -> None:
    """Every relative link of a document is to a file that is there."""
    text = (ROOT / path).read_text(encoding="utf-8")
    text = re.sub(r"(?<=[\s(])`[^`\n]+`", "", text)  # `int[1](b)` is code
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not ((ROOT / path).parent / link).exists()] == []
