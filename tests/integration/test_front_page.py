"""The page's files through the api's handler: where their links lead, and that nothing else is given."""

from __future__ import annotations

import re

import pytest
from test_api import call

import front_page


def test_the_page_leads_to_where_it_was_asked_for() -> None:
    """Behind a stage its links and its script's calls are behind that stage too; no placeholder is left."""
    status, headers, text = call("GET", "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["cache-control"] == "no-cache"
    assert 'data-base="/v1"' in text
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert [link for link in links if not link.startswith(("/v1/", "#", "data:"))] == []
    assert not re.search(r"\{\w+\}", text)


@pytest.mark.parametrize("name", sorted(front_page._parts()))  # noqa: SLF001 - the list that is tested
def test_each_file_comes_as_text_with_the_policy(name: str) -> None:
    """API Gateway would hand on bytes in Base64."""
    status, headers, text = call("GET", f"/page/{name}")
    assert (status, text) == (200, (front_page.FOLDER / name).read_text())
    assert headers["content-security-policy"] == front_page.POLICY
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["index.html", "..", "../api.py", "%2e%2e%2fapi.py", "nothing", ""])
def test_nothing_else_is_given(name: str) -> None:
    """No other file, by whatever name."""
    assert call("GET", f"/page/{name}")[0] == 404


def test_the_policy_allows_nothing_inline_and_no_other_host() -> None:
    """Not one unsafe word, wildcard or host; anything that is not named is forbidden."""
    rules = dict(rule.split(" ", 1) for rule in front_page.POLICY.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert set(rules.values()) == {"'self'", "'none'", "data:", "'script'"}
    assert [name for name, value in rules.items() if value == "data:"] == ["img-src"]
