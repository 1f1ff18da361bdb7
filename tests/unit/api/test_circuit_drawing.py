"""The drawing of a circuit: the same symbols in the same layers as Qiskit's text drawer, bounded, and never markup."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from qiskit import QuantumCircuit
from qiskit.circuit import library
from qiskit.circuit.library import get_standard_gate_name_mapping

import reader
from circuit_drawing import MOST_OPERATIONS, MOST_QUBITS, PITCH, TOP, _Drawer, draw
from circuit_svg import svg_of
from gate_symbols import angle, symbol_of
from oracle.programs import Program, programs
from reader.compiler.gate_tables import GATES
from reader.compiler.gates import EXTRAS, STDGATES
from reader.operations import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from circuit_drawing import Drawing

QISKIT = {
    "CX": library.CXGate,
    "phase": library.PhaseGate,
    "cphase": library.CPhaseGate,
    "c3x": library.C3XGate,
    "c4x": library.C4XGate,
    "c3sx": library.C3SXGate,
    "c3sqrtx": library.C3SXGate,
    "rc3x": library.RC3XGate,
    "u": library.UGate,
    **{name: type(gate) for name, gate in get_standard_gate_name_mapping().items()},
}
ALIKE = {
    "√x": "sx",
    "√x†": "sxdg",
    "√xdg": "sxdg",
    "s†": "sdg",
    "t†": "tdg",
    "rccx": "rccx",
    "rcccx": "rc3x",
    "rc3x": "rc3x",
}
ANGLES = (0.3, 0.7, 1.1, 1.9)
HOSTILE = "<img src=x onerror=alert(1)>"


def drawn(program: str, *, counted: bool = False, opened: tuple[str, ...] = (), row: float = 1e6) -> Drawing:
    """Draw a program, in one row unless another width is given."""
    compiled, outline = reader.outlined(program, counted=counted)
    return draw(compiled, outline, opened, row)


def plain(label: str) -> str:
    """Return a label as both drawers would have it, without its parameters."""
    name = label.lstrip("(").partition("(")[0].strip(" )").lower()
    return ALIKE.get(name, name)


def symbols(drawing: Drawing, qubits: int) -> list[list[str]]:
    """Return what stands on each qubit's wire from left to right."""
    found: dict[int, list[tuple[float, str]]] = defaultdict(list)
    labels = [shape for shape in drawing.shapes if shape[:2] == ["text", "label"]]
    for kind, look, *values in drawing.shapes:
        if kind == "dot" and look in ("control", "control open", "target"):
            mark = {"control": "■", "control open": "o", "target": "x"}[look]
            found[round((values[1] - TOP) / PITCH)].append((values[0], mark))
        elif kind == "path" and look == "swap":
            x, y = (float(number) for number in re.match(r"M(\S+) (\S+)l", values[0]).groups())  # type: ignore[union-attr]  # it is so
            found[round((y + 6 - TOP) / PITCH)].append((x + 6, "swap"))
        elif kind == "path" and look == "barrier":
            for x, y in re.findall(r"M(\S+) (\S+)v", values[0]):
                found[round((float(y) + PITCH / 2 - TOP) / PITCH)].append((float(x), "░"))
        elif kind == "rect" and look in ("gate", "own", "measure", "reset"):
            x, y, width, height = values
            inside = [text for _, _, tx, ty, text in labels if x <= tx <= x + width and y <= ty <= y + height]
            (mark,) = ["m"] if look == "measure" else inside
            for wire in range(round((y + 16 - TOP) / PITCH), round((y + height - 16 - TOP) / PITCH) + 1):
                found[wire].append((x + width / 2, plain(mark)))
    return [[mark for _, mark in sorted(found[wire], key=itemgetter(0))] for wire in range(qubits)]


TOKEN = re.compile(r"┤ ?([^├┤]*?) ?├|(■|o|X|░|\|0>)")


