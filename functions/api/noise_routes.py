"""The handler of the address that lists noise models by name."""

from __future__ import annotations

from typing import Annotated

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, JsonValue


class NamedNoise(BaseModel):
    """A noise model that a task's `noise` takes by its name as `model`."""

    name: str
    num_qubits: Annotated[int, Field(description="The qubits of the device; a circuit may have fewer or more.")]
    source: Annotated[str, Field(description="Where the figures are published.")]
    date: Annotated[str, Field(description="The day of the device's calibration.")]
    license: Annotated[str, Field(description="The licence of the source.")]
    rules: Annotated[list[dict[str, JsonValue]], Field(description="The model as a task's `noise.rules` has it.")]


class NoiseModelsBody(BaseModel):
    """All noise models by name."""

    models: list[NamedNoise]


async def read_noise_models() -> JSONResponse:
    """List the noise models that `noise` takes by name, each with its rules, which can be copied and changed."""
    from tasks.noise.named import MODELS  # noqa: PLC0415 - no other request needs their tables

    return JSONResponse({"models": [device.as_dict() for device in MODELS.values()]})
