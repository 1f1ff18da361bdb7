"""Reads OpenQASM: text in, a Qiskit circuit or a located error out.

    text ── text/ ── syntax tree ── compiler/ ── operations ── circuit
     └───────── fast_path: plain gate lines ─────────┘

`read` gives a circuit that Aer runs right **as it stands**: nothing has to be transpiled. It holds Qiskit standard
gates, `mcx`, `mcphase`, `unitary`, measurements, resets, barriers, `if_else`, `while_loop` and stores of single bits;
user gates, subroutines and certain loops are inlined, so that no name of a user's can be taken for one of Aer's.
`circuit.metadata["outputs"]` names the classical registers of the counts, in order; every other one is scratch.
`circuit.metadata["notes"]` holds sentences for the sender about what has no effect here.

`check` finds the same errors without Qiskit; only the matrices of `pow` and the inputs' values are left to `read`.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from reader.budget import BINDING, CHARACTERS, Budget
from reader.errors import SourceError, locate
from reader.limits import LIMITS, Limits
from tasks.errors import ErrorCode, TaskError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qiskit import QuantumCircuit

    from reader.operations import Compiled

__all__ = ["LIMITS", "Budget", "Limits", "Size", "check", "check_each", "compile_each", "read", "read_each"]


class Size(NamedTuple):
    """How large a program is, its gates, loops and broadcasts expanded; `notes` for its sender, as in `read`."""

    num_qubits: int
    operations: int
    notes: tuple[str, ...] = ()


def check(
    text: str, inputs: Mapping[str, object] | None = None, *, counted: bool = True, budget: Budget | None = None
) -> Size | None:
    """Return the program's size; raises the `TaskError` that reading it would end in. Imports neither Qiskit nor NumPy.

    Without `inputs`, a program that declares some is checked for syntax only, and None is returned: its values decide
    the rest. `counted` is as in `read`. A request that brings several texts gives each the same `budget`.
    """
    compiled = next(_compile_each(text, [inputs], counted=counted, budget=budget))
    return None if compiled is None else _size(compiled)


def check_each(
    text: str, bindings: Sequence[Mapping[str, object]], *, counted: bool = True, budget: Budget | None = None
) -> Iterator[Size]:
    """Yield what `check` returns for each binding of a sweep; raises `TaskError` when it comes to a bad one."""
    for compiled in compile_each(text, bindings, counted=counted, budget=budget):
        yield _size(compiled)


def read(text: str, inputs: Mapping[str, object] | None = None, *, counted: bool = True) -> QuantumCircuit:
    """Return the circuit of a program of OpenQASM 2 or 3; raises `TaskError` and nothing else.

    Codes: invalid_circuit, unsupported_feature, circuit_too_large, nothing_measured, invalid_inputs. With
    `counted=False`, as where only expectation values are asked for, a program that measures nothing is no error; its
    circuit may have no classical bits.
    """
    return next(read_each(text, [inputs or {}], counted=counted))


def read_each(text: str, bindings: Sequence[Mapping[str, object]], *, counted: bool = True) -> Iterator[QuantumCircuit]:
    """Yield what `read` returns for each binding of a sweep, the text parsed once; raises as `read` does."""
    from reader.circuit import Builder  # noqa: PLC0415 - imports Qiskit, which `check` must not

    for compiled in compile_each(text, bindings, counted=counted):
        try:
            yield Builder(compiled).build()
        except RecursionError:
            raise _too_deep() from None


def compile_each(
    text: str, bindings: Sequence[Mapping[str, object]], *, counted: bool = True, budget: Budget | None = None
) -> Iterator[Compiled]:
    """Yield a program's operations for each binding of a sweep; raises and imports what `check` does.

    One that does not depend on inputs is the same each time, see `Compiled.depends_on_inputs`.
    """
    for compiled in _compile_each(text, bindings, counted=counted, budget=budget):
        assert compiled is not None  # noqa: S101 - only a missing binding gives nothing
        yield compiled


def _size(compiled: Compiled) -> Size:
    return Size(sum(size for _, size in compiled.registers), len(compiled.operations), tuple(compiled.notes))


def _compile_each(
    text: str, bindings: Sequence[Mapping[str, object] | None], *, counted: bool, budget: Budget | None
) -> Iterator[Compiled | None]:
    """Yield the program compiled with each binding; None for a program with inputs whose binding is None."""
    bound(text)
    text = text.removeprefix("\ufeff")
    budget = budget or Budget()
    with _located(text):
        budget.spend(len(text) // CHARACTERS)
    if len(bindings) == 1 and not bindings[0]:
        from reader.fast_path import scan  # noqa: PLC0415 - the rest of the reader is imported on first use

        with _located(text):
            flat = scan(text, budget, counted=counted)
        if flat is not None:
            yield flat
            return
    from reader.compiler.program import compile_program, has_inputs  # noqa: PLC0415 - the same
    from reader.text.parser import parse  # noqa: PLC0415 - flat programs do without

    operations = 0
    with _located(text):
        program = parse(text, budget)
        declares = has_inputs(program)
    for binding in bindings:
        if binding is None and declares:
            yield None
            continue
        with _located(text):
            budget.spend(BINDING)
            compiled = compile_program(program, binding or {}, budget, counted=counted)
        operations += len(compiled.operations)
        if len(bindings) > 1:
            _bound_sweep(operations)
        yield compiled


@contextmanager
def _located(text: str) -> Iterator[None]:
    """Turn what goes wrong inside into a `TaskError` with line and column.

    Collecting garbage waits meanwhile: it would look at every node of the tree again and again, half of all the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    except SourceError as error:
        if error.at < 0:
            raise TaskError(
                error.code, error.message, limit=error.limit, actual=error.actual, hint=error.hint
            ) from None
        raise locate(error, text) from None
    except RecursionError:
        raise _too_deep() from None
    finally:
        if collecting:
            gc.enable()


def _bound_sweep(operations: int) -> None:
    if operations > LIMITS.sweep_operations:
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"The circuits of all bindings together take more than {LIMITS.sweep_operations:,} operations.",
            limit=LIMITS.sweep_operations,
            actual=operations,
            hint="Split the sweep into several tasks.",
        )


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
