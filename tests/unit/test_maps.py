"""The READMEs as maps: every module is on one, what they name is there, and lists of fields and addresses are whole."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from api import create_app
from messages import TaskBody, TaskSummary
from request_search import FIELDS, ROUTES
from submitted import Depolarizing, NoiseRequest, Readout, TaskInBatch, TaskRequest
from tasks.errors import ErrorCode
from tasks.logs import Event
from tasks.noise import rule_list
from tasks.options import Options
from tasks.results import ResultType
from verdicts import OUTCOME_FIELDS

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
DOCUMENTS = [path for path in TRACKED if path.endswith("README.md")]
MAPS = {
    "functions": "functions/README.md",
    "layers/tasks": "layers/tasks/README.md",
    "layers/reader": "layers/reader/README.md",
    "infra": "infra/README.md",
    "client/quantum_circuits": "client/README.md",
    "tests/bench": "tests/bench/README.md",
}
README, LLMS = ROOT / "README.md", ROOT / "functions" / "api" / "page" / "llms.txt"
IN_CODE = re.compile(r"`([^`\n]+)`")


def in_code(text: str) -> set[str]:
    """Return what a document has between single backticks, outside of its blocks."""
    return set(IN_CODE.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


@pytest.mark.parametrize("folder", MAPS)
def test_every_module_is_on_its_map(folder: str) -> None:
    """A folder's README names each module, with or without its ending."""
    named = {Path(word).name.removesuffix(".py") for word in in_code((ROOT / MAPS[folder]).read_text())}
    modules = [Path(path) for path in TRACKED if path.startswith(f"{folder}/") and path.endswith(".py")]
    assert [str(path) for path in modules if path.stem not in named and not path.stem.endswith("__")] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_files_that_it_names_are_there(document: str) -> None:
    """A name with the ending of a source file is a path of the repository, or the end of one."""
    named = {
        word for word in in_code((ROOT / document).read_text()) if re.fullmatch(r"[\w./-]+\.(py|md|sh|js|yaml)", word)
    }
    ends = tuple(f"/{path}" for path in TRACKED)
    assert [word for word in sorted(named) if not any(path.endswith(f"/{word}") for path in ends)] == []


def test_lists_of_a_tasks_options_are_whole() -> None:
    """The READMEs, /llms.txt, the client and the search for costly requests have every field of a task."""
    sentence = re.search(r"^Options of a task: (.*?)\n\n", README.read_text(), re.DOTALL | re.MULTILINE)
    assert sentence
    fields = set(TaskRequest.model_fields)
    assert fields - in_code(sentence[1]) == {"qc"}
    assert fields - in_code(LLMS.read_text()) == set()
    assert fields - in_code((ROOT / "functions" / "api" / "README.md").read_text()) == set()
    assert fields - set(re.findall(r"\w+", (ROOT / "client/quantum_circuits/client.py").read_text())) == set()
    assert {*TaskInBatch.model_fields} - set(FIELDS) == set()


def test_fields_of_an_outcome_are_whole() -> None:
    """What a child's answer may have is what the API documents of a completed task, and what the client reads."""
    shown = TaskBody.model_fields.keys() - TaskSummary.model_fields.keys()
    assert shown - {"result_url"} == OUTCOME_FIELDS
    read = (ROOT / "client/quantum_circuits/task.py").read_text()
    assert {field for field in OUTCOME_FIELDS if f'"{field}"' not in read} == set()


def test_every_option_has_a_field_on_the_page() -> None:
    """options.js has each option's field, puts it into a body and back, and index.html has the field itself."""
    page = ROOT / "functions" / "api" / "page"
    script, markup = (page / "options.js").read_text(), (page / "index.html").read_text()
    table, body, filled = (
        re.search(pattern, script, re.DOTALL)
        for pattern in (r"const FIELDS = \{(.*?)\};", r"function bodyOf\(.*?\n\}", r"function fill\(\{(.*?), \.\.\.")
    )
    assert table
    assert body
    assert filled
    fields = dict(re.findall(r'(\w+): "([\w-]+)"', table[1]))
    options = TaskRequest.model_fields.keys() - {"qc"}  # the editor's text
    assert fields.keys() == options
    assert {option for option in options if not re.search(rf"\bbody\.{option}\b", body[0])} == set()
    assert options <= set(re.findall(r"\w+", filled[1]))
    noise = dict(re.findall(r'(\w+): "(depolarizing|readout)"', script))
    assert {*noise} == Depolarizing.model_fields.keys() | Readout.model_fields.keys()
    without = {"errors", "durations"}  # the field of the other options takes these
    assert NoiseRequest.model_fields.keys() - {*noise.values()} - without == {"model", "rules"}
    ids = {*fields.values(), *noise, "noise-model", "noise-rules", "other-options"}
    assert {each for each in ids if f'id="{each}"' not in markup} == set()


def test_lists_of_addresses_are_whole() -> None:
    """README's table, /llms.txt and the search for costly requests have every address."""
    addresses = {
        (method.upper(), re.sub(r"\{.*?\}", "{id}", path))
        for path, methods in create_app().openapi()["paths"].items()
        for method in methods
    }
    readme, llms = (
        {re.sub(r"\{.*?\}", "{id}", word.split("?")[0]) for word in in_code(document.read_text())}
        for document in (README, LLMS)
    )
    for method, path in addresses:
        assert {f"{method} {path}", path} & readme, (method, path)
        assert {f"{method} {path}", path} & llms, (method, path)
    assert addresses - set(ROUTES) == set()


def test_lists_of_codes_and_events_are_whole() -> None:
    """README has every code that a task can end in, infra/README.md every event of the log."""
    assert set(map(str, ErrorCode)) - in_code(README.read_text()) == set()
    assert set(map(str, Event)) - in_code((ROOT / "infra" / "README.md").read_text()) == set()


def table(text: str, heading: str) -> set[str]:
    """Return what is in code in the first column of the table under this heading's row."""
    rows = text.split(f"\n{heading}")[1].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return {word for row in rows for word in IN_CODE.findall(row.split("|")[1])}


def test_tables_of_results_and_noise_are_whole() -> None:
    """functions/api/README.md has every type of result and every channel, and its examples of noise are accepted."""
    text = (ROOT / "functions" / "api" / "README.md").read_text()
    assert table(text, "| type |") == set(map(str, ResultType))
    assert table(text, "| `channel` |") == {*rule_list._CHANNELS, "readout"}  # noqa: SLF001 - the list
    examples = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    decoder, noise = json.JSONDecoder(), examples[0].strip()
    while noise:
        example, end = decoder.raw_decode(noise)
        assert Options.from_dict({"noise": example}).noise
        noise = noise[end:].strip()
    assert len(examples) == 1


def test_the_changelog_has_each_section_and_line_once() -> None:
    """A merge can bring a part back that another change has moved: sections are in the order of Keep a Changelog."""
    text = (ROOT / "CHANGELOG.md").read_text()
    for version in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        sections = re.findall(r"^### (\w+)$", version, re.MULTILINE)
        order = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
        assert sections == [name for name in order if name in sections]
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert sorted(lines) == sorted(set(lines))
