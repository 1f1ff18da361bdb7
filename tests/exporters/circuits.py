"""Circuits of our own for other libraries' exporters, without any library: lists of calls, the same for all of them."""

from __future__ import annotations

import random
from math import pi
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# Names of gates, keywords and constants of OpenQASM 2 or 3, letters, what no name may have, and a very long one.
ODD_NAMES = (
    *("x", "cx", "sdg", "U", "CX", "pi", "sin", "tau", "gate", "measure", "if", "input", "bit", "qubit", "output"),
    *("Alice", "_q", "q_", "camelCase", "Qubité", "π", "λ", "my reg", "my-reg", "1q", "q;", "", "a" * 300),
)
# What exporters that write names as they are make illegal texts of, under each version of the language.
NO_NAMES = frozenset(["my reg", "my-reg", "1q", "q;", ""])
KEYWORDS = {2: frozenset(["pi", "gate", "measure", "if"])}
KEYWORDS[3] = KEYWORDS[2] | {"tau", "π", "input", "bit", "qubit", "output"}
AS_THEY_ARE = "registers named by keywords, constants or what is no name (`gate`, `pi`, `my reg`) as they are"
KEYWORDS_AS_THEY_ARE = "registers named by keywords or `pi` as they are"
# Names of symbols besides: letters as people write them, elements of vectors, names of the language and of registers.
ODD_SYMBOLS = (
    *ODD_NAMES,
    *("theta", "θ", "φ", "α₁", "\\theta", "lambda", "theta[0]", "theta[10]", "theta_0", "x'", "$0", "2a", "my angle"),
    *("euler", "arcsin", "angle", "float", "for", "rx", "ry", "q", "c", "b", "E", "I", "S", "π/2"),
)
CONSTANTS = frozenset(["pi", "tau", "π", "euler"])
SYMBOL_KEYWORDS = KEYWORDS[3] | {"angle", "float", "for"}
NO_SYMBOLS = NO_NAMES | {"α₁", "\\theta", "theta[0]", "theta[10]", "x'", "$0", "2a", "my angle", "π/2"}
SYMBOLS_AS_THEY_ARE = "symbols named by constants or what is no name (`pi`, `theta[0]`) as they are"
UNDECLARED = "symbols by names that nothing declares"
# Expressions of two symbols, as their operators make them.
EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "a": lambda a, _: a,
    "-b": lambda _, b: -b,
    "2 a": lambda a, _: 2 * a,
    "a / 3": lambda a, _: a / 3,
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a b": lambda a, b: a * b,
    "a + pi / 2": lambda a, _: a + pi / 2,
    "1 - a": lambda a, _: 1 - a,
    "(a + 1) / 3": lambda a, _: (a + 1) / 3,
    "(a + b) (a - 2)": lambda a, b: (a + b) * (a - 2),
    "1e-7 a": lambda a, _: 1e-7 * a,
    "2.5e4 a": lambda a, _: 2.5e4 * a,
    "a b / 7 - 0.25 b + 3": lambda a, b: a * b / 7 - 0.25 * b + 3,
}
VALUES = (0.4, -1.3)  # of the two
ALL_SYMBOLS = frozenset(EXPRESSIONS) | frozenset(ODD_SYMBOLS)
# Angles in radians: none, tiny, negative, fractions of pi, more than a turn, and beside a fraction of pi.
SPREAD = (0.0, 1e-7, -0.3, pi / 4, -pi, 7 * pi / 3, 100.0, pi / 3 + 1e-5)


class Call(NamedTuple):
    """A gate by the library's own name, its angles in radians and its qubits."""

    name: str
    angles: tuple[float, ...]
    qubits: tuple[int, ...]


class Further(NamedTuple):
    """A text made by hand: whose, its name, what it should come to, the sentence of its flaw, and values of its inputs.

    What is expected is as in `texts.py`.
    """

    exporter: str
    name: str
    text: str
    expected: Any
    flaw: str | None = None
    inputs: Mapping[str, object] = {}


