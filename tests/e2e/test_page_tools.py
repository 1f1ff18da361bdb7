"""What the page at `/` offers beside running: the circuit's picture, hints, options, charts, links and files."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from browsing import barriers, enter_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from local_stack import Stack

BELL = "qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;"
HOSTILE = "<img src=x onerror=alert(1)>"
MOST_BLOCKED_MS = 1_000  # that the page may not answer a key, on a machine with other work; alone it is a tenth


def opened(open_page: Callable[..., Page], stack: Stack, path: str = "/") -> Page:
    """Open the page with the key entered."""
    page = open_page(path)
    enter_key(page, stack.env["API_KEY"])
    return page


def run(page: Page) -> None:
    """Press Run and wait for the end."""
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Completed")


def listed(stack: Stack) -> list[str]:
    """Return the ids of the newest tasks."""
    with stack.http() as http:
        return [task["task_id"] for task in http.get("/tasks").json()["tasks"]]


def test_the_circuit_is_drawn_while_it_is_typed(open_page: Callable[..., Page], stack: Stack) -> None:
    """A Bell program, typed: two wires, an H and a CX, without a run; a gate of its own opens by click and by key."""
    page = opened(open_page, stack)
    before = listed(stack)
    program = page.get_by_label("Program in OpenQASM")
    program.fill("")
    program.press_sequentially(BELL)
    picture = page.get_by_role("region", name="Picture of the circuit")
    expect(picture.locator("svg")).to_have_attribute("aria-label", "A circuit of 2 qubits and 4 operations.")
    assert picture.locator("text.name").all_text_contents() == ["q[0]", "q[1]", "c"]
    assert picture.locator("text.label").all_text_contents() == ["H"]
    assert (picture.locator("circle.control").count(), picture.locator("circle.target").count()) == (1, 1)
    assert (picture.locator("rect.measure").count(), listed(stack)) == (2, before)
    program.fill(f"gate both a, b {{ h a; cx a, b; }} qubit[2] q; both q[0], q[1]; measure q; // {HOSTILE}")
    expect(picture.get_by_role("button", name="Open the gate both")).to_be_visible()
    picture.get_by_role("button", name="Open the gate both").click()
    expect(picture.locator("text.label")).to_have_text(["H"])
    picture.get_by_role("button", name="Close the gate both").press("Enter")
    expect(picture.locator("text.label")).to_have_text(["both"])
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as SVG").click()
    assert saved.value.path().read_text().startswith("<svg")
    assert barriers(page) == []


def test_a_mistake_is_underlined_before_a_run_and_mended_by_a_click(
    open_page: Callable[..., Page], stack: Stack
) -> None:
    """The message at its line, the caret at its place, and the hint's word put there by a button, which undo takes."""
    page = opened(open_page, stack)
    program = page.get_by_label("Program in OpenQASM")
    program.fill("qubit[2] q;\nh q[0]; hh q[1];\nmeasure q;")
    expect(page.locator("#paint .wrong")).to_have_text("hh")
    expect(page.locator("#paint div").nth(1).locator(".message")).to_have_text("'hh' is not a gate.")
    line, caret = page.locator("#check pre").inner_text().rstrip("\n").split("\n")
    assert line[caret.index("^") :].startswith("hh q[1];")
    page.get_by_role("button", name="Use h", exact=True).click()
    expect(program).to_have_value("qubit[2] q;\nh q[0]; h q[1];\nmeasure q;")
    expect(page.locator("#check")).to_be_hidden()
    expect(page.locator("#picture svg")).to_be_visible()
    program.press("Control+z")
    expect(program).to_have_value("qubit[2] q;\nh q[0]; hh q[1];\nmeasure q;")
    assert page.locator("#paint > div").count() == 3
    program.fill("qubit[2] q;\nh q;")
    page.get_by_role("button", name="Add this at the end").click()
    expect(program).to_have_value("qubit[2] q;\nh q;\nbit[2] c; c = measure q;\n")
    expect(page.locator("#check")).to_be_hidden()


def test_a_sweep_is_lines_over_its_angle(open_page: Callable[..., Page], stack: Stack) -> None:
    """A line per outcome with the input's name below, a table per binding, and files of all of it."""
    page = opened(open_page, stack)
    page.get_by_label("Example").select_option(label="Sweep over an angle")
    run(page)
    chart = page.locator("#charts svg")
    expect(chart).to_have_attribute("aria-label", "Frequencies of 2 outcomes over 13 bindings")
    assert chart.locator("path.line").count() == 2
    assert chart.locator(".legend text").all_text_contents() == ["00", "11"]
    assert "theta" in chart.locator("text").all_text_contents()
    page.get_by_label("Inputs", exact=True).select_option(index=6)
    expect(page.locator("#counts tbody th")).to_have_text(["11"])
    kinds = {}
    for name in ("PNG", "SVG", "CSV", "JSON", "Circuit", "Python"):
        with page.expect_download() as saved:
            page.get_by_role("button", name=name, exact=True).click()
        kinds[name] = Path(saved.value.path()).read_bytes()
    assert kinds["PNG"].startswith(b"\x89PNG")
    assert kinds["SVG"].startswith(b"<svg")
    assert kinds["CSV"].splitlines()[0] == b"binding,outcome,count"
    assert json.loads(kinds["JSON"])["status"] == "completed"
    assert kinds["Circuit"].startswith(b"<svg")
    assert b"import qiskit" in kinds["Python"] or b"from qiskit" in kinds["Python"]


