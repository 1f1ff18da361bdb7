"""What the page at `/` offers beside running: the circuit's picture, hints, options, charts, links and files."""

from __future__ import annotations

import io
import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import expect

import front_page
import reader
from browsing import barriers, enter_key
from page_script import joined
from tasks.errors import TaskError
from unit.reader.test_errors import MISTAKES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page, Route

    from local_stack import Stack

BELL = "qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;"
EXACT = ("probabilities", "statevector", "amplitudes", "density_matrix", "expectation", "samples")
# As link.js does.
PACK = """async (task) => {
  const stream = new Blob([JSON.stringify(task)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}"""
# Programs with what a click makes of them, None where no place is certain.
MENDED = {
    "qubit[2] q;\nh q[0]  // so\ncx q[0], q[1];\nmeasure q;": "qubit[2] q;\nh q[0];  // so\ncx q[0], q[1];\nmeasure q;",
    "qubit[2] q;\nrx(pi q[0];\nmeasure q;": "qubit[2] q;\nrx(pi) q[0];\nmeasure q;",
    "qubit q;\nif (true) { h q;\nmeasure q;": "qubit q;\nif (true) { h q;\nmeasure q;}",
    "qubit q;\nh q; ?\nmeasure q;": "qubit q;\nh q; \nmeasure q;",
    "qubit q; h q;\nd = measure q;": "qubit q; h q;\nbit d;\nd = measure q;",
    "qubit q; bit\nd; e\n= measure q;": None,
    "qubit[2] q; bit[2] c; h q;": "qubit[2] q; bit[2] c; h q;\nc = measure q;\n",
    "qubit[2] q; bit c; c = measure q;": "qubit[2] q; bit[2] c; c = measure q;",
    "int n = 2; qubit[n] q; measure q;": "const int n = 2; qubit[n] q; measure q;",
    "qubit q[5]; measure q;": "qubit[5] q; measure q;",
    "int[8] a[4]; qubit q; measure q;": "array[int[8], 4] a; qubit q; measure q;",
    "qubit[2.0] q; measure q;": "qubit[int(2.0)] q; measure q;",
    "const int n = 1.5 + 1; qubit q; measure q;": None,
    "qubit q; const bit c = measure q;": "qubit q; bit c = measure q;",
    "qubit q; measure q; break;": "qubit q; measure q; end;",
    "OPENQASM 4.0; qubit q; measure q;": "OPENQASM 3.0; qubit q; measure q;",
    "OPENQASM 2.0; qubit q; bit c; c = measure q;": "OPENQASM 3.0; qubit q; bit c; c = measure q;",
    "OPENQASM 2.0; qreg q; creg c[1]; measure q -> c;": "OPENQASM 2.0; qreg q[1]; creg c[1]; measure q -> c;",
    'include "my.inc";\nqubit q; measure q;': 'include "stdgates.inc";\nqubit q; measure q;',
    'include "stdgates.inc;\nqubit q; measure q;': 'include "stdgates.inc";\nqubit q; measure q;',
    "qubit q;\nOPENQASM 3.0;\nmeasure q;": "OPENQASM 3.0;\nqubit q;\nmeasure q;",
    "qubit q;\n#pragma noise depolarizing\nmeasure q;": "qubit q;\n\nmeasure q;",
}
HOSTILE = "<img src=x onerror=alert(1)>"
MOST_BLOCKED_MS = 1_000  # that the page may not answer a key, on a machine with other work; alone it is a tenth


def opened(open_page: Callable[..., Page], stack: Stack, path: str = "/") -> Page:
    """Open the page with the key entered."""
    page = open_page(path)
    enter_key(page, stack.env["API_KEY"])
    return page


def run(page: Page) -> None:
    """Press Run and wait for the end."""
    before = page.url
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page).not_to_have_url(before)
    expect(page.get_by_role("status")).to_contain_text("Completed")


def rows(view: Locator) -> list[list[str]]:
    """Return the texts of a table's rows, without their bars."""
    return [row.locator("th, .count, .share").all_inner_texts() for row in view.locator("tbody tr").all()]


def saved(page: Page, button: str, section: str = "#task") -> bytes:
    """Press a button that saves a file; return its bytes."""
    with page.expect_download() as download:
        page.locator(section).get_by_role("button", name=button, exact=True).first.click()
    return Path(download.value.path()).read_bytes()


def listed(stack: Stack) -> list[str]:
    """Return the ids of the newest tasks."""
    with stack.http() as http:
        return [task["task_id"] for task in http.get("/tasks").json()["tasks"]]


@pytest.fixture(name="mended", scope="module")
def fixture_mended(browser: Browser) -> Iterator[Callable[[dict[str, Any], str], list[tuple[str, str]]]]:
    """Give what page/fixes.js makes of a problem and its program: for each edit, its button and the new program."""
    page = browser.new_page()
    source = joined(front_page.FOLDER / "fixes.js")
    page.evaluate(
        """async (source) => {
          const from = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
          const { fixesOf, edited } = await import(from);
          globalThis.mended = (problem, text) => fixesOf(problem, text, undefined)
            .filter(({ edits }) => edits).map(({ label, edits }) => [label, edited(text, edits)]);
        }""",
        source,
    )
    yield lambda problem, text: page.evaluate("([problem, text]) => mended(problem, text)", [problem, text])
    page.close()