def qiskits_symbols(circuit: QuantumCircuit) -> list[list[str]]:
    """Return what Qiskit's text drawer has on each qubit's wire, from left to right.

    The name of a box over several qubits stands on one of its lines; the others take it from there.
    """
    lines = str(circuit.draw("text", fold=-1, cregbundle=True)).split("\n")
    rows = [index for index, line in enumerate(lines) if re.match(r" *q(_\d+)?:", line)]
    boxes = re.compile(r"[┤│|]([0-9 ]?) *\(?([A-Za-z†√][\w†√^+-]*)?[^┤│├]*?[├│]")
    found = []
    for row in rows:
        marks = []
        for match in TOKEN.finditer(lines[row]):
            text, single = match.groups()
            if single:
                marks.append({"X": "swap", "|0>": "|0⟩"}.get(single, single))
                continue
            name = re.sub(r"^[0-9]+", "", text).strip()
            if not name:
                near = [*range(row - 1, -1, -1), *range(row + 1, len(lines))]
                name = next(
                    shown[2]
                    for line in near
                    for shown in boxes.finditer(lines[line])
                    if shown[2] and shown.start() <= match.start() <= shown.end()
                )
            marks.append(plain(name))
        found.append(marks)
    return found


@pytest.mark.parametrize("name", sorted(name for name in {*STDGATES, *EXTRAS} if name in QISKIT))
def test_a_gate_looks_as_in_qiskits_drawer(name: str) -> None:
    """Every predefined gate that Qiskit has: the same dots, crosses and boxes on the same wires, in both directions."""
    gate = GATES[name]
    angles = ANGLES[: gate.parameters]
    call = name + (f"({', '.join(map(str, angles))})" if angles else "")
    for places in (list(range(gate.qubits)), list(range(gate.qubits))[::-1]):
        circuit = QuantumCircuit(gate.qubits)
        circuit.append(QISKIT[name](*angles), places)
        program = f"qubit[{gate.qubits}] q; {call} {', '.join(f'q[{place}]' for place in places)};"
        assert symbols(drawn(program), gate.qubits) == qiskits_symbols(circuit), call


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_gate_that_the_reader_knows_is_drawn(name: str) -> None:
    """On each of its qubits something stands, and its name or the gate's that it is under controls is in its box."""
    gate = GATES[name]
    angles = f"({', '.join(map(str, ANGLES[: gate.parameters]))})" if gate.parameters else ""
    operands = ", ".join(f"q[{place}]" for place in range(gate.qubits))
    found = symbols(drawn(f"qubit[{gate.qubits}] q; {name}{angles} {operands};"), gate.qubits)
    assert all(len(marks) == 1 for marks in found), found


def random_circuit(seed: int) -> tuple[str, QuantumCircuit]:
    """Return a program of 60 operations on 6 qubits, and the same circuit made with Qiskit."""
    choose = random.Random(seed)
    circuit = QuantumCircuit(6, 6)
    lines = ["qubit[6] q; bit[6] c;"]
    for _ in range(60):
        name = choose.choice(["h", "x", "cx", "cz", "swap", "ccx", "rz", "cp", "measure", "barrier", "reset"])
        a, b, c = choose.sample(range(6), 3)
        match name:
            case "measure":
                lines.append(f"c[{b}] = measure q[{a}];")
                circuit.measure(a, b)
            case "rz" | "cp":
                places = [a] if name == "rz" else [a, b]
                lines.append(f"{name}(0.3) {', '.join(f'q[{place}]' for place in places)};")
                getattr(circuit, name)(0.3, *places)
            case "barrier":
                lines.append(f"barrier q[{a}], q[{b}];")
                circuit.barrier(a, b)
            case _:
                places = [a, b, c][: {"cx": 2, "cz": 2, "swap": 2, "ccx": 3}.get(name, 1)]
                lines.append(f"{name} {', '.join(f'q[{place}]' for place in places)};")
                getattr(circuit, name)(*places)
    return "\n".join(lines), circuit


@pytest.mark.parametrize("seed", range(10))
def test_random_circuits_have_qiskits_symbols_as_far_left_as_they_can_be(seed: int) -> None:
    """Each wire has the same symbols in the same order; none shares a wire in its column, or could move left."""
    program, circuit = random_circuit(seed)
    assert symbols(drawn(program), 6) == qiskits_symbols(circuit)
    compiled, outline = reader.outlined(program, counted=False)
    columns = [items for items, _ in _Drawer(compiled, outline, ()).columns(compiled.operations, 0)]
    assert sum(map(len, columns)) == len(compiled.operations)
    for before, items in zip([None, *columns], columns, strict=False):
        wires = [set(range(item.low, item.high + 1)) for item in items]
        assert sum(map(len, wires)) == len(set().union(*wires))
        if before is not None:
            taken = set().union(*(range(item.low, item.high + 1) for item in before))
            assert all(taken & each for each in wires)


