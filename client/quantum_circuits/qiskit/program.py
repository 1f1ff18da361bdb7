"""Writes a Qiskit circuit as OpenQASM 3, exactly.

Qiskit's own exporter rounds angles that are within 1e-9 of a fraction of pi, renames parameters such as `a[0]` and
refuses `initialize` (qiskit 2.6.2, `qasm3.dumps`). Here every number is written with all its digits, every expression
of parameters becomes an input of its own, whose values are worked out by Qiskit, and what the service has no gate for
is written as its definition. Global phases are left out: they change no counts and no expectation value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qiskit import transpile
from qiskit.circuit import CASE_DEFAULT, ClassicalRegister, Clbit, ControlledGate, ParameterExpression, QuantumCircuit
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError

from quantum_circuits.errors import QuantumCircuitsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qiskit.circuit import CircuitInstruction, Instruction, Parameter, Qubit

# What the service has of Qiskit's standard gates, by the same names.
_STANDARD = {
    name: gate.base_class
    for name, gate in get_standard_gate_name_mapping().items()
    if name not in {"delay", "global_phase", "measure", "reset"}
}
GATES = frozenset(_STANDARD)
_DEEPEST = 100  # definitions inside definitions
_UNARY = {expr.Unary.Op.BIT_NOT: "~", expr.Unary.Op.LOGIC_NOT: "!", expr.Unary.Op.NEGATE: "-"}
_BINARY = {
    expr.Binary.Op.BIT_AND: "&",
    expr.Binary.Op.BIT_OR: "|",
    expr.Binary.Op.BIT_XOR: "^",
    expr.Binary.Op.LOGIC_AND: "&&",
    expr.Binary.Op.LOGIC_OR: "||",
    expr.Binary.Op.EQUAL: "==",
    expr.Binary.Op.NOT_EQUAL: "!=",
    expr.Binary.Op.LESS: "<",
    expr.Binary.Op.LESS_EQUAL: "<=",
    expr.Binary.Op.GREATER: ">",
    expr.Binary.Op.GREATER_EQUAL: ">=",
    expr.Binary.Op.SHIFT_LEFT: "<<",
    expr.Binary.Op.SHIFT_RIGHT: ">>",
    expr.Binary.Op.ADD: "+",
    expr.Binary.Op.SUB: "-",
    expr.Binary.Op.MUL: "*",
    expr.Binary.Op.DIV: "/",
}


class ExportError(QuantumCircuitsError):
    """The circuit has an instruction that OpenQASM 3, or the service, cannot express; the message names it."""


@dataclass(frozen=True)
class Program:
    """A circuit as text: its bits are one register `c`, in the circuit's order, whatever registers the circuit has.

    `inputs` are the expressions that the text's inputs stand for, by name; `lines` tells for each line of the text the
    index of the circuit's instruction that it is of, -1 for none.
    """

    text: str
    inputs: Mapping[str, ParameterExpression]
    lines: Sequence[int]
    names: Sequence[str]  # of the instructions
    circuit: str  # its name
    writes_bits: bool  # whether it measures, or stores to a bit

    @property
    def samples(self) -> bool:
        """Whether shots may part ways before the end, so that expectation values are means over them."""
        parting = ("reset ", "if (", "while (", "switch (")
        return any(line.startswith(parting) or " = " in line for line in self.text.splitlines())

    def to_be_counted(self) -> Program:
        """Return the program itself; raises ExportError when it has nothing to count."""
        if not self.writes_bits:
            raise ExportError(f"{self.circuit!r} measures nothing. Measure it, with measure_all() for one.")
        return self

    def binding(self, values: Mapping[Parameter, float]) -> dict[str, float]:
        """Return the inputs' values where the circuit's parameters have `values`."""
        bound = {}
        for name, expression in self.inputs.items():
            needed = {parameter: values[parameter] for parameter in expression.parameters}
            bound[name] = float(expression.bind(needed).numeric())
        return bound


def write(circuit: QuantumCircuit) -> Program:
    """Return a circuit's program; raises ExportError."""
    return _Writer(circuit).write()


