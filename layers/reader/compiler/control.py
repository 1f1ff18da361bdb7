"""Control that depends on measurements: tests, statements that need measured values, and ways out of loops.

- `branch` compiles both sides of a test on measured bits and merges what they assigned, bit by bit;
- `attempt` runs a statement that needs a number where only measured bits are: it is compiled once per value of those
  bits, each under a test (`Split`), within the limit `splits`;
- an *exit flag* is a variable that says whether a loop, subroutine or program has ended; what follows a statement that
  may have set it is guarded by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from reader.budget import ATTEMPT, BRANCH, KNOWN
from reader.compiler.machine import Machine, Part, Split
from reader.compiler.spans import Span, union
from reader.compiler.symbols import Select, Variable
from reader.compiler.values import BITLIKE
from reader.errors import SourceError, ValueFault, unsupported
from reader.limits import LIMITS
from reader.operations import Bit, If, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.operations import Operation


_TEST = 20  # operations that a test counts for


def assume(m: Machine, bit: Bit, value: int) -> None:
    """Know from here on what a test has shown."""
    if not isinstance(bit, Node):
        return
    if bit.op == "bit":
        m.known[bit.cell] = value
    elif isinstance(bit.a, Node):
        if bit.op == "!":
            assume(m, bit.a, 1 - value)
        elif bit.b is not None and ((bit.op == "&" and value) or (bit.op == "|" and not value)):
            assume(m, bit.a, value)
            assume(m, bit.b, value)


def branch(  # noqa: C901, PLR0912, PLR0913, PLR0915 - both sides, and what merges them
    m: Machine,
    condition: Node,
    then: Callable[[], None] | None,
    otherwise: Callable[[], None] | None,
    at: int,
    *,
    inner: bool = True,
    title: str = "",
) -> None:
    """Compile both sides of a test and merge what they assigned; `inner` if the sides are scopes of their own.

    `title` is the test's in an outline.
    """
    m.budget.spend(BRANCH, at)
    m.enter(at)
    outer_ops, outer_known, outer_signs, outer_spans = m.ops, m.known, m.signs, m.spans
    sides: list[tuple[list[Operation], dict[Variable, Any], dict[int, int]]] = []
    signs: list[dict[Variable, int]] = []
    spans: list[dict[Variable, Span]] = []
    m.depth += inner
    for value, run in ((1, then), (0, otherwise)):
        m.ops = []
        m.budget.spend((len(outer_known) + len(outer_signs) + len(outer_spans)) >> KNOWN, at)
        m.known, m.signs, m.spans = dict(outer_known), dict(outer_signs), dict(outer_spans)
        assume(m, condition, value)
        mark = len(m.journal)
        if run is not None:
            run()
        changed: dict[Variable, Any] = {}
        for variable, _, _ in m.journal[mark:]:
            if variable.depth <= m.depth - inner and variable not in changed:
                data = variable.data
                changed[variable] = list(data) if isinstance(data, list) else data
        signs.append(dict(m.signs))
        spans.append(dict(m.spans))
        m.undo(mark)
        sides.append((m.ops, changed, m.known))
    m.depth -= inner
    m.signs, m.spans = outer_signs, outer_spans
    (yes_ops, yes_changed, yes_known), (no_ops, no_changed, no_known) = sides
    merged: list[tuple[Variable, Any]] = []
    sizes: dict[Variable, int] = {}
    joint: dict[Variable, Span] = {}
    for variable in {**yes_changed, **no_changed}:
        yes, no = yes_changed.get(variable, variable.data), no_changed.get(variable, variable.data)
        m.ops, m.known = yes_ops, yes_known
        yes_bits, no_bits = _as_bits(variable, yes), _as_bits(variable, no)
        if yes_bits is None or no_bits is None:
            merged.append((variable, _merge_other(m, yes, no, (yes_ops, yes_known), (no_ops, no_known), at)))
            continue
        result: list[Bit] = []
        for index, (yes_bit, no_bit) in enumerate(zip(yes_bits, no_bits, strict=True)):
            if yes_bit is no_bit or (not isinstance(yes_bit, Node) and yes_bit == no_bit):
                result.append(yes_bit)
                continue
            cell = m.cell_of(variable, index, at)
            for ops, known, bit in ((yes_ops, yes_known, yes_bit), (no_ops, no_known, no_bit)):
                if not isinstance(bit, Node):
                    m.ops, m.known = ops, known
                    m.store(cell, bit, at)
            result.append(Node("bit", cell))
        merged.append((variable, result))
        if variable.type.kind in ("int", "uint"):
            one, other = (_span(variable, data, known) for data, known in zip((yes, no), spans, strict=True))
            if (span := union(m, one, other, variable.type.width)) is not None:
                joint[variable] = span
        signed = variable.type.kind == "int" or variable in joint or any(variable in each for each in signs)
        if signed and variable not in m.looped:
            sizes[variable] = max(
                signed_size(variable, bits, known) for bits, known in zip((yes_bits, no_bits), signs, strict=True)
            )
    m.ops = outer_ops
    m.known = {cell: value for cell, value in yes_known.items() if no_known.get(cell) == value}
    for variable, data in merged:
        m.log(variable)
        variable.data = data
    m.signs.update({variable: size for variable, size in sizes.items() if size < variable.type.width})
    m.spans.update(joint)
    if yes_ops or no_ops:
        # A test is a circuit of its own to Qiskit and costs as much as many gates.
        m.count(_TEST, at)
        test = If(condition, yes_ops, no_ops)
        m.emit(test, at)
        if m.outline is not None:
            m.outline.name(test, title)
    m.leave()


def _span(variable: Variable, data: Any, known: dict[Variable, Span]) -> Span | None:  # noqa: ANN401 - an int or bits
    """Return what a side of a test knows of an integer's value."""
    return (data, data) if isinstance(data, int) else known.get(variable)


