"""A search for texts that cost the api the most: a genetic one over shapes, sizes and bindings of programs.

    python tests/reader_search.py SECONDS [SEED]

Each text is checked as the api checks it, in a process of its own, which measures CPU and memory. The worst survive and
are varied. Printed are what the worst cost, and what they look like; the exit status is 1 over the target.
"""

# ruff: noqa: E501 - a table reads best with many statements to a line

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, replace

from cost_search import Cost, CostSearch, forked
from reader import LIMITS, Budget, check_each
from tasks.errors import TaskError

# Statements; {i} counts them, {j} is the one before, {w} a width, {k} a small number.
STATEMENTS = (
    "h q[0];", "h q;", "rx(0.{i}) q[0];", "rx({i}.5*2) q[{k}];", "rx(sin({i}.5)*pi/{k}) q;", "cx q[0], q[1];",
    "u({i}, 0.2, pi/3) q[{k}];", "let a{i} = q[0:{k}];", "let b{i} = c[0:{k}];", "let d{i} = q[{{0, 1, {k}}}];",
    "let e{i} = q[0:1] ++ q[2:{k}];", "@note {i}\n", "@note {i}\nx q[0];", "// {i}\n", "/* {i} */", "barrier q;",
    "barrier q[0], q[1], q[{k}];", "reset q;", "c[{k}] = measure q[{k}];", "c = measure q;", "measure q;",
    "int v{i} = {i};", "int[{w}] y{i} = {k};", "bit[{w}] z{i};", "float f{i} = {k} / 3.0;", "uint[{w}] n{i} = c[0:{k}];",
    "array[int[8], {w}] r{i};", "const int o{i} = {k} * 3;", "duration t{i} = {i}ns * 0.37;", "delay[{i}ns] q;",
    "s += {k};", "s = s * 3 + {k};", "s = s % 7;", "s = s / {k};", "s = s << {k};", "s = s ** {k};", "b = b ^ d;",
    "b = ~(b & d) | b;", "b = b << {k};", "b = rotl(b, {k});", "b = rotl(b, u);", "b = b >> u;", "u = u + {k};",
    "u = u * u;", "u = u / 7;", "u = u % {k};", "s = popcount(b);", "b[0:1] = b[{k}:-1:{k} - 1];", "b[{k}] = c[0];",
    "if (c[0]) {{ x q[0]; }}", "if (u == {k}) {{ x q[1]; s += 1; }}", "if (b == d) h q;", "if (s > {i}) {{ x q[0]; }}",
    "switch (u) {{ case {k} {{ x q[0]; }} case 200 {{ s += 1; }} default {{ y q[1]; }} }}",
    "switch (s) {{ case 1 {{ x q[0]; }} case 2, 3 {{ s += 1; }} }}", "while (c[0]) {{ h q[0]; c[0] = measure q[0]; s += 1; }}",
    "rx(sin(u * 0.1)) q[0];", "x q[u % 2];", "array_[{k}] = s;", "array_[s % 4] += {k};", "array_ = array_;",
    "array_[0:{k}] = array_[1:{k} + 1];", "s = sub(s);", "s += sub({i}) * sub(s);", "sub2(q[0], q[1]);", "gate2(0.{i}) q[0], q[1];",
    "gate2(0.1) q[0], q[1];", "gate4 q[0], q[1];", "ctrl @ gate2(0.{i}) q[0], q[1], q[2];", "inv @ gate4 q[0], q[1];",
    "ctrl({k}) @ x q[0:{k}];", "ctrl(3) @ h q[0], q[1], q[2], q[3];", "negctrl(2) @ gate4 q[0], q[1], q[2], q[3];",
    "pow(0.{i}1) @ swap q[0], q[1];", "pow(0.5) @ gate4 q[0], q[1];", "pow({i}) @ gate2(0.2) q[0], q[1];",
    "pow(0.{i}) @ h q[0];", "ctrl @ pow(0.{i}) @ iswap q[0], q[1], q[2];", "pow(0.{i}1) @ gate6 q[0], q[1], q[2], q[3], q[4], q[5];",
    "gate g{i} a {{ g{j} a; g{j} a; }}", "gate h{i}(t) a {{ h{j}(t/2) a; h{j}(t/3) a; }}", "g{j} q[0];", "h{j}(0.{i}) q[0];",
    "def m{i}(int n) -> int {{ return n + {k}; }}", "for int l in [0:{k}] {{ s += l; }}", "for int l in [0:{k}] {{ rx(l * p) q[l]; }}",
    "for bit l in b {{ if (l) x q[0]; }}", "for int l in {{1, 2, {k}}} h q[l];", "{{ int loc = {i}; s += loc; }}", "s;", "s + {i};",
    "(((((s)))));", "s = s" + " + 1" * 40 + ";", "rx(" + "(" * 20 + "1" + ")" * 20 + ") q[0];", 'b = "{bits}";', "box {{ x q[0]; }}",
    "rx(p * {i}) q[{k}];", "if (p > 0.{i}) {{ x q[{k}]; }}", "gphase(0.{i});", "U(0.{i}, p, 0) q;", "end;", ";", "x unknown{i};",
    "pragma some words {i}\n", "stretch st{i};", "complex[float[64]] x{i} = 1.0 + 2.0im * {i};", "angle[{w}] an{i} = 0.{i};",
    "an = an + 0.{i};", "an = an * {k};", "if (an > 1.0) x q[0];", "output int[{w}] out{i};", "bool bo{i} = c[0] && s > {i} || b[{k}];",
    "s = int(b[0:{k}]);", "u = uint[{w}](b);", "b = bit[{w}](u);", "s = sizeof(array_);", "s = mod(s, {k}) + int(sin(0.{i}));",
    "let w{i} = big;", "let w{i} = big[0:-2];", "big = big ^ big;", "big = big << {k};", "big[0:1] = c[0:1];", "big;", "big = 0;",
    "pow(0) @ x q;", "delay[1ns] q[0:-1];", "pow(0) @ ctrl @ gate2(0.1) q[0], q[1], q[2];", "pow(0) @ gate4 q[0], q[1];",
    "let al{i} = q;", "s = popcount(big);", "if (big == 0) x q[0];", "x$ = 1;", '"', "/*", "rx(1/0) q[0];", "h $3;", "OPENQASM 3;",
)  # fmt: skip
WRAPS = (
    "{body}",
    "for int i_ in [0:{n}] {{ {body} }}",
    "for int i_ in [0:{n}] {{ s += i_; {body} }}",
    "while (s < {n}) {{ s += 1; {body} }}",
    "if (c[1]) {{ {body} }} else {{ {body} }}",
    "while (c[1]) {{ {body} c[1] = measure q[1]; }}",
    "for int i_ in [0:1] for int j_ in [0:{k}] for int k_ in [0:{n}] {{ {body} }}",
    "gate wrapped q0, q1 {{ {body} }} wrapped q[0], q[1];",
    "def wrapped(qubit[2] q) {{ {body} }} wrapped(q[0:1]);",
    "{{ {{ {{ {body} }} }} }}",
)
HEAD = """OPENQASM {version};
input float p; qubit[{qubits}] q; bit[{qubits}] c; int s = 0; bit[{w}] b; bit[{w}] d; bit[{big}] big; uint[{w}] u; angle[{w}] an = 0;
array[int[16], {w}] array_; gate g0 a {{ h a; }} gate h0(t) a {{ rx(t) a; }}
gate gate2(t) a, b {{ rx(t) a; cx a, b; ry(t / 2) b; }} gate gate4 a, b {{ h a; cx a, b; t b; cx b, a; }}
gate gate6 a, b, c, d, e, f {{ h a; cx a, b; cx b, c; cx c, d; cx d, e; cx e, f; }}
def sub(int n) -> int {{ return n * 2 + 1; }} def sub2(qubit a, qubit b) {{ h a; cx a, b; }}
{measured}
"""
MEASURED = ("", "b[0:1] = measure q[0:1];", "b = measure q[0:{w} - 1]; u = b; d = b;", "c = measure q; u[0] = c[0];")