class _Writer:
    """The text as it grows, and the names in it."""

    def __init__(self, circuit: QuantumCircuit) -> None:
        self.circuit = circuit
        self.body: list[str] = []
        self.origins: list[int] = []
        self.origin = -1
        self.depth = 0
        self.inputs: dict[Any, str] = {}
        self.registers: dict[ClassicalRegister, str] = {}
        self.variables: dict[Any, str] = {}
        self.clbits = {bit: index for index, bit in enumerate(circuit.clbits)}
        self.loops: dict[Any, str] = {}
        self.writes_bits = False

    def write(self) -> Program:
        circuit = self.circuit
        if any(True for _ in circuit.iter_input_vars()):
            raise ExportError(
                "The circuit has input variables, whose values Qiskit's jobs do not have. Use parameters."
            )
        self.declare(circuit)
        qubits = {bit: f"q[{index}]" for index, bit in enumerate(circuit.qubits)}
        clbits = {bit: f"c[{index}]" for bit, index in self.clbits.items()}
        for self.origin, step in enumerate(circuit.data):
            self.step(step, qubits, clbits)
        head = ["OPENQASM 3.0;", 'include "stdgates.inc";']
        head += [f"input float {name};" for name in self.inputs.values()]
        head.append(f"qubit[{max(1, circuit.num_qubits)}] q;")
        if self.clbits:
            head.append(f"bit[{len(self.clbits)}] c;")
        for register, name in self.registers.items():
            places = [self.clbits[bit] for bit in register]
            head.append(f"let {name} = c[{{{', '.join(map(str, places))}}}];")
        text = "\n".join([*head, *self.body, ""])
        expressions = {name: expression for expression, name in self.inputs.items()}
        return Program(
            text,
            expressions,
            [*([-1] * len(head)), *self.origins],
            [step.name for step in circuit.data],
            circuit.name,
            self.writes_bits,
        )

    def line(self, text: str) -> None:
        self.body.append(text)
        self.origins.append(self.origin)

    # ------------------------------------------------------------------ instructions

    def step(self, step: CircuitInstruction, qubits: Mapping[Qubit, str], clbits: Mapping[Clbit, str]) -> None:
        """Write one instruction, whose bits have these names."""
        operation, name = step.operation, step.name
        places = [qubits[bit] for bit in step.qubits]
        if name in _STANDARD and operation.base_class is _STANDARD[name]:
            self.gate(name, operation.params, places)
        elif name == "measure":
            self.writes_bits = True
            self.line(f"{clbits[step.clbits[0]]} = measure {places[0]};")
        elif name == "reset":
            self.line(f"reset {places[0]};")
        elif name == "barrier":
            self.line(f"barrier {', '.join(places)};" if places else "barrier q;")
        elif name == "delay":
            self.delay(operation, places)
        elif name == "store":
            self.store(operation, clbits)
        elif name in {"break_loop", "continue_loop"}:
            self.line(f"{name.removesuffix('_loop')};")
        elif name in _CONTROL_FLOW:
            _CONTROL_FLOW[name](self, step, qubits, clbits)
        elif name != "global_phase":
            self.define(operation, places, [clbits[bit] for bit in step.clbits])

    def gate(self, name: str, parameters: Sequence[Any], places: Sequence[str], modifiers: str = "") -> None:
        """Write one gate of the service's."""
        given = f"({', '.join(self.number(each) for each in parameters)})" if parameters else ""
        self.line(f"{modifiers}{name}{given} {', '.join(places)};")

    def number(self, value: Any) -> str:  # noqa: ANN401 - a number, or an expression of parameters
        """Return a number with all its digits, or the name of the input that stands for an expression."""
        if isinstance(value, ParameterExpression):
            if value.parameters:
                if value in self.loops:
                    return self.loops[value]
                if not value.parameters.isdisjoint(self.loops):
                    raise self.refused(
                        f"has the angle {value}, worked out from the parameter of a loop that `break` or `continue` "
                        "leaves: there the parameter can only stand alone"
                    )
                return self.inputs.setdefault(value, f"a{len(self.inputs)}")
            value = value.numeric()
        if isinstance(value, complex) or not math.isfinite(value):
            raise self.refused(f"has the angle {value}")
        return repr(float(value))

    def define(self, operation: Instruction, places: Sequence[str], targets: Sequence[str]) -> None:
        """Write what the service has no gate for: a control as a modifier, anything else as its definition."""
        if isinstance(operation, ControlledGate) and operation.base_gate.name in _STANDARD:
            state = operation.ctrl_state
            controls = [state >> index & 1 for index in range(operation.num_ctrl_qubits)]
            modifiers = "".join("ctrl @ " if each else "negctrl @ " for each in controls)
            self.gate(operation.base_gate.name, operation.base_gate.params, places, modifiers)
            return
        definition = getattr(operation, "definition", None)
        if definition is None:
            definition = self.synthesized(operation)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.refused("is defined by itself")
        qubits = dict(zip(definition.qubits, places, strict=True))
        clbits = dict(zip(definition.clbits, targets, strict=True))
        for step in definition.data:
            self.step(step, qubits, clbits)
        self.depth -= 1

    def synthesized(self, operation: Instruction) -> QuantumCircuit:
        """Return a circuit for what has no definition, such as an annotated operation."""
        alone = QuantumCircuit(operation.num_qubits, operation.num_clbits)
        alone.append(operation, alone.qubits, alone.clbits)
        try:
            found: QuantumCircuit = transpile(alone, basis_gates=["u", "cx"], optimization_level=0)
        except QiskitError:
            found = alone
        if any(step.operation.name == operation.name for step in found.data):
            raise self.refused("has no definition in gates")
        return found

    def delay(self, operation: Any, places: Sequence[str]) -> None:  # noqa: ANN401 - Qiskit ships no types
        """Write a delay of a known time; one that the compiler would choose is left out, as it changes nothing here."""
        if isinstance(operation.duration, (int, float)) and operation.unit != "expr":
            unit = {"s": "s", "ms": "ms", "us": "us", "ns": "ns", "ps": "ns", "dt": "dt"}[operation.unit]
            if not math.isfinite(operation.duration):
                raise self.refused(f"has the duration {operation.duration}")
            duration = operation.duration / 1_000 if operation.unit == "ps" else operation.duration
            self.line(f"delay[{duration!r}{unit}] {places[0]};")

    # ------------------------------------------------------------------ control flow

    def declare(self, circuit: QuantumCircuit) -> None:
        """Declare the variables of a circuit or block."""
        for variable in circuit.iter_declared_vars():
            name = self.variables.setdefault(variable, f"v{len(self.variables)}")
            self.line(f"{self.type(variable.type)} {name};")

    def block(self, block: QuantumCircuit, step: CircuitInstruction, qubits: Mapping[Any, str], clbits: Any) -> None:  # noqa: ANN401 - a mapping
        """Write a block of a control-flow instruction: its bits are the instruction's, in the same order."""
        self.declare(block)
        inner = dict(zip(block.qubits, (qubits[bit] for bit in step.qubits), strict=True))
        inner_clbits = dict(zip(block.clbits, (clbits[bit] for bit in step.clbits), strict=True))
        for each in block.data:
            self.step(each, inner, inner_clbits)

    def if_else(self, step: CircuitInstruction, qubits: Mapping[Any, str], clbits: Mapping[Any, str]) -> None:
        operation = step.operation
        self.line(f"if ({self.condition(operation.condition, clbits)}) {{")
        self.block(operation.params[0], step, qubits, clbits)
        if len(operation.blocks) > 1:
            self.line("} else {")
            self.block(operation.params[1], step, qubits, clbits)
        self.line("}")

    def while_loop(self, step: CircuitInstruction, qubits: Mapping[Any, str], clbits: Mapping[Any, str]) -> None:
        self.line(f"while ({self.condition(step.operation.condition, clbits)}) {{")
        self.block(step.operation.params[0], step, qubits, clbits)
        self.line("}")

    def for_loop(self, step: CircuitInstruction, qubits: Mapping[Any, str], clbits: Mapping[Any, str]) -> None:
        indexes, parameter, body = step.operation.params
        name = f"i{len(self.loops)}"
        if parameter is not None and not isinstance(parameter, ParameterExpression):
            self.variables[parameter] = name
        elif parameter is not None:
            self.loops[parameter] = name
        if isinstance(parameter, ParameterExpression) and parameter in body.parameters and not _leaves(body):
            # Qiskit may work out anything from the loop's parameter: each round is written with its own numbers.
            for index in indexes:
                self.block(body.assign_parameters({parameter: index}), step, qubits, clbits)
            return
        if isinstance(indexes, range) and len(indexes) > 1:
            values = f"[{indexes[0]}:{indexes.step}:{indexes[-1]}]"
        else:
            values = f"{{{', '.join(str(int(each)) for each in indexes)}}}"
        self.line(f"for int {name} in {values} {{" if indexes else "if (false) {")
        self.loops.setdefault(name, name)
        self.block(body, step, qubits, clbits)
        self.line("}")

    def switch_case(self, step: CircuitInstruction, qubits: Mapping[Any, str], clbits: Mapping[Any, str]) -> None:
        operation = step.operation
        target = operation.target
        text = self.expression(target, clbits) if isinstance(target, expr.Expr) else self.bits(target, clbits)
        self.line(f"switch (int({text})) {{" if isinstance(target, Clbit) else f"switch ({text}) {{")
        for labels, block in operation.cases_specifier():
            default = CASE_DEFAULT in labels
            self.line("default {" if default else f"case {', '.join(str(int(label)) for label in labels)} {{")
            self.block(block, step, qubits, clbits)
            self.line("}")
        self.line("}")

    def box(self, step: CircuitInstruction, qubits: Mapping[Any, str], clbits: Mapping[Any, str]) -> None:
        self.line("box {")
        self.block(step.operation.blocks[0], step, qubits, clbits)
        self.line("}")

    # ------------------------------------------------------------------ classical values

    def condition(self, condition: Any, clbits: Mapping[Any, str]) -> str:  # noqa: ANN401 - Qiskit ships no types
        """Return a condition: an expression, or a bit or register and its value."""
        if isinstance(condition, expr.Expr):
            return self.expression(condition, clbits)
        bits, value = condition
        if isinstance(bits, Clbit):
            return clbits[bits] if value else f"!{clbits[bits]}"
        return f"{self.bits(bits, clbits)} == {int(value)}"

    def bits(self, bits: Any, clbits: Mapping[Any, str]) -> str:  # noqa: ANN401 - a bit or a register
        """Return a bit's name, or a register as an unsigned integer."""
        return clbits[bits] if isinstance(bits, Clbit) else f"uint[{len(bits)}]({self.register(bits)})"

    def register(self, register: ClassicalRegister) -> str:
        """Return the name of a register, which is an alias of bits of `c`."""
        return self.registers.setdefault(register, f"r{len(self.registers)}")

    def store(self, operation: Any, clbits: Mapping[Any, str]) -> None:  # noqa: ANN401 - Qiskit ships no types
        target, value = operation.lvalue, operation.rvalue
        text = self.expression(value, clbits)
        self.writes_bits = True
        if isinstance(target, expr.Var) and isinstance(target.var, ClassicalRegister):
            self.line(f"{self.register(target.var)} = bit[{len(target.var)}]({text});")
        else:
            self.line(f"{self.expression(target, clbits)} = {text};")

    def expression(self, node: expr.Expr, clbits: Mapping[Any, str]) -> str:  # noqa: C901, PLR0911 - one case a kind of node
        """Return a classical expression."""
        match node:
            case expr.Var(var=Clbit() as bit):
                return clbits.get(bit) or f"c[{self.clbits[bit]}]"
            case expr.Var(var=ClassicalRegister() as register):
                return self.bits(register, clbits)
            case expr.Var():
                return self.variables[node]
            case expr.Value(value=bool() as value):
                return "true" if value else "false"
            case expr.Value(value=int() | float() as value):
                return repr(value)
            case expr.Unary(op=op, operand=operand):
                return f"({_UNARY[op]}{self.expression(operand, clbits)})"
            case expr.Binary(op=op, left=left, right=right) if op in _BINARY:
                return f"({self.expression(left, clbits)} {_BINARY[op]} {self.expression(right, clbits)})"
            case expr.Cast(operand=operand, type=kind):
                return f"{self.type(kind)}({self.expression(operand, clbits)})"
            case expr.Index(target=expr.Var(var=ClassicalRegister() as register), index=index):
                return f"{self.register(register)}[{self.expression(index, clbits)}]"
            case expr.Index(target=target, index=index):
                return f"{self.expression(target, clbits)}[{self.expression(index, clbits)}]"
        raise self.refused(f"has the expression {node!r}, which is not supported")

    def type(self, kind: types.Type) -> str:
        """Return the type's name in OpenQASM."""
        match kind:
            case types.Bool():
                return "bool"
            case types.Uint(width=width):
                return f"uint[{width}]"
            case types.Float():
                return "float"
        raise self.refused(f"has a variable of the type {kind}, which is not supported")

    def refused(self, why: str) -> ExportError:
        """Return the error for the current instruction."""
        name = self.circuit.data[self.origin].name if self.origin >= 0 else self.circuit.name
        return ExportError(f"Instruction {self.origin} of the circuit ({name}) {why}.")


_CONTROL_FLOW = {
    "if_else": _Writer.if_else,
    "while_loop": _Writer.while_loop,
    "for_loop": _Writer.for_loop,
    "switch_case": _Writer.switch_case,
    "box": _Writer.box,
}


def _leaves(body: QuantumCircuit) -> bool:
    """Return whether a loop's body can end the round or the loop early."""
    return any(
        step.name in {"break_loop", "continue_loop"}
        or (step.name in {"if_else", "switch_case", "box"} and any(_leaves(block) for block in step.operation.blocks))
        for step in body.data
    )
