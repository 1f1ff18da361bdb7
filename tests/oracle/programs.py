"""Hypothesis strategies for whole OpenQASM 3 programs: small, valid, type-correct, and with one meaning only.

Where the specification is open the generated text stays clear of the question: integers are compared, divided and
shifted right only as variables, literals or explicit casts, so that it does not matter at which width an intermediate
result is kept; every variable is initialised; nothing mixes signedness.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hypothesis.strategies import DrawFn

integers = cache(st.integers)  # hypothesis' own cache of them takes as long as a draw
# Names that simulators know as instructions of their own; a program may define gates with them.
TAKEN_NAMES = ("ecr", "rzz", "iswap", "mcx", "unitary", "pauli", "kraus", "initialize", "save_state", "mine")
# Gates with their numbers of parameters and qubits.
GATES = {
    "h": (0, 1), "x": (0, 1), "y": (0, 1), "z": (0, 1), "s": (0, 1), "sdg": (0, 1), "t": (0, 1), "sx": (0, 1),
    "rx": (1, 1), "ry": (1, 1), "rz": (1, 1), "p": (1, 1), "u2": (2, 1), "u3": (3, 1), "U": (3, 1),
    "cx": (0, 2), "cz": (0, 2), "cy": (0, 2), "ch": (0, 2), "swap": (0, 2), "cp": (1, 2), "crx": (1, 2), "cry": (1, 2),
    "crz": (1, 2), "cu": (4, 2), "ccx": (0, 3), "cswap": (0, 3),
}  # fmt: skip
EXTRA_GATES = {"rzz": (1, 2), "rxx": (1, 2), "ryy": (1, 2), "rzx": (1, 2), "iswap": (0, 2), "ecr": (0, 2),
               "sxdg": (0, 1), "dcx": (0, 2), "csx": (0, 2)}  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A program's text and the values of its inputs."""

    text: str
    inputs: dict[str, Any]


@dataclass(frozen=True)
class Named:
    """A variable in scope: `kind` is uint, int, bit, bits, bool, float, angle, or uints for an array of them."""

    name: str
    kind: str
    width: int = 0
    writable: bool = True


@dataclass(frozen=True)
class Routine:
    """A subroutine: the kinds of its parameters and of its result."""

    name: str
    parameters: tuple[str, ...]
    result: str | None


