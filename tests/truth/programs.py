"""Hypothesis strategies for tasks: small dynamic programs, and every option that decides how they run.

A program is a list of steps, so that one without its final measurements can be written too: observables are of that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn

HEAD = 'OPENQASM 3.0; include "stdgates.inc";'
# By name: angles, qubits. Those that noise is defined for, of these the Clifford ones, and others.
CLIFFORD = {
    "h": (0, 1), "x": (0, 1), "y": (0, 1), "z": (0, 1), "s": (0, 1), "sdg": (0, 1), "sx": (0, 1), "id": (0, 1),
    "cx": (0, 2), "cy": (0, 2), "cz": (0, 2), "swap": (0, 2), "ecr": (0, 2),
}  # fmt: skip
PLAIN = CLIFFORD | {
    "t": (0, 1), "tdg": (0, 1), "rx": (1, 1), "ry": (1, 1), "rz": (1, 1), "p": (1, 1), "u2": (2, 1), "u3": (3, 1),
    "U": (3, 1), "cp": (1, 2), "rzz": (1, 2), "rxx": (1, 2),
}  # fmt: skip
WIDE = PLAIN | {
    "ch": (0, 2), "crx": (1, 2), "cry": (1, 2), "crz": (1, 2), "cu": (4, 2), "ccx": (0, 3), "cswap": (0, 3),
    "ctrl @ ry": (1, 2), "negctrl @ x": (0, 2), "inv @ t": (0, 1), "pow(2) @ s": (0, 1), "ctrl(2) @ z": (0, 3),
}  # fmt: skip
# Gates on two qubits that are made of several here: one error each.
MADE = PLAIN | {"ch": (0, 2), "crx": (1, 2), "cry": (1, 2), "crz": (1, 2), "cu": (4, 2)}
ANGLES = ("0.3", "pi/2", "-pi/4", "1.1", "2.9", "pi")
RATES = (0.0, 0.05, 0.3, 1.0)
STAY = "[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0.6, 0], [0, 0, 0, 1]]"
JUMP = "[[0, 0, 0.8im, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]"
# Channels of Braket's pragmas: what is written, on how many qubits, whether of Paulis.
CHANNELS = (
    ("bit_flip(CHANCE)", 1, True),
    ("phase_flip(CHANCE)", 1, True),
    ("depolarizing(CHANCE)", 1, True),
    ("pauli_channel(0.1, 0.05, 0.3)", 1, True),
    ("two_qubit_depolarizing(CHANCE)", 2, True),
    ("two_qubit_dephasing(CHANCE)", 2, True),
    ("phase_damping(CHANCE)", 1, True),
    ("amplitude_damping(CHANCE)", 1, False),
    ("generalized_amplitude_damping(CHANCE, 0.7)", 1, False),
    ("kraus([[0.8, -0.6im], [-0.6im, 0.8]])", 1, False),
    (f"kraus({STAY}, {JUMP})", 2, False),
)


@dataclass(frozen=True)
class Step:
    """One statement, or a measurement of one qubit into one bit, which `measured` has."""

    text: str
    uses: frozenset[str]
    measured: tuple[str, str] | None = None


@dataclass(frozen=True)
class Case:
    """A task: its program, its options as a request has them, and what a test may make of its run.

    `before` is the program without its final measurements. The text does not tell which these are where the case is
    `decided`: a measurement is in a block whose test depends on no measurement, so that each run makes it or none does.
    `branching` is False for a run that must not share shots' beginnings; `fusion` is the number of qubits from which on
    gates are fused.
    """

    text: str
    before: str
    options: dict[str, Any]
    decided: bool = False
    branching: bool = True
    fusion: int = 14


@dataclass
class Writer:
    """Writes one program from the choices that hypothesis draws."""

    draw: DrawFn
    gates: dict[str, tuple[int, int]]
    qubits: list[str] = field(default_factory=list)
    bits: list[str] = field(default_factory=list)
    registers: dict[str, int] = field(default_factory=dict)
    angle: str | None = None  # an input
    channels: bool = False  # whether noise is in the program itself
    of_paulis: bool = False  # whether all of it is of Paulis
    measurements: int = 6  # how many more a run may make, each of which may double the outcomes to follow
    counters: int = 0
    depth: int = 0
    within: bool = False  # whether a loop is around
    unknown: set[str] = field(default_factory=set)  # bits that depend on measurements, as far as the text tells
    decided: bool = False  # as Case has it
    uses: set[str] = field(default_factory=set)  # the qubits and bits of the present step

    def number(self, low: int, high: int) -> int:
        """Draw an integer, both ends included."""
        return self.draw(st.integers(low, high))

    def one_of(self, options: Sequence[Any]) -> Any:
        """Draw one of the options; shrinks towards the first."""
        return options[self.number(0, len(options) - 1)]

    def some_qubits(self, count: int) -> list[str]:
        """Draw different qubits."""
        chosen = self.draw(st.permutations(self.qubits))[:count]
        self.uses.update(chosen)
        return chosen

    def bit(self) -> str:
        """Draw a classical bit."""
        chosen = self.one_of(self.bits)
        self.uses.add(chosen)
        return str(chosen)

    def noise(self) -> str:
        """Write a channel as Braket does, on a line of its own."""
        fitting = [each for each in CHANNELS if each[1] <= len(self.qubits) and (each[2] or not self.of_paulis)]
        text, count, _ = self.one_of(fitting)
        text = text.replace("CHANCE", self.one_of(["0.05", "0.3", "1.0"]))
        return f"\n#pragma braket noise {text} {', '.join(self.some_qubits(count))}\n"

    # -- statements -------------------------------------------------------------------------------------------------

    def gate(self) -> str:
        """Write a gate."""
        fitting = [name for name, (_, count) in self.gates.items() if count <= len(self.qubits)]
        name = self.one_of(fitting)
        angles, count = self.gates[name]
        choices = ANGLES if self.angle is None else (self.angle, *ANGLES)
        given = f"({', '.join(self.one_of(choices) for _ in range(angles))})" if angles else ""
        return f"{name}{given} {', '.join(self.some_qubits(count))};"

    def measure(self) -> str:
        """Write the measurement of one qubit into one bit."""
        if self.measurements < 1:
            return self.gate()
        self.measurements -= 1
        (qubit,) = self.some_qubits(1)
        bit = self.bit()
        self.unknown.add(bit)
        return f"{bit} = measure {qubit};"

    def reset(self) -> str:
        """Write a reset."""
        return f"reset {self.some_qubits(1)[0]};"

    def assignment(self) -> str:
        """Write a classical assignment to one bit."""
        value = self.one_of([lambda: f"!{self.bit()}", lambda: f"{self.bit()} ^ {self.bit()}", self.bit])()
        bit = self.bit()
        if self.is_unknown(value):
            self.unknown.add(bit)
        elif not self.depth:
            self.unknown.discard(bit)
        return f"{bit} = {value};"

    def is_unknown(self, expression: str) -> bool:
        """Tell whether an expression depends on measurements: all of its bits do, and none is in it twice."""
        bits = [bit for bit in self.bits for _ in range(len(re.findall(rf"\b{re.escape(bit)}(?!\w)", expression)))]
        for name, width in self.registers.items():
            if re.search(rf"\b{name} ", expression):
                bits += [f"{name}[{at}]" for at in range(width)]
        return len(set(bits)) == len(bits) and self.unknown.issuperset(bits)

    def condition(self) -> str:
        """Write a test of bits or of a register."""
        forms = [self.bit, lambda: f"!{self.bit()}", lambda: f"{self.bit()} && !{self.bit()}"]
        forms += [lambda: f"{self.bit()} || {self.bit()}", lambda: f"{self.bit()} == 0"]
        if self.registers:
            forms.append(self._register_test)
        return str(self.one_of(forms)())

    def _register_test(self) -> str:
        name = self.one_of(sorted(self.registers))
        self.uses.update(bit for bit in self.bits if bit.startswith(f"{name}["))
        return f"{name} {self.one_of(['==', '!='])} {self.number(0, 2 ** self.registers[name] - 1)}"

    def branch(self) -> str:
        """Write an `if`, perhaps with an `else`."""
        test = self.condition()
        unknown = self.is_unknown(test)
        before = self.measurements
        then = self.block()
        left = self.measurements
        self.measurements = before
        otherwise = f" else {{ {self.block()} }}" if self.number(0, 1) else ""
        self.measurements = min(left, self.measurements)
        self.decided = self.decided or (not unknown and " = measure " in then + otherwise)
        return f"if ({test}) {{ {then} }}{otherwise}"

    def loop(self) -> str:
        """Write a `while` of at most two or three rounds, or a `for`."""
        rounds = self.number(2, 3)
        spare, self.measurements = self.measurements % rounds, self.measurements // rounds
        around, self.within = self.within, True
        name = f"n{self.counters}"
        self.counters += 1
        if self.number(0, 1):
            test = self.condition()
            declared, step = self.carried() if "ry" in self.gates and self.number(0, 2) == 0 else ("", "")
            body = f"{name} += 1; {step}{self.block()}"
            text = f"{declared}uint[2] {name} = 0; while (({test}) && {name} < {rounds}) {{ {body} }}"
        else:
            text = f"for int {name} in [1:{rounds}] {{ {self.block()} }}"
        self.within = around
        self.measurements = self.measurements * rounds + spare
        return text

    def carried(self) -> tuple[str, str]:
        """Write a number that a loop changes, and how it does: a float, or an integer that becomes negative."""
        name = f"v{self.counters}"
        (qubit,) = self.some_qubits(1)
        if self.number(0, 1):
            change = self.one_of(["-{0}", "1.1 - {0}", "{0} * 2"]).format(name)
            return f"float {name} = 0.4; ", f"ry({name}) {qubit}; {name} = {change}; "
        sign = self.one_of(["-", "+"])
        test = f"if ({self.bit()}) {{ {name} {sign}= 1; }} else {{ {name} = -{name} - 1; }}"
        return f"int {name} = 0; ", f"{test} rx({name} * 0.7) {qubit}; "

    def leave(self) -> str:
        """Write a conditional jump out of a round."""
        return f"if ({self.condition()}) {{ {self.one_of(['break', 'continue'])}; }}" if self.within else self.gate()

    def block(self) -> str:
        """Write the one to three statements of a block."""
        self.depth += 1
        text = " ".join(self.statement() for _ in range(self.number(1, 3)))
        self.depth -= 1
        return text

    def statement(self) -> str:
        """Write any statement."""
        forms = [self.gate, self.measure, self.gate, self.measure, self.reset, self.assignment, self.leave]
        if self.depth < 2:
            forms += [self.branch, self.branch, self.loop]
        return str(self.one_of(forms)())

    def step(self) -> Step:
        """Write a statement of the program itself, and note what it uses."""
        self.uses = set()
        if self.channels and self.number(0, 2) == 0:  # not in blocks, where the reference parser takes no pragma
            text = self.noise()
            return Step(text, frozenset(self.uses))
        measuring = self.measurements > 0 and self.number(0, 2) == 0
        text = self.measure() if measuring else self.statement()
        measured = None
        if " = measure " in text and "{" not in text:
            bit, qubit = text.rstrip(";").split(" = measure ")
            measured = (qubit, bit)
        return Step(text, frozenset(self.uses), measured)

    def last_steps(self) -> list[Step]:
        """Measure some qubits, each into any bit."""
        steps = []
        for qubit in self.qubits:
            if self.number(0, 3) and self.measurements > 0:
                self.measurements -= 1
                bit = self.one_of(self.bits)
                steps.append(Step(f"{bit} = measure {qubit};", frozenset({qubit, bit}), (qubit, bit)))
        return steps


def final(steps: Sequence[Step]) -> list[Step]:
    """Return the measurements that observables leave out, by what README says of them.

    Those whose qubit and bit nothing uses afterwards, and those whose outcome another measurement overwrites before
    anything reads it and whose qubit is at most measured again. An assignment that is overwritten unread counts for
    nothing.
    """
    found = []
    steps = [step for place, step in enumerate(steps) if not _is_unread(step, steps[place + 1 :])]
    for place, step in enumerate(steps):
        if step.measured is None:
            continue
        qubit, bit = step.measured
        of_qubit = [later for later in steps[place + 1 :] if qubit in later.uses]
        of_bit = [later for later in steps[place + 1 :] if bit in later.uses]
        overwritten = bool(of_bit and of_bit[0].measured)
        if (not of_qubit and not of_bit) or (overwritten and all(later.measured for later in of_qubit)):
            found.append(step)
    return found


def _is_unread(step: Step, later: Sequence[Step]) -> bool:
    """Tell whether a step is an assignment whose bit the next step that uses it measures into."""
    target, _, value = step.text.partition(" = ")
    if not value or "{" in step.text or step.measured:
        return False
    following = next((other for other in later if target in other.uses), None)
    return following is not None and following.measured is not None


FLIPS = {"prob_meas1_prep0": 0.1, "prob_meas0_prep1": 0.3}
HALF = 0.5**0.5
MIXING = [[[0.8, 0], [0, -0.6]], [[0, -0.6], [0.8, 0]]]  # rx(1.287)
# Correlated decay of two qubits, and a rotation about zz.
CORRELATED = [
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0.6]],
    [[0, 0, 0, 0.8], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
]
TURNED = [[[0.8, -0.6], 0, 0, 0], [0, [0.8, 0.6], 0, 0], [0, 0, [0.8, 0.6], 0], [0, 0, 0, [0.8, -0.6]]]


@st.composite
def rules(
    draw: DrawFn, gates: tuple[tuple[str, tuple[int, int]], ...], width: int, *, clifford: bool
) -> dict[str, Any]:
    """Draw a rule of noise; for Clifford programs mostly one of Paulis."""
    chance = draw(st.sampled_from([0.05, 0.3, 1.0]))
    excited = draw(st.sampled_from([0.0, 0.3]))
    t2 = draw(st.sampled_from([0.7, 1.0, 1.6, 2.0]))
    paulis: list[dict[str, Any]] = [
        {"channel": "depolarizing", "probability": chance},
        {"channel": "bit_flip", "probability": chance},
        {"channel": "phase_flip", "probability": chance},
        {"channel": "pauli", "probabilities": {"X": 0.1, "Y": 0.2, "Z": 0.05}},
        {"channel": "pauli", "probabilities": {"XI": 0.2, "ZY": 0.1, "II": 0.7}},
        {"channel": "phase_damping", "gamma": chance},
    ]
    others: list[dict[str, Any]] = [
        {"channel": "amplitude_damping", "gamma": chance},
        {"channel": "generalized_amplitude_damping", "gamma": chance, "excited_state_population": 0.3},
        {"channel": "thermal_relaxation", "t1": 1.0, "t2": t2, "time": 0.4, "excited_state_population": excited},
        {"channel": "thermal_relaxation", "t1": 1.0, "t2": t2, "time": {"cx": 0.5, "x": 0.2, "measure": 1.0}},
        {"channel": "kraus", "operators": [[[HALF, 0], [0, HALF]], [[0, HALF], [HALF, 0]]]},
        {"channel": "kraus", "operators": CORRELATED},
        {"channel": "coherent", "unitary": MIXING},
        {"channel": "coherent", "unitary": TURNED},
        {"channel": "reset", "probability": chance, "state": draw(st.integers(0, 1))},
    ]
    if draw(st.integers(0, 4)) == 0:
        qubits = draw(st.sampled_from([None, [0], list(range(width))]))
        return {"channel": "readout", **FLIPS} | ({"qubits": qubits} if qubits else {})
    rule = dict(draw(st.sampled_from(paulis if clifford and draw(st.integers(0, 3)) else paulis + others)))
    where = draw(st.integers(0, 5))
    if where < 3:
        names = [name for name, _ in gates if " " not in name]
        rule["gates"] = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    elif where < 5:
        rule["gates"] = [draw(st.sampled_from(["one_qubit", "two_qubit", "measure", "reset"]))]
    places = [None, None, [0], [[0]]] + ([[[0, 1]], [[1, 0], [1]]] if width > 1 else [])
    if (qubits := draw(st.sampled_from(places))) is not None:
        rule["qubits"] = qubits
    if draw(st.booleans()):
        rule["when"] = draw(st.sampled_from(["before", "after"]))
    return rule


@st.composite
def cases(draw: DrawFn) -> Case:  # noqa: C901, PLR0915 - one choice after another
    """Draw a task."""
    clifford = draw(st.integers(0, 3)) == 0
    rates = draw(st.sampled_from(["none", "readout", "gates", "both", "rules", "rules"]))
    noise: dict[str, dict[str, float]] = {}
    if rates in ("readout", "both"):
        noise["readout"] = {name: draw(st.sampled_from(RATES)) for name in ("prob_meas1_prep0", "prob_meas0_prep1")}
    if rates in ("gates", "both"):
        noise["depolarizing"] = {name: draw(st.sampled_from(RATES)) for name in ("one_qubit", "two_qubit")}
    noisy = rates in ("gates", "both", "rules")
    gates = CLIFFORD if clifford else PLAIN if rates == "rules" else MADE if noisy else WIDE
    writer = Writer(draw, dict(gates))
    writer.channels, writer.of_paulis = draw(st.integers(0, 3)) == 0, clifford and draw(st.integers(0, 3)) > 0
    noisy = noisy or writer.channels
    swept = not clifford and draw(st.integers(0, 4)) == 0
    head = [HEAD]
    if swept:
        head.append("input float a;")
        writer.angle = "a"
    if draw(st.integers(0, 2)) == 0:
        head.append(
            "gate mine(w) x, y { h x; cx x, y; z y; }" if clifford else "gate mine(w) x, y { ry(w) x; cx x, y; }"
        )
        writer.gates["mine"] = (1, 2)
    width = draw(st.integers(1, 4))
    if rates == "rules":
        noise |= {
            "rules": draw(st.lists(rules(tuple(gates.items()), width, clifford=clifford), min_size=1, max_size=4))
        }
    head.append(f"qubit[{width}] q;")
    writer.qubits = [f"q[{index}]" for index in range(width)]
    for name in ("c", "d")[: draw(st.integers(1, 2))]:
        size = draw(st.integers(1, 3))
        writer.registers[name] = size
        writer.bits += [f"{name}[{index}]" for index in range(size)]
        head.append(f"bit[{size}] {name};")
    if draw(st.booleans()):
        head.append("bit b;")
        writer.bits.append("b")
    steps = [writer.step() for _ in range(draw(st.integers(1, 7)))]
    writer.measurements = max(writer.measurements, 2)
    steps += writer.last_steps() or [_one_measurement(writer)]
    options: dict[str, Any] = {
        "shots": draw(st.sampled_from([1_000, 2_000, 1])) if noisy else 2_000,
        "seed": draw(st.integers(0, 2**31)),
        "method": draw(
            st.sampled_from(
                ["automatic", "statevector", "density_matrix", "matrix_product_state"] + ["stabilizer"] * clifford
            )
        ),
    }
    if draw(st.integers(0, 3)) == 0:
        options["precision"] = "single"
    if draw(st.booleans()):
        options["memory"] = True
    if noise:
        options["noise"] = noise
    if swept:
        options["inputs"] = [{"a": 0.4}, {"a": 0.4}, {"a": draw(st.sampled_from([0.0, 1.3, -2.2]))}]
    if draw(st.integers(0, 2)) == 0:
        letters = st.text("IXYZ", min_size=width, max_size=width)
        terms = st.lists(
            st.tuples(letters, st.sampled_from([1.0, -0.5, 2.0])),
            min_size=1,
            max_size=3,
            unique_by=lambda term: term[0],
        )
        options["observables"] = [list(map(list, draw(terms))) for _ in range(draw(st.integers(1, 2)))]
    removed = final(steps)
    kept = [step for step in steps if not any(step is other for other in removed)]
    return Case(
        " ".join([*head, *(step.text for step in steps)]),
        " ".join([*head, *(step.text for step in kept)]),
        options,
        decided=writer.decided,
        branching=draw(st.booleans()),
        fusion=draw(st.sampled_from([14, 1])),
    )


def _one_measurement(writer: Writer) -> Step:
    bit, qubit = writer.bits[0], writer.qubits[0]
    return Step(f"{bit} = measure {qubit};", frozenset({qubit, bit}), (qubit, bit))
