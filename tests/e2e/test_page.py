"""The page at `/` in a real browser, headless Chromium, against the whole stack."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error, Page, expect

from browsing import PATIENCE_MS, barriers, enter_key, next_task
from simulated_aws import BELL

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from local_stack import Stack

OVER_THE_MEMORY = {
    "qc": "qubit[40] q; h q; for int i in [0:38] { t q[i]; cx q[i], q[i + 1]; } measure q;",
    "method": "statevector",
}
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>"


def run(page: Page, program: str) -> None:
    """Put a program into the editor and run it."""
    page.get_by_label("Program in OpenQASM").fill(program)
    page.get_by_role("button", name="Run", exact=True).click()


def bars(page: Page) -> dict[str, int]:
    """Return the counts that the histogram shows."""
    rows = page.locator("#counts tbody tr").all()
    texts = [row.locator("th, .count").all_inner_texts() for row in rows]
    return {outcome: int(count.replace(",", "")) for outcome, count in texts}


def test_a_bell_pair_is_two_bars_near_one_half(open_page: Callable[..., Page], stack: Stack) -> None:
    """Open the page, give the key, run what is there: its history, its two outcomes and its place in the list."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    page.get_by_label("Shots").fill("2000")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Completed", timeout=PATIENCE_MS)
    counts = bars(page)
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 2000
    assert 850 < counts["00"] < 1150  # nearly seven standard deviations
    page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    widths = [bar.bounding_box()["width"] for bar in page.locator(".bar").all()]  # type: ignore[index]  # it is visible
    assert abs(widths[0] / widths[1] - counts["00"] / counts["11"]) < 0.05
    assert page.locator("#history .badge").all_inner_texts() == ["Queued", "Running", "Completed"]
    task_id = page.url.partition("#")[2]
    listed = page.get_by_role("region", name="Recent tasks").get_by_role("listitem").first
    expect(listed).to_contain_text(task_id[:8])
    expect(listed).to_contain_text("2,000 shots")


def test_a_broken_program_has_a_caret_at_its_place(open_page: Callable[..., Page], stack: Stack) -> None:
    """The error's sentence, its line with the caret under the very column, its hint, and a way to the place."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    run(page, "OPENQASM 3;\nqubit[2] q;\nh q[0]; hh q[1];\nmeasure q;")
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("'hh' is not a gate.")
    expect(problem).to_contain_text("Did you mean h?")
    line, caret = problem.locator("pre").inner_text().rstrip("\n").split("\n")
    assert line[caret.index("^") :].startswith("hh q[1];")
    box = problem.locator("pre").evaluate("pre => getComputedStyle(pre).whiteSpace")
    assert box == "pre"  # or the caret would not stand where it stands in the text
    problem.get_by_role("button", name="Go to line 3, column 9").click()
    program = page.get_by_label("Program in OpenQASM")
    expect(program).to_be_focused()
    assert program.evaluate("area => area.value.slice(area.selectionStart)").startswith("hh q[1];")
    expect(program).to_have_attribute("aria-invalid", "true")
    run(page, BELL)
    expect(page.get_by_role("status")).to_contain_text("Completed")
    expect(problem).to_be_hidden()


def test_a_task_that_fails_says_why(open_page: Callable[..., Page], stack: Stack) -> None:
    """Opened by its link: what only the worker found out is shown with the result."""
    with stack.http() as http:
        task_id = http.post("/tasks", json=OVER_THE_MEMORY).json()["task_id"]
    page = open_page(f"/#{task_id}")
    enter_key(page, stack.env["API_KEY"])
    page.reload()
    expect(page.get_by_role("status")).to_have_text("Failed")
    expect(page.locator("#failure .what")).to_have_text(stack.ended(task_id)["error"]["message"])
    assert page.locator("#history .badge").all_inner_texts()[-1] == "Failed"


def test_every_example_runs(open_page: Callable[..., Page], stack: Stack) -> None:
    """Each can be picked and completes."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    examples = page.get_by_label("Example").locator("option").all_inner_texts()
    assert len(examples) >= 5
    task_id = ""
    for name in examples:
        page.get_by_label("Example").select_option(label=name)
        page.get_by_role("button", name="Run", exact=True).click()
        task_id = next_task(page, task_id)
        expect(page.get_by_role("status")).to_contain_text("Completed", timeout=PATIENCE_MS)
        assert bars(page), name


