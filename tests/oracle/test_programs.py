"""The generator itself: what it writes has a meaning, and everything the language has turns up."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings

from oracle.interpreter import explore
from oracle.programs import Program, programs

CONSTRUCTS = (
    "include", "input", "output", "const", "gate ", "def ", "-> bit", "-> bit[2]", "-> uint[4]", "mutable array",
    "array[", "let ", "if (", "else", "while (", "for ", "switch (", "case", "default", "break;", "continue;",
    "end;", "reset", "measure", "->", "barrier", "delay", "box", "inv @", "ctrl @", "negctrl @", "pow(", "gphase",
    "angle[", "int[8]", "uint[", "bool", "float", "++", "[-1]", "{0, 1}", ":-1:", "<<", ">>", "^", "&&", "||", "~",
    "!", "**", "%", "popcount", "rotl", "rotr", "mod(", "sin(", "sqrt(", "gate ecr", "gate rzz", "gate iswap",
    "gate mcx", "gate unitary", "gate pauli", "gate kraus", "gate initialize",
)  # fmt: skip


def test_generated_programs_have_a_meaning_and_use_the_whole_language() -> None:
    """The oracle accepts every program, outcomes add up to one, and no construct is missing among 300 of them."""
    missing = set(CONSTRUCTS)
    several_outcomes = 0

    @settings(
        max_examples=300,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def check(program: Program) -> None:
        nonlocal several_outcomes
        missing.difference_update([construct for construct in missing if construct in program.text])
        outcomes = explore(program.text, program.inputs, tolerance=1e-3)
        assert abs(sum(outcomes.probabilities.values()) + outcomes.lost - 1) < 1e-9
        several_outcomes += len(outcomes.probabilities) > 1

    check()
    assert not missing
    assert several_outcomes > 150
