"""Draws a circuit: a program's operations become shapes at places, which circuit_svg.py and the page make pictures of.

Operations stand as far left as they can (as in Qiskit's drawers): each takes all wires from its first to its last.
What does not fit into a row continues in the next. A test or a loop is a frame with its parts side by side, and so is a
gate of the program's own that is opened. All is bounded: of many operations the first are drawn, of many qubits too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gate_symbols import symbol_of
from reader.operations import (
    Barrier,
    Call,
    Channel,
    If,
    Measure,
    Node,
    Reset,
    Store,
    While,
    cells,
    cells_read,
    on_qubits,
    qubits_of,
    walk,
)
from reader.outline import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from reader.operations import AnyUnitary, Bit, Compiled, Operation
    from reader.outline import Outline

MOST_OPERATIONS = 3_000  # that are drawn
MOST_SHAPES = 40_000  # after which no row begins: narrow rows of many wires are labels for the most part
MOST_QUBITS = 128  # that have a wire of their own
MOST_BITS = 24  # registers that have a wire
ROW = 1_100  # width of a row, if nobody asks for another
PITCH = 44  # from wire to wire
TOP = 34  # above the first wire of a row
GATE = 32  # a box with a short name
GAP = 12  # between columns
LETTER = 7.4  # width of a character of a label
DEEPEST = 24  # frames inside each other


@dataclass(slots=True)
class Item:
    """Something that takes the wires `low` to `high` and a width; `draw` puts it on a canvas around a centre."""

    low: int
    high: int
    width: float
    draw: Callable[[Canvas, float], None]


@dataclass(slots=True)
class Canvas:
    """The shapes drawn so far, each `[kind, class, ...]`, and where the row begins that is drawn now."""

    top: float = 0.0
    shapes: list[list[Any]] = field(default_factory=list)

    def y(self, wire: int) -> float:
        """Return the height of a wire."""
        return self.top + TOP + wire * PITCH

    def rect(self, kind: str, x: float, y: float, width: float, height: float) -> None:
        """Add a rectangle."""
        self.shapes.append(["rect", kind, _short(x), _short(y), _short(width), _short(height)])

    def text(self, kind: str, x: float, y: float, text: str) -> None:
        """Add a text."""
        self.shapes.append(["text", kind, _short(x), _short(y), text])

    def dot(self, kind: str, x: float, y: float, radius: float) -> None:
        """Add a circle."""
        self.shapes.append(["dot", kind, _short(x), _short(y), radius])

    def path(self, kind: str, path: str) -> None:
        """Add a path."""
        self.shapes.append(["path", kind, path])

    def click(self, what: str, gate: str, *shape: float) -> None:
        """Add a place where a gate of the program's own can be opened or closed."""
        self.shapes.append([what, gate, *[_short(number) for number in shape]])

    def line(self, kind: str, x: float, first: float, last: float) -> None:
        """Add an upright line."""
        self.path(kind, f"M{_short(x)} {_short(first)}V{_short(last)}")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: its size, its shapes, and a sentence that says what is on it."""

    width: float
    height: float
    shapes: list[list[Any]]
    description: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"width": self.width, "height": self.height, "shapes": self.shapes, "description": self.description}


def draw(compiled: Compiled, outline: Outline, opened: Collection[str] = (), row: float = ROW) -> Drawing:
    """Return the drawing of a program, with the named gates of its own opened, in rows of about a width."""
    return _Drawer(compiled, outline, opened).drawing(row)


def _short(number: float) -> float | int:
    rounded = round(number, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def _wide(label: str) -> float:
    return max(GATE, len(label) * LETTER + 14)


Columns = list[tuple[list[Item], float]]
Section = tuple[str, Columns, "Sequence[Operation]"]  # of a frame: its title, and what is in it


class _Drawer:
    def __init__(self, compiled: Compiled, outline: Outline, opened: Collection[str]) -> None:
        self.compiled = compiled
        self.outline = outline
        self.opened = opened
        names = [
            name if size == 1 else f"{name}[{index}]" for name, size in compiled.registers for index in range(size)
        ]
        self.hidden = max(0, len(names) - MOST_QUBITS)
        self.names = names[:MOST_QUBITS] + ([f"{self.hidden:,} more qubits"] if self.hidden else [])
        self.qubits = len(self.names)
        outputs = compiled.outputs[:MOST_BITS]
        self.registers = [(output.name, len(output.cells)) for output in outputs]
        self.bits = {
            cell: (self.qubits + wire, index, output.name if len(output.cells) == 1 else f"{output.name}[{index}]")
            for wire, output in enumerate(outputs)
            for index, cell in enumerate(output.cells)
        }
        self.wires = self.qubits + len(self.registers)
        self.left = MOST_OPERATIONS
        self.undrawn = 0

    # ------------------------------------------------------------------ where things stand

    def drawing(self, row: float) -> Drawing:
        columns = self.columns(self.compiled.operations, 0)
        canvas = Canvas()
        margin = max([len(shown(name)) for name in [*self.names, *[name for name, _ in self.registers]]], default=0)
        left = 14 + margin * LETTER + 10
        height = TOP + (self.wires - 1) * PITCH + TOP if self.wires else 0
        rows = _rows(columns, row - left - 24)
        widest = 0.0
        for number, part in enumerate(rows):
            if len(canvas.shapes) > MOST_SHAPES:
                self.undrawn += sum(len(items) for left_out in rows[number:] for items, _ in left_out)
                rows = rows[:number]
                break
            canvas.top = number * (height + 10)
            right = left + 8 + sum(width for _, width in part) + 8
            widest = max(widest, right)
            self.draw_wires(canvas, left, right)
            x = left + 8
            for items, width in part:
                for item in items:
                    item.draw(canvas, x + width / 2)
                x += width
        bottom = len(rows) * (height + 10) - 10
        if self.undrawn:
            canvas.text("more", 14, bottom + 18, f"… and {self.undrawn:,} more operations, which are not drawn.")
            bottom += 30
            widest = max(widest, 420)
        return Drawing(_short(widest + 14), _short(bottom), canvas.shapes, self.description())

    def description(self) -> str:
        qubits = self.qubits + max(0, self.hidden - 1)
        operations = len(self.compiled.operations)
        return (
            f"A circuit of {qubits:,} qubit{'s' * (qubits != 1)} and {operations:,} operation{'s' * (operations != 1)}."
        )

    def draw_wires(self, canvas: Canvas, left: float, right: float) -> None:
        ends = f"H{_short(right)}"
        path = "".join(f"M{_short(left)} {_short(canvas.y(wire))}{ends}" for wire in range(self.qubits))
        if path:
            canvas.path("wire", path)
        double = "".join(
            f"M{_short(left)} {_short(canvas.y(wire) + shift)}{ends}"
            for wire in range(self.qubits, self.wires)
            for shift in (-1.5, 1.5)
        )
        if double:
            canvas.path("wire", double)
        for wire, name in enumerate([*self.names, *[name for name, _ in self.registers]]):
            canvas.text("name", left - 8, canvas.y(wire), shown(name))
        for index, (_, size) in enumerate(self.registers):
            y = canvas.y(self.qubits + index)
            canvas.path("wire", f"M{_short(left + 4)} {_short(y + 6)}l6 -12")
            canvas.text("size", left + 7, y - 14, str(size))

    def columns(self, operations: Iterable[Operation], depth: int) -> Columns:
        """Return columns of items with their widths, each item as far left as its wires allow."""
        levels = [0] * max(1, self.wires)
        columns: list[list[Item]] = []
        for operation in operations:
            if self.left <= 0:
                self.undrawn += 1
                continue
            item = self.item(operation, depth)
            if item is None:
                continue
            self.left -= 1
            column = max(levels[item.low : item.high + 1])
            levels[item.low : item.high + 1] = [column + 1] * (item.high + 1 - item.low)
            if column == len(columns):
                columns.append([])
            columns[column].append(item)
        return [(items, max(item.width for item in items) + GAP) for items in columns]

    def wire(self, qubit: int) -> int:
        return min(qubit, self.qubits - 1)

    # ------------------------------------------------------------------ what they look like

    def item(self, operation: Operation, depth: int) -> Item | None:  # noqa: PLR0911 - one for each kind
        """Return what an operation looks like; None for what the program does not have as such."""
        if isinstance(operation, Measure):
            return self.measurement(operation)
        if isinstance(operation, Reset):
            wire = self.wire(operation.qubit)
            return self.box("reset", "|0⟩", [wire])
        if isinstance(operation, Barrier):
            return self.barrier(operation)
        if isinstance(operation, Store):
            place = self.bits.get(operation.cell)
            if place is None:
                return None
            wire, _, name = place
            return self.box("store", shown(f"{name} = {self.condition(operation.value)}"), [wire])
        if isinstance(operation, If | While):
            return self.frame(self.sections(operation, depth), depth, cells_read(operation))
        if isinstance(operation, Call) and operation.own and operation.name in self.opened and depth < DEEPEST:
            inner = [on_qubits(part, operation.qubits) for part in operation.operations if part.qubits]
            label = symbol_of(operation).label
            return self.frame([(label, self.columns(inner, depth + 1), inner)], depth, (), operation.name)
        if isinstance(operation, Channel):
            return self.box("reset", "noise", [self.wire(qubit) for qubit in operation.qubits])
        if not operation.qubits:
            return None
        return self.gate(operation)

    def box(self, kind: str, label: str, wires: Sequence[int]) -> Item:
        low, high = min(wires), max(wires)
        width = _wide(label)

        def paint(canvas: Canvas, x: float) -> None:
            canvas.rect(kind, x - width / 2, canvas.y(low) - GATE / 2, width, (high - low) * PITCH + GATE)
            canvas.text("label", x, (canvas.y(low) + canvas.y(high)) / 2, label)

        return Item(low, high, width, paint)

    def gate(self, gate: AnyUnitary) -> Item:
        symbol = symbol_of(gate)
        dots = [(self.wire(qubit), value) for qubit, value in symbol.controls]
        wires = list(dict.fromkeys(self.wire(qubit) for qubit in symbol.targets))
        every = [wire for wire, _ in dots] + wires
        low, high = min(every), max(every)
        opens = gate.name if isinstance(gate, Call) and gate.own else ""
        box = _box(symbol.label, wires, opens) if symbol.kind == "box" else None
        beside = symbol.label if symbol.kind == "dots" else ""
        width = box.width if box else 24 + 2 * len(beside) * LETTER * 0.85 if beside else GATE

        def paint(canvas: Canvas, x: float) -> None:
            if low < high:
                canvas.line("link", x, canvas.y(low), canvas.y(high))
            if box:
                box.draw(canvas, x)
            else:
                for wire in wires:
                    _target(canvas, symbol.kind, x, canvas.y(wire))
            for wire, value in dots:
                canvas.dot("control" if value else "control open", x, canvas.y(wire), 5)
            if beside:
                canvas.text("beside", x + 10, canvas.y(high) - (PITCH / 2 if low < high else 14), beside)

        return Item(low, high, width, paint)

    def measurement(self, operation: Measure) -> Item:
        wire = self.wire(operation.qubit)
        place = self.bits.get(operation.cell)
        size = dict(self.registers).get(place[2].partition("[")[0], 1) if place else 1

        def paint(canvas: Canvas, x: float) -> None:
            y = canvas.y(wire)
            if place is not None:
                down = canvas.y(place[0])
                for shift in (-1.5, 1.5):
                    canvas.line("link", x + shift, y, down - 8)
                canvas.path("arrow", f"M{_short(x - 5)} {_short(down - 9)}h10l-5 8z")
                if size > 1:
                    canvas.text("bit", x + 7, down + 13, str(place[1]))
            canvas.rect("measure", x - GATE / 2, y - GATE / 2, GATE, GATE)
            canvas.path(
                "meter", f"M{_short(x - 9)} {_short(y + 6)}a9.5 9.5 0 0 1 18 0M{_short(x)} {_short(y + 6)}l7 -13"
            )

        return Item(wire, place[0] if place else wire, GATE, paint)

    def barrier(self, operation: Barrier) -> Item:
        wires = sorted({self.wire(qubit) for qubit in operation.qubits})

        def paint(canvas: Canvas, x: float) -> None:
            path = "".join(f"M{_short(x)} {_short(canvas.y(wire) - PITCH / 2)}v{PITCH}" for wire in wires)
            canvas.path("barrier", path)

        return Item(wires[0], wires[-1], 8, paint)

    # ------------------------------------------------------------------ tests, loops and opened gates

    def sections(self, operation: If | While, depth: int) -> list[Section]:
        """Return the titles, columns and operations of a test's or loop's parts; `else if` is one more part."""
        found: list[Section] = []

        def add(title: str, operations: list[Operation]) -> None:
            inner = self.columns(operations, depth + 1) if depth < DEEPEST else []
            found.append((title, inner, operations))

        if isinstance(operation, While):
            condition = self.condition(Node("bit", operation.cell))
            add(self.outline.title(operation) or f"while ({condition})", operation.body)
            return found
        while True:
            title, condition = self.outline.title(operation), self.condition(operation.condition)
            last = "default" if "case " in title else "else"
            if operation.then or not operation.otherwise:
                head = title or f"if ({condition})"
                add(f"else {head}" if found and head.startswith("if") else head, operation.then)
            elif not title:
                last = f"if not ({condition})"
            otherwise = operation.otherwise
            if len(otherwise) == 1 and isinstance(otherwise[0], If) and self.outline.title(otherwise[0]):
                operation = otherwise[0]
                continue
            if otherwise:
                add(last, otherwise)
            return found

    def frame(self, sections: list[Section], depth: int, read: Sequence[int], gate: str = "") -> Item | None:
        """Return a frame around parts side by side, linked to the bits that it reads; None if nothing is in it."""
        inner: list[Operation] = [operation for _, _, operations in sections for operation in walk(operations)]
        used = {self.wire(qubit) for operation in inner for qubit in qubits_of(operation)}
        items = [item for _, columns, _ in sections for column, _ in columns for item in column]
        if not items:
            return None
        bits = sorted({self.bits[cell][0] for cell in read if cell in self.bits})
        low = min(used) if used else min(item.low for item in items)
        high = max(used) if used else max(item.high for item in items)
        parts = [(title, _wide(title) + GAP, columns) for title, columns, _ in sections]
        width = sum(tag + sum(wide for _, wide in columns) for _, tag, columns in parts) + 10
        inset = max(-3.0, 5 - 2.0 * depth)

        def paint(canvas: Canvas, x: float) -> None:
            left, top = x - width / 2, canvas.y(low) - GATE / 2 - inset
            height = canvas.y(high) + GATE / 2 + inset - top
            for wire in bits:
                for shift in (-1.5, 1.5):
                    canvas.line("link", left + 14 + shift, min(top + height, canvas.y(wire)), canvas.y(wire))
                canvas.dot("control", left + 14, canvas.y(wire), 4)
            canvas.rect("frame opened" if gate else "frame", left, top, width, height)
            at = left + 5
            for number, (title, tag, columns) in enumerate(parts):
                if number:
                    canvas.line("between", at - 1, top, top + height)
                canvas.rect("tag", at + 2, canvas.y(low) - 12, tag - GAP, 24)
                canvas.text("tag", at + 2 + (tag - GAP) / 2, canvas.y(low), title)
                if gate:
                    canvas.click("close", gate, at + 2, canvas.y(low) - 12, tag - GAP, 24)
                at += tag
                for column, wide in columns:
                    for item in column:
                        item.draw(canvas, at + wide / 2)
                    at += wide

        return Item(low, max([high, *bits, *(item.high for item in items)]), width, paint)

    def condition(self, bit: Bit) -> str:
        """Return a Boolean expression over bits as a program would have it; bits that no one declared as three dots."""
        if not isinstance(bit, Node):
            return str(bit)
        if bit.size > 8:  # noqa: PLR2004 - longer than anyone reads
            named = list(dict.fromkeys(self.bits[cell][2] for cell in cells(bit) if cell in self.bits))
            return f"f({', '.join(named[:4])}{', …' if len(named) > 4 else ''})"  # noqa: PLR2004 - the same
        if bit.op == "bit":
            return self.bits[bit.cell][2] if bit.cell in self.bits else "…"
        first = self.condition(bit.a) if isinstance(bit.a, Node) else "…"
        if bit.op == "!":
            return f"!{first}"
        return f"{first} {bit.op} {self.condition(bit.b)}" if bit.b is not None else first


def _box(label: str, wires: Sequence[int], opens: str) -> Item:
    """Return a gate's box over its wires, numbered if there are several; `opens` names a gate that a click opens."""
    top, bottom, several = min(wires), max(wires), len(wires) > 1
    width = _wide(label) + (16 if several else 0)

    def paint(canvas: Canvas, x: float) -> None:
        shape = (x - width / 2, canvas.y(top) - GATE / 2, width, (bottom - top) * PITCH + GATE)
        canvas.rect("own" if opens else "gate", *shape)
        canvas.text("label", x + (8 if several else 0), (canvas.y(top) + canvas.y(bottom)) / 2, label)
        for place, wire in enumerate(wires if several else ()):
            canvas.text("place", x - width / 2 + 9, canvas.y(wire), str(place))
        if opens:
            canvas.click("open", opens, *shape)

    return Item(top, bottom, width, paint)


def _target(canvas: Canvas, kind: str, x: float, y: float) -> None:
    """Draw what stands on a target without a box."""
    if kind == "cross":
        canvas.dot("target", x, y, 11)
        canvas.path("plus", f"M{_short(x - 11)} {_short(y)}h22M{_short(x)} {_short(y - 11)}v22")
    elif kind == "swap":
        canvas.path("swap", f"M{_short(x - 6)} {_short(y - 6)}l12 12m0 -12l-12 12")
    else:
        canvas.dot("control", x, y, 5)


def _rows(columns: Columns, width: float) -> list[Columns]:
    """Return columns in rows of at most a width, but at least one in each."""
    rows: list[Columns] = [[]]
    used = 0.0
    for column in columns:
        if rows[-1] and used + column[1] > width:
            rows.append([])
            used = 0.0
        rows[-1].append(column)
        used += column[1]
    return rows
