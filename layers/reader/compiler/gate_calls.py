"""Gates applied to qubits: definitions are inlined, modifiers and broadcasting worked out (spec, "Gates")."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from reader.budget import MODIFIED, PLACE, POWER, POWER_OPERATION
from reader.compiler import modifiers
from reader.compiler.coercion import evaluate_real, integer, need_of
from reader.compiler.control import branch
from reader.compiler.conversions import with_article
from reader.compiler.foreign_gates import UNDER_CONTROLS, with_controls
from reader.compiler.gate_tables import GATES, LEGACY_GATES, TURNS, as_one, is_several, natives
from reader.compiler.parameters import parameter
from reader.compiler.references import qubits_of
from reader.compiler.symbols import Frame, Given, Qubits, Variable
from reader.compiler.values import BITLIKE, LARGEST, Type, Value, angle_to_float
from reader.errors import fault, invalid, quote, too_large, unsupported
from reader.exporter_flaws import hint_without_angle
from reader.limits import LIMITS
from reader.operations import Gate, Node, Power, Reset, on_qubits
from reader.outline import call, flattened, weight_of
from reader.swept import Swept, has_swept
from reader.text import syntax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reader.compiler.gates import Standard
    from reader.compiler.machine import Machine
    from reader.operations import Unitary

_MOST_POWERS = 8
_LINEAR = frozenset(
    [
        "p",
        "phase",
        "u1",
        "rx",
        "ry",
        "rz",
        "cp",
        "cphase",
        "cu1",
        "crx",
        "cry",
        "crz",
        "rxx",
        "ryy",
        "rzz",
        "rzx",
        "gphase",
    ]
)


WITH_PHASE = frozenset(["U", "u2", "u3"])  # gates of which tools know another phase than the specification


def arity(m: Machine, node: syntax.GateCall, operands: int | None) -> tuple[int, Standard | syntax.GateDefinition]:
    """Return how many qubits a gate takes and what it is; refuse unknown gates and wrong numbers of parameters.

    A number of `operands` that is not the gate's is refused too. It is None where modifiers or broadcasting decide how
    many there are: `apply_gate` counts them, and `split_controls` refuses. `apply_gate` counts gphase's parameters.
    """
    name = node.name
    definition = m.gates.get(name)
    standard: Standard | None = None
    # A gate's body means the gates that were there when it was written, not a later one of the same name.
    if definition is not None and definition.at < m.gates_before:
        parameters, qubits = len(definition.parameters), len(definition.qubits)
        if len(node.operands) != qubits and m.legacy:
            standard = of_another_size(m, node)
    else:
        table = LEGACY_GATES if m.legacy else GATES
        standard = table.get(name) or under_controls(node)
        if standard is None:
            from reader.compiler.unknown_gates import refuse_gate  # noqa: PLC0415 - only an erring program pays for it

            refuse_gate(m, node, table)
        m.predefined.add(name)
    if standard is not None:
        parameters, qubits = standard.parameters, standard.qubits
    if len(node.arguments) != parameters and not (name in ("xx_plus_yy", "xx_minus_yy") and len(node.arguments) == 1):
        shown = f"{parameters} parameter{'s' * (parameters != 1)}"
        usual = f"({', '.join('abcdefgh'[:parameters])})" if parameters else ""
        own = hint_without_angle(m.notes.text, name) if parameters == 1 and not node.arguments else None
        invalid(
            f"{quote(name)} takes {shown}, not {len(node.arguments)}.",
            node.name_at,
            own or f"Write '{name[:40]}{usual} ...'.",
        )
    if operands is not None and operands != qubits:
        invalid(f"{quote(name)} takes {qubits} qubit{'s' * (qubits != 1)}, not {operands}.", node.name_at)
    gate = standard or definition
    assert gate is not None  # noqa: S101 - refused above
    return qubits, gate


def under_controls(node: syntax.GateCall) -> Standard | None:
    """Return the gate of a name that stands for any number of controls, as MQT and Quafu write it; else None."""
    base = UNDER_CONTROLS.get(node.name)
    if base is None or len(node.operands) < 2 or node.modifiers:  # noqa: PLR2004 - a control and a target
        return None
    return with_controls(base, len(node.operands) - 1)


def of_another_size(m: Machine, node: syntax.GateCall) -> Standard | None:
    """Return the gate of a name for any number of controls that the program defines for another number, with a note."""
    standard = under_controls(node)
    if standard is not None:
        # Old Qiskit defined its first `mcx` alone.
        m.notes.add(
            f"{node.name} is defined for another number of qubits; all but the last are controls.", node.name_at
        )
    return standard


def look_at_name(m: Machine, node: syntax.GateCall, *, controlled: bool) -> None:
    """Note a gate that other tools mean otherwise."""
    if node.name in TURNS and node.name not in m.gates:
        m.notes.add("The angles of gpi, gpi2 and ms are in radians here, as in Amazon Braket; IonQ's own are in turns.")
    name = node.name
    if controlled and name in m.gates and m.gates[name].phased:
        m.notes.add(
            f"{name} is made of U: under ctrl it has the specification's phase, which many tools leave out.", node.at
        )
    elif controlled and name in WITH_PHASE and name not in m.gates:
        m.notes.add(
            f"{name} under ctrl has the specification's phase, which u and many tools' {name} leave out.", node.at
        )


def apply_gate(m: Machine, node: syntax.GateCall) -> None:
    """Execute a gate with its modifiers on every combination that broadcasting makes."""
    counts, exponents, added = modifier_arguments(m, node) if node.modifiers else ([], [], 0)
    look_at_name(m, node, controlled=added > 0)
    own = 0
    gate: Standard | syntax.GateDefinition | None = None
    if node.name == "gphase":
        if len(node.arguments) != 1:
            invalid(f"'gphase' takes 1 parameter, not {len(node.arguments)}.", node.name_at, "Write 'gphase(pi);'.")
    else:
        own, gate = arity(m, node, None)
    registers = [qubits_of(m, operand) for operand in node.operands]
    if registers and not own + added:
        m.notes.add("gphase takes no qubits: it changes the global phase, once.", node.operands[0].at)
        registers = []
    if len(registers) != own + added:
        registers = split_controls(node, registers, own + added)
    combinations = broadcast(m, node, registers)
    values = [evaluate_real(m, argument) for argument in node.arguments]
    if len(values) == 1 and not values[0].known and adds_up(m, node, values[0]):
        for turn, bit in turns(values[0]):
            operations = modified(m, node, gate, (turn,), counts, exponents, own)
            if m.outline is not None:
                operations = [call(node, (turn,), counts, exponents, operations, own + added)]
            emit_if(m, node, bit, operations, combinations)
        return
    parameters = tuple([parameter(m, a, v, gate) for a, v in zip(node.arguments, values, strict=True)])
    operations = modified(m, node, gate, parameters, counts, exponents, own)
    if m.outline is not None and (own or added):
        own_gate = isinstance(gate, syntax.GateDefinition)
        operations = [call(node, parameters, counts, exponents, operations, own + added, own=own_gate)]
    place(m, node, operations, combinations)


def adds_up(m: Machine, node: syntax.GateCall, value: Value) -> bool:
    """Tell whether a gate is a rotation about one axis, whose angle can be put together from measured bits."""
    return (
        value.type.kind in BITLIKE
        and (value.type.kind != "bit" or value.type.width == 1)
        and node.name in _LINEAR
        and node.name not in m.gates
        and not any(modifier.name == "pow" for modifier in node.modifiers)
    )


def modifier_arguments(m: Machine, node: syntax.GateCall) -> tuple[list[int], list[float], int]:
    """Return each modifier's number of controls and its exponent, and how many controls there are in all."""
    if len(node.modifiers) > LIMITS.nesting:
        limit = LIMITS.nesting
        too_large(f"A gate has more than {limit} modifiers.", node.at, limit, len(node.modifiers))
    if sum(modifier.name == "pow" for modifier in node.modifiers) > _MOST_POWERS:
        too_large(f"A gate has more than {_MOST_POWERS} powers.", node.at, _MOST_POWERS, len(node.modifiers))
    added = 0
    counts: list[int] = []
    exponents: list[float] = []
    for modifier in node.modifiers:
        count, exponent = 1, 1.0
        if modifier.name in ("ctrl", "negctrl"):
            if modifier.argument is not None:
                count = integer(m, modifier.argument)
                if count < 1:
                    fault(f"{modifier.name} needs at least one control.", modifier.at)
            if count > LIMITS.qubits:
                too_large("There are more controls than qubits.", modifier.at, LIMITS.qubits, count)
            added += count
        elif modifier.name == "pow":
            assert modifier.argument is not None  # noqa: S101 - what the parser puts there
            exponent = exponent_of(m, modifier.argument)
        counts.append(count)
        exponents.append(exponent)
    return counts, exponents, added