def test_another_key_sees_nothing(open_page: Callable[..., Page], stack: Stack) -> None:
    """Neither in the list nor by the task's link; and taking the key away takes the task from view."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    run(page, BELL)
    expect(page.get_by_role("status")).to_contain_text("Completed")
    task = page.evaluate("location.hash")
    other = open_page(f"/{task}")
    enter_key(other, stack.new_key())
    expect(other.locator("#recent-note")).to_have_text("No tasks yet.")
    assert other.locator("#tasks li").count() == 0
    other.reload()  # now with the key from the tab's own memory
    expect(other.get_by_role("status")).to_have_text("Task not found.")
    expect(other.locator("#task")).to_be_hidden()
    enter_key(page, "not-a-key")
    expect(page.locator("#recent-note")).to_contain_text("needs a valid API key")
    expect(page.locator("#task")).to_be_hidden()
    assert page.locator("#tasks li").count() == 0


def test_the_key_is_this_tabs_alone(open_page: Callable[..., Page], stack: Stack) -> None:
    """It outlives a reload, is in no other tab, no cookie and no storage that lasts, and in no address."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    page.reload()
    expect(page.get_by_label("API key")).to_have_value(stack.env["API_KEY"])
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_label("API key")).to_have_value("")
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length") == 0
    assert stack.env["API_KEY"] not in page.url


def test_text_from_outside_is_text(open_page: Callable[..., Page], stack: Stack) -> None:
    """Hostile programs, messages and outcomes are shown and never run: nothing appears but their letters."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    run(page, f"OPENQASM 3;\nqubit q; {HOSTILE} q;")
    expect(page.get_by_role("alert")).to_contain_text("<img src=x")
    # What no service of ours would answer: every text of a task is hostile.
    history = [{"status": HOSTILE, "transitioned_at": "2026-01-01T00:00:00.000Z", "notes": HOSTILE}]
    hostile = {
        "task_id": HOSTILE,
        "status": "completed",
        "message": HOSTILE,
        "submitted_at": "2026-01-01T00:00:00.000Z",
        "status_history": history,
        "correlation_id": HOSTILE,
        "shots": 1,
        "result": {HOSTILE: 1},
        "memory": [HOSTILE],
        "results": [
            {"type": HOSTILE, "values": [HOSTILE]},
            {"type": "amplitudes", "states": [HOSTILE], "real": [1], "imag": [0]},
        ],
        "execution": {"method": HOSTILE, "seed": HOSTILE, "engine": HOSTILE},
        "name": HOSTILE,
        "tags": [HOSTILE],
        "expectation_values": [{"value": 1, "standard_error": HOSTILE}],
        "error": {"code": HOSTILE, "message": HOSTILE, "hint": HOSTILE, "excerpt": HOSTILE},
    }
    shapes = [["text", HOSTILE, 9, 9, HOSTILE], ["script", "x", "alert(1)"], ["open", HOSTILE, 1, 1, 9, 9]]
    drawing = {"width": 99, "height": 99, "shapes": shapes, "description": HOSTILE}
    picture = {"num_qubits": 1, "operations": 1, "notes": [HOSTILE], "drawing": drawing}
    names = {"classical_registers": [[HOSTILE, 1]] * 3, "quantum_registers": [[HOSTILE, 1]] * 3}
    page.route(re.compile(r"/tasks/[^/]+$"), lambda route: route.fulfill(json=hostile))
    page.route(re.compile(r"/tasks\?"), lambda route: route.fulfill(json={"tasks": [hostile], "next_cursor": HOSTILE}))
    page.route(re.compile(r"/circuit\?"), lambda route: route.fulfill(json=picture | names))
    run(page, BELL)
    expect(page.locator("#counts tbody th")).to_have_text(HOSTILE)
    expect(page.locator("#picture svg text").first).to_have_text(HOSTILE)
    expect(page.locator("#status")).to_contain_text(HOSTILE)
    expect(page.locator("#tasks .id").first).to_have_text(HOSTILE)
    expect(page.locator("#history .notes")).to_have_text(HOSTILE)
    expect(page.locator("#run-details")).to_contain_text(HOSTILE)
    expect(page.locator("#counts caption")).to_contain_text(f"registers: {HOSTILE}, {HOSTILE}")
    expect(page.locator("#memory-of-shots pre")).to_have_text(HOSTILE)
    expect(page.locator("#exact pre")).to_contain_text(HOSTILE)
    expect(page.locator("#exact .amplitudes tbody th")).to_have_text(HOSTILE)
    assert page.locator("img, main script, svg script").count() == 0


def test_nothing_but_its_own_may_run(browser: Browser, stack: Stack) -> None:
    """The policy holds in the browser: no inline script, no HTML from strings, no other host, no frame."""
    with stack.http("") as http:
        answer = http.get("/")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert {"default-src 'none'", "frame-ancestors 'none'", "form-action 'none'"} <= set(policy.split("; "))
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|https?://(?!www\.w3\.org/2000/svg)", answer.text)
        parts = re.findall(r'src="([^"]+/)page.js"', answer.text)
        assert http.get(f"{parts[0]}page.js").headers["content-type"] == "text/javascript; charset=utf-8"
        for name in ("index.html", "..%2Fapi.py", "nothing.js"):
            assert http.get(f"{parts[0]}{name}").status_code == 404
    page = browser.new_page()
    page.goto(stack.env["API_URL"])
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
    with pytest.raises(Error, match="TrustedScriptURL"):
        page.evaluate("document.createElement('script').src = 'https://example.com/'")
    page.close()


def test_it_can_be_used_without_a_mouse(open_page: Callable[..., Page], stack: Stack) -> None:
    """From the top by Tab alone: the skip link, the key, the program, Ctrl+Enter."""
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the program")).to_be_focused()
    focused = []
    for _ in range(9):
        page.keyboard.press("Tab")
        focused.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        if focused[-1] == "key":
            page.keyboard.type(stack.env["API_KEY"])
    assert focused == [
        "API reference", "OpenAPI", "key", "example", "program", "shots", "seed", "estimate-run", "run",
    ]  # fmt: skip
    page.get_by_label("Program in OpenQASM").focus()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("Completed")


CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (color, under = [255, 255, 255]) => {
    canvas.fillStyle = `rgb(${under})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (color) => {
    const [r, g, b] = color.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const chain = [];
    for (let node = element; node; node = node.parentElement) chain.unshift(getComputedStyle(node).backgroundColor);
    return chain.reduce((under, color) => rgb(color, under), [255, 255, 255]);
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!(own || element.matches("input, textarea")) || !element.checkVisibility()) continue;
    if (element.id === "program") continue; // its text is painted behind it
    const under = ground(element), over = rgb(getComputedStyle(element).color, under);
    const [dark, bright] = [light(under), light(over)].sort((a, b) => a - b);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < 4.5) low.push([element.outerHTML.slice(0, 80), ratio]);
  }
  return low;
}"""
UNNAMED = """() => [...document.querySelectorAll("input, select, textarea, button, a")]
  .filter((element) => element.checkVisibility())
  .filter((element) => !(element.labels?.length || element.textContent.trim() || element.ariaLabel))
  .map((element) => element.outerHTML)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everyone_can_read_it(open_page: Callable[..., Page], stack: Stack, scheme: Any, width: int) -> None:
    """In both colour schemes, on a phone and a desk: contrast, names, headings, headers, and nothing off the screen."""
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 844})
    enter_key(page, stack.env["API_KEY"])
    run(page, "qubit[7] q; h q; measure q;")
    expect(page.get_by_role("status")).to_contain_text("Completed")
    expect(page.get_by_role("table")).to_contain_text("The first 32 of")
    run(page, "qubit q;\nhh q;")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate(CONTRASTS) == []
    assert page.evaluate(UNNAMED) == []
    assert barriers(page) == []
    headings = [int(name[1]) for name in page.locator("h1, h2, h3").evaluate_all("all => all.map(h => h.tagName)")]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
    assert page.locator("#counts thead th[scope=col]").count() == 4
    assert page.locator("#counts tbody th[scope=row]").count() == 32
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("document.documentElement.lang") == "en"
    repeated = page.evaluate(
        "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)"
    )
    assert repeated == []


def test_a_running_task_can_be_cancelled(open_page: Callable[..., Page], stack: Stack) -> None:
    """The button is there as long as the task has not ended, and cancels it."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    layers = "for int i in [0:19] { rx(0.1 * i) q; for int j in [0:22] { cx q[j], q[j + 1]; } }"
    run(page, f"qubit[24] q; for int k in [0:9] {{ {layers} }} measure q;")
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.get_by_role("status")).to_contain_text("Cancelled")
    expect(page.get_by_role("button", name="Cancel the task")).to_be_hidden()