def refused(text: str) -> dict[str, Any] | None:
    """Return the reader's error of a program, None if it has none."""
    try:
        reader.check(text)
    except TaskError as error:
        return error.as_dict()
    return None


@pytest.mark.parametrize("text", MENDED)
def test_a_hint_that_names_a_replacement_is_applied_at_its_place(
    mended: Callable[[dict[str, Any], str], list[tuple[str, str]]], text: str
) -> None:
    """The first button gives the program that was meant, which the reader takes; none is there without a sure place."""
    problem = refused(text)
    found = mended(problem or {}, text)
    assert (found[0][1] if found else None) == MENDED[text]
    assert not found or refused(found[0][1]) is None


def test_no_replacement_leaves_the_mistake(mended: Callable[[dict[str, Any], str], list[tuple[str, str]]]) -> None:
    """Of all mistakes that the reader's tests know, the same one is nowhere after a click."""
    texts = [mistake[0] for mistake in MISTAKES]
    offered = 0
    for text in texts:
        problem = refused(text)
        for label, after in mended(problem or {}, text):
            offered += 1
            left = refused(after)
            assert left is None or problem is None or left["message"] != problem["message"], (label, text, after)
    assert offered >= 10


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
    assert saved(page, "Save as SVG", "main").startswith(b"<svg")
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
    page.get_by_label("Binding", exact=True).select_option(index=6)
    expect(page.locator("#counts tbody th")).to_have_text(["11"])
    kinds = {name: saved(page, name) for name in ("PNG", "SVG", "CSV", "JSON", "Circuit", "Python")}
    assert kinds["PNG"].startswith(b"\x89PNG")
    assert kinds["SVG"].startswith(b"<svg")
    assert kinds["CSV"].splitlines()[0] == b"binding,outcome,count"
    assert json.loads(kinds["JSON"])["status"] == "completed"
    assert kinds["Circuit"].startswith(b"<svg")
    assert b"import qiskit" in kinds["Python"] or b"from qiskit" in kinds["Python"]


def test_exact_results_are_shown_and_saved(open_page: Callable[..., Page], stack: Stack) -> None:
    """Bars, amplitudes with phases, a matrix, deviations, samples; files with the very numbers; registers by name."""
    page = opened(open_page, stack)
    page.get_by_label("Program in OpenQASM").fill("qubit[2] pair;\nh pair[0];\ns pair[0];\ncx pair[0], pair[1];")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Results").fill(
        'probabilities\n{"type": "statevector", "qubits": [1, 0]}\n{"type": "amplitudes", "states": ["10"]}\n'
        'density_matrix\n{"type": "expectation", "observable": "XX", "variance": true}\n'
        '{"type": "samples", "observable": "ZZ"}'
    )
    page.get_by_label("Shots").fill("100")
    run(page)
    view = {kind: page.locator(f"#exact [data-type={kind}]") for kind in EXACT}
    expect(view["probabilities"].locator("caption")).to_have_text("2 states of 4 with a probability; pair[1], pair[0]")
    assert rows(view["probabilities"]) == [["00", "0.500000"], ["11", "0.500000"]]
    assert rows(view["statevector"]) == [
        ["00", "0.7071", "0.0000 π", "0.7071 + 0.0000i"],
        ["11", "0.7071", "0.5000 π", "0.0000 + 0.7071i"],
    ]
    expect(view["statevector"].locator("caption")).to_have_text("2 states of 4 with an amplitude; pair[0], pair[1]")
    assert rows(view["amplitudes"]) == [["10", "0.0000", "", "0.0000 + 0.0000i"]]
    assert view["density_matrix"].locator("rect.cell").count() == 4
    expect(view["density_matrix"].locator("figcaption")).to_contain_text("; pair[1], pair[0]; purity 1.0000")
    expect(view["expectation"].locator("text")).to_have_text(["XX", "0.0000 ± 1.0000"])
    assert rows(view["samples"]) == [["1", "100", "100.0%"]]
    state = np.load(io.BytesIO(saved(page, "NPY", "[data-type=statevector]")))
    matrix = np.load(io.BytesIO(saved(page, "NPY", "[data-type=density_matrix]")))
    values = np.load(io.BytesIO(saved(page, "NPY", "[data-type=probabilities]")))
    given = json.loads(saved(page, "JSON"))["results"]
    assert (state == np.array(given[1]["real"]) + 1j * np.array(given[1]["imag"])).all()
    assert (matrix == np.array(given[3]["real"]) + 1j * np.array(given[3]["imag"])).all()
    assert (matrix.shape, values.tolist()) == ((4, 4), given[0]["values"])
    assert saved(page, "CSV", "[data-type=density_matrix]").splitlines()[0] == b"row,column,real,imag"
    assert barriers(page) == []
    page.get_by_label("Example").select_option(label="Sweep over an angle")
    page.get_by_label("Results").fill('{"type": "expectation", "observable": "ZZ"}\nprobabilities')
    run(page)
    names = page.locator("#charts svg").evaluate_all("all => all.map(svg => svg.getAttribute('aria-label'))")
    assert names == ["1 observable over 13 bindings", "Probabilities of 4 states over 13 bindings"]
    page.get_by_label("Binding", exact=True).select_option(index=6)
    assert rows(view["probabilities"])[-1] == ["11", "1.000000"]
    page.get_by_label("Example").select_option(label="Teleportation")
    run(page)
    expect(page.locator("#counts caption")).to_contain_text("registers: received, message")
    assert page.get_by_label("Register").locator("option").all_inner_texts() == ["all", "received", "message"]