def signed_size(variable: Variable, bits: list[Bit], known: dict[Variable, int]) -> int:
    """Return how many low bits hold an int's bits, the last of them its sign."""
    size, sign = len(bits), bits[-1]
    if not isinstance(sign, Node):
        while size > 1 and not isinstance(bits[size - 2], Node) and bits[size - 2] == sign:
            size -= 1
    return min(size, known.get(variable, size))


def settled(data: Any, known: dict[int, int]) -> Any:  # noqa: ANN401 - any kind of value
    """Return what is left of a `Select` where cells are known, so that no value stays that cannot be."""
    while isinstance(data, Select) and (which := known.get(data.cell)) is not None:
        data = data.yes if which else data.no
    return data


def _merge_other(  # noqa: PLR0913 - both sides with what they emitted and know
    m: Machine,
    yes: Any,  # noqa: ANN401 - any kind of value
    no: Any,  # noqa: ANN401 - any kind of value
    yes_side: tuple[list[Operation], dict[int, int]],
    no_side: tuple[list[Operation], dict[int, int]],
    at: int,
) -> Any:  # noqa: ANN401 - any kind of value
    """Return one value for two that a test decided between: a `Select` on a cell that remembers the test."""
    if yes is no:
        return yes
    yes, no = settled(yes, yes_side[1]), settled(no, no_side[1])
    if not isinstance(yes, Select) and not isinstance(no, Select) and yes == no:
        return yes
    cell = m.allocate(1, at)
    for (ops, known), bit in ((yes_side, 1), (no_side, 0)):
        m.ops, m.known = ops, known
        m.store(cell, bit, at)
    return Select(cell, yes, no)


def attempt(m: Machine, run: Callable[[], None], at: int) -> None:
    """Run a statement; where it needs measured bits while compiling, once per value of each under a test."""
    if not m.measured:  # no bit can be unknown yet
        try:
            run()
        except Split as split:
            _refuse_own(split)
        return
    m.budget.spend(ATTEMPT, at)
    start = Mark(m)
    before, m.before = m.before, (m.cells, len(m.temporaries))
    try:
        run()
    except Split as split:
        own, same_frame = m.is_own(split.cell), m.frame is start.frame
        start.restore(m)
        if not own:
            specialise(m, run, split, at)
        elif split.part is not None and same_frame:
            keep(m, split.part, run, at)
        else:
            _refuse_own(split)
    finally:
        m.before = before