def test_a_tasks_program_comes_back_into_the_editor(open_page: Callable[..., Page], stack: Stack) -> None:
    """Opened from the list, a task gives its program and shots back; a new one is on top before the next list."""
    page = open_page()
    enter_key(page, stack.env["API_KEY"])
    run(page, BELL)
    expect(page.get_by_role("status")).to_contain_text("Completed")
    before = page.evaluate("location.hash.slice(1)")
    first = page.get_by_role("region", name="Recent tasks").get_by_role("listitem").first
    expect(first).to_contain_text(before[:8])
    expect(first).to_contain_text("Completed")
    unanswered: list[Any] = []
    page.route(re.compile(r"/tasks\?"), lambda route: unanswered.append(route))  # noqa: PLW0108 - it marks its handlers
    page.get_by_label("Shots").fill("77")
    run(page, "qubit q;\nx q; // mine\nmeasure q;")
    task_id = next_task(page, before)
    expect(page.get_by_role("status")).to_contain_text("Completed")
    page.get_by_label("Example").select_option(index=1)
    page.get_by_label("Shots").fill("5")
    expect(first).to_contain_text(task_id[:8])
    first.get_by_role("button").click()
    page.get_by_role("button", name="Open its program in the editor").click()
    expect(page.get_by_label("Program in OpenQASM")).to_have_value("qubit q;\nx q; // mine\nmeasure q;")
    expect(page.get_by_label("Shots")).to_have_value("77")
    for route in unanswered:
        route.continue_()
    expect(first).to_contain_text("Completed")