def exponent_of(m: Machine, node: syntax.Expression) -> float:
    """Return an exponent of `pow`: an int where it is a whole number, of any size."""
    value = need_of(m, node, evaluate_real(m, node))
    kind = value.type.kind
    if kind in ("int", "uint", "bool") or (kind == "bit" and value.type.width == 1):
        return int(value.data)
    if kind not in ("float", "angle"):
        invalid(
            f"{with_article(value.type).capitalize()} cannot be an exponent.", node.at, "Use an integer or a float."
        )
    number = angle_to_float(value.type.width, value.data) if kind == "angle" else float(value.data)
    if not math.isfinite(number):
        fault("The exponent of pow must be finite.", node.at)
    if kind == "float" and abs(number) > LARGEST and (real := m.exactly(node, value.type)) is not None:
        if real.of_pi or real.rational.denominator > 1:
            fault("The exponent of pow is too large for a fraction: over 6e15.", node.at, "Use an integer.")
        return int(real.rational)
    return int(number) if number.is_integer() else number


def turns(value: Value) -> list[tuple[float, Any]]:
    """Return what each bit of a measured number adds to a rotation: rotations about one axis add up."""
    kind = value.type
    result = []
    for index, bit in enumerate(value.data):
        weight = angle_to_float(kind.width, 1 << index) if kind.kind == "angle" else math.ldexp(1.0, index)
        if kind.kind == "int" and index == kind.width - 1:
            weight = -weight
        result.append((weight, bit))
    return result


