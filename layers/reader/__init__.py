"""Reads OpenQASM: text in, a Qiskit circuit or a located error out.

    text ── tokens ── parse (legacy for OpenQASM 2) ── program ── circuit
     └──────────────── flat: plain gate lines, straight to the circuit ──┘

`read` gives a circuit that Aer runs right **as it stands**: nothing has to be transpiled. It holds Qiskit standard
gates, `mcx`, `mcphase`, `unitary`, measurements, resets, barriers, `if_else`, `while_loop` and stores of single bits;
user gates, subroutines and certain loops are inlined, so that no name of a user's can be taken for one of Aer's.
`circuit.metadata["outputs"]` names the classical registers of the counts, in order; every other one is scratch.
`circuit.metadata["notes"]` holds sentences for the sender about what has no effect here.

`check` finds the same errors without Qiskit; only the matrices of `pow` and the inputs' values are left to `read`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reader.excerpts import SourceError, locate
from reader.limits import LIMITS, Limits
from tasks.errors import ErrorCode, TaskError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qiskit import QuantumCircuit

    from reader.program import Compiled

__all__ = ["LIMITS", "Limits", "Size", "check", "read"]


class Size(NamedTuple):
    """How large a program is, its gates, loops and broadcasts expanded."""

    num_qubits: int
    operations: int


def check(text: str, inputs: Mapping[str, object] | None = None, *, counted: bool = True) -> Size | None:
    """Return the program's size; raises the `TaskError` that reading it would end in. Imports neither Qiskit nor NumPy.

    Without `inputs`, a program that declares some is checked for syntax only, and None is returned: its values decide
    the rest. `counted` is as in `read`.
    """
    compiled = _compile(text, inputs, partial=inputs is None, counted=counted)
    if compiled is None:
        return None
    return Size(sum(size for _, size in compiled.registers), len(compiled.operations))


def read(text: str, inputs: Mapping[str, object] | None = None, *, counted: bool = True) -> QuantumCircuit:
    """Return the circuit of a program of OpenQASM 2 or 3; raises `TaskError` and nothing else.

    Codes: invalid_circuit, unsupported_feature, circuit_too_large, nothing_measured, invalid_inputs. With
    `counted=False`, as where only expectation values are asked for, a program that measures nothing is no error; its
    circuit may have no classical bits.
    """
    compiled = _compile(text, inputs or {}, partial=False, counted=counted)
    from reader.circuit import Builder  # noqa: PLC0415 - imports Qiskit, which `check` must not

    assert compiled is not None  # noqa: S101 - only a partial compilation gives nothing
    try:
        return Builder(compiled).build()
    except RecursionError:
        raise _too_deep() from None


def _compile(text: str, inputs: Mapping[str, object] | None, *, partial: bool, counted: bool) -> Compiled | None:
    bound(text)
    text = text.removeprefix("\ufeff")
    if not inputs:
        from reader.flat import scan  # noqa: PLC0415 - the rest of the reader is imported on first use

        flat = scan(text, counted=counted)
        if flat is not None:
            return flat
    from reader.parse import parse  # noqa: PLC0415 - flat programs do without
    from reader.program import compile_program, has_inputs  # noqa: PLC0415 - the same

    try:
        program = parse(text)
        if partial and has_inputs(program):
            return None
        return compile_program(program, inputs or {}, counted=counted)
    except SourceError as error:
        if error.at < 0:
            raise TaskError(error.code, error.message, hint=error.hint) from None
        raise locate(error, text) from None
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> TaskError:
    return TaskError(
        ErrorCode.CIRCUIT_TOO_LARGE,
        "The program nests too deeply.",
        limit=LIMITS.nesting,
        hint="Use fewer blocks, brackets or calls inside each other.",
    )


def bound(text: str) -> None:
    """Refuse text that is too long or not text, before anything looks at it."""
    size = len(text)
    if size <= LIMITS.text_bytes:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise locate(
                SourceError(
                    ErrorCode.INVALID_CIRCUIT,
                    "The text is not valid Unicode.",
                    error.start,
                    hint="Send it as UTF-8.",
                ),
                text,
            ) from None
    if size > LIMITS.text_bytes:
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"The program is longer than {LIMITS.text_bytes:,} bytes.",
            limit=LIMITS.text_bytes,
            actual=size,
            hint="Use loops and gate definitions.",
        )