def specialise(m: Machine, run: Callable[[], None], split: Split, at: int) -> None:
    """Run a statement once for each value of a measured bit, under a test of that bit."""
    if m.splits >= LIMITS.splits:
        unsupported(
            f"This statement needs the values of more than {LIMITS.splits} measured bits.",
            split.at,
            "Use fewer measured bits here, or integers of few bits, such as uint[4]. What no gate needs can be "
            "calculated from an output integer afterwards.",
        )
    m.spend(_TEST, at)
    faults: list[SourceError] = []

    def side() -> None:
        start = Mark(m)
        try:
            attempt(m, run, at)
        except ValueFault as error:
            # These measured values make the statement meaningless; most likely they never occur.
            start.restore(m)
            faults.append(error)

    m.splits += 1
    branch(m, Node("bit", split.cell), side, side, at, inner=False)
    m.splits -= 1
    if len(faults) > 1:
        raise faults[0] from None
    if faults:
        m.notes.add("A statement has no effect if a measured value in it divides by zero or is not a valid index.")


def keep(m: Machine, part: Part, run: Callable[[], None], at: int) -> None:
    """Run a statement after a part of it has been worked out and put into a variable."""
    m.spend(_TEST, at)
    variable = Variable("value", part.narrow, at, m.depth)
    m.owned.append(variable)
    attempt(m, lambda: m.set(variable, part.evaluate(), at), at)
    m.kept[part.node] = part, variable
    try:
        attempt(m, run, at)
    finally:
        m.kept.pop(part.node, None)


def ended_by(m: Machine) -> Bit:
    """Return whether a loop, the subroutine or the program has been left at this point."""
    state: Bit = 0
    if not m.leaving:
        return state
    for flag in exits(m):
        data = flag.data
        if isinstance(data, list):
            bit = m.resolve(data[0])
            if isinstance(bit, Node):
                state = Node("|", state, bit) if isinstance(state, Node) else (state or bit)
                continue
            data = bit
        if data:
            return 1
    return state


def exits(m: Machine) -> list[Variable]:
    """Return the flags that end what is running now."""
    frame = m.frame
    flags = [m.ended]
    if frame.returned is not None:
        flags.append(frame.returned)
    for pair in frame.loops:
        flags += pair
    return flags


class Mark:
    """Where a statement begins: what taking it back needs."""

    def __init__(self, m: Machine) -> None:
        self.journal = len(m.journal)
        self.ops, self.emitted = m.ops, len(m.ops)
        m.budget.spend(len(m.known) >> KNOWN, m.here)
        self.known, self.phase, self.splits = dict(m.known), m.phase, m.splits
        self.frame, self.nesting, self.depth, self.in_gate = m.frame, m.nesting, m.depth, m.in_gate
        self.scopes, self.loops = len(m.frame.scopes), len(m.frame.loops)

    def restore(self, m: Machine) -> None:
        """Take back everything since."""
        m.frame, m.nesting, m.depth, m.in_gate = self.frame, self.nesting, self.depth, self.in_gate
        del m.frame.scopes[self.scopes :], m.frame.loops[self.loops :]
        m.ops = self.ops
        del m.ops[self.emitted :]
        m.undo(self.journal)
        m.known, m.phase, m.splits = self.known, self.phase, self.splits


def _refuse_own(split: Split) -> NoReturn:
    unsupported(
        "This statement needs a value that it measures itself.",
        split.at,
        "Assign the measured value to a variable in an earlier statement.",
    )


def _as_bits(variable: Variable, data: Any) -> list[Bit] | None:  # noqa: ANN401 - any kind of value
    if variable.type.kind not in BITLIKE or variable.type.dimensions:
        return None
    if isinstance(data, list):
        return data
    return [(data >> index) & 1 for index in range(variable.type.width)]
