"""The api function: API Gateway's events in, HTTP answers out. Names the handler of each address.

The handlers are in front_page.py and in the modules that end in _routes.py, with listing.py; functions/README.md says
which is which. refusals.py has every answer to an error.
"""

from __future__ import annotations

import contextlib
import gc
import json
import random
from typing import TYPE_CHECKING, Any

# Until the application is made: nothing of it is garbage, and looking for some takes a twentieth of a cold start.
gc.disable()

from fastapi import FastAPI, Request, Response
from mangum import Mangum
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.routing import Route

import circuit_routes
import front_page
import listing
import noise_routes
import reader
import refusals
import result_routes
import service_routes
import task_routes
import usage_routes
from answers import answers, elsewhere, not_modified
from incoming import Correlation, CrossOrigin, StrictRoute, check_query
from limits_message import LimitsBody
from messages import (
    BatchAccepted,
    BatchEstimateBody,
    CallbackSecretBody,
    ErrorBody,
    EstimateBody,
    ForeseenFailureBody,
    HealthBody,
    TaskAccepted,
    TaskBody,
    TaskList,
    TaskPurged,
)
from result_messages import ResultBody
from submitted import BELL
from tasks.aws import task_queues, task_store
from tasks.logs import logger
from tasks.submissions import MAX_TASKS_AT_ONCE

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from starlette.types import ASGIApp, Receive, Scope, Send

SVG = "image/svg+xml"
DESCRIPTION = f"""
Send a quantum circuit, read its counts.

    curl "$API_URL/tasks" -H "x-api-key: $API_KEY" -H 'Content-Type: application/json' \\
        -d '{json.dumps({"qc": BELL, "shots": 1024})}'
    curl "$API_URL/tasks/<task_id>" -H "x-api-key: $API_KEY"
"""


class NotBatch(StringConvertor):
    """A part of a path that can be a task's id. `batch` is an address of its own, as in API Gateway."""

    regex = "(?!batch$)[^/]+"


register_url_convertor("not_batch", NotBatch())


def create_app() -> FastAPI:
    """Return the application with all its addresses; it opens no connection before the first request that needs one."""
    app = FastAPI(
        title="Quantum Circuits API",
        version="0.1.0",
        description=DESCRIPTION,
        responses={"default": {"model": ErrorBody, "description": "The request was refused."}},
        docs_url=None,  # front_page.py has both: FastAPI's load scripts from another host
        redoc_url=None,
        redirect_slashes=False,  # a POST must not be sent twice, and another address is another address
    )
    app.router.route_class = StrictRoute
    for path, read in front_page.PAGES.items():
        app.add_route(path, read, methods=["GET"], include_in_schema=False)  # FastAPI's own take longer to make
    _add_task_routes(app)
    _add_circuit_routes(app)
    _add_service_routes(app)
    refusals.install(app)
    app.add_middleware(Correlation)
    app.add_middleware(CrossOrigin)  # the outer one: another origin may read refusals too
    for route in app.routes:
        if type(route) is Route:  # the pages, and the OpenAPI document, which FastAPI adds
            route.app = _without_query(route.app)
    return app


def _add_task_routes(app: FastAPI) -> None:
    app.add_api_route(
        "/tasks",
        task_routes.submit_task,
        methods=["POST"],
        response_model=TaskAccepted | EstimateBody | ForeseenFailureBody,
        response_model_exclude_none=True,
        responses=answers(
            400,
            402,
            403,
            410,
            413,
            415,
            503,
            headers=("Location", "Idempotent-Replayed", "Preference-Applied", "Retry-After"),
        ),
        summary="Submit a circuit",
    )
    app.add_api_route(
        "/tasks/{task_id:not_batch}",
        task_routes.read_task,
        methods=["GET"],
        response_model=TaskBody,
        response_model_exclude_none=True,
        responses=answers(403, 404, 410, 503, headers=("ETag", "Preference-Applied", "Retry-After")) | not_modified(),
        summary="Read a task",
    )
    app.add_api_route(
        "/tasks/batch",
        task_routes.submit_batch,
        methods=["POST"],
        response_model=BatchAccepted | BatchEstimateBody,
        response_model_exclude_none=True,
        responses=answers(400, 402, 403, 410, 413, 415, 503, headers=("Idempotent-Replayed",)),
        summary=f"Submit up to {MAX_TASKS_AT_ONCE} circuits at once",
    )
    app.add_api_route(
        "/tasks",
        listing.list_tasks,
        methods=["GET"],
        response_model=TaskList,
        response_model_exclude_none=True,
        responses=answers(400, 403, 503, headers=("Link",)),
        summary="List your tasks",
    )
    app.add_api_route(
        "/tasks/{task_id:not_batch}",
        task_routes.cancel_task,
        methods=["DELETE"],
        response_model=TaskBody | TaskPurged,
        response_model_exclude_none=True,
        responses=answers(403, 404, 409, 410, 503),
        summary="Cancel a task, or purge one that has ended",
    )


