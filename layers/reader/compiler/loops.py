"""`for` and `while`: unrolled where the next iteration is certain, a loop in the circuit where measurements decide."""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING, Any

from reader.compiler.coercion import INTEGERS, integer, look_at_fit
from reader.compiler.control import Mark, attempt, branch, ended_by
from reader.compiler.conversions import convert, truth
from reader.compiler.expressions import evaluate, read
from reader.compiler.few_values import MOST, Few, ManyValuesError
from reader.compiler.logic import both, negate
from reader.compiler.ranges import Needed, bits_needed
from reader.compiler.references import lookup, refer, unknown
from reader.compiler.repetition import MOVING, TRIES, Round, count_iterations, names_its_variable
from reader.compiler.reserved import look_at_hidden
from reader.compiler.subroutines import run_calls, set_flag
from reader.compiler.symbols import COUNTER, Array, Bits, Qubits, Variable
from reader.compiler.types import resolve_type
from reader.compiler.values import BITLIKE, BOOL, INT, Type, Value, from_bits, to_bits
from reader.errors import fault, invalid, too_large, unsupported
from reader.limits import LIMITS
from reader.operations import Bit, Node, While
from reader.text import syntax

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reader.compiler.machine import Machine

_ROUNDS = 64  # attempts at finding out which variables a loop carries
_UNROLLED = 24  # rounds of one that is compiled round by round


def iteration(m: Machine, at: int) -> None:
    """Count an iteration of a loop that is unrolled."""
    m.step(at)
    count_iterations(m, 1, at)


def execute_for(m: Machine, node: syntax.For) -> None:
    """Execute `for` (spec, "For loops")."""
    kind = resolve_type(m, node.type)
    look_at_hidden(m, node.name, node.at, inner=True)
    values = iter(loop_values(m, node, kind))
    broke = Variable("break", BOOL, node.at, m.depth)
    tries: float = TRIES
    before: Round | None = None
    for value in values:
        if tries > 0 and names_its_variable(m, node):
            tries = 0
        this = Round(m) if tries > 0 else None
        iteration(m, node.at)
        state = left(m, broke)
        if state == 1:
            return

        def once(value: Value = value) -> None:
            one_iteration(m, node, kind, value, broke)

        if isinstance(state, Node):
            branch(m, state, None, once, node.at, inner=False)
            before = None
            continue
        once()
        if this is None:
            continue
        if this.is_like_next(m):
            this.repeat(m, sum(1 for _ in values), node.at)
            return
        more = this.likes(m, before)
        if more and before is not None:
            this.go_on(m, before, sum(1 for _ in islice(values, more)), node.at)
            before, tries = None, TRIES
        else:
            before = this
            tries -= 1 if this.spans == m.spans else MOVING


def parts(values: syntax.Expression) -> list[syntax.Expression | None]:
    """Return the expressions that say which values a loop runs over."""
    if isinstance(values, syntax.Range):
        return [values.start, values.step, values.stop]
    return [values]


def left(m: Machine, broke: Variable) -> Bit:
    """Return whether the loop, or something around it, has been left."""
    frame = m.frame
    if not m.leaving:
        return 0
    frame.loops.append((broke, broke))
    state = ended_by(m)
    frame.loops.pop()
    return state


def one_iteration(m: Machine, node: syntax.For, kind: Type, value: Value, broke: Variable) -> None:
    """Execute a loop's body once."""
    variable = Variable(node.name, kind, node.at, m.depth)
    converted = convert(m, value, kind, node.values.at)
    if converted.data != value.data and kind.kind in INTEGERS:
        look_at_fit(m, node.values, value, converted)
    if converted.known:
        variable.data = converted.data
    else:
        m.set(variable, converted, node.at)
    variable.readonly = COUNTER
    continued = Variable("continue", BOOL, node.at, m.depth)
    frame = m.frame
    frame.loops.append((broke, continued))
    frame.scopes.append({node.name: variable})  # as if the body declared it first
    m.enter(node.at)
    m.execute_body(node.body)
    m.leave()
    m.give_back(frame.scopes.pop().values())
    frame.loops.pop()
    m.give_back([continued])