def test_every_option_is_sent_from_its_field(open_page: Callable[..., Page], stack: Stack) -> None:
    """A link's options fill the fields, and the fields give the same task again; what is no JSON is named at it."""
    task = {
        "qc": "input float theta;\nqubit[2] q;\nrx(theta) q;\nmeasure q;", "shots": 7, "seed": 3,
        "method": "statevector", "precision": "single", "memory": True, "inputs": {"theta": 0.5},
        "name": "n", "tags": ["t"],
        "results": ["counts", {"type": "probabilities", "qubits": [1]}], "callback_url": "https://example.com/hook",
        "noise": {
            "readout": {"prob_meas1_prep0": 0.1}, "model": "ibmq_lima", "durations": {"cx": 3e-7},
            "rules": [{"channel": "bit_flip", "probability": 0.1}],
        },
    }  # fmt: skip
    page = opened(open_page, stack)
    page.evaluate("async (task) => { location.hash = 'program=' + await (PACK)(task) }".replace("PACK", PACK), task)
    page.reload()
    expect(page.get_by_label("Model")).to_have_value("ibmq_lima")
    expect(page.locator("#circuit-note")).to_contain_text("2 qubits")
    with page.expect_request("**/tasks?dry_run=true") as sent:
        page.get_by_role("button", name="Dry run").click()
    assert json.loads(sent.value.post_data or "") == task
    page.get_by_label("Rules").fill("[1")
    page.locator("#inputs").fill('{"thetas": 1}')
    page.locator("#inputs").press("Tab")
    expect(page.locator("#noise-rules-note")).to_contain_text("This is not JSON")
    expect(page.get_by_label("Rules")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Rules").fill("")
    page.get_by_label("Rules").press("Tab")
    page.get_by_role("button", name="Use theta", exact=True).click()
    expect(page.locator("#inputs")).to_have_value('{"theta":1}')
    expect(page.locator("#check")).to_be_hidden()
    page.get_by_label("One-qubit gates").fill("2")
    page.get_by_label("One-qubit gates").press("Tab")
    expect(page.get_by_label("One-qubit gates")).to_have_attribute("aria-invalid", "true")
    assert page.locator("[aria-invalid]").count() == 1


def test_a_late_refusal_leaves_the_check_of_what_is_typed_since(open_page: Callable[..., Page], stack: Stack) -> None:
    """The answer about an old request is shown, and beside it what is wrong with the new one, with its fix."""
    page = opened(open_page, stack)
    page.get_by_label("Example").select_option(label="Bell pair")
    expect(page.locator("#circuit-note")).to_contain_text("2 qubits")
    held: list[Route] = []
    page.route("**/tasks?dry_run=true", lambda route: held.append(route))  # noqa: PLW0108 - Playwright takes no built-in method
    with page.expect_request("**/tasks?dry_run=true"):
        page.get_by_role("button", name="Dry run").click()
    page.get_by_label("Program in OpenQASM").fill("OPENQASM 3; qubit q; hh q; measure q;")
    with page.expect_request("**/circuit?*") as checked:
        held[0].fulfill(status=503, json={"message": "Too busy.", "code": "unavailable"})
    assert "hh q" in (checked.value.post_data or "")
    expect(page.locator("#refusal")).to_contain_text("Too busy.")
    expect(page.locator("#check")).to_contain_text("'hh' is not a gate.")
    expect(page.locator("#check").get_by_role("button", name="Use h", exact=True)).to_be_visible()


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
    expect(page.locator("#run-details")).to_contain_text("noisy, page")
    expect(page.locator("#run-details")).to_contain_text("$0.0000")
    page.get_by_label("Tag", exact=True).fill("page")
    page.get_by_label("Tag", exact=True).press("Enter")
    expect(page.locator("#tasks .id")).to_have_text(["run 7"])
    page.get_by_label("Status", exact=True).select_option("failed")
    expect(page.locator("#recent-note")).to_have_text("No tasks match.")


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
    expect(page).to_have_url(re.compile("#program="))
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
    expect(page.locator("#usage-table thead th")).to_have_text(["Status", "Tasks", "Shots", "Seconds", "Cost"])