def test_options_make_a_noisy_run(open_page: Callable[..., Page], stack: Stack) -> None:
    """A dry run says what it would take; noise adds outcomes; forms, orders, names and tags do what they say."""
    page = opened(open_page, stack)
    page.get_by_label("Example").select_option(label="Noisy Bell pair")
    expect(page.get_by_label("Two-qubit gates")).to_have_value("0.05")
    page.get_by_label("Name").fill("run 7")
    page.get_by_label("Tags").fill("noisy, page")
    page.get_by_label("Shots").fill("20000")
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#estimate")).to_contain_text("About")
    run(page)
    expect(page.locator("#counts tbody th")).to_have_text(["00", "01", "10", "11"])
    page.get_by_label("Show", exact=True).select_option("hex")
    page.get_by_label("Sort").select_option("count")
    shown = page.locator("#counts tbody th").all_inner_texts()
    assert set(shown[:2]) == {"0x0", "0x3"}
    expect(page.locator("#facts")).to_contain_text("noisy, page")
    expect(page.locator("#facts")).to_contain_text("$0.0000")
    page.get_by_label("Tag", exact=True).fill("page")
    page.get_by_label("Tag", exact=True).press("Enter")
    expect(page.locator("#tasks .id")).to_have_text(["run 7"])
    page.get_by_label("Status", exact=True).select_option("failed")
    expect(page.locator("#recent-note")).to_have_text("No such tasks.")


def test_observables_have_error_bars(open_page: Callable[..., Page], stack: Stack) -> None:
    """Each with its own name and value."""
    page = opened(open_page, stack)
    page.get_by_label("Example").select_option(label="Observables of a GHZ state")
    run(page)
    texts = page.locator("#charts text").all_text_contents()
    assert {"XXX", "ZZI"} <= set(texts)  # Pauli strings, the names of two observables
    assert page.locator("#charts path.error").count() == 3
    assert [text for text in texts if text.startswith("1.0000")] == ["1.0000", "1.0000"]


def test_a_link_carries_the_program_and_a_file_can_be_dropped(open_page: Callable[..., Page], stack: Stack) -> None:
    """The fragment fills editor and options in another tab and runs nothing; a dropped file becomes the program."""
    page = opened(open_page, stack)
    page.get_by_label("Program in OpenQASM").fill(f"qubit q; // {HOSTILE} ψ\nmeasure q;")
    page.get_by_label("Shots").fill("77")
    page.get_by_role("button", name="Copy a link").click()
    page.wait_for_function("location.hash.startsWith('#program=')")
    fragment = page.evaluate("location.hash")
    other = open_page(f"/{fragment}")
    expect(other.get_by_label("Program in OpenQASM")).to_have_value(f"qubit q; // {HOSTILE} ψ\nmeasure q;")
    expect(other.get_by_label("Shots")).to_have_value("77")
    assert other.locator("#task").is_hidden()
    other.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["qubit dropped;"], "a.qasm"));
          const dropped = new DragEvent("drop", { dataTransfer: data, bubbles: true });
          document.getElementById("program").dispatchEvent(dropped);
        }"""
    )
    expect(other.get_by_label("Program in OpenQASM")).to_have_value("qubit dropped;")
    open_page("/#program=%00nonsense")


def test_a_long_program_stays_responsive(open_page: Callable[..., Page], stack: Stack) -> None:
    """60 qubits and 2,000 gates: no key waits long, and the picture is there, in rows, with a box that scrolls."""
    choose = random.Random(7)
    gates = "".join(f"cx q[{a}], q[{b}];\n" for a, b in (choose.sample(range(60), 2) for _ in range(2_000)))
    page = opened(open_page, stack)
    program = page.get_by_label("Program in OpenQASM")
    program.fill(f"qubit[60] q;\nbit[60] c;\n{gates}c = measure q;\n")
    expect(page.locator("#circuit-note")).to_contain_text("60 qubits, 2,060 operations")
    assert page.locator("#picture circle.target").count() == 2_000
    page.evaluate(
        """() => {
          globalThis.longest = 0;
          new PerformanceObserver((list) => {
            for (const task of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, task.duration);
          }).observe({ type: "longtask" });
        }"""
    )
    program.press("Control+End")
    program.press_sequentially("// more", delay=50)
    with page.expect_response("**/circuit?*"):
        program.press("x")
    expect(page.locator("#picture")).not_to_have_class("picture stale")
    assert page.evaluate("globalThis.longest") < MOST_BLOCKED_MS
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_keys_usage_is_a_table(open_page: Callable[..., Page], stack: Stack) -> None:
    """By day, of this month, with the sum of what the key's tasks have used."""
    page = opened(open_page, stack)
    page.get_by_text("Usage this month").click()
    expect(page.locator("#usage-table tfoot th")).to_have_text("All")
    page.get_by_label("By", exact=True).select_option("status")
    expect(page.locator("#usage-table thead th").first).to_have_text("Status")