def test_tests_loops_and_switches_are_frames() -> None:
    """Each has its parts by the program's own words, is linked to the register that it reads, and holds its gates."""
    program = """
        qubit[3] q; bit[2] c; bit d; h q[0]; c[0] = measure q[0]; c[1] = measure q[1];
        if (c == 1) { x q[2]; } else if (c[1]) { y q[2]; } else { z q[2]; }
        switch (int(c)) { case 0 { x q[0]; } case 1, 2 { y q[0]; } default { h q[0]; } }
        d = measure q[1];
        while (d) { h q[1]; d = measure q[1]; }
    """
    drawing = drawn(program, counted=True)
    tags = [shape[4] for shape in drawing.shapes if shape[:2] == ["text", "tag"]]
    assert tags == [
        "if (c == 1)", "else if (c[1])", "else",
        "switch (int(c)) case 0", "case 1, 2", "default",
        "while (d)",
    ]  # fmt: skip
    assert symbols(drawing, 3) == [["h", "m", "x", "y", "h"], ["m", "m", "h", "m"], ["x", "y", "z"]]
    assert len([shape for shape in drawing.shapes if shape[:2] == ["rect", "frame"]]) == 3


def test_a_programs_own_gate_is_a_box_until_it_is_opened() -> None:
    """Closed it has its name and the places of its qubits; opened its operations, with its controls."""
    program = (
        "gate both(a) x, y { rx(a) x; cx x, y; } qubit[3] q; both(pi / 2) q[2], q[0]; ctrl @ both(1) q[1], q[0], q[2];"
    )
    closed, opened = drawn(program), drawn(program, opened=("both",))
    assert symbols(closed, 3) == [["both", "both"], ["both", "both", "■"], ["both", "both"]]
    assert [shape[1] for shape in closed.shapes if shape[0] == "open"] == ["both", "both"]
    assert "both(π/2)" in [shape[-1] for shape in closed.shapes]
    assert [shape[1] for shape in opened.shapes if shape[0] == "close"] == ["both", "both"]
    assert symbols(opened, 3)[2][:2] == ["rx", "■"]
    assert [shape[0] for shape in opened.shapes if shape[:2] == ["rect", "own"]] == []


@pytest.mark.parametrize(
    ("call", "kind", "controls"),
    [
        ("ctrl @ x q[0], q[1];", "cross", (True,)),
        ("negctrl @ x q[0], q[1];", "cross", (False,)),
        ("ctrl @ negctrl @ z q[0], q[1], q[2];", "dots", (True, False)),
        ("ctrl @ gphase(pi / 4) q[0];", "dots", (True,)),
        ("inv @ ctrl @ s q[0], q[1];", "box", (True,)),
        ("pow(0.5) @ x q[0];", "box", ()),
        ("ctrl @ swap q[0], q[1], q[2];", "swap", (True,)),
    ],
)
def test_modifiers_are_controls_and_suffixes(call: str, kind: str, controls: tuple[bool, ...]) -> None:
    """Controls are dots, open ones for negctrl; an inverse and a power are in the name."""
    compiled, _ = reader.outlined(f"qubit[3] q; {call}", counted=False)
    (operation,) = compiled.operations
    assert isinstance(operation, Call)
    symbol = symbol_of(operation)
    assert (symbol.kind, tuple(value for _, value in symbol.controls)) == (kind, controls)
    if "inv" in call:
        assert symbol.label == "S†"
    if "pow" in call:
        assert symbol.label == "X^0.5"


