"""The bounds a program must keep to: each is checked before the step it protects, and the API publishes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What the reader accepts; a program over one of these is refused as `circuit_too_large` with limit and actual."""

    text_bytes: int = 1_000_000  # UTF-8 bytes of program text
    tokens: int = 300_000  # of a program that is more than a flat list of gates
    nesting: int = 48  # brackets, blocks and subroutine calls inside each other
    chain: int = 5_000  # operators in one expression
    literal_digits: int = 400  # digits of one number
    string_characters: int = 10_000  # characters of one string or bit string
    qubits: int = 1_024  # qubits of all registers together
    clbits: int = 8_192  # classical bits of all registers together, scratch bits of the lowering included
    integer_bits: int = 256  # width of one int, uint or angle
    array_elements: int = 65_536  # elements of all arrays together
    operations: int = 150_000  # gates, measurements and assignments after expanding gates, loops and broadcasts
    loop_iterations: int = 100_000  # iterations of all loops that are unrolled
    steps: int = 120_000  # statements executed and expressions evaluated while compiling
    power_qubits: int = 6  # qubits of a gate raised to a power that repetition cannot express
    controlled_power_qubits: int = 8  # the same with its controls
    splits: int = 10  # measured bits that one statement may be specialised on
    sweep_operations: int = 300_000  # operations of all circuits of a sweep (one program, many inputs) together
    work: int = 1_000_000  # units of about a microsecond that reading may cost a request, see `reader.budget`


LIMITS = Limits()
