"""What the tests in a browser do to a page, and what they ask of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


def enter_key(page: Page, key: str) -> None:
    """Type the API key and leave the field."""
    page.get_by_label("API key").fill(key)
    page.get_by_label("API key").press("Tab")


def next_task(page: Page, before: str = "") -> str:
    """Wait until the address names another task than the one before; return its id.

    Not by `wait_for_function`: it evaluates text in the page at each look, which the page's policy refuses at times.
    """
    expect(page).to_have_url(re.compile(rf"#(?!{before}$)[0-9a-f-]{{36}}$"))
    return page.url.partition("#")[2]


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds that keeps people out, seriously or worse: its rule and the first element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in {"serious", "critical"}
    ]