def loop_values(m: Machine, node: syntax.For, kind: Type) -> Iterable[Value]:  # noqa: C901, RET503 a dispatch over the language
    """Return the values the loop variable takes, before the first iteration changes anything."""
    values = node.values
    if isinstance(values, syntax.Range):
        if values.start is None or values.stop is None:
            invalid("The range of a loop needs a start and an end.", values.at, "Write [0:3].")
        start, stop = integer(m, values.start), integer(m, values.stop)
        step = integer(m, values.step) if values.step is not None else 1
        if step == 0:
            fault("The step of a range cannot be zero.", values.at)
        length = max(0, (stop - start) // step + 1)
        if length > LIMITS.loop_iterations:
            limit = LIMITS.loop_iterations
            hint = "A uint cannot be negative: count down with an int." if start >= 1 << 63 else None
            too_large(f"A loop runs for more than {limit:,} iterations.", values.at, limit, min(length, 2**63), hint)
        width = max(INT.width, max(abs(start), abs(stop)).bit_length() + 1)
        source = Type("uint", width) if kind.kind == "bit" else INT if width == INT.width else Type("int", width)
        return (Value(source, number) for number in range(start, start + length * step, step))
    if isinstance(values, syntax.IndexSet):
        return [evaluate(m, item) for item in values.items]
    symbol = refer(m, values)
    if isinstance(symbol, Array):
        if len(symbol.dimensions) != 1:
            invalid("A loop runs over arrays of one dimension.", values.at, "Index the array first.")
        return [m.read(element, values.at) for element in symbol.elements]
    if isinstance(symbol, Bits) or (isinstance(symbol, Variable) and symbol.type.kind == "bit"):
        value = read(m, symbol, values.at)
        return [from_bits(Type("bit", 1), (bit,)) for bit in to_bits(value)]
    if symbol is None and isinstance(values, syntax.Name):
        unknown(m, values)
    if symbol is None and not isinstance(values, syntax.Name):
        value = evaluate(m, values)
        if value.type.kind == "bit":
            return [from_bits(Type("bit", 1), (bit,)) for bit in to_bits(value)]
    if isinstance(symbol, Qubits):
        invalid("A loop runs over classical values.", values.at, "Loop over the indices: 'for int i in [0:3]'.")
    invalid("A loop cannot run over this.", values.at, "Use a range, a set, an array or a bit register.")


def execute_while(m: Machine, node: syntax.While) -> None:
    """Execute `while` (spec, "While loops")."""
    broke = Variable("break", BOOL, node.at, m.depth)

    def condition() -> Bit:
        state = left(m, broke)
        if state == 1:
            return 0
        holds = Variable("while", BOOL, node.at, m.depth)

        def work_out() -> None:
            m.set(holds, from_bits(BOOL, (truth(m, evaluate(m, node.condition), node.condition.at),)), node.at)

        m.owned.append(holds)
        run_calls(m, node.condition)
        attempt(m, work_out, node.at)
        return both(m.arithmetic.short(negate(state)), to_bits(m.read(holds, node.at))[0])

    def body() -> None:
        continued = Variable("continue", BOOL, node.at, m.depth)
        m.frame.loops.append((broke, continued))
        m.execute_block(node.body)
        m.frame.loops.pop()
        m.give_back([continued])

    for number in count():
        this = Round(m) if number < TRIES else None
        iteration(m, node.at)
        holds = condition()
        if isinstance(holds, Node):
            repeat_measured(m, node, condition, body)
            return
        if not holds:
            return
        body()
        if this is not None and this.is_like_next(m):
            count_iterations(m, LIMITS.loop_iterations, node.at)  # it never ends


def repeat_measured(m: Machine, node: syntax.While, condition: Callable[[], Bit], body: Callable[[], None]) -> None:
    """Compile a loop that a measurement ends; round by round where that is the only way and its rounds are few."""
    start, counters = Mark(m), (m.operations, m.iterations)
    needed = bits_needed(m, node)
    sizes, looped = m.sizes, m.looped
    signed = {variable: size for variable, size in needed.signed.items() if variable not in looped}
    m.looped = looped.union(signed)
    m.sizes = {**sizes, **needed.assignments}
    m.spans = {}
    m.signs = {each: size for each, size in m.signs.items() if each in looped or stays(m, each, needed)} | signed
    try:
        measured_loop(m, condition, body, needed.variables, node.at)
    except ManyValuesError as many:
        start.restore(m)
        m.operations, m.iterations = counters
        one_round(m, condition, body, many.variable, node.at, 0)
        Few.after(m, start.journal, node.at)
    else:
        name_last(m, node.at)
    finally:
        m.sizes, m.looped = sizes, looped
        m.spans = {}


def stays(m: Machine, variable: Variable, needed: Needed) -> bool:
    """Tell whether a loop gives a variable no other value."""
    name = variable.name
    return needed.changed is not None and name not in needed.changed and lookup(m, name) is variable


def one_round(  # noqa: PLR0913 - a loop and how far it is
    m: Machine, condition: Callable[[], Bit], body: Callable[[], None], variable: Variable, at: int, number: int
) -> None:
    """Compile a round of a loop and all that follow, each under the test of the one before.

    `variable` is why. A counter is known in each round, so that the last one is found.
    """
    iteration(m, at)
    holds = condition()
    if number == _UNROLLED and holds != 0:
        unsupported(
            f"'{variable.name[:40]}' is a {variable.type} that takes more than {MOST} values in a loop "
            "that a measurement ends.",
            at,
            f"Use an int, an angle or a 'for' loop, or count at most {_UNROLLED} rounds in the loop's condition.",
        )

    def another() -> None:
        body()
        one_round(m, condition, body, variable, at, number + 1)

    if isinstance(holds, Node):
        branch(m, holds, another, None, at)
    elif holds:
        another()


def measured_loop(
    m: Machine, condition: Callable[[], Bit], body: Callable[[], None], narrow: dict[Variable, int], at: int
) -> None:
    """Compile a loop that a measurement ends.

    What the body changes must stand in the same cells whenever the loop begins again. Which variables those are is
    found by compiling the body: as long as one that is not yet carried changes, all is taken back and done again.
    `narrow` says how many low bits hold a number, see `ranges`.
    """
    m.enter(at)
    carried: dict[Variable, set[int]] = {}
    counters = m.operations, m.iterations
    few = Few()
    for _ in range(_ROUNDS):
        mark, emitted, known = len(m.journal), len(m.ops), dict(m.known)
        outer = m.ops
        m.operations, m.iterations = counters
        carry(m, carried, narrow, at)
        few.begin(m, at)
        # The first test is made before the loop, each further one at the end of its body.
        m.known = {}
        cell = m.allocate(1, at)
        m.store(cell, condition(), at)
        m.known = {cell: 1}
        m.depth += 1
        head = len(m.journal)
        m.ops = []
        body()
        missing = few.grow(m, head)
        if not missing:
            few.end(m, at)
            m.store(cell, condition(), at)
        inside = m.ops
        m.depth -= 1
        if add_uncarried(changes(m, head), carried, narrow) or missing:
            m.ops = outer
            del m.ops[emitted:]
            m.undo(mark)
            m.known = known
            continue
        for variable, indices in carried.items():
            bits = m.spread(variable)
            for index in indices:
                if not isinstance(bits[index], Node):
                    m.store(m.cell_of(variable, index, at), bits[index], at)
        m.undo(head)
        m.ops = outer
        m.known = {cell: 0}
        m.emit(While(cell, inside), at)
        m.leave()
        return
    unsupported("This loop changes too many variables.", at, "Use fewer variables in the loop.")


def add_uncarried(
    changed: dict[Variable, set[int]], carried: dict[Variable, set[int]], narrow: dict[Variable, int]
) -> bool:
    """Add what a round changes to what is carried; tell whether anything of it was not yet."""
    missing = False
    for variable, indices in changed.items():
        size = narrow.get(variable, variable.type.width)
        new = {index for index in indices if index < size} - carried.get(variable, set())
        if new:
            missing = True
            # Numbers grow into their higher bits: carry all of an integer at once.
            every = variable.type.kind in ("int", "uint", "angle")
            carried.setdefault(variable, set()).update(range(size) if every else new)
    return missing


def name_last(m: Machine, at: int) -> None:
    """Give the loop that was just emitted its title in an outline."""
    loop = m.ops[-1]
    if m.outline is not None and isinstance(loop, While):
        m.outline.name(loop, m.outline.head(at))


def carry(m: Machine, carried: dict[Variable, set[int]], narrow: dict[Variable, int], at: int) -> None:
    """Put what a loop changes into the cells that it stands in whenever the loop begins again."""
    for variable, indices in carried.items():
        bits = m.spread(variable)
        forget_high_bits(m, variable, narrow.get(variable))
        for index in indices:
            cell = m.cell_of(variable, index, at)
            if not isinstance(bits[index], Node):
                m.store(cell, bits[index], at)
                m.log(variable, index)
                bits[index] = Node("bit", cell)


def forget_high_bits(m: Machine, variable: Variable, size: int | None) -> None:
    """Know the bits of a number beyond those that it needs: they are 0."""
    if size is None or not isinstance(variable.data, list):
        return
    for index in range(size, variable.type.width):
        if variable.data[index] != 0:
            m.log(variable, index)
            variable.data[index] = 0


def at_mark(m: Machine, mark: int, after: dict[Variable, Any]) -> dict[Variable, Any]:
    """Return what variables were when the journal was at the mark; `after` is what they are now."""
    before: dict[Variable, Any] = {}
    # Undo on a copy: walk the journal backwards to find what each variable was.
    for variable, index, old in reversed(m.journal[mark:]):
        if variable not in after:
            continue
        if index < 0:
            before[variable] = list(old) if isinstance(old, list) else old
        else:
            current = before.get(variable)
            if current is None:
                current = before[variable] = list(after[variable])
            current[index] = old
    return before


def changes(m: Machine, mark: int) -> dict[Variable, set[int]]:
    """Return which bits of outer variables differ from what they were at the mark."""
    after: dict[Variable, Any] = {}
    for variable, _, _ in m.journal[mark:]:
        if variable.depth <= m.depth and variable not in after:
            after[variable] = list(variable.data) if isinstance(variable.data, list) else variable.data
    before = at_mark(m, mark, after)
    result: dict[Variable, set[int]] = {}
    for variable, old in before.items():
        new = after[variable]
        if variable.type.kind not in BITLIKE:
            continue  # `few_values` has those
        was, now = _bits(variable, old), _bits(variable, new)
        differing = {
            index
            for index, (x, y) in enumerate(zip(was, now, strict=True))
            if not (isinstance(x, Node) and isinstance(y, Node))
            and (isinstance(x, Node) or isinstance(y, Node) or x != y)
        }
        if differing:
            result[variable] = differing
    return result


def _bits(variable: Variable, data: Any) -> list[Bit]:  # noqa: ANN401 - an int or bits
    if isinstance(data, list):
        return data
    return [(data >> index) & 1 for index in range(variable.type.width)]


def leave_loop(m: Machine, node: syntax.Leave) -> None:
    """Execute `break`, `continue` or `end`."""
    if node.word == "end":
        set_flag(m, m.ended)
        return
    if not m.frame.loops:
        invalid(f"'{node.word}' is outside a loop.", node.at, "Use 'end;' to end the program.")
    broke, continued = m.frame.loops[-1]
    set_flag(m, broke if node.word == "break" else continued)