def test_what_is_long_is_folded_and_what_is_much_is_cut() -> None:
    """Rows keep to their width; beyond the limits a sentence says how much is missing, and wires are bundled."""
    rows = drawn("qubit[2] q; for int i in [0:99] { h q[0]; cx q[0], q[1]; }", row=600)
    assert rows.width <= 640
    assert len([shape for shape in rows.shapes if shape[:2] == ["path", "wire"]]) > 5
    many = drawn(f"qubit q; for int i in [1:{MOST_OPERATIONS + 5}] {{ h q; }}")
    assert [shape[-1] for shape in many.shapes if shape[1] == "more"] == [
        "… and 5 more operations, which are not drawn."
    ]
    assert len([shape for shape in many.shapes if shape[:2] == ["rect", "gate"]]) == MOST_OPERATIONS
    wide = drawn("qubit[1000] q; cx q[0], q[999]; cx q[998], q[999];")
    names = [shape[-1] for shape in wide.shapes if shape[1] == "name"]
    assert len(names) == MOST_QUBITS + 1
    assert names[-1] == f"{1000 - MOST_QUBITS} more qubits"


def refusal(read: Callable[..., Any], text: str, inputs: dict[str, Any]) -> dict[str, Any] | None:
    """Return the error that reading a program ends in."""
    try:
        read(text, inputs)
    except reader.TaskError as error:
        return error.as_dict()
    return None


@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(programs())
def test_whatever_the_language_has_is_drawn(program: Program) -> None:
    """Generated programs are refused in the check's words or drawn, closed and opened, as well-formed files."""
    refused = refusal(reader.check, program.text, program.inputs)
    assert refusal(reader.outlined, program.text, program.inputs) == refused
    if refused is None:
        compiled, outline = reader.outlined(program.text, program.inputs)
        for opened in (frozenset(), frozenset(re.findall(r"gate (\w+)", program.text))):
            drawing = draw(compiled, outline, opened, 600)
            ET.fromstring(svg_of(drawing))  # noqa: S314 - our own file
            assert json.dumps(drawing.as_dict(), allow_nan=False)


def test_an_outline_is_refused_where_the_program_is() -> None:
    """Errors and limits are those of the check: places and sizes count the same though calls are not expanded."""
    nested = "gate g0 a { x a; } " + "".join(f"gate g{n} a {{ {f'g{n - 1} a; ' * 10} }} " for n in range(1, 8))
    for program in (
        "qubit q; hh q; measure q;",
        "qubit q; h q;",
        f"{nested} qubit q; g6 q; measure q;",
        "qubit[2] q; h q[2];",
    ):
        errors = []
        for read in (reader.check, reader.outlined):
            with pytest.raises(reader.TaskError) as caught:
                read(program)
            errors.append(caught.value.as_dict())
        assert errors[0] == errors[1]


def test_a_file_is_well_formed_and_holds_no_markup_of_the_programs() -> None:
    """Names, titles and values get into the file as text; there is no script, event or foreign address in it."""
    program = (
        "gate gâte q { x q; } qubit[2] q; bit[2] c; gâte q[0]; c = measure q;"
        f" if (c == 1 /* {HOSTILE} */) {{ x q[0]; }} c[0] = measure q[1];"
    )
    text = svg_of(drawn(program, counted=True))
    root = ET.fromstring(text)  # noqa: S314 - our own file
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "title", "style", "rect", "circle", "path", "text",
    }  # fmt: skip
    names = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name]
    assert "<img" not in text
    assert HOSTILE[:20] in "".join(root.itertext())
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|var\(", text)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (3.141592653589793, "π"), (-1.5707963267948966, "-π/2"), (2.356194490192345, "3π/4"), (0.3, "0.3"),
     (1e-9, "1e-09"), (1e15, "1e+15"), (6.283185307179586, "2π"), (0.0490873852123405, "π/64")],
)  # fmt: skip
def test_angles_are_fractions_of_pi_where_they_are(value: float, written: str) -> None:
    """Exact fractions with small denominators, else four digits."""
    assert angle(value) == written


@pytest.mark.parametrize("width", [320, 1_100, 8_000])
def test_a_picture_is_never_larger_than_lambda_sends(width: int) -> None:
    """A thousand wires in rows as narrow as they may be were 10 MB, of a program of one kilobyte."""
    compiled, outline = reader.outlined("qubit[1000] q; bit[1000] c;" + "c = measure q;" * 100)
    drawing = draw(compiled, outline, row=width)
    assert len(json.dumps({"body": svg_of(drawing)})) < 6_000_000
    assert len(json.dumps({"body": json.dumps(drawing.as_dict())})) < 6_000_000
    (left_out,) = [shape[-1] for shape in drawing.shapes if shape[1] == "more"]
    assert left_out.endswith("more operations, which are not drawn.")
