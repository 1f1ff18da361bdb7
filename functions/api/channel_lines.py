"""Writes the errors of a noise model as Python that makes Qiskit's channels of them, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tasks.noise.channels import Error, Step

_CHANNEL = (
    "def channel(qubits, terms):",
    "    total = 0 * SuperOp(Operator.from_label('I' * qubits))",
    "    for chance, steps in terms:",
    "        made = SuperOp(Operator.from_label('I' * qubits))",
    "        for operator, places in steps:",
    "            made = made.compose(SuperOp(operator), qargs=places)",
    "        total = total + chance * made",
    "    return Kraus(total)",
    "",
)


def definitions(errors: Mapping[Error, str]) -> Iterator[str]:
    """Yield the lines that make errors by their names, as channels in Kraus operators: Aer draws those as they come."""
    if errors:
        yield from (*_CHANNEL, "")
    for error, name in errors.items():
        yield f"{name} = channel({error.qubits}, ["
        for chance, steps in [(error.stay, ()), *error.terms]:
            yield f"    ({chance!r}, [{', '.join(map(_step, steps))}]),"
        yield "])"
    if errors:
        yield ""


def _step(step: Step) -> str:
    """Return a step of an error as an operator and the places that it acts on."""
    if step.kind == "pauli":
        operator = f"Operator(Pauli({step.data[::-1]!r}))"
    elif step.kind == "reset":
        to_zero = "Kraus([[[1, 0], [0, 0]], [[0, 1], [0, 0]]])"
        operator = f"{to_zero}.compose(Operator(Pauli('X')))" if step.data else to_zero
    elif step.kind == "unitary":
        operator = f"Operator({[list(row) for row in step.data]!r})"
    else:
        operator = f"Kraus({[[list(row) for row in matrix] for matrix in step.data]!r})"
    return f"({operator}, {list(step.places)})"