class Symbolic(NamedTuple):
    """An angle of symbols: its title, the name or expression, the angle, and its value for values of the symbols."""

    title: str
    known_as: str
    make: Callable[[], Any]
    value: float
    values: dict[str, float]


class Steps(NamedTuple):
    """A circuit of whole bit flips with measurements in the middle, so that its outcome is sure.

    Each step is a tuple: `x q`, `cx q q`, `swap q q`, `barrier`, `reset q`, `measure q bit`, `if register value q` and
    `if_bit bit value q`, the last two with an X under the condition. Registers are pairs of a name and a size; qubits
    and bits are numbered through all of them.
    """

    qubits: tuple[tuple[str, int], ...]
    bits: tuple[tuple[str, int], ...]
    steps: tuple[tuple[str, *tuple[int, ...]], ...]

    def outcome(self) -> str:
        """Return the value of each register, the last first, its first bit last: as counts are written."""
        qubits, bits = [0] * total(self.qubits), [0] * total(self.bits)
        for kind, *values in self.steps:
            if kind == "x":
                qubits[values[0]] ^= 1
            elif kind == "cx":
                qubits[values[1]] ^= qubits[values[0]]
            elif kind == "swap":
                first, second = values
                qubits[first], qubits[second] = qubits[second], qubits[first]
            elif kind == "reset":
                qubits[values[0]] = 0
            elif kind == "measure":
                bits[values[1]] = qubits[values[0]]
            elif kind == "if":
                start, size = span(self.bits, values[0])
                if sum(bits[start + place] << place for place in range(size)) == values[1]:
                    qubits[values[2]] ^= 1
            elif kind == "if_bit" and bits[values[0]] == values[1]:
                qubits[values[2]] ^= 1
        spans = [span(self.bits, number) for number in range(len(self.bits))]
        return " ".join("".join(map(str, reversed(bits[start : start + size]))) for start, size in reversed(spans))


def total(registers: Sequence[tuple[str, int]]) -> int:
    """Return how many qubits or bits registers have together."""
    return sum(size for _, size in registers)


def span(registers: Sequence[tuple[str, int]], number: int) -> tuple[int, int]:
    """Return the number of a register's first bit, and its size."""
    return total(registers[:number]), registers[number][1]


def prepared(names: tuple[str, str, str], size: int) -> list[Call]:
    """Return a state in which every gate shows: two rotations of one angle and a gate of two qubits make it."""
    first, second, pair = names
    calls = [Call(first, (0.4 + 0.3 * place,), (place,)) for place in range(size)]
    calls += [Call(second, (1.1 - 0.2 * place,), (place,)) for place in range(size)]
    calls += [Call(pair, (), (place, place + 1)) for place in range(size - 1) if pair]
    return calls + [Call(first, (0.7 - 0.4 * place,), (place,)) for place in range(size)]


def each_gate(
    gates: Mapping[str, tuple[int, int]], names: tuple[str, str, str]
) -> Iterator[tuple[str, int, list[Call], str]]:
    """Yield name, size, calls and the gate of a circuit for each gate and each kind of angle."""
    for gate, (angles, qubits) in gates.items():
        size = max(3, qubits)
        for number in range(len(SPREAD) if angles else 1):
            values = tuple(SPREAD[(number + 3 * place) % len(SPREAD)] for place in range(angles))
            places = tuple((number + place) % size for place in range(qubits))
            title = f"{gate}({', '.join(f'{value:.9g}' for value in values)}) on {places}"
            yield title, size, [*prepared(names, size), Call(gate, values, places)], gate


def at_random(
    gates: Mapping[str, tuple[int, int]], names: tuple[str, str, str], seeds: range, length: int = 24
) -> Iterator[tuple[str, int, list[Call]]]:
    """Yield name, size and calls of a random circuit for each seed."""
    least = max(qubits for _, qubits in gates.values())
    for seed in seeds:
        source = random.Random(seed)
        size = source.randint(max(2, least), max(4, least))
        calls = prepared(names, size)
        for _ in range(length):
            gate = source.choice(sorted(gates))
            angles, qubits = gates[gate]
            values = tuple(_angle(source) for _ in range(angles))
            calls.append(Call(gate, values, tuple(source.sample(range(size), qubits))))
        yield f"random circuit {seed}", size, calls


