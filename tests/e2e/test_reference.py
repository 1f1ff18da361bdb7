"""The API's reference at `/docs` and `/redoc` in a real browser that finds no other host, against the whole stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from browsing import barriers, enter_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from local_stack import Stack

HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>"


def test_the_reference_has_every_address_and_calls_them(open_page: Callable[..., Page], stack: Stack) -> None:
    """With the key of the page before, in the same tab: a circuit is sent, and a refusal's markup is shown as text."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    page.get_by_role("link", name="API reference").click()
    expect(page.get_by_label("API key")).to_have_value(stack.env["API_KEY"])
    with stack.http() as http:
        document = http.get("/openapi.json").json()
    addresses = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    expect(page.locator(".operation")).to_have_count(len(addresses))
    assert page.locator(".operation h3").all_inner_texts() == addresses
    names = page.locator(".schema > summary").all_inner_texts()
    assert names == list(document["components"]["schemas"])
    submit = page.get_by_role("region", name="POST /tasks", exact=True)
    submit.get_by_text("Try it").click()
    submit.get_by_role("button", name="Send").click()
    expect(submit.locator(".answer")).to_contain_text("Task submitted successfully.")
    submit.get_by_role("textbox", name="Body").fill(f'{{"qc": "qubit q; {HOSTILE} q;"}}')
    submit.get_by_role("button", name="Send").click()
    expect(submit.locator(".answer .bad")).to_contain_text("400")
    expect(submit.locator(".answer pre")).to_contain_text("<img src=x")
    assert page.locator("img, main script").count() == 0
    assert barriers(page) == []


def test_all_of_it_on_one_page(open_page: Callable[..., Page]) -> None:
    """At `/redoc` nothing is folded, on a phone in the dark too, and nothing is off the screen."""
    page = open_page("/redoc", color_scheme="dark", viewport={"width": 390, "height": 844})
    expect(page.locator(".schema").first).to_be_visible()
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert barriers(page) == []