def emit_if(
    m: Machine,
    node: syntax.GateCall,
    bit: Any,  # noqa: ANN401 as it reads best
    operations: list[Unitary],
    combinations: list[tuple[int, ...]],
) -> None:
    """Apply operations where a measured bit is set."""
    if isinstance(bit, Node):
        branch(m, bit, lambda: place(m, node, operations, combinations), None, node.at)
    elif bit:
        place(m, node, operations, combinations)


def place(
    m: Machine, node: syntax.GateCall, operations: Sequence[Unitary | Reset], combinations: list[tuple[int, ...]]
) -> None:
    """Emit operations on qubits; of OpenQASM 2's gates some reset, see `gate_definitions.check_body`."""
    # The matrix of a power is copied for each use, and weighs as much as it has elements.
    weight = sum([4 ** len(part.qubits) + len(part.operations) for part in operations if isinstance(part, Power)])
    if m.outline is not None or m.whole:
        weight = weight_of(operations) - len(operations)
    m.count((len(operations) + weight) * len(combinations), node.at)
    ops = m.ops
    for qubits in combinations:
        for operation in operations:
            if not isinstance(operation, Gate):
                ops.append(
                    Reset(qubits[operation.qubit]) if isinstance(operation, Reset) else on_qubits(operation, qubits)
                )
            elif operation.name != "gphase":
                ops.append(on_qubits(operation, qubits))
            elif m.in_gate:
                ops.append(operation)
            elif m.depth == 0:
                m.phase += operation.parameters[0]
            # Under a test a global phase is one of the whole state: no count can tell.


