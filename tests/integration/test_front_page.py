"""The pages' files through the api's handler: where links lead, how long they are kept, that nothing else is given."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from test_api import call

import front_page

if TYPE_CHECKING:
    from simulated_aws import Aws

DOCUMENTS = ("/", "/docs", "/redoc")
PARTS = sorted(front_page._parts())  # noqa: SLF001 - the list that is tested
VERSION = front_page._version()  # noqa: SLF001 - the same


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_page_leads_to_where_it_was_asked_for(path: str) -> None:
    """Behind a stage its links and its scripts' calls are behind that stage too; no placeholder is left."""
    status, headers, text = call("GET", path)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["cache-control"] == "no-cache"
    assert headers["content-security-policy"] == front_page.POLICY
    assert 'data-base="/v1"' in text
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert [link for link in links if not link.startswith(("/v1/", "#", "data:"))] == []
    assert not re.search(r"\{\w+\}", text)
    loaded = {link for link in links if link.startswith("/v1/page/")}
    assert loaded
    assert {call("GET", link.removeprefix("/v1"))[0] for link in loaded} == {200}


@pytest.mark.parametrize("name", PARTS)
def test_each_file_comes_as_text_with_the_policy_and_is_kept(name: str) -> None:
    """API Gateway would hand on bytes in Base64. The address changes with the files: a browser asks once."""
    status, headers, text = call("GET", f"/page/{VERSION}/{name}")
    assert (status, text) == (200, (front_page.FOLDER / name).read_text())
    assert headers["content-security-policy"] == front_page.POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert call("GET", f"/page/another/{name}")[1]["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", PARTS)
def test_a_script_imports_its_neighbours_only(name: str) -> None:
    """So every import has the version of its page in its address, and none leads to another host."""
    text = (front_page.FOLDER / name).read_text()
    imported = re.findall(r'^(?:import|export) .*? from "([^"]+)"', text, re.MULTILINE)
    assert {link.removeprefix("./") for link in imported} <= set(PARTS)
    assert len(imported) == len(re.findall(r"\bfrom \"|\bimport\(", text))


@pytest.mark.parametrize("name", ["index.html", "..", "../api.py", "%2e%2e%2fapi.py", "nothing", ""])
def test_nothing_else_is_given(name: str) -> None:
    """No other file, by whatever name."""
    assert call("GET", f"/page/{VERSION}/{name}")[0] == 404


def test_the_policy_allows_nothing_inline_and_no_other_host() -> None:
    """Not one unsafe word, wildcard or host; anything that is not named is forbidden."""
    rules = dict(rule.split(" ", 1) for rule in front_page.POLICY.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert set(rules.values()) == {"'self'", "'none'", "data:", "'script'"}
    assert [name for name, value in rules.items() if value == "data:"] == ["img-src"]


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