@dataclass
class Builder:
    """Writes one program from the choices that hypothesis draws."""

    draw: DrawFn
    names: list[Named] = field(default_factory=list)
    qubits: dict[str, tuple[int, ...]] = field(default_factory=dict)  # register or single qubit: its qubits' numbers
    singles: set[str] = field(default_factory=set)
    gates: dict[str, tuple[int, int]] = field(default_factory=dict)
    routines: list[Routine] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    uncertain: set[str] = field(default_factory=set)  # variables that a measurement went into
    measurements: int = 6  # how many more the program may make, each of which may double the outcomes to follow
    repetitions: int = 1  # how often the present statement may run
    depth: int = 0
    in_loop: bool = False
    in_routine: bool = False
    _count: int = 0

    # -- choices ----------------------------------------------------------------------------------------------------

    def number(self, low: int, high: int) -> int:
        """Draw an integer, both ends included."""
        return self.draw(integers(low, high))

    def chance(self, percent: int) -> bool:
        """Draw whether something happens; shrinks towards no."""
        return self.draw(integers(0, 99)) >= 100 - percent

    def one_of(self, options: Sequence[Any]) -> Any:
        """Draw one of the options; shrinks towards the first."""
        return options[self.number(0, len(options) - 1)]

    def fresh(self, stem: str) -> str:
        """Return a name that nothing has yet."""
        self._count += 1
        return f"{stem}{self._count}"

    def of_kind(self, kind: str, width: int | None = None, *, writable: bool = False) -> list[Named]:
        """Return the variables in scope that fit."""
        return [
            named
            for named in self.names
            if named.kind == kind and width in (None, named.width) and (named.writable or not writable)
        ]

    @contextmanager
    def block(self, repetitions: int = 1) -> Iterator[None]:
        """Write inside a block: its variables go away with it."""
        known, running = list(self.names), self.repetitions
        self.depth += 1
        self.repetitions *= repetitions
        yield
        self.depth -= 1
        self.repetitions = running
        self.names = known

    # -- expressions ------------------------------------------------------------------------------------------------

    def exact(self, kind: str, width: int) -> str:
        """Write an integer whose value is the same at whatever width it is worked out."""
        options = [str(self.number(0, min(7, (1 << (width - 1)) - 1)))]
        options += [named.name for named in self.of_kind(kind, width)]
        if kind == "uint":
            options += [f"uint[{width}]({named.name})" for named in self.of_kind("bits", width)]
            options += [f"uint[{width}]({named.name})" for named in self.of_kind("bool") + self.of_kind("bit")]
            options += [f"{named.name}[{self.number(0, named.width - 1)}]" for named in self.of_kind(f"uints{width}")]
        if self.depth < 4 and self.chance(30):
            return f"{kind}[{width}]({self.integer(kind, width)})"
        return str(self.one_of(options))

    def integer(self, kind: str, width: int, depth: int = 0) -> str:
        """Write an integer that is right modulo 2**width, for a place or a cast of that width."""
        if depth > 1 or self.chance(40):
            return self.exact(kind, width)
        left, right = self.integer(kind, width, depth + 1), self.integer(kind, width, depth + 1)
        forms: list[Callable[[], str]] = [
            lambda: f"({left} {self.one_of('+-*')} {right})",
            lambda: f"{kind}[{width}]({self.exact(kind, width)}) {self.one_of('/%')} {self.number(1, 3)}",
        ]
        if kind == "uint":
            forms += [
                lambda: f"({left} {self.one_of('&|^')} {right})",
                lambda: f"(uint[{width}]({left}) {self.one_of(['<<', '>>'])} {self.number(0, width)})",
                lambda: f"(~uint[{width}]({left}))",
                lambda: f"{self.one_of(['rotl', 'rotr'])}(uint[{width}]({left}), {self.number(0, width)})",
                lambda: f"popcount({self.bits(self.number(1, 4))})",
                lambda: f"({self.exact(kind, width)} ** 2)",
            ]
        else:
            forms += [lambda: f"(-{self.exact(kind, width)})"]
        forms += [
            partial(self.call, routine)
            for routine in self.routines
            if routine.result == f"{kind}{width}" and self._can_call(routine)
        ]
        return str(self.one_of(forms)())

    def bits(self, width: int, depth: int = 0) -> str:
        """Write a register value of that width."""
        literal = '"' + "".join(str(self.number(0, 1)) for _ in range(width)) + '"'
        options = [literal, *(named.name for named in self.of_kind("bits", width))]
        for named in self.of_kind("bits"):
            if named.width > width:
                low = self.number(0, named.width - width)
                options += [f"{named.name}[{low}:{low + width - 1}]", f"{named.name}[{low + width - 1}:-1:{low}]"]
        options += [f"bit[{width}]({named.name})" for named in self.of_kind("uint", width)]
        if depth < 2 and self.chance(40):
            left = self.bits(width, depth + 1)
            return str(
                self.one_of(
                    [
                        f"(~{left})",
                        f"({left} {self.one_of('&|^')} {self.bits(width, depth + 1)})",
                        f"({left} {self.one_of(['<<', '>>'])} {self.number(0, width)})",
                        f"{self.one_of(['rotl', 'rotr'])}({left}, {self.number(0, width)})",
                    ]
                )
            )
        return str(self.one_of(options))

    def truth(self, depth: int = 0) -> str:
        """Write a Boolean value."""
        if depth < 2 and self.chance(35):
            left, right = self.truth(depth + 1), self.truth(depth + 1)
            symbol = self.one_of(["&&", "||", "^", "!"])
            if symbol == "!":
                return f"(!({left}))"
            return f"(bool({left}) ^ bool({right}))" if symbol == "^" else f"({left}) {symbol} ({right})"
        known = [named for named in self.names if named.kind in ("bit", "bool", "bits", "uint", "int", "angle")]
        if not known or self.chance(5):
            return str(self.one_of(["true", "false"]))
        uncertain = [named for named in known if named.name in self.uncertain]
        if uncertain and self.chance(60):
            return self._fact(self.one_of(uncertain))
        return self._fact(self.one_of(known))

    def _fact(self, named: Named) -> str:
        """Write something about a variable that is true or false."""
        if named.kind in ("bit", "bool"):
            return str(self.one_of([named.name, f"{named.name} == {self.number(0, 1)}"]))
        if named.kind == "angle":
            return f"{named.name} {self._comparison()} angle[{named.width}]({self.real(1)})"
        if named.kind != "bits":
            return f"{named.name} {self._comparison()} {self.exact(named.kind, named.width)}"
        return str(
            self.one_of(
                [
                    f"{named.name}[{self.number(-named.width, named.width - 1)}]",
                    f"{named.name} {self.one_of(['==', '!='])} {self.bits(named.width, 1)}",
                    f"uint[{named.width}]({named.name}) {self._comparison()} {self.number(0, 3)}",
                ]
            )
        )

    def _comparison(self) -> str:
        return str(self.one_of(["==", "!=", "<", "<=", ">", ">="]))

    def real(self, depth: int = 0) -> str:
        """Write a real number of moderate size, as for a gate's angle."""
        options = [
            f"pi / {self.number(1, 5)}",
            f"{self.number(-31, 31) / 10}",
            f"-{self.number(1, 3)} * pi / 4",
            *(named.name for named in self.of_kind("float")),
        ]
        if depth < 2 and self.chance(40):
            inner = self.real(depth + 1)
            options = [
                f"({inner} {self.one_of('+-')} {self.real(depth + 1)})",
                f"({inner} * 0.5)",
                f"(-({inner}))",
                f"{self.one_of(['sin', 'cos', 'arctan'])}({inner})",
                f"sqrt({self.number(0, 4)})",
                f"mod({self.number(1, 9)}, {self.number(1, 4)}) * 0.25",
                f"({self.number(1, 9)} / {self.number(1, 4)} + {inner})",
            ]
        return str(self.one_of(options))

    def parameter(self) -> str:
        """Write a gate's parameter: real, or an angle or integer variable."""
        if self.chance(25):
            options = self.of_kind("angle") + self.of_kind("uint") + self.of_kind("int")
            if options:
                return str(self.one_of(options).name)
        return self.real()

    def value(self, named: Named) -> str:
        """Write a value for a variable."""
        writers: dict[str, Callable[[], str]] = {
            "uint": lambda: self.integer("uint", named.width),
            "int": lambda: self.integer("int", named.width),
            "bits": lambda: self.bits(named.width),
            "bit": self.truth,
            "bool": self.truth,
            "float": self.real,
            "angle": lambda: self._angle(named.width),
        }
        return writers[named.kind]()

    def _angle(self, width: int) -> str:
        others = [named.name for named in self.of_kind("angle", width)]
        if others and self.chance(60):
            left, right = self.one_of(others), self.one_of(others)
            scale = f"uint[{width}]({self.number(1, 3)})"
            return str(
                self.one_of(
                    [
                        f"({left} {self.one_of('+-&|^')} {right})",
                        f"({left} * {scale})",
                        f"({scale} * {left})",
                        f"({left} / {scale})",
                        f"(-{left})",
                        f"({left} {self.one_of(['<<', '>>'])} {self.number(0, 3)})",
                    ]
                )
            )
        # Odd numerators over 7 keep clear of ties, where rounding errors would decide.
        return f"angle[{width}]({self.number(-13, 13)} * pi / 7)"

    # -- declarations -----------------------------------------------------------------------------------------------

    def declare(self) -> str:
        """Declare and initialise a variable."""
        kind = self.one_of(["uint", "bits", "int", "bool", "angle", "float", "bit"])
        lowest, highest = {"uint": (2, 5), "int": (8, 8), "bits": (1, 3), "angle": (3, 6)}.get(kind, (0, 0))
        width = self.number(lowest, highest)
        named = Named(self.fresh({"bits": "b", "bit": "b"}.get(kind, "v")), kind, width)
        text = f"{type_name(named)} {named.name} = {self.value(named)};"
        self.names.append(named)
        return text

    def declare_array(self) -> str:
        """Declare an array of unsigned integers."""
        size, width = self.number(2, 3), self.number(3, 4)
        name = self.fresh("a")
        values = ", ".join(str(self.number(0, 7)) for _ in range(size))
        self.names.append(Named(name, f"uints{width}", size))
        return f"array[uint[{width}], {size}] {name} = {{{values}}};"

    def declare_constant(self) -> str:
        """Declare a constant."""
        kind = self.one_of(["uint", "float", "int"])
        width = {"uint": self.number(2, 5), "int": 8}.get(kind, 0)
        named = Named(self.fresh("k"), kind, width, writable=False)
        value = self.real() if kind == "float" else str(self.number(0, 3))
        self.names.append(named)
        return f"const {type_name(named)} {named.name} = {value};"

    def declare_input(self) -> str:
        """Declare an input and choose its value."""
        kind = self.one_of(["float", "uint", "int", "bits", "bool", "angle"])
        width = {"uint": 3, "int": 8, "bits": 2, "angle": 5}.get(kind, 0)
        named = Named(self.fresh("given"), kind, width, writable=False)
        self.names.append(named)
        self.inputs[named.name] = {
            "float": self.number(-30, 30) / 10,
            "angle": self.number(1, 60) / 10,
            "uint": self.number(0, 7),
            "int": self.number(-9, 9),
            "bits": format(self.number(0, 3), "02b"),
            "bool": self.chance(50),
        }[kind]
        return f"input {type_name(named)} {named.name};"

    def define_gate(self, name: str) -> str:
        """Define a gate out of those known so far."""
        parameters = ["alpha", "beta"][: self.number(0, 2)]
        operands = ["left", "right"][: self.number(1, 2)]
        inner = Builder(self.draw, gates=dict(self.gates))
        inner.names = [Named(parameter, "float", writable=False) for parameter in parameters]
        inner.qubits = {operand: (at,) for at, operand in enumerate(operands)}
        inner.singles = set(operands)
        body = [inner.gate() for _ in range(self.number(0, 3))]
        if self.chance(20):
            body.append(f"gphase({inner.real()});")
        self.gates[name] = (len(parameters), len(operands))
        head = f"({', '.join(parameters)})" if parameters else ""
        return f"gate {name}{head} {', '.join(operands)} {{ {' '.join(body)} }}"

    def define_routine(self) -> str:
        """Define a subroutine of one of a few shapes."""
        name = self.fresh("f")
        shape = self.one_of(["gate", "measure", "classical", "pair", "array"])
        inner = replace(self, names=[], qubits={}, singles=set(), in_routine=True, depth=2, in_loop=False)
        inner.names = [named for named in self.names if not named.writable]
        if shape == "classical":
            inner.names.append(Named("n", "uint", 4))
            body = self._body(inner, 2)
            self.routines.append(Routine(name, ("uint4",), "uint4"))
            return f"def {name}(uint[4] n) -> uint[4] {{ {body} return {inner.integer('uint', 4)}; }}"
        if shape == "array":
            inner.names.append(Named("all", "uints4", 1))
            body = f"all[0] = {inner.integer('uint', 4)}; all[-1] += 1;"
            self.routines.append(Routine(name, ("uints4",), None))
            return f"def {name}(mutable array[uint[4], #dim = 1] all) {{ {body} }}"
        inner.qubits = {"one": (0,)} if shape != "pair" else {"two": (0, 1)}
        inner.singles = {"one"} if shape != "pair" else set()
        inner.names.append(Named("turn", "float"))
        inner.measurements = 0
        body = self._body(inner, 2)
        declared = "qubit one" if shape != "pair" else "qubit[2] two"
        result = {"gate": None, "measure": "bit", "pair": "bits2"}[shape]
        self.routines.append(Routine(name, ("two" if shape == "pair" else "one", "float"), result))
        returns = {None: "", "bit": " -> bit", "bits2": " -> bit[2]"}[result]
        last = {None: "", "bit": "return measure one;", "bits2": "bit[2] r = measure two; return ~r;"}[result]
        return f"def {name}({declared}, float turn){returns} {{ {body} {last} }}"

    def _body(self, inner: Builder, most: int) -> str:
        body = " ".join(inner.statement() for _ in range(self.number(0, most)))
        self._count = inner._count
        return body

    # -- statements -------------------------------------------------------------------------------------------------

    def single_qubits(self) -> list[tuple[str, int]]:
        """Return every way to write one qubit, with its number."""
        ways = [(name, self.qubits[name][0]) for name in sorted(self.singles)]
        for name, numbers in self.qubits.items():
            if name not in self.singles:
                ways += [(f"{name}[{at}]", number) for at, number in enumerate(numbers)]
                ways.append((f"{name}[-1]", numbers[-1]))
        return ways

    def operands(self, count: int) -> list[str] | None:
        """Choose different qubits, or None if there are not that many."""
        chosen: list[str] = []
        used: set[int] = set()
        for _ in range(count):
            free = [(text, number) for text, number in self.single_qubits() if number not in used]
            if not free:
                return None
            text, number = self.one_of(free)
            chosen.append(text)
            used.add(number)
        return chosen

    def gate(self) -> str:
        """Apply a gate, perhaps modified or broadcast."""
        available = len({number for numbers in self.qubits.values() for number in numbers})
        fitting = [name for name, (_, qubits) in self.gates.items() if qubits <= available]
        if not fitting:
            return ""
        name = self.one_of(fitting)
        parameters, qubits = self.gates[name]
        prefix = ""
        arguments = [self.parameter() for _ in range(parameters)]
        if self.chance(30):
            kind = self.one_of(["inv", "ctrl", "negctrl", "pow", "root", "ctrl inv", "gphase"])
            if kind == "gphase":
                operand = self.operands(1)
                return f"ctrl @ gphase({self.real()}) {operand[0]};" if operand else ""
            if "ctrl" in kind:
                if qubits >= available:
                    kind = "inv"
                else:
                    qubits += 1
            if kind == "root":
                # A real power needs a definite branch: moderate literal angles only.
                arguments = [f"{self.number(-9, 9) / 10}" for _ in arguments]
            prefix = {
                "inv": "inv @ ",
                "ctrl": "ctrl @ ",
                "negctrl": "negctrl @ ",
                "pow": f"pow({self.number(-2, 3)}) @ ",
                "root": f"pow({self.one_of(['0.5', '-0.5', '1.5', '1/2.'])}) @ ",
                "ctrl inv": "ctrl @ inv @ ",
            }[kind]
        operands = self._broadcast(qubits) or self.operands(qubits)
        if operands is None:
            return ""
        head = f"({', '.join(arguments)})" if arguments else ""
        return f"{prefix}{name}{head} {', '.join(operands)};"

    def _broadcast(self, count: int) -> list[str] | None:
        registers = [(name, numbers) for name, numbers in self.qubits.items() if name not in self.singles]
        if not registers or not self.chance(15):
            return None
        name, numbers = self.one_of(registers)
        if count == 1:
            if len(numbers) > 1 and self.chance(50):
                return [f"{name}[{self.one_of(['{0, 1}', '0:1', '-2:-1', ':'])}]"]
            return [name]
        others = [text for text, number in self.single_qubits() if number not in numbers]
        return [self.one_of(others), name] if count == 2 and others else None

    def measure(self) -> str:
        """Measure something into something, if there is allowance left."""
        ways: list[tuple[int, str]] = []
        for text, _ in self.single_qubits():
            ways += [(1, f"{named.name} = measure {text};") for named in self.of_kind("bit", writable=True)]
            ways += [
                (1, f"{named.name}[{self.number(0, named.width - 1)}] = measure {text};")
                for named in self.of_kind("bits", writable=True)
            ]
        for name, numbers in self.qubits.items():
            if name not in self.singles:
                fitting = self.of_kind("bits", len(numbers), writable=True)
                ways += [(len(numbers), f"{named.name} = measure {name};") for named in fitting]
                ways += [(len(numbers), f"measure {name} -> {named.name};") for named in fitting]
        return self._spend(ways)

    def _spend(self, ways: list[tuple[int, str]]) -> str:
        ways = [(cost, text) for cost, text in ways if cost * self.repetitions <= self.measurements]
        if not ways:
            return self.gate()
        cost, text = self.one_of(ways)
        self.measurements -= cost * self.repetitions
        self.uncertain |= {named.name for named in self.names if re.search(rf"\b{named.name}\b", text)}
        return str(text)

    def reset(self) -> str:
        """Reset a qubit, which may be entangled."""
        return self._spend([(1, f"reset {text};") for text, _ in self.single_qubits()])

    def assign(self) -> str:
        """Assign to a variable, an element or a bit of one."""
        targets = [named for named in self.names if named.writable]
        if not targets:
            return self.gate()
        named = self.one_of(targets)
        if named.kind.startswith("uints"):
            width = int(named.kind[5:])
            index = self.number(-named.width, named.width - 1) if named.width > 1 else 0
            return f"{named.name}[{index}] {self.one_of(['=', '+=', '*='])} {self.integer('uint', width)};"
        if named.kind == "bits" and self.chance(30):
            return f"{named.name}[{self.number(0, named.width - 1)}] = {self.truth()};"
        if named.kind == "uint" and self.chance(20):
            return f"{named.name}[{self.number(0, named.width - 1)}] = {self.truth()};"
        operators = {
            "uint": ["=", "+=", "-=", "*=", "&=", "|=", "^="],
            "int": ["=", "+=", "-="],
            "bits": ["=", "^=", "&="],
        }
        return f"{named.name} {self.one_of(operators.get(named.kind, ['=']))} {self.value(named)};"

    def _can_call(self, routine: Routine) -> bool:
        cost = {"bit": 1, "bits2": 2}.get(routine.result or "", 0)
        arrays = [named for named in self.of_kind("uints4") if named.writable]
        return (
            not self.in_routine
            and cost * self.repetitions <= self.measurements
            and ("two" not in routine.parameters or bool(self._pairs()))
            and ("uints4" not in routine.parameters or bool(arrays))
        )

    def _pairs(self) -> list[str]:
        return [name for name, numbers in self.qubits.items() if len(numbers) == 2]

    def call(self, routine: Routine) -> str:
        """Write a call with fitting arguments."""
        self.measurements -= {"bit": 1, "bits2": 2}.get(routine.result or "", 0) * self.repetitions
        writers: dict[str, Callable[[], str]] = {
            "one": lambda: self.one_of(self.single_qubits())[0],
            "two": lambda: self.one_of(self._pairs()),
            "float": self.real,
            "uint4": lambda: self.exact("uint", 4),
            "uints4": lambda: self.one_of([n.name for n in self.of_kind("uints4")]),
        }
        return f"{routine.name}({', '.join(writers[kind]() for kind in routine.parameters)})"

    def call_statement(self) -> str:
        """Call a subroutine, keeping its result if it has one."""
        ways: list[tuple[Routine, Named | None]] = []
        for routine in self.routines:
            if not self._can_call(routine):
                continue
            targets: dict[str | None, Sequence[Named | None]] = {
                None: [None],
                "bit": self.of_kind("bit", writable=True) + self.of_kind("bool", writable=True),
                "bits2": self.of_kind("bits", 2, writable=True),
                "uint4": self.of_kind("uint", 4, writable=True),
            }
            ways += [(routine, target) for target in targets[routine.result]]
        if not ways:
            return self.gate()
        routine, target = self.one_of(ways)
        return f"{target.name} = {self.call(routine)};" if target else f"{self.call(routine)};"

    def branch(self) -> str:
        """Write an `if`, perhaps with its `else`."""
        condition = self.truth()
        text = f"if ({condition}) {self.inner()}"
        return f"{text} else {self.inner()}" if self.chance(50) else text

    def inner(self, repetitions: int = 1, first: str = "") -> str:
        """Write a block in braces."""
        with self.block(repetitions):
            body = [self.statement() for _ in range(self.number(1, 2))]
        return f"{{ {first}{' '.join(body)} }}"

    def choice(self) -> str:
        """Write a `switch`."""
        options = self.of_kind("uint") + self.of_kind("int")
        registers = self.of_kind("bits")
        if registers and (not options or self.chance(40)):
            named = self.one_of(registers)
            target = f"uint[{named.width}]({named.name})"
        elif options:
            target = self.one_of(options).name
        else:
            return self.branch()
        labels = self.one_of([["0", "1"], ["0, 1", "2"], ["1"], ["2, 3", "0"]])
        cases = " ".join(f"case {label} {self.inner()}" for label in labels)
        default = f" default {self.inner()}" if self.chance(60) else ""
        return f"switch ({target}) {{ {cases}{default} }}"

    def loop(self) -> str:
        """Write a `for` over a range, a set, a register or an array."""
        name = self.fresh("i")
        forms: list[tuple[str, str, int, Named | None]] = [
            ("int[8]", f"[0:{self.number(1, 2)}]", 3, Named(name, "int", 8)),
            ("uint[3]", "[4:-2:0]", 3, Named(name, "uint", 3)),
            ("uint[3]", f"{{{self.number(0, 3)}, {self.number(0, 3)}}}", 2, Named(name, "uint", 3)),
        ]
        forms += [("bit", named.name, named.width, Named(name, "bit")) for named in self.of_kind("bits")]
        for width in (3, 4):
            arrays = self.of_kind(f"uints{width}")
            forms += [(f"uint[{width}]", named.name, 3, Named(name, "uint", width)) for named in arrays]
        registers = [(text, len(numbers)) for text, numbers in self.qubits.items() if len(numbers) > 1]
        if registers and self.chance(50):
            register, size = self.one_of(registers)
            gates = [gate for gate, shape in self.gates.items() if shape == (0, 1)]
            pairs = [gate for gate, shape in self.gates.items() if shape == (0, 2)]
            body = f"{self.one_of(gates)} {register}[{name}];"
            if pairs:
                body += f" if ({name} > 0) {{ {self.one_of(pairs)} {register}[{name} - 1], {register}[{name}]; }}"
            return f"for int[8] {name} in [0:{size - 1}] {{ {body} }}"
        declared, values, most, variable = self.one_of(forms)
        outside, self.in_loop = self.in_loop, True
        with self.block(most):
            assert variable is not None
            self.names.append(replace(variable, writable=self.chance(20)))
            body = " ".join(self.statement() for _ in range(self.number(1, 2)))
        self.in_loop = outside
        return f"for {declared} {name} in {values} {{ {body} }}"

    def repeat(self) -> str:
        """Write a `while` that ends after at most three rounds."""
        counter = self.fresh("n")
        most = self.number(1, 2)
        condition = self.truth()
        outside, self.in_loop = self.in_loop, True
        if self.chance(50):
            text = f"while (({condition}) && {counter} < {most}) {self.inner(most, f'{counter} += 1; ')}"
        else:
            stop = f"{counter} += 1; if ({counter} > {most}) {{ break; }} "
            text = f"while ({condition}) {self.inner(most, stop)}"
        self.in_loop = outside
        return f"uint[3] {counter} = 0; {text}"

    def jump(self) -> str:
        """Leave a loop, or go to its next round, on a condition."""
        if not self.in_loop or self.in_routine:
            return self.gate()
        return f"if ({self.truth()}) {{ {self.one_of(['break', 'continue'])}; }}"

    def nothing(self) -> str:
        """Write something without effect on an ideal simulator."""
        operands = self.operands(1)
        if not operands:
            return ""
        return str(self.one_of([f"barrier {operands[0]};", f"delay[10ns] {operands[0]};", f"box {{ {self.gate()} }}"]))

    def indexed(self) -> str:
        """Use a variable as an index, of a qubit or an array."""
        indices = self.of_kind("uint")
        arrays = self.of_kind("uints3") + self.of_kind("uints4")
        registers = [(name, len(numbers)) for name, numbers in self.qubits.items() if name not in self.singles]
        if not indices or not (arrays or registers):
            return self.gate()
        index = self.one_of(indices)
        if arrays and (not registers or self.chance(50)):
            array = self.one_of(arrays)
            return f"{array.name}[{index.name} % {array.width}] += {self.number(1, 3)};"
        register, size = self.one_of(registers)
        gates = [name for name, shape in self.gates.items() if shape == (0, 1)]
        return f"{self.one_of(gates)} {register}[{index.name} % {size}];" if gates else ""

    def local(self) -> str:
        """Declare a variable of this block."""
        return self.declare() if self.depth else self.assign()

    def statement(self) -> str:
        """Write any statement."""
        plain = [self.gate, self.gate, self.measure, self.assign, self.assign, self.call_statement, self.local]
        plain += [self.nothing, self.reset, self.jump, self.indexed]
        if self.depth < 2:
            plain += [self.branch, self.branch, self.branch, self.branch, self.choice, self.loop, self.repeat]
        return str(self.one_of(plain)())

    # -- the whole --------------------------------------------------------------------------------------------------

    def program(self) -> Program:
        """Write a program."""
        lines = []
        if self.chance(70):
            lines.append(self.one_of(["OPENQASM 3.0;", "OPENQASM 3;", "OPENQASM 3.1;"]))
        if self.chance(60):
            lines.append('include "stdgates.inc";')
        self.gates = dict(GATES)
        if self.chance(50):
            self.gates |= EXTRA_GATES
        taken = [name for name in TAKEN_NAMES if name not in self.gates]
        lines += [self.declare_constant() for _ in range(self.number(0, 1))]
        for _ in range(self.number(0, 2)):
            lines.append(self.define_gate(taken.pop(self.number(0, len(taken) - 1))))
        if self.chance(25):
            lines.append(self.declare_input())
        lines += self._registers()
        lines += [self.declare() for _ in range(self.number(0, 3))]
        if self.chance(30):
            lines.append(self.declare_array())
        lines += [self.define_routine() for _ in range(self.number(0, 2))]
        lines += self._beginning()
        lines += [self.statement() for _ in range(self.number(2, 8))]
        lines += self._ending()
        return Program("\n".join(line for line in lines if line) + "\n", self.inputs)

    def _registers(self) -> list[str]:
        sizes = self.one_of([(2,), (3,), (2, 1), (2, 2), (1, 2), (4,)])
        lines = []
        first = 0
        for position, size in enumerate(sizes):
            name = "qr"[position]
            single = size == 1
            lines.append(f"qubit {name};" if single else f"qubit[{size}] {name};")
            self.qubits[name] = tuple(range(first, first + size))
            if single:
                self.singles.add(name)
            first += size
        declare = "output bit" if self.chance(15) else "bit"
        lines.append(f"{declare}[{sizes[0]}] c;" if sizes[0] > 1 else f"{declare} c;")
        self.names.append(Named("c", "bits", sizes[0]) if sizes[0] > 1 else Named("c", "bit"))
        if self.chance(50):
            lines.append("bit d;")
            self.names.append(Named("d", "bit"))
        if first > 2 and self.chance(30):
            lines.append(self._alias(first))
        if sizes[0] > 2 and self.chance(20):
            lines.append("let e = c[{0, -1}];")
            self.names.append(Named("e", "bits", 2))
        return lines

    def _alias(self, count: int) -> str:
        whole = [name for name, numbers in self.qubits.items() if len(numbers) == count]
        if whole:
            self.qubits["w"] = (0, count - 1)
            return str(self.one_of([f"let w = q[{{0, {count - 1}}}];", f"let w = q[0:{count - 1}:{count - 1}];"]))
        if "r" in self.singles:
            self.qubits["w"] = (1, 0)
            return "let w = q[1:-1:0];"
        self.qubits["w"] = (self.qubits["r"][0], *self.qubits["q"])
        return "let w = r[0] ++ q;" if len(self.qubits["r"]) > 1 else "let w = q;"

    def _beginning(self) -> list[str]:
        """Give the program something uncertain to work on."""
        turns = [f"{self.one_of(['h', 'ry(1.1)', 'rx(2)', 'U(0.4, 0.5, 0.6)', 'x'])} {name};" for name in self.qubits]
        return [*turns, self.measure(), self.assign()] if self.chance(85) else []

    def _ending(self) -> list[str]:
        if self.chance(15) and self.uncertain:
            return [f"if ({self.truth()}) {{ end; }}", "c = measure q;"]
        if self.chance(15):
            return ["measure q;"]
        return ["c = measure q;"]


def type_name(named: Named) -> str:
    """Return a variable's type as it is written."""
    if named.kind == "bits":
        return f"bit[{named.width}]"
    return f"{named.kind}[{named.width}]" if named.width else named.kind


@st.composite
def programs(draw: DrawFn) -> Program:
    """Generate programs."""
    return Builder(draw).program()