def split_controls(node: syntax.GateCall, registers: list[Qubits], wanted: int) -> list[Qubits]:  # noqa: RET503 it ends in a refusal
    """Return one operand per qubit where registers stand for several controls, as in `ctrl(2) @ x q, r;`; or refuse."""
    total = sum(len(register.places) for register in registers)
    if node.modifiers and total == wanted and len(registers) < wanted:
        return [Qubits([place], scalar=True) for register in registers for place in register.places]
    shown = f"{wanted} qubit{'s' * (wanted != 1)}"
    with_modifiers = " with these modifiers" if node.modifiers else ""
    hint = None
    if node.name == "gphase":
        hint = "Every control of gphase is an operand."
    invalid(f"{quote(node.name)}{with_modifiers} takes {shown}, not {len(registers)}.", node.name_at, hint)


def broadcast(m: Machine, node: syntax.GateCall, registers: list[Qubits]) -> list[tuple[int, ...]]:
    """Return the qubits of each application: registers of one size go in step, single qubits stay."""
    alone = tuple([register.places[0] for register in registers if register.scalar])
    if len(alone) == len(registers) == len(set(alone)):
        return [alone]
    lengths = {len(register.places) for register in registers if not register.scalar}
    if len(lengths) > 1:
        if lengths == {1, max(lengths)}:
            # A register of one qubit broadcasts like a qubit: programs use it so.
            registers = [Qubits(r.places, scalar=True) if len(r.places) == 1 else r for r in registers]
            lengths = {max(lengths)}
        else:
            sizes = ", ".join(str(len(register.places)) for register in registers)
            invalid(f"The registers differ in size: {sizes}.", node.at, "Use registers of one size, or index them.")
    length = lengths.pop() if lengths else 1
    m.budget.spend(PLACE * length, node.at)
    combinations = []
    for number in range(length):
        qubits = tuple(r.places[0] if r.scalar else r.places[number] for r in registers)
        if len(set(qubits)) < len(qubits):
            twice = next(i for i, qubit in enumerate(qubits) if qubit in qubits[:i])
            at = syntax.beginning(node.operands[min(twice, len(node.operands) - 1)])
            fault(f"{quote(node.name)} gets the same qubit twice.", at, "Use a different qubit for each operand.")
        combinations.append(qubits)
    return combinations


def powered(modifier: syntax.Modifier, operations: list[Unitary], exponent: float, size: int) -> list[Unitary]:
    """Return the power of a gate of that many qubits, or refuse it."""
    try:
        found = modifiers.power(operations, exponent, size)
    except modifiers.TooLargeError:
        message = "The exponent of pow is too large for this gate: floats do not know what is left of its angle."
        fault(message, modifier.at, "Use a smaller one, or an angle that is a fraction of pi.")
    if found is None:
        limit = LIMITS.power_qubits
        too_large(f"A gate with this exponent of pow is limited to {limit} qubits.", modifier.at, limit, size)
    return found


def modified(  # noqa: PLR0913 a dispatch over the language
    m: Machine,
    node: syntax.GateCall,
    gate: Standard | syntax.GateDefinition | None,
    parameters: tuple[float, ...],
    counts: list[int],
    exponents: list[float],
    own: int,
) -> list[Unitary]:
    """Return the operations of a gate with its modifiers, over places 0 to n-1."""
    if not node.modifiers and isinstance(gate, tuple):
        if not gate.native:
            pay_for_bindings(m, parameters)
        parts = gate.expand(*parameters)
        whole = m.whole and is_several(parts) and node.name in GATES
        return [Gate(node.name, parameters, tuple(range(gate.qubits)))] if whole else parts
    pay_for_bindings(m, parameters)
    if gate is None:
        operations: list[Unitary] = [Gate("gphase", parameters, ())]
    elif isinstance(gate, syntax.GateDefinition):
        operations = expand(m, gate, parameters, node.name_at, node.arguments)
    else:
        operations = gate.expand(*parameters)
    operations = flattened(operations) if (m.outline is not None or m.whole) and node.modifiers else operations
    operations = natives(operations) if m.whole and node.modifiers else operations
    size = own
    for modifier, count, exponent in reversed(list(zip(node.modifiers, counts, exponents, strict=True))):
        # Each modifier walks over all operations, and may multiply them; all may be for nothing, under a power of zero.
        m.budget.spend(MODIFIED * len(operations), modifier.at)
        if modifier.name == "inv":
            operations = modifiers.inverse(operations)
        elif modifier.name == "pow":
            operations = powered(modifier, operations, exponent, size)
        else:
            if len(operations) * 6 > LIMITS.operations:
                too_large(
                    "Controlling this gate takes too many operations.",
                    modifier.at,
                    LIMITS.operations,
                    len(operations) * 6,
                )
            operations = modifiers.controlled(operations, count)
            size += count
            if modifier.name == "negctrl":
                turn = [Gate("x", (), (number,)) for number in range(count)]
                operations = [*turn, *operations, *turn]
    pay_for_matrices(m, node, operations)
    once = m.whole and node.modifiers and isinstance(gate, tuple) and is_several(operations)
    return as_one(node, parameters, operations, size) if once else operations


