"""Reads OpenQASM: text in, a Qiskit circuit or a located error out.

    text ── text/ ── syntax tree ── compiler/ ── operations ── circuit
     └───────── fast_path: plain gate lines ─────────┘

`read` gives a circuit that Aer runs right **as it stands**: nothing has to be transpiled. It holds Qiskit standard
gates, `mcx`, `mcphase`, `unitary`, measurements, resets, barriers, `if_else`, `while_loop` and stores of single bits;
user gates, subroutines and certain loops are inlined, so that no name of a user's can be taken for one of Aer's.
`circuit.metadata["outputs"]` names the classical registers of the counts, in order; every other one is scratch.
`circuit.metadata["notes"]` holds sentences for the owner about what has no effect here.

`check` finds the same errors without Qiskit; only the matrices of `pow` and the inputs' values are left to `read`.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, NamedTuple

from reader.budget import BINDING, CHARACTERS, Budget
from reader.errors import SourceError, locate
from reader.limits import LIMITS, Limits
from reader.operations import PHYSICAL, Channel, Compiled, While, kinds_of, qubit_numbers
from reader.swept import of_binding
from tasks.errors import ErrorCode, TaskError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qiskit import QuantumCircuit

    from reader.outline import Outline
    from reader.text.syntax import Program
    from tasks.results import ResultRequest

TRIAL = 8  # the part of the budget in which all bindings of a sweep may be compiled at once

__all__ = [
    "LIMITS",
    "Budget",
    "Limits",
    "Size",
    "check",
    "check_each",
    "compile_each",
    "compile_sweep",
    "gate_names",
    "outlined",
    "read",
    "read_each",
]


class Size(NamedTuple):
    """How large a program is, its gates, loops and broadcasts expanded; `notes` for its owner, as in `read`.

    `loops` says that it has a loop which measured values end: how often that runs nobody knows. `noisy` says that it
    has channels of its own, and `results` are those that it asks for itself; `measured` is whether it can be counted.
    """

    num_qubits: int
    operations: int
    notes: tuple[str, ...] = ()
    numbered: int = 0  # one more than the highest number of a qubit: hardware qubits have numbers of their own
    loops: bool = False
    noisy: bool = False
    results: tuple[ResultRequest, ...] = ()
    measured: bool = True


def check(
    text: str, inputs: Mapping[str, object] | None = None, *, counted: bool = True, budget: Budget | None = None
) -> Size | None:
    """Return the program's size; raises the `TaskError` that reading it would end in. Imports neither Qiskit nor NumPy.

    Without `inputs`, a program that declares some is checked for syntax only, and None is returned: its values decide
    the rest. `counted` is as in `read`. A request that brings several texts gives each the same `budget`.
    """
    budget = budget or Budget()
    text = _opened(text, budget)
    compiled = None if inputs else _flat(text, budget, counted=counted)
    if compiled is None:
        program = _parsed(text, budget)
        if inputs is None and _declares(program):
            return None
        compiled = _compiled(text, program, inputs or {}, budget, counted=counted)
    return _size(compiled)


def check_each(
    text: str, bindings: Sequence[Mapping[str, object]], *, counted: bool = True, budget: Budget | None = None
) -> Iterator[Size]:
    """Yield what `check` returns for each binding of a sweep; raises `TaskError` when it comes to a bad one."""
    compiled = compile_sweep(text, bindings, counted=counted, budget=budget)
    if isinstance(compiled, Compiled):
        yield from [_size(compiled)] * len(bindings)
    else:
        for each in compiled:
            yield _size(each)


def read(text: str, inputs: Mapping[str, object] | None = None, *, counted: bool = True) -> QuantumCircuit:
    """Return the circuit of a program of OpenQASM 2 or 3; raises `TaskError` and nothing else.

    Codes: invalid_circuit, unsupported_feature, circuit_too_large, nothing_measured, invalid_inputs. With
    `counted=False`, as for expectation values alone, a program that measures nothing is not an error; its circuit may
    have no classical bits.
    """
    return next(read_each(text, [inputs or {}], counted=counted))


def read_each(text: str, bindings: Sequence[Mapping[str, object]], *, counted: bool = True) -> Iterator[QuantumCircuit]:
    """Yield what `read` returns for each binding of a sweep, the text parsed once; raises as `read` does."""
    from reader.circuit import Builder  # noqa: PLC0415 - imports Qiskit, which `check` must not

    for compiled in compile_each(text, bindings, counted=counted):
        if Channel in kinds_of(compiled.operations):
            raise TaskError(ErrorCode.UNSUPPORTED_FEATURE, "The program states noise; a plain circuit has none.")
        try:
            yield Builder(compiled).build()
        except RecursionError:
            raise _too_deep() from None


def outlined(
    text: str, inputs: Mapping[str, object] | None = None, *, counted: bool = True, budget: Budget | None = None
) -> tuple[Compiled, Outline]:
    """Return a program as it is drawn, see `reader.outline`; raises what `check` does."""
    from reader.compiler.program import compile_program  # noqa: PLC0415 - flat programs do without
    from reader.outline import Outline  # noqa: PLC0415 - only drawings need it

    budget = budget or Budget()
    text = _opened(text, budget)
    program = _parsed(text, budget)
    made = Outline(text)
    with _located(text):
        return compile_program(program, inputs or {}, budget, counted=counted, outline=made), made


def compile_each(
    text: str,
    bindings: Sequence[Mapping[str, object]],
    *,
    counted: bool = True,
    whole: bool = False,
    budget: Budget | None = None,
) -> Iterator[Compiled]:
    """Yield a program's operations for each binding of a sweep; raises and imports what `check` does.

    One that does not depend on inputs is the same each time, see `Compiled.depends_on_inputs`. With `whole`, as a noise
    model needs it, predefined gates that are made of others are left as they are (`gate_tables.parts_of` has their
    parts), and delays are there.
    """
    compiled = compile_sweep(text, bindings, counted=counted, whole=whole, budget=budget)
    if isinstance(compiled, Compiled):
        for index in range(len(bindings)):
            yield of_binding(compiled, index)
    else:
        yield from compiled


def compile_sweep(
    text: str,
    bindings: Sequence[Mapping[str, object]],
    *,
    counted: bool = True,
    whole: bool = False,
    budget: Budget | None = None,
) -> Compiled | Iterator[Compiled]:
    """Return a program's operations with the angles of all bindings, see `swept`; raises what `check` does.

    Where the bindings decide more than angles, or one is bad, it is the iterator that `compile_each` is.
    """
    budget = budget or Budget()
    text = _opened(text, budget)
    if len(bindings) == 1 and not bindings[0]:
        flat = _flat(text, budget, counted=counted, whole=whole)
        if flat is not None:
            return flat
    program = _parsed(text, budget)
    together = _together(program, bindings, budget, counted=counted, whole=whole) if len(bindings) > 1 else None
    return together or _one_by_one(text, program, bindings, budget, counted=counted, whole=whole)


def gate_names() -> frozenset[str]:
    """Return the names of all gates that a program may use without defining them, and of what it makes by modifiers."""
    from reader.compiler.gate_tables import GATES  # noqa: PLC0415 - imported on first use, as the rest of the reader
    from reader.compiler.gates import NATIVE  # noqa: PLC0415 - the same

    return frozenset({*GATES, *NATIVE, "unitary"} - {"gphase"})


def _size(compiled: Compiled) -> Size:
    qubits, physical = 0, False
    for name, size in compiled.registers:
        qubits += size
        physical = physical or name.startswith(PHYSICAL)
    numbered = max(qubit_numbers(compiled.registers)) + 1 if physical else qubits
    operations = compiled.operations
    kinds = kinds_of(operations)
    return Size(
        qubits,
        len(operations),
        tuple(compiled.notes),
        numbered,
        While in kinds,
        Channel in kinds,
        compiled.results,
        bool(compiled.outputs),
    )


def _opened(text: str, budget: Budget) -> str:
    """Return the text without its byte order mark, its length within the bounds and paid for."""
    bound(text)
    text = text.removeprefix("\ufeff")
    try:
        budget.spend(len(text) // CHARACTERS)
    except SourceError as error:
        raise _error(error, text) from None
    return text


def _flat(text: str, budget: Budget, *, counted: bool, whole: bool = False) -> Compiled | None:
    """Return a plain list of gates and measurements compiled, None for anything else."""
    from reader.fast_path import scan  # noqa: PLC0415 - the rest of the reader is imported on first use

    with _located(text):
        return scan(text, budget, counted=counted, whole=whole)


def _parsed(text: str, budget: Budget) -> Program:
    from reader.text.parser import parse  # noqa: PLC0415 - flat programs do without

    with _located(text):
        return parse(text, budget)


def _declares(program: Program) -> bool:
    """Tell whether a program declares inputs."""
    from reader.compiler.program import has_inputs  # noqa: PLC0415 - flat programs do without

    return has_inputs(program)


def _compiled(  # noqa: PLR0913 - a program and how to read it
    text: str,
    program: Program,
    binding: Mapping[str, object],
    budget: Budget,
    *,
    counted: bool,
    whole: bool = False,
) -> Compiled:
    from reader.compiler.program import compile_program  # noqa: PLC0415 - flat programs do without

    with _located(text):
        budget.spend(BINDING)
        return compile_program(program, binding, budget, counted=counted, whole=whole)


def _together(
    program: Program, bindings: Sequence[Mapping[str, object]], budget: Budget, *, counted: bool, whole: bool
) -> Compiled | None:
    """Return the program with all bindings at once, None where that cannot be or costs more than is likely saved."""
    from reader.compiler.program import compile_together  # noqa: PLC0415 - flat programs do without

    trial, begun = budget.share(TRIAL), time.thread_time()
    try:
        with _located(program.text):
            compiled = compile_together(program, bindings, trial, counted=counted, whole=whole)
            _bound_sweep(len(compiled.operations) * len(bindings))
            budget.spend(trial.spent)
    except Exception:  # noqa: BLE001 - whatever it was, one binding after another decides what becomes of the program
        budget.waive(time.thread_time() - begun)
        return None
    return compiled


def _one_by_one(  # noqa: PLR0913 - a program and how to read it
    text: str,
    program: Program,
    bindings: Sequence[Mapping[str, object]],
    budget: Budget,
    *,
    counted: bool,
    whole: bool,
) -> Iterator[Compiled]:
    """Yield the program compiled with each binding."""
    operations = 0
    for binding in bindings:
        compiled = _compiled(text, program, binding, budget, counted=counted, whole=whole)
        operations += len(compiled.operations)
        if len(bindings) > 1:
            _bound_sweep(operations)
        yield compiled


class _located:  # noqa: N801 - it reads as a function does; a generator for it would cost a Bell a tenth of its reading
    """Turn what goes wrong inside into a `TaskError` with line and column.

    Collecting garbage waits meanwhile: it would look at every node of the tree again and again, half of all the time.
    """

    __slots__ = ("collecting", "text")

    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self) -> None:
        self.collecting = gc.isenabled()
        gc.disable()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if self.collecting:
            gc.enable()
        if isinstance(error, SourceError):
            raise _error(error, self.text) from None
        if isinstance(error, RecursionError):
            raise _too_deep() from None


def _error(error: SourceError, text: str) -> TaskError:
    """Return the contract's error."""
    if error.at < 0:
        return TaskError(error.code, error.message, limit=error.limit, actual=error.actual, hint=error.hint)
    return locate(error, text)


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
        hint="Use fewer nested blocks, brackets or calls.",
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