@dataclass(frozen=True)
class Part:
    """Some statements, how often they stand in the text, and what stands around them."""

    statements: tuple[int, ...]
    times: int
    wrap: int = 0
    rounds: int = 10


@dataclass(frozen=True)
class Genome:
    """A program with its bindings."""

    parts: tuple[Part, ...]
    qubits: int = 20
    width: int = 16
    big: int = 2
    measured: int = 0
    small: int = 3
    bindings: int = 1
    head: bool = True

    def text(self) -> str:
        """Return the program, cut to the limit."""
        width = min(self.width, 256)
        head = HEAD.format(
            version="3.0",
            qubits=max(self.qubits, 3),
            w=width,
            big=self.big,
            measured=MEASURED[self.measured].format(w=width),
        )
        pieces = [head if self.head else "qubit[20] q; bit[20] c;"]
        left = LIMITS.text_bytes - len(head) - 40
        count = 0
        for part in self.parts:
            bodies: list[str] = []
            for _ in range(part.times):
                count += 1
                values = {"i": count, "j": count - 1, "w": width, "k": self.small, "bits": "01" * (width // 2) + "1"}
                body = "".join(STATEMENTS[number].format(**values) for number in part.statements)
                left -= len(body)
                if left < 0:
                    break
                bodies.append(body)
            pieces.append(WRAPS[part.wrap].format(body="".join(bodies), n=part.rounds, k=self.small))
        return ("\n".join(pieces) + "\nc = measure q;")[: LIMITS.text_bytes]

    def __str__(self) -> str:
        """Return a description in a few words."""
        parts = " / ".join(
            f"{part.times} x {' '.join(STATEMENTS[number] for number in part.statements)[:70]!r}"
            + (f" in {WRAPS[part.wrap][:34]!r} ({part.rounds})" if part.wrap else "")
            for part in self.parts
        )
        measured = f", {MEASURED[self.measured]!r}" if self.measured else ""
        return f"{self.bindings} bindings, width {self.width}, {self.qubits} qubits, {self.big} bits{measured}: {parts}"


class Search(CostSearch[Genome]):
    """The search over programs."""

    def cost(self, genome: Genome) -> Cost:
        """Return what checking the program costs."""
        return cost_of_text(genome.text(), genome.bindings)

    def size(self, genome: Genome) -> int:
        """Return the program's length in bytes."""
        return len(genome.text())

    def part(self) -> Part:
        """Return some part."""
        pick = self.random
        statements = tuple(pick.randrange(len(STATEMENTS)) for _ in range(pick.choice((1, 1, 1, 2, 3))))
        wrap = 0 if pick.random() < 0.5 else pick.randrange(len(WRAPS))
        return Part(statements, 10 ** pick.randrange(6 if wrap == 0 else 4), wrap, 10 ** pick.randrange(1, 6))

    def new(self) -> Genome:
        """Return some program."""
        pick = self.random
        return Genome(
            tuple(self.part() for _ in range(pick.choice((1, 1, 2, 3)))),
            pick.choice((3, 20, 256, 1000)),
            pick.choice((2, 8, 32, 64, 256)),
            pick.choice((2, 300, 6000)),
            pick.choice((0, 0, 1, 2, 3)),
            pick.choice((1, 2, 3, 7)),
            pick.choice((1, 1, 1, 50, 1000)),
            pick.random() < 0.9,
        )

    def varied(self, genome: Genome) -> Genome:
        """Return the program with something changed."""
        pick = self.random
        what = pick.randrange(8)
        parts = list(genome.parts)
        place = pick.randrange(len(parts))
        part = parts[place]
        if what == 0:
            parts[place] = replace(part, times=max(1, int(part.times * pick.choice((0.3, 0.7, 1.5, 4)))))
        elif what == 1:
            parts[place] = replace(part, rounds=max(1, int(part.rounds * pick.choice((0.3, 0.7, 1.5, 4)))))
        elif what == 2:
            parts[place] = replace(part, wrap=pick.randrange(len(WRAPS)))
        elif what == 3:
            parts.insert(place, self.part())
        elif what == 4 and len(parts) > 1:
            del parts[place]
        elif what == 5:
            parts[place] = replace(part, statements=(*part.statements, pick.randrange(len(STATEMENTS)))[-5:])
        elif what == 6:
            return replace(genome, bindings=max(1, min(1000, int(genome.bindings * pick.choice((0.1, 0.5, 2, 10))))))
        else:
            return replace(
                genome,
                width=pick.choice((1, 8, 64, 256, genome.width)),
                qubits=pick.choice((3, 20, 256, 1000, genome.qubits)),
                big=pick.choice((2, 300, 6000, genome.big)),
                measured=pick.randrange(len(MEASURED)),
                small=pick.choice((1, 2, 3, 7)),
            )
        return replace(genome, parts=tuple(part for part in parts if part.times < 200_000)[:6])


def cost_of_text(text: str, bindings: int) -> Cost:
    """Return what checking a text costs, found in a process of its own."""
    inputs = [{"p": 0.1 * number} for number in range(bindings)] if "input" in text else [{}] * bindings

    def check() -> tuple[int, str]:
        budget = Budget()
        outcome = "accepted"
        try:
            for _ in check_each(text, inputs, budget=budget):
                pass
        except TaskError as error:
            outcome = f"{error.code}: {error.message[:70]}"
        return budget.spent, outcome

    return forked(check)


if __name__ == "__main__":
    found = Search(random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()))
    found.run(seconds=float(sys.argv[1]))
    sys.exit(found.report("programs", "units"))