def nothing(registers: str) -> Steps:
    """Return steps that only measure, into two registers where there are several."""
    qubits = (("a", 2), ("b", 2)) if registers == "both" else (("q", 4),)
    bits = (("c", 4),) if registers == "none" else (("second", 1), ("first", 3))
    return Steps(qubits, bits, tuple(("measure", place, place) for place in range(4)))


def named(registers: str) -> Iterator[tuple[str, str, Steps]]:
    """Yield a title, an odd name, and steps of a register of that name: two bits are 1 and 0."""
    steps = (("x", 0), ("measure", 0, 0), ("measure", 1, 1))
    for name in ODD_NAMES:
        shown = name if len(name) < 20 else f"{name[:3]}... of {len(name)}"
        if registers == "both":
            yield f"qubits named {shown!r}", name, Steps(((name, 2),), (("c", 2),), steps)
        if registers != "none":
            yield f"bits named {shown!r}", name, Steps((("q", 2),), ((name, 2),), steps)


def symbolic(symbol: Callable[[str], Any]) -> Iterator[Symbolic]:
    """Yield an angle for each expression, and for each odd name."""
    first, second = VALUES
    for shown, make in EXPRESSIONS.items():
        yield Symbolic(
            f"angle {shown}",
            shown,
            lambda make=make: make(symbol("alpha"), symbol("beta")),
            make(first, second),
            {"alpha": first, "beta": second},
        )
    for name in ODD_SYMBOLS:
        shown = name if len(name) < 20 else f"{name[:3]}... of {len(name)}"
        yield Symbolic(f"symbol named {shown!r}", name, lambda name=name: symbol(name), first, {name: first})


def _angle(source: random.Random) -> float:
    kind = source.random()
    if kind < 0.5:
        return source.uniform(-pi, pi)
    return source.choice(SPREAD) if kind < 0.7 else source.randint(-12, 12) * pi / source.choice((2, 3, 4, 6, 8, 16))


def steps_at_random(kinds: frozenset[str], seeds: range, registers: str) -> Iterator[tuple[str, Steps]]:
    """Yield a name and steps of the kinds that an exporter can write, for each seed.

    `registers` are "both", "bits" where only these have names, or "none"; then there is one of each.
    """
    for seed in seeds:
        source = random.Random(seed)
        qubits: tuple[tuple[str, int], ...] = (("q", 4),)
        bits: tuple[tuple[str, int], ...] = (("c", 4),)
        if registers == "both":
            qubits = (("alice", 2), ("q_2B", 1), ("left_right", 1))
        if registers != "none":
            bits = (("c_Out", 3), ("m", 1), ("syndrome2", 2)) if "measure" in kinds else (("c_out", 3), ("m", 1))
        width, memory = total(qubits), total(bits)
        steps: list[tuple[str, *tuple[int, ...]]] = []
        for _ in range(source.randint(8, 25)):
            kind = source.choice(sorted(kinds))
            if kind in ("cx", "swap"):
                steps.append((kind, *source.sample(range(width), 2)))
            elif kind == "barrier":
                steps.append((kind,))
            elif kind == "measure":
                steps.append((kind, source.randrange(width), source.randrange(memory)))
            elif kind == "if":
                register = source.randrange(len(bits))
                steps.append((kind, register, source.randrange(1 << bits[register][1]) % 3, source.randrange(width)))
            elif kind == "if_bit":
                steps.append((kind, source.randrange(memory), source.randrange(2), source.randrange(width)))
            else:
                steps.append((kind, source.randrange(width)))
        steps += [("measure", place, place % memory) for place in range(width)]
        yield f"random steps {seed}", Steps(qubits, bits, tuple(steps))
