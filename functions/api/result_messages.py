"""The exact results and samples of a task, as answers show them: types, shapes and the order of their numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class ExpectationValue(BaseModel):
    """The value of an observable and its standard error, which is 0 for an exact value."""

    value: float
    standard_error: float


class CountsResult(BaseModel):
    """Counts are in `result`."""

    type: Literal["counts"]


class ProbabilitiesResult(BaseModel):
    """The probability of each basis state of k qubits; index i has bit j of i for qubit `qubits[j]`."""

    type: Literal["probabilities"]
    qubits: list[int]
    values: Annotated[list[float], Field(description="Shape (2^k,).")]


class StatevectorResult(BaseModel):
    """The amplitudes of a pure state of n qubits, its global phase included; index i has bit j of i for qubit j.

    With `qubits` they are those of k qubits, all others 0, and bit j of an index is that of qubit `qubits[j]`.
    """

    type: Literal["statevector"]
    qubits: list[int] | None = None
    real: Annotated[list[float], Field(description="Shape (2^n,).")]
    imag: Annotated[list[float], Field(description="Shape (2^n,).")]


class AmplitudesResult(BaseModel):
    """The amplitudes of m basis states."""

    type: Literal["amplitudes"]
    states: Annotated[list[str], Field(description="A bit for every qubit, qubit 0 rightmost.")]
    real: Annotated[list[float], Field(description="Shape (m,).")]
    imag: Annotated[list[float], Field(description="Shape (m,).")]


class DensityMatrixResult(BaseModel):
    """The density matrix of k qubits, the others traced out; index i has bit j of i for qubit `qubits[j]`."""

    type: Literal["density_matrix"]
    qubits: list[int]
    real: Annotated[list[list[float]], Field(description="Shape (2^k, 2^k), row by row.")]
    imag: Annotated[list[list[float]], Field(description="Shape (2^k, 2^k), row by row.")]


class ExpectationResult(ExpectationValue):
    """The exact value of an observable."""

    type: Literal["expectation"]
    variance: Annotated[
        float | None, Field(description="The mean of its square less the square of its mean, if requested.")
    ] = None


class SamplesResult(BaseModel):
    """What each shot measured of an observable."""

    type: Literal["samples"]
    values: Annotated[list[float], Field(description="Shape (shots,).")]


ResultBody = Annotated[
    CountsResult
    | ProbabilitiesResult
    | StatevectorResult
    | AmplitudesResult
    | DensityMatrixResult
    | ExpectationResult
    | SamplesResult,
    Field(discriminator="type"),
]
