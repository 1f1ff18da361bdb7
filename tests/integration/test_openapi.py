"""The OpenAPI document against the service: whatever schemathesis makes of it is answered as it says.

Of each field, its bounds and what is no value of it. The random requests, too, are with the profile `search`:
Schemathesis makes others at each run, whatever Hypothesis is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, core, settings
from hypothesis.internal.conjecture import engine
from hypothesis.strategies._internal import collections
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from test_dry_runs import ESTIMATE

import dry_runs
from api import create_app
from simulated_aws import aws_in_moto

if TYPE_CHECKING:
    from collections.abc import Iterator

# Keys are checked by API Gateway (tests/e2e/test_keys.py). What fits the document may still be no program, no cursor or
# no moment that there is: 400.
NOT_CHECKED = [ignored_auth, positive_data_acceptance]


class Estimator:
    """Stands for the small lane's worker."""

    def dry_run(self, *_: object) -> dict[str, Any]:
        """Admit everything."""
        return {"estimate": ESTIMATE}


APP = create_app()
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP)
PHASES = [Phase.explicit] if settings().derandomize else list(Phase)


@pytest.fixture(scope="module", autouse=True)
def fixture_hypothesis() -> Iterator[None]:
    """Undo what Schemathesis changes for a whole process: how much an example may draw, and that it is printed."""
    changed = [(core, "RepresentationPrinter"), *((module, "BUFFER_SIZE") for module in (core, engine, collections))]
    with pytest.MonkeyPatch.context() as patch:
        for module, name in changed:
            patch.setattr(module, name, getattr(module, name))
        yield


@pytest.fixture(scope="module", autouse=True)
def fixture_aws() -> Iterator[None]:
    """Give all examples one AWS in which a request need not wait for workers that are not there."""
    aws = aws_in_moto()
    next(aws)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dry_runs, "worker", Estimator)
        yield
    aws.close()


@SCHEMA.parametrize()
@settings(max_examples=20, phases=PHASES, suppress_health_check=list(HealthCheck))
def test_the_service_is_as_its_document_says(case: schemathesis.Case) -> None:
    """Every answer has a documented status, type, header and body, and what breaks the document is refused."""
    case.headers.pop("Prefer", None)
    case.call_and_validate(headers={"x-api-key": "key"}, excluded_checks=NOT_CHECKED)
