"""The pages' files through the api's handler: where links lead, how long they are kept, that nothing else is given."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from test_api import call

import front_page
from submitted import TaskRequest

if TYPE_CHECKING:
    from simulated_aws import Aws

DOCUMENTS = ("/", "/docs", "/redoc")
SCRIPTS_SERVED = sorted(front_page._scripts())  # noqa: SLF001 - the list that is tested
VERSION = front_page._version()  # noqa: SLF001 - the same


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_page_leads_to_where_it_was_asked_for(path: str) -> None:
    """Behind a stage its links and its scripts' calls are behind that stage too; no placeholder is left."""
    status, headers, text = call("GET", path)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["cache-control"] == "no-cache"
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert headers["content-security-policy"] == f"{front_page.POLICY}; style-src 'sha256-{digest}'"
    assert 'data-base="/v1"' in text
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert [link for link in links if not link.startswith(("/v1/", "#", "data:"))] == []
    assert not re.search(r"\{\w+\}", text)
    loaded = {link for link in links if link.startswith("/v1/page/")}
    assert loaded
    assert {call("GET", link.removeprefix("/v1"))[0] for link in loaded} == {200}


@pytest.mark.parametrize("name", SCRIPTS_SERVED)
def test_each_file_comes_as_text_with_the_policy_and_is_kept(name: str) -> None:
    """API Gateway would hand on bytes in Base64. The address changes with the files: a browser asks once."""
    status, headers, text = call("GET", f"/page/{VERSION}/{name}")
    assert (status, text) == (200, front_page._scripts()[name])  # noqa: SLF001 - the list that is tested
    assert headers["content-security-policy"] == front_page.POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert call("GET", f"/page/another/{name}")[1]["cache-control"] == "no-cache"


MODULES = sorted(path.name for path in front_page.FOLDER.glob("*.js"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_can_be_joined(name: str) -> None:
    """Imports and exports have the forms that page_script.py knows, and what is imported is exported there."""
    text = (front_page.FOLDER / name).read_text()
    imports = re.findall(r'^import \{ (.+) \} from "\./(\w+\.js)";$', text, re.MULTILINE)
    exports = re.findall(r"^export (?:async function|function|class|const) ", text, re.MULTILINE)
    assert len(re.findall(r"^\s*import\b|\bimport\(", text, re.MULTILINE)) == len(imports)
    assert len(re.findall(r"^\s*export\b", text, re.MULTILINE)) == len(exports)
    for names, module in imports:
        other = (front_page.FOLDER / module).read_text()
        for imported in names.split(", "):
            assert re.search(rf"^export (async )?(function|class|const) {re.escape(imported)}\W", other, re.MULTILINE)
    assert name in front_page.SCRIPTS or not re.search(r"^(const .* = )?await ", text, re.MULTILINE)


def test_a_page_asks_for_one_script() -> None:
    """With each module once, after those that it needs, and none left out."""
    for page in DOCUMENTS:
        assert len(re.findall(r'(?:href|src)="/v1/page/', call("GET", page)[2])) == 1
    script = front_page._scripts()["page.js"]  # noqa: SLF001 - the list that is tested
    defined = re.findall(r"^const module_(\w+) =", script, re.MULTILINE)
    assert len(defined) == len(set(defined)) >= 14
    for module in defined:
        uses = [match.start() for match in re.finditer(rf"= module_{module};", script)]
        assert uses
        assert script.index(f"const module_{module} =") < min(uses)
    assert "\nimport " not in script
    assert "\nexport " not in script


@pytest.mark.parametrize("name", ["index.html", "..", "../api.py", "%2e%2e%2fapi.py", "nothing", ""])
def test_nothing_else_is_given(name: str) -> None:
    """No other file, by whatever name."""
    assert call("GET", f"/page/{VERSION}/{name}")[0] == 404


def test_the_policy_allows_nothing_inline_and_no_other_host() -> None:
    """Not one unsafe word, wildcard or host; anything that is not named is forbidden. A page adds its style's hash."""
    rules = dict(rule.split(" ", 1) for rule in front_page.POLICY.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert set(rules.values()) == {"'self'", "'none'", "data:", "'script'"}
    assert [name for name, value in rules.items() if value == "data:"] == ["img-src"]


def test_every_option_of_a_task_has_a_field() -> None:
    """What POST /tasks takes can be entered on the page: each option has a field of the form that is there."""
    script = (front_page.FOLDER / "options.js").read_text()
    fields = dict(re.findall(r'(\w+): "([\w-]+)"', script.partition("const FIELDS = {")[2].partition("};")[0]))
    assert set(fields) == set(TaskRequest.model_fields) - {"qc"}
    for field in fields.values():
        assert len(re.findall(rf'id="{field}"', call("GET", "/")[2])) == 1


def test_the_pages_are_small() -> None:
    """All files of all pages together are at most 150,000 bytes, each compressed by itself."""
    files = [path for path in front_page.FOLDER.iterdir() if path.is_file()]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= 150_000


def test_the_text_for_programs_has_calls_that_work(in_moto: Aws) -> None:
    """Each of the three calls of /llms.txt is answered as the text says; its limits are those in force."""
    status, headers, text = call("GET", "/llms.txt")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "1,024 qubits" in text
    calls = [shlex.split(line) for line in text.splitlines() if line.strip().startswith("curl ")]
    answers = []
    for words in calls:
        address = words[2].removeprefix("$API_URL")
        path, _, query = address.partition("?")
        given = dict(pair.split("=") for pair in query.split("&") if pair)
        body = json.loads(words[words.index("-d") + 1])
        if given:
            status, _, answer = call("POST", path, body, query=given)
        else:
            status, _, answer = call("POST", path, body)
        answers.append((status, answer.get("code"), answer.get("detail"), answer.get("line"), answer.get("column")))
    assert answers[:2] == [(200, None, None, None, None)] * 2
    assert answers[2] == (400, "invalid_circuit", "'hh' is not a gate.", 1, 10)