def _add_circuit_routes(app: FastAPI) -> None:
    circuit = answers(400, 403, 404, 410, 503, texts=("text/plain", SVG))
    circuit[200]["content"]["application/json"] = {"schema": circuit_routes.NAMES_SCHEMA}
    app.add_api_route(
        "/tasks/{task_id:not_batch}/circuit",
        circuit_routes.read_circuit,
        methods=["GET"],
        response_class=Response,  # with a type of its own, FastAPI would document it for the refusals too
        responses=circuit,
        summary="Read a task's program, a picture of it, or its registers",
    )
    app.add_api_route(
        "/tasks/{task_id:not_batch}/script",
        circuit_routes.read_script,
        methods=["GET"],
        response_class=Response,
        responses=answers(400, 403, 404, 410, 503, texts=("text/plain",)),
        summary="Repeat a task on plain Qiskit",
    )
    app.add_api_route(
        "/tasks/{task_id:not_batch}/results/{index}",
        result_routes.read_result,
        methods=["GET"],
        response_model=ResultBody,
        responses=answers(403, 404, 406, 410, 503) | elsewhere(),
        summary="Read one result, or its numbers as a NumPy file",
    )
    app.add_api_route(
        "/circuit",
        circuit_routes.draw_program,
        methods=["POST"],
        response_model=circuit_routes.PictureBody,
        response_model_exclude_none=True,
        responses=answers(400, 403, 413, 415, 503),
        summary="Check and draw a circuit",
    )


def _add_service_routes(app: FastAPI) -> None:
    app.add_api_route(
        "/callback-secret",
        service_routes.read_callback_secret,
        methods=["GET"],
        response_model=CallbackSecretBody,
        responses=answers(403, 503),
        summary="The secret that signs your callbacks",
    )
    app.add_api_route(
        "/usage",
        usage_routes.read_usage,
        methods=["GET"],
        response_model=usage_routes.UsageBody,
        response_model_exclude_none=True,
        responses=answers(403, 503),
        summary="What your tasks have used",
    )
    app.add_api_route(
        "/health", service_routes.health, methods=["GET"], response_model=HealthBody, summary="Is the service up?"
    )
    app.add_api_route(
        "/noise-models",
        noise_routes.read_noise_models,
        methods=["GET"],
        response_model=noise_routes.NoiseModelsBody,
        summary="Noise models by name",
    )
    app.add_api_route(
        "/limits", service_routes.limits, methods=["GET"], response_model=LimitsBody, summary="All limits"
    )


def _without_query(app: ASGIApp) -> ASGIApp:
    """Return an application that refuses any query and otherwise answers as `app` does."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        check_query(Request(scope))
        await app(scope, receive, send)

    return serve


# Without lifespan: no resource is opened or closed with a request. incoming.py adds the correlation id to log lines.
_adapter = Mangum(create_app(), lifespan="off", text_mime_types=["text/", "application/json", SVG])
gc.enable()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request."""
    return _adapter(event, context)  # type: ignore[arg-type]  # Mangum and Powertools each describe the same context


def warm_up() -> None:
    """Create what the first request needs, without a connection: a snapshot cannot keep one."""
    task_store()
    task_queues()
    reader.check(BELL)


with contextlib.suppress(ImportError):  # SnapStart's hooks are part of Lambda's own runtime
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(warm_up)
    # Environments restored from one snapshot must draw different random pauses between retries. Ids and seeds come from
    # the kernel, which is not part of the snapshot.
    register_after_restore(random.seed)