def pay_for_bindings(m: Machine, parameters: tuple[object, ...]) -> None:
    """Count what calculating a gate's operations costs where its parameters differ between bindings."""
    for value in parameters:
        if isinstance(value, Swept):
            m.budget.spend(len(value.values), m.here)


def pay_for_matrices(m: Machine, node: syntax.GateCall, operations: list[Unitary]) -> None:
    """Bound the powers whose matrices the circuit builder works out, and count the work once for each."""
    limit = LIMITS.controlled_power_qubits
    for operation in operations:
        if isinstance(operation, Power) and operation not in m.powers:
            size = len(operation.qubits)
            if size > limit:
                message = f"A gate with this exponent of pow is limited to {limit} qubits, its controls included."
                too_large(message, node.at, limit, size)
            m.powers.add(operation)
            m.budget.spend(POWER + POWER_OPERATION * len(operation.operations) + (8**size >> 4), node.at)


def expand(
    m: Machine,
    gate: syntax.GateDefinition,
    parameters: tuple[float, ...],
    at: int,
    arguments: Sequence[syntax.Expression] = (),
) -> list[Unitary]:
    """Return the operations of a user's gate over its own qubits; every (gate, parameters) is worked out once.

    But not where more than the floats mattered: what the parameters are exactly is in the arguments.
    """
    key = (gate.name, parameters)
    remembered = not has_swept(parameters)
    cached = m.gate_cache.get(key) if remembered else None
    if cached is not None:
        return cached
    if gate.opaque:
        unsupported(f"{quote(gate.name)} is opaque: it has no definition.", at, "Define it with 'gate'.")
    m.enter(at)
    frame = Frame(None)
    if arguments:
        frame.given = Given(m.frame, m.in_gate, dict(zip(gate.parameters, arguments, strict=True)))
    scope = frame.scopes[0]
    for number, name in enumerate(gate.qubits):
        scope[name] = Qubits([number], scalar=True)
    for name, value in zip(gate.parameters, parameters, strict=True):
        variable = Variable(name, Type("float", 64), at, 0)
        variable.data = value
        variable.readonly = "a parameter of the gate"
        scope[name] = variable
    outer = m.frame, m.ops, m.in_gate, m.known, m.depth, m.gates_before
    m.frame, m.ops, m.in_gate, m.gates_before = frame, [], True, gate.at
    before, asked = m.operations, m.asked
    m.execute_body(gate.body)
    operations = cast("list[Unitary]", m.ops)  # no other statement may be in a gate, see `check_body`
    m.frame, m.ops, m.in_gate, m.known, m.depth, m.gates_before = outer
    # What a body counts is counted again wherever it is placed; one that never is must still be bounded.
    m.operations = before
    m.step(at)
    m.leave()
    if len(m.gate_cache) > 4096:  # noqa: PLR2004 - many parameter values: forget rather than grow
        m.gate_cache.clear()
    if remembered and m.asked == asked:
        m.gate_cache[key] = operations
    return operations
