"""The running stack that the end-to-end tests share, and a browser for its pages."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from browsing import PATIENCE_MS
from local_stack import ORIGIN, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session", name="stack")
def fixture_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack, shared by the tests that leave it as they found it."""
    # A worker notices at its heartbeat, a third of the lease, that a task was cancelled; until then its circuit runs.
    stack = Stack(tmp_path_factory.mktemp("stack"), "LeaseSeconds=18")
    started = stack.command("up")
    assert started.returncode == 0, started.stderr
    yield stack
    assert stack.command("down").stdout == "Stopped.\n"


@pytest.fixture(scope="session", name="telling")
def fixture_telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack that publishes events, as one on AWS does by default, and lets an origin in."""
    stack = Stack(tmp_path_factory.mktemp("telling"), f"PublishEvents=yes AllowedOrigin={ORIGIN}")
    started = stack.command("up")
    assert started.returncode == 0, started.stderr
    yield stack
    stack.command("down")


@pytest.fixture(scope="session", name="browser")
def fixture_browser() -> Iterator[Browser]:
    """Give a Chromium that finds no other host; skip where there is none, unless PAGE_TEST=required."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")  # the first takes half the CPU
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = "Chromium is not installed (Debian: apt-get install chromium-headless-shell): the page was not tested."
        (pytest.fail if os.environ.get("PAGE_TEST") == "required" else pytest.skip)(reason)
    with sync_playwright() as playwright:
        # Its sandbox needs privileges that containers and root do not have; what it loads here is our own page.
        only_here = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", only_here])
        yield browser
        browser.close()


@pytest.fixture(name="open_page")
def fixture_open_page(stack: Stack, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a function that opens the page in a fresh profile; whatever the browser complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_page(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        # An answer of the API that refuses is one of its answers; Chromium reports it as a resource that failed.
        page.on(
            "console",
            lambda printed: (
                complaints.append(printed.text)
                if printed.type in {"error", "warning"} and "Failed to load resource" not in printed.text
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on(
            "response",
            lambda answer: complaints.append(answer.url) if "/page/" in answer.url and not answer.ok else None,
        )
        page.on("request", lambda sent: complaints.append(sent.url) if outside(sent.url) else None)
        page.goto(stack.env["API_URL"] + path)
        return page

    def outside(url: str) -> bool:
        return not url.startswith((stack.env["API_URL"], "data:", "blob:"))

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
