"""What one pass over a program counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reader
from circuit_stats import read_stats
from reader.circuit import Builder

if TYPE_CHECKING:
    from circuit_stats import CircuitStats
    from reader.operations import Compiled

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'


def compiled(body: str, *, qubits: int = 3, bits: int = 3) -> Compiled:
    """Return the operations of a program with so many qubits and bits."""
    text = f"{HEAD}qubit[{qubits}] q;\nbit[{bits}] c;\n{body}"
    return next(reader.compile_each(text, [{}], counted=False))


def stats(body: str, *, qubits: int = 3, bits: int = 3) -> CircuitStats:
    """Return what is counted of it."""
    return read_stats(compiled(body, qubits=qubits, bits=bits))


@given(st.lists(st.sampled_from(["h", "cx", "ccx", "measure", "reset", "barrier", "if"]), max_size=30), st.randoms())
def test_depth_and_gates_agree_with_qiskit(names: list[str], chance: object) -> None:
    """On any circuit, depth is Qiskit's of the circuit that is built, and gates leave out what is none."""
    lines = []
    for name in names:
        a, b, c, d = chance.sample(range(4), 4)  # type: ignore[attr-defined]
        lines.append(
            {
                "h": f"h q[{a}];",
                "cx": f"cx q[{a}], q[{b}];",
                "ccx": f"ccx q[{a}], q[{b}], q[{c}];",
                "measure": f"c[{a}] = measure q[{b}];",
                "reset": f"reset q[{a}];",
                "barrier": f"barrier q[{a}], q[{b}];",
                "if": f"if (c[{a}]) reset q[{d}];",
            }[name]
        )
    program = compiled("c[0] = measure q[0];\n" + "\n".join(lines), qubits=4, bits=4)
    built = Builder(program).build()
    found = read_stats(program)
    flow = [step for step in built.data if step.name == "if_else"]
    assert sum(name in ("h", "cx", "ccx") for name in names) == found.gates
    assert built.num_clbits == found.clbits
    if not flow:  # inside of a test Qiskit counts no depth
        assert built.depth() == found.depth


def test_idle_qubits_are_not_active() -> None:
    """Only qubits that something acts on count towards memory."""
    found = stats("h q[7]; cx q[7], q[3]; barrier q;", qubits=40)
    assert (found.num_qubits, found.active_qubits) == (40, 2)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("h q[0]; rz(pi/2) q[0]; cx q[0], q[1];", True),
        ("rx(-3*pi/2) q[0];", True),
        ("rz(0.3) q[0];", False),
        ("t q[0];", False),
    ],
)
def test_clifford_is_told_by_gate_and_angle(body: str, *, expected: bool) -> None:
    """Clifford gates, and rotations by quarter turns."""
    assert expected == stats(body).clifford


def test_a_final_measurement_is_one_that_nothing_follows() -> None:
    """Later gates on other qubits leave it final; a gate on its qubit makes it mid-circuit."""
    final = stats("c[0] = measure q[0]; h q[1]; c[1] = measure q[1];")
    assert (False, {0, 2}) == (final.mid_circuit, final.final_measurements)
    middle = stats("c[0] = measure q[0]; h q[0]; c[1] = measure q[0];")
    assert (True, {2}) == (middle.mid_circuit, middle.final_measurements)


def test_a_dead_measurement_is_one_that_another_overwrites_unread() -> None:
    """Its qubit may be measured again; a gate on it, or a test of the bit in between, keeps it."""
    steps = ["c[0] = measure q[0];", "c[0] = measure q[1];", "c[1] = measure q[0];"]
    for order in ([0, 1, 2], [0, 2, 1]):
        dead = stats(" ".join(steps[index] for index in order))
        assert ({0}, {1, 2}) == (dead.dead_measurements, dead.final_measurements)
        assert (dead.mid_circuit, dead.collapses) == (False, 0)
    used = stats("c[0] = measure q[0]; c[0] = measure q[1]; h q[0];")
    assert (set(), {1}, True, 1) == (
        used.dead_measurements,
        used.final_measurements,
        used.mid_circuit,
        used.collapses,
    )
    tested = stats("c[0] = measure q[0]; if (c[0]) x q[2]; c[0] = measure q[1];")
    assert (set(), {2}) == (tested.dead_measurements, tested.final_measurements)


def test_crossings_are_the_gates_over_the_busiest_cut() -> None:
    """A chain crosses each cut once; a long gate crosses all between its ends."""
    chain = "".join(f"cx q[{i}], q[{i + 1}];" for i in range(9))
    assert stats(chain, qubits=10).crossings == 1
    assert stats(f"{chain} cx q[0], q[9];", qubits=10).crossings == 2


def test_loops_count_what_they_run() -> None:
    """A for loop's gates count once an iteration, and control flow makes every shot a run of its own."""
    found = stats("for int i in [0:6] { h q[0]; cx q[0], q[1]; } c[0] = measure q[0]; if (c[0]) x q[1];")
    assert (found.gates, found.mid_circuit, found.control_flow) == (15, True, True)


def test_collapses_are_counted_once_a_round() -> None:
    """Measurements and resets count unless they are final, in a while loop many times."""
    start = "c[0] = measure q[0]; reset q[1]; h q[0]; c[0] = measure q[0]; h q[0];"
    assert stats(start).collapses == 3
    assert stats(f"{start} c[1] = measure q[0]; c[2] = measure q[1];").collapses == 3
    # Before a round the loop's test is measured into a cell of its own, and again at its end.
    looped = stats(f"{start} while (c[0]) {{ c[0] = measure q[0]; }}").collapses
    assert looped == 3 + 1_000
